# General
name = Name
email = E-mail
emails = E-mail addresses
phone = Phone
phones = Phone numbers
phones-hint = In international form, for example +998901234567.
password = Password
password-hint = At least 8 characters; a few words are easier to remember.
language = Language
status = Status
created = Created
title = Title
reason = Reason
size = Size
error = Error
attempts = Attempts
actions = Actions
settings = Settings
general = General
role = Role
now = Now
load = Load
line = Line
channel = Channel
lead = Lead
contact = Contact
form = Form
queue = Queue
skills = Skills
languages = Languages
members = Members
operators = Operators
messages = Messages
conversations = Conversations
save = Save
saved = Saved
saving = Saving…
cancel = Cancel
create = Create
add = Add
edit = Edit
edit-item = Edit { $item }
delete = Delete
deleted = Deleted
discard = Discard
done = Done
open = Open
back = Back
more = More actions
menu = Menu
copy = Copy
copied = Copied
download = Download
retry = Retry
undo = Undo
dismiss = Dismiss
loading = Loading…
load-more = Load more
try-again = Try again
enabled = On
disabled = Off
switched-on = Use this
unsaved = Unsaved changes
close-window = Close
skip = Skip to content
remove-item = Remove { $item }
move-up = Move { $item } up
move-down = Move { $item } down
nothing-found = Nothing found
nobody = Nobody
someone = A colleague
unnamed-contact = Visitor
all-lines = All lines
all-statuses = All
json-bad = This is not valid JSON yet.
storage-full = This browser has no room left to keep your text. Send it or copy it before you leave.

# States
state-error = That did not work
state-missing = This does not exist
state-forbidden = You may not see this
state-forbidden-text = Ask an admin if you need access.
state-waiting = Waiting
state-offered = Offered
state-assigned = In work
state-closed = Closed
not-found = There is no such page
not-found-text = The address may be old or mistyped.
to-inbox = To the inbox
error-network = The server cannot be reached. Check the connection and try again.
error-status = The server answered with an error ({ $status }).
error-forbidden = You may not do this.
error-not-found = It does not exist, or not any more.
error-conflict = Somebody else changed it meanwhile. Look at the present state and try again.
error-at-capacity = You already have as many conversations as your capacity allows.
error-too-large = This is too large.
error-unsupported-media-type = This kind of file is not accepted.
error-rate-limited = Too many requests. Wait a moment.
error-unauthenticated = Please sign in again.
error-validation = Some fields need attention.
reconnecting = Reconnecting… what you write is kept.

# Sign-in and set-up
login-title = Sign in
login-submit = Sign in
login-busy = Signing in…
login-wrong = The e-mail or the password is wrong.
login-expired = Your session has ended. Sign in again; what you wrote is kept.
logout = Sign out
setup-title = Welcome to Switchboard
setup-text = One page and you can answer your first visitor.
setup-you = You, the first admin
setup-first-line = Your first line
setup-line = Name of the line
setup-line-default = Support
setup-line-hint = A line is one queue with its rules: “Support”, “Sales”.
setup-origin = Your website
setup-origin-hint = For example https://shop.example; * allows any site for now.
setup-submit = Set up
setup-busy = Setting up…
setup-done = Ready
setup-done-text = The line { $line } has a chat and a form. Put this line before the end of your page:
setup-snippet = Chat for your website
setup-demo = Open the demo page
setup-form = Open the form
setup-next = Open the demo page in another window, write something there, and it appears in your inbox.
setup-open = To the inbox
setup-used = Set-up has been done
setup-used-text = There is an admin already. Sign in instead.
setup-invalid = This link is not valid
setup-invalid-text = It may be incomplete or from an earlier start. The current link stands in the output of the server, where it was started.

# Navigation
nav-label = Main
nav-simulation = Simulation
nav-imports = Import
sim-link = Simulate changes
nav-search = Search
nav-contacts = Contacts
nav-companies = Companies
nav-fields = Fields
nav-leads = Leads
nav-deals = Deals
nav-tasks = Tasks
nav-funnel = Funnel
nav-responses = Responses
nav-pipelines = Sales
nav-sources = Lead sources
nav-submissions = Form submissions
nav-deliveries = Deliveries
nav-quarantine = Quarantine
nav-admin = Administration
nav-lines = Lines
nav-channels = Channels
nav-users = People
nav-teams = Teams
nav-roles = Roles
nav-capacity = Capacity
nav-apikeys = API keys
nav-webhooks = Webhooks
nav-commerce = 1C
nav-crm = CRM
nav-audit = Audit log
count-conversations = conversations
count-due = due today
count-overdue = overdue or due today
account-of = Account of { $name }
profile = Profile and settings
theme = Theme
theme-auto = Theme of the system
theme-light = Light theme
theme-dark = Dark theme
availability-accepting = Accepting
availability-paused = Paused
availability-off = Off shift
availability-accepting-hint = new conversations come
availability-paused-hint = only what you have
availability-off-hint = nothing comes
availability-now = Availability: { $state }
load-title = Load and capacity
presence-online = online
presence-away = away
presence-offline = offline
palette = Commands
palette-placeholder = What do you want to do, or whom to find?
palette-go = go to
palette-company = company
palette-deal = deal
palette-setting = setting
palette-conversation = this conversation
palette-search = Search everywhere for “{ $query }”

