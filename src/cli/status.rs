//! `fecha status`

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::close::{SHOWN, count, in_a_line};
use super::output::{Failure, Output, plain, table};
use crate::ledger::closing::{Closing, MonthState};
use crate::ledger::outbox::Queued;
use crate::setup::office::Office;
use fecha_core::calendar::month::Month;
use fecha_core::letter::LetterState;
use fecha_core::price::money::Money;

#[derive(Serialize)]
struct MonthRow {
    month: Month,
    state: MonthState,
    issued: usize,
    total: Money,
    exceptions: usize,
    held: Option<String>,
}

/// Something that a person must do.
#[derive(Serialize)]
struct Attention {
    what: String,
    #[serde(rename = "do")]
    remedy: String,
}

/// Shows the months and what needs a person.
pub async fn status(office: &Office, output: &Output) -> Result<u8, Failure> {
    let closings: BTreeMap<Month, Closing> = office
        .ledger
        .closings()
        .await?
        .into_iter()
        .map(|closing| (closing.month, closing))
        .collect();
    let months = months(office, &closings).await?;
    let emails = office.ledger.emails(None).await?;
    let mut attention = Vec::new();
    for month in &months {
        attention.extend(month_attention(month, closings.get(&month.month)));
    }
    attention.extend(emails.iter().filter_map(email_attention));
    let in_state = |state| emails.iter().filter(|email| email.state == state).count();
    let outbox = json!({
        "pending": in_state(LetterState::Pending),
        "sending": in_state(LetterState::Sending),
        "sent": in_state(LetterState::Sent),
        "failed": in_state(LetterState::Failed),
        "withdrawn": in_state(LetterState::Withdrawn),
    });
    let json = json!({"months": months, "outbox": outbox, "needs_a_person": attention});
    output.result(&json, || in_words(&months, &emails, &attention));
    Ok(u8::from(!attention.is_empty()))
}

/// Every month from the first that was invoiced or looked at up to the last that has ended.
async fn months(
    office: &Office,
    closings: &BTreeMap<Month, Closing>,
) -> Result<Vec<MonthRow>, Failure> {
    let last = Month::last_ended(office.clock.now(), office.config.issuer.timezone);
    let invoiced = office.ledger.invoiced_months().await?;
    let known = || invoiced.iter().chain(closings.keys()).copied();
    let mut month = known().min().unwrap_or(last);
    let end = known().max().unwrap_or(last).max(last);
    let mut rows = Vec::new();
    while month <= end {
        let standing = office.ledger.standing(month).await?;
        let closing = closings.get(&month);
        rows.push(MonthRow {
            month,
            state: closing.map_or(MonthState::Open, |closing| closing.state),
            issued: standing.len(),
            total: standing.values().map(|revision| revision.invoice.total()).sum(),
            exceptions: closing.map_or(0, |closing| closing.exceptions.len()),
            held: closing.and_then(|closing| closing.held.clone()),
        });
        month = month.next();
    }
    Ok(rows)
}

fn month_attention(row: &MonthRow, closing: Option<&Closing>) -> Vec<Attention> {
    let month = row.month;
    let mut attention = Vec::new();
    match (row.state, &row.held) {
        (MonthState::Held, Some(why)) => attention.push(Attention {
            what: format!("{month} is held: {why}"),
            remedy: format!(
                "mend the message database and run `fecha close --month {month}`, or add --release"
            ),
        }),
        (MonthState::Open | MonthState::Held, _) => attention.push(Attention {
            what: format!("{month} is not closed"),
            remedy: format!("fecha close --month {month}"),
        }),
        (MonthState::Closed, _) => {}
    }
    let exceptions = closing.map_or(&[][..], |closing| &closing.exceptions);
    for exception in exceptions.iter().take(SHOWN) {
        attention.push(Attention {
            what: format!("{month}: {}", in_a_line(exception)),
            remedy: format!("then run `fecha close --month {month}`"),
        });
    }
    if let Some(more) = exceptions.len().checked_sub(SHOWN + 1) {
        attention.push(Attention {
            what: format!("{month}: {} more exceptions", more + 1),
            remedy: format!("`fecha close --month {month} --dry-run --json` names all"),
        });
    }
    attention
}

fn email_attention(email: &Queued) -> Option<Attention> {
    let number = email.number.map(|number| number.to_string());
    (email.state == LetterState::Failed).then(|| Attention {
        what: format!(
            "email to {} failed: {} ({})",
            email.to(),
            plain(&email.subject),
            plain(email.last_error.as_deref().unwrap_or("no reason was given"))
        ),
        remedy: number.map_or_else(
            || "mend [email] finance and send the report by hand".to_owned(),
            |number| format!("mend the address in the register, then fecha resend {number}"),
        ),
    })
}

fn in_words(months: &[MonthRow], emails: &[Queued], attention: &[Attention]) -> String {
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
    let mut text = table(&header, &[2, 3, 4], months.iter().map(row).collect());
    let waiting = emails.iter().filter(|email| email.state == LetterState::Pending).count();
    let sent = emails.iter().filter(|email| email.state == LetterState::Sent).count();
    text += &format!("\n{} sent, {waiting} waiting\n", count(sent, "email"));
    if attention.is_empty() {
        text += "Nothing needs a person.\n";
    } else {
        text += &format!("\n{} for a person:\n", count(attention.len(), "thing"));
        for Attention { what, remedy } in attention {
            text += &format!("  {what}\n    → {remedy}\n");
        }
    }
    text
}
