-- Mails of a web chat: replies that its visitor had not seen when they left, and transcripts. Each hangs on a line
-- of the conversation that only the staff reads and that carries the state of its delivery.

CREATE TABLE chat_mail (
    message_id {id} PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    -- The e-mail channel it goes out by.
    channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
    -- replies or transcript.
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    -- Who asked for it: visitor, or an operator's id. Null: nobody.
    asked_by TEXT,
    created_at {ts} NOT NULL
)

CREATE INDEX chat_mail_channel ON chat_mail (channel_id)

CREATE INDEX chat_mail_address ON chat_mail (address, created_at)

-- Replies that went out by mail.

CREATE TABLE chat_mail_reply (
    message_id {id} PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    mail_id {id} NOT NULL REFERENCES chat_mail (message_id) ON DELETE CASCADE
)

CREATE INDEX chat_mail_reply_mail ON chat_mail_reply (mail_id)

-- Chats with replies that their visitor may not have seen. Gone once they have, or the replies were mailed.

CREATE TABLE chat_absence (
    conversation_id {id} PRIMARY KEY REFERENCES conversation (id) ON DELETE CASCADE,
    -- When a process last saw the visitor on the site, or the first of the replies was written.
    here_at {ts} NOT NULL
)

CREATE INDEX chat_absence_here ON chat_absence (here_at)

-- How far visitors come with a form, by day (UTC): counts and no visitors. `what` is view, start, done or left; `field` is
-- the one they were at when they left, else empty.

CREATE TABLE form_use (
    channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    what TEXT NOT NULL,
    field TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (channel_id, day, what, field)
)