# Inbox
view-mine = Mine
view-queue = Queue
view-all = All open
view-closed = Closed
empty-mine = Nothing waits for you
empty-mine-text = New conversations come here by themselves while you accept them. You can also take one from the queue.
empty-queue = The queue is empty
empty-queue-text = Everybody has been looked after.
empty-all = No open conversations
empty-all-text = As soon as somebody writes, it appears here.
empty-closed = Nothing closed yet
empty-closed-text = Finished conversations can be found here.
filter-line = Filter by line
list-fresh = { $count } new
typing = typing…
draft = Draft:
you-wrote = You wrote:
note = Note
attachment = Attachment
waiting-since = waiting for
unread-count = { $count } unread
priority-0 = Normal
priority-1 = Raised
priority-2 = High
priority-3 = Urgent
priority-label = Priority: { $level }
thread-none = Choose a conversation
thread-none-text = J and K go through the list, ? shows all shortcuts.
conversation-with = Conversation with { $name }
conversation-gone = You do not see this conversation any more.
claimed = claimed
claimed-hint = Typed in by the visitor, not proven.
verified = verified
verified-hint = Proven, for example by an identity that your site has signed.
take = Take
take-over = Take over
take-full = You are at capacity.
take-force = Take anyway
close = Close
reopen = Reopen
return = Return to the queue
transfer = Transfer…
tags = Tags…
why = Why this operator?
snooze = Snooze
snooze-hour = For an hour
snooze-tomorrow = Until tomorrow, { $time }
snooze-week = Until next week: { $time }
snooze-end = Bring back now
snoozed-until = snoozed until { $time }
snoozed-label = snoozed until
snoozed-hint = It comes back then, or as soon as the visitor writes. Until then it stands in All open.
snoozed-toast = Snoozed until { $time }
thread-task = New task…
participants = In this conversation
participant-owner = answers
participant-hidden = unseen
join = Join
join-openly = Join openly
join-hidden = Join unseen
leave = Leave the conversation
joined-hidden = You are here unseen: what you write stays with the team.
write-hidden = Write to your team…
spam = Mark as spam
card = Contact card
closed-toast = Closed: { $name }
returned-toast = Returned to the queue
spam-toast = Marked as spam and closed
older = Earlier messages
older-failed = Could not be loaded. Try again
to-end = To the latest message
is-typing = { $name } is typing…
is-replying = { $name } is replying…
message-from = { $name }, { $time }
message-pending = Your message, not confirmed yet
note-label = Note for the team
delivery-queued = Queued
delivery-sending = Sending
delivery-sent = Sent
delivery-delivered = Delivered
delivery-read = Read
delivery-failed = Not delivered
delivery-uncertain = Perhaps delivered
send-again = Send again
pending-sending = Sending…
pending-waits = Waiting for the connection
not-sent = Not sent
take-back = Edit
show-all = Show all
mail-frame = Mail as the sender laid it out
mail-blocked = { $count ->
    [one] One remote image is not loaded.
   *[other] { $count } remote images are not loaded.
}
mail-plain = Show as text
mail-rich = Show as sent
mail-quote-show = Show the quoted text
mail-quote-hide = Hide the quoted text
mail-images-show = Load images
mail-images-hint = Loading them tells the sender that the mail was opened.
mail-link-leads = leads to { $host }
mail-original = Original
mail-original-title = The mail as it came
mail-original-cut = The mail is too large: only its beginning was fetched. The whole is in the mailbox.
mail-original-beginning = The beginning of { $size } is shown; download it to see the rest.
mail-download = Download .eml
mail-forged = Probably forged.
mail-forged-text = The mail server could not confirm that this address wrote it. Do not act on it before asking back another way.
mail-genuine = Sender confirmed
mail-encrypted = Encrypted with { $by }. It can be read with the recipient’s key only: download the original.
mail-signed = Signed with { $by }. The signature was not checked.
invite-request = Invitation
invite-cancelled = Cancelled
invite-counter = Another time is proposed
invite-accepted = Accepted
invite-declined = Declined
invite-tentative = Perhaps
invite-answered = Answer to an invitation
invite-unnamed = An event without a name
invite-when = When
invite-where = Where
invite-organizer = From
invite-repeats = repeated
open-image = Open image { $name }
composer-kind = Kind of message
reply = Reply
reply-to = Reply to { $name }
reply-placeholder = Write a reply…
reply-takes = Sending takes the conversation.
note-hint = Only your team sees this.
note-placeholder = Write a note for your team…
cannot-reply = This channel only receives. You can leave a note, or write to the contact by another channel.
add-note = Add note
send = Send
send-hint-enter = Enter sends, Shift+Enter makes a new line
send-hint-ctrl = Ctrl+Enter sends
attach = Attach a file
uploading = Uploading { $name }
transfer-find = Find an operator or a line
transfer-to = Transfer to
transfer-comment = Comment for your colleague
transfer-comment-hint = The visitor does not see it.
transfer-silent = Do not tell the visitor
transfer-do = Transfer
transferred-toast = Transferred
tags-label = Tags of this conversation
tags-hint = Enter or a comma adds one.
why-empty = No routing decision yet
why-by = Line { $line }, version { $version }, { $algorithm }
why-rank = rank { $rank }
accept = Accept
decline = Decline
decline-reason = Why? (your supervisors see it)
decline-busy = Busy right now
decline-topic = Not my topic
decline-leaving = Leaving soon
offers = Conversations you are asked to take
offers-more = { $count } more
offer-announce = { $name }, { $line }: do you take this conversation? Alt A accepts, Alt X declines.
offer-waits = waiting { $time }
offer-left = { $count } seconds left
offer-broadcast = All who are free are asked. The first to accept gets it.
offer-late = This conversation is not offered to you any more.
outcome-assigned = Assigned
outcome-offered = Offered
outcome-waiting = Nobody free, waiting
outcome-overflow = Moved to the overflow line
outcome-off_hours = Outside working hours
outcome-no_answer = Nobody answered
reject-disabled = account is off
reject-no_right = no right to this line
reject-not_in_queue = not in the queue
reject-offline = offline
reject-away = away
reject-paused = paused
reject-off_shift = off shift
reject-at_capacity = at capacity
reject-line_limit = at the limit of this line
reject-declined = declined
reject-lapsed = did not answer in time
reject-missing_skill = lacks a skill
reject-language = does not speak the language
notify-offer = Do you take this conversation? ({ $line })
notify-assigned = A conversation is yours now ({ $line })

