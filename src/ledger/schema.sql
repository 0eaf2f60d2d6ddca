-- fecha's ledger as it is after all migrations, for people to read: what each column means. A test holds it
-- against a ledger that the migrations made, on both engines; nothing executes it otherwise.
--
-- Runs unchanged on SQLite and PostgreSQL: only BIGINT, TEXT and BYTEA columns. Money is in centavos,
-- instants are RFC 3339 text in UTC with milliseconds, months are YYYY-MM, days YYYY-MM-DD.
-- Beside it there are triggers (guard.rs), which the two engines spell differently: what is only added to
-- cannot be changed or deleted by anybody.

-- Facts about the ledger itself.
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,  -- 'evidence_key': fingerprint of the key behind the ids of all evidence; 'first_month': that the daemon closes by itself; 'written': when a daemon last tried whether the ledger can be written; 'last_adjustment': the id given last; 'misdated': how many messages a close last saw that lie where none can; 'account': 'open items' once credits and payments of fecha 0.1 are
    value TEXT NOT NULL              -- as the name says
);

-- The register: who is invoiced.
CREATE TABLE dealership (
    id TEXT NOT NULL PRIMARY KEY,    -- as in the message database, byte by byte
    name TEXT NOT NULL,              -- legal name
    trade_name TEXT NOT NULL,        -- name on the sign; may be empty
    cnpj TEXT NOT NULL,              -- formatted
    address TEXT NOT NULL,           -- street and number
    city TEXT NOT NULL,              -- as printed
    state TEXT NOT NULL,             -- two letters
    email TEXT NOT NULL,             -- where invoices go
    cc TEXT NOT NULL,                -- further addresses, separated by ;
    timezone TEXT,                   -- IANA name; null: the issuer's
    due_day BIGINT,                  -- 1 to 31; null: the configured one
    package_use BIGINT,              -- whether it is told how much of its package is used: 1 yes, 0 no; null: as configured
    reminders BIGINT,                -- whether it is reminded of what is open: 1 yes, 0 no; null: as configured
    postal_code TEXT,                -- of its address, as 95010-000; null: not known
    number TEXT,                     -- of the house; this and what follows is for tax documents alone, null: not known
    complement TEXT,                 -- room, block
    district TEXT,                   -- part of the city
    ibge_code TEXT,                  -- of the city, seven digits
    municipal_registration TEXT,     -- with its city
    iss_withheld BIGINT,             -- whether it withholds the ISS: 1 yes, 0 no; null: no
    group_name TEXT,                 -- the group that it belongs to; null: none
    evidence TEXT NOT NULL DEFAULT 'no' -- what it gets of the evidence: 'no', 'yes' (the file with each email) or 'annex' (and in the statement)
);

-- The package of a dealership from a month on.
CREATE TABLE contract (
    dealership_id TEXT NOT NULL REFERENCES dealership (id), -- whose
    from_month TEXT NOT NULL,        -- the first month of the package
    package BIGINT,                  -- contacts included; null ends the contract
    list TEXT,                       -- whose price tables hold; null is the standard list
    discount_percent TEXT NOT NULL DEFAULT '0.00', -- off the sum of the table's lines
    PRIMARY KEY (dealership_id, from_month)
);

-- Whose a business number is: in a month one dealership's at most.
CREATE TABLE business_number (
    number TEXT NOT NULL,            -- spelt as the identity of a contact
    dealership_id TEXT NOT NULL REFERENCES dealership (id), -- whose
    from_month TEXT NOT NULL,        -- the first month
    to_month TEXT,                   -- the last month; null: it is to stay
    CONSTRAINT business_number_once PRIMARY KEY (number, from_month)
);

-- The next invoice number of each year of issue. Its row lock orders all issuing transactions.
CREATE TABLE counter (
    year BIGINT NOT NULL PRIMARY KEY, -- in the issuer's zone
    next BIGINT NOT NULL             -- the number that is given next
);

