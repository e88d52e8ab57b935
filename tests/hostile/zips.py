"""Hostile ZIPs, made byte by byte."""

import io
import struct
import zipfile
import zlib

from tests.hostile.photos import photo


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of (name, bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data, compression)
    return out.getvalue()


def info(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    """An entry whose Unix mode is `mode`."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = mode << 16
    return entry


def local(name: bytes, packed: bytes, size: int, crc: int, method: int = 8, flags: int = 0) -> bytes:
    head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, flags, method, 0, 33, crc, len(packed), size, len(name), 0)
    return head + name + packed


def central(name: bytes, packed: int, size: int, crc: int, offset: int, method: int = 8, flags: int = 0) -> bytes:
    numbers = (20, 20, flags, method, 0, 33, crc, packed, size, len(name), 0, 0, 0, 0, 0, offset)
    return struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", *numbers) + name


def end(count: int, size: int, offset: int) -> bytes:
    return struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, size, offset, 0)


def quine_like_bomb(entries: int = 250) -> bytes:
    """Many entries whose spans all end in one and the same deflated kernel of 100 MB of zeros (Fifield, 2019)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = packer.compress(bytes(100_000_000)) + packer.flush()
    crc = zlib.crc32(bytes(100_000_000))
    body = local(b"0.png", kernel, 100_000_000, crc)
    directory = b"".join(central(b"%d.png" % n, len(kernel), 100_000_000, crc, 0) for n in range(entries))
    return body + directory + end(entries, len(directory), len(body))


def overlapping_small() -> bytes:
    """Two names for one span of a real photo."""
    data = photo()
    body = local(b"a.jpg", data, len(data), zlib.crc32(data), 0)
    twice = (central(name, len(data), len(data), zlib.crc32(data), 0, 0) for name in (b"a.jpg", b"b.jpg"))
    directory = b"".join(twice)
    return body + directory + end(2, len(directory), len(body))


def into_directory() -> bytes:
    """An entry that says it goes on into the directory."""
    data = photo()
    body = local(b"a.jpg", data, len(data), zlib.crc32(data), 0)
    directory = central(b"a.jpg", len(data) + 20, len(data) + 20, 0, 0, 0)
    return body + directory + end(1, len(directory), len(body))


def nested(depth: int = 6, width: int = 16) -> bytes:
    """ZIPs in ZIPs, as 42.zip has them."""
    data = zipped(("0.bin", bytes(10_000_000)))
    for _ in range(depth - 1):
        data = zipped(*((f"{number}.zip", data) for number in range(width)))
    return data


def many_entries(count: int) -> bytes:
    """So many empty entries."""
    body = local(b"a.jpg", b"", 0, 0, 0)
    directory = b"".join(central(b"%06d.jpg" % number, 0, 0, 0, 0, 0) for number in range(count))
    return body + directory + end(count, len(directory), len(body))


def encrypted() -> bytes:
    """One entry under a password, one plain photo."""
    data = photo()
    secret, plain = (
        local(b"secret.jpg", data, len(data), 1, 0, 1),
        local(b"plain.jpg", data, len(data), zlib.crc32(data), 0),
    )
    directory = central(b"secret.jpg", len(data), len(data), 1, 0, 0, 1)
    directory += central(b"plain.jpg", len(data), len(data), zlib.crc32(data), len(secret), 0)
    return secret + plain + directory + end(2, len(directory), len(secret + plain))


def wrong_crc() -> bytes:
    """A photo whose checksum is not its own, and a good one."""
    data = photo()
    bad, good = local(b"bad.jpg", data, len(data), 1, 0), local(b"good.jpg", data, len(data), zlib.crc32(data), 0)
    directory = central(b"bad.jpg", len(data), len(data), 1, 0, 0)
    directory += central(b"good.jpg", len(data), len(data), zlib.crc32(data), len(bad), 0)
    return bad + good + directory + end(2, len(directory), len(bad + good))


def lying_size() -> bytes:
    """An entry that says it holds 100 bytes, and unpacks to 100 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(photo("PNG") + bytes(100_000_000)) + packer.flush()
    body = local(b"a.png", packed, 100, 1)
    directory = central(b"a.png", len(packed), 100, 1, 0)
    return body + directory + end(1, len(directory), len(body))
