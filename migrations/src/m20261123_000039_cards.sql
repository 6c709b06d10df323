-- Who said that a task is done.
ALTER TABLE task ADD COLUMN done_by {id} REFERENCES operator (id) ON DELETE SET NULL

-- Tasks are about companies, too.
ALTER TABLE task ADD COLUMN company_id {id} REFERENCES company (id) ON DELETE CASCADE

CREATE INDEX task_done_by ON task (done_by) WHERE done_by IS NOT NULL

CREATE INDEX task_company ON task (company_id) WHERE company_id IS NOT NULL

-- The version of a company that its keys were made of. Where it is another one they are made anew; who writes a company
-- need not know of it.
ALTER TABLE company ADD COLUMN keyed_version BIGINT NOT NULL DEFAULT -1

CREATE INDEX company_unkeyed ON company (id) WHERE keyed_version <> version

-- By what a company may be the same as another: 'name' (without its legal form), 'domain', 'tax_number', 'phone'.
CREATE TABLE company_key (
  company_id {id} NOT NULL REFERENCES company (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (company_id, kind, value)
)

CREATE INDEX company_key_value ON company_key (kind, value, company_id)
