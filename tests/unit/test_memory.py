"""How much there is, and what follows from it."""

import memory
from settings import Settings


def test_default_of_megapixels_at_once_follows_the_memory() -> None:
    total = memory.total_bytes()
    assert total is not None
    default = Settings().megapixels_at_once
    assert 24 <= default <= max(24, total / 4 / 45e6 + 1)
