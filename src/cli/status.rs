//! `fecha status`

use super::output::{Failure, Output, table};
use crate::actions::status::{self, MonthRow, OpenRow, Status};
use crate::actions::words::count;
use crate::ledger::closing::MonthState;
use crate::setup::office::Office;

/// Shows the months and what needs a person.
pub async fn status(office: &Office, output: &Output) -> Result<u8, Failure> {
    let status = status::status(office).await?;
    output.result(&status, || in_words(&status));
    Ok(u8::from(!status.needs_a_person.is_empty()))
}

fn in_words(status: &Status) -> String {
    let row = |month: &MonthRow| {
        let state = match month.state {
            MonthState::Open => "open",
            MonthState::Held => "held",
            MonthState::Closed => "closed",
        };
        vec![
            month.month.to_string(),
            state.to_owned(),
            month.issued.to_string(),
            month.total.brl(),
            month.exceptions.to_string(),
        ]
    };
    let header = ["month", "state", "invoices", "total", "exceptions"];
    let mut text = table(&header, &[2, 3, 4], status.months.iter().map(row).collect());
    let emails = |number| count(usize::try_from(number).unwrap_or(usize::MAX), "email");
    text += &format!("\n{} sent, {} waiting\n", emails(status.outbox.sent), status.outbox.pending);
    let OpenRow { balance, overdue_invoices } = status.receivables;
    if overdue_invoices > 0 {
        text += &format!(
            "{} overdue, {}: `fecha receivables --overdue`\n",
            count(usize::try_from(overdue_invoices).unwrap_or(usize::MAX), "invoice"),
            balance.overdue.brl()
        );
    }
    if status.needs_a_person.is_empty() {
        text += "Nothing needs a person.\n";
    } else {
        text += &format!("\n{} for a person:\n", count(status.needs_a_person.len(), "thing"));
        for attention in &status.needs_a_person {
            text += &format!("  {}\n    → {}\n", attention.what(), attention.remedy());
        }
    }
    text
}
