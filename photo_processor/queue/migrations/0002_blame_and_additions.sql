ALTER TABLE files ADD COLUMN crashed_alone INTEGER NOT NULL DEFAULT 0;  -- times its process died with nothing else in hand
ALTER TABLE additions ADD COLUMN fingerprint TEXT;                      -- of the request that used the key

CREATE INDEX jobs_running ON jobs (id) WHERE running > 0;

UPDATE additions SET key = char(31) || key WHERE key GLOB 'url-[0-9]*';  -- URL intake's own keys: no header can hold one