-- Numbers that were passed over on purpose ([invoice] first_number): no gap to verify.
CREATE TABLE number_jump (
    year BIGINT NOT NULL,            -- of issue
    first BIGINT NOT NULL,           -- the first number that was passed over
    last BIGINT NOT NULL,            -- the last one
    jumped_at TEXT NOT NULL,         -- when
    CONSTRAINT number_jump_once PRIMARY KEY (year, first)
);

-- A number belongs to one dealership and month for good.
CREATE TABLE invoice (
    number TEXT NOT NULL PRIMARY KEY, -- YYYY-NNNNNN
    dealership_id TEXT NOT NULL REFERENCES dealership (id), -- who is invoiced; never changes
    month TEXT NOT NULL,             -- for which month; never changes
    cancelled_at TEXT,               -- the number is void since then; null: it stands
    open BIGINT NOT NULL DEFAULT 0   -- still to be paid: the total less what settles it, 0 where it is void; a copy that triggers keep
);

-- The last guard against billing twice.
CREATE UNIQUE INDEX invoice_once ON invoice (dealership_id, month) WHERE cancelled_at IS NULL;
CREATE INDEX invoice_month ON invoice (month, cancelled_at, number);
CREATE INDEX invoice_dealership ON invoice (dealership_id, month);
-- What is open, and what is void, however much was issued.
CREATE INDEX invoice_open ON invoice (number, open) WHERE open > 0;
CREATE INDEX invoice_owed ON invoice (dealership_id, number, open) WHERE open > 0;
CREATE INDEX invoice_void ON invoice (number) WHERE cancelled_at IS NOT NULL;

-- What was issued under a number. Never changes, but for superseded_at and digest, each once.
CREATE TABLE revision (
    number TEXT NOT NULL REFERENCES invoice (number), -- of the invoice
    revision BIGINT NOT NULL,        -- 0 is the first issue
    content TEXT NOT NULL,           -- the document model, JSON: what the documents say
    evidence_sha256 TEXT NOT NULL,   -- of the evidence file before compression
    pdf_sha256 TEXT NOT NULL,        -- of the invoice PDF
    statement_sha256 TEXT NOT NULL,  -- of the statement PDF
    issued_at TEXT NOT NULL,         -- when
    reason TEXT,                     -- why it replaces the one before; null in revision 0
    issued_by TEXT,                  -- who asked for it; null where fecha issued by itself
    superseded_at TEXT,              -- a later revision stands since then
    digest BIGINT,                   -- the number of the month's digest that reported it
    -- Copies out of content, which lists and sums read: written by the issue, or when a fecha that knows
    -- them first opens the ledger; verify compares them with the document.
    dealership_name TEXT,            -- legal name, as printed
    cnpj TEXT,                       -- as printed
    package BIGINT,                  -- contacts included
    uam BIGINT,                      -- unique active contacts
    hsm BIGINT,                      -- template messages
    package_amount BIGINT,           -- the lines of the package
    overage_amount BIGINT,           -- the lines of contacts above it
    hsm_amount BIGINT,               -- the lines of template messages
    adjustments_amount BIGINT,       -- the lines of credits and charges
    other_amount BIGINT NOT NULL DEFAULT 0, -- all other lines: other messages, licences, the discount
    unbilled_hsm BIGINT NOT NULL DEFAULT 0, -- of its HSM those that are not billed
    total BIGINT,                    -- all lines
    due_on TEXT,                     -- the day it is to be paid
    issued_on TEXT,                  -- the dealership's local day of issue
    PRIMARY KEY (number, revision)
);

-- What is still to be filled; empty from the first opening on.
CREATE INDEX revision_unfilled ON revision (number, revision) WHERE total IS NULL;
-- A month's sum, without reading a document.
CREATE INDEX revision_sum ON revision (number, superseded_at, total);
-- What is open and overdue, likewise.
CREATE INDEX revision_open ON revision (number, total, due_on) WHERE superseded_at IS NULL;

-- Documents that others like them are kept beside: fonts, logo and frame are kept once. Only ever added to.
CREATE TABLE dictionary (
    id TEXT NOT NULL,                -- SHA-256 of its bytes, hexadecimal
    kind TEXT NOT NULL,              -- of the document: 'invoice', 'statement' or 'cancellation'
    made_at TEXT NOT NULL,           -- when
    bytes BYTEA NOT NULL,            -- the document, as issued
    CONSTRAINT dictionary_id PRIMARY KEY (id)
);

