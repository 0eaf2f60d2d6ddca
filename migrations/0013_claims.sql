-- What is due is claimed along an index, in its order, however many emails wait; a first attempt is due whatever
-- its time says.
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (state, next_attempt_at, id);
CREATE INDEX outbox_first ON outbox (state, next_attempt_at, id) WHERE attempts = 0;

-- Without the rows that have none: reminders and alerts would else make statistics say that it finds little.
DROP INDEX outbox_number;
CREATE INDEX outbox_number ON outbox (number) WHERE number IS NOT NULL;
