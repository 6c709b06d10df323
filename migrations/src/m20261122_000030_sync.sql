-- A connection to a CRM.
CREATE TABLE crm_connection (
  id {id} PRIMARY KEY,
  -- Which adapter.
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  -- By the adapter's schema; a null stands for each secret. The secrets are sealed.
  settings {json} NOT NULL,
  secrets {bytes},
  -- Which of our fields and states fill which of theirs.
  mapping {json} NOT NULL,
  -- Which lines' leads, which notes, whether what happens there comes back.
  options {json} NOT NULL,
  -- 'running'; 'paused' by an admin; 'stopped' by the CRM, which refuses it until settings change.
  state TEXT NOT NULL,
  -- The alarm, in words; when it was raised.
  stopped_because TEXT,
  stopped_at {ts},
  -- Steps that failed since the last success; nothing is asked before this time.
  failures BIGINT NOT NULL DEFAULT 0,
  blocked_until {ts},
  last_success_at {ts},
  last_error TEXT,
  last_error_at {ts},
  -- Leads made from then on are sent by themselves.
  since_at {ts} NOT NULL,
  -- Leads that are there are taken from this time on, in the order of their ids; null when all of them are.
  backfill_from {ts},
  backfill_after {id},
  backfill_total BIGINT NOT NULL DEFAULT 0,
  backfill_done BIGINT NOT NULL DEFAULT 0,
  -- How far what happens there was read, and when it was last looked for.
  change_cursor {json},
  looked_at {ts},
  created_by {id} REFERENCES operator (id) ON DELETE SET NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE INDEX crm_connection_created_by ON crm_connection (created_by)

-- Which lead is which record there.
CREATE TABLE crm_link (
  connection_id {id} NOT NULL REFERENCES crm_connection (id) ON DELETE CASCADE,
  lead_id {id} NOT NULL REFERENCES lead (id) ON DELETE CASCADE,
  remote_id TEXT NOT NULL,
  person_id TEXT,
  company_id TEXT,
  url TEXT,
  -- The CRM joined it to a record that was there before.
  merged BOOLEAN NOT NULL,
  -- A digest of what was last written there, so that what did not change is not sent.
  fingerprint TEXT,
  -- Our status when both sides were last of one mind, and theirs.
  agreed_status TEXT,
  status_id TEXT,
  synced_at {ts},
  -- Deleted there: it is not made again.
  gone_at {ts},
  created_at {ts} NOT NULL,
  PRIMARY KEY (connection_id, lead_id)
)

CREATE INDEX crm_link_lead ON crm_link (lead_id)

CREATE INDEX crm_link_remote ON crm_link (connection_id, remote_id)

-- What is to be told a CRM, once for each subject: the lead itself, or one note of it.
CREATE TABLE crm_job (
  id {id} PRIMARY KEY,
  connection_id {id} NOT NULL REFERENCES crm_connection (id) ON DELETE CASCADE,
  lead_id {id} NOT NULL REFERENCES lead (id) ON DELETE CASCADE,
  -- 'lead', 'conversation', 'call', 'remark'.
  kind TEXT NOT NULL,
  -- The id of the lead, session, call or message.
  subject TEXT NOT NULL,
  -- 'queued', 'sending', 'done', 'dead' (a person must look), 'skipped' (there is nothing to do any more).
  state TEXT NOT NULL,
  -- 0: happens now; 1: was there before the connection.
  rank BIGINT NOT NULL,
  -- Grows each time it is asked for; what was asked for while it was being sent is sent again.
  wanted BIGINT NOT NULL,
  -- Attempts begun since it was last asked for anew.
  attempts BIGINT NOT NULL DEFAULT 0,
  -- The last attempt may have been done.
  uncertain BOOLEAN NOT NULL,
  -- When it is to be sent; while it is sent, when its lease ends; null when it is over.
  due_at {ts},
  claimed_by TEXT,
  -- 'refused', 'limited', 'temporary', 'unknown', 'gone', 'crashed'; in words; the CRM's name of the field.
  reason TEXT,
  error TEXT,
  field TEXT,
  created_at {ts} NOT NULL,
  finished_at {ts}
)

CREATE UNIQUE INDEX crm_job_once ON crm_job (connection_id, subject)

CREATE INDEX crm_job_lead ON crm_job (lead_id)

CREATE INDEX crm_job_list ON crm_job (connection_id, state, id)

CREATE INDEX crm_job_due ON crm_job (connection_id, rank, due_at) WHERE state = 'queued'

CREATE INDEX crm_job_sending ON crm_job (due_at) WHERE state = 'sending'
