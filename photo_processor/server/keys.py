"""API keys: made here, shown once, kept as hashes in `keys.json` in the data folder.

A key is `pp_<id>_<secret>`. The secret has 256 random bits, so that one SHA-256 is enough to hide it: slow hashes
(scrypt, argon2) protect what people choose, which can be guessed.
"""

import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from photo_processor import errors
from photo_processor.schemas import Frozen, Timestamp

Scope = Literal["read", "submit", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "submit", "admin")  # each may do what those before it may
PREFIX = "pp"
FRESH = 1.0  # seconds until the file is looked at again


class Key(Frozen):
    """A key as it is kept."""

    id: str
    name: str
    scope: Scope
    sha256: str
    created_at: Timestamp


_KEYS = TypeAdapter(tuple[Key, ...])


def includes(scope: Scope, needed: Scope) -> bool:
    """Whether a key of `scope` may do what needs `needed`."""
    return SCOPES.index(scope) >= SCOPES.index(needed)


class KeyRing:
    """The keys of a data folder. A running server notices within a second what a command changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local: Key | None = None
        self._keys: dict[str, Key] = {}
        self._changed: tuple[int, int] | None = None
        self._looked = float("-inf")  # seconds of `time.monotonic`

    def rows(self) -> tuple[Key, ...]:
        """Raises errors.KeysUnreadable."""
        self._refresh()
        return tuple(self._keys.values())

    @property
    def are_asked(self) -> bool:
        """Whether the server asks for keys: since one was made, and still where none of them is left, until `disable`.

        Raises errors.KeysUnreadable.
        """
        self._refresh()
        return self._changed is not None

    def has(self, key: Key) -> bool:
        """Whether this row is still good. Raises errors.KeysUnreadable."""
        self._refresh()
        return key in (self._keys.get(key.id), self._local)

    def disable(self) -> bool:
        """End every key, and ask for none from now on; whether keys were asked for."""
        existed = self._path.exists()
        self._path.unlink(missing_ok=True)
        self._looked = float("-inf")
        return existed

    def create(self, name: str, scope: Scope) -> str:
        """Make a key; returns it, which nobody can do again."""
        key, row = _made(name, scope)
        self._write([*self.rows(), row])
        return key

    def revoke(self, key_id: str) -> bool:
        """Whether there was such a key."""
        kept = [row for row in self.rows() if row.id != key_id]
        found = len(kept) < len(self._keys)
        if found:
            self._write(kept)
        return found

    def create_local(self, path: Path) -> None:
        """An admin key for commands on this machine: valid while this process lives, in a file of its owner's."""
        key, self._local = _made("local", "admin")
        _replace(path, key.encode())

    def find(self, key: str) -> Key | None:
        """The row of `key`, compared in constant time."""
        self._refresh()
        key_id = key.split("_")[1] if key.count("_") >= 2 else ""
        row = self._keys.get(key_id, self._local)
        digest = _digest(key)
        return row if row is not None and hmac.compare_digest(digest, row.sha256) else None

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._looked < FRESH:
            return
        try:
            found = self._path.stat()
            changed = (found.st_mtime_ns, found.st_ino)
            if changed != self._changed:
                self._keys = {row.id: row for row in _KEYS.validate_json(self._path.read_bytes())}
            self._changed = changed
        except FileNotFoundError:
            self._keys, self._changed = {}, None
        except (OSError, ValidationError) as error:
            raise errors.KeysUnreadable() from error
        self._looked = now

    def _write(self, rows: Iterable[Key]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps([row.model_dump(mode="json") for row in rows], indent=2)
        _replace(self._path, text.encode())
        self._looked = float("-inf")


def _made(name: str, scope: Scope) -> tuple[str, Key]:
    key_id = secrets.token_hex(4)
    key = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    return key, Key(id=key_id, name=name, scope=scope, sha256=_digest(key), created_at=datetime.now(UTC))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _replace(path: Path, data: bytes) -> None:
    """Write the file in one step, readable by its owner alone."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
