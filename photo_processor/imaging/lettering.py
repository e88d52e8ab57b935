"""Letters: the one font that texts are drawn in, and what it lacks."""

from functools import lru_cache
from importlib import resources

from PIL import ImageFont

FONT = resources.files("font_source_sans_pro") / "files" / "SourceSansPro-Regular.ttf"
NOT_A_LETTER = "\ufffe"
TRIAL_PX = 20


@lru_cache(maxsize=8)
def font(letters: int) -> ImageFont.FreeTypeFont:
    """Source Sans (Latin, Greek and Cyrillic), with letters of so many px."""
    with resources.as_file(FONT) as path:
        return ImageFont.truetype(path, letters)


def lacking(text: str) -> list[str]:
    """The characters of `text` that the font draws as it draws what is no letter."""
    trial = font(TRIAL_PX)
    blank = bytes(trial.getmask(NOT_A_LETTER))
    return sorted({char for char in text if not char.isspace() and bytes(trial.getmask(char)) == blank})


def warning(text: str) -> tuple[str, str] | None:
    """Code and message of what is said where the font lacks some of `text`."""
    letters = lacking(text)
    return ("missing_letters", f"The font has no letters for: {' '.join(letters)}") if letters else None
