-- What was sent beside the fields of the form, by pages that were made when it had others. Null: nothing.

ALTER TABLE submission ADD COLUMN extra {json}

-- What a moderator decided: approved, rejected or spam; who, and when. Null: nobody had to, or it was taken back.
ALTER TABLE submission ADD COLUMN verdict TEXT

ALTER TABLE submission ADD COLUMN judged_by {id} REFERENCES operator (id) ON DELETE SET NULL

ALTER TABLE submission ADD COLUMN judged_at {ts}

CREATE INDEX submission_judged_by ON submission (judged_by)
