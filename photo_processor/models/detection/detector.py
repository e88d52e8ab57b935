"""What finds faces here, YuNet or Haar's cascades, and what measures them, Face Mesh: networks where they are."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from photo_processor import errors
from photo_processor.imaging.faces import FoundFace
from photo_processor.imaging.pictures import Pixels
from photo_processor.models.detection.haar import haar_boxes, haar_closely, haar_faces
from photo_processor.models.detection.mesh import FaceMesh
from photo_processor.models.detection.yunet import YuNet
from photo_processor.models.weights.folders import ModelFolders
from photo_processor.models.weights.rows import FACES, LANDMARKS, ROWS

log = logging.getLogger(__name__)

MEASURED = 12  # faces of a group, the largest
Network = TypeVar("Network")


class FaceDetector:
    """Finds faces. Thread-safe; takes the networks up as soon as their files are there."""

    def __init__(self, folders: ModelFolders) -> None:
        self._finder = _Kept(folders, FACES, YuNet, "faces are found by Haar's cascades instead")
        self._measurer = _Kept(folders, LANDMARKS, FaceMesh, "heads are measured by the detector's own points instead")
        self._lock = threading.Lock()
        self.looks = 0

    def faces(self, pixels: Pixels) -> tuple[FoundFace, ...]:
        """The faces in (H, W, 3) uint8 RGB `pixels`, largest first; each says what found it."""
        with self._lock:
            self.looks += 1
        return found_by(self._finder.network(), self._measurer.network(), pixels)


def found_by(finder: YuNet | None, measurer: FaceMesh | None, pixels: Pixels) -> tuple[FoundFace, ...]:
    """The faces that `finder` finds, or else Haar's cascades, largest first; twelve of them as `measurer` sees them."""
    if measurer is None:
        return haar_faces(pixels) if finder is None else finder.faces(pixels)
    boxes, closely = (haar_boxes, haar_closely) if finder is None else (finder.boxes, finder.closely)
    faces = boxes(pixels)
    seen = (measurer.measured(pixels, face) or closely(pixels, face) for face in faces[:MEASURED])
    return (*seen, *faces[MEASURED:])


class _Kept(Generic[Network]):
    """A network that is read once for each file; where that is broken, the log says what is done `instead`."""

    def __init__(self, folders: ModelFolders, name: str, load: Callable[[Path], Network], instead: str) -> None:
        self._folders, self._load, self._instead = folders, load, instead
        self._row = next(row for row in ROWS if row.name == name)
        self._lock = threading.Lock()
        self._loaded: tuple[tuple[str, int], Network | None] | None = None

    def network(self) -> Network | None:
        """The network; None where it is not here, or is broken."""
        found = self._folders.find(self._row)
        if found is None:
            return None
        key = (str(found.path), found.bytes)
        with self._lock:
            if self._loaded is None or self._loaded[0] != key:
                self._loaded = (key, None)
                try:
                    self._loaded = (key, self._load(found.path))
                except errors.ModelBroken as problem:
                    log.warning("%s; %s", problem.detail, self._instead)
            return self._loaded[1]
