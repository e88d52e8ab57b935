"""What of a portrait a person should look at: each check's limits, and the sentence that says what was measured.

The limits were set on 215 faces of real photos, half a year's mixture of good and bad ones, so that a good portrait
passes; docs/faces.md has the figures.
"""

import math
from collections.abc import Iterator

import numpy as np

from photo_processor.imaging import checks
from photo_processor.imaging.faces import CROWN, FoundFace, Head
from photo_processor.imaging.framing import Cut
from photo_processor.imaging.pictures import Picture, Pixels, Placement
from photo_processor.models.detection.haar import eye_hits
from photo_processor.operations.base import Context
from photo_processor.operations.id_presets import INCH, IdMeasures
from photo_processor.schemas import ReviewItem

RIVAL = 0.25  # of the chosen face's area: smaller ones are passers-by, or on a wall
RIVAL_SCORE = 0.7
LEAST_LIGHT, MOST_CLIPPED, MOST_UNEVEN = 35.0, 15.0, 22.0  # L*, percent of px, L*
LEAST_SHARP = 0.44
LEAST_HITS = 7
EYES_FROM = 28.0  # px of the head's unit
MOST_SLOPE = 5.0  # degrees of the eyes in the result
MOST_LEAN = 12.0  # degrees in the photo: turned level, such a head sits askew on its shoulders
MOST_YAW = 16.0  # degrees, by the nose's tip: those who look ahead have 15 or less
MOST_MEASURED_YAW = 14.0  # degrees, by Face Mesh, which sees 0.85 of what the nose's tip says
LEAST_PITCH, MOST_PITCH = -14.0, 16.0  # degrees, by Face Mesh: of 110 portraits nine in ten lie between -9 and 10
MOST_OPEN = 0.3  # of the mouth's width: of 310 faces three, who speak or laugh aloud
LEAST_NOD, MOST_NOD = 0.46, 0.68  # of the way from pupils to mouth: the nose's tip
MOST_OUTSIDE = 4.0  # percent of the head's height
MOST_SPREAD = 9.0  # CIELAB
MOST_LEFT_OVER = 0.5  # percent of the frame
LEAST_DPI = 150.0  # below which a print looks soft at arm's length
SLACK = 0.1  # mm
MOST_UNSURE = 1.0  # percent of the frame
MOST_HAIR = 4.0  # percent of the upper edge
MOST_END = 3.0  # percent of the frame's width
SKULL = CROWN * 0.97  # units above the pupils that must be within the photo


def check_faces(faces: tuple[FoundFace, ...], face: FoundFace | None, context: Context, *, several: bool) -> None:
    """Whether there is one face. `several`: more than one are a reason to look."""
    if not faces:
        _add(context, "no_face", "No face was found. Choose the part to cut out by hand.", 0, 1, 1, "faces")
        return
    if face is None or not several:
        return
    rivals = [one for one in faces if one.area >= RIVAL * face.area and (one.score is None or one.score >= RIVAL_SCORE)]
    count = len(rivals) if face in rivals else len(rivals) + 1
    if count > 1:
        text = f"{count} faces were found, and one of them was taken. See whether it is the right one."
        _add(context, "several_faces", text, count, 1, 1, "faces")


def check_head(
    picture: Picture, face: FoundFace, head: Head, cut: Cut, result: Picture, context: Context, *, whole: bool
) -> None:
    """What of the face in `cut` of `picture`, and in its `result`, should be looked at; `whole`: by every check."""
    outside = round(100 * _outside(head, picture), 1)
    if outside > MOST_OUTSIDE:
        text = (
            f"The head reaches beyond the photo by {outside:g} % of its height. Take another with room around the head."
        )
        _add(context, "face_cut_off", text, outside, 0, MOST_OUTSIDE, "%")
    if not whole:
        return
    photo = picture.pixels if picture.photo is None else picture.photo
    for item in (*_of_pose(face, head, cut), *_of_light(photo, head, face), *_of_background(picture, result)):
        _note(context, item)


