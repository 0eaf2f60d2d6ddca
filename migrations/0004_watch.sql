-- What the daemon looks after once a day, and the papers of a cancellation.

-- How often the daemon looked at a month by itself.
CREATE TABLE look (
    subject TEXT NOT NULL,          -- 'verify': a closed month, counted again; 'package_use': a running one
    month TEXT NOT NULL,
    count BIGINT NOT NULL,
    latest TEXT NOT NULL,           -- when it looked last
    PRIMARY KEY (subject, month)
);

-- Whether the dealership is told how much of its package is used: 1 yes, 0 no; null: as configured.
ALTER TABLE dealership ADD COLUMN package_use BIGINT;

-- A dealership was told that it has used so much of its package; once a month for each threshold.
CREATE TABLE package_notice (
    dealership_id TEXT NOT NULL REFERENCES dealership (id),
    month TEXT NOT NULL,
    threshold BIGINT NOT NULL,      -- percent
    uam BIGINT NOT NULL,            -- what was used then
    told_at TEXT NOT NULL,
    PRIMARY KEY (dealership_id, month, threshold)
);

-- Why a number is void, and the document that says so. Never changes.
CREATE TABLE cancellation (
    number TEXT NOT NULL PRIMARY KEY REFERENCES invoice (number),
    revision BIGINT NOT NULL,       -- the one that stood
    content TEXT NOT NULL,          -- when, why, who asked for it and what was paid, JSON
    pdf_sha256 TEXT NOT NULL        -- of the document
);
