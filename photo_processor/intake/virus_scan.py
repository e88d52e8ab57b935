"""Every file that comes in is shown to clamd, ClamAV's daemon, before it is accepted; where one is set up."""

import asyncio
import logging
from pathlib import Path
from typing import Literal

from clamav_client.clamd import ClamdError, ClamdNetworkSocket, ClamdUnixSocket

from photo_processor import errors

SECONDS = 60.0  # that clamd may be silent
PROBE_SECONDS, PROBE_INTERVAL = 5.0, 30.0
log = logging.getLogger("photo.viruses")


class Scanner:
    """`address`: clamd's socket, a path or `host:port`; None scans nothing.

    With `mode` open, files are accepted unscanned while clamd does not answer, and `is_away` says so.
    Safe to use from several threads.
    """

    def __init__(self, address: str | None, mode: Literal["closed", "open"]) -> None:
        self._address = address
        self._mode = mode
        self.is_away = False

    def check(self, path: Path) -> bool:
        """Whether all is well: False where clamd was to be asked, and could not.

        Raises errors.VirusFound, or errors.ScannerUnavailable where `mode` is closed and clamd cannot scan.
        """
        if self._address is None:
            return True
        try:
            status, name = self._scan(self._address, path)
        except (ClamdError, OSError) as error:
            self._missed(error)
            return False
        if status == "FOUND":
            log.warning("clamd found %s in an upload", name)
            raise errors.VirusFound()
        if status != "OK":
            self._missed(errors.ScannerUnavailable(f"clamd said {status}"))
            return False
        self.is_away = False
        return True

    def probe(self) -> bool:
        """Whether clamd answers, or none is set up; `is_away` follows. Blocks."""
        if self._address is None:
            return True
        try:
            answers = self._client(self._address, PROBE_SECONDS).ping() == "PONG"
        except (ClamdError, OSError):
            answers = False
        if self.is_away == answers:
            log.log(
                logging.INFO if answers else logging.WARNING, "clamd %s", "answers" if answers else "does not answer"
            )
        self.is_away = not answers
        return answers

    async def watch(self) -> None:
        """Look at clamd now, and from time to time."""
        while True:
            await asyncio.to_thread(self.probe)
            await asyncio.sleep(PROBE_INTERVAL)

    def _client(self, address: str, seconds: float) -> ClamdNetworkSocket:
        host, _, port = address.rpartition(":")
        if port.isdecimal() and host:
            return ClamdNetworkSocket(host.strip("[]"), int(port), seconds)
        return ClamdUnixSocket(address, timeout=int(seconds))

    def _scan(self, address: str, path: Path) -> tuple[str, str | None]:
        with path.open("rb") as file:
            results = self._client(address, SECONDS).instream(file)
        return results.get("stream", ("no answer", None))

    def _missed(self, error: Exception) -> None:
        """Not scanned: clamd is away, or the file is longer than its StreamMaxLength."""
        self.is_away = True
        log.warning("clamd could not scan an upload", exc_info=error)
        if self._mode == "closed":
            raise errors.ScannerUnavailable() from error
