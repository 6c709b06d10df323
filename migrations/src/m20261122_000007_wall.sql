-- Since when an operator says of themselves what they say; null when that was before it was kept.

ALTER TABLE operator ADD COLUMN availability_since {ts}
