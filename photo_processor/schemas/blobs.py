"""Names of what is stored of a job."""

from typing import Literal, NamedTuple

Kind = Literal["source", "archive", "result", "mask", "thumbnail", "urls"]
REDUCED_PX = (320, 1600)


class Blob(NamedTuple):
    """A stored file of a job; `name` is the SHA-256 of its bytes, but for reduced pictures."""

    kind: Kind
    name: str


class Reference(NamedTuple):
    """What a row has of a blob: the digest of a `kind` of blob, or the id of a file (the kind `file`)."""

    kind: str
    key: str


def reduced(of: Literal["result", "source"], px: int, key: str) -> Blob:
    """The picture, `px` at most, of the result with that digest or of the source of the file with that id."""
    return Blob("thumbnail", f"{of}-{px}-{key}")


def all_reduced(of: Literal["result", "source"], key: str) -> tuple[Blob, ...]:
    """In every size there is."""
    return tuple(reduced(of, px, key) for px in REDUCED_PX)


def reference_of(blob: Blob) -> Reference:
    """What keeps the blob: as long as a row has that, it stays."""
    of, _, rest = blob.name.partition("-")
    if blob.kind != "thumbnail" or not rest:
        return Reference(blob.kind, blob.name)
    return Reference("file" if of == "source" else "result", rest.rpartition("-")[2])
