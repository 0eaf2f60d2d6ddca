-- Documents are much alike: fonts, logo, the frame of a page. A dictionary is a document that was issued; those
-- like it are kept as what they have beside it (zstd --patch-from, zstd -D). Never changes.
CREATE TABLE dictionary (
    id TEXT NOT NULL,               -- SHA-256 of its bytes, hexadecimal
    kind TEXT NOT NULL,             -- of the document: 'invoice', 'statement' or 'cancellation'
    made_at TEXT NOT NULL,
    bytes BYTEA NOT NULL,           -- as issued
    CONSTRAINT dictionary_id PRIMARY KEY (id)
);
-- How a file is kept; rows of before have none of it: PDFs as they are, evidence by zstd.
ALTER TABLE file ADD COLUMN packing TEXT;       -- 'zstd'
ALTER TABLE file ADD COLUMN size BIGINT;        -- of the file itself, in bytes
ALTER TABLE file ADD COLUMN dictionary TEXT REFERENCES dictionary (id); -- that it was packed with; null: none
