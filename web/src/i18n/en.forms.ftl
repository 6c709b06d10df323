# ---- The form builder --------------------------------------------------------------------------------------------------

preview = Preview
preview-width = Width of the preview
preview-wide = Desktop
preview-phone = Phone
preview-dark = Dark
preview-failed = The preview cannot be drawn now.
form-languages = Languages
form-language = Language of these texts
form-language-add = Add a language…
form-language-drop = Remove { $language }
form-language-editing = You are writing the texts in { $language }. What stays empty reads as in the form’s own language.
form-languages-hint = Visitors get the language of the page, else of their browser.
form-fields-hint = Pull a card by its handle, or use the arrow keys on it.
form-texts = Texts
form-title = Heading
form-submit = Button
form-thanks = Thanks
form-thanks-hint = What visitors read after sending. Empty: general words in their language.
form-steps = Steps
form-step = Step
form-step-n = Step { $n }
form-step-add = Add a step
form-steps-start = Ask in steps
form-consent-ask = Ask for consent to the processing of personal data
form-consent-example = I agree to the processing of my personal data
form-consent-text = What visitors agree to
form-consent-url = Link to the whole policy
form-consent-version = Version
form-consent-version-hint = Kept with each consent. Empty: a short hash of the text.
form-after = After sending
form-makes = A form makes
form-makes-lead = Contact, conversation and lead
form-makes-conversation = Contact and conversation
form-makes-contact = The contact alone
form-responsible-hint = For leads this form makes.
form-responsible-first = Whoever answers first
form-redirect = Go to a page instead of thanks
form-redirect-hint = https://… of an allowed site, or a path on this server.
form-redirect-origins = Further sites to go to
form-redirect-origins-hint = A page of these may also be asked for by the post itself, in the field sb_next. Enter or a comma adds.
form-look = Look
form-colour = Colour
form-theme = Theme
form-theme-auto = As the device
form-theme-light = Light
form-theme-dark = Dark
form-region = Country of phone numbers
form-region-hint = Two letters, for numbers without a country code.
form-safety = Against spam
form-safety-hint = A hidden field, the time it took, what is written and how often the same comes: all of it without other services. What is suspicious waits under “Form submissions”; nothing is dropped.
form-moderation = Every submission waits for approval
form-origins = Sites that may send this form
form-origins-hint = https://shop.example, https://*.shop.example, or * for any. Enter or a comma adds.
form-captcha = Captcha of another service
form-captcha-hint = Optional. What does not pass, and what comes while the service is away, is held.
form-captcha-none = None
form-captcha-key = Site key
form-captcha-secret = Secret key
form-embedding = Put it on a site
embed-script = Script
embed-script-hint = Stands in your page, in your page’s language; your styles do not reach it.
embed-frame = Frame
embed-frame-hint = A page of its own inside yours.
embed-html = Plain HTML
embed-html-hint = Works without scripts. Copies of it go on working when you change the form.
embed-link = Link
embed-link-hint = A page of its own. Campaign tags in the address are kept.
embed-from = On every page: remember where visitors came from
field-depends = depends
field-help = Help
field-help-hint = A sentence below the input.
field-placeholder = Example in the empty input
field-error = When it is wrong or missing
field-error-hint = Empty: general words in the visitor’s language.
field-formerly = Pages made before may still send it as: { $names }
field-value = Initial value
field-show-when = Ask it
field-show-always = Always
field-show-how = When that
show-filled = is filled
show-empty = is empty
show-is = is one of
show-is-not = is none of
show-values = These values

# ---- Judging submissions -----------------------------------------------------------------------------------------------

judge-selected = { $count ->
    [one] { $count } chosen
   *[other] { $count } chosen
  }
judge-all = Choose all
judge-one = Choose { $name }
judge-spam = Spam
judge-keys = J and K move, X chooses, A approves, R rejects, S is spam, U takes back, Enter opens.
judge-done-approve = { $count ->
    [one] Approving { $count }
   *[other] Approving { $count }
  }
judge-done-reject = { $count ->
    [one] Rejected { $count }
   *[other] Rejected { $count }
  }
judge-done-spam = { $count ->
    [one] { $count } marked as spam
   *[other] { $count } marked as spam
  }
judge-undo = Undo
judge-undone = Taken back
judge-failed = { $count ->
    [one] { $count } could not be judged: { $detail }
   *[other] { $count } could not be judged: { $detail }
  }
verdict-approved = Approved
verdict-rejected = Rejected
verdict-spam = Spam
verdict-by = { $verdict } by { $name }, { $at }
submission-extra = Sent beside the form’s fields
submission-extra-hint = By a page that was made when the form had other fields.
consent-version = Version { $version }
reason-honeypot = filled the hidden field
reason-too_fast = sent within two seconds
reason-bad_time = its clock is wrong
reason-bad_seal = a forged seal
reason-link_in_name = a link as the name
reason-markup = markup
reason-links = several links
reason-many_links = many links
reason-no_client = names no program
reason-sales_talk = words of unasked offers
reason-disguised_letters = disguised letters
reason-random_name = a random name
reason-same_in_all_fields = the same in all fields
reason-repeated = sent several times
reason-flood = sent again and again
reason-same_text = the same text from others
reason-busy_network = a busy network
reason-captcha_missing = no captcha
reason-captcha_failed = captcha failed
reason-captcha_unavailable = captcha was away

