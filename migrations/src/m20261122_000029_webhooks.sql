-- A program elsewhere that is told of events.
CREATE TABLE webhook (
  id {id} PRIMARY KEY,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  -- Words of events, `lead.*` and `*`.
  events {json} NOT NULL,
  enabled BOOLEAN NOT NULL,
  -- Sealed: the secret it signs with now, and older ones that sign beside it for a while.
  secrets {bytes} NOT NULL,
  -- What the log holds after this number is for it: moved when it is switched on.
  since_seq BIGINT NOT NULL,
  -- Why the server switched it off: 'gone' or 'failing'. Null: it did not.
  disabled_because TEXT,
  disabled_at {ts},
  -- Failed attempts since the last success, and when the first of them was.
  failures BIGINT NOT NULL DEFAULT 0,
  failing_since {ts},
  -- Nothing goes out before: it asked for patience, or fails again and again.
  paused_until {ts},
  last_success_at {ts},
  last_error TEXT,
  last_error_at {ts},
  created_by {id} REFERENCES operator (id) ON DELETE SET NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE INDEX webhook_created_by ON webhook (created_by)

-- What a webhook is told, once: the id is the `webhook-id` of each attempt.
CREATE TABLE webhook_delivery (
  id {id} PRIMARY KEY,
  webhook_id {id} NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
  -- What it is about, so that following the log twice tells it once.
  dedupe TEXT NOT NULL,
  -- The event's number in the log; its order among those of the same order_key.
  seq BIGINT NOT NULL,
  type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  -- Those of one key go out one after the other: the conversation, else the object.
  order_key TEXT NOT NULL,
  -- The body, the same in each attempt.
  body TEXT NOT NULL,
  -- 'queued', 'sending', 'delivered', 'failed'.
  state TEXT NOT NULL,
  -- Attempts begun, and how many of them were before it was queued again by hand.
  attempts BIGINT NOT NULL DEFAULT 0,
  attempts_before BIGINT NOT NULL DEFAULT 0,
  -- When it is to be sent; while it is sent, when its lease ends; null when it is over.
  due_at {ts},
  claimed_by TEXT,
  -- What the last attempt came to.
  status BIGINT,
  error TEXT,
  created_at {ts} NOT NULL,
  finished_at {ts}
)

CREATE UNIQUE INDEX webhook_delivery_once ON webhook_delivery (webhook_id, dedupe)

CREATE INDEX webhook_delivery_list ON webhook_delivery (webhook_id, id)

CREATE INDEX webhook_delivery_state ON webhook_delivery (webhook_id, state, id)

CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, due_at) WHERE state = 'queued'

CREATE INDEX webhook_delivery_sending ON webhook_delivery (due_at) WHERE state = 'sending'

CREATE INDEX webhook_delivery_order ON webhook_delivery (webhook_id, order_key, seq) WHERE due_at IS NOT NULL

CREATE INDEX webhook_delivery_object ON webhook_delivery (object_id)

CREATE INDEX webhook_delivery_key ON webhook_delivery (order_key)

CREATE INDEX webhook_delivery_finished ON webhook_delivery (finished_at) WHERE finished_at IS NOT NULL

-- Each attempt. Without a time it took, it never came to an end.
CREATE TABLE webhook_attempt (
  delivery_id {id} NOT NULL REFERENCES webhook_delivery (id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  at {ts} NOT NULL,
  millis BIGINT,
  status BIGINT,
  error TEXT,
  -- The beginning of what was answered.
  answer TEXT,
  PRIMARY KEY (delivery_id, number)
)

-- What a form tells of a submission by mail or Telegram; by webhook it is a webhook_delivery.
CREATE TABLE form_notification (
  id {id} PRIMARY KEY,
  submission_id {id} NOT NULL REFERENCES submission (id) ON DELETE CASCADE,
  -- 'mail' or 'telegram'.
  kind TEXT NOT NULL,
  -- An address, or a chat.
  target TEXT NOT NULL,
  -- The channel it goes out by.
  channel_id {id} REFERENCES channel (id) ON DELETE SET NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  -- 'queued', 'sending', 'sent', 'failed', 'uncertain'.
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  -- When it is to be sent; while it is sent, when its lease ends; null when it is over.
  due_at {ts},
  claimed_by TEXT,
  error TEXT,
  created_at {ts} NOT NULL,
  finished_at {ts}
)

CREATE UNIQUE INDEX form_notification_once ON form_notification (submission_id, kind, target)

CREATE INDEX form_notification_channel ON form_notification (channel_id)

CREATE INDEX form_notification_due ON form_notification (due_at) WHERE due_at IS NOT NULL
