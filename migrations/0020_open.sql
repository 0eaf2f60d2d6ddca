-- Lists by state, search and what is open, found by an index however many years there are.

-- What is open of an invoice that stands: the total less what settles it; 0 of one that is void. A copy, which triggers
-- keep, and `verify` compares.
ALTER TABLE invoice ADD COLUMN open BIGINT NOT NULL DEFAULT 0;
CREATE INDEX invoice_open ON invoice (number, open) WHERE open > 0;
CREATE INDEX invoice_owed ON invoice (dealership_id, number, open) WHERE open > 0;
CREATE INDEX invoice_void ON invoice (number) WHERE cancelled_at IS NOT NULL;

-- What waits of a payment, likewise.
ALTER TABLE payment ADD COLUMN waiting BIGINT NOT NULL DEFAULT 0;
CREATE INDEX payment_waiting ON payment (dealership_id, waiting) WHERE waiting > 0;
-- What a bank's line was recorded as, undone ones too.
CREATE INDEX payment_reference ON payment (reference) WHERE reference IS NOT NULL;
-- What a person entered without the bank's reference since a day.
CREATE INDEX payment_by_hand ON payment (paid_on) WHERE reference IS NULL;

-- Emails of one state, the latest first.
CREATE INDEX outbox_state ON outbox (state, id);
