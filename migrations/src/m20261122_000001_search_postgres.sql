-- Words as they are, in lower case, without their marks (café is found as cafe), as on SQLite. A server
-- that has no unaccent finds them with their marks only.
CREATE TEXT SEARCH CONFIGURATION switchboard (COPY = simple)

DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS unaccent;
  ALTER TEXT SEARCH CONFIGURATION switchboard ALTER MAPPING FOR word, hword, hword_part WITH unaccent, simple;
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'unaccent is not available: %', SQLERRM;
END
$$

CREATE INDEX search_document_body ON search_document USING gin (to_tsvector('switchboard', body))
