-- Contacts, companies, leads and deals as lists find them by a text: words in small letters, two spaces before each. A
-- follower of the log writes it, so that what comes in pays nothing for it. Its index of groups of three characters is
-- another on each database.
CREATE TABLE search_record (
  id {serial},
  -- 'contact', 'company', 'lead', 'deal'
  kind TEXT NOT NULL,
  object_id {id} NOT NULL,
  body TEXT NOT NULL
)

CREATE UNIQUE INDEX search_record_object ON search_record (object_id)

-- Lists of leads. Each index holds, after the order of the list, what the list may be narrowed to besides: going past
-- a hundred thousand leads of a line that came from elsewhere reads the index alone (9 ms), not each lead. The
-- indexes were there before; they are wider now, and none is added to what a submission writes.
DROP INDEX lead_created

CREATE INDEX lead_created ON lead (created_at, id, status)

DROP INDEX lead_operator

CREATE INDEX lead_operator ON lead (operator_id, created_at, id, status, source, line_id)

DROP INDEX lead_line

CREATE INDEX lead_line ON lead (line_id, created_at, id, status, source)

DROP INDEX lead_source

CREATE INDEX lead_source ON lead (source, created_at, id, status)

DROP INDEX lead_status

CREATE INDEX lead_status ON lead (status, created_at, id, source)

-- The report of one channel reads its time alone.
DROP INDEX lead_channel

CREATE INDEX lead_channel ON lead (channel_id, created_at, id)

-- Lists of deals of one pipeline, and the funnel: the deals of one pipeline in a time, of one operator or line.
CREATE INDEX deal_pipeline ON deal (pipeline_id, created_at, id, state, operator_id, line_id)

DROP INDEX deal_operator

CREATE INDEX deal_operator ON deal (operator_id, created_at, id, state, pipeline_id, line_id)

DROP INDEX deal_line

CREATE INDEX deal_line ON deal (line_id, created_at, id, state, pipeline_id)

DROP INDEX deal_state

CREATE INDEX deal_state ON deal (state, created_at, id, pipeline_id)

-- Totals of a state stay a question of the index alone.
DROP INDEX deal_totals

CREATE INDEX deal_totals ON deal (pipeline_id, stage_id, currency, operator_id, line_id, amount, state)

-- The list of contacts leaves out those who were merged: an index of who was not is of use to nobody, and SQLite took
-- it for the list.
DROP INDEX contact_merged_into

CREATE INDEX contact_merged_into ON contact (merged_into) WHERE merged_into IS NOT NULL

DROP INDEX contact_updated

CREATE INDEX contact_updated ON contact (updated_at, id, merged_into)

-- Companies of one operator stand by name, as all do.
DROP INDEX company_operator

CREATE INDEX company_operator ON company (operator_id, name_key)
