-- What was sent with a form: the same once more leads to the same page, something else was not done.
ALTER TABLE spent_form ADD COLUMN sent TEXT NOT NULL DEFAULT ''; -- SHA-256 of the fields; what was sent before this has none
