//! `fecha status`

use super::output::{Failure, Output};
use super::page::{Page, figure, word};
use crate::actions::attention::Matter;
use crate::actions::status::{self, MonthRow, OpenRow, Status};
use crate::actions::words::count;
use crate::ledger::closing::MonthState;
use crate::setup::office::Office;
use fecha_core::price::money::grouped;

/// What `fecha status --help` says below its options.
pub const HELP: &str = "\
What is alike is one line, with the money at stake; most money comes first.
Exit status 1 where something needs a person.

Examples:
  fecha status
  fecha status --json";

/// Shows the months and what needs a person.
pub async fn status(office: &Office, output: &Output) -> Result<u8, Failure> {
    let status = status::status(office, ..).await?;
    output.result(&status, |page| in_words(page, &status));
    Ok(u8::from(!status.needs_a_person.is_empty()))
}

fn in_words(page: Page, status: &Status) -> String {
    let row = |month: &MonthRow| {
        let state = match month.state {
            MonthState::Open => "open",
            MonthState::Held => "held",
            MonthState::Closed => "closed",
        };
        vec![
            month.month.to_string(),
            state.to_owned(),
            grouped(month.issued),
            month.total.brl(),
            grouped(month.exceptions as u64),
        ]
    };
    let columns =
        [word("month"), word("state"), figure("invoices"), figure("total"), figure("exceptions")];
    let mut text = page.table(&columns, status.months.iter().map(row).collect());
    let emails = |number| count(usize::try_from(number).unwrap_or(usize::MAX), "email");
    text += &format!(
        "\n{} sent, {} waiting\n",
        emails(status.outbox.sent),
        grouped(status.outbox.pending)
    );
    let OpenRow { balance, overdue_invoices } = status.receivables;
    if overdue_invoices > 0 {
        text += &format!(
            "{} overdue, {}: `fecha receivables --overdue`\n",
            count(usize::try_from(overdue_invoices).unwrap_or(usize::MAX), "invoice"),
            balance.overdue.brl()
        );
    }
    if status.matters.is_empty() {
        text += "Nothing needs a person.\n";
    } else {
        text += &format!("\n{} for a person:\n", count(status.matters.len(), "thing"));
        text +=
            &status.matters.iter().map(|matter| in_a_paragraph(page, matter)).collect::<String>();
    }
    text
}

/// What, who, and what to do, each on lines of its own.
fn in_a_paragraph(page: Page, matter: &Matter) -> String {
    let mut text = page.item("  ", &matter.what()) + "\n";
    let (names, more) = matter.names();
    if !names.is_empty() {
        let more = match more {
            0 => String::new(),
            more => format!(" and {} more", grouped(more as u64)),
        };
        text += &(page.item("    ", &format!("{}{more}", names.join(", "))) + "\n");
    }
    text + &page.item("    → ", &matter.remedy()) + "\n"
}
