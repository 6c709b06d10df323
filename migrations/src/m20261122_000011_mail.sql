-- What a mail says beside its text: where the quoted rest begins, encryption and signature, what our own mail server
-- found out about the sender, an invitation, the size of the original. Null on what is no mail. Read with the
-- message and never searched, so it is one value.

ALTER TABLE message ADD COLUMN mail {json}

-- Where the mail lies as it came, byte for byte; null when nobody kept it.
ALTER TABLE message ADD COLUMN original_key TEXT
