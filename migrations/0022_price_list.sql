-- A contract may name a price list and grant a discount; what an invoice charges beside package, contacts and HSM,
-- and how many HSM it does not charge.
ALTER TABLE contract ADD COLUMN list TEXT; -- whose tables price it; null is the standard list
ALTER TABLE contract ADD COLUMN discount_percent TEXT NOT NULL DEFAULT '0.00'; -- off the sum of the table's lines
ALTER TABLE revision ADD COLUMN other_amount BIGINT NOT NULL DEFAULT 0; -- the lines of the table that are none of the above
ALTER TABLE revision ADD COLUMN unbilled_hsm BIGINT NOT NULL DEFAULT 0; -- of its HSM those that are not billed
