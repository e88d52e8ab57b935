"""Which addresses are public."""

from ipaddress import ip_address

import pytest

from photo_processor import errors
from photo_processor.intake.ssrf_guard import CheckedNetwork, is_public
from photo_processor.intake.url_fetcher import checked_url, parse_urls, url_name

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"]
LOCAL = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",  # CGNAT
    "127.0.0.1",
    "127.255.0.9",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",  # compatible
    "::ffff:127.0.0.1",  # mapped
    "::ffff:1.1.1.1",
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b:1::1",
    "2002:7f00:1::",  # 6to4
    "2001:0:7f00:1::",  # Teredo
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "100::1",
    "5f00::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", LOCAL)
async def test_local_or_embedded_address_is_not_connected_to(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(errors.UrlRefused):
        await CheckedNetwork(()).connect_tcp(address, 80, timeout=1)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "017700000001", "127.1", "localhost", "0"])
async def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    with pytest.raises(errors.UrlRefused):
        await CheckedNetwork(()).connect_tcp(host, 80, timeout=5)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/a.jpg",
        "gopher://example.com/",
        "data:image/png;base64,AAAA",
        "//example.com/a.jpg",
        "http:///a.jpg",
        "http://user@example.com/a.jpg",
        "http://user:pass@example.com/a.jpg",
        "http://example.com:25/a.jpg",
        "http://example.com:99999/a.jpg",
        "http://[::1/a.jpg",
        "http://example.com/a b.jpg",
        "http://example.com/a\r\nX: y",
        "http://exa mple.com/" + "a" * 3000,
        "",
    ],
)
def test_url_that_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(errors.UrlRefused):
        checked_url(url)


def test_url_keeps_its_host_port_and_query() -> None:
    url = checked_url("HTTPS://Müller.example:8443/a%20b.jpg?x=1#frag")
    assert (url.scheme, url.host, url.port, url.target) == (b"https", b"xn--mller-kva.example", 8443, b"/a%20b.jpg?x=1")


def test_name_is_the_last_part_of_the_path() -> None:
    assert url_name("https://a.example/x/photo%201.jpg?size=5") == "photo 1.jpg"
    assert url_name("https://a.example/%2e%2e%2fetc") == "etc"
    assert url_name("https://a.example/") == "unnamed"


def test_urls_come_one_a_field_or_as_a_list() -> None:
    assert parse_urls(["http://a/1", '["http://a/2", "http://a/3"]', " "], 3) == (
        "http://a/1",
        "http://a/2",
        "http://a/3",
    )
    with pytest.raises(errors.TooManyFiles):
        parse_urls(["a", "b"], 1)
    for text in ("[", "[1]", '["a", null]', "[" * 50_000):
        with pytest.raises(errors.ValidationFailed):
            parse_urls([text], 5)
