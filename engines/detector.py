"""What finds faces on this server: YuNet where its file is, Haar's cascades otherwise."""

import logging
import threading

import errors
from engines.folders import ModelFolders
from engines.haar import haar_faces
from engines.rows import FACES, ROWS
from engines.yunet import YuNet
from imaging.faces import FoundFace
from imaging.pictures import Pixels

log = logging.getLogger(__name__)

ROW = next(row for row in ROWS if row.name == FACES)


class FaceDetector:
    """Finds faces. Thread-safe; takes the network up as soon as its file is there."""

    def __init__(self, folders: ModelFolders) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._loaded: tuple[tuple[str, int], YuNet | None] | None = None
        self.looks = 0

    def faces(self, pixels: Pixels) -> tuple[FoundFace, ...]:
        """The faces in (H, W, 3) uint8 RGB `pixels`, largest first; each says what found it."""
        network = self._network()
        with self._lock:
            self.looks += 1
        return haar_faces(pixels) if network is None else network.faces(pixels)

    def _network(self) -> YuNet | None:
        """The network; None where it is not here, or is broken."""
        found = self._folders.find(ROW)
        if found is None:
            return None
        key = (str(found.path), found.bytes)
        with self._lock:
            if self._loaded is None or self._loaded[0] != key:
                self._loaded = (key, None)
                try:
                    self._loaded = (key, YuNet(found.path))
                except errors.ModelBroken as problem:
                    log.warning("%s; faces are found by Haar's cascades instead", problem.detail)
            return self._loaded[1]
