//! The close report of a month (*relatório de fechamento*): what finance is told, in figures.

use std::cmp::Reverse;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::account::receivables::Balance;
use crate::bill::exception::Exception;
use crate::bill::invoice::{Invoice, Number, Replacement, label};
use crate::calendar::month::Month;
use crate::count::status::StatusFound;
use crate::count::tally::{Buckets, Window};
use crate::party::register::EmailAddress;
use crate::price::item::Amounts;
use crate::price::money::Money;

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
    pub invoices: Vec<DigestRow>,
    /// What needs a person.
    pub exceptions: Vec<Exception>,
    /// All messages by bucket: the zero-residual table.
    pub messages: Buckets,
    /// The proof, zone by zone; empty where nothing was counted for this report.
    pub zones: Vec<Zone>,
    /// Dealerships with messages from or to what is no contact (groups, empty values): not billed.
    pub not_contacts: Vec<(String, u64)>,
    /// The statuses that were met; empty where nothing was counted, or by a fecha that did not tell them apart.
    #[serde(default)]
    pub statuses: Vec<StatusFound>,
    /// Emails with invoices of this month or the one before that were refused, as of `made_at`.
    #[serde(default)]
    pub failed_deliveries: Vec<FailedDelivery>,
    /// What is open and waits of all invoices, of any month, as of `made_at`; `None` in a report of a fecha that
    /// did not know it.
    #[serde(default)]
    pub receivables: Option<Balance>,
}

/// An email to a dealership that no server took, and that nobody has queued again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedDelivery {
    /// `2026-000001`, or `2026-000001-R1`.
    pub label: String,
    /// For whom it was.
    pub recipient: EmailAddress,
    /// In the words of the server.
    pub error: String,
}

/// One invoice, as a row of the workbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the keys of `fecha invoices --json`")]
pub struct DigestRow {
    pub number: Number,
    pub revision: u32,
    pub dealership_id: String,
    pub dealership_name: String,
    pub cnpj: String,
    pub package: u64,
    pub uam: u64,
    pub overage: u64,
    pub hsm: u64,
    #[serde(flatten)]
    pub amounts: Amounts,
    pub total: Money,
    /// The total of the month before, where that was invoiced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month_before: Option<Money>,
    pub due_on: NaiveDate,
    /// What settled it when the report was made; `None` in a report of a fecha that did not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
    pub issued_at: DateTime<Utc>,
    pub evidence_sha256: String,
    pub pdf_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replacement>,
}

/// The proof of one span of time: the zones whose month it is, and its buckets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// IANA names.
    pub names: Vec<String>,
    /// Buckets, and the rows that belong to other zones; together they are the database's own count.
    pub window: Window,
}

impl DigestRow {
    /// The row of an issued revision, whose PDF has this SHA-256 (hexadecimal).
    #[must_use]
    pub fn of(invoice: &Invoice, pdf_sha256: String) -> Self {
        Self {
            number: invoice.number,
            revision: invoice.revision,
            dealership_id: invoice.dealership_id.clone(),
            dealership_name: invoice.dealership.name.clone(),
            cnpj: invoice.dealership.cnpj.to_string(),
            package: invoice.package,
            uam: invoice.usage.uam,
            overage: invoice.overage(),
            hsm: invoice.usage.hsm,
            amounts: invoice.amounts(),
            total: invoice.total(),
            month_before: month_before(invoice),
            due_on: invoice.due_on,
            paid: None,
            issued_at: invoice.issued_at,
            evidence_sha256: invoice.evidence_sha256.clone(),
            pdf_sha256,
            replaces: invoice.replaces.clone(),
        }
    }

    /// `2026-000001`, or `2026-000001-R1`.
    #[must_use]
    pub fn label(&self) -> String {
        label(self.number, self.revision)
    }

    /// What was still to be paid when the report was made.
    #[must_use]
    pub fn open(&self) -> Option<Money> {
        self.paid.map(|paid| (self.total - paid).max(Money::ZERO))
    }

    /// By how much the total differs from that of the month before.
    #[must_use]
    pub fn change(&self) -> Option<Money> {
        self.month_before.map(|before| self.total - before)
    }
}

fn month_before(invoice: &Invoice) -> Option<Money> {
    let before = invoice.history.last()?;
    (before.month == invoice.month.previous()).then_some(before.total)
}

impl Digest {
    /// The sum of all invoices.
    #[must_use]
    pub fn total(&self) -> Money {
        self.invoices.iter().map(|entry| entry.total).sum()
    }

    /// The `most` invoices whose total differs most from that of the month before, the largest
    /// difference first; none that did not change.
    #[must_use]
    pub fn largest_changes(&self, most: usize) -> Vec<(&DigestRow, Money)> {
        let compared = |entry| Some((entry, DigestRow::change(entry)?));
        let mut changes: Vec<(&DigestRow, Money)> = self
            .invoices
            .iter()
            .filter_map(compared)
            .filter(|(_, by)| *by != Money::ZERO)
            .collect();
        changes.sort_by_key(|(entry, by)| (Reverse(by.centavos().abs()), entry.number));
        changes.truncate(most);
        changes
    }

    /// 0 for the close report, 1 for the first supplement to it.
    #[must_use]
    pub fn supplement(&self) -> u32 {
        self.sequence.saturating_sub(1)
    }

    /// What its files are called, behind `fechamento-` and `faturas-`: `2026-10`, or
    /// `2026-10-suplemento-1`.
    #[must_use]
    pub fn file_label(&self) -> String {
        match self.supplement() {
            0 => self.month.to_string(),
            supplement => format!("{}-suplemento-{supplement}", self.month),
        }
    }
}