def check_measures(
    head: Head, cut: Cut, measures: IdMeasures, placement: Placement, part: Picture, context: Context
) -> None:
    """Whether the frame `cut` of the picture at `placement` shows the head as `measures` ask, and in enough px.

    `part` is the frame with the matte, before anything was laid behind it.
    """
    per_mm = cut.height / measures.height
    low, _, high = measures.head
    tall = round(head.height / per_mm, 1)
    if not low - SLACK <= tall <= high + SLACK:
        text = f"The head is {tall:g} mm high, not {low:.3g} to {high:.3g} mm. Make the crop larger or smaller."
        _add(context, "head_size", text, tall, round(low, 1), round(high, 1), "mm")
    turn = math.radians(-cut.lean)
    below = (head.eyes[0] - cut.x) * math.sin(turn) + (head.eyes[1] - cut.y) * math.cos(turn)
    line = round((cut.height / 2 - below) / per_mm, 1)
    low, _, high = measures.eyes
    if not low - SLACK <= line <= high + SLACK:
        text = (
            f"The eyes lie {line:g} mm above the lower edge; {low:.3g} to {high:.3g} mm are asked for. Move the crop."
        )
        _add(context, "eye_line", text, line, round(low, 1), round(high, 1), "mm")
    detail = min(1.0, math.hypot(placement.scale_x, placement.shear_y))
    sharpest = round(cut.width * detail / (measures.width / INCH))
    if sharpest < LEAST_DPI:
        text = (
            f"The photo has {sharpest} px for an inch of the print; {LEAST_DPI:g} or more are asked for. Move closer."
        )
        _add(context, "low_resolution", text, sharpest, LEAST_DPI, None, "dpi")
    if part.matte is None:
        return
    if part.alpha is not None:
        chin = min(max(0, round(part.height * (0.5 + (below + head.chin) / cut.height))), part.height)
        hair = round(100 * checks.straight_end(part.matte[:chin], part.alpha[:chin]), 1)
        if hair > MOST_END:
            text = f"The photo cuts the head off in a straight line over {hair:g} % of the width. Leave more room."
            _add(context, "face_cut_off", text, hair, 0, MOST_END, "%")
        end = round(100 * checks.straight_end(part.matte[chin:], part.alpha[chin:]), 1)
        if end > MOST_END:
            text = f"The photo cuts the body off in a straight line over {end:g} % of the width. Leave more room."
            _add(context, "body_cut_off", text, end, 0, MOST_END, "%")
    check_hair(part, context)


def check_hair(part: Picture, context: Context) -> None:
    """Whether the frame cuts hair: how much of the upper edge of `part`, the frame with its matte, is the subject's.

    Where the photo itself ends there, that is said of the photo.
    """
    matte = part.subject
    if matte is None or any(item.code == "face_cut_off" for item in context.findings.review):
        return
    inside = matte[0] if part.alpha is None else np.minimum(matte[0], part.alpha[0])
    cut = round(100 * float((inside > 127).mean()), 1)
    if cut > MOST_HAIR:
        text = f"The frame cuts hair over {cut:g} % of its upper edge. Make the crop larger, or take another photo."
        _add(context, "hair_cut_off", text, cut, 0, MOST_HAIR, "%")


def _note(context: Context, item: ReviewItem) -> None:
    """Each code once: of several faces the first that has it."""
    if all(known.code != item.code for known in context.findings.review):
        context.findings.review.append(item)


def _add(
    context: Context, code: str, message: str, value: float, low: float | None, high: float | None, unit: str
) -> None:
    _note(context, ReviewItem(code=code, message=message, value=value, low=low, high=high, unit=unit))


def _outside(head: Head, picture: Picture) -> float:
    """How far the head, from chin to skull, reaches beyond the picture, by its height."""
    turn = np.linspace(0, 2 * math.pi, 64)
    skull = SKULL * head.unit
    across, down = 0.42 * head.width * np.cos(turn), (head.chin - skull + (head.chin + skull) * np.sin(turn)) / 2
    cos, sin = math.cos(math.radians(head.angle)), math.sin(math.radians(head.angle))
    x = head.eyes[0] + across * cos - down * sin
    y = head.eyes[1] + across * sin + down * cos
    far = max(float(-x.min()), float(-y.min()), float(x.max()) - picture.width, float(y.max()) - picture.height)
    return max(0.0, far / (head.chin + skull))


def _of_pose(face: FoundFace, head: Head, cut: Cut) -> Iterator[ReviewItem]:
    lean = round(head.angle - 90 * round(head.angle / 90), 1)
    if face.eyes is not None and abs(lean) > MOST_LEAN:
        text = f"The head leans by {abs(lean):g} degrees in the photo. Ask for a photo with the head held straight."
        yield ReviewItem(code="head_tilted", message=text, value=lean, low=-MOST_LEAN, high=MOST_LEAN, unit="°")
    slope = round((head.angle - cut.lean + 180) % 360 - 180, 1)
    if face.eyes is not None and abs(slope) > MOST_SLOPE:
        text = f"The line of the eyes slopes by {abs(slope):g} degrees in the result. Turn the crop until it is level."
        yield ReviewItem(code="eyes_not_level", message=text, value=slope, low=-MOST_SLOPE, high=MOST_SLOPE, unit="°")
    turned = checks.yaw(face)
    most = MOST_YAW if face.yaw is None else MOST_MEASURED_YAW
    if turned is not None and abs(turned) > most:
        text = f"The head is turned to a side by about {abs(turned):.0f} degrees. Ask for a photo that looks ahead."
        yield ReviewItem(code="head_turned", message=text, value=round(turned, 1), low=-most, high=most, unit="°")
    elif face.pitch is not None:
        yield from _of_pitch(face.pitch)
    else:
        yield from _of_nod(checks.nod(face))
    if face.mouth_open is not None and face.mouth_open > MOST_OPEN:
        wide = round(100 * face.mouth_open)
        text = f"The mouth is open: the lips are {wide} % of its width apart. Ask for a photo with the mouth closed."
        yield ReviewItem(code="mouth_open", message=text, value=wide, low=0, high=100 * MOST_OPEN, unit="%")


