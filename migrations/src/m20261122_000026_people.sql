-- Companies grow from a name to a card.
ALTER TABLE company ADD COLUMN phones {json} NOT NULL DEFAULT '[]'

ALTER TABLE company ADD COLUMN emails {json} NOT NULL DEFAULT '[]'

ALTER TABLE company ADD COLUMN website TEXT

-- The number the state knows it by (ИНН, VAT, EIN), without spaces.
ALTER TABLE company ADD COLUMN tax_number TEXT

ALTER TABLE company ADD COLUMN fields {json} NOT NULL DEFAULT '{}'

ALTER TABLE company ADD COLUMN operator_id {id} REFERENCES operator (id) ON DELETE SET NULL

ALTER TABLE company ADD COLUMN version BIGINT NOT NULL DEFAULT 1

ALTER TABLE company ADD COLUMN updated_at {ts} NOT NULL DEFAULT '2026-11-22T00:00:00+00:00'

UPDATE company SET updated_at = created_at

CREATE INDEX company_operator ON company (operator_id, updated_at, id)

CREATE INDEX company_updated ON company (updated_at, id)

CREATE INDEX company_tax_number ON company (tax_number) WHERE tax_number IS NOT NULL

-- Lists of contacts by owner and by company stand in the order of their last change.
DROP INDEX contact_company

DROP INDEX contact_operator

CREATE INDEX contact_company ON contact (company_id, updated_at, id)

CREATE INDEX contact_operator ON contact (operator_id, updated_at, id)

-- How an identity came to be known: the kind of the channel that brought it, or 'hand'; null for those from before.
ALTER TABLE identity ADD COLUMN via TEXT

-- Who typed it.
ALTER TABLE identity ADD COLUMN added_by {id} REFERENCES operator (id) ON DELETE SET NULL

CREATE INDEX identity_added_by ON identity (added_by) WHERE added_by IS NOT NULL

-- Words on contacts, companies, leads and deals; the id says which it is.
CREATE TABLE object_tag (
  object_id {id} NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (object_id, tag)
)

CREATE INDEX object_tag_tag ON object_tag (tag, object_id)

-- Fields that admins define. Their values stand in the `fields` of the object, under `key`.
CREATE TABLE custom_field (
  id {id} PRIMARY KEY,
  -- 'contact', 'company', 'lead', 'deal'
  object TEXT NOT NULL,
  key TEXT NOT NULL,
  label TEXT NOT NULL,
  -- 'text', 'long_text', 'number', 'money', 'date', 'date_time', 'checkbox', 'select', 'multi_select', 'url', 'user'
  type TEXT NOT NULL,
  -- what may be chosen, as [{"value","label"}]
  options {json} NOT NULL,
  required BOOLEAN NOT NULL,
  position BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE UNIQUE INDEX custom_field_key ON custom_field (object, key)

-- Pairs somebody said are not the same person, the smaller id first: never suggested again.
CREATE TABLE contact_distinct (
  contact_id {id} NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  other_id {id} NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  created_at {ts} NOT NULL,
  PRIMARY KEY (contact_id, other_id)
)

CREATE INDEX contact_distinct_other ON contact_distinct (other_id)

CREATE INDEX contact_distinct_operator ON contact_distinct (operator_id)

-- One contact taken into another, with everything that undoing it needs.
CREATE TABLE contact_merge (
  id {id} PRIMARY KEY,
  into_id {id} NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  from_id {id} NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  -- what moved and what was changed, both before and after
  journal {json} NOT NULL,
  created_at {ts} NOT NULL,
  undone_at {ts},
  undone_by {id} REFERENCES operator (id) ON DELETE SET NULL
)

-- A contact is in one other at most.
CREATE UNIQUE INDEX contact_merge_standing ON contact_merge (from_id) WHERE undone_at IS NULL

CREATE INDEX contact_merge_from ON contact_merge (from_id, created_at)

CREATE INDEX contact_merge_into ON contact_merge (into_id, created_at)

CREATE INDEX contact_merge_operator ON contact_merge (operator_id)

CREATE INDEX contact_merge_undone_by ON contact_merge (undone_by)

-- Who changed what of a contact, a company or a lead. Null for the operator: not somebody by hand.
CREATE TABLE field_change (
  id {id} PRIMARY KEY,
  object_id {id} NOT NULL,
  -- a column's name, or 'fields.KEY'
  field TEXT NOT NULL,
  old {json},
  new {json},
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  at {ts} NOT NULL
)

CREATE INDEX field_change_object ON field_change (object_id, at, id)

CREATE INDEX field_change_operator ON field_change (operator_id)
