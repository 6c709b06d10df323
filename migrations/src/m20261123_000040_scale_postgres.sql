-- The groups of three characters of a record, each once. (The extension pg_trgm would do as well; but it is not on
-- every server, and in a database of the C locale it knows no letters but A to Z.) It is dear, so that the planner asks the
-- index rather than each row.
CREATE FUNCTION search_groups(body TEXT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS
$$ SELECT array_agg(DISTINCT substr(body, place, 3)) FROM generate_series(1, length(body) - 2) AS place $$

CREATE FUNCTION search_record_forget() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN DELETE FROM search_record WHERE object_id = OLD.id; RETURN NULL; END $$
