"""OpenVINO and ONNX Runtime behind one interface; both pass the same tests."""

import threading
from pathlib import Path

import numpy as np
import pytest

import errors
from runtimes import Input, load_network

RUNTIMES = ("openvino", "onnxruntime")


def photo(value: float = 0.0) -> np.ndarray:
    return np.full((1, 3, 320, 320), value, np.float32)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_network_answers_as_rembg_expects(runtime: str, tiny_network: Path) -> None:
    network = load_network(tiny_network, runtime)
    assert network.runtime == runtime
    assert network.get_inputs() == [Input("input", (1, 3, 320, 320))]
    answers = network.run(None, {"input": photo(2.0)})
    assert len(answers) == 1
    assert answers[0].shape == (1, 1, 320, 320)
    assert answers[0].dtype == np.float32
    assert np.allclose(answers[0], 1 / (1 + np.exp(-2.0)), atol=1e-5)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_run_from_several_threads_keeps_the_answers_apart(runtime: str, tiny_network: Path) -> None:
    network = load_network(tiny_network, runtime)
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
        load_network(path, runtime)


def test_load_network_cut_short_says_so(tiny_network: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(tiny_network.read_bytes()[:-40])
    with pytest.raises(errors.ModelBroken):
        load_network(path, "auto")
