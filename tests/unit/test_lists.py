"""Lists of names, the photos they name, and the names of results."""

import pytest

from ingest.lists import MAX_BYTES, MAX_ROWS, parse_list
from ingest.names import UsedNames, result_name
from operations import parse_recipe
from operations.naming import PhotoName
from sql.names import matches
from sql.rows import NameRow

ROWS = (NameRow("anna.jpg", "1001", "Anna Alber"), NameRow("jörg.jpg", "1002", "Jörg Öhm"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_list_is_read_however_it_is_written(delimiter: str, encoding: str, ending: str) -> None:
    lines = [
        ("File name", "Pupil-ID", "Name"),
        ("anna.jpg", "1001", '"Anna Alber"'),
        ("jörg.jpg", "1002", " Jörg  Öhm"),
    ]
    text = ending.join(delimiter.join(line) for line in lines) + ending
    names = parse_list(text.encode(encoding), "class.csv")
    assert names.rows == ROWS
    assert names.problems == ()


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("photo,number,caption", ("f", "n", "c")),
        ("Foto;Schüler-Nr;x", ("f", "", "")),
        ("Datei;Nummer;Titel", ("f", "n", "c")),
        ("Fichier;Élève;Légende", ("f", "n", "c")),
        ("Archivo;Número;Nombre", ("f", "n", "c")),
        ("FILE;Id;Title", ("f", "n", "c")),
    ],
)
def test_columns_may_have_several_names(header: str, columns: tuple[str, str, str]) -> None:
    delimiter = ";" if ";" in header else ","
    (row,) = parse_list(f"{header}\nf{delimiter}n{delimiter}c\n".encode(), "x.csv").rows
    assert (row.file, row.number, row.caption) == columns


def test_photos_named_by_number_need_no_column_of_their_own() -> None:
    rows = parse_list(b"id,name\n1001,Anna\n", "x.csv").rows
    assert rows == (NameRow("1001", "1001", "Anna"),)
    assert matches(rows, ["1001.jpg", "7a/1001.heic", "1002.jpg"]) == [0, 0, None]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b\n1,2\n", "no column for the photos"),
        (b"file\n" + b"x" * MAX_BYTES, "at most 5 MB"),
        (b"file\n" + b'"' + b"x" * 200_000, "no CSV"),
        (b"file,caption\nanna.jpg,1\n,2\n", "1 rows name no photo"),
        (b"file\n" + b"a.jpg\n" * (MAX_ROWS + 1), "only the first 20,000"),
        (b"\x00\x01\x02", "no column"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(data: bytes, said: str) -> None:
    problems = parse_list(data, "dir/list.csv").problems
    assert any(said in problem and problem.startswith("list.csv: ") for problem in problems), problems


def test_photo_takes_the_closest_row() -> None:
    rows = [NameRow("b/x.jpg"), NameRow("x.png"), NameRow("A/X.JPG"), NameRow("x"), NameRow("y.jpg"), NameRow("y.jpg")]
    photos = ["a/x.jpg", "b/x.jpg", "c/x.jpg", "x.png", "y.JPG", "deep/b/x.jpg", "z.jpg", "x.y.jpg"]
    assert matches(rows, photos) == [2, 0, 3, 1, 4, 0, None, None]


RECIPE = '{"outputs": [{"name": "web", "format": "webp"}, {"name": "print", "format": "tiff", "suffix": "-p"}]'


@pytest.mark.parametrize(
    ("naming", "expected"),
    [
        ("{folder}/{number}_{output}", ["7a/1001_web.webp", "7a/1001_print-p.tif"]),
        ("{caption}", ["Anna Alber-web.webp", "Anna Alber-p.tif"]),
        ("{output}/{index:03} {name}", ["web/007 anna.webp", "print/007 anna-p.tif"]),
        ("../../{name}", ["anna-web.webp", "anna-p.tif"]),
        ("/etc/{name}", ["etc/anna-web.webp", "etc/anna-p.tif"]),
        ("C:\\\\{name}", ["anna-web.webp", "anna-p.tif"]),
        ("con", ["_con-web.webp", "_con-p.tif"]),
        ("{folder}", ["7a-web.webp", "7a-p.tif"]),
        ("ab:c*d?", ["ab_c_d_-web.webp", "ab_c_d_-p.tif"]),
    ],
)
def test_results_are_named_by_the_template(naming: str, expected: list[str]) -> None:
    recipe = parse_recipe(f'{RECIPE}, "naming": "{naming}"}}')
    name = PhotoName("7a/anna.jpg", 7, number="1001", caption="Anna Alber")
    assert [result_name(name, spec, recipe) for spec in recipe.outputs] == expected


@pytest.mark.parametrize("value", ["../../etc/passwd", "a/b", "..", "\\\\x\\y", "x\0y", "nul", ""])
def test_values_make_no_folders_and_lead_nowhere(value: str) -> None:
    recipe = parse_recipe({"naming": "{folder}/{number}"})
    named = result_name(PhotoName("7a/anna.jpg", number=value), recipe.outputs[0], recipe)
    assert named.startswith("7a/") or named == "7a.png"
    assert named.count("/") <= 1
    assert ".." not in named.split("/")


def test_photo_without_a_row_keeps_its_own_name() -> None:
    recipe = parse_recipe({"naming": "{folder}/{number}"})
    assert result_name(PhotoName("7a/anna.jpg"), recipe.outputs[0], recipe) == "7a/anna.png"


def test_names_alike_are_numbered() -> None:
    used = UsedNames()
    assert [used.free(name) for name in ("a/x.png", "a/x.png", "A/X.PNG", "x.png")] == [
        "a/x.png",
        "a/x (2).png",
        "A/X (3).PNG",
        "x.png",
    ]
