//! The close report of a month (*relatório de fechamento*): what finance is told, in figures.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::account::receivables::Balance;
use crate::bill::exception::Excepted;
use crate::bill::invoice::{Invoice, Number, Replacement, label};
use crate::calendar::month::Month;
use crate::count::status::StatusFound;
use crate::count::tally::{Buckets, Window};
use crate::party::register::EmailAddress;
use crate::price::item::{Amounts, Line};
use crate::price::money::Money;
use crate::price::table::PriceTable;

/// The close report of a month, or a supplement to it. The outbox keeps it as JSON; emails are made from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The closed month.
    pub month: Month,
    /// 1 for the close report, from 2 for supplements; 0 where the close is held and nothing was issued.
    pub sequence: u32,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The reseller's name.
    pub issuer: String,
    /// The issuer's zone, in which times are told; `None` in a report of a fecha that told them in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Tz>,
    /// The invoices that this report covers, by number; of a held close, what it would issue, by dealership.
    pub invoices: Vec<DigestRow>,
    /// The month as a whole, beside the one before; `None` in a report of a fecha that did not compare them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Whole>,
    /// What the month came to in the report before; `None` in a first one, and where that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Money>,
    /// What needs a person.
    pub exceptions: Vec<Excepted>,
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
    /// The invoices of any month whose day has passed, as of `made_at`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overdue: Vec<Overdue>,
}

/// All standing invoices of a month, whichever report told of them, beside those of the month before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// This month.
    pub now: Sum,
    /// The month before; `None` where nothing of it stands, as in a first month.
    pub before: Option<Sum>,
    /// Who is invoiced now and was not in the month before; none where there was no month before.
    pub entered: Vec<Mover>,
    /// Who was invoiced in the month before and is not now.
    pub left: Vec<Mover>,
}

/// So many invoices, and what they come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// How many.
    pub invoices: u64,
    /// All totals.
    pub total: Money,
}

/// A dealership that came or left, and what it was invoiced in the month that it has an invoice of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in DigestRow")]
pub struct Mover {
    pub dealership_id: String,
    pub dealership_name: String,
    pub total: Money,
}

/// An invoice whose day has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in DigestRow")]
pub struct Overdue {
    pub label: String,
    pub month: Month,
    pub dealership_id: String,
    pub dealership_name: String,
    pub due_on: NaiveDate,
    /// What is still to be paid.
    pub open: Money,
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
    /// As what it was issued; `None` where a held close only would issue it.
    #[serde(flatten)]
    pub issued: Option<IssuedAs>,
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
    /// Its lines, where its prices have entries of their own: what the amounts above do not tell apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// The total of the month before, where that was invoiced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month_before: Option<Money>,
    pub due_on: NaiveDate,
    /// What settled it when the report was made; `None` in a report of a fecha that did not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
}

/// A revision as it was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the keys of `fecha invoices --json`")]
pub struct IssuedAs {
    pub number: Number,
    pub revision: u32,
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
        let issued = IssuedAs {
            number: invoice.number,
            revision: invoice.revision,
            issued_at: invoice.issued_at,
            evidence_sha256: invoice.evidence_sha256.clone(),
            pdf_sha256,
            replaces: invoice.replaces.clone(),
        };
        Self { issued: Some(issued), ..Self::foreseen(invoice) }
    }

    /// The row of an invoice that nobody issued: what a held close would.
    #[must_use]
    pub fn foreseen(invoice: &Invoice) -> Self {
        Self {
            issued: None,
            dealership_id: invoice.dealership_id.clone(),
            dealership_name: invoice.dealership.name.clone(),
            cnpj: invoice.dealership.cnpj.to_string(),
            package: invoice.package,
            uam: invoice.usage.uam,
            overage: invoice.overage(),
            hsm: invoice.usage.hsm,
            amounts: invoice.amounts(),
            total: invoice.total(),
            lines: lines(invoice),
            month_before: month_before(invoice),
            due_on: invoice.due_on,
            paid: None,
        }
    }

    /// `2026-000001`, or `2026-000001-R1`; empty where it was not issued.
    #[must_use]
    pub fn label(&self) -> String {
        self.issued.as_ref().map_or_else(String::new, |as_| label(as_.number, as_.revision))
    }

    /// What it replaces, where it is a revision.
    #[must_use]
    pub fn replaces(&self) -> Option<&Replacement> {
        self.issued.as_ref()?.replaces.as_ref()
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

    /// By how much it changes what the month comes to: a revision by its difference, else by all of it.
    #[must_use]
    pub fn effect(&self) -> Money {
        self.total - self.replaces().map_or(Money::ZERO, |before| before.total)
    }
}

fn lines(invoice: &Invoice) -> Vec<Line> {
    let has_entries = invoice.prices.as_ref().is_some_and(PriceTable::has_entries);
    if has_entries { invoice.lines.clone() } else { Vec::new() }
}

fn month_before(invoice: &Invoice) -> Option<Money> {
    let before = invoice.history.last()?;
    (before.month == invoice.month.previous()).then_some(before.total)
}

