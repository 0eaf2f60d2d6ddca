-- Dealerships of one group get, beside their own invoices, a page that adds them up, with one Pix.

-- By its name; null: none. No invoice prints it.
ALTER TABLE dealership ADD COLUMN group_name TEXT;

-- What a group got for a month. Only ever added to: where other invoices stand later, another one replaces it. Of one
-- group and month one replaces nothing, and each is replaced once, so that two closes at once make no two.
CREATE TABLE group_bill (
    txid TEXT NOT NULL,              -- G, the month and a counter: G2026100001
    month TEXT NOT NULL,             -- of its invoices
    counter BIGINT NOT NULL,         -- from 1 without a gap, over all groups of the month
    group_name TEXT NOT NULL,        -- as the page prints it
    replaces TEXT,                   -- the bill before of the same group and month
    content TEXT NOT NULL,           -- what the page says, JSON
    pdf_sha256 TEXT NOT NULL,        -- of the page
    bytes BYTEA NOT NULL,            -- the page, compressed by zstd
    made_at TEXT NOT NULL,           -- when
    CONSTRAINT group_bill_txid PRIMARY KEY (txid),
    CONSTRAINT group_bill_counter UNIQUE (month, counter),
    CONSTRAINT group_bill_replaced UNIQUE (replaces),
    CONSTRAINT group_bill_before FOREIGN KEY (replaces) REFERENCES group_bill (txid)
);
CREATE UNIQUE INDEX group_bill_first ON group_bill (month, group_name) WHERE replaces IS NULL;

-- The invoices of a group bill, each once, and what was open of each when it was made.
CREATE TABLE group_bill_row (
    txid TEXT NOT NULL REFERENCES group_bill (txid),
    number TEXT NOT NULL,            -- of the invoice
    revision BIGINT NOT NULL,        -- the one that stood
    to_pay BIGINT NOT NULL CHECK (to_pay >= 0),
    CONSTRAINT group_bill_row_once PRIMARY KEY (txid, number),
    CONSTRAINT group_bill_row_issued FOREIGN KEY (number, revision) REFERENCES revision (number, revision)
);
CREATE INDEX group_bill_row_number ON group_bill_row (number);

-- Payments that are parts of what came in for a group bill: by them a line of a bank is known again, whatever its
-- invoices had open when it was read first.
CREATE TABLE group_payment (
    payment TEXT NOT NULL REFERENCES payment (id), -- the part
    txid TEXT NOT NULL REFERENCES group_bill (txid), -- what the payer named
    receipt TEXT NOT NULL REFERENCES payment (id), -- the first part: what came in as one has the same
    CONSTRAINT group_payment_once PRIMARY KEY (payment)
);
CREATE INDEX group_payment_txid ON group_payment (txid);
