-- What a tax document says of a dealership beside its address. Invoices print none of it; null: not known.
ALTER TABLE dealership ADD COLUMN number TEXT;                 -- of the house
ALTER TABLE dealership ADD COLUMN complement TEXT;             -- room, block
ALTER TABLE dealership ADD COLUMN district TEXT;               -- part of the city
ALTER TABLE dealership ADD COLUMN ibge_code TEXT;              -- of the city, seven digits
ALTER TABLE dealership ADD COLUMN municipal_registration TEXT; -- with its city
ALTER TABLE dealership ADD COLUMN iss_withheld BIGINT;         -- whether it withholds the ISS: 1 yes, 0 no; null: no
-- A DPS of the national NFS-e for each revision of an invoice that had something to tax. A number is given once, and
-- the file is kept, so that whoever asks again gets the same bytes.
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
