-- Whose a business number is, from a month to a month: for licences by number, and for messages that know only the
-- number that they came to. In a month a number is one dealership's at most.
CREATE TABLE business_number (
    number TEXT NOT NULL,            -- spelt as the identity of a contact
    dealership_id TEXT NOT NULL REFERENCES dealership (id), -- whose
    from_month TEXT NOT NULL,        -- the first month
    to_month TEXT,                   -- the last month; null: it is to stay
    CONSTRAINT business_number_once PRIMARY KEY (number, from_month)
);
