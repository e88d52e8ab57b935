"""Colour profiles made from formulas, and the same formulas as the reference that a conversion is compared with.

Colours are (N, 3) or (N, 4) float from 0 to 1. The profile connection space is D50, as ICC.1:2010 has it.
"""

import itertools
import struct
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float64]

D50 = np.array([0.9642, 1.0, 0.8249])
D65_XY = (0.3127, 0.3290)
SRGB_XY = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE_XY = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
P3_XY = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_GAMMA = 563 / 256
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
CMYK_GRID = 13


def srgb_to_linear(values: Colours) -> Colours:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(values: Colours) -> Colours:
    values = np.clip(values, 0, 1)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


def _xyz(xy: tuple[float, float]) -> Colours:
    return np.array([xy[0] / xy[1], 1.0, (1 - xy[0] - xy[1]) / xy[1]])


def to_d50(primaries: Sequence[tuple[float, float]]) -> Colours:
    """(3, 3): linear RGB of those primaries and a D65 white to XYZ, adapted to D50 by Bradford."""
    columns = np.column_stack([_xyz(xy) for xy in primaries])
    native = columns * np.linalg.solve(columns, _xyz(D65_XY))
    cones = np.diag((BRADFORD @ D50) / (BRADFORD @ _xyz(D65_XY)))
    return np.linalg.inv(BRADFORD) @ cones @ BRADFORD @ native


def reference(colours: Colours, primaries: Sequence[tuple[float, float]], to_linear: Callable[..., Colours]) -> Colours:
    """sRGB of `colours` of another RGB space, clipped to what sRGB can show."""
    across = np.linalg.inv(to_d50(SRGB_XY)) @ to_d50(primaries)
    return linear_to_srgb(to_linear(colours) @ across.T)


def ink_rgb(cmyk: Colours) -> Colours:
    """What the test's inks look like, as linear sRGB: each takes its share of one primary, none wholly."""
    return (1 - 0.9 * cmyk[:, :3]) * (1 - 0.95 * cmyk[:, 3:])


def lab_of(xyz: Colours) -> Colours:
    """CIE L*a*b* under D50."""
    ratio = xyz / D50
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.column_stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])])


def _fixed(values: Colours) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _profile(device: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """ICC version 2.4; every tag begins at a multiple of four bytes."""
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"test", 0x02400000, device, space, connection)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _names(title: str) -> dict[bytes, bytes]:
    text = title.encode() + b"\0"
    return {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + _fixed(D50),
    }


def matrix_profile(title: str, primaries: Sequence[tuple[float, float]], to_linear: Callable[..., Colours]) -> bytes:
    """A display profile of three primaries and one tone curve."""
    levels = np.rint(to_linear(np.linspace(0, 1, 1024)) * 65535).astype(">u2")
    curve = b"curv" + bytes(4) + struct.pack(">I", len(levels)) + levels.tobytes()
    columns = to_d50(primaries)
    tags = {name: b"XYZ " + bytes(4) + _fixed(columns[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    return _profile(b"mntr", b"RGB ", b"XYZ ", _names(title) | tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def ink_profile() -> bytes:
    """A printer profile of `ink_rgb`: a table (lut16Type) from CMYK to Lab."""
    steps = np.linspace(0, 1, CMYK_GRID)
    grid = np.array(list(itertools.product(steps, repeat=4)))
    lab = lab_of(ink_rgb(grid) @ to_d50(SRGB_XY).T)
    coded = np.column_stack([lab[:, 0] * 652.8, (lab[:, 1:] + 128) * 256])
    ends = struct.pack(">HH", 0, 65535)
    table = b"mft2" + bytes(4) + struct.pack(">BBBx", 4, 3, CMYK_GRID) + _fixed(np.eye(3).ravel())
    table += struct.pack(">HH", 2, 2) + 4 * ends + np.rint(coded).astype(">u2").tobytes() + 3 * ends
    return _profile(b"prtr", b"CMYK", b"Lab ", _names("Test inks") | {b"A2B0": table, b"A2B1": table})
