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
    turn            INTEGER NOT NULL DEFAULT 0,         -- when it was last served, for round robin
    seq             INTEGER NOT NULL DEFAULT 0,         -- number of its newest event
    idempotency_key TEXT UNIQUE,
    fingerprint     TEXT,                               -- of the request that used the key
    error           TEXT,
    created_at      REAL NOT NULL,                      -- seconds since 1970, as all times here
    updated_at      REAL NOT NULL,
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
    warnings     TEXT NOT NULL DEFAULT '[]',
    error        TEXT,
    duplicate_of TEXT,
    timings      TEXT NOT NULL DEFAULT '{}',
    mask         TEXT,                                  -- SHA-256 of its matte
    thumbnail    TEXT,                                  -- SHA-256 of its thumbnail
    attempts     INTEGER NOT NULL DEFAULT 0,
    crash_count  INTEGER NOT NULL DEFAULT 0,
    token        TEXT,                                  -- of the claim that works on it
    available_at REAL NOT NULL DEFAULT 0,
    UNIQUE (job_id, position),
    CHECK ((status = 'processing') = (token IS NOT NULL))
) STRICT;

CREATE INDEX files_queued ON files (job_id, position) WHERE status = 'queued';
CREATE INDEX files_running ON files (job_id) WHERE status = 'processing';
CREATE INDEX files_by_status ON files (job_id, status, position);

CREATE TABLE outputs (
    file_id  TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name     TEXT NOT NULL,
    format   TEXT NOT NULL,
    width    INTEGER NOT NULL,
    height   INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    sha256   TEXT NOT NULL,
    PRIMARY KEY (file_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    job_id  TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    type    TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;
