"""Clients that submit, add, cancel, delete, redo, download, clean and listen, while the server is killed again and
again; then exact accounts of rows, events, files and ZIPs."""

import io
import json
import random
import socket
import sqlite3
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.server import FINAL, NO_TLS, Json, Server
from tests.soak.accounts import faults_of_disk, faults_of_rows

SECONDS = 1_200.0
KILL_EVERY = (20.0, 40.0)  # seconds
SUBMITTERS, ADDERS = 3, 2
QUIET_SHARE = 0.1  # of the time, at the end, without a kill: memory and descriptors are measured
MORE_BYTES, MORE_FILES = 60_000_000, 24  # that the quiet time may take
PATIENCE = 180.0  # seconds that a request may be tried for, and a job may take
ZIPS = 60  # looked into at the end
BROKEN = "broken"  # begins the names of photos that cannot be read


@dataclass
class Account:
    """What a client knows of its job: the names of its photos, and what was done to it."""

    names: list[str]
    deleted: bool = False
    cancelled: bool = False
    redone: bool = False


@dataclass
class Soak:
    """The server, what all clients know of it, and what went wrong."""

    server: Server
    until: float
    jobs: dict[str, Account] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def running(self) -> bool:
        return time.monotonic() < self.until

    def fault(self, text: str) -> None:
        with self.lock:
            self.broken.append(text)

    def ask(self, client: httpx.Client, method: str, path: str, **arguments: object) -> httpx.Response:
        """The answer, asked for until there is one: the server may be dead at any moment, or busy."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(httpx.TransportError):
                answer = client.request(method, self.server.url + path, **arguments)  # type: ignore[arg-type]
                if answer.status_code not in (429, 503):
                    if answer.status_code >= 500:
                        self.fault(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
                    self.counts["requests"] += 1
                    return answer
            if time.monotonic() > deadline:
                raise TimeoutError(f"{method} {path}")
            time.sleep(0.1)


def photo(rng: random.Random, name: str) -> tuple[str, bytes]:
    """A small photo; one in a few is a copy of another, one in a few cannot be read."""
    seed = rng.randrange(40) if rng.random() < 0.3 else rng.randrange(10**9)
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8)).save(data, "JPEG")
    return (f"{BROKEN}-{name}", data.getvalue()[:600]) if rng.random() < 0.05 else (name, data.getvalue())


def recipe(rng: random.Random) -> Json:
    return {"operations": [{"op": "resize", "width": rng.randint(20, 60)}], "outputs": [{"name": "f", "format": "png"}]}


def batch(rng: random.Random, begin: int = 0) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", photo(rng, f"{begin + number}.jpg")) for number in range(rng.randint(1, 5))]


def names_of(files: list[tuple[str, tuple[str, bytes]]]) -> list[str]:
    return [name for _, (name, _) in files]


def submit(soak: Soak, client: httpx.Client, rng: random.Random) -> None:
    """A job at once, and something done to it."""
    files = batch(rng)
    data, key = {"recipe": json.dumps(recipe(rng))}, {"Idempotency-Key": f"{rng.getrandbits(64)}"}
    job = soak.ask(client, "POST", "/api/jobs", files=files, data=data, headers=key).json()["id"]
    soak.jobs[job] = Account(names_of(files))
    if rng.random() < 0.3:
        listen(soak, job)
    deed = rng.choice([wait, cancel, delete, redo, redo_some, delete_photo, download, wait])
    deed(soak, client, rng, job)


def add(soak: Soak, client: httpx.Client, rng: random.Random) -> None:
    """An open job that gets its photos in pieces, each sent until it is taken."""
    data, key = {"recipe": json.dumps(recipe(rng))}, {"Idempotency-Key": f"{rng.getrandbits(64)}"}
    job = soak.ask(client, "POST", "/api/jobs?open=true", data=data, headers=key).json()["id"]
    account = soak.jobs[job] = Account([])
    for number in range(rng.randint(1, 4)):
        files = batch(rng, 10 * number)
        path, key = f"/api/jobs/{job}/files", {"Idempotency-Key": f"part-{number}"}
        if soak.ask(client, "POST", path, files=files, headers=key).status_code == 202:
            account.names += names_of(files)
        if rng.random() < 0.2:
            soak.ask(client, "POST", f"/api/jobs/{job}/pause")
            soak.ask(client, "POST", f"/api/jobs/{job}/resume")
    soak.ask(client, "POST", f"/api/jobs/{job}/seal")
    if rng.random() < 0.3:
        soak.ask(client, "POST", f"/api/jobs/{job}/files", files=batch(rng))  # refused: it leaves nothing
    wait(soak, client, rng, job)


def clean(soak: Soak, client: httpx.Client, rng: random.Random) -> None:
    report = soak.ask(client, "POST", "/api/cleanup", params={"dry_run": rng.choice(["true", "false"])}).json()
    soak.counts["cleanups"] += 1
    needed = {job for job, account in list(soak.jobs.items()) if not account.deleted}
    known = {folder["name"] for folder in report["orphans"]} & needed  # others a kill left of an upload or a deletion
    if report["lost"] or report["jobs"] or known:
        soak.fault(f"a cleanup took what is needed: {json.dumps(report)[:300]}")
    time.sleep(rng.uniform(0, 0.5))


# --- what is done to a job ---


def wait(soak: Soak, client: httpx.Client, _: random.Random, job: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while soak.ask(client, "GET", f"/api/jobs/{job}").json()["status"] not in FINAL:
        if time.monotonic() > deadline:
            soak.fault(f"job {job} does not end")
            return
        time.sleep(0.05)


def cancel(soak: Soak, client: httpx.Client, _: random.Random, job: str) -> None:
    if soak.ask(client, "POST", f"/api/jobs/{job}/cancel").status_code == 200:
        soak.jobs[job].cancelled = True


def delete(soak: Soak, client: httpx.Client, rng: random.Random, job: str) -> None:
    time.sleep(rng.uniform(0, 0.1))
    soak.jobs[job].deleted = True
    soak.ask(client, "DELETE", f"/api/jobs/{job}")


def redo(soak: Soak, client: httpx.Client, rng: random.Random, job: str) -> None:
    wait(soak, client, rng, job)
    soak.jobs[job].redone = True
    for _ in range(rng.randint(1, 3)):
        soak.ask(client, "POST", f"/api/jobs/{job}/reprocess", json=recipe(rng))
        step = rng.choice([wait, undo, cancel])
        step(soak, client, rng, job)
        wait(soak, client, rng, job)


def undo(soak: Soak, client: httpx.Client, rng: random.Random, job: str) -> None:
    """Back to the former results, or back again, while some are still being made."""
    time.sleep(rng.uniform(0, 0.2))
    soak.ask(client, "POST", f"/api/jobs/{job}/undo")


def redo_some(soak: Soak, client: httpx.Client, rng: random.Random, job: str) -> None:
    wait(soak, client, rng, job)
    soak.jobs[job].redone = True
    files = soak.ask(client, "GET", f"/api/jobs/{job}/files").json()["files"]
    ids = [file["id"] for file in files if file["status"] == "completed"][:2]
    if ids:
        soak.ask(client, "POST", f"/api/jobs/{job}/reprocess", json={**recipe(rng), "files": ids})
    wait(soak, client, rng, job)


def delete_photo(soak: Soak, client: httpx.Client, rng: random.Random, job: str) -> None:
    file = rng.choice(soak.ask(client, "GET", f"/api/jobs/{job}/files").json()["files"])
    soak.ask(client, "DELETE", f"/api/jobs/{job}/files/{file['id']}")
    soak.jobs[job].names.remove(file["name"])


def download(soak: Soak, client: httpx.Client, rng: random.Random, job: str) -> None:
    wait(soak, client, rng, job)
    if fault := fault_of_zip(soak, client, job):
        soak.fault(fault)


def fault_of_zip(soak: Soak, client: httpx.Client, job: str) -> str | None:
    """What is wrong with the ZIP of a job that has ended."""
    data = soak.ask(client, "GET", f"/api/jobs/{job}/download").content
    progress = soak.ask(client, "GET", f"/api/jobs/{job}").json()["progress"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pictures = [name for name in archive.namelist() if name.endswith(".png")]
        if archive.testzip() or len(pictures) != progress["succeeded"]:
            return f"the ZIP of {job} has {len(pictures)} pictures of {progress['succeeded']}"
    return None


def listen(soak: Soak, job: str) -> None:
    """Follow the job in a thread: the numbers of its messages never fall."""

    def follow() -> None:
        last = 0
        url = f"{soak.server.url.replace('http', 'ws', 1)}/ws/job/{job}"
        with suppress(WebSocketException, OSError), connect(url, open_timeout=20) as messages:
            for text in messages:
                seq = json.loads(text)["seq"]
                if seq < last:
                    soak.fault(f"job {job}: message {seq} after {last}")
                last = seq
                soak.counts["messages"] += 1

    threading.Thread(target=follow, daemon=True).start()


# --- the whole ---


def run(folder: Path, seconds: float = SECONDS, kill_every: tuple[float, float] = KILL_EVERY) -> list[str]:
    """What was broken; prints the figures."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server(folder / "data", folder / "models", offline="true", workers="2", port=str(port)).start()
    soak = Soak(server, time.monotonic() + seconds)
    deeds = [submit] * SUBMITTERS + [add] * ADDERS + [clean]
    clients = [threading.Thread(target=_client, args=(soak, deed, number)) for number, deed in enumerate(deeds)]
    for client in clients:
        client.start()
    kills = _kill(soak, soak.until - QUIET_SHARE * seconds, kill_every)
    used = [_use(server.process.pid)]
    for client in clients:
        client.join()
    used.append(_use(server.process.pid))
    soak.broken += _accounts(soak)
    server.stop()
    if any(later - first > most for first, later, most in zip(*used, (MORE_BYTES, MORE_FILES), strict=True)):
        soak.fault(f"memory and descriptors grew from {used[0]} to {used[1]}")
    photos = sum(len(account.names) for account in soak.jobs.values())
    print(f"{seconds:.0f} s, {kills} kills, {len(soak.jobs)} jobs with {photos} photos, {dict(soak.counts)}")
    print(f"bytes of memory and descriptors: {used[0]}, then {used[1]} at the end")
    return soak.broken