# Card
edit-contact = Edit contact
contact-nothing = No address known
history = Earlier conversations
history-none = No other conversations
lead-none = No lead
lead-new = New
lead-in_progress = In progress
lead-converted = Converted
lead-junk = Junk
responsible = Responsible
source = Source
touch-first = First visit
touch-last = Latest visit
touch-utm_source = Campaign source
touch-utm_medium = Medium
touch-utm_campaign = Campaign
touch-utm_term = Term
touch-utm_content = Content
touch-gclid = Google click
touch-fbclid = Facebook click
touch-yclid = Yandex click
touch-msclkid = Microsoft click
touch-gbraid = Google click (app)
touch-wbraid = Google click (web to app)
touch-dclid = Display click
touch-ymclid = Yandex Market click
touch-ttclid = TikTok click
touch-li_fat_id = LinkedIn click
touch-twclid = X click
touch-page_url = Page of the form
touch-page_title = Title of the page
touch-at = When
touch-referrer = Came from
touch-landing_page = First page
touch-called_number = Called number
touch-start_payload = Start parameter

# Search, contacts, leads
search-placeholder = Search in contacts, companies, leads, deals and messages
search-start = Search everything
search-start-text = Names, addresses, numbers, titles and the text of messages; two letters are enough.
search-none-text = Try fewer letters or another word.
contacts-find = Find by name, e-mail or phone
contacts-empty = No contacts yet
contacts-empty-text = Everybody who writes becomes a contact by themselves.
leads-find = Find in leads
leads-empty = No leads yet
leads-empty-text = Somebody new who writes or fills in a form becomes a lead, if the rules of the line say so.
only-mine = Only mine
open-conversation = Conversation

# Intake and deliveries
submission = Submission
submission-accepted = Accepted
submission-held = Held
submission-spam = Spam
approve = Approve
reject = Reject
consent = Consent
consent-given = given { $at }
consent-none = not given
quarantine-sub = What arrived but could not be understood. Nothing is thrown away.
quarantine-empty = Nothing in quarantine
quarantine-empty-text = Everything that arrived could be read.
view-raw = View
raw-title = As it arrived
replay = Try again
replayed = Taken in again
replaying = Trying…
replay-failed = It could not be tried. Try again in a moment.
replay-open = Open the conversation
replayed-at = Taken in { $at }
deliveries-sub = Messages that did not reach their recipient, and those on their way.
deliveries-empty-failed = Everything has been delivered
deliveries-empty-uncertain = Nothing is uncertain
deliveries-empty-queued = Nothing is waiting
uncertain-explained = The connection broke while sending: the message may have arrived. Ask or look before you send it again.
queued-again = Queued again

# Lines
lines-sub = A line is one queue: its channels, its operators and its rules.
lines-empty = No lines yet
line-new = New line
line-version = Version { $version }
line-name-hint = Operators see it; visitors may see it in texts.
line-enabled = This line is on
distribution = Distribution
distribution-even = Evenly
distribution-even-hint = To whoever has waited longest since their last one.
distribution-least_loaded = Least loaded
distribution-least_loaded-hint = To whoever has the lowest load now.
distribution-strict = Strictly in order
distribution-strict-hint = Always to the first in the queue who is free.
distribution-all = To all at once
distribution-all-hint = Everybody who is free is asked; the first to accept gets it.
acceptance = Acceptance
acceptance-automatic = At once
acceptance-automatic-hint = The conversation belongs to the operator as soon as it is their turn.
acceptance-offer = The operator accepts
acceptance-offer-hint = It rings, and they say yes or no. Without an answer in time the next one is asked.
offer-timeout = Time to accept
offer-timeout-hint = When everybody was asked, the overflow line is next, then all who did not answer once more together; then it begins anew.
seconds = seconds
limit = Limit per operator
limit-hint = Conversations of this line at once. Empty: only the capacity counts.
sticky = Back to the known operator
sticky-hint = Whoever is responsible for the lead is asked first, when free.
sticky-grace = Kept for them for
sticky-grace-hint = Busy, away or just gone: the conversation waits for them so long, then it goes to others.
offline = Assign while offline
offline-hint = Also to operators who are not there now.
match-language = Only operators who speak the visitor’s language
required-skills = Required skills
required-skills-hint = Only operators who have all of them. Enter or a comma adds one.
queue-hint = Who answers this line, in this order.
queue-empty = Nobody is in the queue: conversations of this line wait until somebody takes them by hand.
queue-add = Add to the queue
queue-pick = Choose an operator or a team…
queue-members = { $count ->
    [one] one entry
   *[other] { $count } entries
}
timers = When time passes
timers-hint = Times count while the line is open. Empty: never.
return-after = Back to the queue without a reply after
return-after-hint = The conversation leaves its operator and goes to somebody else who is there.
overflow-line = Overflow line
overflow-line-hint = Where conversations go that nobody took in time.
overflow-none = None
overflow-after = Move there after
sla-first = First answer promised within
sla-first-hint = Open time from the client's first message. Of equal priority, what is due first is served first. Empty: no promise.
sla-next = Later answers promised within
sla-next-hint = Open time from the first message you have not answered.
due = due { $time }
overdue = overdue { $time }
wall-overdue = { $count } overdue
auto-close-after = Close when the client is silent after
auto-close-after-hint = Counts from your last reply.
auto-close-text-hint = Empty: nothing.
minutes = minutes
automatic-message = Automatic message
crm = Leads
create-lead = Create a lead
create-lead-hint = An open lead of the contact is always joined.
create-lead-always = For every new session
create-lead-unknown = Only for unknown contacts
create-lead-never = Never

