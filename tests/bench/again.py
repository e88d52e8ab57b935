"""Other recipes on photos that the server has seen before, against the first time."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from photo_processor.models.weights.rows import DEFAULT
from tests.bench import networks, photos
from tests.bench.http import PAUSE, PHOTOS, ROUNDS, processed, recipe_of, serving
from tests.bench.rows import Row, rate, seconds
from tests.server import Json, Server


def again(name: str, server: Server, sets: list[list[Path]]) -> Iterator[Row]:
    """Other recipes on photos that were seen before, against the first time: in a new job, and reprocessed in its own.

    No recipe is the one of the job before, whose results would be taken over as they are.
    """
    first, second, third = [], [], []
    ran = _inferences(server)
    for paths in sets:
        job: list[Json] = []
        first.append(seconds(lambda: job.append(processed(server, paths, recipe_of(DEFAULT)))))  # noqa: B023
        white = recipe_of(DEFAULT, background="#ffffff")
        second.append(seconds(partial(processed, server, paths, white)))
        third.append(seconds(partial(reprocessed, server, job[0]["id"], recipe_of(DEFAULT, background="#1e90ff"))))
    ran = _inferences(server) - ran
    yield rate(name, second, first, len(sets[0]))
    yield rate(f"{name}, reprocessed", third, first, len(sets[0]))
    yield Row(f"{name}, inferences for three recipes", ran / sum(len(paths) for paths in sets), "a photo")


def _inferences(server: Server) -> float:
    lines = server.get("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith("photo_inferences ")).split()[1])


def reprocessed(server: Server, job_id: str, recipe: Json) -> None:
    server.post(f"/api/jobs/{job_id}/reprocess", json=recipe).raise_for_status()
    assert server.finished(job_id, pause=PAUSE)["progress"]["failed"] == 0


def run(folder: Path, isnet: networks.Isnet | None) -> Iterator[Row]:
    """Every row of this part; none without ISNet's file."""
    if isnet is None:
        return
    sets = [photos.save(folder, photos.LARGE, PHOTOS, PHOTOS * number) for number in range(ROUNDS)]
    with serving(folder / "again", isnet.folder, optimize="off") as server:
        processed(server, photos.save(folder, (640, 480), 2), recipe_of(DEFAULT))
        yield from again("12 MP, ISNet, second recipe", server, sets)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        for row in run(Path(name), networks.isnet()):
            print(row, flush=True)


if __name__ == "__main__":
    main()
