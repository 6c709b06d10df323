-- One schema for both databases. {id} {key} {ts} {json} {bytes} {serial} are the types that differ (see lib.rs).
-- Statements are separated by a blank line.

-- People inside ---------------------------------------------------------------------------------

CREATE TABLE operator (
  id {id} PRIMARY KEY,
  email TEXT,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  password_hash TEXT,
  languages {json} NOT NULL,
  skills {json} NOT NULL,
  capacity DOUBLE PRECISION NOT NULL,
  enabled BOOLEAN NOT NULL,
  availability TEXT NOT NULL,
  availability_reason TEXT,
  -- what observers were last told, so that a lapsed lease is announced once
  presence TEXT NOT NULL,
  service BOOLEAN NOT NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL
)

CREATE UNIQUE INDEX operator_email ON operator (email)

CREATE TABLE team (
  id {id} PRIMARY KEY,
  name TEXT NOT NULL,
  created_at {ts} NOT NULL
)

CREATE TABLE team_member (
  team_id {id} NOT NULL REFERENCES team (id) ON DELETE CASCADE,
  operator_id {id} NOT NULL REFERENCES operator (id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  PRIMARY KEY (team_id, operator_id)
)

CREATE INDEX team_member_operator ON team_member (operator_id)

CREATE TABLE auth_session (
  token_hash TEXT PRIMARY KEY,
  operator_id {id} NOT NULL REFERENCES operator (id) ON DELETE CASCADE,
  csrf_token TEXT NOT NULL,
  created_at {ts} NOT NULL,
  expires_at {ts} NOT NULL
)

CREATE INDEX auth_session_operator ON auth_session (operator_id)

CREATE TABLE api_key (
  id {id} PRIMARY KEY,
  operator_id {id} NOT NULL REFERENCES operator (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  created_at {ts} NOT NULL
)

CREATE UNIQUE INDEX api_key_hash ON api_key (key_hash)

CREATE INDEX api_key_operator ON api_key (operator_id)

CREATE TABLE presence_lease (
  operator_id {id} NOT NULL REFERENCES operator (id) ON DELETE CASCADE,
  source TEXT NOT NULL,
  state TEXT NOT NULL,
  expires_at {ts} NOT NULL,
  PRIMARY KEY (operator_id, source)
)

CREATE INDEX presence_lease_expiry ON presence_lease (expires_at)

-- Lines and channels ----------------------------------------------------------------------------

CREATE TABLE line (
  id {id} PRIMARY KEY,
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  version BIGINT NOT NULL,
  rules {json} NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE UNIQUE INDEX line_key ON line (key)

CREATE TABLE line_version (
  line_id {id} NOT NULL REFERENCES line (id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  body {json} NOT NULL,
  created_at {ts} NOT NULL,
  PRIMARY KEY (line_id, version)
)

CREATE INDEX line_version_operator ON line_version (operator_id)

-- The queue's entries in order: an operator or a team.
CREATE TABLE line_queue (
  line_id {id} NOT NULL REFERENCES line (id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  operator_id {id} REFERENCES operator (id) ON DELETE CASCADE,
  team_id {id} REFERENCES team (id) ON DELETE CASCADE,
  PRIMARY KEY (line_id, position)
)

CREATE INDEX line_queue_operator ON line_queue (operator_id)

CREATE INDEX line_queue_team ON line_queue (team_id)

-- Whose turn it is survives a restart.
CREATE TABLE line_turn (
  line_id {id} NOT NULL REFERENCES line (id) ON DELETE CASCADE,
  operator_id {id} NOT NULL REFERENCES operator (id) ON DELETE CASCADE,
  last_assigned_at {ts} NOT NULL,
  PRIMARY KEY (line_id, operator_id)
)

CREATE INDEX line_turn_operator ON line_turn (operator_id)

CREATE TABLE channel (
  id {id} PRIMARY KEY,
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  line_id {id} NOT NULL REFERENCES line (id),
  name TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  settings {json} NOT NULL,
  secrets {bytes},
  version BIGINT NOT NULL,
  health_state TEXT NOT NULL,
  last_success_at {ts},
  last_error TEXT,
  last_error_at {ts},
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE UNIQUE INDEX channel_key ON channel (key)

CREATE INDEX channel_line ON channel (line_id)

-- Where a pulled stream was left: written with the messages it covers.
CREATE TABLE channel_cursor (
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value {json} NOT NULL,
  updated_at {ts} NOT NULL,
  PRIMARY KEY (channel_id, name)
)

-- Who does a job that exactly one node may do.
CREATE TABLE lease (
  name TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  expires_at {ts} NOT NULL
)

-- People outside --------------------------------------------------------------------------------

CREATE TABLE company (
  id {id} PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  created_at {ts} NOT NULL
)

CREATE UNIQUE INDEX company_name_key ON company (name_key)

CREATE TABLE contact (
  id {id} PRIMARY KEY,
  name TEXT,
  language TEXT,
  company_id {id} REFERENCES company (id) ON DELETE SET NULL,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  fields {json} NOT NULL,
  merged_into {id} REFERENCES contact (id) ON DELETE SET NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE INDEX contact_company ON contact (company_id)

CREATE INDEX contact_operator ON contact (operator_id)

CREATE INDEX contact_merged_into ON contact (merged_into)

CREATE INDEX contact_updated ON contact (updated_at, id)

CREATE TABLE identity (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  contact_id {id} NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  verified BOOLEAN NOT NULL,
  created_at {ts} NOT NULL,
  PRIMARY KEY (kind, value)
)

CREATE INDEX identity_contact ON identity (contact_id)

-- Two contacts that may be one person; nobody is merged by a mere claim.
CREATE TABLE contact_suggestion (
  contact_id {id} NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  other_id {id} NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  reason TEXT NOT NULL,
  created_at {ts} NOT NULL,
  PRIMARY KEY (contact_id, other_id)
)

CREATE INDEX contact_suggestion_other ON contact_suggestion (other_id)

-- A browser that opened the web chat. The token is kept as its hash.
CREATE TABLE visitor (
  id {id} PRIMARY KEY,
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  token_hash TEXT NOT NULL,
  -- the identity the visitor writes as: "webchat:vis_…" or "external:…" once proven
  identity_kind TEXT NOT NULL,
  identity_value TEXT NOT NULL,
  person {json} NOT NULL,
  attribution {json} NOT NULL,
  page {json} NOT NULL,
  created_at {ts} NOT NULL,
  last_seen_at {ts} NOT NULL
)

CREATE UNIQUE INDEX visitor_token ON visitor (token_hash)

CREATE INDEX visitor_channel_seen ON visitor (channel_id, last_seen_at)

-- Conversations ---------------------------------------------------------------------------------

CREATE TABLE conversation (
  id {id} PRIMARY KEY,
  number BIGINT NOT NULL,
  channel_id {id} NOT NULL REFERENCES channel (id),
  channel_kind TEXT NOT NULL,
  line_id {id} NOT NULL REFERENCES line (id),
  contact_id {id} NOT NULL REFERENCES contact (id),
  -- the customer's address on this channel: where answers go
  address TEXT NOT NULL,
  -- the contact was joined on a mere claim
  claimed BOOLEAN NOT NULL,
  lead_id {id},
  session_id {id} NOT NULL,
  thread_key TEXT NOT NULL,
  subject TEXT,
  priority BIGINT NOT NULL,
  tags {json} NOT NULL,
  last_seq BIGINT NOT NULL,
  -- seq of the last inbound message, and how many of them no operator has read
  last_inbound_seq BIGINT NOT NULL,
  unread BIGINT NOT NULL,
  read_seq BIGINT NOT NULL,
  client_read_seq BIGINT NOT NULL,
  client_delivered_seq BIGINT NOT NULL,
  last_message_id {id},
  last_message_kind TEXT,
  last_message_text TEXT,
  last_message_at {ts},
  snoozed_until {ts},
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE UNIQUE INDEX conversation_number ON conversation (number)

CREATE UNIQUE INDEX conversation_thread ON conversation (channel_id, thread_key)

CREATE INDEX conversation_line ON conversation (line_id, updated_at, id)

CREATE INDEX conversation_contact ON conversation (contact_id, updated_at)

CREATE INDEX conversation_lead ON conversation (lead_id)

CREATE INDEX conversation_session ON conversation (session_id)

CREATE INDEX conversation_updated ON conversation (updated_at, id)

CREATE INDEX conversation_snoozed ON conversation (snoozed_until) WHERE snoozed_until IS NOT NULL

CREATE TABLE session (
  id {id} PRIMARY KEY,
  conversation_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  line_id {id} NOT NULL REFERENCES line (id),
  channel_kind TEXT NOT NULL,
  state TEXT NOT NULL,
  operator_id {id} REFERENCES operator (id),
  opened_at {ts} NOT NULL,
  waiting_since {ts} NOT NULL,
  assigned_at {ts},
  first_reply_at {ts},
  closed_at {ts},
  close_reason TEXT,
  rating BIGINT,
  version BIGINT NOT NULL
)

CREATE UNIQUE INDEX session_one_open ON session (conversation_id) WHERE state <> 'closed'

CREATE INDEX session_conversation ON session (conversation_id, opened_at)

CREATE INDEX session_line ON session (line_id)

CREATE INDEX session_waiting ON session (line_id, waiting_since) WHERE state = 'waiting'

CREATE INDEX session_operator ON session (operator_id) WHERE state <> 'closed'

CREATE INDEX session_operator_all ON session (operator_id, opened_at)

CREATE TABLE participant (
  conversation_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  operator_id {id} NOT NULL REFERENCES operator (id) ON DELETE CASCADE,
  hidden BOOLEAN NOT NULL,
  joined_at {ts} NOT NULL,
  PRIMARY KEY (conversation_id, operator_id)
)

CREATE INDEX participant_operator ON participant (operator_id)

CREATE TABLE message (
  id {id} PRIMARY KEY,
  conversation_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  session_id {id},
  seq BIGINT NOT NULL,
  kind TEXT NOT NULL,
  author_type TEXT NOT NULL,
  author_id TEXT,
  author_name TEXT,
  body TEXT NOT NULL,
  html TEXT,
  external_id TEXT,
  client_id TEXT,
  has_attachments BOOLEAN NOT NULL,
  -- hidden participants' words stay inside even when written as a reply
  hidden BOOLEAN NOT NULL,
  delivery_state TEXT,
  delivery_attempts BIGINT NOT NULL,
  delivery_error TEXT,
  created_at {ts} NOT NULL
)

CREATE UNIQUE INDEX message_seq ON message (conversation_id, seq)

CREATE UNIQUE INDEX message_client_id ON message (conversation_id, client_id) WHERE client_id IS NOT NULL

CREATE INDEX message_session ON message (session_id)

-- Everything a provider ever handed over, by its own id: a repeat ends here.
CREATE TABLE inbound_event (
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  external_id TEXT NOT NULL,
  message_id {id},
  submission_id {id},
  received_at {ts} NOT NULL,
  PRIMARY KEY (channel_id, external_id)
)

-- Ids by which channels that thread know their messages, both directions.
CREATE TABLE thread_ref (
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  external_id TEXT NOT NULL,
  conversation_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  message_id {id},
  created_at {ts} NOT NULL,
  PRIMARY KEY (channel_id, external_id)
)

CREATE INDEX thread_ref_conversation ON thread_ref (conversation_id, created_at)

CREATE INDEX thread_ref_message ON thread_ref (message_id)

CREATE TABLE attachment (
  id {id} PRIMARY KEY,
  message_id {id} REFERENCES message (id) ON DELETE CASCADE,
  -- who may attach it while it belongs to no message: "operator:opr_…" or "visitor:vis_…"
  owner TEXT NOT NULL,
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  storage_key TEXT NOT NULL,
  content_id TEXT,
  created_at {ts} NOT NULL
)

CREATE INDEX attachment_message ON attachment (message_id, position)

CREATE INDEX attachment_loose ON attachment (created_at) WHERE message_id IS NULL

-- Answers on their way out. A row is deleted when its message is sent.
CREATE TABLE outbox (
  message_id {id} PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
  conversation_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  -- when to try next; the end of the lease while it is being sent; none when a person must look
  due_at {ts},
  claimed_by TEXT,
  last_error TEXT,
  created_at {ts} NOT NULL
)

CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL

CREATE INDEX outbox_conversation ON outbox (conversation_id, seq)

CREATE INDEX outbox_channel ON outbox (channel_id)

CREATE INDEX outbox_state ON outbox (state, created_at)

CREATE TABLE quarantine (
  id {id} PRIMARY KEY,
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  external_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  size BIGINT NOT NULL,
  storage_key TEXT NOT NULL,
  created_at {ts} NOT NULL,
  replayed_at {ts}
)

CREATE INDEX quarantine_channel ON quarantine (channel_id, created_at)

CREATE INDEX quarantine_created ON quarantine (created_at, id)

-- Leads -----------------------------------------------------------------------------------------

CREATE TABLE lead (
  id {id} PRIMARY KEY,
  title TEXT NOT NULL,
  status TEXT NOT NULL,
  contact_id {id} NOT NULL REFERENCES contact (id),
  conversation_id {id},
  line_id {id} REFERENCES line (id) ON DELETE SET NULL,
  channel_id {id} REFERENCES channel (id) ON DELETE SET NULL,
  channel_kind TEXT,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  source TEXT NOT NULL,
  attribution {json} NOT NULL,
  fields {json} NOT NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

-- Never two open leads of one person, whatever races.
CREATE UNIQUE INDEX lead_one_open ON lead (contact_id) WHERE status IN ('new', 'in_progress')

CREATE INDEX lead_contact ON lead (contact_id, created_at)

CREATE INDEX lead_conversation ON lead (conversation_id)

CREATE INDEX lead_line ON lead (line_id, created_at)

CREATE INDEX lead_channel ON lead (channel_id)

CREATE INDEX lead_operator ON lead (operator_id, created_at)

CREATE INDEX lead_created ON lead (created_at, id)

CREATE TABLE submission (
  id {id} PRIMARY KEY,
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  state TEXT NOT NULL,
  contact_id {id} REFERENCES contact (id) ON DELETE SET NULL,
  lead_id {id} REFERENCES lead (id) ON DELETE SET NULL,
  conversation_id {id} REFERENCES conversation (id) ON DELETE SET NULL,
  body {json} NOT NULL,
  consent {json},
  spam_score DOUBLE PRECISION NOT NULL,
  spam_reasons {json} NOT NULL,
  -- what approval needs to make the contact and the lead; none once accepted
  held {json},
  created_at {ts} NOT NULL
)

CREATE INDEX submission_channel ON submission (channel_id, created_at, id)

CREATE INDEX submission_state ON submission (state, created_at, id)

CREATE INDEX submission_contact ON submission (contact_id)

CREATE INDEX submission_lead ON submission (lead_id)

CREATE INDEX submission_conversation ON submission (conversation_id)

-- The log, its head and what hangs on it --------------------------------------------------------

CREATE TABLE counter (
  name TEXT PRIMARY KEY,
  value BIGINT NOT NULL
)

INSERT INTO counter (name, value) VALUES ('event', 0), ('conversation', 1000)

CREATE TABLE event (
  seq {key} PRIMARY KEY,
  type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  conversation_id {id},
  data {json},
  at {ts} NOT NULL
)

CREATE TABLE consumer_cursor (
  name TEXT PRIMARY KEY,
  seq BIGINT NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE TABLE routing_decision (
  id {id} PRIMARY KEY,
  conversation_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  session_id {id} NOT NULL REFERENCES session (id) ON DELETE CASCADE,
  line_id {id} NOT NULL REFERENCES line (id) ON DELETE CASCADE,
  line_version BIGINT NOT NULL,
  "trigger" TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  outcome TEXT NOT NULL,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  candidates {json} NOT NULL,
  at {ts} NOT NULL
)

CREATE INDEX routing_decision_conversation ON routing_decision (conversation_id, at)

CREATE INDEX routing_decision_session ON routing_decision (session_id)

CREATE INDEX routing_decision_line ON routing_decision (line_id)

CREATE INDEX routing_decision_operator ON routing_decision (operator_id)

-- Facts about this installation: its set-up token, a check of its master key.
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
)

-- What full-text search reads, written by a consumer of the log.
CREATE TABLE search_document (
  id {serial},
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  conversation_id {id},
  body TEXT NOT NULL
)

CREATE UNIQUE INDEX search_document_object ON search_document (object_id)

CREATE INDEX search_document_conversation ON search_document (conversation_id)
