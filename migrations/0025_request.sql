-- What programs ask for over the interface: each is done once, and answered alike whenever it is sent again.
CREATE TABLE request (
    key TEXT NOT NULL,
    sent TEXT NOT NULL,
    at TEXT NOT NULL,
    owner TEXT NOT NULL,
    done BIGINT NOT NULL,
    status BIGINT,
    location TEXT,
    answer TEXT,
    CONSTRAINT request_key PRIMARY KEY (key)
);
CREATE INDEX request_at ON request (at);
