"""OpenVINO and ONNX Runtime behind one interface; both pass the same tests."""

import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from photo_processor import errors
from photo_processor.models.inference.runtimes import Input, NotResizable, Place, load_network, openvino

RUNTIMES = ("openvino", "onnxruntime")


def photo(value: float = 0.0) -> np.ndarray:
    return np.full((1, 3, 320, 320), value, np.float32)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_network_answers_as_rembg_expects(runtime: str, tiny_network: Path) -> None:
    network = load_network(tiny_network, Place(runtime))
    assert network.runtime.removesuffix("-bf16") == runtime
    assert network.get_inputs() == [Input("input", (1, 3, 320, 320))]
    answers = network.run(None, {"input": photo(2.0)})
    assert len(answers) == 1
    assert answers[0].shape == (1, 1, 320, 320)
    assert answers[0].dtype == np.float32
    assert np.allclose(answers[0], 1 / (1 + np.exp(-2.0)), atol=1e-5)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_run_from_several_threads_keeps_the_answers_apart(runtime: str, tiny_network: Path) -> None:
    network = load_network(tiny_network, Place(runtime))
    wrong: list[float] = []

    def work(value: float) -> None:
        for _ in range(30):
            answer = network.run(None, {"input": photo(value)})[0]
            if not np.allclose(answer, 1 / (1 + np.exp(-value)), atol=1e-5):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(float(value),)) for value in range(-3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("runtime", [*RUNTIMES, "auto"])
@pytest.mark.parametrize("content", [b"not a network", b"", b"\x08\x07" * 5000])
def test_load_network_broken_file_says_so(runtime: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(errors.ModelBroken):
        load_network(path, Place(runtime))


def test_load_network_cut_short_says_so(tiny_network: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(tiny_network.read_bytes()[:-40])
    with pytest.raises(errors.ModelBroken):
        load_network(path, Place())


def save_enlarging(path: Path, sizes: list[int]) -> Path:
    """A network of 64 px that halves the photo and enlarges it again to sizes that are written into it, as ISNet's."""
    constants = {"two": [2], "zero": [0], "axes": [0], "one": [1], "to": sizes}
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["input", "one"], ["mean"], keepdims=1),
            helper.make_node("MaxPool", ["mean"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Shape", ["half"], ["shape"]),
            helper.make_node("Slice", ["shape", "zero", "two", "axes"], ["planes"]),
            helper.make_node("Concat", ["planes", "to"], ["sizes"], axis=0),
            helper.make_node("Resize", ["half", "", "", "sizes"], ["output"], mode="linear"),
        ],
        "enlarging",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, *sizes])],
        [helper.make_tensor(name, TensorProto.INT64, [len(value)], value) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), str(path))
    return path


@pytest.mark.parametrize("side", [32, 48, 64])
def test_network_at_another_side_has_its_sizes_scaled(side: int, tmp_path: Path) -> None:
    network = load_network(save_enlarging(tmp_path / "net.onnx", [64, 64]), Place("openvino"), side)
    assert network.get_inputs()[0].shape == (1, 3, side, side)
    photo = np.zeros((1, 3, side, side), np.float32)
    photo[..., : side // 2] = 1
    answer = network.run(None, {"input": photo})[0]
    assert answer.shape == (1, 1, side, side)
    assert (answer[..., : side // 2 - 2] == 1).all()
    assert (answer[..., side // 2 + 2 :] == 0).all()


def test_network_that_cannot_be_resized_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotResizable):
        load_network(save_enlarging(tmp_path / "net.onnx", [128, 128]), Place("openvino"), 32)


def test_onnxruntime_runs_a_network_at_its_own_side_alone(tiny_network: Path) -> None:
    with pytest.raises(NotResizable):
        load_network(tiny_network, Place("onnxruntime"), 160)


@pytest.mark.parametrize("place", [Place(device="cuda"), Place(device="gpu"), Place("openvino", "cuda")])
def test_device_that_is_not_there_is_an_error(place: Place, tiny_network: Path) -> None:
    with pytest.raises(errors.DeviceUnavailable, match=f"PHOTO_DEVICE={place.device}"):
        place.check()
    with pytest.raises(errors.DeviceUnavailable):
        load_network(tiny_network, place)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_processor_asked_for_is_used(runtime: str, tiny_network: Path) -> None:
    place = Place(runtime, "cpu")
    place.check()
    assert load_network(tiny_network, place).runtime.removesuffix("-bf16") == runtime


def test_compiled_network_is_kept_for_one_version_alone(tiny_network: Path, tmp_path: Path) -> None:
    runtime = openvino()
    optimised = tmp_path / "net.xml"
    runtime.save_model(runtime.Core().read_model(tiny_network), optimised)
    cache = tmp_path / "compiled"
    (cache / "2020.1").mkdir(parents=True)
    place = Place("openvino", cache=cache)
    first, second = (load_network(optimised, place).run(None, {"input": photo(1.0)})[0] for _ in range(2))
    assert np.array_equal(first, second)
    [own] = cache.iterdir()
    assert list(own.iterdir())
