#!/bin/sh
# system: Anything else (BigQuery, ClickHouse, MongoDB, Parquet), exported as CSV
# read: any
# engine: SQLite, Python 3.11
# dealership_id: as exported
# url: sqlite:messages.db
# relation: message
# ignored_statuses: queued, failed
# counted_statuses:
# trap: Export the month with a day on each side: the zone decides the month.
# trap: A message_id that comes twice is kept once, with its last status.
# trap: sent_at is ISO 8601 with an offset; without one the load is refused.
#
# CSV with the header message_id,dealership_id,contact,direction,kind,template,status,sent_at
# usage: csv-export-to-sqlite.sh export.csv messages.db
set -e
rm -f "$2.new"
python3 - "$1" "$2.new" <<'PY'
import csv, sqlite3, sys
from datetime import datetime
db = sqlite3.connect(sys.argv[2])
db.execute("CREATE TABLE message(message_id TEXT PRIMARY KEY, dealership_id TEXT, contact TEXT, direction TEXT, kind TEXT, template TEXT, status TEXT, sent_at INTEGER NOT NULL)")
def ms(t):
    t = datetime.fromisoformat(t.replace("Z", "+00:00"))
    assert t.tzinfo, "sent_at has no offset"
    return int(t.timestamp() * 1000)
rows = ((r["message_id"], r["dealership_id"], r["contact"], r["direction"], r["kind"], r["template"] or None, r["status"] or None, ms(r["sent_at"])) for r in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")))
db.executemany("INSERT INTO message VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (message_id) DO UPDATE SET status = excluded.status", rows)
db.execute("CREATE INDEX message_sent_at ON message(sent_at)")
db.commit()
PY
mv "$2.new" "$2"
