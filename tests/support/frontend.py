"""The npm package, built for the tests that use it."""

import os
from pathlib import Path

import pytest
from filelock import BaseFileLock, FileLock

from tests.server import ROOT

FRONTEND = ROOT / "frontend"


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that the session's workers share."""
    folder = factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


def building(factory: pytest.TempPathFactory) -> BaseFileLock:
    """Held by who writes the package's `dist`, or needs it whole for a while."""
    return FileLock(shared_folder(factory) / "frontend.lock")
