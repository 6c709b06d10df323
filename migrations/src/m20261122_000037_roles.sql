-- Roles that admins define. The built-in ones (admin, supervisor, operator) are no rows: their rights are in the program.
CREATE TABLE role (
  id {id} PRIMARY KEY,
  name TEXT NOT NULL,
  -- the name in small letters: no two are called the same
  name_key TEXT NOT NULL,
  -- {"deal": {"view": "team", "edit": "own"}}: how far each action reaches; what is not named is not given
  rights {json} NOT NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE UNIQUE INDEX role_name ON role (name_key)

-- A role of an admin; operator.role is `operator` then, so that whoever knows built-in roles alone gives least.
ALTER TABLE operator ADD COLUMN role_id {id} REFERENCES role (id)

CREATE INDEX operator_role ON operator (role_id)
