"""Writes docs/cli.md from the command line's own parser: `make operations`."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from photo_processor.cli.exits import EXITS  # noqa: E402
from photo_processor.cli.main import build_parser  # noqa: E402

PAGE = ROOT / "docs" / "cli.md"
HEAD = """# Command line

`photo-processor` is the server, and the same work without a server: `process` and `watch` use the same decoders,
operations, models and encoders, take the same recipes, and give the same bytes. `make run` installs it as
`.venv/bin/photo-processor`. This page is drawn from the commands' own options; `make operations` writes it.

```console
photo-processor process photos out --remove-bg --model isnet-general-use --resize 800x800
photo-processor process class.zip out --preset id_photo --format jpeg
photo-processor process shot.heic shot.webp
photo-processor process in out --op 'crop aspect=4:5' --op 'watermark text="© Me" size=0.4' --json
photo-processor watch incoming out --recipe shop.json
```

Operations run in the order of their options. An operation's own option is a flag, or takes one value (`--resize 800`,
`--resize x600`, `--rotate 90`); its parameters go into that value (`--resize 'width=800 mode=fill'`) or into `--op`.
Where an operation takes an uploaded picture, `@FILE` gives one (`--op 'watermark picture=@logo.png'`); it is kept in
the data folder as an upload is. `--preset` or `--recipe` come first, steps given beside them after.

The settings of README.md hold here as well: `PHOTO_MODEL_DIR` is where models are, `PHOTO_DATA_DIR` (`data` below where
you are) where they are looked for otherwise, and where mattes are kept if it exists.

`process` keeps the folders of what it is given, a ZIP's as well. What is no photo is passed over in folders, and fails
where it is named by itself. Two photos whose results have one name are told apart by ` (2)`. A result that is there
already is not replaced: the new one takes a number, unless `--skip-existing` or `--overwrite` says otherwise; a photo
that is read is never replaced. Results appear whole: Ctrl+C, a crash or a full disk leaves no half file under a
result's name.

`--json` prints an object a line as each photo ends: `source`, `status` (`completed`, `failed`, `skipped`), `outputs`
(`name`, `path`, `format`, `width`, `height`, `bytes`), `engine`, `warnings`, `review`, `error` (`code`, `message`,
`hint`, as the server's) and `seconds`. Progress, failures and the summary go to stderr.

`watch` looks at the folder again and again, which works on network drives too, and takes a file once its size and time
have stayed the same for two seconds. Names of files on their way (`.part`, `.crdownload`, hidden ones) are passed over.

"""


def page() -> str:
    """The text of docs/cli.md."""
    lines = ["## Exit status", "", "| status | |", "| --- | --- |"]
    lines += [f"| {number} | {meaning} |" for number, meaning in EXITS.items()]
    shared: list[str] = []
    for names, parser in _commands("photo-processor", build_parser()):
        lines += ["", f"## `{names}`", "", parser.description or ""]
        rows = [row for action in parser._actions for row in _row(action)]
        if names.endswith(" watch"):
            rows = [row for row in rows if row not in shared]
            lines.append("It also takes the options of `process` for what to do, `--workers`, `--json` and `--quiet`.")
        shared = rows
        if rows:
            lines += ["", "| | |", "| --- | --- |", *rows]
    return HEAD + "\n".join(lines) + "\n"


def _commands(name: str, parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    """Every command that does something, with its full name."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help for choice in action._choices_actions}
            for verb, sub in action.choices.items():
                sub.description = sub.description or _sentence(helps[verb] or "")
                below = _commands(f"{name} {verb}", sub)
                found += below or [(f"{name} {verb}", sub)]
    return found


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _row(action: argparse.Action) -> list[str]:
    if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
        return []
    value = "" if action.nargs == 0 else str(action.metavar or "|".join(map(str, action.choices or [])) or "")
    value = value or ("" if action.nargs == 0 else action.dest.upper())
    if action.option_strings:
        shown = ", ".join(f"{option} {value}".strip() for option in action.option_strings)
    else:
        shown = f"{value} ..." if action.nargs == "+" else f"[{value}]" if action.nargs == "?" else value
    text = (action.help or "").replace("%%", "%")
    bar = "\\|"
    return [f"| `{shown.replace('|', bar)}` | {text.replace('|', bar)} |"]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
