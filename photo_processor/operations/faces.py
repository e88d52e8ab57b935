"""Faces as operations see them: those of the photo, in px of the picture at hand."""

from dataclasses import replace

import numpy as np

from photo_processor.imaging.faces import FoundFace, heard, in_source, told
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations.base import Context
from photo_processor.operations.fields import Which
from photo_processor.operations.remove_background import RemoveBackground

EVERY_FACE = (-1, 0)  # where the photo's faces are kept among the decisions: they are looked for once


def faces_of(picture: Picture, context: Context) -> tuple[FoundFace, ...]:
    """The faces that `picture` shows, largest first, in its px; looked for in the photo's own colours. Notes them."""
    if EVERY_FACE not in context.decisions:
        context.stage("finding the face")
        context.decisions[EVERY_FACE] = _looked_for(picture, context)
    faces = context.decisions[EVERY_FACE]
    assert isinstance(faces, tuple)
    context.findings.faces = tuple(map(told, faces))
    back = picture.placement.inverse()
    return tuple(face for known in faces if _shows(picture, face := known.mapped(back.at)))


def _looked_for(picture: Picture, context: Context) -> tuple[FoundFace, ...]:
    if context.known is not None and context.known.faces is not None:
        return tuple(map(heard, context.known.faces))
    with context.timed("find_faces_s"):
        found = context.faces(picture.pixels if picture.photo is None else picture.photo)
    # As they are kept, so that a photo that is done again with the faces it has comes out alike.
    return tuple(heard(told(in_source(face, picture.placement))) for face in found)


def _shows(picture: Picture, face: FoundFace) -> bool:
    x, y = face.middle
    return 0 <= x < picture.width and 0 <= y < picture.height


def chosen(faces: tuple[FoundFace, ...], which: Which, picture: Picture) -> FoundFace:
    """The largest of `faces`, or the one nearest the middle."""
    if which != "center":
        return max(faces, key=lambda face: face.area)
    middle = picture.width / 2, picture.height / 2
    return min(faces, key=lambda face: np.hypot(face.middle[0] - middle[0], face.middle[1] - middle[1]))


def nearest(faces: tuple[FoundFace, ...], x: float, y: float) -> FoundFace | None:
    """The face nearest the point, for which a frame about it is meant; None where there are none."""
    return min(faces, key=lambda face: (face.middle[0] - x) ** 2 + (face.middle[1] - y) ** 2, default=None)


def with_matte(picture: Picture, context: Context) -> Picture:
    """`picture` with its matte, where a later step of the recipe removes the background.

    That step finds it here and takes it, so that a head is cut alike before the removal and after it, and the network
    sees the whole subject.
    """
    if picture.subject is not None:
        return picture
    for after, step in enumerate(context.later, 1):
        if isinstance(step, RemoveBackground):
            there = replace(context, step=context.step + after, later=context.later[after:])
            return replace(picture, matte=step.matte(picture, there), ahead=True)
    return picture


def subject_of(picture: Picture) -> Pixels | None:
    """The matte in which a head's crown is looked for; None where it covers everything."""
    matte = picture.subject
    return None if matte is None or int(matte.min()) > 127 else matte
