//! What a close would make of the month, and what it would issue: what a person looks at, and then releases.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::CloseReport;
use super::scope::Scope;
use crate::setup::office::Office;
use fecha_core::bill::bill::{Bill, Heading};
use fecha_core::bill::difference::Cause;
use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::bill::invoice::Invoice;
use fecha_core::bill::plan::{Plan, Planned};
use fecha_core::bill::pro_forma::NO_NUMBER;
use fecha_core::count::evidence::IdVersion;

/// What is invoiced already is part of it as it stands, so that a close that was interrupted goes on by the same
/// plan.
pub(super) fn plan<'a>(
    scope: &'a Scope,
    bills: &'a [Bill<'_>],
    report: &'a CloseReport,
    trouble: &'a [Exception],
) -> Plan<'a> {
    let differing = report.would_differ.iter();
    let causes: BTreeMap<&str, Vec<Cause>> =
        differing.map(|one| (one.dealership_id.as_str(), one.difference.causes())).collect();
    let standing = scope.standing().map(|invoice| {
        let id = invoice.dealership_id.as_str();
        let planned = Planned::standing(invoice, causes.get(id).cloned().unwrap_or_default());
        (id, planned)
    });
    let issued = bills.iter().map(|bill| (bill.case.id(), Planned::of(bill)));
    // Rows that lie in no month are news of the database, once.
    let is_of_month = |exception: &&Exception| exception.reason != Reason::Misdated;
    Plan {
        month: scope.month,
        selection: scope.named(),
        bills: standing.chain(issued).collect(),
        buckets: Some(report.messages),
        exceptions: report.exceptions.iter().chain(trouble).filter(is_of_month).collect(),
    }
}

/// Bills as they would be issued now.
pub(super) fn foreseen(office: &Office, bills: &[Bill<'_>], now: DateTime<Utc>) -> Vec<Invoice> {
    let heading = || Heading {
        number: NO_NUMBER,
        replaces: None,
        evidence_sha256: String::new(),
        evidence_ids: IdVersion::NEWEST,
        issued_at: now,
    };
    bills.iter().map(|bill| bill.invoice(office.config.terms(), heading())).collect()
}
