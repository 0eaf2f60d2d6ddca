-- What is open and overdue, without reading a document: the content of a revision lies before these columns.
CREATE INDEX revision_open ON revision (number, total, due_on) WHERE superseded_at IS NULL;