# ---- a chat's settings ----
blocks = Blocked
blocks-visitor = A visitor
blocks-until = until { $time }
list-add = Add
blocks-unblock = Let in again

# ---- Fields, of forms and of questions before a chat ----

field-add = Add a field
field-new = New field
field-label = Label
field-name = Name
field-name-hint = Letters, digits and _; the name in the data.
field-type = Type
field-maps = Becomes
field-maps-hint = Where the answer goes.
field-options = Choices
field-required = Must be filled
type-text = Text
type-textarea = Long text
type-email = E-mail
type-phone = Phone
type-number = Number
type-select = Choice
type-checkbox = Checkbox
type-date = Date
type-file = File
type-hidden = Hidden
maps-none = Only the submission
maps-contact-name = Name of the contact
maps-contact-email = E-mail of the contact
maps-contact-phone = Phone of the contact
maps-company-name = Name of the company
maps-lead-title = Title of the lead
maps-lead-comment = Comment of the lead
maps-lead-field = A field of the lead
maps-lead-field-name = Name of the lead’s field
submissions-sub = What visitors sent through your forms.
submissions-empty = No submissions
submissions-empty-text = As soon as somebody sends a form, it appears here.
submission-approved = Approved: the lead is made
submission-rejected = Moved to spam
spam-score = Spam score
form-address = Address of the form
form-embed = Form inside your page
form-html = Plain HTML, without scripts
form-fields = Fields
fields-empty = No fields yet.

# ---- Leads of other services -------------------------------------------------------------------------------------------

leads = Leads of other services
leads-hint = Tilda, Elementor, Contact Form 7, Webflow, Typeform, Tally, Meta and Google lead ads, Bitrix24 and whatever sends JSON bring their leads here. Write this address into the service.
leads-address = Address for webhooks
leads-secret = Secret
leads-secret-hint = With it nothing is taken that does not prove that it knows it: signed by Typeform, Tally or Webflow, or sent along: as google_key or api_key in the body, in the header X-Api-Key, or as ?secret=… in the address.
leads-meta = Meta lead ads
leads-meta-hint = Write the verify token into the webhook’s settings at Meta. Leads are fetched with the page’s token.
leads-meta-verify_token = Verify token
leads-meta-app_secret = App secret
leads-meta-page_token = Page token
leads-mapping = What means what
leads-mapping-hint = Known services are understood by themselves. For others, choose below what each value of the last lead is; what is not chosen is kept beside it.
leads-none = Nothing has come yet. Send a test from the service: it appears here for 24 hours.
leads-push = What came
leads-suggest = Suggest
leads-clear = Forget all
leads-unreadable = This is neither JSON nor a form.
leads-maps = { $place } is
leads-keep = — kept as it is —
leads-marks = Campaign
leads-number = Number (the same one is the same lead)
leads-elsewhere = Also mapped, and not in this lead:
leads-preview = The lead it would make
leads-test = A trial of the service: nothing is made of it.
leads-reach = Reached at
channel-of-line = One of the same line

# ---- Notifications of forms ---------------------------------------------------------------------------------------------

form-notifications = Notifications
form-notifications-hint = Whom to tell of each accepted submission, with what was filled in and where they came from. Held ones tell nobody before they are approved.
notify-mail = Mail
notify-telegram = Telegram
notify-webhook = Webhook
notify-drop = Remove this notification
notify-mail-channel = Sent from
notify-telegram-channel = Bot
notify-mail-none = There is no e-mail channel yet: add one under Channels.
notify-telegram-none = There is no Telegram channel yet: add one under Channels.
notify-channel-choose = Choose a channel…
notify-language = Language
notify-language-own = The form’s own
notify-mail-to = Addresses
notify-mail-to-hint = Each gets a mail of its own.
notify-telegram-to = Chats
notify-telegram-to-hint = The number of a chat: a person’s, or a group’s, which begins with −. The bot must be in the group; a person must have written to it first.
notify-try = Send an example
notify-webhook-choose = Choose a webhook…
notify-url = Or a new address
notify-url-hint = Becomes a webhook that only forms use; its deliveries are listed under Webhooks.
notify-secret = Secret of the new webhook
notify-secret-once = Copy it into the other program now: it is shown this once.
notify-next = again { $time }
notified-queued = Waiting
notified-sending = On its way
notified-sent = Sent
notified-failed = Failed
notified-uncertain = Perhaps sent

# ---- How a form is used ------------------------------------------------------------------------------------------------

use = How it is used
use-days = Time
use-last = Last { $n } days
use-views = Seen
use-starts = Begun
use-completions = Sent
use-left = Where visitors leave who had begun
use-elsewhere = Elsewhere
use-hint = Counted by the form’s own page and script, without telling visitors apart. Copies in plain HTML and programs are not counted.
