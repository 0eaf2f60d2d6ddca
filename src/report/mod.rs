//! What finance gets: the close report (digest), its workbook and its archive of invoices.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::exception::Exception;
use crate::billing::invoice::Number;
use crate::billing::money::Money;
use crate::billing::month::Month;
use crate::billing::tally::{Buckets, Window};

/// The close report of a month, or a supplement to it. The outbox keeps it as JSON; emails are made from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The closed month.
    pub month: Month,
    /// 1 for the close report, from 2 for supplements.
    pub sequence: u32,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The reseller's name.
    pub issuer: String,
    /// The invoices that this report covers, by number.
    pub invoices: Vec<Entry>,
    /// What needs a person.
    pub exceptions: Vec<Exception>,
    /// All messages by bucket: the zero-residual table.
    pub messages: Buckets,
    /// The proof, zone by zone.
    pub zones: Vec<Zone>,
    /// Dealerships with messages from or to what is no contact (groups, empty values): not billed.
    pub not_contacts: Vec<(String, u64)>,
}

/// One invoice, as a row of the workbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the keys of `fecha invoices --json`")]
pub struct Entry {
    pub number: Number,
    pub revision: u32,
    pub dealership_id: String,
    pub dealership_name: String,
    pub cnpj: String,
    pub package: u64,
    pub uam: u64,
    pub overage: u64,
    pub hsm: u64,
    pub package_amount: Money,
    pub overage_amount: Money,
    pub hsm_amount: Money,
    pub adjustments_amount: Money,
    pub total: Money,
    pub due_on: NaiveDate,
    pub issued_at: DateTime<Utc>,
    pub evidence_sha256: String,
    pub pdf_sha256: String,
}

/// The proof of one span of time: the zones whose month it is, and its buckets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// IANA names.
    pub names: Vec<String>,
    /// Buckets, and the rows that belong to other zones; together they are the database's own count.
    pub window: Window,
}

impl Digest {
    /// The sum of all invoices.
    #[must_use]
    pub fn total(&self) -> Money {
        self.invoices.iter().map(|entry| entry.total).sum()
    }
}
