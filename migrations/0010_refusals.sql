-- When the mail server last refused the sender, said that a quota was used up or that it was in trouble itself, while
-- this email was handed over: everybody's trouble, in which every email stays pending. Where others were taken since,
-- the next such answer is about this email.
ALTER TABLE outbox ADD COLUMN refused_at TEXT;
