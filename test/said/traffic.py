"""What stations and a running central said to each other, from the central's own record, for the judge.

traffic.py FOLDER: every database below FOLDER; lines go to the file that PW_OCPP_DUMP names, if it does.
"""

import contextlib
import json
import os
import pathlib
import sqlite3
import sys

KINDS = {"call": 2, "result": 3}


def lines(database):
    """The record as lines; an answer takes its action from its call."""
    calls = {}
    rows = database.execute("SELECT station_id, direction, kind, action, message_id, payload FROM traffic ORDER BY seq")
    for station, direction, kind, action, number, payload in rows:
        asked_by = direction if kind == "call" else {"in": "out", "out": "in"}[direction]
        if kind == "call":
            calls[station, asked_by, number] = action
        action = calls.get((station, asked_by, number))
        if kind in KINDS and action and '"hidden"' not in payload:
            yield {"by": "station" if direction == "in" else "central", "kind": KINDS[kind], "action": action,
                   "payload": json.loads(payload)}


def begins(path):
    with path.open("rb") as file:
        return file.read(6)


def write(folder):
    """Appends what is below the folder; the programs have ended or go on, it only reads."""
    name = os.environ.get("PW_OCPP_DUMP")
    if not name:
        return
    with open(name, "a", encoding="utf-8") as out:
        for path in pathlib.Path(folder).rglob("*"):
            with contextlib.suppress(sqlite3.DatabaseError, OSError):
                if path.is_file() and begins(path) == b"SQLite":
                    with contextlib.closing(sqlite3.connect(path, timeout=5)) as database:
                        for line in lines(database):
                            print(json.dumps(line), file=out)


if __name__ == "__main__":
    write(sys.argv[1])
