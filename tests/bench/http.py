"""The whole path over HTTP, results on the disk, against `rembg.remove(bytes)` in two threads of one process."""

import io
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from photo_processor.models.weights.rows import DEFAULT
from tests.bench import networks, photos, single
from tests.bench.rows import Row, duration, rate, seconds
from tests.server import Json, Server

THREADS = 2
PAUSE = 0.02  # s between two looks at a job
ROUNDS = 3
PHOTOS = 8  # of each round: nothing runs beside the first one's decoding and the last one's encoding
STAGES = (
    "decode_s",
    "shrink_s",
    "wait_s",
    "network_s",
    "infer_s",
    "refine_s",
    "decontaminate_s",
    "composite_s",
    "encode_s",
    "total_s",
    "store_s",
)

Remover = Callable[[bytes], bytes]


def rembg_of(network: Path, *, isnet: bool) -> Remover:
    """`rembg.remove` on the same file. Its import compiles for up to 80 s the first time on a machine."""
    import rembg

    os.environ["REMBG_HOME"] = str(network.parent)  # it opens no file elsewhere
    session = rembg.new_session("dis_custom" if isnet else "u2net_custom", model_path=str(network))
    del os.environ["REMBG_HOME"]
    return lambda content: bytes(rembg.remove(content, session=session))


@contextmanager
def serving(folder: Path, models: Path, **settings: str) -> Iterator[Server]:
    server = Server(folder, models, **settings).start()
    try:
        yield server
    finally:
        server.stop()


def processed(server: Server, paths: list[Path], recipe: Json) -> Json:
    """The job of these photos, once it has ended well."""
    job = server.finished(server.submit(*paths, recipe=json.dumps(recipe))["id"], pause=PAUSE)
    assert job["progress"]["failed"] == 0, server.files(job["id"])
    return job


def recipe_of(model: str, **parameters: object) -> Json:
    return {"operations": [{"op": "remove_background", "model": model, **parameters}]}


def compared(name: str, server: Server, remove: Remover, recipe: Json, sets: list[list[Path]]) -> Iterator[Row]:
    """Rows of one comparison: rembg, ours, rembg, ours, each round on photos of its own."""
    ours, theirs, jobs = [], [], []
    with ThreadPoolExecutor(THREADS) as pool:
        for paths in sets:
            contents = [path.read_bytes() for path in paths]
            theirs.append(seconds(lambda: list(pool.map(remove, contents))))  # noqa: B023
            ours.append(seconds(lambda: jobs.append(processed(server, paths, recipe))))  # noqa: B023
    yield rate(name, ours, theirs, len(sets[0]))
    yield from stages(name, [file["timings"] for job in jobs for file in server.files(job["id"])], sum(ours))


def stages(name: str, timings: list[dict[str, float]], whole: float) -> Iterator[Row]:
    """Rows of where the time goes. Networks run one at a time: at a share of 1 they would never have to wait."""
    for stage in STAGES:
        taken = [found[stage] for found in timings if stage in found]
        if taken:
            yield duration(f"{name}, {stage.removesuffix('_s')}", taken)
    share = sum(found.get("network_s", 0.0) for found in timings) / whole
    yield Row(f"{name}, share of the network", share, "of the whole", rounds=len(timings))


def agreement(name: str, server: Server, remove: Remover, model: str, paths: list[Path]) -> Row:
    """The least IoU of our masks, before refinement, with rembg's."""
    job = processed(server, paths, recipe_of(model, refine=False))
    least = 1.0
    for path, file in zip(paths, server.files(job["id"]), strict=True):
        content = server.get(f"/api/jobs/{job['id']}/files/{file['id']}/mask").content
        ours = np.asarray(Image.open(io.BytesIO(content))) > 127
        theirs = np.asarray(Image.open(io.BytesIO(remove(path.read_bytes()))))[..., 3] > 127
        least = min(least, float((ours & theirs).sum() / (ours | theirs).sum()))
    return Row(name, least, "IoU")


def run(folder: Path, tiny: Path, isnet: networks.Isnet | None) -> Iterator[Row]:
    """Every row of this part; without ISNet's file, those of the near-free network alone."""
    large = [photos.save(folder, photos.LARGE, PHOTOS, PHOTOS * number) for number in range(ROUNDS)]
    small = [photos.save(folder, photos.SMALL, PHOTOS, PHOTOS * number) for number in range(ROUNDS)]
    warm = photos.save(folder, (640, 480), 2)
    remove = rembg_of(tiny, isnet=False)
    with serving(folder / "tiny", folder, custom_model=str(tiny)) as server:
        processed(server, warm, recipe_of("custom"))
        remove(warm[0].read_bytes())
        # Its matte is soft everywhere, which no network's is: the edges would take the photo for one large edge.
        recipe = recipe_of("custom", refine=False, decontaminate=False)
        yield from compared("12 MP, near-free network", server, remove, recipe, large)
    if isnet is None:
        return
    remove = rembg_of(single.save(isnet.file, folder / isnet.file.name), isnet=True)
    remove(warm[0].read_bytes())
    recipe = recipe_of(DEFAULT)
    with serving(folder / "isnet", isnet.folder, optimize="off") as server:
        processed(server, warm, recipe)
        yield from compared("12 MP, ISNet", server, remove, recipe, large)
        yield from compared("0.5 MP, ISNet", server, remove, recipe, small)
        yield agreement("12 MP, ISNet, masks", server, remove, DEFAULT, large[0][:4])
        yield agreement("0.5 MP, ISNet, masks", server, remove, DEFAULT, small[0])
    networks.optimise(isnet, folder)
    with serving(folder / "optimised", isnet.folder, optimize="auto") as server:
        processed(server, warm, recipe)
        yield from compared("12 MP, ISNet optimised", server, remove, recipe, large)
        yield from compared("0.5 MP, ISNet optimised", server, remove, recipe, small)