-- The files of a revision, as issued. Only ever added to.
CREATE TABLE file (
    number TEXT NOT NULL,            -- of the invoice
    revision BIGINT NOT NULL,        -- which revision
    kind TEXT NOT NULL,              -- 'invoice', 'statement', 'cancellation' (PDF) or 'evidence' (CSV)
    bytes BYTEA NOT NULL,            -- the file, kept as the next columns say
    packing TEXT,                    -- 'zstd'; null in what an earlier fecha kept: PDFs as they are, evidence by zstd
    size BIGINT,                     -- of the file itself, in bytes; null as packing
    dictionary TEXT REFERENCES dictionary (id), -- what zstd needs beside it (zstd -d -D); null: nothing
    PRIMARY KEY (number, revision, kind),
    FOREIGN KEY (number, revision) REFERENCES revision (number, revision)
);

-- A DPS of the national NFS-e for each revision of an invoice that had something to tax. A number is given once; the
-- file is only made anew where a person asks for it.
CREATE TABLE dps (
    environment TEXT NOT NULL,       -- 'production' or 'restricted': a trial takes no number of the other
    series BIGINT NOT NULL,          -- of the DPS
    number BIGINT NOT NULL,          -- in the series, ascending without a gap
    invoice TEXT NOT NULL,           -- the number of the invoice
    revision BIGINT NOT NULL,        -- which revision of it
    sha256 TEXT NOT NULL,            -- of the file, hexadecimal
    bytes BYTEA NOT NULL,            -- the file, XML, compressed by zstd
    written_at TEXT NOT NULL,        -- when it was made; its dhEmi
    CONSTRAINT dps_once PRIMARY KEY (environment, series, number),
    CONSTRAINT dps_revision UNIQUE (environment, invoice, revision),
    CONSTRAINT dps_issued FOREIGN KEY (invoice, revision) REFERENCES revision (number, revision)
);

-- Why a number is void, and the document that says so. Only ever added to.
CREATE TABLE cancellation (
    number TEXT NOT NULL PRIMARY KEY REFERENCES invoice (number), -- the void number
    revision BIGINT NOT NULL,        -- the one that stood
    content TEXT NOT NULL,           -- when, why, who asked for it and what was paid, JSON
    pdf_sha256 TEXT NOT NULL         -- of the document
);

-- What a group of dealerships got for a month: a page that adds up their invoices, with one Pix. Only ever added to: where
-- other invoices stand later, another one replaces it.
CREATE TABLE group_bill (
    txid TEXT NOT NULL,              -- G, the month and a counter: G2026100001
    month TEXT NOT NULL,             -- of its invoices
    counter BIGINT NOT NULL,         -- from 1 without a gap, over all groups of the month
    group_name TEXT NOT NULL,        -- as the page prints it
    replaces TEXT,                   -- the bill before of the same group and month; null: there was none
    content TEXT NOT NULL,           -- what the page says, JSON
    pdf_sha256 TEXT NOT NULL,        -- of the page
    bytes BYTEA NOT NULL,            -- the page, compressed by zstd
    made_at TEXT NOT NULL,           -- when
    CONSTRAINT group_bill_txid PRIMARY KEY (txid),
    CONSTRAINT group_bill_counter UNIQUE (month, counter),
    CONSTRAINT group_bill_replaced UNIQUE (replaces),
    CONSTRAINT group_bill_before FOREIGN KEY (replaces) REFERENCES group_bill (txid)
);
-- The last guard against making two: of a group and month one replaces nothing, and each is replaced once.
CREATE UNIQUE INDEX group_bill_first ON group_bill (month, group_name) WHERE replaces IS NULL;

