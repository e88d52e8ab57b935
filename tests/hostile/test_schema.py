"""Strangers' calls drawn from the OpenAPI document by schemathesis: no 5xx, nothing that the document does not tell."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.hostile.harness import healthy
from tests.server import Server

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def test_no_call_drawn_from_the_document_surprises(start_server: Callable[..., Server], tmp_path: Path) -> None:
    server = start_server(offline="true", allowed_hosts="[]")
    program = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/openapi.json"]
    options = ["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", "1"]
    run = subprocess.run([*program, *options], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout[-6000:]
    assert "Traceback" not in server.log.read_text()
    healthy(server)


def test_document_says_how_errors_look_and_how_to_show_a_key(server: Server) -> None:
    document = server.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status in ("4XX", "5XX"):
                assert set(operation["responses"][status]["content"]) == {"application/problem+json"}, (method, path)
            assert "422" not in operation["responses"]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "header"}
