-- What people ask for in the console, carried out by the daemon that leads: each once, whoever dies meanwhile.
CREATE TABLE task (
    id TEXT NOT NULL PRIMARY KEY,    -- UUIDv7: sorts by time of asking
    kind TEXT NOT NULL,              -- 'close', 'release', 'compare', 'rerun', 'preview', 'import' or 'simulate'
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
