ALTER TABLE files ADD COLUMN chosen INTEGER;            -- its place among the photos as a person chose them; null: as it came
ALTER TABLE files ADD COLUMN named  INTEGER NOT NULL DEFAULT 0 CHECK (named IN (0, 1));  -- number and caption are a person's