# What clients are told
texts = What clients are told
texts-hint = The line says this by itself. Variables are filled in; words after a | are said when there is no value: { "{{" }contact.name|friend{ "}}" }.
texts-languages = Languages of the texts
texts-own = Own texts
texts-add = Add a language…
texts-remove = Remove { $item }
texts-language = Language of these texts
texts-language-hint = Times are told in it. Clients with another language get its translation, if there is one.
texts-language-none = Not said
texts-translation-hint = What is empty is said in the line’s own words.
text-insert = Insert a variable…
text-insert-for = Insert a variable: { $item }
text-preview = Preview
text-unknown = There is no variable { $name }
text-welcome = Welcome
text-welcome-hint = In chats, when a client begins a conversation. Not in mails.
text-off-hours = Text outside the hours
text-off-hours-hint = Once for each time the line is closed.
text-no-answer = Text when nobody answers
text-auto-close = Text when the client is silent
text-rating = Question for the rating
text-rating-hint = Empty: the web chat asks in its own words, other channels do not ask.
variable-contact-name = Name of the client
variable-operator-name = Name of the operator
variable-line-name = Name of the line
variable-conversation-number = Number of the conversation
variable-opens-at = Next opening
variable-time-zone = Time zone of the line
variable-queue-position = Place in the queue
variable-wait-minutes = Minutes to wait
variable-form-url = Address of the form
sample-contact = Emily
sample-operator = Anna
off-hours-action = Outside the hours
off-hours-none = Say nothing
off-hours-none-hint = Conversations wait until the line opens.
off-hours-text = Tell the client
off-hours-text-hint = Conversations wait until the line opens.
off-hours-form = Offer a form
off-hours-form-hint = With the address of this line’s web form. Without one only the text is said.
off-hours-overflow = Move to the overflow line
off-hours-overflow-hint = To the line chosen above, at once.
no-answer-after = When nobody answers within
no-answer-after-hint = Counts while the line is open and nobody owns the conversation. Empty: never.
no-answer-action = Then
no-answer-none = Do nothing
no-answer-none-hint = The conversation goes on waiting.
no-answer-text = Tell the client
no-answer-text-hint = Once; the conversation goes on waiting.
no-answer-form = Offer a form
no-answer-form-hint = With the address of this line’s web form. Without one only the text is said.
no-answer-callback_lead = Ask for a call back
no-answer-callback_lead-hint = The client’s lead, or a new one, asks for a call; a note has the numbers.
no-answer-close = Close the conversation
no-answer-close-hint = With this text. Who writes again begins a new one.
rated = Rated { $rank } of 5
rating-ask = Ask for a rating when a conversation ends
rating-ask-hint = From 1 to 5, with a comment. Not for spam, and not when nobody answered.

# Channels
channels-sub = Where customers write: a site, a mailbox, a form.
channels-empty = No channels yet
channel-new = New channel
channel-choose = What do you want to connect?
channel-key = Key
channel-key-hint = Small letters, digits and hyphens; part of addresses. Empty: made for you.
channel-enabled = This channel is on
channel-delete = Delete the channel?
channel-delete-text = { $name } stops receiving and sending. A channel that has conversations cannot be deleted: switch it off instead.
connector-missing = This kind of channel is not available on this server
connector-email = A mailbox, read by IMAP and answered by SMTP
connector-telegram = A bot
connector-webchat = A chat window on your website
connector-webform = A form on your website or on its own page
connector-voip = Calls of a telephone system
check-telegram_bot = Bot
check-telegram_address = Address for Telegram
check-telegram_updates = Messages
check-telegram_privacy = Groups
start-title = Links that say where people come from
start-hint = Whoever opens the bot by such a link brings the source and the campaign to the lead, and the line to the conversation.
start-source = Source
start-campaign = Campaign
start-own-line = The channel's own
start-link = Link
start-qr = The link as a QR code
start-save = QR code
start-long = Telegram takes 64 Latin letters, digits, - and _ in a link. This one can stand under a short word that is kept with the channel.
start-keep = Keep it under a short word
start-no-bot = The bot's name is not known: the connection test says why.
connector-custom = Any program, over HTTP
check = Test connection
checking = Testing…
check-save-first = Save first, then test.
check-ok = It works.
check-failed = It does not work.
health = Health
health-starting = Starting
health-ok = Working
health-degraded = Having trouble
health-failed = Not working
health-disabled = Switched off
health-last = last contact { $ago } ago
secret-kept = Leave empty to keep the stored one.

# E-mail channels: signing in, earlier mail, tags, the steps of the test
check-failed-at = It does not work: { $step }.
check-oauth = Sign-in at the provider
check-imap_dns = Incoming: server name
check-imap_tcp = Incoming: connection
check-imap_tls = Incoming: encryption
check-imap_login = Incoming: login
check-imap_folder = Incoming: folder
check-smtp_dns = Outgoing: server name
check-smtp_tcp = Outgoing: connection
check-smtp_tls = Outgoing: encryption
check-smtp_login = Outgoing: login
health-lag = { $lag } behind
sign-in-title = Sign-in at the provider
sign-in-hint = The mailbox is opened by a sign-in at { $provider }, without a password stored here. Register an application there once, with the address below as its redirect address, and put its client id and secret into the settings.
sign-in-address = Redirect address of the application
sign-in-provider = the provider
sign-in-with = Sign in with { $provider }
sign-in-again = Sign in again with { $provider }
sign-in-none = Nobody signed in yet: the channel cannot work.
sign-in-save-first = Save first.
signed-in = Signed in
signed-in-at = Signed in on { $at }
signed-in-failed = The sign-in did not work.
signed-in-nothing = The provider sent nothing back. Begin again from the channel.
backfill-title = Earlier mail
backfill-hint = Takes in mail that arrived before the channel was connected. What is here already is not taken twice.
backfill-since = Since
backfill-as-new = Treat it as new mail
backfill-as-new-hint = Opens conversations in the queue and makes leads. Otherwise it is kept as history, in closed conversations.
backfill-start = Take in earlier mail
backfill-stop = Stop
backfill-waiting = Since { $since }: waiting for the channel to begin.
backfill-running = Since { $since }: { $done } of { $total } mails looked at.
backfill-done = Mail since { $since } is here: { $total } mails looked at.
tag-word = Tag
tag-add = Add a tag

