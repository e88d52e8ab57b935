"""SVG in: what is drawn, and what is refused before anything is."""

from pathlib import Path

import numpy as np
import pytest

from photo_processor import errors
from photo_processor.imaging import drawings
from photo_processor.imaging.decode import decode, probe, sniff
from photo_processor.imaging.pictures import Picture

HEAD = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PNG_DOT = f"data:image/png;base64,{DOT}"


def svg(inside: str, attributes: str = 'width="2000" height="1000"') -> str:
    return f"<svg {HEAD} {attributes}>{inside}</svg>"


def decoded(folder: Path, text: str | bytes) -> Picture:
    path = folder / "drawing.svg"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return decode(path, 100, lambda _code, _message: None)


def test_drawing_is_drawn_with_its_transparency(tmp_path: Path) -> None:
    picture = decoded(tmp_path, svg('<rect x="0" y="0" width="1000" height="1000" fill="#ff8000"/>'))
    assert (picture.width, picture.height) == (2000, 1000)
    assert picture.alpha is not None
    assert tuple(picture.pixels[500, 500]) == (255, 128, 0)
    assert picture.alpha[500, 500] == 255
    assert picture.alpha[500, 1500] == 0
    assert picture.origin is not None
    assert picture.origin.format == "svg"


def test_text_styles_embedded_pictures_and_gradients_are_drawn(tmp_path: Path) -> None:
    inside = (
        "<style>.a { fill: url(#g); }</style><defs><linearGradient id='g'><stop stop-color='red'/></linearGradient>"
        "<circle id='c' r='100' fill='blue'/></defs><rect class='a' width='500' height='1000'/>"
        f"<use xlink:href='#c' x='750' y='500'/><image href='{PNG_DOT}' x='1000' width='500' height='1000'/>"
        "<text x='1500' y='600' font-size='300'>Ąß</text>"
    )
    picture = decoded(tmp_path, svg(inside))
    assert tuple(picture.pixels[500, 250]) == (255, 0, 0)
    assert tuple(picture.pixels[500, 750]) == (0, 0, 255)
    assert picture.alpha is not None
    assert picture.alpha[300:700, 1500:].any(), "the letters"


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="2000" height="1000"', (2000, 1000)),
        ('width="24" height="24"', (1024, 1024)),
        ('viewBox="0 0 30 60"', (512, 1024)),
        ('width="100%" viewBox="0,0,10,10"', (1024, 1024)),
        ('width="1500px" viewBox="0 0 30 20"', (1500, 1000)),
        ('width="20in" height="10in"', (1920, 960)),
        ('width="508mm" height="254mm"', (1920, 960)),
    ],
)
def test_size_is_the_drawings_own_and_at_least_1024(tmp_path: Path, attributes: str, size: tuple[int, int]) -> None:
    path = tmp_path / "a"
    path.write_text(svg("", attributes))
    assert probe(path, 100) == size
    picture = decode(path, 100, lambda _code, _message: None)
    assert (picture.width, picture.height) == size