-- The invoices of a group bill, each once. Only ever added to.
CREATE TABLE group_bill_row (
    txid TEXT NOT NULL REFERENCES group_bill (txid), -- which bill
    number TEXT NOT NULL,            -- of the invoice
    revision BIGINT NOT NULL,        -- the one that stood
    to_pay BIGINT NOT NULL CHECK (to_pay >= 0), -- what was open of it when the bill was made
    CONSTRAINT group_bill_row_once PRIMARY KEY (txid, number),
    CONSTRAINT group_bill_row_issued FOREIGN KEY (number, revision) REFERENCES revision (number, revision)
);
CREATE INDEX group_bill_row_number ON group_bill_row (number);

-- The latest word on each month that a close has looked at.
CREATE TABLE closing (
    month TEXT NOT NULL PRIMARY KEY, -- which month
    state TEXT NOT NULL,             -- 'open' (some months have not ended, or something is not issued), 'held' or 'closed'
    held TEXT,                       -- why it is held
    exceptions TEXT NOT NULL,        -- what needs a person, JSON
    messages TEXT NOT NULL,          -- all messages by bucket, JSON
    looked_at TEXT NOT NULL          -- what had ended by then was part of it
);

-- Months whose close a person let go on.
CREATE TABLE released_month (
    month TEXT NOT NULL PRIMARY KEY, -- which month
    released_at TEXT NOT NULL,       -- the first time
    released_by TEXT NOT NULL        -- who
);

-- The reports to finance on a month: 1 is the close report, later ones are supplements.
CREATE TABLE digest (
    month TEXT NOT NULL,             -- which month
    sequence BIGINT NOT NULL,        -- counts from 1
    content TEXT NOT NULL,           -- the report, JSON
    made_at TEXT NOT NULL,           -- when; of number 1: when the month was closed
    PRIMARY KEY (month, sequence)
);

-- What closes that were held would have issued: the emails about them are made from it. One row for each time
-- that the reasons were other ones, or that a release found another plan than the one that it was bound to.
CREATE TABLE held_close (
    month TEXT NOT NULL,             -- which month
    sequence BIGINT NOT NULL,        -- counts from 1
    reasons TEXT NOT NULL,           -- their kinds: who was told of them is not told again
    content TEXT NOT NULL,           -- reasons in words, and the report, JSON
    made_at TEXT NOT NULL,           -- when
    PRIMARY KEY (month, sequence)
);

-- Every email, queued by the transaction that gives cause for it.
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,    -- UUIDv7: sorts by time of queueing
    kind TEXT NOT NULL,              -- 'invoice', 'digest', 'alert', 'package_use', 'reminder' or 'group'
    cause TEXT NOT NULL,             -- what it is about: '2026-000001-R1', '2026-10#1 1/3', 'held 2026-10', '2026-10 G2026100001 1/1'
    recipient TEXT NOT NULL,         -- for whom it is
    redirected_to TEXT,              -- who gets it instead ([email] redirect, as it was then)
    resend BIGINT NOT NULL,          -- 0 is the first; each resend counts up
    number TEXT,                     -- of the invoice, where it is about one
    content TEXT NOT NULL,           -- what the email is made from, JSON
    subject TEXT NOT NULL,           -- one line
    message_id TEXT NOT NULL UNIQUE, -- the same over every retry
    state TEXT NOT NULL,             -- 'pending', 'sending', 'sent', 'failed' or 'withdrawn'
    attempts BIGINT NOT NULL,        -- begun
    created_at TEXT NOT NULL,        -- when it was queued: its Date header
    first_attempt_at TEXT,           -- four days after that it is given up
    next_attempt_at TEXT,            -- when it is due; null once it is over
    lease_until TEXT,                -- a worker has it until then
    sent_at TEXT,                    -- when a server took it
    maybe_twice BIGINT NOT NULL,     -- how often it may have gone out unseen: the line was lost between the end of DATA and the answer, or its worker died
    last_error TEXT,                 -- in the words of the server
    refused_at TEXT,                 -- when the server last refused everybody while it had this one; where others were taken since, the next such answer is about this one
    UNIQUE (kind, cause, recipient, resend)
);
-- What is due, in the order in which it is claimed; a first attempt is due whatever its time says.
CREATE INDEX outbox_due ON outbox (state, next_attempt_at, id);
CREATE INDEX outbox_first ON outbox (state, next_attempt_at, id) WHERE attempts = 0;
CREATE INDEX outbox_number ON outbox (number) WHERE number IS NOT NULL;
-- Emails of one state, the latest first.
CREATE INDEX outbox_state ON outbox (state, id);