# People
users-sub = Who may sign in, and how much they can take.
user-new = New person
user-enabled = May sign in
user-enabled-hint = Without it, nothing is assigned and every session ends.
password-reset = New password
password-reset-hint = Empty: stays as it is.
role-operator = Operator
role-supervisor = Supervisor
role-admin = Admin
role-operator-hint = Sees their own conversations and those of their lines.
role-supervisor-hint = Sees and moves everything, changes no settings.
role-admin-hint = May do everything.
role-own-hint = What an admin gave it under Roles.
capacity = Capacity
capacity-hint = A chat weighs 1, a mail 0.5.
languages-hint = Codes such as en, ru, uz.
teams-sub = A team can stand in the queue of a line as one.
teams-empty = No teams yet
team-new = New team
team-members = { $count ->
    [one] one member
   *[other] { $count } members
}
team-delete = Delete the team?
team-delete-text = { $name } disappears from every queue. Its members stay.
apikeys-sub = For programs that use the API. Each key is a user of its own.
apikeys-empty = No API keys
apikey = API key
apikey-new = New API key
apikey-prefix = Begins with
apikey-name-hint = What it is for, so that you know it later.
apikey-once = Copy it now: it is shown only this once.
apikey-delete = Revoke the key?
apikey-delete-text = Programs that use { $name } lose access at once.
revoke = Revoke

# Profile
appearance = Appearance
compact = Compact list
notifications = Notifications
sound = Sounds
tone-message = New message
tone-assigned = Assigned to you
tone-queued = New in the queue
desktop = Desktop notifications
desktop-allow = Allow desktop notifications
desktop-why = Only when you look at something else, and only about your own conversations.
desktop-denied = The browser blocks notifications for this site. You can allow them in its settings.
keyboard = Keyboard
enter-sends = Enter sends (otherwise Ctrl+Enter)
single-keys = Shortcuts with a single key
password-change = Change password
password-changed = Password changed
password-current = Current password
password-new = New password
shortcuts = Keyboard shortcuts
key-next = Next conversation
key-previous = Previous conversation
key-open = Open the conversation
key-take = Take the conversation
key-accept = Accept what rings
key-decline = Decline what rings
key-close = Close, or reopen
key-reply = Write a reply
key-note = Write a note
key-transfer = Transfer
key-tags = Tags
key-task = New task in two keys
key-priority = Next priority
key-unread-next = Next unread
key-unread-previous = Previous unread
key-palette = Commands and search
key-search = Search
key-card = Show or hide the contact card
key-nav = Narrow or wide menu
key-help = This help
key-go-inbox = Go to mine
key-go-queue = Go to the queue
key-go-all = Go to all open
key-go-contacts = Go to contacts
key-go-leads = Go to leads
key-go-settings = Go to settings
key-send = Send
key-leave = Leave the field or the window

# Schedules, breaks, absences and pauses
availability-break = Break
availability-absence = Absent
availability-overtime = overtime
availability-until = until { $at }
availability-anyway = although off by schedule
availability-pause-for = Paused: { $item }
availability-pause-other = Paused for another reason…
pause-reason = Reason
pause-reason-hint = Colleagues see it.
pause-do = Pause
pause-reason-lunch = lunch
pause-reason-break = short break
pause-reason-training = training
pause-reason-meeting = meeting
away = Away
away-after = Away after
away-after-hint = Without a key or a mouse for this long nothing new comes to you until you are back.
away-default = as the server says ({ $count } minutes)
away-minutes = { $count } minutes
schedule = Schedule
schedule-edit = Edit schedule
schedule-by-hand-now = Works by hand: no shifts are set.
schedule-now-working = On shift.
schedule-until-working = On shift until { $at }.
schedule-now-break = On a break.
schedule-until-break = On a break until { $at }.
schedule-now-off_shift = Off shift.
schedule-until-off_shift = Off shift.
schedule-now-absent = Absent until further notice.
schedule-until-absent = Absent until { $at }.
schedule-next-shift = Next shift: { $at } to { $time }.
schedule-next-shift-endless = Next shift: from { $at }.
schedule-preview = As it would be once saved. Times are those of your own clock.
schedule-unread = As it stands this is no schedule: something below is not right.
shifts = Shifts
shift = Shift
shifts-hint = Outside the shifts nothing new comes, whatever was said. Who says “Accepting” then works overtime until the next shift begins.
schedule-on = Works in shifts
schedule-on-hint = Otherwise the operator alone says when they work.
time-zone = Time zone
time-zone-hint = Shifts, breaks and absences are meant in it, also when clocks change.
breaks = Breaks
break = Break
breaks-hint = In a break within a shift the operator counts as paused.
absences = Absences
absences-hint = By whole days, or from one time to another in the time zone above. Colleagues see that somebody is absent and until when, not why. Without an end: until further notice.
absence-begins = Begins
absence-ends = Ends
absence-days = Whole days
absences-none = None.
absence-add = Add an absence
absence-number = Absence { $count }
absence-remove = Remove absence { $count }
absence-from = First day
absence-to = Last day
absence-kind = Kind
absence-note = Note
absence-holiday = Holiday
absence-sick = Sick
absence-training = Training
absence-other = Other
week-from = { $item }, { $name }: from
week-to = { $item }, { $name }: to
week-add = Add: { $item }, { $name }
week-remove = Remove: { $item }, { $name }
week-spread = The same until Friday
week-next-day = ends on the next day
leave-grace = Time to come back
leave-grace-hint = The owner of an answered conversation who goes offline, pauses or goes off shift while the client waits for another answer has this long. Then it goes back to the queue. Empty: five minutes.

