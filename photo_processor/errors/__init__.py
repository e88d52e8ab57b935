"""Every error a client can meet: a stable code, an HTTP status and a title.

The same class serves a refused request (as `application/problem+json`) and a failed file
(as its `error`). `detail` is written for people; the cause stays in `__cause__` and the log.
"""

from typing import ClassVar


class PhotoError(Exception):
    """What a client is told. `title`: what is wrong, in a sentence, where nothing more can be said."""

    title: ClassVar[str] = "The request could not be carried out."
    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    hint: ClassVar[str | None] = None
    transient: ClassVar[bool] = False
    retry_after: int | None = None  # seconds

    def __init__(self, detail: str | None = None, *, fields: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.fields = fields


class BadRequest(PhotoError):
    title = "The request could not be read."
    code = "bad_request"


class InvalidMultipart(BadRequest):
    title = "The upload is not valid multipart/form-data."
    code = "invalid_multipart"


class ValidationFailed(PhotoError):
    title = "A field of the request is not valid."
    code = "invalid_request"
    status = 422


class InvalidRecipe(ValidationFailed):
    title = "The recipe is not valid."
    code = "invalid_recipe"


class NoFiles(ValidationFailed):
    title = "The upload holds no files."
    code = "no_files"
    hint = "Send at least one photo or ZIP in the field 'files'."


class UnknownModel(ValidationFailed):
    title = "There is no model of that name."
    code = "unknown_model"
    hint = "GET /api/models lists the models."


class UnknownPreset(ValidationFailed):
    title = "There is no preset of that name."
    code = "unknown_preset"
    hint = "GET /api/presets lists the presets."


class TooSlow(PhotoError):
    title = "The request took too long to arrive."
    code = "too_slow"
    status = 408
    hint = "Try again over a better connection."


class NotFound(PhotoError):
    title = "There is nothing at this address."
    code = "not_found"
    status = 404


class MethodNotAllowed(PhotoError):
    title = "This address does not take that method."
    code = "method_not_allowed"
    status = 405


class JobNotFound(NotFound):
    title = "There is no such job."
    code = "job_not_found"


class FileNotFound(NotFound):
    title = "There is no such file in this job."
    code = "file_not_found"


class ResultNotFound(NotFound):
    title = "This file has no such result."
    code = "result_not_found"


class MaskNotFound(NotFound):
    title = "This file has no mask."
    code = "mask_not_found"
    hint = "Only photos whose background was removed have one."


class InvalidMask(PhotoError):
    title = "That is no mask for this photo."
    code = "invalid_mask"
    status = 422
    hint = "Send a PNG of the upright photo's shape: white where the subject is, black elsewhere."


class InvalidCrop(PhotoError):
    title = "The crop is not of use for the photo."
    code = "invalid_crop"
    status = 422


class Conflict(PhotoError):
    title = "That does not apply to the job in its present state."
    code = "conflict"
    status = 409


class ResultNotReady(Conflict):
    title = "This file is not finished yet."
    code = "result_not_ready"


class IdempotencyMismatch(Conflict):
    title = "This Idempotency-Key was used for another job."
    code = "idempotency_key_reused"


class NothingToPrint(Conflict):
    title = "No photo of this job is ready to be printed."
    code = "nothing_to_print"


class SheetTooSmall(ValidationFailed):
    title = "The photo does not fit on the paper."
    code = "sheet_too_small"
    hint = "Choose larger paper, or give width_mm and height_mm."


class TooManyPages(ValidationFailed):
    title = "That would be more sheets than are made at once."
    code = "too_many_pages"
    hint = "Ask for some of the files, or for fewer copies."


class PageNotFound(NotFound):
    title = "There are not so many sheets."
    code = "page_not_found"


class DownloadDisabled(Conflict):
    title = "This model cannot be downloaded here."
    code = "download_disabled"


class NotOptimizable(Conflict):
    title = "This model cannot be optimised here."
    code = "not_optimizable"


class OptimizerMissing(PhotoError):
    title = "What optimises a network is not installed on this server."
    code = "optimizer_missing"
    status = 501
    hint = "Install the extra on the server: pip install '.[optimize]'."


class DeviceUnavailable(PhotoError):
    title = "The device that this server is set to use is not there."
    code = "device_unavailable"
    status = 503
    hint = "Set PHOTO_DEVICE to auto or cpu, or install the device's driver and runtime."


class RequestTooLarge(PhotoError):
    title = "The request is larger than this server takes."
    code = "request_too_large"
    status = 413


class TooManyFiles(RequestTooLarge):
    title = "The request holds more files than this server takes at once."
    code = "too_many_files"


class FileTooLarge(RequestTooLarge):
    title = "The file is larger than this server takes."
    code = "file_too_large"


class TooManyPixels(RequestTooLarge):
    title = "The photo has more pixels than this server takes."
    code = "too_many_pixels"
    hint = "Make it smaller first, or raise PHOTO_MAX_MEGAPIXELS."


class TooManyFrames(RequestTooLarge):
    title = "The file has more frames or pages than this server processes."
    code = "too_many_frames"
    hint = "Ask for the first frame alone, or split the file."


class RangeNotSatisfiable(PhotoError):
    title = "The range lies behind the end."
    code = "range_not_satisfiable"
    status = 416


class UnsupportedFormat(PhotoError):
    title = "This is not a photo in a format that can be read here."
    code = "unsupported_format"
    status = 415
    hint = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and HEIC can be read."


class EmptyFile(ValidationFailed):
    title = "The file is empty."
    code = "empty_file"
    hint = "Copy it again from the camera or phone."


class BrokenImage(ValidationFailed):
    title = "The photo is damaged and cannot be read."
    code = "broken_image"
    hint = "Open it in another program, or copy it again from the camera."


class UnsafeDrawing(BrokenImage):
    title = "The drawing holds a script, or refers to something outside of it."
    code = "unsafe_drawing"
    hint = "Save it as plain SVG, with its pictures embedded."


class TruncatedImage(BrokenImage):
    title = "The photo ends half-way."
    code = "truncated_image"
    hint = "Copy it again from the camera or phone."


class InvalidArchive(ValidationFailed):
    title = "The ZIP is damaged and cannot be read."
    code = "invalid_archive"
    hint = "Make the ZIP again."


class UnsafeArchive(InvalidArchive):
    title = "The ZIP is not one that is safe to unpack."
    code = "unsafe_archive"
    hint = "Pack the photos alone, without nested ZIPs or links."


class EmptyArchive(InvalidArchive):
    title = "There are no photos in the ZIP."
    code = "empty_archive"
    hint = "Pack the photos themselves into the ZIP."


class EncryptedArchive(InvalidArchive):
    title = "The ZIP is protected by a password."
    code = "encrypted_archive"
    hint = "Pack the photos again without a password."


class BrokenArchiveEntry(InvalidArchive):
    title = "This entry of the ZIP is damaged."
    code = "broken_archive_entry"


class OutputTooLarge(ValidationFailed):
    title = "The result would have more pixels than this server makes, or than its format can hold."
    code = "output_too_large"
    hint = "Make the photo or the frame smaller; PNG and TIFF hold the longest sides."


class AssetNotFound(PhotoError):
    title = "The recipe names an uploaded picture that is not on this server."
    code = "asset_not_found"
    status = 422
    hint = "Upload it with POST /api/assets; pictures that no job used for a while are deleted."


class CropOutside(PhotoError):
    title = "The part to crop lies outside the photo."
    code = "crop_outside"
    status = 422
    hint = "Give the crop in percent where photos differ in size."


class NoFaceFound(PhotoError):
    title = "No face was found in the photo."
    code = "no_face"
    status = 422
    hint = "Choose a photo that shows the face from the front, or keep such photos uncropped."


class ModelUnavailable(PhotoError):
    title = "The model is not on this machine and could not be fetched."
    code = "model_unavailable"
    status = 503
    hint = "Put the model's file into the model folder, allow downloads, or choose the model 'auto'."


class ModelBroken(PhotoError):
    title = "The model's file could not be loaded."
    code = "model_broken"
    status = 500
    hint = "Delete the file from the model folder, so that it is fetched again."


class TimedOut(PhotoError):
    title = "The photo took longer than this server allows."
    code = "timed_out"
    status = 504


class CrashedWorker(PhotoError):
    title = "The server stopped three times while this photo was being processed."
    code = "crashed_worker"
    status = 500
    hint = "The photo may be damaged in a way that no program survives. Leave it out."


class Cancelled(PhotoError):
    title = "The job was cancelled."
    code = "cancelled"
    status = 409


class ResultLost(PhotoError):
    title = "The result has vanished from the server's disk."
    code = "result_lost"
    status = 500
    hint = "Try the photo again."


class SourceLost(PhotoError):
    title = "The uploaded photo has vanished from the server's disk."
    code = "source_lost"
    status = 410
    hint = "Upload it again."


class OutOfMemory(PhotoError):
    title = "The photo needs more memory than this server allows."
    code = "out_of_memory"
    status = 507
    hint = "Make the photo smaller first."


class QueueFull(PhotoError):
    title = "Too many jobs are waiting."
    code = "queue_full"
    status = 429
    hint = "Try again when some of them are done."


class Busy(PhotoError):
    title = "The server is busy with other requests of this kind."
    code = "busy"
    status = 429
    hint = "Try again in a moment."


class AllFilesFailed(PhotoError):
    title = "None of the photos could be processed."
    code = "all_files_failed"
    status = 422


class StorageFull(PhotoError):
    title = "The server's disk is full."
    code = "storage_full"
    status = 507
    transient = True
    hint = "Free some space on the server; waiting photos then go on."


class StorageUnavailable(PhotoError):
    title = "The server's data folder cannot be read or written."
    code = "storage_unavailable"
    status = 500
    transient = True


class DataFolderUnusable(PhotoError):
    title = "The data folder cannot be used."
    code = "data_folder_unusable"
    status = 507


class DataFolderForeign(DataFolderUnusable):
    title = "The data folder holds other things than this server's."
    code = "data_folder_foreign"
    hint = "Set PHOTO_DATA_DIR to a folder of its own, empty or new."


class SchemaUnknown(DataFolderUnusable):
    title = "The list of jobs has a form that this version does not know."
    code = "schema_unknown"
    hint = "Use the version that made it, or set PHOTO_DATA_DIR to another folder."


class DataFolderInUse(PhotoError):
    title = "Another server is already using this data folder."
    code = "data_folder_in_use"
    status = 500


class Draining(PhotoError):
    title = "The server is stopping and takes no new jobs."
    code = "draining"
    status = 503


class ForeignOrigin(PhotoError):
    title = "This page's address is not allowed to use the server."
    code = "foreign_origin"
    status = 403


class HostNotAllowed(PhotoError):
    title = "The server is not to be called by this name."
    code = "host_not_allowed"
    status = 421
    hint = "Call it by its address, or add the name to PHOTO_ALLOWED_HOSTS."


class VirusFound(ValidationFailed):
    title = "The virus scanner found something in this file."
    code = "virus_found"
    hint = "Do not open it. Scan the machine that it came from."


class ScannerUnavailable(PhotoError):
    title = "The virus scanner does not answer, and this server takes nothing unscanned."
    code = "scanner_unavailable"
    status = 503
    hint = "Try again in a minute."


class UrlIngestDisabled(PhotoError):
    title = "This server fetches no photos from URLs."
    code = "url_ingest_disabled"
    status = 403
    hint = "Send the photos themselves, or set PHOTO_URL_INGEST."


class UrlRefused(ValidationFailed):
    title = "This URL is not one to be fetched from here."
    code = "url_refused"


class UrlFailed(PhotoError):
    title = "The photo could not be fetched from its URL."
    code = "url_failed"
    status = 502
    hint = "Open the URL in a browser; then try again, or send the photo itself."


class KeyRequired(PhotoError):
    title = "This server wants a key."
    code = "key_required"
    status = 401
    hint = "Send it as 'Authorization: Bearer <key>' or 'X-Api-Key: <key>'. Whoever runs the server makes keys."


class KeyInvalid(PhotoError):
    title = "This key is not known here."
    code = "key_invalid"
    status = 401
    hint = "It may have been revoked. Whoever runs the server makes keys."


class ScopeMissing(PhotoError):
    title = "This key may not do that."
    code = "scope_missing"
    status = 403


class RateExceeded(PhotoError):
    title = "That were too many requests in too short a time."
    code = "rate_exceeded"
    status = 429

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(f"That were too many requests in too short a time. Try again in {retry_after} s.")
        self.retry_after = retry_after


class TooManyConnections(PhotoError):
    title = "This address has too many connections open."
    code = "too_many_connections"
    status = 503


class KeysUnreadable(PhotoError):
    title = "The server's file of keys cannot be read."
    code = "keys_unreadable"
    status = 500


class InternalError(PhotoError):
    title = "The server failed while working on this."
    code = "internal_error"
    status = 500
    hint = "The server's log says more."


def codes() -> dict[str, type[PhotoError]]:
    """Every error class by its code."""

    def below(cls: type[PhotoError]) -> list[type[PhotoError]]:
        return [cls, *(sub for child in cls.__subclasses__() for sub in below(child))]

    return {cls.code: cls for cls in below(PhotoError)}
