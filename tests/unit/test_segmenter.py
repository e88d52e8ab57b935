"""rembg's sessions on networks of ours."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from photo_processor import errors
from photo_processor.models.inference.runtimes import Input, Place, Tensor, load_network
from photo_processor.models.inference.segmenter import Segmenter, rembg_sessions
from photo_processor.models.weights.rows import DEFAULT, ROWS

BY_NAME = {row.name: row for row in ROWS}


class Saying:
    """A network that answers with what it is told to, and keeps what it was fed."""

    runtime = "said"

    def __init__(self, answer: Tensor, side: int = 320) -> None:
        self.answer = answer
        self.side = side
        self.fed: Tensor | None = None

    def get_inputs(self) -> list[Input]:
        return [Input("x", (1, 3, self.side, self.side))]

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Tensor]) -> list[Tensor]:
        self.fed = feeds["x"]
        return [self.answer]


def left_half(side: int) -> Tensor:
    answer = np.zeros((1, 1, side, side), np.float32)
    answer[..., : side // 2] = 1
    return answer


@pytest.mark.parametrize("name", ["isnet-general-use", "u2net", "u2netp", "silueta", "u2net_human_seg", "isnet-anime"])
def test_matte_has_the_photos_size(name: str) -> None:
    row = BY_NAME[name]
    assert row.input_size
    matte = Segmenter(row, Saying(left_half(row.input_size), row.input_size)).matte(data.coffee())
    assert matte.shape == (400, 600)
    assert matte.dtype == np.uint8
    assert (matte[:, :290] == 255).all()
    assert (matte[:, 310:] == 0).all()


@pytest.mark.parametrize("name", ["birefnet-general", "birefnet-general-lite", "birefnet-portrait", "bria-rmbg"])
def test_matte_of_networks_that_answer_logits(name: str) -> None:
    matte = Segmenter(BY_NAME[name], Saying(left_half(1024) * 20 - 10, 1024)).matte(data.coffee())
    assert (matte[:, :290] == 255).all()
    assert (matte[:, 310:] == 0).all()


@pytest.mark.parametrize("name", ["isnet-general-use", "u2net", "isnet-anime", "birefnet-general"])
def test_network_is_fed_what_rembg_would_feed_it(name: str) -> None:
    row = BY_NAME[name]
    side = row.input_size or 0
    network = Saying(left_half(side), side)
    Segmenter(row, network).matte(data.astronaut())
    kind = rembg_sessions()[name]
    reference = object.__new__(kind)
    own = Saying(left_half(side), side)
    reference.inner_session = own  # type: ignore[attr-defined]
    reference.predict(Image.fromarray(data.astronaut()))  # type: ignore[attr-defined]
    assert network.fed is not None
    assert own.fed is not None
    assert network.fed.dtype == np.float32
    assert np.abs(network.fed - own.fed).max() < 1e-5


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_constant_answer_gives_an_empty_matte_without_a_warning(value: float) -> None:
    network = Saying(np.full((1, 1, 320, 320), value, np.float32))
    assert not Segmenter(BY_NAME["u2net"], network).matte(data.coffee()).any()


def test_answer_that_is_no_number_is_a_broken_model() -> None:
    network = Saying(np.full((1, 1, 320, 320), np.nan, np.float32))
    with pytest.raises(errors.ModelBroken):
        Segmenter(BY_NAME["u2net"], network).matte(data.coffee())


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3000, 3), (2000, 2, 3)])
def test_matte_of_odd_shapes(shape: tuple[int, int, int]) -> None:
    matte = Segmenter(BY_NAME["u2net"], Saying(left_half(320))).matte(np.zeros(shape, np.uint8))
    assert matte.shape == shape[:2]


@pytest.mark.parametrize("side", [320, 512, 1024])
def test_custom_network_takes_its_size_from_the_file(side: int) -> None:
    network = Saying(left_half(side), side)
    segmenter = Segmenter(BY_NAME["custom"], network)
    assert segmenter.size == side
    assert (segmenter.matte(data.coffee())[:, :290] == 255).all()
    assert network.fed is not None
    assert network.fed.shape == (1, 3, side, side)


def test_rembg_sessions_load_without_rembg_itself() -> None:
    script = (
        "import sys; from photo_processor.models.inference import segmenter; sessions = segmenter.rembg_sessions();"
        "assert 'u2net' in sessions;"
        "assert not {'rembg', 'numba', 'pymatting'} & sys.modules.keys(), sys.modules.keys()"
    )
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True, timeout=60)


@pytest.mark.slow
def test_isnet_agrees_with_plain_rembg(model_folder: Path, has_network: bool) -> None:
    if not has_network:
        pytest.skip(f"{DEFAULT} cannot be had here")
    path = model_folder / f"{DEFAULT}.onnx"
    ours = Segmenter(BY_NAME[DEFAULT], load_network(path, Place())).matte(data.chelsea()) > 127
    kind = rembg_sessions()[DEFAULT]
    plain = object.__new__(kind)
    plain.inner_session = load_network(path, Place("onnxruntime"))  # type: ignore[attr-defined]
    theirs = np.asarray(plain.predict(Image.fromarray(data.chelsea()))[0]) > 127  # type: ignore[attr-defined]
    assert (ours & theirs).sum() / (ours | theirs).sum() >= 0.99


@pytest.mark.parametrize("name", [row.name for row in ROWS if row.least_answer is not None])
def test_an_answer_that_is_next_to_nothing_is_nothing(name: str) -> None:
    """rembg's stretch would make 255 of the greatest answer, however small."""
    row = BY_NAME[name]
    assert row.least_answer is not None
    side = 1024
    faint = np.full((1, 1, side, side), -9.0 if row.least_answer < 0 else 0.0, np.float32)
    faint[..., : side // 2] = row.least_answer - 0.01
    assert not Segmenter(row, Saying(faint, side)).matte(data.coffee()).any()
    faint[..., : side // 2] = row.least_answer + 0.01
    assert Segmenter(row, Saying(faint, side)).matte(data.coffee())[:, 10].min() > 200


@pytest.mark.slow
@pytest.mark.parametrize("shade", [(255, 255, 255), (200, 205, 210), (40, 170, 60)], ids=["white", "grey", "green"])
def test_isnet_finds_nothing_in_an_empty_photo(
    shade: tuple[int, int, int], model_folder: Path, has_network: bool
) -> None:
    if not has_network:
        pytest.skip(f"{DEFAULT} cannot be had here")
    photo = np.clip(np.random.default_rng(3).normal(shade, 3, (300, 400, 3)), 0, 255).astype(np.uint8)
    segmenter = Segmenter(BY_NAME[DEFAULT], load_network(model_folder / f"{DEFAULT}.onnx", Place()))
    assert not segmenter.matte(photo).any()
    assert segmenter.matte(data.astronaut()).any()
