"""What a camera's sensor gave (DNG, CR2, CR3, NEF, ARW, RAF, ORF, RW2 and others), developed by LibRaw.

The package `rawpy` (extra `raw`) brings LibRaw. Where it is not installed such files are refused: the picture that
lies in them for a camera's screen is not the photo.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from PIL import Image, ImageFile, TiffImagePlugin

from photo_processor import errors
from photo_processor.imaging.tiff_pages import ends_after

if TYPE_CHECKING:
    import rawpy

NOT_INSTALLED = "This is a RAW file of a camera, which this server does not read: the extra `raw` is not installed."
UNKNOWN = "This is a RAW file of a kind that LibRaw does not read."
BROKEN = "The RAW file is damaged and cannot be read."


class RawImageFile(ImageFile.StubImageFile):
    """A RAW file as Pillow's decoders give photos: its size at once, its px, upright and in sRGB, when asked for."""

    format = "RAW"
    format_description = "a camera's RAW"

    def _open(self) -> None:
        assert self.fp is not None
        self._file = self.fp
        with _opened(self._file) as raw:
            sizes = raw.sizes
        turned = sizes.flip in (5, 6)
        self._mode = "RGB"
        self._size = (sizes.height, sizes.width) if turned else (sizes.width, sizes.height)

    def getexif(self) -> Image.Exif:
        """Of a RAW that is a TIFF, the EXIF in it; its turn is applied already."""
        self._file.seek(0)
        exif = Image.Exif()
        if self._file.read(4) in (b"II*\0", b"MM\0*"):
            self._file.seek(0)
            exif = TiffImagePlugin.TiffImageFile(self._file).getexif()
            exif.pop(0x0112, None)
        return exif

    def load(self) -> object:  # type: ignore[override]  # a type that Pillow does not export
        """Develop it: the camera's white balance, the sensor's full resolution."""
        if self._im is None:
            import rawpy

            with _opened(self._file) as raw, _translated():
                pixels = raw.postprocess(use_camera_wb=True, output_bps=8, output_color=rawpy.ColorSpace.sRGB)
            image = Image.fromarray(pixels)
            self._size = image.size
            self.im = image.im
        return Image.Image.load(self)


def _opened(file: IO[bytes]) -> "rawpy.RawPy":
    """The file, its header read. Raises UnsupportedFormat, BrokenImage, TruncatedImage."""
    try:
        import rawpy
    except ImportError as missing:
        raise errors.UnsupportedFormat(NOT_INSTALLED) from missing
    size = file.seek(0, 2)
    file.seek(0)
    if file.read(2) in (b"II", b"MM") and file.read(2) in (b"*\0", b"\0*") and ends_after(file, size):
        raise errors.TruncatedImage
    file.seek(0)
    with _translated():
        return rawpy.imread(cast(BinaryIO, file))


@contextmanager
def _translated() -> Iterator[None]:
    """LibRaw's errors as ours."""
    import rawpy

    try:
        yield
    except rawpy.LibRawFileUnsupportedError as problem:
        raise errors.UnsupportedFormat(UNKNOWN) from problem
    except rawpy.LibRawIOError as problem:
        raise errors.TruncatedImage from problem
    except (rawpy.LibRawError, rawpy.NotSupportedError) as problem:
        raise errors.BrokenImage(BROKEN) from problem