# The wall
nav-wall = Wall
key-go-wall = Go to the wall
wall-waiting = waiting
wall-longest = longest wait
wall-offered = offered
wall-assigned = in work
wall-accepting = accepting
wall-open = open
wall-open-until = open until { $time }
wall-opens = opens { $time }
wall-never = never open
wall-in-work = { $assigned } in work, { $offered } offered
wall-staff-accepting = { $count } accepting
wall-staff-away = { $count } away
wall-staff-paused = { $count } paused
wall-staff-off = { $count } off
wall-queue = Waiting
wall-since = for { $time }
wall-person = Availability of { $name }
wall-owed = The visitor waits for an answer
wall-here = you are here
wall-here-hidden = you are here unseen
wall-taken = It is yours now.
wall-state-accepting = Accepting
wall-state-paused = Paused
wall-state-off = Off shift
wall-unfold = Show all { $count }
wall-fold = Show fewer
wall-nobody = Nobody stands in a queue yet.
wall-stale = What you see may be old.
wall-cut = There is more than fits here: only the first are shown.
wall-tv = Full screen
wall-tv-end = Leave full screen

# Opening hours
hours = Opening hours
hours-hint = Outside them conversations wait until the line opens, and timers stand still.
hours-always = Always open
hours-by = By the week
hours-zone = Time zone
hours-draw = Press and pull to add hours, pull an edge to change them, click to remove. Pull into the next day for a night.
hours-list = The same as a list
hours-from = { $day }, from
hours-to = { $day }, to
hours-add = { $day }: add hours
hours-closed = closed
hours-next-day = next day
hours-copy = Copy { $day } to…
hours-copy-weekdays = Monday to Friday
hours-copy-all = Every day
hours-added = Added: { $interval }
hours-changed = Changed: { $interval }
hours-removed = Removed: { $interval }
hours-copied = { $day } has been copied
hours-undone = Undone
hours-open = Open now, without an end.
hours-open-until = Open now, until { $time }.
hours-opens = Closed now. It opens { $time }.
hours-never = Closed now, and no opening within a year.
exceptions = Exceptions
exceptions-hint = Holidays and other days with hours of their own. Without hours the line is closed all day.
exception-date = Date
exception-add = Add a day
exception-name = Name of { $date }
exception-placeholder = Why, for example New Year
exception-twice = This day is in the list already.

# Queue of a line
queue-drag = Pull a row by its handle to move it.
queue-handle = Move { $item }, place { $place } of { $count }
queue-keys = The arrow keys move the row, Home and End to the top and the bottom.
queue-moved = { $item }: place { $place } of { $count }
queue-removed = { $item } is out of the queue

# Warnings about a line
warnings = Warnings about this line
warnings-count = { $count ->
    [one] one warning
   *[other] { $count } warnings
}
warning-serves-nobody = serves nobody
warning-line_disabled = The line is off: what comes through its channels waits until it is switched on.
warning-queue_empty = The queue is empty: conversations wait until somebody takes them by hand.
warning-queue_without_members = The teams in the queue have no members.
warning-members_disabled = Everybody in the queue has their account switched off.
warning-capacity_too_small = Nobody in the queue has enough capacity for even one conversation of this line.
warning-capacity_too_small_for_some = Nobody in the queue has enough capacity for what some of the channels bring.
warning-skills_missing = Nobody in the queue has all the skills that the line requires.
warning-nobody_has_all = Those in the queue who have the skills have no capacity, and the others lack the skills.
warning-limit_zero = The limit per operator is zero: nobody may have a conversation of this line.
warning-never_open = The hours hold no opening within a year: the line is never open.
warning-overflow_to_itself = The line overflows into itself.
warning-overflow_cycle = Following the overflow from line to line leads back here. A conversation never returns to a line it was on: it stays on the last one.
warning-overflow_to_disabled = The overflow line is off.
warning-overflow_without_line = There is a time after which conversations overflow, and no line they go to.
warning-overflow_without_time = There is an overflow line, and no time after which conversations move there.
warning-off_hours_without_line = Outside the hours conversations shall move to the overflow line, and there is none.
warning-no_channel = No channel is attached: nothing comes to this line by itself.
warning-channels_disabled = All channels of this line are off: nothing comes.

# Why
why-now = Who would get this now?
why-now-hint = Asked of the same rules that the router goes by. Nothing has been changed.
why-no-candidates = nobody stands in the queue
why-said-strict = It { $when ->
    [now] goes
   *[then] went
} to { $name }: the first in the queue able to take it.
why-said-even = It { $when ->
    [now] goes
   *[then] went
} to { $name }: of those able to take it, longest without a new one.
why-said-least_loaded = It { $when ->
    [now] goes
   *[then] went
} to { $name }: the lowest load of those able to take it.
why-said-all = It { $when ->
    [now] goes
   *[then] went
} to { $name }: the lowest load of those able to take it.
why-said-sticky = It { $when ->
    [now] goes
   *[then] went
} to { $name }, who is responsible for this contact.
why-said-hand = { $name } got it by somebody’s hand: taken, transferred or reopened.
why-said-nobody = Nobody { $when ->
    [now] can
   *[then] could
} take it: { $reasons }.
why-said-kept = It { $when ->
    [now] is
   *[then] was
} kept a while for { $name }, who is responsible for this contact: { $reasons }.
why-said-return = It was given back to the queue.
why-said-no_reply = There was no reply in time: it went back to the queue.
why-said-owner_left = Whoever had it left: it went back to the queue.
why-said-offered = Operators are asked whether they take it.
why-said-overflow = It has waited too long and moves to the overflow line.
why-said-off_hours = The line { $when ->
    [now] is
   *[then] was
} closed: it waits until the line opens.
why-said-no_answer = Nobody answered: the line does what it is told to do then.
algorithm-sticky = responsible operator
algorithm-hand = by hand
algorithm-timer = timer
trigger-conversation = something new in the conversation
trigger-operator = a change of an operator
trigger-line = a change of the line
trigger-sweep = regular look
trigger-start = start of the server
trigger-take = taken
trigger-transfer = transferred
trigger-return = given back
trigger-reopen = reopened
trigger-owner_left = operator left
trigger-no_reply = no reply in time
trigger-timer = time has passed
trigger-preview = asked just now

