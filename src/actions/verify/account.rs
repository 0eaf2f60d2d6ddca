//! Whether the account of every dealership of the ledger adds up, of any month.

use std::collections::BTreeMap;

use super::Problem;
use crate::ledger::{Ledger, LedgerError};
use fecha_core::account::proof::{Books, contradictions};

/// What does not add up, by dealership.
pub(super) async fn check(ledger: &Ledger) -> Result<Vec<Problem>, LedgerError> {
    let mut all: BTreeMap<String, Books> = BTreeMap::new();
    for (id, number, lines) in ledger.standing_lines().await? {
        all.entry(id).or_default().standing.insert(number, lines);
    }
    for (id, notes) in ledger.notes_by_dealership().await? {
        all.entry(id).or_default().notes = notes;
    }
    for (id, payments) in ledger.payments_by_dealership().await? {
        all.entry(id).or_default().payments = payments;
    }
    for refund in ledger.refunds(None).await? {
        let paid_back = refund.amount();
        all.entry(refund.dealership_id).or_default().refunded += paid_back;
    }
    let problem = |(id, books): (&String, &Books)| {
        let found = contradictions(books);
        (!found.is_empty()).then(|| Problem {
            number: None,
            what: format!(
                "the account of '{id}' does not add up: {}. Restore the ledger from a backup, or ask for help",
                found.join("; ")
            ),
        })
    };
    let mut problems: Vec<Problem> = all.iter().filter_map(problem).collect();
    let wrong = ledger.wrong_copies().await?;
    if !wrong.is_empty() {
        let names: Vec<&str> = wrong.iter().map(|(name, _)| name.as_str()).collect();
        let what = format!(
            "lists show another amount as open, or as waiting, than the rows come to: {}. Somebody wrote past the triggers: `fecha receivables --rebuild` writes them anew from the rows",
            names.join(", ")
        );
        problems.push(Problem { number: None, what });
    }
    Ok(problems)
}
