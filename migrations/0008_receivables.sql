-- What is open and overdue, without reading a document: the content of a revision lies before these columns.
CREATE INDEX revision_open ON revision (number, total, due_on) WHERE superseded_at IS NULL;

-- Whether a dealership is reminded of what is open: 1 yes, 0 no; null: as configured.
ALTER TABLE dealership ADD COLUMN reminders BIGINT;

-- A dealership was reminded of what is open: once a day at most.
CREATE TABLE reminder (
    dealership_id TEXT NOT NULL REFERENCES dealership (id),
    day TEXT NOT NULL,              -- the issuer's local day
    reminded_at TEXT NOT NULL,
    CONSTRAINT reminder_once PRIMARY KEY (dealership_id, day)
);
