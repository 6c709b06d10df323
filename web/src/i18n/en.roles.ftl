roles-sub = What people and programs may do, object by object. Built-in roles stay as they are; copy one to make your own.
role-new = New role
role-built-in = built-in
role-users = { $count ->
    [one] { $count } user
   *[other] { $count } users
}
role-copy = Copy
role-copy-of = Copy of { $name }
role-look = Look
role-delete = Remove this role?
role-delete-text = Nobody has the role “{ $name }”. It will be gone.
role-held = Users have it: give them another role first.
role-rights = Rights
role-object = Object
role-same = All in this column
role-settings = Settings, force and hidden participation stay with the built-in roles.
role-lines-note = “Own lines” are the lines whose queue one stands in; “own teams” adds what members of one's teams own.
role-nothing = Nothing
object-conversation = Conversations
object-contact = Contacts
object-company = Companies
object-lead = Leads
object-deal = Deals
object-task = Tasks
object-call = Calls and recordings
object-submission = Submissions
object-report = Reports
right-view = See
right-edit = Change
right-delete = Remove
right-export = Take out
reach-none = None
reach-own = Own
reach-lines = Own lines
reach-team = Own teams
reach-all = All
