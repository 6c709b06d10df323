-- A 1C, or another program that speaks CommerceML, that sends orders and counterparties.
CREATE TABLE commerce_exchange (
  id {id} PRIMARY KEY,
  name TEXT NOT NULL,
  -- In its address.
  key TEXT NOT NULL UNIQUE,
  user_name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  -- What is taken, into which pipeline, and what its states mean.
  options {json} NOT NULL,
  -- When it last signed in; when a file was last taken in; why one was not.
  seen_at {ts},
  last_success_at {ts},
  last_error TEXT,
  last_error_at {ts},
  created_by {id} REFERENCES operator (id) ON DELETE SET NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE INDEX commerce_exchange_created_by ON commerce_exchange (created_by)

-- A file it sends, in parts.
CREATE TABLE commerce_file (
  id {id} PRIMARY KEY,
  exchange_id {id} NOT NULL REFERENCES commerce_exchange (id) ON DELETE CASCADE,
  -- One exchange from sign-in to its end; the file's own id once it is over and the name is free again.
  sitting TEXT NOT NULL,
  name TEXT NOT NULL,
  -- 'receiving', 'waiting' (all of it is here), 'unpacked' (its files are rows of their own), 'done', 'failed'.
  state TEXT NOT NULL,
  size BIGINT NOT NULL,
  parts BIGINT NOT NULL,
  -- Of the last part, to know one that is sent again because our answer was lost.
  last_hash TEXT,
  -- Things of it that were looked at; what became of them.
  "cursor" BIGINT NOT NULL,
  counts {json} NOT NULL,
  error TEXT,
  -- Taken for whole when nothing more came until then.
  due_at {ts},
  created_at {ts} NOT NULL,
  finished_at {ts}
)

CREATE UNIQUE INDEX commerce_file_once ON commerce_file (exchange_id, sitting, name)

CREATE INDEX commerce_file_list ON commerce_file (exchange_id, id)

CREATE INDEX commerce_file_open ON commerce_file (state, id) WHERE state IN ('receiving', 'waiting')

CREATE TABLE commerce_part (
  file_id {id} NOT NULL REFERENCES commerce_file (id) ON DELETE CASCADE,
  "number" BIGINT NOT NULL,
  storage_key TEXT NOT NULL,
  PRIMARY KEY (file_id, "number")
)

CREATE INDEX commerce_part_key ON commerce_part (storage_key)

-- What of a file could not be taken.
CREATE TABLE commerce_fault (
  file_id {id} NOT NULL REFERENCES commerce_file (id) ON DELETE CASCADE,
  "number" BIGINT NOT NULL,
  -- What a person finds it by there: the number of an order, the id of a counterparty.
  known_as TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (file_id, "number")
)

-- Which order is which deal, which counterparty is whom. One whose deal, company or contact was removed here stays, so
-- that it is not made again.
CREATE TABLE commerce_link (
  id {id} PRIMARY KEY,
  exchange_id {id} NOT NULL REFERENCES commerce_exchange (id) ON DELETE CASCADE,
  -- 'order' or 'party'.
  kind TEXT NOT NULL,
  external_id TEXT NOT NULL,
  deal_id {id} REFERENCES deal (id) ON DELETE SET NULL,
  company_id {id} REFERENCES company (id) ON DELETE SET NULL,
  contact_id {id} REFERENCES contact (id) ON DELETE SET NULL,
  -- Of what was last said of it, so that what did not change is passed over.
  digest TEXT,
  -- The order as it was last said, without its customer.
  document {json},
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE UNIQUE INDEX commerce_link_once ON commerce_link (exchange_id, kind, external_id)

CREATE INDEX commerce_link_deal ON commerce_link (deal_id) WHERE deal_id IS NOT NULL

CREATE INDEX commerce_link_company ON commerce_link (company_id) WHERE company_id IS NOT NULL

CREATE INDEX commerce_link_contact ON commerce_link (contact_id) WHERE contact_id IS NOT NULL
