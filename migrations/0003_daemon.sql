-- Who of several daemons on one PostgreSQL ledger leads. A SQLite ledger serves one daemon, kept single
-- by a lock on a file beside it.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY, -- 'daemon'
    epoch BIGINT NOT NULL,          -- counts leaders: what one of an older epoch writes is refused
    beat BIGINT NOT NULL            -- counts while the leader lives
);