def _of_pitch(pitch: float) -> Iterator[ReviewItem]:
    if LEAST_PITCH <= pitch <= MOST_PITCH:
        return
    how = "bowed" if pitch > 0 else "raised"
    text = f"The head is {how} by about {abs(pitch):.0f} degrees. Ask for a photo with a level look."
    yield ReviewItem(
        code="head_nods", message=text, value=round(pitch, 1), low=LEAST_PITCH, high=MOST_PITCH, unit="°"
    )  # fmt: skip


def _of_nod(nose: float | None) -> Iterator[ReviewItem]:
    if nose is None or LEAST_NOD <= nose <= MOST_NOD:
        return
    how = "bowed" if nose > MOST_NOD else "raised"
    text = f"The head is {how}: the nose lies {100 * nose:.0f} % of the way from eyes to mouth. Ask for a level look."
    yield ReviewItem(code="head_nods", message=text, value=round(nose, 2), low=LEAST_NOD, high=MOST_NOD, unit="of 1")


def _of_light(photo: Pixels, head: Head, face: FoundFace) -> Iterator[ReviewItem]:
    sample = checks.sample(photo, head)
    if sample is None:
        return
    light, lost, uneven = checks.brightness(sample), 100 * checks.clipped(sample), checks.unevenness(sample)
    if light < LEAST_LIGHT:
        text = f"The face is dark: its light parts have a lightness of {light:.0f} of 100. Brighten it, or add light."
        yield ReviewItem(
            code="too_dark", message=text, value=round(light, 1), low=LEAST_LIGHT, high=None, unit="L*"
        )  # fmt: skip
    if lost > MOST_CLIPPED:
        text = f"{lost:.0f} % of the face is so bright that nothing is seen in it. Take it again with less light."
        yield ReviewItem(code="too_bright", message=text, value=round(lost, 1), low=0, high=MOST_CLIPPED, unit="%")
    if uneven > MOST_UNEVEN:
        text = f"One half of the face is lighter than the other by {uneven:.0f} of 100. Take it again with even light."
        yield ReviewItem(code="uneven_light", message=text, value=round(uneven, 1), low=0, high=MOST_UNEVEN, unit="L*")
    sharp = checks.sharpness(sample)
    if sharp < LEAST_SHARP:
        text = f"The face is blurred: its sharpness is {sharp:.2f}, not {LEAST_SHARP:g} or more. Focus on the eyes."
        yield ReviewItem(code="blurred", message=text, value=round(sharp, 2), low=LEAST_SHARP, high=None, unit="of 1")
    elif face.eyes is not None and head.unit >= EYES_FROM and light >= LEAST_LIGHT:
        hits = eye_hits(photo, face.eyes, head.unit, head.angle, LEAST_HITS)
        if hits < LEAST_HITS:
            text = "No open eyes were seen. See whether they are closed, narrowed, in shade or behind glasses."
            yield ReviewItem(code="eyes_closed", message=text, value=hits, low=LEAST_HITS, high=None, unit="hits")


def _of_background(picture: Picture, result: Picture) -> Iterator[ReviewItem]:
    """Where a matte is known: what is left of the old background, and where the subject ends with the photo."""
    if result.matte is None:
        return
    spread = checks.background_spread(result, result.matte)
    if spread is not None and spread > MOST_SPREAD:
        text = f"The background is not of one colour: its colours lie {spread:.0f} apart. Choose a new background."
        yield ReviewItem(
            code="background_uneven", message=text, value=round(spread, 1), low=0, high=MOST_SPREAD, unit="ΔE"
        )
        return
    unsure = round(100 * checks.doubt(result.matte), 1)
    if unsure > MOST_UNSURE:
        text = f"{unsure:g} % of the picture could be person or background. See whether hair or clothes shine through."
        yield ReviewItem(code="cutout_unsure", message=text, value=unsure, low=0, high=MOST_UNSURE, unit="%")
    left = 100 * checks.leftovers(result.matte)
    if left > MOST_LEFT_OVER:
        text = f"{left:.1f} % of the picture is left of the old background, apart from the person. Mend the mask."
        yield ReviewItem(
            code="background_uneven", message=text, value=round(left, 1), low=0, high=MOST_LEFT_OVER, unit="%"
        )
