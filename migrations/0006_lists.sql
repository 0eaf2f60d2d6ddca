-- Lists and sums that do not grow with the years: what they show stands in columns, and is found by an index.

-- Copies out of `content`, written once: by the issue, or when a fecha that knows them first opens the ledger.
-- All of a row are null until then, and none is afterwards. `verify` compares them with the document.
ALTER TABLE revision ADD COLUMN dealership_name TEXT;       -- legal name, as printed
ALTER TABLE revision ADD COLUMN cnpj TEXT;                  -- as printed
ALTER TABLE revision ADD COLUMN package BIGINT;             -- contacts included
ALTER TABLE revision ADD COLUMN uam BIGINT;                 -- unique active contacts
ALTER TABLE revision ADD COLUMN hsm BIGINT;                 -- template messages
ALTER TABLE revision ADD COLUMN package_amount BIGINT;      -- the lines of the package, centavos
ALTER TABLE revision ADD COLUMN overage_amount BIGINT;      -- the lines of contacts above it, centavos
ALTER TABLE revision ADD COLUMN hsm_amount BIGINT;          -- the lines of template messages, centavos
ALTER TABLE revision ADD COLUMN adjustments_amount BIGINT;  -- the lines of credits and charges, centavos
ALTER TABLE revision ADD COLUMN total BIGINT;               -- all lines, centavos
ALTER TABLE revision ADD COLUMN due_on TEXT;                -- the day it is to be paid
ALTER TABLE revision ADD COLUMN issued_on TEXT;             -- the dealership's local day of issue

-- What is still to be filled; empty from then on.
CREATE INDEX revision_unfilled ON revision (number, revision) WHERE total IS NULL;
-- A month's sum, without reading a document.
CREATE INDEX revision_sum ON revision (number, superseded_at, total);

DROP INDEX invoice_month;
CREATE INDEX invoice_month ON invoice (month, cancelled_at, number);
CREATE INDEX invoice_dealership ON invoice (dealership_id, month);

-- Without the rows that have none: with them statistics say that the index finds nothing faster.
CREATE INDEX adjustment_number ON adjustment (number) WHERE number IS NOT NULL;
CREATE INDEX adjustment_origin ON adjustment (origin) WHERE origin IS NOT NULL;
CREATE INDEX outbox_number ON outbox (number);
CREATE INDEX audit_month ON audit (month);
CREATE INDEX audit_dealership ON audit (dealership_id);

-- Months whose close a person let go on. Until now this was read out of the audit log.
CREATE TABLE released_month (
    month TEXT NOT NULL PRIMARY KEY,
    released_at TEXT NOT NULL,      -- the first time
    released_by TEXT NOT NULL       -- login name
);
INSERT INTO released_month (month, released_at, released_by)
SELECT a.month, a.at, a.actor FROM audit AS a
WHERE a.action = 'release' AND a.month IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM audit AS b
    WHERE b.action = 'release' AND b.month = a.month AND (b.at < a.at OR (b.at = a.at AND b.id < a.id))
);
