"""multipart/form-data from the socket to disk: bounded memory, byte limits, digests on the way."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import parse_qsl

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from photo_processor import errors
from photo_processor.intake.file_names import clean_name, name_of_header
from photo_processor.intake.zip_reader import HEAD
from photo_processor.schemas import pointer
from photo_processor.settings import Settings
from photo_processor.storage.local import Storage, translated
from photo_processor.storage.received import Received

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

BATCH = 1 << 20  # bytes gathered before a thread writes them
MAX_FIELD_BYTES = 1 << 20
MAX_FIELDS = 50
MAX_HEADER_BYTES = 16_384  # of one part
URL_FIELDS = frozenset({"urls", "urls[]"})
FILE_FIELDS = frozenset({"files", "file", "files[]", "filepond", "filepond[]"})
NOISE = frozenset(  # text fields that uploading libraries send by themselves, beside the file
    {"relativePath", "type", "filepond", "filepond[]"}  # Uppy, FilePond
    | {"dzuuid", "dzchunkindex", "dztotalfilesize", "dzchunksize", "dztotalchunkcount", "dzchunkbyteoffset"}  # Dropzone
)


@dataclass(slots=True)
class Upload:
    """What a request brought. As a context manager, it deletes the files that nobody has moved away."""

    fields: dict[str, str] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)
    files: list[Received] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # fields with files that are none of `FILE_FIELDS`

    def __enter__(self) -> "Upload":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self.files:
            file.path.unlink(missing_ok=True)


class _Part:
    """The part of the body that is being read: a field's text, or a file."""

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.header_name = b""
        self.header_value = b""
        self.header_bytes = 0
        self.name = ""
        self.is_text = True
        self.text = bytearray()
        self.file: Received | None = None
        self.digest = hashlib.sha256()
        self.sink: BinaryIO | None = None