impl Digest {
    /// What stands in the column of other lines.
    #[must_use]
    pub fn other_lines(&self) -> &'static str {
        let has_entries = self.invoices.iter().any(|row| !row.lines.is_empty());
        if has_entries { "Outras linhas" } else { "Descontos" }
    }

    /// The sum of all invoices.
    #[must_use]
    pub fn total(&self) -> Money {
        self.invoices.iter().map(|entry| entry.total).sum()
    }

    /// By how much the month comes to something else than the report before said; where that is not known, by how
    /// much the invoices of this report change it.
    #[must_use]
    pub fn effect(&self) -> Money {
        match (self.reported, &self.whole) {
            (Some(before), Some(whole)) => whole.now.total - before,
            _ => self.effect_of_invoices(),
        }
    }

    /// What of the effect is none of its invoices: numbers that were cancelled since the report before.
    #[must_use]
    pub fn effect_of_cancellations(&self) -> Money {
        self.effect() - self.effect_of_invoices()
    }

    fn effect_of_invoices(&self) -> Money {
        self.invoices.iter().map(DigestRow::effect).sum()
    }

    /// Whether every span of time was counted and adds up to the database's own count; `None` where nothing
    /// was counted.
    #[must_use]
    pub fn proved(&self) -> Option<bool> {
        let agrees = |zone: &Zone| zone.residual() == 0;
        (!self.zones.is_empty()).then(|| self.zones.iter().all(agrees))
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
        let number = |entry: &DigestRow| entry.issued.as_ref().map(|issued| issued.number);
        changes.sort_by_key(|(entry, by)| (Reverse(by.centavos().abs()), number(entry)));
        changes.truncate(most);
        changes
    }

    /// 0 for the close report, 1 for the first supplement to it.
    #[must_use]
    pub fn supplement(&self) -> u32 {
        self.sequence.saturating_sub(1)
    }

    /// What its files are called, behind `fechamento-` and `faturas-`: `2026-10`,
    /// `2026-10-suplemento-1`, or `2026-10-retido`.
    #[must_use]
    pub fn file_label(&self) -> String {
        match self.sequence {
            0 => format!("{}-retido", self.month),
            1 => self.month.to_string(),
            _ => format!("{}-suplemento-{}", self.month, self.supplement()),
        }
    }
}

impl Zone {
    /// What the database counts beyond the buckets: zero where it is proved.
    #[must_use]
    pub fn residual(&self) -> i128 {
        let Window { rows, buckets, elsewhere, .. } = &self.window;
        i128::from(*rows) - i128::from(buckets.total()) - i128::from(*elsewhere)
    }
}

/// By how many tenths of a percent `now` differs from `before`, half away from zero; `None` of nothing.
///
/// ```
/// use fecha_core::bill::digest::per_mille;
/// let money = |text: &str| text.parse().unwrap();
/// assert_eq!(per_mille(money("997.00"), money("1000.00")), Some(-3));
/// assert_eq!(per_mille(money("1.00"), money("0.00")), None);
/// ```
#[must_use]
pub fn per_mille(now: Money, before: Money) -> Option<i64> {
    let [now, before] = [now, before].map(|money| i128::from(money.centavos()));
    let twentieths = ((now - before) * 2000).checked_div(before)?;
    i64::try_from(twentieths / 2 + twentieths % 2).ok()
}

impl Whole {
    /// By how many tenths of a percent the month differs from the one before.
    #[must_use]
    pub fn change(&self) -> Option<i64> {
        per_mille(self.now.total, self.before?.total)
    }

    /// Compares the invoices of a month with those of the month before, each by its dealership's id.
    #[must_use]
    pub fn of(now: &[Mover], before: &[Mover]) -> Self {
        let ids = |of: &[Mover]| -> BTreeSet<String> {
            of.iter().map(|mover| mover.dealership_id.clone()).collect()
        };
        let without = |of: &[Mover], others: &BTreeSet<String>| -> Vec<Mover> {
            let only = of.iter().filter(|mover| !others.contains(&mover.dealership_id));
            let mut only: Vec<Mover> = only.cloned().collect();
            only.sort_by_key(|mover| (Reverse(mover.total), mover.dealership_id.clone()));
            only
        };
        let compared = !before.is_empty();
        Self {
            now: Sum::of(now),
            before: compared.then(|| Sum::of(before)),
            entered: if compared { without(now, &ids(before)) } else { Vec::new() },
            left: without(before, &ids(now)),
        }
    }
}

impl Sum {
    fn of(invoices: &[Mover]) -> Self {
        let total = invoices.iter().map(|mover| mover.total).sum();
        Self { invoices: invoices.len() as u64, total }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn mover(id: &str, total: &str) -> Mover {
        let (dealership_id, dealership_name) = (id.to_owned(), id.to_uppercase());
        Mover { dealership_id, dealership_name, total: total.parse().unwrap() }
    }

    #[test]
    fn who_came_and_who_left() {
        let before = [mover("a", "100.00"), mover("b", "50.00"), mover("c", "70.00")];
        let now = [mover("a", "90.00"), mover("d", "10.00")];
        let whole = Whole::of(&now, &before);
        let ids = |movers: &[Mover]| -> Vec<String> {
            movers.iter().map(|mover| mover.dealership_id.clone()).collect()
        };
        assert_eq!(
            (ids(&whole.entered), ids(&whole.left)),
            (vec!["d".into()], vec!["c".into(), "b".into()])
        );
        assert_eq!((whole.now.invoices, whole.change()), (2, Some(-545)));
        // In a first month nobody came: there is nothing to compare with.
        let first = Whole::of(&now, &[]);
        assert_eq!((first.before, first.change(), first.entered), (None, None, Vec::new()));
    }

    #[rstest]
    #[case("1000.04", "1000.00", Some(0))]
    #[case("1000.50", "1000.00", Some(1))] // half away from zero
    #[case("999.50", "1000.00", Some(-1))]
    #[case("0.00", "1000.00", Some(-1000))]
    #[case("1508943.54", "1513484.00", Some(-3))]
    fn changes_in_tenths_of_a_percent(
        #[case] now: &str,
        #[case] before: &str,
        #[case] expected: Option<i64>,
    ) {
        assert_eq!(per_mille(now.parse().unwrap(), before.parse().unwrap()), expected);
    }
}
