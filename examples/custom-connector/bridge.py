"""Bridges "Pigeon", a made-up messenger (pigeon.py), to a custom channel. Python 3.9, standard library only.

  SWITCHBOARD_HOOKS=https://desk.example/hooks/custom/KEY SWITCHBOARD_SECRET=whsec_... python3 bridge.py

The channel's callback address is http://THIS-MACHINE:8090/switchboard.
"""

import base64, hashlib, hmac, json, os, sqlite3, threading, time, urllib.error, urllib.request, uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pigeon import Pigeon

HOOKS = os.environ["SWITCHBOARD_HOOKS"].rstrip("/")
KEY = base64.b64decode(os.environ["SWITCHBOARD_SECRET"].replace("whsec_", "", 1))
LOCK, DB = threading.Lock(), sqlite3.connect(os.environ.get("BRIDGE_DB", "pigeon.db"), check_same_thread=False)
DB.execute("CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, webhook_id TEXT, path TEXT, body TEXT)")
DB.execute("CREATE TABLE IF NOT EXISTS seen (webhook_id TEXT PRIMARY KEY, answer TEXT)")
PIGEON = Pigeon(DB)


def sign(webhook_id, timestamp, body):
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()


def verified(headers, body):
    """Standard Webhooks: the signature fits, and the request is not older than five minutes."""
    webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    fresh = timestamp.isdigit() and abs(time.time() - int(timestamp)) <= 300
    ours, given = sign(webhook_id, timestamp, body), headers.get("webhook-signature", "").split()
    return fresh and any(hmac.compare_digest(ours, one) for one in given)


def to_switchboard(path, body):
    """Keeps what is to be sent; the loop below sends it, in order, until it was taken."""
    DB.execute("INSERT INTO outbox (webhook_id, path, body) VALUES (?, ?, ?)", (uuid.uuid4().hex, path, json.dumps(body)))


def send_loop():
    while True:
        with LOCK:
            row = DB.execute("SELECT id, webhook_id, path, body FROM outbox ORDER BY id LIMIT 1").fetchone()
        if not row or not post(*row[1:]):
            time.sleep(0.2 if not row else 1)
            continue
        with LOCK, DB:
            DB.execute("DELETE FROM outbox WHERE id = ?", row[:1])


def post(webhook_id, path, text):
    """True when it was taken, or never will be."""
    now, body = str(int(time.time())), text.encode()
    headers = {"content-type": "application/json", "webhook-id": webhook_id, "webhook-timestamp": now}
    headers["webhook-signature"] = sign(webhook_id, now, body)
    try:
        with urllib.request.urlopen(urllib.request.Request(HOOKS + path, body, headers), timeout=30):
            return True
    except urllib.error.HTTPError as error:
        print("refused:", error.code, error.read().decode(errors="replace"), flush=True)
        return 400 <= error.code < 500 and error.code != 429
    except OSError:
        return False  # away: the same webhook-id is sent again


def from_switchboard(call):
    """What operators do. Answers the status and the JSON for it."""
    kind, room = call.get("type"), call.get("conversation", {}).get("external_id")
    if kind == "message.send" and room == "nowhere":
        return 404, {"error": "there is no such room"}
    if kind == "message.send":
        author = (call.get("author") or {}).get("name") or "Support"
        files = [file["url"] for file in call["attachments"]]
        return 200, {"external_id": f"p{PIGEON.add(room, author, call['text'], files, call['id'])}"}
    if kind == "message.edit":
        PIGEON.change(call["text"], ours=call["id"])
    elif kind == "message.delete":
        PIGEON.remove(ours=call["id"])
    elif kind in ("typing", "session.closed"):
        PIGEON.typing[room] = kind
    return 200, {}  # types that are new to us are none of our business


def from_people(path, said):
    """What people do in Pigeon: each becomes a push to Switchboard."""
    where = {"conversation": {"external_id": said["room"]}, "from": {"id": said["user"], "name": said["user"].title()}}
    if path == "/typing":
        to_switchboard("/typing", where)
    elif path == "/seen":
        for ours in PIGEON.answers(said["room"]):
            to_switchboard("/status", {"message_id": ours, "state": "read"})
    elif said.get("delete"):
        PIGEON.remove(said["delete"])
        to_switchboard("/messages", {"id": f"p{said['delete']}", **where, "deleted": True})
    elif said.get("edit"):
        PIGEON.change(said["text"], said["edit"])
        at = datetime.now(timezone.utc).isoformat()
        to_switchboard("/messages", {"id": f"p{said['edit']}", **where, "text": said["text"], "edited": at})
    else:
        made = PIGEON.add(said["room"], said["user"], said["text"])
        to_switchboard("/messages", {"id": f"p{made}", **where, "text": said["text"], "attachments": said.get("files", [])})
        return {"id": made}
    return {}


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        with LOCK:
            room = PIGEON.room(self.path.rsplit("/", 1)[-1])
        self.answer(200, room)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path != "/switchboard":
            with LOCK, DB:
                answer = from_people(self.path, json.loads(body))
            return self.answer(200, answer)  # only now: it is kept
        if not verified(self.headers, body):
            return self.answer(401, {"error": "the signature does not fit"})
        with LOCK, DB:  # one transaction: what was done and that it was done
            webhook_id = self.headers["webhook-id"]
            known = DB.execute("SELECT answer FROM seen WHERE webhook_id = ?", (webhook_id,)).fetchone()
            status, answer = (200, json.loads(known[0])) if known else from_switchboard(json.loads(body))
            if not known and status == 200:
                DB.execute("INSERT INTO seen VALUES (?, ?)", (webhook_id, json.dumps(answer)))
        self.answer(status, answer)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    threading.Thread(target=send_loop, daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("BRIDGE_PORT", "8090"))), Handler).serve_forever()
