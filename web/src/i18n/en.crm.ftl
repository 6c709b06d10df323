crm-sub = Leads go to the CRM you have, with what was said; what happens to them there comes back.
crm-new = Connect a CRM
crm-pick = Which CRM?
crm-empty = No CRM is connected
crm-empty-text = Connect the CRM your company works in: each lead goes there by itself, once, whatever breaks on the way.
crm-no-adapters = This build has no adapters to CRMs.
crm-missing = This build has no adapter of this kind
crm-missing-text = What waits is kept. Use a build that has it, or remove the connection.
crm-two-way-able = tells what becomes of leads
crm-state-running = Works
crm-state-paused = Paused
crm-state-stopped = Stopped
crm-state-failing = Does not answer
crm-waiting = { $count ->
    [one] { $count } step waits
   *[other] { $count } steps wait
  }
crm-dead = { $count ->
    [one] { $count } needs a person
   *[other] { $count } need a person
  }
crm-blocked = Asked again at { $time }
crm-last-success = Last told { $time }
crm-stopped = Stopped at { $time }
crm-stopped-text = Nothing is lost: what happens waits. Sign in anew or correct the settings below; then it goes on by itself.
crm-stopped-notice = The CRM refuses the connection “{ $name }”: it stopped.
crm-preparing = Not at work yet. Look at the fields and states below, then press Start. What happens meanwhile waits and is not lost.
crm-start = Start
crm-pause = Pause
crm-access = Access
crm-what = What goes there
crm-lines = Lines
crm-lines-hint = Leads of the lines chosen; of all lines, and those of none, when nothing is chosen.
crm-notes = Notes on the lead
crm-note-transcripts = What was said, when a conversation is closed
crm-note-calls = Calls, with their recordings
crm-note-remarks = What colleagues write to each other
crm-language = Language of notes
crm-two-way = Statuses come back
crm-two-way-hint = The state a lead comes into there changes its status here, within about a minute.
crm-fields = Fields
crm-fields-hint = Name, phones, e-mails, company, source and the responsible operator go by themselves. Here you fill the CRM's other fields.
crm-reread = Read again
crm-required = The CRM needs these too: { $names }
crm-no-rules = No further fields are filled.
crm-add-field = Add a field
crm-their-field = Field of the CRM
crm-our-field = Filled by
crm-fixed = A fixed value
crm-values = Values: ours = theirs
crm-values-hint = One pair a line. Theirs: { $names }
crm-otherwise = Otherwise
crm-left-empty = left empty
crm-group-lead = Lead
crm-group-contact = Contact
crm-group-company = Company
crm-group-line = Line
crm-group-channel = Channel
crm-group-owner = Responsible
crm-group-own = Custom fields
crm-group-attribution = Where it came from (last touch)
crm-group-first = Where it came from (first touch)
crm-from-lead-title = Title
crm-from-lead-status = Status
crm-from-lead-source = Source
crm-from-lead-created-at = When it was made
crm-from-lead-loss-reason = Why it is junk
crm-from-lead-id = Id
crm-from-lead-url = Link to it here
crm-from-contact-name = Name of the contact
crm-from-contact-phone = Phone
crm-from-contact-email = E-mail
crm-from-contact-language = Language
crm-from-company-name = Name of the company
crm-from-company-website = Website
crm-from-company-tax-number = Tax number
crm-from-line-name = Name of the line
crm-from-channel-name = Name of the channel
crm-from-channel-kind = Kind of the channel
crm-from-owner-name = Their name
crm-from-owner-email = Their e-mail
crm-from-owner-id = Their id
crm-statuses = States
crm-statuses-hint = Which state there each status here becomes.
crm-no-statuses = This CRM's leads have no states.
crm-status-stays = stays as it is there
crm-statuses-back = And back
crm-statuses-back-hint = Which status here each state there becomes. Where you choose nothing, its meaning decides.
crm-status-stays-here = stays as it is here
crm-stage-open = by its meaning: open
crm-stage-won = by its meaning: converted
crm-stage-lost = by its meaning: junk
crm-backfill = Earlier leads
crm-backfill-hint = Leads made since { $time } go by themselves. Earlier ones go when you ask for them; those that are there already are found and not made twice.
crm-backfill-from = Made since
crm-backfill-start = Take them
crm-backfill-stop = Stop taking
crm-backfill-begun = Earlier leads are being taken
crm-backfill-progress = { $done } of { $total } earlier leads looked at
crm-queue = What did not go well
crm-queue-empty = Nothing failed
crm-queue-empty-text = What the CRM refuses, or could not take, stands here with the reason.
crm-queue-none = Nothing in this state
crm-refresh = Refresh
crm-retry = Retry
crm-retry-all = Retry all that failed
crm-discard = Discard
crm-discard-all = Discard all that failed
crm-retried = { $count ->
    [one] { $count } step is tried again
   *[other] { $count } steps are tried again
  }
crm-discarded = { $count ->
    [one] { $count } step was given up
   *[other] { $count } steps were given up
  }
crm-act = Retry or discard
crm-next = again at { $time }
crm-job-troubled = Troubled
crm-job-dead = Needs a person
crm-job-queued = Waits
crm-job-sending = On its way
crm-job-done = Done
crm-job-skipped = Nothing to do
crm-kind-lead = The lead itself
crm-kind-conversation = What was said
crm-kind-call = A call
crm-kind-remark = A colleague's note
crm-reason-temporary = The CRM does not answer
crm-reason-limited = The CRM asks for patience
crm-reason-unknown = May have been done: it is looked for first
crm-reason-crashed = Was cut off: it is looked for first
crm-delete = Remove this connection?
crm-delete-text = “{ $name }” forgets which lead is which record, and what waits is dropped. What is in the CRM stays there.
crm-open-in = Open in { $name }
crm-link-waiting = on its way
crm-link-failed = could not be sent
crm-link-gone = deleted there