-- Who did what, when and why. Only ever added to.
CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,    -- UUIDv7: sorts by time
    at TEXT NOT NULL,                -- when
    actor TEXT NOT NULL,             -- login name, or who it was entered for
    action TEXT NOT NULL,            -- 'import', 'issue', 'hold', 'release', 'resend', 'rerun', 'adjust', 'cancel', 'pay', 'remind', 'person', 'token' or 'nfse'
    month TEXT,                      -- about which month
    dealership_id TEXT,              -- about which dealership
    detail TEXT NOT NULL             -- in words
);
CREATE INDEX audit_month ON audit (month);
CREATE INDEX audit_dealership ON audit (dealership_id);

-- A credit note or charge. What waits of it is the amount less what was taken and taken back.
CREATE TABLE adjustment (
    id BIGINT NOT NULL PRIMARY KEY,  -- counts from 1
    dealership_id TEXT NOT NULL REFERENCES dealership (id), -- whose
    month TEXT NOT NULL,             -- the first month whose invoice may take it
    amount BIGINT NOT NULL,          -- below zero: a credit
    description TEXT NOT NULL,       -- as the invoice prints it
    entered_by TEXT NOT NULL,        -- who
    entered_at TEXT NOT NULL,        -- when
    rest_of BIGINT,                  -- of fecha 0.1: no note, but the rest of this one; it never counts
    origin TEXT REFERENCES invoice (number), -- of fecha 0.1: the invoice that left it over, or whose money it was made from
    number TEXT REFERENCES invoice (number), -- of fecha 0.1: the invoice that carried it
    cancelled_at TEXT,               -- of fecha 0.1: it never counts, since then
    taken_back BIGINT NOT NULL DEFAULT 0 -- what of it never counts: a person took it back; the sign of the amount
);
CREATE INDEX adjustment_dealership ON adjustment (dealership_id);
CREATE INDEX adjustment_number ON adjustment (number) WHERE number IS NOT NULL;
CREATE INDEX adjustment_origin ON adjustment (origin) WHERE origin IS NOT NULL;

-- What an invoice that stands took of a credit note or charge.
CREATE TABLE taking (
    note BIGINT NOT NULL REFERENCES adjustment (id), -- of which
    number TEXT NOT NULL REFERENCES invoice (number), -- which invoice
    amount BIGINT NOT NULL,          -- the sign of the note
    words TEXT NOT NULL,             -- as the invoice prints it
    CONSTRAINT taking_once PRIMARY KEY (note, number)
);
CREATE INDEX taking_number ON taking (number);

-- Money that came in, or what stands for it. What waits of it is the amount less what is allocated, paid back
-- and converted.
CREATE TABLE payment (
    id TEXT NOT NULL,                -- UUIDv7: sorts by time
    dealership_id TEXT NOT NULL REFERENCES dealership (id), -- whose
    number TEXT REFERENCES invoice (number), -- its own invoice; null: put on account
    paid_on TEXT NOT NULL,           -- the day on the bank statement
    amount BIGINT NOT NULL,          -- what came in
    kind TEXT NOT NULL,              -- 'money'; tax withheld: 'iss', 'irrf', 'csrf'; 'discount'; 'interest'
    reference TEXT,                  -- the bank's: end-to-end id, FITID, nosso número
    ordinal BIGINT NOT NULL,         -- which of equal ones without a reference, from 1
    converted BIGINT NOT NULL,       -- what fecha 0.1 made a credit note of
    entered_by TEXT NOT NULL,        -- who
    entered_at TEXT NOT NULL,        -- when
    undone_at TEXT,                  -- it never counts, since then
    undone_by TEXT,                  -- who took it back
    undone_why TEXT,                 -- why
    waiting BIGINT NOT NULL DEFAULT 0, -- what settles nothing, was not paid back and is for the next invoice; a copy that triggers keep
    CONSTRAINT payment_id PRIMARY KEY (id)
);
CREATE UNIQUE INDEX payment_once ON payment (reference, number, kind) WHERE reference IS NOT NULL AND undone_at IS NULL;
CREATE INDEX payment_number ON payment (number);
CREATE INDEX payment_dealership ON payment (dealership_id);
CREATE INDEX payment_waiting ON payment (dealership_id, waiting) WHERE waiting > 0;
-- What a line of a bank was recorded as, and what a person may have entered before it came.
CREATE INDEX payment_reference ON payment (reference) WHERE reference IS NOT NULL;
CREATE INDEX payment_by_hand ON payment (paid_on) WHERE reference IS NULL;

