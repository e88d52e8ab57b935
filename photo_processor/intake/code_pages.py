"""Which code page a text without a label was written in: names in ZIPs, lists of names, headers of uploads."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

# Of equally likely pages the first is taken: those that Windows and DOS wrote names of ZIPs in come before the others.
PAGES = ("cp850", "cp437", "cp1252", "cp932", "cp936", "cp866")
SAMPLE_BYTES = 20_000  # of a long text, that it is judged by

_WESTERN = frozenset("äöüßéèêëàâçñóíúáãõôîïùûœæåøìòÿÄÖÜÉÈÊËÀÂÇÑÓÍÚÁÃÕÔÎÏÙÛŒÆÅØÌÒ")
_UMLAUTS = frozenset("äöüßÄÖÜ")
_PUNCTUATION = frozenset("\u2019\u2018\u201c\u201d\u2013\u2014·°§«»¡¿©®€£ªº¹²³")
_WORD = re.compile(r"[^\W\d_]+")

# What a character costs, for each byte of it: 0 what names are made of, 3 what no name holds.
_RARE_KANJI = 0.6
_NOT_IN_GB2312 = 1.5
_HALF_WIDTH = 0.7
_RARE_LETTER = 1.0
_MARK = 1.0
_BOX = 3.0
_CONTROL = 6.0
_MIXED_SCRIPTS = 1.5
_ONE_CHANGE = 0.5  # from Chinese characters to a letter, as a number follows a word
_MIXED_CASE = 1.0
_ACCENTS_MOSTLY = 0.3


def likeliest(texts: Sequence[bytes], pages: Sequence[str] = PAGES) -> str | None:
    """The code page of `pages` that makes the most of `texts` look like names; None where none can read them all.

    Detectors for documents (charset-normalizer 3.5 was tried) take `J\\x94rg` for Chinese: a name is too short for
    statistics of a language. What tells a wrong page is that it mixes scripts, or upper and lower case, in a word.
    """
    sample = _sample(texts)
    best, least = None, float("inf")
    for page in pages:
        try:
            cost = sum(_cost(text.decode(page), page) for text in sample)
        except UnicodeDecodeError:
            continue
        if cost < least:
            best, least = page, cost
    return best


def decoded(text: bytes, pages: Sequence[str] = PAGES) -> str:
    """`text` as UTF-8 where it is that, else in the likeliest of `pages`."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode(likeliest([text], pages) or "cp1252", "replace")


def _sample(texts: Sequence[bytes]) -> list[bytes]:
    """Those that are not plain ASCII, as many as it takes."""
    sample, size = [], 0
    for text in texts:
        if not text.isascii():
            sample.append(text)
            size += len(text)
            if size > SAMPLE_BYTES:
                break
    return sample


def _cost(text: str, page: str) -> float:
    """How unlike names the characters beyond ASCII are, summed over their bytes."""
    return sum(_cost_of(char, page) for char in text if not char.isascii()) + sum(
        _cost_of_word(word, page) for word in _WORD.findall(text) if not word.isascii()
    )


def _cost_of(char: str, page: str) -> float:
    if char in _WESTERN or "\u0430" <= char.lower() <= "\u044f" or char in "ёЁ":
        return 0.0
    if "\u3040" <= char <= "\u30ff" or char in "々〇":
        return 0.0
    if "\uff66" <= char <= "\uff9f":
        return _HALF_WIDTH
    if "\u4e00" <= char <= "\u9fff":
        return 2 * _rarity(char.encode(page), page)
    if unicodedata.category(char) in ("Cc", "Co", "Cn"):
        return _CONTROL
    if "\u2500" <= char <= "\u259f":
        return _BOX
    if char.isalpha():
        return _RARE_LETTER
    return _MARK if char in _PUNCTUATION or unicodedata.category(char)[0] in "PZ" else 2 * _MARK


def _rarity(code: bytes, page: str) -> float:
    """Of a Chinese character: 0 where the national standard counts it among the common ones."""
    if page == "cp932":
        return 0.0 if 0x88 <= code[0] <= 0x97 or code < b"\x98\x73" else _RARE_KANJI
    if code[0] < 0xB0 or code[-1] < 0xA1:
        return _NOT_IN_GB2312
    return 0.0 if code[0] < 0xD8 else _RARE_KANJI


def _cost_of_word(word: str, page: str) -> float:
    """What a word costs beyond its letters: no name mixes scripts, or has capitals within."""
    foreign = [char for char in word if not char.isascii()]
    width = len("".join(foreign).encode(page))
    scripts = {_script(char) for char in word}
    if len(scripts) > 1:
        return (_ONE_CHANGE if scripts == {"latin", "east asian"} and _changes(word) == 1 else _MIXED_SCRIPTS) * width
    if scripts != {"latin"} and scripts != {"cyrillic"}:
        return 0.0
    if not (word.islower() or word.isupper() or word.istitle()):
        return _MIXED_CASE * width
    mostly = scripts == {"latin"} and 2 * len(foreign) > len(word) and not _UMLAUTS.issuperset(foreign)
    return _ACCENTS_MOSTLY * width if mostly else 0.0


def _changes(word: str) -> int:
    """How often a word changes between ASCII and other letters."""
    return sum(one.isascii() != other.isascii() for one, other in pairwise(word))


def _script(char: str) -> str:
    if char.isascii() or unicodedata.name(char, "").startswith("LATIN") or char in "ªºµ":
        return "latin"
    if "\u0400" <= char <= "\u04ff":
        return "cyrillic"
    return "greek" if "\u0370" <= char <= "\u03ff" else "east asian"
