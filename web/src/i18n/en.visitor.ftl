# ---- visitors of a web chat ----
visitor-here = On the site now:
visitor-beside = On the site, in another tab:
visitor-gone = Not on the site. Opened the chat { $time }:
visitor-block = Block…
visitor-blocked = Blocked
visitor-is-blocked = blocked
visitor-unblock = Let in again
visitor-block-title = Block this visitor?
visitor-block-text = They cannot write any more. What they wrote stays.
visitor-block-address = Also everybody who comes from their address, for seven days
visitor-block-address-hint = An office or a mobile network may share one address. Signed-in users of the site are let in all the same.
visitor-block-yes = Block
transcript = Transcript…
transcript-text = What was said in this chat goes to its visitor by e-mail: without notes, and without what hidden participants wrote.
transcript-send = Send the transcript
transcript-sent = The transcript is on its way
