CREATE TABLE pipeline (
  id {id} PRIMARY KEY,
  name TEXT NOT NULL,
  position BIGINT NOT NULL,
  -- Of its deals when nothing else is said; ISO 4217.
  currency TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL,
  -- The journal of deals still names it.
  removed_at {ts}
)

CREATE TABLE stage (
  id {id} PRIMARY KEY,
  pipeline_id {id} NOT NULL REFERENCES pipeline (id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  -- 'open', 'won', 'lost'.
  kind TEXT NOT NULL,
  color TEXT,
  removed_at {ts}
)

CREATE INDEX stage_pipeline ON stage (pipeline_id, position)

-- Why deals are lost and leads are junk, as admins word it. Deals keep the words they were given.
CREATE TABLE loss_reason (
  id {id} PRIMARY KEY,
  name TEXT NOT NULL,
  position BIGINT NOT NULL
)

CREATE TABLE deal (
  id {id} PRIMARY KEY,
  title TEXT NOT NULL,
  -- In ten-thousandths of the currency's unit, whatever the currency: an integer that adds up. Null: not known.
  amount BIGINT,
  currency TEXT NOT NULL,
  pipeline_id {id} NOT NULL REFERENCES pipeline (id),
  stage_id {id} NOT NULL REFERENCES stage (id),
  -- The kind of its stage: 'open', 'won', 'lost'.
  state TEXT NOT NULL,
  -- When it came into its stage.
  stage_since {ts} NOT NULL,
  contact_id {id} REFERENCES contact (id) ON DELETE SET NULL,
  company_id {id} REFERENCES company (id) ON DELETE SET NULL,
  lead_id {id} REFERENCES lead (id) ON DELETE SET NULL,
  -- The line its lead came by: who stands in its queue sees the deal.
  line_id {id} REFERENCES line (id) ON DELETE SET NULL,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  loss_reason TEXT,
  fields {json} NOT NULL,
  tags {json} NOT NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL,
  closed_at {ts}
)

-- A column of the board.
CREATE INDEX deal_stage ON deal (stage_id, stage_since, id)

-- The columns' totals, from the index alone.
CREATE INDEX deal_totals ON deal (pipeline_id, stage_id, currency, operator_id, line_id, amount)

CREATE INDEX deal_created ON deal (created_at, id)

CREATE INDEX deal_state ON deal (state, created_at, id)

CREATE INDEX deal_contact ON deal (contact_id, created_at, id)

CREATE INDEX deal_company ON deal (company_id, created_at, id)

CREATE INDEX deal_lead ON deal (lead_id)

CREATE INDEX deal_line ON deal (line_id, created_at, id)

CREATE INDEX deal_operator ON deal (operator_id, created_at, id)

-- The same column for somebody who sees their own deals and those of their lines.
CREATE INDEX deal_operator_stage ON deal (operator_id, stage_id, stage_since, id)

CREATE INDEX deal_line_stage ON deal (line_id, stage_id, stage_since, id)

-- Each time a deal came into a stage; from_stage_id is null when it was made.
CREATE TABLE deal_move (
  id {id} PRIMARY KEY,
  deal_id {id} NOT NULL REFERENCES deal (id) ON DELETE CASCADE,
  pipeline_id {id} NOT NULL REFERENCES pipeline (id) ON DELETE CASCADE,
  from_stage_id {id} REFERENCES stage (id) ON DELETE CASCADE,
  stage_id {id} NOT NULL REFERENCES stage (id) ON DELETE CASCADE,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  at {ts} NOT NULL
)

CREATE INDEX deal_move_deal ON deal_move (deal_id, at, id)

CREATE INDEX deal_move_pipeline ON deal_move (pipeline_id, at, id)

CREATE INDEX deal_move_stage ON deal_move (stage_id)

CREATE INDEX deal_move_from ON deal_move (from_stage_id)

CREATE INDEX deal_move_operator ON deal_move (operator_id)

-- What became of a lead: what it was converted into, or why it is junk.
CREATE TABLE lead_outcome (
  lead_id {id} PRIMARY KEY REFERENCES lead (id) ON DELETE CASCADE,
  deal_id {id} REFERENCES deal (id) ON DELETE SET NULL,
  -- The company that the conversion gave the contact; reopening takes it away again.
  company_id {id} REFERENCES company (id) ON DELETE SET NULL,
  -- The status the lead had before.
  was TEXT,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  loss_reason TEXT,
  at {ts} NOT NULL
)

CREATE INDEX lead_outcome_deal ON lead_outcome (deal_id)

CREATE INDEX lead_outcome_company ON lead_outcome (company_id)

CREATE INDEX lead_outcome_operator ON lead_outcome (operator_id)

-- What operators have to do, about one object at most.
CREATE TABLE task (
  id {id} PRIMARY KEY,
  title TEXT NOT NULL,
  due_at {ts},
  done_at {ts},
  -- When to remind, and that it was done.
  remind_at {ts},
  reminded_at {ts},
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  created_by {id} REFERENCES operator (id) ON DELETE SET NULL,
  contact_id {id} REFERENCES contact (id) ON DELETE CASCADE,
  lead_id {id} REFERENCES lead (id) ON DELETE CASCADE,
  deal_id {id} REFERENCES deal (id) ON DELETE CASCADE,
  conversation_id {id} REFERENCES conversation (id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE INDEX task_open ON task (operator_id, due_at, id) WHERE done_at IS NULL

CREATE INDEX task_due ON task (due_at, id) WHERE done_at IS NULL

CREATE INDEX task_done ON task (done_at, id) WHERE done_at IS NOT NULL

CREATE INDEX task_operator ON task (operator_id, done_at)

CREATE INDEX task_remind ON task (remind_at) WHERE remind_at IS NOT NULL AND reminded_at IS NULL AND done_at IS NULL

CREATE INDEX task_created_by ON task (created_by)

CREATE INDEX task_contact ON task (contact_id) WHERE contact_id IS NOT NULL

CREATE INDEX task_lead ON task (lead_id) WHERE lead_id IS NOT NULL

CREATE INDEX task_deal ON task (deal_id) WHERE deal_id IS NOT NULL

CREATE INDEX task_conversation ON task (conversation_id) WHERE conversation_id IS NOT NULL

-- A list of a million leads narrowed to a rare status or source is read from an index, too.
CREATE INDEX lead_status ON lead (status, created_at, id)

CREATE INDEX lead_source ON lead (source, created_at, id)

-- How many open leads somebody has.
CREATE INDEX lead_load ON lead (operator_id, status) WHERE status IN ('new', 'in_progress')

-- A new installation can sell.
INSERT INTO pipeline (id, name, position, currency, version, created_at, updated_at)
VALUES ('pip_00000000000000000000000000000001', 'Sales', 0, 'USD', 1, '2026-11-22T00:00:00+00:00', '2026-11-22T00:00:00+00:00')

INSERT INTO stage (id, pipeline_id, position, name, kind, color) VALUES
  ('stg_00000000000000000000000000000001', 'pip_00000000000000000000000000000001', 0, 'New', 'open', 'blue'),
  ('stg_00000000000000000000000000000002', 'pip_00000000000000000000000000000001', 1, 'Qualified', 'open', 'teal'),
  ('stg_00000000000000000000000000000003', 'pip_00000000000000000000000000000001', 2, 'Offer sent', 'open', 'amber'),
  ('stg_00000000000000000000000000000004', 'pip_00000000000000000000000000000001', 3, 'Won', 'won', 'green'),
  ('stg_00000000000000000000000000000005', 'pip_00000000000000000000000000000001', 4, 'Lost', 'lost', 'red')

INSERT INTO loss_reason (id, name, position) VALUES
  ('rsn_00000000000000000000000000000001', 'Too expensive', 0),
  ('rsn_00000000000000000000000000000002', 'Chose somebody else', 1),
  ('rsn_00000000000000000000000000000003', 'No answer', 2),
  ('rsn_00000000000000000000000000000004', 'Not needed any more', 3),
  ('rsn_00000000000000000000000000000005', 'Spam', 4)