# Why do I get nothing
nothing-ask = { $self ->
    [yes] Why do I get nothing?
   *[no] Why do they get nothing?
}
nothing-title = { $self ->
    [yes] Why do I get nothing?
   *[no] Why does { $name } get nothing?
}
nothing-disabled = { $self ->
    [yes] Your account is switched off. Ask an admin.
   *[no] The account of { $name } is switched off: switch it on among the people.
}
nothing-no_line = { $self ->
    [yes] You stand in no queue. Ask an admin to put you into the queue of a line.
   *[no] { $name } stands in no queue: put them into the queue of a line.
}
nothing-offline = { $self ->
    [yes] You are offline. Keep this window open and look whether it is connected.
   *[no] { $name } is offline: Switchboard is not open at their place.
}
nothing-away = { $self ->
    [yes] You are away from the keyboard: move the pointer or press a key.
   *[no] { $name } is away from the keyboard.
}
nothing-paused = { $self ->
    [yes] You are paused: switch to accepting.
   *[no] { $name } is paused. You can switch them to accepting.
}
nothing-off_shift = { $self ->
    [yes] You are off shift: switch to accepting.
   *[no] { $name } is off shift. You can switch them to accepting.
}
nothing-at_capacity = { $self ->
    [yes] You have as much as you can hold, { $load } of { $capacity }: close what is done, or ask for more capacity.
   *[no] { $name } has as much as they can hold, { $load } of { $capacity }.
}
nothing-closed = { $self ->
    [yes] All your lines are closed or off now.
   *[no] All lines of { $name } are closed or off now.
}
nothing-nothing_waits = { $self ->
    [yes] You are ready. Nothing waits on your lines now.
   *[no] { $name } is ready. Nothing waits on their lines now.
}
nothing-ready = { $self ->
    [yes] You are ready. Each line below says what stands between.
   *[no] { $name } is ready. Each line below says what stands between.
}
nothing-accept = Switch to accepting
nothing-load = load { $load } of { $capacity }
nothing-waiting = { $count ->
    [0] nothing waits
    [one] one waits
   *[other] { $count } wait
}
nothing-line-disabled = This line is off.
nothing-line-closed = This line is closed. It opens: { $time }
nothing-line-rejected = Not now: { $reason }.
nothing-line-turn = Ready, place { $rank } of { $members }; { $before ->
    [one] one colleague who can take the next one comes
   *[other] { $before } colleagues who can take the next one come
} before.
nothing-line-next = { $self ->
    [yes] Ready: the next one is yours.
   *[no] Ready: the next one goes here.
}
nothing-head = Who waits, in order
nothing-goes-to = goes to { $name }
nothing-kept = kept a while for the responsible operator
fix-at_capacity = Closing what is done makes room.
fix-line_limit = This line allows only so many at once: close one of it.
fix-missing_skill = An admin can add the skill to the person, or take it off the line.
fix-language = An admin can add the language to the person.
fix-not_in_queue = An admin can put the person into the queue.

# ---- simulation ----

# Writing mails: address fields, signatures, templates
nav-templates = Templates
key-reply-all = Reply to all
key-forward = Forward
mail-mode = Reply or forward
mode-reply = Reply
mode-reply_all = Reply all
mode-forward = Forward
mail-to = To
mail-cc = Cc
mail-bcc = Bcc
mail-edit = Change who gets this
mail-people = Also in this thread
mail-unanswerable = Nobody reads what is sent to this address. Give another one, or write a note.
mail-too-large = { $size } on the way, and this channel carries { $limit }: files grow by a third when they are mailed.
delivery-partly = Not everybody got it
signature = Signature
signature-own = Your signature
signature-hint = Stands under your mails, above the signature of the line.
signature-leave = Leave the signature away
signature-add = Put the signature back
line-signature = Signature under mails
line-signature-hint = Stands under the mails of this line's operators, below their own.
forwarded = Message that is passed on
forwarded-of = Message of { $name }
format = Formatting
format-bold = Bold (Ctrl+B)
format-italic = Italic (Ctrl+I)
format-list = List
format-quote = Quote
format-link = Link
format-link-words = link
templates-sub = Texts you write again and again. Type / in a reply to find one.
templates-empty = No templates yet
templates-insert = Insert a template (/)
templates-manage = Manage templates
templates-none = There are no templates yet.
templates-for = For whom
templates-all = All templates
templates-found = { $count ->
    [one] One template.
   *[other] { $count } templates.
}
template-shared = For everybody
template-line = For a line
template-own = For me
template-new = New template
template-shortcut = Shortcut
template-shortcut-hint = One word: /thanks finds it at once.
template-body = Text
template-delete = Delete the template?
template-delete-text = { $name } is gone for everybody who used it. What was written with it stays.
# ---- mail threads ----
delivery-delayed = Delayed
delivery-delayed-long = Delayed by the receiving server; it is being tried again there
automatic-reply = Automatic reply
automatic-reply-hint = A machine wrote this. It opens no session, and nobody has to answer it.
new-participant = New participant
new-participant-hint = They were not part of this conversation before. Look who it is before you answer.
message-menu = Actions for this message
split = Split into a new conversation from here
split-toast = Split off: conversation #{ $item }
merge = Merge into another conversation…
merge-hint = All messages of #{ $item } move there, in the order of time. It can be undone.
merge-find = Find by name, subject or number
merge-into = Merge into
merge-do = Merge
merged-toast = Merged into conversation #{ $item }
taken-back-toast = Undone: conversation #{ $item }
link-split-from = Split from #{ $item }
link-split-to = Split off: #{ $item }
link-merged-into = Merged into #{ $item }
link-merged-from = Includes #{ $item }
link-continues = Answers #{ $item }
link-continued-by = Continued in #{ $item }
link-undo = Undo: #{ $item }
link-reason-stranger = The sender was not part of that conversation
link-reason-old = That conversation was closed long ago
link-reason-subject = The subject is another one
address-unreachable = Nothing reaches this address:

