//! How the interface's document describes values that the core makes: their JSON is a text of a certain form.
//!
//! The core has no crate that could say so itself; a key of a JSON type names one of these as its `value_type`.

use utoipa::ToSchema;

macro_rules! text {
    ($(#[$about:meta])* $name:ident, $pattern:literal, $example:literal) => {
        $(#[$about])*
        #[derive(Debug, ToSchema)]
        #[schema(pattern = $pattern, examples($example))]
        pub struct $name(#[expect(dead_code, reason = "only its description is asked for")] String);
    };
}

text!(
    /// A text that can be meant: without what controls a terminal, a printer or a file.
    Text, r"^[^\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]*$", "d17"
);
text!(
    /// Reais with two digits behind the point.
    Money, r"^-?[0-9]+\.[0-9]{2}$", "1014.00"
);
text!(
    /// A month, from its first instant to the next one's in the zone that it is about.
    Month, "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])$", "2026-10"
);
text!(
    /// The number of an invoice: the year, and the place in it.
    InvoiceNumber, "^[0-9]{4}-[0-9]{6,9}$", "2026-000001"
);
text!(
    /// A day.
    Day, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "2026-11-10"
);
text!(
    /// An instant, in UTC.
    Instant, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$", "2026-11-01T03:00:01Z"
);
text!(
    /// What a person decides about, as a hash.
    Plan, "^[0-9a-fA-F]{64}$", "3f9a6c1e52d0b7849c11e3a07f5d2b68c4e9a1f0d37b85629e0c4d1a7b3f6e52"
);

/// What an invoice comes to, by column: they add up to its total.
#[derive(Debug, ToSchema)]
#[expect(missing_docs, reason = "the keys of spec §3.4")]
pub struct Amounts {
    #[schema(value_type = Money)]
    pub package_amount: (),
    #[schema(value_type = Money)]
    pub overage_amount: (),
    #[schema(value_type = Money)]
    pub hsm_amount: (),
    #[schema(value_type = Money)]
    pub adjustments_amount: (),
    #[schema(value_type = Money)]
    pub other_amount: (),
}

/// What is open and what waits.
#[derive(Debug, ToSchema)]
pub struct Balance {
    /// Still to be paid.
    #[schema(value_type = Money)]
    pub open: (),
    /// The part of it whose day has passed.
    #[schema(value_type = Money)]
    pub overdue: (),
    /// Payments, or parts of them, that settle no invoice.
    #[schema(value_type = Money)]
    pub waiting: (),
}

/// What is open, by days since it was due.
#[derive(Debug, ToSchema)]
#[expect(missing_docs, reason = "the keys of spec §3.4")]
pub struct Ages {
    #[schema(value_type = Money)]
    pub not_due: (),
    #[schema(value_type = Money, rename = "1-30")]
    pub to_30: (),
    #[schema(value_type = Money, rename = "31-60")]
    pub to_60: (),
    #[schema(value_type = Money, rename = "61-90")]
    pub to_90: (),
    #[schema(value_type = Money, rename = "91+")]
    pub older: (),
}

macro_rules! one_of {
    ($(#[$about:meta])* $name:ident: $($word:ident),+) => {
        $(#[$about])*
        #[derive(Debug, ToSchema)]
        #[allow(non_camel_case_types, missing_docs, reason = "the words of the spec")]
        pub enum $name { $($word),+ }
    };
}

one_of!(
    /// Whether a revision stands.
    InvoiceState: issued, superseded, cancelled
);
one_of!(
    /// How much of an invoice was paid.
    PaymentState: open, part_paid, paid
);
one_of!(
    /// What came in, or what stands for it.
    PaymentKind: money, iss, irrf, csrf, discount, interest
);
one_of!(
    /// What an email is.
    EmailKind: invoice, digest, alert, package_use, reminder, group
);
one_of!(
    /// How far an email is.
    EmailState: pending, sending, sent, failed, withdrawn
);
one_of!(
    /// How far a month is.
    MonthState: open, held, closed
);
