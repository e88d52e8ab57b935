"""Settings that are nonsense are refused in a sentence each."""

import math
from typing import get_args

import pytest
from annotated_types import Ge, Gt, Le, Lt

from photo_processor.settings import InvalidSettings, Settings

NONSENSE = [
    ("PORT", "abc"),
    ("PORT", "70000"),
    ("PORT", "-1"),
    ("HOST", "not a host"),
    ("WORKERS", "0"),
    ("KEEP_DAYS", "inf"),
    ("KEEP_DAYS", "nan"),
    ("KEEP_DAYS", "9999999"),
    ("KEEP_DAYS", "0"),
    ("MAX_FILE_BYTES", "1e99"),
    ("MEGAPIXELS_AT_ONCE", "inf"),
    ("MAX_ZIP_RATIO", "inf"),
    ("DATA_DIR", ""),
    ("DATA_DIR", "   "),
    ("MODEL_DIR", ""),
    ("CUSTOM_MODEL", ""),
    ("CLAMAV_SOCKET", ""),
    ("CLAMAV_SOCKET", "clamd"),
    ("CLAMAV_MODE", "ajar"),
    ("ALLOWED_HOSTS", "photos.lan"),
    ("ALLOWED_HOSTS", "a,b"),
    ("ALLOWED_HOSTS", '"photos.lan"'),
    ("ALLOWED_HOSTS", '{"photos.lan": 1}'),
    ("ALLOWED_HOSTS", "[1]"),
    ("ALLOWED_HOSTS", '["http://photos.lan/"]'),
    ("ALLOWED_ORIGINS", '["intranet.example"]'),
    ("ALLOWED_ORIGINS", '["https://intranet.example/app"]'),
    ("URL_NETWORKS", '["192.168.1.5/24"]'),
    ("RATE_LIMIT", "often"),
    ("LOG_LEVEL", "loud"),
    ("OFFLINE", "maybe"),
    ("NPM_REGISTRY", "registry"),
]


@pytest.mark.parametrize(("name", "value"), NONSENSE)
def test_nonsense_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PHOTO_{name}", value)
    with pytest.raises(InvalidSettings) as refused:
        Settings.load()
    (sentence,) = refused.value.faults
    assert sentence.startswith(f"PHOTO_{name} ")
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_every_fault_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTO_PORT", "x")
    monkeypatch.setenv("PHOTO_KEEP_DAYS", "inf")
    with pytest.raises(InvalidSettings) as refused:
        Settings.load()
    assert len(refused.value.faults) == 2


def test_every_number_has_a_range() -> None:
    for name, field in Settings.model_fields.items():
        types = {field.annotation, *get_args(field.annotation)}
        if bool in types or not types & {int, float}:
            continue
        assert any(isinstance(limit, Ge | Gt) for limit in field.metadata), name
        most = [
            limit.le if isinstance(limit, Le) else limit.lt for limit in field.metadata if isinstance(limit, Le | Lt)
        ]
        assert most, name
        assert all(math.isfinite(float(str(limit))) for limit in most), name


def test_sensible_values_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTO_ALLOWED_HOSTS", '["photos.lan", "xn--mller-kva.de"]')
    monkeypatch.setenv("PHOTO_ALLOWED_ORIGINS", '["https://a.example:8443", "null", "capacitor://localhost"]')
    monkeypatch.setenv("PHOTO_CLAMAV_SOCKET", "[::1]:3310")
    monkeypatch.setenv("PHOTO_RATE_LIMIT", "20/second;1000/minute")
    monkeypatch.setenv("PHOTO_HOST", "::1")
    settings = Settings.load()
    assert settings.allowed_hosts == ("photos.lan", "xn--mller-kva.de")
    assert settings.is_loopback