class UploadReader:
    """Reads one request's body into `upload`."""

    def __init__(self, storage: Storage, settings: Settings, upload: Upload) -> None:
        self._storage = storage
        self._settings = settings
        self._upload = upload
        self._part = _Part()
        self._waiting: list[tuple[BinaryIO, bytes]] = []
        self._waiting_bytes = 0
        self._open: list[BinaryIO] = []
        self._ended = False
        self._parts = 0

    async def read(self, content_type: str, stream: AsyncIterator[bytes]) -> None:
        """Read to the end of the body.

        Raises:
            errors.InvalidMultipart, errors.RequestTooLarge, errors.TooManyFiles, errors.StorageFull.
        """
        kind, options = parse_options_header(content_type)
        if kind == b"application/x-www-form-urlencoded":
            await self._read_fields(stream)
            return
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise errors.InvalidMultipart("Send multipart/form-data, with the photos in the field 'files'.")
        received = 0
        try:
            parser = MultipartParser(boundary, self._callbacks())
            async for chunk in stream:
                received += len(chunk)
                if received > self._settings.max_request_bytes:
                    limit = self._settings.max_request_bytes // 1_000_000
                    raise errors.RequestTooLarge(f"A request may have at most {limit} MB.")
                parser.write(chunk)
                if self._waiting_bytes >= BATCH:
                    await self._write()
            await self._write()
            parser.finalize()
        except MultipartParseError as error:
            raise errors.InvalidMultipart() from error
        finally:
            for sink in self._open:
                sink.close()
        if not self._ended:
            raise errors.InvalidMultipart("The upload ended half-way.")
        if self._upload.unknown:
            text = "There is no such field for files; send photos in 'files'."
            refused = errors.ValidationFailed if self._upload.files else errors.NoFiles
            raise refused(text, fields=((pointer((self._upload.unknown[0],)), text),))

    async def _read_fields(self, stream: AsyncIterator[bytes]) -> None:
        """A form without files, as clients send it where they have only fields."""
        body = b""
        async for chunk in stream:
            body += chunk
            if len(body) > MAX_FIELD_BYTES:
                raise errors.RequestTooLarge("The form is too long.")
        try:
            most = MAX_FIELDS + self._settings.max_request_files
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most)
        except ValueError as error:
            raise errors.BadRequest("The form cannot be read.") from error
        self._upload.fields.update(pair for pair in pairs if pair[0] not in URL_FIELDS)
        self._upload.urls += [text for name, text in pairs if name in URL_FIELDS]

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._part = _Part()
        self._parts += 1
        if self._parts > self._settings.max_request_files + MAX_FIELDS:
            raise errors.TooManyFiles("The upload has too many parts.")

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]
        self._count_header(end - start)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]
        self._count_header(end - start)

    def _count_header(self, size: int) -> None:
        self._part.header_bytes += size
        if self._part.header_bytes > MAX_HEADER_BYTES:
            raise errors.InvalidMultipart("A part's headers are too long.")

    def _header_end(self) -> None:
        part = self._part
        part.headers[part.header_name.lower()] = part.header_value
        part.header_name = part.header_value = b""

    def _headers_finished(self) -> None:
        part = self._part
        header = part.headers.get(b"content-disposition", b"")
        _, options = parse_options_header(header)
        if b"name" not in options:
            raise errors.InvalidMultipart("A part of the upload has no name.")
        part.name = options[b"name"].decode("utf-8", "replace")
        part.is_text = b"filename" not in header.lower()
        if part.is_text:
            if len(self._upload.fields) >= MAX_FIELDS:
                raise errors.InvalidMultipart("The upload has too many fields.")
            return
        filename = name_of_header(options.get(b"filename"), header)
        if not filename:  # a form's file input that nothing was chosen for
            return
        if part.name == "recipe":  # `curl -F recipe=@recipe.json` sends a file
            part.is_text = True
            return
        if part.name not in FILE_FIELDS:
            self._upload.unknown.append(part.name)
            return
        if len(self._upload.files) >= self._settings.max_request_files:
            raise errors.TooManyFiles(f"A request may have at most {self._settings.max_request_files} files.")
        part.file = Received(clean_name(filename), self._storage.incoming())
        self._upload.files.append(part.file)
        part.sink = part.file.path.open("wb")
        self._open.append(part.sink)

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        chunk = data[start:end]
        if not chunk:
            return
        if part.file is None or part.sink is None:
            if not part.is_text:
                return
            if len(part.text) + len(chunk) > MAX_FIELD_BYTES:
                raise errors.RequestTooLarge("A field of the upload is too long.")
            part.text += chunk
            return
        part.file.size += len(chunk)
        if len(part.file.head) < HEAD:
            part.file.head += chunk[: HEAD - len(part.file.head)]
        if part.file.error is None and part.file.size > self._limit(part.file):
            part.file.error = errors.FileTooLarge(
                f"A photo may have at most {self._settings.max_file_bytes // 1_000_000} MB."
            )
        if part.file.error is None:
            part.digest.update(chunk)
            self._waiting.append((part.sink, chunk))
            self._waiting_bytes += len(chunk)

    def _limit(self, file: Received) -> int:
        """Photos have a limit of their own; a ZIP may fill the request."""
        is_zip = file.head[:4] in (b"PK\x03\x04", b"PK\x05\x06")
        return self._settings.max_request_bytes if is_zip else self._settings.max_file_bytes

    def _end(self) -> None:
        part = self._part
        if part.file is not None and part.sink is not None:
            part.file.sha256 = part.digest.hexdigest()
            self._waiting.append((part.sink, b""))
        elif part.is_text:
            text = part.text.decode("utf-8", "replace")
            if part.name in URL_FIELDS:
                self._upload.urls.append(text)
            elif part.name == "dztotalchunkcount" and text not in ("", "1"):
                raise errors.ValidationFailed("Send each photo whole: pieces are not put together (chunking: false).")
            elif part.name not in NOISE:
                self._upload.fields[part.name] = text

    def _finish(self) -> None:
        self._ended = True

    async def _write(self) -> None:
        batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if batch:
            with translated():
                await asyncio.to_thread(_write_all, batch)


def _write_all(batch: list[tuple[BinaryIO, bytes]]) -> None:
    """Append each chunk to its file; no bytes mean that the file is whole."""
    for sink, chunk in batch:
        if chunk:
            sink.write(chunk)
        else:
            sink.close()
