"""The networks that the bench compares: ISNet as it is, and optimised for this machine, which takes minutes once."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from photo_processor.models.store import ModelStore
from photo_processor.models.weights.rows import DEFAULT
from photo_processor.settings import Settings
from tests.server import ROOT


@dataclass(frozen=True)
class Isnet:
    """ISNet's file, in a folder that holds its optimised form as well."""

    file: Path

    @property
    def folder(self) -> Path:
        return self.file.parent


def isnet() -> Isnet | None:
    """ISNet, where it has been fetched. It is optimised in a folder of its own, so that no test uses that by chance."""
    found = Path(os.environ.get("PHOTO_TEST_MODELS", ROOT / "build" / "models")) / f"{DEFAULT}.onnx"
    if not found.exists():
        return None
    file = ROOT / "build" / "bench" / found.name
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        os.link(found, file)
    return Isnet(file)


def store(network: Isnet, data: Path, *, optimised: bool) -> ModelStore:
    """A store on the network's folder, optimised or not, that keeps no mattes."""
    return ModelStore(
        Settings(data_dir=data, model_dir=network.folder, offline=True, optimize="auto" if optimised else "off")
    )


def optimise(network: Isnet, data: Path) -> None:
    """Have the network's optimised form in its folder."""

    async def run() -> None:
        models = store(network, data, optimised=True)
        models.optimise(DEFAULT)
        await models.settled()
        state = models.row(DEFAULT).optimised
        assert state is not None, "nothing came of it"
        assert state.state == "ready", state

    asyncio.run(run())