# What counts toward the load
capacity-sub = How much of an operator's capacity one open conversation takes. Saved, it holds at once.
weights = Weights
weights-hint = An operator with a capacity of 5 can have five conversations that weigh 1, or ten that weigh 0.5.
weight-webchat = Web chat
weight-telegram = Telegram
weight-email = Mail
weight-webform = Form
weight-voip = Call
weight-custom = Custom
client-wait = Silent clients
client-wait-after = A conversation that waits for the client counts for
client-wait-hint = After that it takes no more room until the client writes; it stays with its operator, who may then have more than the capacity for a while. Empty: it counts for as long as it is open.
load-resting = { $count ->
    [one] One conversation waits for the client and does not count
   *[other] { $count } conversations wait for the client and do not count
}

# Who may take from the queue
may-pull = Operators may take conversations from the queue themselves
may-pull-hint = Without it only the queue and supervisors give them: nobody picks the easy ones. Writing an answer takes a conversation too.
queue-gives = The queue gives this conversation.
# Changes of messages
answer-this = Answer this message
answering = Answering { $name }
answering-stop = Do not name a message

buttons = Buttons under the message
buttons-title = Buttons under the message
buttons-ask-phone = Ask for the phone number
buttons-ask-phone-hint = The customer shares their own number with one press; it counts as verified. No other buttons stand beside it.
buttons-phone = Asks for the phone number
buttons-remove-all = Remove the buttons
buttons-done = Done
button-add = Add a button
button-remove = Remove button { $number }
button-label = Words on button { $number }
button-label-placeholder = Words on the button
button-does = What button { $number } does
button-answers = Answers with its words
button-opens = Opens a page
button-address = Page of button { $number }
button-address-wrong = An address begins with http:// or https://.
edited = edited
edited-hint = Changed { $time }. Show what it said before
versions = Earlier versions
version-now = Now
deleted-by-contact = Deleted by the customer
deleted-by-operator = Deleted
deleted-hint = The words stay here for you. The customer does not see them.
message-edit = Edit
message-edit-hint = The customer sees the new words in place of the old ones.
message-edit-note-hint = Your colleagues see the new words in place of the old ones.
message-delete = Delete message
message-delete-text = It disappears at the customer's side. Your colleagues still see it, struck through.
message-delete-note-text = Your colleagues still see it, struck through.
change-queued = The change is on its way
change-failed = The change did not reach the customer
forwarded-from = Forwarded from { $name }
forwarded-plain = Forwarded
missing-file = { $name } was not taken
show-place = Show on the map
key-answer = Answer the last message
key-edit-last = Edit your last message
key-delete-last = Delete your last message

# Custom connector
bridge-title = Your program
bridge-in = Where it posts messages
bridge-in-hint = Also …/status and …/typing beside it. Signed as Standard Webhooks.
bridge-secret = Secret
bridge-secret-once = Copy it now and give it to your program: it is shown only this once.
bridge-rotate = New secret
bridge-rotate-text = Your program must sign with the new secret. The old one stays good meanwhile:
bridge-overlap-day = for a day
bridge-overlap-week = for a week
bridge-overlap-none = not at all
bridge-rotated = The old secret is good until { $time }.
bridge-events = What it sent lately
bridge-events-hint = The last 500 of 24 hours, since the server started.
bridge-events-none = Nothing came yet. This list follows by itself.
bridge-verdict-stored = Stored
bridge-verdict-duplicate = Repeated
bridge-verdict-quarantined = In quarantine
bridge-verdict-taken = Taken
bridge-verdict-refused = Refused
bridge-verdict-failed = Failed

# ---- calls
nav-calls = Calls
call = Call
calls-ringing = Ringing calls
call-announce = { $name } is calling
call-notify = Incoming call: { $number }
call-rings = Incoming call
call-hidden = Hidden number
call-dismiss = Close this card
call-dialled = Dialled
call-before = Before
call-who = Operator
call-talked = Talked
call-direction = Direction
call-direction-inbound = Incoming
call-direction-outbound = Outgoing
call-direction-internal = Internal
call-ringing = Ringing
call-calling = Calling
call-talking = On the phone
call-in-answered = Answered
call-out-answered = Outgoing call
call-internal-answered = Internal call
call-missed = Missed call
call-voicemail = Voicemail
call-busy = Busy
call-failed = Failed
call-canceled = Canceled
call-no-answer = No answer
call-attempt = { $count ->
    [one] { $count } attempt
   *[other] { $count } attempts
  }
call-transcript = What was said
call-back = Call
call-asked = Your telephone { $extension } rings first
recording = Recording
recording-voicemail = Voicemail
recording-play = Play
recording-pause = Pause
recording-place = Place in the recording
recording-pace = Speed { $pace }
recording-broken = This recording cannot be played here. Download it.
recording-coming = The recording is on its way
recording-failed = The recording could not be fetched
calls-find = Number
calls-everybody = All operators
calls-all-directions = All directions
calls-since = From
calls-until = To
export = Export
calls-empty = No calls yet
calls-empty-text = Calls appear here as soon as a telephone channel reports them.
key-open-call = Open the caller
key-close-call = Close the caller’s card
phone-addresses = Addresses for the provider
phone-addresses-hint = Enter these in the provider’s settings, exactly as they stand.
phone-events-hint = The last reports of the telephone system, with what became of each. Make a call and look here.
phone-numbers = Our numbers
phone-numbers-hint = What each number stands for: leads of callers get its source.
phone-number = Number
phone-label = Label
phone-source = Source
phone-medium = Medium
phone-campaign = Campaign
phone-number-add = Add a number
phone-operators = Telephones
phone-operators-hint = Whose telephone an extension is: calls pop up for them, and count as theirs.
phone-extension = Extension
phone-operator-add = Add a telephone
may-read = Your role lets you read this.
