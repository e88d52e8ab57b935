"""Programs that tests use and a machine may lack."""

import shutil

import pytest

FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"  # where daemons are, beside the PATH


def needed(*names: str) -> str:
    """The path of the first program that is installed; the test is left out where none is."""
    for name in names:
        path = shutil.which(name) or shutil.which(name, path=FOLDERS)
        if path:
            return path
    pytest.skip(f"{names[0]} is not installed")
