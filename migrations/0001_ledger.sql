-- fecha's ledger. Runs unchanged on SQLite and PostgreSQL: only BIGINT, TEXT and BYTEA columns.
-- Money is in centavos, instants are RFC 3339 text in UTC, months are YYYY-MM, days YYYY-MM-DD.

-- Facts about the ledger itself.
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY, -- 'evidence_key': fingerprint of the key behind the ids of all evidence
    value TEXT NOT NULL
);

-- The register: who is invoiced.
CREATE TABLE dealership (
    id TEXT NOT NULL PRIMARY KEY,   -- as in the message database, byte by byte
    name TEXT NOT NULL,             -- legal name
    trade_name TEXT NOT NULL,       -- may be empty
    cnpj TEXT NOT NULL,             -- formatted
    address TEXT NOT NULL,
    city TEXT NOT NULL,
    state TEXT NOT NULL,            -- two letters
    email TEXT NOT NULL,            -- where invoices go
    cc TEXT NOT NULL,               -- further addresses, separated by ;
    timezone TEXT,                  -- IANA name; null: the issuer's
    due_day BIGINT                  -- 1 to 31; null: the configured one
);

-- The package of a dealership from a month on.
CREATE TABLE contract (
    dealership_id TEXT NOT NULL REFERENCES dealership (id),
    from_month TEXT NOT NULL,
    package BIGINT,                 -- contacts included; null ends the contract
    PRIMARY KEY (dealership_id, from_month)
);

-- The next invoice number of each year of issue. Its row lock orders all issuing transactions.
CREATE TABLE counter (
    year BIGINT NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);

-- A number belongs to one dealership and month for good.
CREATE TABLE invoice (
    number TEXT NOT NULL PRIMARY KEY,
    dealership_id TEXT NOT NULL REFERENCES dealership (id),
    month TEXT NOT NULL,
    cancelled_at TEXT               -- the number is void since then; null: it stands
);

-- The last guard against billing twice.
CREATE UNIQUE INDEX invoice_once ON invoice (dealership_id, month) WHERE cancelled_at IS NULL;
CREATE INDEX invoice_month ON invoice (month);

-- What was issued under a number. Never changes, but for the two columns that say so.
CREATE TABLE revision (
    number TEXT NOT NULL REFERENCES invoice (number),
    revision BIGINT NOT NULL,       -- 0 is the first issue
    content TEXT NOT NULL,          -- the document model, JSON
    evidence_sha256 TEXT NOT NULL,  -- of the evidence file before compression
    pdf_sha256 TEXT NOT NULL,       -- of the invoice PDF
    statement_sha256 TEXT NOT NULL, -- of the statement PDF
    issued_at TEXT NOT NULL,
    reason TEXT,                    -- why it replaces the one before; null in revision 0
    issued_by TEXT,                 -- who asked for it; null where fecha issued by itself
    superseded_at TEXT,             -- changes once: a later revision stands since then
    digest BIGINT,                  -- changes once: the number of the month's digest that reported it
    PRIMARY KEY (number, revision)
);

-- The files of a revision, as issued.
CREATE TABLE file (
    number TEXT NOT NULL,
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL,             -- 'invoice', 'statement' (PDF) or 'evidence' (CSV, zstd)
    bytes BYTEA NOT NULL,
    PRIMARY KEY (number, revision, kind),
    FOREIGN KEY (number, revision) REFERENCES revision (number, revision)
);

-- The latest word on each month that a close has looked at.
CREATE TABLE closing (
    month TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,            -- 'open' (some months have not ended), 'held' or 'closed'
    held TEXT,                      -- why it is held
    exceptions TEXT NOT NULL,       -- what needs a person, JSON
    messages TEXT NOT NULL,         -- all messages by bucket, JSON
    looked_at TEXT NOT NULL
);

-- The reports to finance on a month: 1 is the close report, later ones are supplements.
CREATE TABLE digest (
    month TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    content TEXT NOT NULL,          -- the report, JSON
    made_at TEXT NOT NULL,
    PRIMARY KEY (month, sequence)
);

-- Every email, queued by the transaction that gives cause for it.
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,   -- UUIDv7: sorts by time
    kind TEXT NOT NULL,             -- 'invoice', 'digest' or 'alert'
    cause TEXT NOT NULL,            -- what it is about: '2026-000001-R1', '2026-10#1/3'
    recipient TEXT NOT NULL,        -- for whom it is
    redirected_to TEXT,             -- who gets it instead ([email] redirect)
    resend BIGINT NOT NULL,         -- 0 is the first; a resend counts up
    number TEXT,                    -- of the invoice, where it is about one
    content TEXT NOT NULL,          -- what the email is made from, JSON
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE, -- the same over every retry
    state TEXT NOT NULL,            -- 'pending', 'sending', 'sent', 'failed' or 'withdrawn'
    attempts BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    first_attempt_at TEXT,
    next_attempt_at TEXT,           -- when it is due; null once it is over
    lease_until TEXT,               -- a worker has it until then
    sent_at TEXT,
    maybe_twice BIGINT NOT NULL,    -- how often the line was lost between the end of DATA and the answer
    last_error TEXT,
    UNIQUE (kind, cause, recipient, resend)
);
CREATE INDEX outbox_due ON outbox (state, next_attempt_at);

-- Who did what, when and why. Only ever added to.
CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,   -- UUIDv7: sorts by time
    at TEXT NOT NULL,
    actor TEXT NOT NULL,            -- login name
    action TEXT NOT NULL,           -- 'import', 'close', 'issue', 'hold', 'release', 'resend'
    month TEXT,
    dealership_id TEXT,
    detail TEXT NOT NULL            -- in words
);
