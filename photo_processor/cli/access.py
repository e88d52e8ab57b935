"""`keys`: who may use the server."""

import argparse
import sys

from photo_processor.cli.exits import DONE, FAILED
from photo_processor.server.keys import SCOPES, KeyRing
from photo_processor.settings import Settings


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    keys = commands.add_parser("keys", help="keys for who may use the server").add_subparsers(
        dest="verb", required=True
    )
    create = keys.add_parser("create", help="make a key and print it, this once")
    create.add_argument("name", help="whose key it is")
    create.add_argument(
        "--scope", choices=SCOPES, default="submit", help="what it may do; each includes the one before"
    )
    keys.add_parser("list", help="the keys' ids, scopes, days and names")
    revoke = keys.add_parser(
        "revoke", help="end a key; a running server notices within a second, and without any key lets nobody in"
    )
    revoke.add_argument("id")
    keys.add_parser("disable", help="end all keys and ask for none: everybody on this machine may do everything again")


def run(options: argparse.Namespace) -> int:
    """Do it with the keys of the data folder; returns the exit status."""
    return manage_keys(KeyRing(Settings.load().keys_path), options)


def manage_keys(ring: KeyRing, options: argparse.Namespace) -> int:
    """Create, list, revoke or disable; returns the exit status."""
    if options.verb == "create":
        print(ring.create(options.name, options.scope))
    elif options.verb == "list":
        for key in ring.rows():
            print(f"{key.id}  {key.scope:6}  {key.created_at:%Y-%m-%d}  {key.name}")
    elif options.verb == "disable":
        if not ring.disable():
            print("photo-processor: no keys are asked for", file=sys.stderr)
            return FAILED
    elif not ring.revoke(options.id):
        print(f"photo-processor: there is no key {options.id}", file=sys.stderr)
        return FAILED
    return DONE
