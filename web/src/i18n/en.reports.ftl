## Reports

report-from = From
report-to = To, this day included
report-csv = Download CSV
report-everybody = Everybody

# ---- Where leads come from ----

sources-sub = How many leads came, and what brought them.
sources-touch = Which visit counts
sources-by = Counted by
by-source = Source
by-medium = Medium
by-campaign = Campaign
by-channel = Channel
sources-leads = Leads
sources-converted = Converted
sources-junk = Junk
sources-none = No leads in this time
sources-none-text = Choose a longer time.
sources-unknown = not known
sources-days = Leads by day
sources-day = { $day }: { $count ->
    [one] { $count } lead
   *[other] { $count } leads
  }
sources-total = { $count ->
    [one] { $count } lead
   *[other] { $count } leads
  }
sources-left-out = { $count } more leads in smaller rows

# ---- How far deals come ----

funnel-sub = How far the deals come that were made in a period
funnel-filters = Which deals
funnel-none = No deals were made in this period
funnel-none-text = Choose a longer period or another pipeline.
funnel-deals = Deals
funnel-won = Won
funnel-lost = Lost
funnel-won-after = Median time to win
funnel-way = From stage to stage
funnel-bar = { $name }: { $count } deals, { $share } of all
funnel-reached = Came this far
funnel-of-all = Of all
funnel-of-previous = Of the stage before
funnel-now = There now
funnel-lost-here = Lost from here
funnel-median = Median stay
funnel-mean = Mean stay

# ---- How soon customers are answered ----

responses-sub = How soon customers are answered. Time is counted by the clock, nights included.
responses-filters = Which sessions
responses-by = Rows
responses-by-operator = Operators
responses-by-line = Lines
responses-by-channel = Kinds of channel
responses-none = No sessions began in this time
responses-none-text = Choose a longer time.
responses-sessions = Sessions
responses-answered = Answered
responses-unanswered = Closed without an answer
responses-first = First answer, median
responses-p90 = First answer, 9 of 10 within
responses-close = Until closed, median
responses-rating = Rating
responses-days = Median of the first answer by day
responses-day = { $day }: { $time }, sessions: { $count }
responses-day-none = { $day }: no answers, sessions: { $count }
responses-nobody = nobody took them
by-line = Line
by-number = Called number
