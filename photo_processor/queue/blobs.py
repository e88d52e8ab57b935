"""Which stored blobs no row refers to any more. They are deleted once that is committed, never before."""

import json
from collections.abc import Iterable
from sqlite3 import Row

from photo_processor.queue.database import Transaction
from photo_processor.schemas import Blob, all_reduced, reference_of

AT_ONCE = 200  # blobs deleted after one transaction: the queue waits meanwhile


def blobs_of(files: Iterable[Row]) -> list[Blob]:
    """What the rows of files refer to beside their sources: masks and thumbnails."""
    columns = (("mask", "mask"), ("drawn", "mask"), ("thumbnail", "thumbnail"))
    return [Blob(kind, row[column]) for row in files for column, kind in columns if row[column]]  # type: ignore[arg-type]


def results_of(tx: Transaction, ids: Iterable[str]) -> list[Blob]:
    """The results of files."""
    return [Blob("result", row["sha256"]) for row in tx.all("results_of_files", ids=json.dumps(list(ids)))]


def loosen(tx: Transaction, job_id: str, blobs: Iterable[Blob]) -> list[Blob]:
    """Have those of `blobs` deleted, after the commit, that no row refers to now; of a result, its previews as well.

    Returns what goes.
    """
    every = dict.fromkeys(blobs)
    if not every:
        return []
    every |= dict.fromkeys(made for blob in every if blob.kind == "result" for made in all_reduced("result", blob.name))
    references = {blob: reference_of(blob) for blob in every}
    unused = {
        (row["kind"], row["key"])
        for row in tx.all("unused_references", job_id=job_id, references=json.dumps(list(set(references.values()))))
    }
    gone = [blob for blob, reference in references.items() if reference in unused]
    tx.discard(job_id, gone)
    return gone
