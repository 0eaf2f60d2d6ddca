-- Where a dealership's address is known to the post: eight digits, as `95010-000`; null where it is not.
ALTER TABLE dealership ADD COLUMN postal_code TEXT;
