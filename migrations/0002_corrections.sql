-- Corrections: credits and charges beside what was used, and what was paid.

-- A credit or charge, on the next invoice of the dealership that is not issued yet.
CREATE TABLE adjustment (
    id BIGINT NOT NULL PRIMARY KEY,
    dealership_id TEXT NOT NULL REFERENCES dealership (id),
    month TEXT NOT NULL,            -- the first month whose invoice may carry it
    amount BIGINT NOT NULL,         -- below zero: a credit
    description TEXT NOT NULL,      -- as the invoice prints it
    entered_by TEXT NOT NULL,
    entered_at TEXT NOT NULL,
    rest_of BIGINT,                 -- the credit of which this is what an invoice had no room for
    origin TEXT REFERENCES invoice (number), -- the invoice that left it over; null: a person entered it
    number TEXT REFERENCES invoice (number), -- the invoice that carries it; null: it waits
    cancelled_at TEXT               -- it never counts, since then
);
CREATE INDEX adjustment_dealership ON adjustment (dealership_id);

-- Money that came in for an invoice.
CREATE TABLE payment (
    id TEXT NOT NULL PRIMARY KEY,   -- UUIDv7: sorts by time
    number TEXT NOT NULL REFERENCES invoice (number),
    paid_on TEXT NOT NULL,          -- the day on the bank statement
    amount BIGINT NOT NULL,
    entered_by TEXT NOT NULL,
    entered_at TEXT NOT NULL,
    UNIQUE (number, paid_on, amount)
);
