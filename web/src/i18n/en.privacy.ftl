# How long lines keep things

retention = How long things are kept
retention-hint = What is older goes by itself, for good. Empty keeps it for ever.
retention-ever = for ever
retention-days = days
retention-attachments = Files
retention-attachments-hint = Files and originals of mails, after the conversation is closed
retention-recordings = Recordings
retention-recordings-hint = Recordings of calls, after the call
retention-conversations = Conversations
retention-conversations-hint = Conversations with all messages, after they are closed
retention-contacts = Contacts
retention-contacts-hint = Contacts who came by this line are erased when nothing has happened with them on any line for so long. Whoever has an open conversation, deal or task stays.
retention-count = What would go now?
retention-would = When saved now, this goes: { $attachments } files, { $recordings } recordings, { $conversations } conversations, { $contacts } contacts.

# The audit log
audit-sub = Who saw, changed and exported what. Opening a card is told once an hour; entries are kept for two years.
audit-when = When
audit-who = Who
audit-what = What
audit-which = Which one
audit-operation = Operation
audit-everybody = Everybody
audit-everything = Everything
audit-object = Id of an object
audit-empty = Nothing found
audit-gone = No longer here
audit-seen = Opened
audit-changed = Changed
audit-exported = Exported
audit-erased = Erased
audit-signed_in = Signed in
