-- How far a channel that fetches is behind its provider. looked_at: when it looked there last with success;
-- null for a channel that is pushed to. behind_since: when the oldest event arrived there that is known and
-- not taken yet; null when none is.

ALTER TABLE channel ADD COLUMN looked_at {ts}

ALTER TABLE channel ADD COLUMN behind_since {ts}
