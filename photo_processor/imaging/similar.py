"""Photos that look alike, by their perceptual hashes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ALIKE = 10  # bits of 64 that may differ; of 84,666 pairs of different photos none differed in fewer than 13

# Of every picture of one colour: only the mean is beyond zero, or not even that in black.
ONE_COLOUR = frozenset({f"{1 << 63:016x}", f"{0:016x}"})


def groups_of_photos(hashes: Sequence[str], distance: int = ALIKE) -> list[int | None]:
    """As `groups`; pictures of one colour, whose hashes say nothing of them, are in none."""
    numbers = iter(groups([phash for phash in hashes if phash not in ONE_COLOUR], distance))
    return [None if phash in ONE_COLOUR else next(numbers) for phash in hashes]


def groups(hashes: Sequence[str], distance: int = ALIKE) -> list[int | None]:
    """For each hash (16 hex digits) the number of its group, from 1, or None where nothing is like it.

    Two whose hashes differ in at most `distance` bits are of one group, and so is whatever is like either. 10,000 that
    all differ take about half a second.
    """
    bits, places = np.unique(np.array([int(text, 16) for text in hashes], np.uint64), return_inverse=True)
    labels = _labels(bits, distance)[places]
    sizes = np.bincount(labels, minlength=1)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(int(at), len(numbers) + 1) if sizes[at] > 1 else None for at in labels]


def _labels(bits: NDArray[np.uint64], distance: int) -> NDArray[np.intp]:
    """A label for each of `bits`, which all differ: the same for those that lead to each other."""
    labels, left = np.zeros(len(bits), np.intp), np.arange(len(bits))
    label = 0
    while len(left):
        reached, left = [left[0]], left[1:]
        while reached:
            one = reached.pop()
            labels[one] = label
            alike = np.bitwise_count(bits[left] ^ bits[one]) <= distance
            if alike.any():
                reached += list(left[alike])
                left = left[~alike]
        label += 1
    return labels
