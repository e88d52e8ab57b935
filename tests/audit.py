"""`make audit`: known weaknesses of what is installed, as the databases behind PyPI and npm know them.

Exit status: 0 none, or nobody could be asked, which is said; 1 some, which are listed.
"""

import json
import subprocess
import sys

from tests.server import ROOT

PATIENCE = 60  # seconds for each database
PYTHON = [
    sys.executable,
    "-m",
    "pip_audit",
    "--skip-editable",
    "--format=json",
    "--progress-spinner=off",
    "--timeout=5",
]
NPM = ["npm", "audit", "--json", "--prefix", "frontend"]


def answer(command: list[str]) -> dict[str, object] | None:
    """What the command says as JSON; None where it could not ask."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
        said = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, FileNotFoundError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def of_python(said: dict[str, object]) -> list[str] | None:
    """The weaknesses in pip-audit's answer; it skips what the database does not answer for."""
    packages = said.get("dependencies")
    known = [one for one in packages if "skip_reason" not in one] if isinstance(packages, list) else []
    if not known:
        return None
    return [f"{one['name']} {one['version']}: {bug['id']}" for one in known for bug in one["vulns"]]


def of_npm(said: dict[str, object]) -> list[str] | None:
    """The weaknesses in npm's answer."""
    found = said.get("vulnerabilities")
    if not isinstance(found, dict):
        return None
    return [f"{name}: {one['severity']}" for name, one in found.items()]


def main() -> int:
    found: list[str] = []
    for name, command, read in (("PyPI", PYTHON, of_python), ("npm", NPM, of_npm)):
        said = answer(command)
        faults = None if said is None else read(said)
        if faults is None:
            print(f"audit: {name}'s database could not be asked; nothing from there is audited")
        else:
            print(f"audit: {len(faults)} known weaknesses in what came from {name}")
            found += faults
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