UNSAFE = {
    "script": svg("<script>fetch('/')</script>"),
    "script of a namespace": f'<svg {HEAD} width="9" height="9" xmlns:s="http://www.w3.org/2000/svg"><s:script/></svg>',
    "handler": svg('<rect width="9" height="9" onclick="x()"/>'),
    "handler on the root": svg("", 'width="9" height="9" onload="x()"'),
    "page inside": svg("<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>x</p></foreignObject>"),
    "page element": svg("<p xmlns='http://www.w3.org/1999/xhtml'>x</p>"),
    "picture of another host": svg('<image href="http://127.0.0.1/x.png"/>'),
    "picture of the disk": svg('<image xlink:href="/etc/passwd"/>'),
    "picture by file": svg('<image href="file:///etc/passwd"/>'),
    "picture beside it": svg('<image href="x.png"/>'),
    "drawing in a drawing": svg('<image href="data:image/svg+xml;base64,AAAA"/>'),
    "use of another file": svg('<use href="other.svg#a"/>'),
    "link": svg('<a href="javascript:alert(1)"><rect width="9" height="9"/></a>'),
    "style sheet": '<?xml-stylesheet href="http://127.0.0.1/x.css"?>' + svg(""),
    "import": svg("<style>@import 'http://127.0.0.1/x.css';</style>"),
    "url in a style": svg("<style>rect { fill: url(http://127.0.0.1/a#b) }</style>"),
    "url in an attribute": svg("<rect fill=\"url( 'http://127.0.0.1/a#b' )\"/>"),
    "url by escapes": svg('<rect style="fill: u\\72l(http://127.0.0.1/a)"/>'),
    "base": svg('<g xml:base="http://127.0.0.1/"/>'),
    "entity of the disk": '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + svg("<text>&x;</text>"),
    "parameter entity": '<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://127.0.0.1/"> %x;]>' + svg(""),
    "billion laughs": '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    + svg("<text>&b;</text>"),
    "many parts": svg("<g/>" * 50_001),
    "deep": svg("<g>" * 120 + "</g>" * 120),
}
BROKEN = {
    "not XML": "<svg",
    "unclosed": f"<svg {HEAD}>",
    "no size": svg("", ""),
    "no height": svg("", 'width="100"'),
    "nothing": svg("", 'width="0" height="0"'),
    "one line": svg("", 'width="100000" height="1"'),
    "endless": svg("", 'width="1e999" height="1e999"'),
    "no number": svg("", 'width="NaN" height="NaN"'),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_what_runs_or_reaches_outside_is_refused_before_drawing(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawings, "RENDERER", tmp_path / "never-run.py")
    with pytest.raises(errors.UnsafeDrawing):
        decoded(tmp_path, UNSAFE[name])


@pytest.mark.parametrize("name", BROKEN)
def test_broken_drawing_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.BrokenImage):
        decoded(tmp_path, BROKEN[name])


def test_other_xml_is_no_drawing(tmp_path: Path) -> None:
    for text in ("<?xml version='1.0'?><html/>", "<!-- x --><svg width='9' height='9'/>"):
        with pytest.raises(errors.UnsupportedFormat):
            decoded(tmp_path, text)


def test_huge_drawing_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(errors.TooManyPixels):
        decoded(tmp_path, svg("", 'width="100000" height="100000"'))
    with pytest.raises(errors.FileTooLarge):
        decoded(tmp_path, svg("<!--" + "x" * drawings.MAX_BYTES + "-->"))


def test_drawing_that_takes_too_long_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten uses of ten uses of ...: no limit on the file's parts holds that up."""
    monkeypatch.setattr(drawings, "SECONDS", 3.0)
    levels = "".join(f"<g id='g{level + 1}'>" + f"<use href='#g{level}'/>" * 10 + "</g>" for level in range(8))
    inside = f"<defs><circle id='g0' r='500' opacity='.5'/>{levels}</defs><use href='#g8'/>"
    with pytest.raises(errors.BrokenImage):
        decoded(tmp_path, svg(inside))
    monkeypatch.setattr(drawings, "SECONDS", 0.001)
    with pytest.raises(errors.BrokenImage, match="not drawn within"):
        decoded(tmp_path, svg("<g/>"))


def test_type_is_known_only_where_drawings_are_taken() -> None:
    for head in (b"<svg xmlns=", b"\xef\xbb\xbf <?xml version='1.0'?>", b"<!-- Inkscape -->", b"<!DOCTYPE svg PUBLIC"):
        assert sniff(head, svg=True) == "image/svg+xml"
        assert sniff(head) is None
    assert sniff(b"<html>", svg=True) is None


def test_transparent_drawing_has_facts_of_white(tmp_path: Path) -> None:
    picture = decoded(tmp_path, svg(""))
    assert picture.alpha is not None
    assert not np.any(picture.alpha)
