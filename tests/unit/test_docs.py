"""The documents say what the code does."""

import re
import runpy
from pathlib import Path

from photo_processor.errors import codes
from photo_processor.settings import Settings

ROOT = Path(__file__).parent.parent.parent


def settings_table() -> str:
    lines = ["| variable | default | what it does |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=False)
        shown = "" if default is None or field.default_factory else str(default).lower()
        shown = "none" if default == () else shown
        lines.append(f"| `PHOTO_{name.upper()}` | {f'`{shown}`' if shown else ''} | {field.description} |")
    return "\n".join(lines)


def test_readme_has_every_setting_with_its_default_and_help() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- settings -->\n(.*?)\n<!-- /settings -->", readme, re.DOTALL)
    assert found is not None
    assert found.group(1).strip() == settings_table(), f"the table should be:\n{settings_table()}"


def test_every_setting_is_used() -> None:
    package = ROOT / "photo_processor"
    sources = [*ROOT.glob("*.py"), *package.glob("*/**/*.py"), package / "memory.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources) + "settings.models_path"
    settings = (package / "settings.py").read_text(encoding="utf-8")
    unused = [
        name
        for name in Settings.model_fields
        if not re.search(rf"settings\.{name}\b", text) and f"self.{name}" not in settings
    ]
    assert unused == []


def test_links_of_the_documents_lead_somewhere() -> None:
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


TEST_VARIABLES = {"TESTDATA", "TEST_MODELS", "TESTS_NO_SKIPS"}


def test_documents_name_only_settings_that_exist() -> None:
    known = {name.upper() for name in Settings.model_fields} | TEST_VARIABLES
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        named = set(re.findall(r"\bPHOTO_([A-Z][A-Z_]*[A-Z])\b", document.read_text(encoding="utf-8")))
        assert named <= known, document.name


def test_security_document_names_only_codes_that_exist() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    known = codes()
    for status, code in re.findall(r"\b([45]\d\d) `([a-z_]+)`", text):
        assert known[code].status == int(status), code
    rows = [line for line in text.partition("## Limits")[2].partition("\n## ")[0].splitlines() if line.startswith("|")]
    for row in rows[2:]:
        for code in re.findall(r"`([a-z_]+)`", row.split("|")[3]):
            assert code in known or code == "first_frame_only", code


def test_api_page_is_what_the_server_says() -> None:
    drawn = runpy.run_path(str(ROOT / "docs" / "api.py"))["page"]()
    assert (ROOT / "docs" / "api.md").read_text(encoding="utf-8") == drawn, "make api"


def test_architecture_page_is_what_the_code_imports() -> None:
    drawn = runpy.run_path(str(ROOT / "docs" / "architecture.py"))["page"]()
    assert (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8") == drawn, "make operations"
