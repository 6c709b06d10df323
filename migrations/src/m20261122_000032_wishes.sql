-- A click to call is asked of the telephone system once, however often the wish is sent.
CREATE TABLE call_wish (
  operator_id {id} NOT NULL REFERENCES operator (id) ON DELETE CASCADE,
  -- the caller's own word for the wish
  wish TEXT NOT NULL,
  created_at {ts} NOT NULL,
  PRIMARY KEY (operator_id, wish)
)

CREATE INDEX call_wish_created ON call_wish (created_at)
