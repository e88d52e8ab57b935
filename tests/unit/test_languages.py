"""Every language says everything: the page's own texts, and the server's."""

import inspect
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from photo_processor import errors
from photo_processor.models.weights.rows import ROWS
from photo_processor.recipes.catalogue import catalogue
from photo_processor.recipes.presets import PRESETS
from photo_processor.schemas import STAGES, OutputSpec
from tests.support.programs import needed

STATIC = Path(__file__).parent.parent.parent / "static"
LANGUAGES = sorted((STATIC / "lang").glob("*.json"))
SHOWN = {"title", "description", "x-group"}
Text = str | dict[str, str]


def own_texts() -> dict[str, Text]:
    """The English texts of the front ends, by their keys."""
    script = """
      const [{ en }, { texts }] = await Promise.all([import('./js/core/strings.js'), import('./js/texts.js')]);
      const { OWN_MESSAGES } = await import('../frontend/src/messages.js');
      const { editorTexts } = await import('./js/editor/texts.js');
      const { formTexts } = await import('./js/core/form.js');
      const { namingTexts } = await import('./js/core/naming.js');
      const { deskTexts } = await import('./js/desk-texts.js');
      const page = { ...texts, ...deskTexts, ...namingTexts, ...editorTexts };
      console.log(JSON.stringify({ ...en, ...OWN_MESSAGES, ...formTexts, ...page }));
    """
    answer = subprocess.run(
        [needed("node"), "--input-type=module", "-e", script], cwd=STATIC, capture_output=True, text=True, check=True
    )
    return dict(json.loads(answer.stdout))


def in_schema(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in SHOWN and isinstance(value, str):
                yield value
            elif key == "x-labels" and isinstance(value, dict):
                yield from value.values()
            elif key == "enum" and isinstance(value, list):
                named = schema.get("x-labels", {})
                yield from (pretty(choice) for choice in value if isinstance(choice, str) and choice not in named)
            else:
                yield from in_schema(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from in_schema(value)


def pretty(value: str) -> str:
    """A choice as the page shows it where nothing else is said."""
    text = value.replace("_", " ")
    return text[:1].upper() + text[1:]


def server_texts() -> set[str]:
    """What the server says in English: operations, outputs, presets, models, errors."""
    texts = set(in_schema(OutputSpec.model_json_schema()["properties"]))
    for operation in catalogue():
        texts |= {operation.title, operation.summary, *in_schema(operation.parameters)}
    texts |= {text for preset in PRESETS for text in (preset.title, preset.description)}
    texts |= {row.good_at for row in ROWS}
    for kind in vars(errors).values():
        if inspect.isclass(kind) and issubclass(kind, errors.PhotoError) and kind is not errors.PhotoError:
            texts |= {text for text in (kind.title, kind.hint) if text}
    return texts


def gaps(text: Text) -> set[str]:
    """The names of what is filled in."""
    forms = text.values() if isinstance(text, dict) else [text]
    return {name for form in forms for name in re.findall(r"\{(\w*)\}", form)}


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_language_has_every_text_with_the_same_gaps(path: Path) -> None:
    messages = json.loads(path.read_text(encoding="utf-8"))
    own = own_texts()
    assert sorted({*own, *server_texts()} - messages.keys()) == [], "not translated"
    wrong = [
        key for key, text in own.items() if gaps(text) != gaps(messages[key]) or type(text) is not type(messages[key])
    ]
    assert wrong == []
    assert not [key for key, text in messages.items() if not text]


def test_languages_are_offered() -> None:
    script = (STATIC / "js" / "core" / "language.js").read_text(encoding="utf-8")
    offered = re.search(r"const LANGUAGES = \{(.+)\}", script)
    assert offered is not None
    assert set(re.findall(r"(\w+):", offered.group(1))) == {"en", *(path.stem for path in LANGUAGES)}
    assert {"de", "es", "fr"} <= {path.stem for path in LANGUAGES}


def test_every_stage_of_the_server_has_words() -> None:
    own = own_texts()
    assert [stage for stage in STAGES if f"stage {stage}" not in own] == []
