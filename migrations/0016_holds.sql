-- What closes that were held would have issued: the emails about them are made from it. One row for each time
-- that the reasons were other ones.
CREATE TABLE held_close (
    month TEXT NOT NULL,             -- which month
    sequence BIGINT NOT NULL,        -- counts from 1
    reasons TEXT NOT NULL,           -- their kinds: who was told of them is not told again
    content TEXT NOT NULL,           -- reasons in words, and the report, JSON
    made_at TEXT NOT NULL,           -- when
    PRIMARY KEY (month, sequence)
);
