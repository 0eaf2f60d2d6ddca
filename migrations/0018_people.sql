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
    key TEXT NOT NULL,               -- random, from the page that the form was on
    at TEXT NOT NULL,                -- when
    led_to TEXT,                     -- the page that answered; null while it is in hand
    CONSTRAINT spent_form_key PRIMARY KEY (key)
);
CREATE INDEX spent_form_at ON spent_form (at);