def _client(soak: Soak, deed: Callable[[Soak, httpx.Client, random.Random], None], number: int) -> None:
    rng = random.Random(number)
    with httpx.Client(timeout=60, verify=NO_TLS) as client:
        while soak.running():
            try:
                deed(soak, client, rng)
            except Exception as error:
                soak.fault(f"{deed.__name__}: {error!r}")


def _kill(soak: Soak, until: float, every: tuple[float, float]) -> int:
    """Kill the server and start it again until then; how often."""
    rng, kills = random.Random(99), 0
    while (left := until - time.monotonic()) > every[0]:
        time.sleep(min(rng.uniform(*every), left))
        soak.server.kill()
        soak.server.start()
        kills += 1
    time.sleep(max(0.0, until - time.monotonic()))
    return kills


def _use(pid: int) -> tuple[int, int]:
    """Bytes of memory and open descriptors of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    memory = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
    return memory, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _accounts(soak: Soak) -> list[str]:
    """What rows, events, files and ZIPs say, after one more start and a cleanup."""
    broken: list[str] = []
    kept = {job: account for job, account in soak.jobs.items() if not account.deleted}
    with httpx.Client(timeout=60, verify=NO_TLS) as client:
        for job in kept:
            wait(soak, client, random.Random(), job)
        soak.server.stop()
        soak.server.start()
        for _ in range(2):  # the second finds nothing
            report = soak.ask(client, "POST", "/api/cleanup").json()
            broken += [f"lost: {lost}" for lost in report["lost"]]
        broken += [f"a second cleanup found {report['loose'] or report['orphans']}"] * bool(
            report["loose"] or report["orphans"]
        )
        whole = [job for job, account in kept.items() if not account.cancelled][:ZIPS]
        broken += [fault for job in whole if (fault := fault_of_zip(soak, client, job))]
    names = {job: sorted(account.names) for job, account in kept.items()}
    once = {job for job, account in kept.items() if not (account.redone or account.cancelled)}
    cancelled = {job for job, account in kept.items() if account.cancelled}
    with closing(sqlite3.connect(f"file:{soak.server.data}/queue.db?mode=ro", uri=True)) as database:
        broken += faults_of_rows(database, names, once, cancelled, BROKEN)
        broken += faults_of_disk(database, soak.server.data)
    return broken