-- What of a payment settles an invoice that stands.
CREATE TABLE allocation (
    payment TEXT NOT NULL REFERENCES payment (id), -- of which
    number TEXT NOT NULL REFERENCES invoice (number), -- which invoice
    amount BIGINT NOT NULL,          -- above zero
    CONSTRAINT allocation_once PRIMARY KEY (payment, number)
);
CREATE INDEX allocation_number ON allocation (number);

-- Payments that are parts of what came in for a group bill: by them a line of a bank is known again, whatever its
-- invoices had open when it was read first. Only ever added to.
CREATE TABLE group_payment (
    payment TEXT NOT NULL REFERENCES payment (id), -- the part
    txid TEXT NOT NULL REFERENCES group_bill (txid), -- the bill that the payer named
    receipt TEXT NOT NULL REFERENCES payment (id), -- the first part: what came in as one has the same
    CONSTRAINT group_payment_once PRIMARY KEY (payment)
);
CREATE INDEX group_payment_txid ON group_payment (txid);

-- Money that waited and was paid back.
CREATE TABLE refund (
    id TEXT NOT NULL,                -- UUIDv7: sorts by time
    dealership_id TEXT NOT NULL REFERENCES dealership (id), -- to whom
    refunded_on TEXT NOT NULL,       -- the day on the bank statement
    reason TEXT NOT NULL,            -- why
    entered_by TEXT NOT NULL,        -- who
    entered_at TEXT NOT NULL,        -- when
    CONSTRAINT refund_id PRIMARY KEY (id)
);
CREATE INDEX refund_dealership ON refund (dealership_id);

-- Which payments a refund was of. A refund that is undone has none.
CREATE TABLE refund_part (
    refund TEXT NOT NULL REFERENCES refund (id), -- which
    payment TEXT NOT NULL REFERENCES payment (id), -- of which
    amount BIGINT NOT NULL,          -- above zero
    CONSTRAINT refund_part_once PRIMARY KEY (refund, payment)
);
CREATE INDEX refund_part_payment ON refund_part (payment);

-- Who of several daemons on one PostgreSQL ledger leads. A SQLite ledger serves one daemon, kept single
-- by a lock on a file beside it.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,  -- 'daemon'
    epoch BIGINT NOT NULL,           -- counts leaders: what one of an older epoch writes is refused
    beat BIGINT NOT NULL             -- counts while the leader lives
);

-- How often the daemon looked at a month by itself.
CREATE TABLE look (
    subject TEXT NOT NULL,           -- 'verify': a closed month, counted again; 'package_use': a running one; 'reminders': what was open in one
    month TEXT NOT NULL,             -- which month
    count BIGINT NOT NULL,           -- how often
    latest TEXT NOT NULL,            -- when it looked last
    PRIMARY KEY (subject, month)
);

-- A dealership was told that it has used so much of its package; once a month for each threshold.
CREATE TABLE package_notice (
    dealership_id TEXT NOT NULL REFERENCES dealership (id), -- who
    month TEXT NOT NULL,             -- the running month
    threshold BIGINT NOT NULL,       -- percent
    uam BIGINT NOT NULL,             -- what was used then
    told_at TEXT NOT NULL,           -- when
    PRIMARY KEY (dealership_id, month, threshold)
);

