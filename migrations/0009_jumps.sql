-- Numbers that were passed over on purpose: [invoice] first_number is a floor, for a reseller who has invoiced
-- before, and after an older ledger was restored. They are no gap to verify.
CREATE TABLE number_jump (
    year BIGINT NOT NULL,
    first BIGINT NOT NULL,          -- the first number that was passed over
    last BIGINT NOT NULL,           -- the last one
    jumped_at TEXT NOT NULL,
    CONSTRAINT number_jump_once PRIMARY KEY (year, first)
);
