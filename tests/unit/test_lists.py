"""Lists of names, the photos they name, and the names of results."""

import random
import re

import pytest

from photo_processor.intake.file_names import clean_name
from photo_processor.intake.name_lists import MAX_BYTES, MAX_ROWS, parse_list
from photo_processor.operations.naming import PhotoName
from photo_processor.queue.names import matches
from photo_processor.queue.records import NameRow
from photo_processor.recipes import parse_recipe
from photo_processor.results.names import UsedNames, compared, result_name

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


@pytest.mark.parametrize(
    "name",
    [
        "山田\u3000太郎.jpg",
        "at 9.41\u202fAM.png",
        "می\u200cروم.jpg",
        "👨\u200d👩\u200d👧.jpg",
        "a  b.jpg",
        "a\u00a0b.jpg",
    ],
)
def test_list_names_photos_whose_names_have_rare_blanks(name: str) -> None:
    (row,) = parse_list(f"file,number\n{name},1\n".encode(), "x.csv").rows
    assert row.file == name
    plain = NameRow(name.replace("\u202f", " ").replace("\u3000", " ").replace("\u200c", "").replace("\u200d", ""))
    assert matches([row], [name]) == matches([plain], [name]) == [0]
    assert matches([NameRow("a b.jpg"), NameRow("a  b.jpg")], ["a  b.jpg", "a b.jpg"]) == [1, 0]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=;;", "sep="])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_line_that_tells_excel_the_separator_is_passed_over(first: str, encoding: str) -> None:
    names = parse_list(f"{first}\r\nDatei;Nummer\r\nä,b.jpg;7\r\n".encode(encoding), "x.csv")
    assert names.rows == (NameRow("ä,b.jpg", "7", ""),)


@pytest.mark.parametrize(
    ("encoding", "head", "row"),
    [
        ("cp932", "ファイル名,氏名", "山田.jpg,山田太郎"),
        ("cp932", "file,caption", "表.jpg,田中一郎"),
        ("cp936", "文件名,姓名", "张.jpg,张伟"),
        ("cp1251", "файл,имя", "анна.jpg,Анна Иванова"),
        ("cp1252", "Foto,Name", "jörg.jpg,Jörg Öhm"),
    ],
)
def test_list_is_read_in_its_code_page(encoding: str, head: str, row: str) -> None:
    (found,) = parse_list(f"{head}\n{row}\n".encode(encoding), "x.csv").rows
    assert (found.file, found.caption) == tuple(row.split(","))


FOREIGN = [
    ("CON.jpg", "_CON.png"),
    ("nul.jpg", "_nul.png"),
    ("COM¹.jpg", "_COM¹.png"),
    ("lpt9 .tar.jpg", "_lpt9 .tar.png"),
    ("conin$.jpg", "_conin$.png"),
    ("a?b*c.jpg", "a_b_c.png"),
    ("Shot 10:30.jpg", "Shot 10_30.png"),
    ("trail..jpg", "trail.png"),
    ("folder./x.jpg", "folder/x.png"),
    ("aux/con.d /x.jpg", "_aux/_con.d/x.png"),
    ("....jpg", "unnamed.png"),
    ("写" * 120 + ".jpg", "写" * 83 + ".png"),
]


@pytest.mark.parametrize(("photo", "expected"), FOREIGN)
def test_results_have_names_that_every_system_takes(photo: str, expected: str) -> None:
    for naming in ({}, {"naming": "{folder}/{name}"}):
        recipe = parse_recipe({"operations": [], **naming})
        named = result_name(PhotoName(photo), recipe.outputs[0], recipe)
        assert named == expected or (naming and len(named) > 100)
        assert all(len(part.encode()) <= 255 for part in named.split("/"))
    numbered = parse_recipe({"naming": "com", "outputs": [{"suffix": "1"}]})
    assert result_name(PhotoName(photo), numbered.outputs[0], numbered) == "_com1.png"


def test_numbered_names_keep_to_255_bytes_and_no_folder_has_a_files_name() -> None:
    used = UsedNames({"manifest.json"})
    free = [used.free(name) for name in ("写" * 83 + ".png",) * 12]
    assert len(set(free)) == 12
    assert max(len(name.encode()) for name in free) <= 255
    assert free[-1].endswith(" (12).png")
    assert [used.free(name) for name in ("x.png", "X.png/y.png", "x.png/z.png", "a.png/b.png", "A.PNG")] == [
        "x.png",
        "X (2).png/y.png",
        "x (2).png/z.png",
        "a.png/b.png",
        "A (2).PNG",
    ]
    assert used.free("manifest.json/a.png") == "manifest (2).json/a.png"


PIECES = (
    *'abCON.:?*<>|" /\\¹2é写👨',
    "COM",
    "nul",
    "..",
    "aux",
    "con.",
    " .",
    "\x07",
    "\u202e",
    "写" * 80,
    "manifest.json",
)
DEVICE = re.compile(r"(?i)(con|prn|aux|nul|(com|lpt)[0-9¹²³]) *(\..*)?")


@pytest.mark.parametrize("naming", [None, "{folder}/{name}", "{number}/{caption}{output}"])
def test_any_names_can_be_unpacked_everywhere(naming: str | None) -> None:
    rng = random.Random(3)
    recipe = parse_recipe(
        {"naming": naming, "outputs": [{"name": "a", "suffix": "."}, {"name": "b", "format": "webp"}]}
    )
    text = lambda most: "".join(rng.choice(PIECES) for _ in range(rng.randint(1, most)))  # noqa: E731
    for _ in range(150):
        used = UsedNames({"manifest.json"})
        photos = [PhotoName(clean_name(text(12)), number=text(3), caption=text(5)) for _ in range(4)]
        made = [used.free(result_name(photo, spec, recipe)) for photo in photos for spec in recipe.outputs]
        files = {compared(name) for name in made}
        assert len(files) == len(made)
        for name in made:
            *folders, _ = name.split("/")
            assert not files & {compared("/".join(folders[:depth])) for depth in range(1, len(folders) + 1)}
            for part in name.split("/"):
                assert not re.search(r'[<>:"|?*\\\x00-\x1f]', part)
                assert not DEVICE.fullmatch(part)
                assert part
                assert part == part.rstrip(" .")
                assert len(part.encode()) <= 255
