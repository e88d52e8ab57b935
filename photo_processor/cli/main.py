"""`photo-processor`: the server, the same work without it, and the work around it. docs/cli.md says how to use it."""

import argparse
import sys

import httpx

from photo_processor import errors, memory
from photo_processor.cli import access, cleanup, doctor, models, operations, process, watch
from photo_processor.cli.exits import EXITS, FAILED, STOPPED, WRONG_USAGE
from photo_processor.cli.recipes import BadOption
from photo_processor.imaging.decode import quiet_decoders
from photo_processor.settings import InvalidSettings

COMMANDS = {
    "process": process,
    "watch": watch,
    "operations": operations,
    "models": models,
    "cleanup": cleanup,
    "doctor": doctor,
    "keys": access,
}
USING = frozenset({"process", "watch", "operations"})  # whose recipe is the user's to mend
WRONG = (BadOption, errors.InvalidRecipe, errors.UnknownPreset, errors.UnknownModel, errors.AssetNotFound)


def build_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = argparse.ArgumentParser(
        prog="photo-processor",
        description="A self-hosted photo-processing server, and its work without a server.",
        epilog="Exit status: " + "; ".join(f"{number} {meaning}" for number, meaning in EXITS.items()) + ".",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "serve",
        help="serve until Ctrl+C; settings are environment variables PHOTO_*",
        description="Serve until Ctrl+C. Settings are environment variables PHOTO_*; README.md lists them.",
    )
    for command in COMMANDS.values():
        command.add_parser(commands)
    for sub in commands.choices.values():
        sub.epilog = parser.epilog
        sub.allow_abbrev = False
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; returns the exit status."""
    options = build_parser().parse_args(arguments)
    if options.command == "serve":
        import app  # the whole server, which other commands need not load

        return app.main()
    memory.keep_freed()
    quiet_decoders()
    try:
        status: int = COMMANDS[options.command].run(options)
        return status
    except InvalidSettings as error:
        return _faulty(error)
    except WRONG as error:
        return _said(error, WRONG_USAGE if options.command in USING else FAILED)
    except (errors.PhotoError, httpx.HTTPError) as error:
        return _said(error, FAILED)
    except OSError as error:  # the data folder, or another one, that cannot be made, read or written
        return _said(_named(error), FAILED)
    except KeyboardInterrupt:
        return STOPPED


def _named(error: OSError) -> Exception:
    """What the operating system refused, in a sentence."""
    where = f"{error.filename} cannot be read or written" if error.filename else "A file cannot be read or written"
    return errors.StorageUnavailable(f"{where}: {error.strerror or error}.")


def _faulty(error: InvalidSettings) -> int:
    for fault in error.faults:
        print(fault, file=sys.stderr)
    return WRONG_USAGE


def _said(error: Exception, status: int) -> int:
    """Say what is wrong, with each fault of a recipe."""
    if isinstance(error, errors.StorageUnavailable | errors.KeysUnreadable) and error.detail == error.title:
        error = _named(error.__cause__) if isinstance(error.__cause__, OSError) else error
    faults = error.fields if isinstance(error, errors.PhotoError) else ()
    for where, what in faults or (("", str(error)),):
        print(f"photo-processor: {where + ': ' if where else ''}{what}", file=sys.stderr)
    hint = error.hint if isinstance(error, errors.PhotoError) else None
    if hint and not faults:
        print(f"photo-processor: {hint}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
