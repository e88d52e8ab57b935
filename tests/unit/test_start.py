"""What the process loads before it serves."""

import subprocess
import sys
from pathlib import Path

from tests.server import ROOT

HEAVY = ("rembg", "onnxruntime", "openvino", "scipy", "skimage", "numba", "pillow_heif", "torch")


def test_heavy_libraries_are_not_imported_at_the_start() -> None:
    script = "import app, sys; app.create_app(app.Settings()); print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert loaded.isdisjoint(HEAVY), loaded.intersection(HEAVY)


def test_openvino_brings_no_telemetry_into_the_process(tiny_network: Path) -> None:
    script = f"""if True:
        import sys
        from pathlib import Path
        from photo_processor.models.inference import runtimes
        runtimes.load_network(Path({str(tiny_network)!r}), runtimes.Place("openvino"))
        print(sys.modules["openvino_telemetry"], "openvino_telemetry.main" in sys.modules)
    """
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["None", "False"]
