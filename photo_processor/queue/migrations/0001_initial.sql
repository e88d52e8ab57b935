CREATE TABLE jobs (
    id              TEXT PRIMARY KEY,
    number          INTEGER NOT NULL UNIQUE,            -- order of arrival
    name            TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN
                    ('receiving', 'queued', 'processing', 'paused', 'completed', 'failed', 'cancelled')),
    sealed          INTEGER NOT NULL CHECK (sealed IN (0, 1)),
    batch           INTEGER NOT NULL CHECK (batch IN (0, 1)),
    priority        INTEGER NOT NULL,                   -- 2 high, 1 normal, 0 batch
    recipe          TEXT NOT NULL,
    total           INTEGER NOT NULL DEFAULT 0,
    queued          INTEGER NOT NULL DEFAULT 0,
    running         INTEGER NOT NULL DEFAULT 0,
    succeeded       INTEGER NOT NULL DEFAULT 0,
    failed          INTEGER NOT NULL DEFAULT 0,
    review          INTEGER NOT NULL DEFAULT 0,         -- completed files to look at; kept by the triggers below
    turn            INTEGER NOT NULL DEFAULT 0,         -- when it was last served, for round robin
    seq             INTEGER NOT NULL DEFAULT 0,         -- number of its newest event
    idempotency_key TEXT UNIQUE,
    fingerprint     TEXT,                               -- of the request that used the key
    error           TEXT,
    created_at      REAL NOT NULL,                      -- seconds since 1970, as all times here
    updated_at      REAL NOT NULL,
    kept            INTEGER NOT NULL DEFAULT 0 CHECK (kept IN (0, 1)),  -- never expires
    apart           INTEGER NOT NULL DEFAULT 0 CHECK (apart IN (0, 1)), -- results depend on names: each copy is done
    waits           INTEGER NOT NULL DEFAULT 0 CHECK (waits IN (0, 1)), -- until it is sealed: labels need the list of names
    names           TEXT,                               -- what became of its list of names
    expires_at      REAL,
    CHECK (total >= queued + running + succeeded + failed),
    CHECK (queued >= 0 AND running >= 0)
) STRICT;

CREATE INDEX jobs_claimable ON jobs (priority DESC, turn, number)
    WHERE queued > 0 AND status IN ('receiving', 'queued', 'processing');
CREATE INDEX jobs_turn ON jobs (turn);
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE files (
    id           TEXT PRIMARY KEY,
    job_id       TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    name         TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('queued', 'processing', 'completed', 'failed', 'cancelled')),
    media_type   TEXT,
    size         INTEGER NOT NULL,
    sha256       TEXT,                                  -- of the source; null until an archive's entry is unpacked
    archive      TEXT,                                  -- SHA-256 of the ZIP that holds it
    entry        INTEGER,                               -- its place in the ZIP's directory
    width        INTEGER,
    height       INTEGER,
    engine       TEXT,
    faces        TEXT,
    crop         TEXT,                                  -- the part that was cut out
    wanted       TEXT,                                  -- the part that a person wants cut out
    review       TEXT NOT NULL DEFAULT '[]',
    keeps        INTEGER NOT NULL DEFAULT 0 CHECK (keeps IN (0, 1)),  -- done again with the mask and faces it has
    unscanned    INTEGER NOT NULL DEFAULT 0 CHECK (unscanned IN (0, 1)),  -- accepted while the virus scanner was away
    warnings     TEXT NOT NULL DEFAULT '[]',
    error        TEXT,
    duplicate_of TEXT,                                  -- the file of this job with the same bytes, which is done for both
    timings      TEXT NOT NULL DEFAULT '{}',
    mask         TEXT,                                  -- SHA-256 of its matte
    recipe       TEXT,                                  -- its own, where it was done again by another than the job's
    drawn        TEXT,                                  -- SHA-256 of the mask that a person drew
    thumbnail    TEXT,                                  -- SHA-256 of its thumbnail
    number       TEXT,                                  -- by the list of names, as the caption; null where that has none
    caption      TEXT,
    facts        TEXT,                                  -- what is known of the photo itself
    taken        TEXT,                                  -- by the camera's clock
    attempts     INTEGER NOT NULL DEFAULT 0,
    crash_count  INTEGER NOT NULL DEFAULT 0,
    token        TEXT,                                  -- of the claim that works on it
    available_at REAL NOT NULL DEFAULT 0,
    UNIQUE (job_id, position),
    CHECK ((status = 'processing') = (token IS NOT NULL))
) STRICT;

CREATE INDEX files_queued ON files (job_id, position) WHERE status = 'queued' AND duplicate_of IS NULL;
CREATE INDEX files_by_digest ON files (job_id, sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX files_duplicates ON files (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX files_running ON files (job_id) WHERE status = 'processing';
CREATE INDEX files_by_status ON files (job_id, status, position);

CREATE INDEX files_by_archive ON files (job_id, archive) WHERE archive IS NOT NULL;
CREATE INDEX files_by_mask ON files (job_id, mask) WHERE mask IS NOT NULL;
CREATE INDEX files_by_drawn ON files (job_id, drawn) WHERE drawn IS NOT NULL;
CREATE INDEX files_by_thumbnail ON files (job_id, thumbnail) WHERE thumbnail IS NOT NULL;

CREATE TRIGGER files_reviewed AFTER UPDATE OF status, review ON files
WHEN (new.status = 'completed' AND new.review <> '[]') <> (old.status = 'completed' AND old.review <> '[]')
BEGIN
    UPDATE jobs SET review = review + CASE WHEN new.status = 'completed' AND new.review <> '[]' THEN 1 ELSE -1 END
     WHERE id = new.job_id;
END;

CREATE TRIGGER files_review_deleted AFTER DELETE ON files WHEN old.status = 'completed' AND old.review <> '[]'
BEGIN
    UPDATE jobs SET review = review - 1 WHERE id = old.job_id;
END;

CREATE TABLE outputs (
    file_id  TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name     TEXT NOT NULL,
    format   TEXT NOT NULL,
    width    INTEGER NOT NULL,
    height   INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    sha256   TEXT NOT NULL,
    face     INTEGER,
    PRIMARY KEY (file_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX outputs_by_digest ON outputs (sha256);

CREATE TABLE deleted (                                  -- photos that were taken out of their job
    job_id   TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    file_id  TEXT NOT NULL,
    position INTEGER NOT NULL,
    seq      INTEGER NOT NULL,                          -- of the event that says so
    PRIMARY KEY (job_id, file_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE names (                                    -- rows of the lists of names that came with the photos
    job_id   TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    file     TEXT NOT NULL,
    number   TEXT NOT NULL,
    caption  TEXT NOT NULL,
    used     INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1)),
    PRIMARY KEY (job_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE additions (                                -- requests that added files under an Idempotency-Key
    job_id   TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    key      TEXT NOT NULL,
    file_ids TEXT NOT NULL,
    PRIMARY KEY (job_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    job_id  TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    type    TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;
