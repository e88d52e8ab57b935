ALTER TABLE files ADD COLUMN redoing  INTEGER NOT NULL DEFAULT 0 CHECK (redoing IN (0, 1));   -- done again: its results are the former ones
ALTER TABLE files ADD COLUMN undoable INTEGER NOT NULL DEFAULT 0 CHECK (undoable IN (0, 1));  -- what it was before is kept
ALTER TABLE files ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;  -- another number, other results
ALTER TABLE files ADD COLUMN accepted TEXT;             -- what a person said looks fine, and of which mask and crop

CREATE TABLE former (                                   -- what a photo was before it was done again
    file_id TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    slot    TEXT NOT NULL CHECK (slot IN ('redo', 'undo')),  -- comes back where that fails; one step back, afterwards
    job_id  TEXT NOT NULL,
    state   TEXT NOT NULL,                              -- its columns and outputs, as JSON
    PRIMARY KEY (file_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE former_blobs (                             -- what is stored of it
    job_id  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    key     TEXT NOT NULL,
    file_id TEXT NOT NULL,
    slot    TEXT NOT NULL,
    PRIMARY KEY (job_id, kind, key, file_id, slot),
    FOREIGN KEY (file_id, slot) REFERENCES former (file_id, slot) ON DELETE CASCADE ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX former_blobs_by_file ON former_blobs (file_id, slot);