-- A dealership was reminded of what is open: once a day at most.
CREATE TABLE reminder (
    dealership_id TEXT NOT NULL REFERENCES dealership (id), -- who
    day TEXT NOT NULL,               -- the issuer's local day
    reminded_at TEXT NOT NULL,       -- when
    CONSTRAINT reminder_once PRIMARY KEY (dealership_id, day)
);

-- What people ask for in the console, carried out by the daemon that leads: each once, whoever dies meanwhile.
CREATE TABLE task (
    id TEXT NOT NULL PRIMARY KEY,    -- UUIDv7: sorts by time of asking
    kind TEXT NOT NULL,              -- 'look', 'release', 'compare', 'rerun', 'preview', 'import' or 'simulate'
    month TEXT,                      -- which month it is about, where it is about one
    wish TEXT NOT NULL,              -- what was asked for, JSON
    asked_by TEXT NOT NULL,          -- who, by name
    person TEXT,                     -- who, by id
    asked_at TEXT NOT NULL,          -- when
    state TEXT NOT NULL,             -- 'waiting', 'running', 'done' or 'failed'
    owner TEXT,                      -- the term of the leader that runs it: another term takes it up
    tries BIGINT NOT NULL,           -- how often it was begun
    begun_at TEXT,                   -- when first
    again_at TEXT,                   -- not before: it failed for a reason that passes
    phase TEXT,                      -- 'counting' or 'issuing'
    done BIGINT NOT NULL,            -- messages that were read, invoices that were issued
    total BIGINT NOT NULL,           -- of how many; 0 where that is not known
    ended_at TEXT,                   -- when it was done, or failed
    outcome TEXT,                    -- what came of it, JSON
    error TEXT                       -- why it failed, or is tried again
);
-- What is still to be done: two people who ask for the same of a month get one task.
CREATE UNIQUE INDEX task_unfinished ON task (kind, month) WHERE state IN ('waiting', 'running');
CREATE INDEX task_month ON task (month, kind, id);

-- Files that somebody sent in, until they are looked at and taken.
CREATE TABLE upload (
    id TEXT NOT NULL PRIMARY KEY,    -- UUIDv7: sorts by time
    kind TEXT NOT NULL,              -- 'register' or 'bank'
    name TEXT NOT NULL,              -- as its owner calls it
    bytes BYTEA NOT NULL,            -- as it was sent
    made_by TEXT NOT NULL,           -- who sent it, by name
    made_at TEXT NOT NULL,           -- when
    used_at TEXT                     -- when it was taken
);

-- Who asked for a plan, and so cannot release it: where two people are wanted for that.
CREATE TABLE review (
    month TEXT NOT NULL,             -- which month
    plan TEXT NOT NULL,              -- its hash
    person TEXT NOT NULL,            -- who asked for it, or was the first to look at it, by id
    asked_by TEXT NOT NULL,          -- the same, by name
    asked_at TEXT NOT NULL,          -- when
    PRIMARY KEY (month, plan)
);

-- What a close that is held would issue, invoice by invoice, until the month is closed.
CREATE TABLE held_invoice (
    month TEXT NOT NULL,             -- which month
    sequence BIGINT NOT NULL,        -- of which held close
    dealership_id TEXT NOT NULL,     -- for whom
    content BYTEA NOT NULL,          -- the foreseen document, JSON, zstd
    size BIGINT NOT NULL,            -- of the JSON, in bytes
    PRIMARY KEY (month, sequence, dealership_id)
);

-- Who may use the console and the interface, and how each is known.
CREATE TABLE person (
    id TEXT NOT NULL,                -- UUIDv7: sorts by time
    email TEXT NOT NULL,             -- lower case: the name to log in with
    name TEXT NOT NULL,              -- how the audit log names them
    role TEXT NOT NULL,              -- viewer, finance or admin
    password TEXT,                   -- argon2id, a PHC string; null until an invitation was accepted
    made_at TEXT NOT NULL,           -- when
    made_by TEXT NOT NULL,           -- who invited them first
    disabled_at TEXT,                -- null: may log in
    CONSTRAINT person_id PRIMARY KEY (id),
    CONSTRAINT person_email UNIQUE (email),
    CONSTRAINT person_name UNIQUE (name)
);

