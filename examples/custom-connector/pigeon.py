"""Pigeon, a messenger that does not exist: rooms, kept in a file. People use it over HTTP:

  POST /say {"room", "user", "text", "files"?} or {..., "edit": id, "text"} or {..., "delete": id}
  POST /seen {"room", "user"}     POST /typing {"room", "user"}     GET /rooms/NAME
"""

import json


class Pigeon:
    def __init__(self, db):
        self.db, self.typing = db, {}  # room: what was said of late beside words
        db.execute("CREATE TABLE IF NOT EXISTS bird (id INTEGER PRIMARY KEY, room TEXT, author TEXT, text TEXT, files TEXT, ours TEXT UNIQUE, deleted INTEGER DEFAULT 0)")

    def add(self, room, author, text, files=(), ours=None):
        row = (room, author, text, json.dumps(list(files)), ours)
        return self.db.execute("INSERT INTO bird (room, author, text, files, ours) VALUES (?, ?, ?, ?, ?)", row).lastrowid

    def change(self, text, id=None, ours=None):
        self.db.execute("UPDATE bird SET text = ? WHERE id = ? OR ours = ?", (text, id, ours))

    def remove(self, id=None, ours=None):
        self.db.execute("UPDATE bird SET deleted = 1 WHERE id = ? OR ours = ?", (id, ours))

    def answers(self, room):
        """What Switchboard calls the messages it brought here."""
        rows = self.db.execute("SELECT ours FROM bird WHERE room = ? AND ours IS NOT NULL", (room,))
        return [ours for (ours,) in rows]

    def room(self, name):
        birds = self.db.execute("SELECT author, text, files FROM bird WHERE room = ? AND NOT deleted ORDER BY id", (name,))
        return {"birds": birds.fetchall(), "hint": self.typing.get(name)}
