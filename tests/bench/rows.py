"""What the bench writes."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure. `baseline` is what it is compared with, in the same unit; `ratio` says how many times better."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    rounds: int = 1

    def __str__(self) -> str:
        against = "" if self.baseline is None else f"  against {self.baseline:.3f}"
        times = "" if self.ratio is None else f"  {self.ratio:.2f}x"
        return f"{self.name:<34} {self.value:>9.3f} {self.unit}{against}{times}"


def rate(name: str, ours: Sequence[float], theirs: Sequence[float], photos: int) -> Row:
    """Photos a second, of the seconds that each round took; the ratio is the median of the rounds' own."""
    ratio = statistics.median(their / our for our, their in zip(ours, theirs, strict=True))
    value, baseline = photos / statistics.median(ours), photos / statistics.median(theirs)
    return Row(name, value, "photos/s", baseline, ratio, len(ours))


def duration(name: str, ours: Sequence[float], theirs: Sequence[float] | None = None) -> Row:
    """Seconds, by the median."""
    value = statistics.median(ours)
    if theirs is None:
        return Row(name, value, "s", rounds=len(ours))
    ratio = statistics.median(their / our for our, their in zip(ours, theirs, strict=True))
    return Row(name, value, "s", statistics.median(theirs), ratio, len(ours))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def write(rows: Sequence[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
