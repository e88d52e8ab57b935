"""The audit lists what is known, and says where nobody could be asked."""

import pytest

from tests import audit

PACKAGES = {
    "dependencies": [
        {"name": "sound", "version": "1.0", "vulns": []},
        {"name": "weak", "version": "2.0", "vulns": [{"id": "PYSEC-1"}]},
        {"name": "own", "skip_reason": "not found"},
    ]
}


def test_weaknesses_are_listed_by_package() -> None:
    assert audit.of_python(PACKAGES) == ["weak 2.0: PYSEC-1"]
    assert audit.of_npm({"vulnerabilities": {"left": {"severity": "high"}}}) == ["left: high"]
    assert audit.of_npm({"vulnerabilities": {}}) == []


@pytest.mark.parametrize("said", [{}, {"dependencies": [{"name": "own", "skip_reason": "not found"}]}])
def test_database_that_answers_for_nothing_was_not_asked(said: dict[str, object]) -> None:
    assert audit.of_python(said) is None


def test_database_that_does_not_answer_was_not_asked() -> None:
    assert audit.of_npm({"message": "405 Method Not Allowed"}) is None
    assert audit.answer(["python3", "-c", "print('no JSON')"]) is None
    assert audit.answer(["there-is-no-such-program"]) is None
