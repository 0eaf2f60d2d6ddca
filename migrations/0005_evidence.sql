-- What a dealership gets of the evidence: 'no', 'yes' (the file with each email) or 'annex' (and its
-- contacts at the end of the statement).
ALTER TABLE dealership ADD COLUMN evidence TEXT NOT NULL DEFAULT 'no';
