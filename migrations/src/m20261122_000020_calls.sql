-- A call, folded from its reports (call_event): everything in it but the ids of other tables can be computed anew.
CREATE TABLE call (
  id {id} PRIMARY KEY,
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  -- The line of its channel when it began.
  line_id {id} NOT NULL REFERENCES line (id),
  -- The first name the telephone system gave it; all of them are in call_name.
  key TEXT NOT NULL,
  -- There is a report of the call itself, not only of its recording.
  shown BOOLEAN NOT NULL DEFAULT FALSE,
  -- The call this one turned out to be; its reports and names are there.
  merged_into {id} REFERENCES call (id) ON DELETE CASCADE,
  -- Null for callers who are nobody in particular.
  contact_id {id} REFERENCES contact (id) ON DELETE SET NULL,
  conversation_id {id} REFERENCES conversation (id) ON DELETE SET NULL,
  lead_id {id} REFERENCES lead (id) ON DELETE SET NULL,
  -- Its one entry in the conversation.
  message_id {id} REFERENCES message (id) ON DELETE SET NULL,
  -- 'inbound', 'outbound', 'internal'; null while no report says.
  direction TEXT,
  -- What the client's end is: 'number', 'short_code', 'sip', 'client', 'extension', 'hidden'.
  client_kind TEXT,
  client TEXT,
  own_number TEXT,
  -- What the company's number stands for: its label, and the touch it is for whoever rings it.
  own_label TEXT,
  touch {json} NOT NULL,
  caller_name TEXT,
  -- 'ringing', 'answered', 'ended'.
  state TEXT NOT NULL,
  disposition TEXT,
  -- Why nobody talked, where the telephone system says so.
  reason TEXT,
  cause TEXT,
  started_at {ts} NOT NULL,
  answered_at {ts},
  ended_at {ts},
  ring_secs BIGINT,
  talk_secs BIGINT,
  -- Who answered (or rang the client), when the extension is somebody's.
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  extension TEXT,
  -- Extensions that ring now, and whose they are.
  ringing {json} NOT NULL,
  legs {json} NOT NULL,
  transcript TEXT,
  -- Nobody told us of its end; it was taken for ended.
  stale BOOLEAN NOT NULL DEFAULT FALSE,
  -- The session in which the missed call waits for somebody to call back.
  session_id {id} REFERENCES session (id) ON DELETE SET NULL,
  -- That session was opened for it.
  opened BOOLEAN NOT NULL DEFAULT FALSE,
  -- Which attempt of the same caller in that session it was, from 1.
  attempt BIGINT NOT NULL DEFAULT 0,
  -- When it was taken for missed, and when that turned out to be wrong.
  missed_at {ts},
  withdrawn_at {ts},
  -- When time alone may change something: settling, watchdogs.
  check_at {ts},
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE INDEX call_channel ON call (channel_id, started_at)

CREATE INDEX call_line ON call (line_id, started_at)

CREATE INDEX call_merged ON call (merged_into)

CREATE INDEX call_contact ON call (contact_id)

CREATE INDEX call_conversation ON call (conversation_id)

CREATE INDEX call_lead ON call (lead_id)

CREATE INDEX call_message ON call (message_id)

CREATE INDEX call_operator ON call (operator_id)

CREATE INDEX call_session ON call (session_id)

CREATE INDEX call_started ON call (started_at, id)

CREATE INDEX call_check ON call (check_at) WHERE check_at IS NOT NULL

-- Every name the telephone system has for a call.
CREATE TABLE call_name (
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  call_id {id} NOT NULL REFERENCES call (id) ON DELETE CASCADE,
  PRIMARY KEY (channel_id, name)
)

CREATE INDEX call_name_call ON call_name (call_id)

-- What was reported, normalised: never changed. `call_id` is null until it is folded into its call.
CREATE TABLE call_event (
  id {id} PRIMARY KEY,
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  external_id TEXT NOT NULL,
  call_id {id} REFERENCES call (id) ON DELETE CASCADE,
  event {json} NOT NULL,
  -- When it happened, by the telephone system's word, and when it came.
  at {ts} NOT NULL,
  received_at {ts} NOT NULL
)

CREATE UNIQUE INDEX call_event_once ON call_event (channel_id, external_id)

CREATE INDEX call_event_call ON call_event (call_id) WHERE call_id IS NOT NULL

CREATE INDEX call_event_new ON call_event (received_at, id) WHERE call_id IS NULL

-- Recordings, and how far fetching them is: 'announced', 'fetching', 'stored', 'failed', 'absent'.
CREATE TABLE call_recording (
  id {id} PRIMARY KEY,
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  call_id {id} NOT NULL REFERENCES call (id) ON DELETE CASCADE,
  -- What the connector needs to ask for it.
  source {json} NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  secs BIGINT,
  attempts BIGINT NOT NULL,
  -- Null when it is not to be tried.
  next_attempt_at {ts},
  -- Somebody is at it until then.
  leased_until {ts},
  error TEXT,
  attachment_id {id} REFERENCES attachment (id) ON DELETE SET NULL,
  created_at {ts} NOT NULL
)

CREATE UNIQUE INDEX call_recording_key ON call_recording (channel_id, key)

CREATE INDEX call_recording_call ON call_recording (call_id)

CREATE INDEX call_recording_attachment ON call_recording (attachment_id)

CREATE INDEX call_recording_due ON call_recording (next_attempt_at) WHERE next_attempt_at IS NOT NULL
