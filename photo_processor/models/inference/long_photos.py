"""Long photos, wide or tall, in parts: a network sees every photo as a square, in which a person 8:1 is a line.

The photo is looked through by overlapping windows of 2:1, in which the network is as sure as in a square; then each
subject that was found is looked at once more with some room around it, as if a person had drawn a rectangle there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from photo_processor.imaging.pictures import Pixels
from photo_processor.imaging.reduction import enlarged

LONG = 2.5  # times as long as wide, from which on the network loses subjects; at 2:1 it does not
WINDOW = 2.0  # length of a window, in widths of the photo
ROOM = 0.15  # beside a subject, in widths of the photo
GROWTH = 0.5  # that a part gets on a side where its subject goes on, in widths
GAP = 0.1  # between two parts of one subject, at most, in widths
LEAST = 0.01  # of the width that a line across the photo has of a subject
MINOR = 0.1  # of the largest subject's area: what is smaller is furniture
ROUNDS = 4
LOOKS = " parts1"  # its number grows when other parts come to be looked at

Look = Callable[[Pixels], Pixels]  # (h, w) uint8 of (H, W, 3) uint8: the network's answer at whatever size
Span = tuple[int, int]  # first px along the photo, and the one behind the last


def is_long(pixels: Pixels) -> bool:
    """Whether (H, W, 3) `pixels` are looked at in parts."""
    return bool(max(pixels.shape[:2]) >= LONG * min(pixels.shape[:2]))


def in_parts(pixels: Pixels, look: Look) -> Pixels:
    """(H, W) uint8: what `look` finds in a long photo."""
    if pixels.shape[0] > pixels.shape[1]:
        return np.ascontiguousarray(_Strip(pixels, look, tall=True).answer().T)
    return _Strip(pixels, look, tall=False).answer()


@dataclass(frozen=True)
class _Strip:
    """A photo taken as lying: `tall` says that it stands, and that what is found is turned over its diagonal."""

    pixels: Pixels
    look: Look
    tall: bool

    @property
    def length(self) -> int:
        return int(max(self.pixels.shape[:2]))

    @property
    def width(self) -> int:
        return int(min(self.pixels.shape[:2]))

    def seen(self, span: Span) -> Pixels:
        """(width, length of the span) uint8: what is found in that part."""
        start, end = span
        part = self.pixels[start:end] if self.tall else self.pixels[:, start:end]
        answer = enlarged(self.look(np.ascontiguousarray(part)), part.shape[1], part.shape[0])
        return answer.T if self.tall else answer

    def answer(self) -> Pixels:
        """(width, length) uint8."""
        spans = self._spans(self._windows())
        result = np.zeros((self.width, self.length), np.uint8)
        if not spans:
            return self.seen((0, self.length))
        for span in spans:
            whole, found = self._closely(span)
            if whole[1] - whole[0] >= LONG * self.width:  # one subject as long as that is best seen at a glance
                return self.seen((0, self.length))
            part = result[:, whole[0] : whole[1]]
            np.maximum(part, found, out=part)
        return result

    def _windows(self) -> Pixels:
        """(width, length) uint8: what is found in any window."""
        size = min(self.length, round(WINDOW * self.width))
        count = 1 + -(-(self.length - size) // self.width)
        result = np.zeros((self.width, self.length), np.uint8)
        for start in np.linspace(0, self.length - size, count).round().astype(int):
            part = result[:, start : start + size]
            np.maximum(part, self.seen((int(start), int(start) + size)), out=part)
        return result

    def _spans(self, found: Pixels) -> list[Span]:
        """The parts with a subject, of which none is much smaller than the largest."""
        area = np.count_nonzero(found > 127, axis=0)
        filled = (area >= max(1.0, LEAST * self.width)).astype(np.uint8)[None]
        near = max(1, round(GAP * self.width)) | 1
        roomy = cv2.copyMakeBorder(filled, 0, 0, near, near, cv2.BORDER_CONSTANT)
        joined = cv2.morphologyEx(roomy, cv2.MORPH_CLOSE, np.ones((1, near), np.uint8))
        steps = np.diff(joined[0, near:-near].astype(int), prepend=0, append=0)
        spans = list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))
        areas = [int(area[start:end].sum()) for start, end in spans]
        return [span for span, size in zip(spans, areas, strict=True) if size >= MINOR * max(areas)]

    def _closely(self, span: Span) -> tuple[Span, Pixels]:
        """The part around a subject, grown until it ends within it, and what is found there."""
        room, growth = round(ROOM * self.width), round(GROWTH * self.width)
        start, end = max(0, span[0] - room), min(self.length, span[1] + room)
        for _ in range(ROUNDS):
            found = self.seen((start, end))
            before = growth if start > 0 and self._goes_on(found[:, :2]) else 0
            behind = growth if end < self.length and self._goes_on(found[:, -2:]) else 0
            if not before and not behind:
                break
            start, end = max(0, start - before), min(self.length, end + behind)
            if end - start >= LONG * self.width:
                break
        return (start, end), found if found.shape[1] == end - start else self.seen((start, end))

    def _goes_on(self, edge: Pixels) -> bool:
        return bool(np.count_nonzero(edge.max(axis=1) > 127) >= 2 * LEAST * self.width)
