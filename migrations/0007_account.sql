-- The account as open items: payments settle invoices by allocations, invoices take of credit notes and charges,
-- and what is left of either is computed. What fecha 0.1 kept otherwise is turned into this when the ledger is
-- first opened by a fecha that knows it, from the lines of the documents as issued.

-- What of a credit note or charge never counts: a person took it back. The sign of the amount.
ALTER TABLE adjustment ADD COLUMN taken_back BIGINT NOT NULL DEFAULT 0;

-- What an invoice that stands took of a credit note or charge.
CREATE TABLE taking (
    note BIGINT NOT NULL REFERENCES adjustment (id),
    number TEXT NOT NULL REFERENCES invoice (number),
    amount BIGINT NOT NULL,         -- the sign of the note
    words TEXT NOT NULL,            -- as the invoice prints it
    CONSTRAINT taking_once PRIMARY KEY (note, number)
);
CREATE INDEX taking_number ON taking (number);

-- Money that came in, or what stands for it.
ALTER TABLE payment RENAME TO payment_of_0_1;
CREATE TABLE payment (
    id TEXT NOT NULL,               -- UUIDv7: sorts by time
    dealership_id TEXT NOT NULL REFERENCES dealership (id),
    number TEXT REFERENCES invoice (number), -- its own invoice; null: put on account
    paid_on TEXT NOT NULL,          -- the day on the bank statement
    amount BIGINT NOT NULL,
    kind TEXT NOT NULL,             -- 'money'; tax withheld: 'iss', 'irrf', 'csrf'; 'discount'; 'interest'
    reference TEXT,                 -- the bank's
    ordinal BIGINT NOT NULL,        -- which of equal ones without a reference, from 1
    converted BIGINT NOT NULL,      -- what fecha 0.1 made a credit note of
    entered_by TEXT NOT NULL,
    entered_at TEXT NOT NULL,
    undone_at TEXT,                 -- it never counts, since then
    undone_by TEXT,
    undone_why TEXT,
    CONSTRAINT payment_id PRIMARY KEY (id)
);
INSERT INTO payment (id, dealership_id, number, paid_on, amount, kind, ordinal, converted, entered_by, entered_at)
SELECT p.id, i.dealership_id, p.number, p.paid_on, p.amount, 'money', 1, 0, p.entered_by, p.entered_at
FROM payment_of_0_1 p JOIN invoice i ON i.number = p.number;
DROP TABLE payment_of_0_1;
CREATE UNIQUE INDEX payment_once ON payment (reference, number, kind) WHERE reference IS NOT NULL AND undone_at IS NULL;
CREATE INDEX payment_number ON payment (number);
CREATE INDEX payment_dealership ON payment (dealership_id);

-- What of a payment settles an invoice that stands.
CREATE TABLE allocation (
    payment TEXT NOT NULL REFERENCES payment (id),
    number TEXT NOT NULL REFERENCES invoice (number),
    amount BIGINT NOT NULL,         -- above zero
    CONSTRAINT allocation_once PRIMARY KEY (payment, number)
);
CREATE INDEX allocation_number ON allocation (number);

-- Money that waited and was paid back.
CREATE TABLE refund (
    id TEXT NOT NULL,               -- UUIDv7: sorts by time
    dealership_id TEXT NOT NULL REFERENCES dealership (id),
    refunded_on TEXT NOT NULL,      -- the day on the bank statement
    reason TEXT NOT NULL,
    entered_by TEXT NOT NULL,
    entered_at TEXT NOT NULL,
    CONSTRAINT refund_id PRIMARY KEY (id)
);
CREATE INDEX refund_dealership ON refund (dealership_id);

-- Which payments a refund was of. A refund that is undone has none.
CREATE TABLE refund_part (
    refund TEXT NOT NULL REFERENCES refund (id),
    payment TEXT NOT NULL REFERENCES payment (id),
    amount BIGINT NOT NULL,         -- above zero
    CONSTRAINT refund_part_once PRIMARY KEY (refund, payment)
);
CREATE INDEX refund_part_payment ON refund_part (payment);

-- 'of 0.1' until credits and payments of 0.1 are open items.
INSERT INTO meta (name, value) VALUES ('account', 'of 0.1');
