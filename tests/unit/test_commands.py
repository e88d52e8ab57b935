"""Photos through the command line, without a server."""

import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photo_processor.cli import main
from photo_processor.cli.exits import DONE, EXITS, FAILED, STOPPED, WRONG_USAGE
from photo_processor.cli.recipes import recipe_of, shortcut, written
from photo_processor.operations.resize import Resize
from photo_processor.operations.rotate import Rotate
from photo_processor.recipes import OPERATIONS
from tests.hostile import zips

ROOT = Path(__file__).parent.parent.parent
COMMAND = (sys.executable, "-m", "photo_processor.cli")
ANYWHERE = {**os.environ, "PYTHONPATH": str(ROOT)}
Lines = list[dict[str, object]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: dict[str, Path]) -> Path:
    """A folder to work in, with photos in `in`: two, one of the same stem, one in a folder, a broken one, a text."""
    for name in [name for name in os.environ if name.startswith("PHOTO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    shutil.copy(photos["coffee"], tmp_path / "in" / "coffee.jpg")
    Image.open(photos["coffee"]).save(tmp_path / "in" / "coffee.png")
    shutil.copy(photos["chelsea"], tmp_path / "in" / "sub" / "chelsea.jpg")
    (tmp_path / "in" / "broken.jpg").write_bytes(photos["chelsea"].read_bytes()[:900])
    (tmp_path / "in" / "notes.txt").write_text("no photo")
    return tmp_path


def lines(text: str) -> dict[str, dict[str, object]]:
    """The JSON lines of a run by source."""
    return {str(line["source"]): line for line in map(json.loads, text.splitlines())}


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def run(*arguments: str) -> int:
    return main.main(list(arguments))


def test_process_keeps_folders_numbers_collisions_and_fails_one_alone(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("process", "in", "out", "--resize", "64", "--format", "webp", "--json") == FAILED
    said = lines(capsys.readouterr().out)
    assert names(home / "out") == {"coffee.webp", "coffee (2).webp", "sub/chelsea.webp"}
    assert {name for name, line in said.items() if line["status"] == "completed"} == {
        "in/coffee.jpg",
        "in/coffee.png",
        "in/sub/chelsea.jpg",
    }
    broken = said["in/broken.jpg"]["error"]
    assert isinstance(broken, dict)
    assert broken["code"] == "truncated_image"
    with Image.open(home / "out" / "sub" / "chelsea.webp") as result:
        assert result.width == 64
    assert not (home / "data").exists(), "no data folder is made where there is none"


def test_second_run_replaces_nothing_skips_or_overwrites_as_told(home: Path) -> None:
    (home / "in" / "broken.jpg").unlink()
    assert run("process", "in", "out", "--resize", "32", "--quiet") == DONE
    first = (home / "out" / "coffee.png").read_bytes()
    assert run("process", "in", "out", "--resize", "48", "--quiet") == DONE
    assert (home / "out" / "coffee.png").read_bytes() == first
    assert len(names(home / "out")) == 6
    shutil.rmtree(home / "out")
    assert run("process", "in", "out", "--resize", "32", "--quiet") == DONE
    before = {path: path.stat().st_mtime_ns for path in (home / "out").rglob("*.png")}
    os.utime(home / "in" / "sub" / "chelsea.jpg", (time.time() + 5, time.time() + 5))
    assert run("process", "in", "out", "--resize", "32", "--skip-existing", "--quiet") == DONE
    changed = {path.name for path, at in before.items() if path.stat().st_mtime_ns != at}
    assert changed == {"chelsea.png"}, "only the photo that is newer than its result"
    assert run("process", "in", "out", "--resize", "48", "--overwrite", "--quiet") == DONE
    with Image.open(home / "out" / "coffee.png") as result:
        assert result.width == 48
    assert len(names(home / "out")) == 3


def test_a_photo_that_is_read_is_never_replaced(home: Path) -> None:
    before = {name: (home / "in" / name).read_bytes() for name in names(home / "in")}
    assert run("process", "in", "in", "--grayscale", "--overwrite", "--quiet") == FAILED
    assert {name: (home / "in" / name).read_bytes() for name in before} == before
    assert names(home / "in") - before.keys() == {"coffee (2).png", "coffee (3).png", "sub/chelsea.png"}


def test_results_inside_the_folder_are_not_taken_for_photos(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert run("process", "in", "in/results", "--resize", "32", "--skip-existing", "--json") == FAILED
    said = lines(capsys.readouterr().out.splitlines(keepends=True)[-1])
    assert not any("results" in source for source in said)
    assert len(names(home / "in" / "results")) == 3


def test_zip_is_read_without_unpacking_beside_it(home: Path) -> None:
    with zipfile.ZipFile(home / "class.zip", "w") as archive:
        archive.write(home / "in" / "coffee.jpg", "7a/Ärger.jpg")
        archive.write(home / "in" / "notes.txt", "notes.txt")
    assert run("process", "class.zip", "out", "--resize", "x40", "--format", "jpeg", "--quiet") == FAILED
    assert names(home / "out") == {"7a/Ärger.jpg"}
    with Image.open(home / "out" / "7a" / "Ärger.jpg") as result:
        assert result.height == 40


def test_one_photo_goes_into_a_file_whose_ending_is_the_format(home: Path) -> None:
    assert run("process", "in/coffee.jpg", "small.webp", "--resize", "50", "--quiet") == DONE
    with Image.open(home / "small.webp") as result:
        assert (result.format, result.width) == ("WEBP", 50)
    assert run("process", "in", "small.webp", "--quiet") == WRONG_USAGE
    assert run("process", "in/coffee.jpg", "small.webp", "--format", "png", "--quiet") == WRONG_USAGE
    assert run("process", "in/notes.txt", "out", "--quiet") == FAILED


def test_background_is_removed_by_the_engine_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--remove-bg", "--model", "grabcut", "--background", "white", "--resize", "60x60", "--json")
    assert run("process", "in/coffee.jpg", "out", *arguments) == DONE
    engine = lines(capsys.readouterr().out)["in/coffee.jpg"]["engine"]
    assert engine == {"model": "grabcut", "runtime": "opencv", "quality": "best"}
    with Image.open(home / "out" / "coffee.png") as result:
        assert result.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert run("process", "in/coffee.jpg", "out", "--remove-bg", "--model", "nothing") == WRONG_USAGE


@pytest.mark.parametrize(
    "arguments",
    [
        ("--resize", "wide"),
        ("--resize", "1x2x3"),
        ("--op", "resize width=0"),
        ("--op", "resize wdth=10"),
        ("--op", "explode"),
        ("--preset", "nothing"),
        ("--recipe", "nothing.json"),
        ("--output", "format=jxl"),
        ("--naming", "{nothing}"),
        ("--model", "grabcut"),
        ("--background", "white"),
        ("--workers", "0"),
    ],
)
def test_wrong_usage_is_2_and_touches_nothing(home: Path, arguments: tuple[str, str]) -> None:
    try:
        status = run("process", "in/coffee.jpg", "out", *arguments)
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    assert status == WRONG_USAGE
    assert not (home / "out").exists()


def test_steps_keep_their_order_and_types() -> None:
    options = main.build_parser().parse_args(
        ["process", "a", "b", "--rotate", "90", "--op", "resize width=80 enlarge=yes", "--op", "rotate angle=1.5"]
    )
    recipe = recipe_of(options)
    assert recipe.operations == (Rotate(angle=90), Resize(width=80, enlarge=True), Rotate(angle=1.5))
    assert written("watermark text='2024 = new' tiled=on") == {"op": "watermark", "text": "2024 = new", "tiled": True}
    assert shortcut("watermark", "1 = 1") == {"op": "watermark", "text": "1 = 1"}
    assert written("remove-bg") == {"op": "remove_background"}


def test_every_operation_has_its_own_option() -> None:
    for operation in OPERATIONS:
        option = f"--{str(operation.model_fields['op'].default).replace('_', '-')}"
        values = ["x=1"] if operation.short else []
        options = main.build_parser().parse_args(["process", "a", "b", option, *(["1"] if values else [])])
        assert options.steps[0]["op"] == operation.model_fields["op"].default


def test_preset_and_recipe_file_are_begun_with(home: Path) -> None:
    (home / "own.json").write_text('{"operations": [{"op": "resize", "width": 40}], "outputs": [{"format": "tiff"}]}')
    assert run("process", "in/coffee.jpg", "out", "--recipe", "own.json", "--grayscale", "--quiet") == DONE
    with Image.open(home / "out" / "coffee.tif") as result:
        red, green, blue = np.moveaxis(np.asarray(result.convert("RGB")), 2, 0)
    assert (red == green).all()
    assert (red == blue).all()
    assert red.shape[1] == 40
    assert run("process", "in/coffee.jpg", "web", "--preset", "web", "--quality", "50", "--quiet") == DONE
    assert len(names(home / "web")) == 12


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_half_way_leaves_whole_files_alone(home: Path, number: int) -> None:
    shutil.rmtree(home / "in")
    (home / "in").mkdir()
    noise = np.random.default_rng(1).integers(0, 255, (700, 900, 3), np.uint8)
    for name in range(60):
        Image.fromarray(noise).save(home / "in" / f"{name:02}.png", compress_level=1)
    arguments = [*COMMAND, "process", "in", "out", "--op", "resize width=850"]
    process = subprocess.Popen(arguments, cwd=home, env=ANYWHERE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not names(home / "out") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == STOPPED, said
    assert "Traceback" not in said
    done = names(home / "out")
    assert 0 < len(done) < 60
    for name in done:
        with Image.open(home / "out" / name) as result:
            result.load()


@pytest.mark.slow
def test_watch_takes_a_file_once_it_has_settled_and_again_when_it_changes(home: Path) -> None:
    shutil.rmtree(home / "in")
    (home / "in").mkdir()
    whole = (home / "whole.png").with_suffix(".png")
    Image.fromarray(np.full((300, 400, 3), 90, np.uint8)).save(whole)
    arguments = [*COMMAND, "watch", "in", "in/done", "--resize", "40", "--json"]
    process = subprocess.Popen(
        [*arguments, "--settle", "1.0", "--every", "0.1"],
        cwd=home,
        env=ANYWHERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    data = whole.read_bytes()
    with (home / "in" / "slow.png").open("wb") as file:
        for at in range(0, len(data), len(data) // 6 + 1):  # for about 2 s, longer than it takes to settle
            file.write(data[at : at + len(data) // 6 + 1])
            file.flush()
            time.sleep(0.35)
    first = json.loads(process.stdout.readline())
    assert (first["source"], first["status"]) == ("in/slow.png", "completed"), "not while it was half there"
    Image.fromarray(np.full((300, 300, 3), 200, np.uint8)).save(home / "in" / "slow.png")
    second = json.loads(process.stdout.readline())
    assert second["outputs"][0]["path"] == first["outputs"][0]["path"]
    assert second["outputs"][0]["height"] == 40
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == DONE
    assert names(home / "in" / "done") == {"slow.png"}
    assert run("watch", "in", "in") == WRONG_USAGE


def test_doctor_says_what_is_wrong(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("PHOTO_PORT", str(taken.getsockname()[1]))
        assert run("doctor", "--json") == FAILED
    findings = {finding["check"]: finding for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["port"]["state"] == "problem"
    assert findings["decoders"]["state"] == findings["packages"]["state"] == "ok"
    assert findings["models"]["state"] in ("ok", "warning")
    monkeypatch.setenv("PHOTO_PORT", "0")
    monkeypatch.setenv("PHOTO_MIN_FREE_BYTES", str(10**18))
    assert run("doctor") == FAILED
    assert "uploads are refused" in capsys.readouterr().out
    monkeypatch.delenv("PHOTO_MIN_FREE_BYTES")
    assert run("doctor") == DONE
    assert not (home / "data").exists(), "looking changes nothing"


def test_operations_are_listed_and_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("operations") == DONE
    listed = capsys.readouterr().out
    assert all(str(operation.model_fields["op"].default) in listed for operation in OPERATIONS)
    assert run("operations", "crop-face", "--json") == DONE
    described = json.loads(capsys.readouterr().out)
    assert described[0]["schema"]["properties"]["margin"]["description"]
    assert run("operations", "explode") == WRONG_USAGE


def test_help_and_document_say_every_command_option_and_exit_status() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "cli.py"))["page"]()
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page, "run `make operations`"
    text = main.build_parser().format_help()
    assert all(f"{status} " in text for status in EXITS)
    assert {"serve", *main.COMMANDS} <= set(text.split())


def test_list_of_names_in_the_folder_names_and_labels(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "in" / "broken.jpg").unlink()
    (home / "in" / "class.csv").write_text("file;number;caption\ncoffee.jpg;12;Cup\ntea.jpg;13;Tea\n")
    arguments = ("--label", "{caption}", "--naming", "{folder}/{index:02}-{number}", "--format", "jpeg")
    assert run("process", "in", "out", *arguments) == DONE
    assert names(home / "out") == {"01-12.jpg", "02-12.jpg", "sub/03-chelsea.jpg"}
    said = capsys.readouterr().err
    assert "no photo for tea.jpg" in said
    assert "no row for coffee.png" not in said, "the row's ending is another, its name the same"
    assert "no row for sub/chelsea.jpg" in said
    with Image.open(home / "out" / "01-12.jpg") as result, Image.open(home / "in" / "coffee.jpg") as photo:
        assert result.height > photo.height


def test_picture_of_an_operation_is_a_file_with_an_at_sign(home: Path) -> None:
    logo = np.zeros((20, 40, 4), np.uint8)
    logo[..., 1:] = 255
    logo[..., 2] = 0
    Image.fromarray(logo).save(home / "logo.png")
    mark = "watermark picture=@logo.png opacity=1 size=0.5 margin=0 position=top-left"
    assert run("process", "in/coffee.jpg", "out", "--op", mark, "--quiet") == DONE
    with Image.open(home / "out" / "coffee.png") as result:
        assert result.convert("RGB").getpixel((50, 50)) == (0, 255, 0)
    assert (home / "logo.png").exists()
    assert len(names(home / "data" / "assets")) == 1
    for nothing in ("@nothing.png", "@in/notes.txt"):
        assert run("process", "in/coffee.jpg", "out", "--op", f"watermark picture={nothing}") == WRONG_USAGE


def test_own_preset_of_the_data_folder_is_used(home: Path) -> None:
    (home / "data").mkdir()
    preset = {
        "name": "mine",
        "title": "Mine",
        "description": "",
        "recipe": {"operations": [{"op": "resize", "width": 30}]},
    }
    (home / "data" / "presets.json").write_text(json.dumps([preset]))
    assert run("process", "in/coffee.jpg", "out", "--preset", "mine", "--quiet") == DONE
    with Image.open(home / "out" / "coffee.png") as result:
        assert result.width == 30


def test_folder_that_cannot_be_used_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands where a folder is wanted: that fails for every user, root as well."""
    (home / "file").write_text("")
    photo = str(home / "in" / "coffee.jpg")
    for out in (home / "file" / "out", home / "file" / "out.png"):
        assert run("process", photo, str(out), "--resize", "50x50", "--quiet") == FAILED
        assert str(home / "file") in capsys.readouterr().err
    monkeypatch.setenv("PHOTO_DATA_DIR", str(home / "file" / "data"))
    for command in (("keys", "create", "me"), ("cleanup",), ("models", "download", "u2netp")):
        assert run(*command) == FAILED
        said = capsys.readouterr().err
        assert said.startswith("photo-processor: ")
        assert str(home / "file") in said
        assert said.count("\n") == 1


def test_zips_of_other_programs_are_processed(home: Path) -> None:
    picture, name = (home / "in" / "coffee.jpg").read_bytes(), "Müller.jpg".encode("cp850")
    directory = zips.central(name, len(picture), len(picture), zlib.crc32(picture), 0, 0)
    body = zips.local(name, picture, len(picture), zlib.crc32(picture), 0)
    (home / "school.zip").write_bytes(body + directory + zips.end(1, len(directory), len(body)))
    assert run("process", "school.zip", "out", "--resize", "50x50", "--quiet") == DONE
    assert names(home / "out") == {"Müller.png"}


def test_long_names_are_processed(home: Path) -> None:
    with zipfile.ZipFile(home / "long.zip", "w") as archive:
        for name in ("写" * 120, "写" * 121):
            archive.write(home / "in" / "coffee.jpg", f"{name}.jpg")
    assert run("process", "long.zip", "out", "--resize", "50x50", "--quiet") == DONE
    found = names(home / "out")
    assert len(found) == 2
    assert max(len(name.encode()) for name in found) <= 255


def test_a_pipe_is_no_input_and_is_not_waited_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(home / "pipe.jpg")
    os.mkfifo(home / "in" / "pipe.jpg")
    assert run("process", "pipe.jpg", "in/coffee.jpg", "out", "--resize", "60x60", "--json") == FAILED
    said = lines(capsys.readouterr().out)
    assert "neither a file nor a folder" in str(said["pipe.jpg"]["error"])
    assert run("process", "in/sub", "in", "out2", "--resize", "60x60") == FAILED  # broken.jpg alone
    assert {path for path in names(home / "out2") if "pipe" in path} == set()