-- Links by which people choose their password. Of the token only its SHA-256 is kept.
CREATE TABLE invitation (
    hash TEXT NOT NULL,              -- hex
    person TEXT NOT NULL REFERENCES person (id), -- whose
    made_at TEXT NOT NULL,           -- when
    ends_at TEXT NOT NULL,           -- from then on it is void
    used_at TEXT,                    -- it serves once
    CONSTRAINT invitation_hash PRIMARY KEY (hash)
);
CREATE INDEX invitation_person ON invitation (person);

-- People who are logged in. Of the token in their cookie only its SHA-256 is kept.
CREATE TABLE session (
    hash TEXT NOT NULL,              -- hex
    person TEXT NOT NULL REFERENCES person (id), -- who
    made_at TEXT NOT NULL,           -- when they logged in
    seen_at TEXT NOT NULL,           -- the latest request, to about a minute
    ends_at TEXT NOT NULL,           -- from then on it is void, however busy
    ended_at TEXT,                   -- logged out, or put out
    CONSTRAINT session_hash PRIMARY KEY (hash)
);
CREATE INDEX session_person ON session (person);
CREATE INDEX session_ends ON session (ends_at);

-- Wrong passwords, by the name that was typed, whether there is such a person or not.
CREATE TABLE failed_login (
    who TEXT NOT NULL,               -- SHA-256 of that name: it may be a password in the wrong field
    failures BIGINT NOT NULL,        -- in a row
    latest TEXT NOT NULL,            -- when
    locked_until TEXT,               -- until then none is tried
    CONSTRAINT failed_login_who PRIMARY KEY (who)
);
CREATE INDEX failed_login_latest ON failed_login (latest);

-- Programs that may use the interface. Of the token only its SHA-256 is kept.
CREATE TABLE token (
    id TEXT NOT NULL,                -- UUIDv7: sorts by time
    name TEXT NOT NULL,              -- what it is for
    hash TEXT NOT NULL,              -- hex
    role TEXT NOT NULL,              -- viewer, finance or admin
    made_at TEXT NOT NULL,           -- when
    made_by TEXT NOT NULL,           -- who
    ends_at TEXT NOT NULL,           -- from then on it is void
    revoked_at TEXT,                 -- null: it serves
    revoked_by TEXT,                 -- who took it back
    used_at TEXT,                    -- the latest use, to about a minute
    CONSTRAINT token_id PRIMARY KEY (id),
    CONSTRAINT token_hash UNIQUE (hash)
);

-- Forms that were sent: each does what it says once.
CREATE TABLE spent_form (
    key TEXT NOT NULL,               -- SHA-256 of the page's random key, the form's address and the person
    at TEXT NOT NULL,                -- when
    led_to TEXT,                     -- the page that answered; null while it is in hand
    sent TEXT NOT NULL DEFAULT '',   -- SHA-256 of the fields; empty where an older fecha took it
    CONSTRAINT spent_form_key PRIMARY KEY (key)
);
CREATE INDEX spent_form_at ON spent_form (at);

-- What programs ask for over the interface: each is done once, and answered alike whenever it is sent again.
CREATE TABLE request (
    key TEXT NOT NULL,               -- SHA-256 of the token's id and the Idempotency-Key that came with it
    sent TEXT NOT NULL,              -- SHA-256 of the address and the body
    at TEXT NOT NULL,                -- when somebody began to carry it out
    owner TEXT NOT NULL,             -- who carries it out: whoever takes it over has another name
    done BIGINT NOT NULL,            -- 1 once it changed something: written by the transaction that did
    status BIGINT,                   -- of the answer; null while it is in hand, and where whoever did it died
    location TEXT,                   -- the Location of the answer, where it has one
    answer TEXT,                     -- the body of the answer
    CONSTRAINT request_key PRIMARY KEY (key)
);
CREATE INDEX request_at ON request (at);
