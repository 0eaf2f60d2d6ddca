//! `fecha receivables`

use serde_json::json;

use super::output::{Failure, Output, plain};
use super::page::{Page, figure, name, word};
use super::rerun::text;
use crate::actions::receivables::{self, Found, History, Wanted};
use crate::actions::words::count;
use crate::ledger::account::Refund;
use crate::ledger::listing::Listed;
use crate::setup::office::Office;
use fecha_core::account::payment::Payment;
use fecha_core::account::receivables::{Ages, Balance, Debtor, Owed, days_late};
use fecha_core::price::money::Money;

/// Arguments of `fecha receivables`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What waits is money that came in and settles no invoice: the dealership's next
invoice takes it, or an open one by `fecha pay NUMBER --from-account`.

Examples:
  fecha receivables --overdue
  fecha receivables --dealership d17

Of one dealership its payments and refunds are listed too, with the ids that
`fecha pay --undo` takes.")]
pub struct Args {
    /// Only this dealership, with its payments and refunds
    #[arg(long, value_name = "ID")]
    dealership: Option<String>,
    /// Only what is overdue
    #[arg(long)]
    overdue: bool,
    /// Write anew what lists show as open and waiting, where `verify` says so
    #[arg(long, conflicts_with_all = ["dealership", "overdue"])]
    rebuild: bool,
    /// Who asks for it [default: the login name, unless that is root]
    #[arg(long, value_name = "NAME", value_parser = text, requires = "rebuild")]
    by: Option<String>,
}

/// Shows what is open, by age and dealership, and what waits.
pub async fn receivables(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    if args.rebuild {
        let written = receivables::rebuild(office, &office.named(args.by.as_deref())?).await?;
        output.result(&json!({ "rebuilt": written }), |_| match written.as_slice() {
            [] => "what lists show is what the rows come to: nothing to write".to_owned(),
            _ => format!("written anew from the rows: {}", written.join(", ")),
        });
        return Ok(0);
    }
    let wanted = Wanted { dealership_id: args.dealership.as_deref(), overdue: args.overdue };
    let found = receivables::receivables(office, wanted).await?;
    output.result(&found.json(), |page| in_words(page, &found));
    Ok(0)
}

fn in_words(page: Page, found: &Found) -> String {
    let receivables = &found.receivables;
    let Balance { open, overdue, waiting } = receivables.balance;
    let mut text = match (&found.history, receivables.debtors.as_slice()) {
        (Some(history), [one]) => of_one(page, one, history, found),
        (_, []) => String::new(),
        (_, debtors) => debtor_table(page, debtors, found),
    };
    if open == Money::ZERO {
        text += "nothing is open";
    } else {
        text += &format!("{} open, {} of it overdue", open.brl(), overdue.brl());
    }
    if waiting > Money::ZERO {
        text += &format!(", {} waiting on accounts", waiting.brl());
    }
    text += "\n";
    if open > Money::ZERO {
        text += &format!("by age: {}\n", ages(&receivables.ages));
    }
    for left in &found.left {
        text += &format!("\n{}\n", left.what());
        // A command on a line of its own, to be copied.
        for (what, command) in left.steps() {
            text += &format!("  → no contract: {what}\n    {command}\n");
        }
    }
    text
}

fn debtor_table(page: Page, debtors: &[Debtor<Listed>], found: &Found) -> String {
    let row = |debtor: &Debtor<Listed>| {
        let Balance { open, overdue, waiting } = debtor.balance;
        let oldest = debtor.oldest(found.today).map(|days| days.to_string());
        vec![
            debtor.dealership_id.clone(),
            debtor.owed.len().to_string(),
            some(open),
            some(overdue),
            oldest.unwrap_or_default(),
            some(waiting),
        ]
    };
    let columns = [
        name("dealership"),
        figure("invoices").spare(4),
        figure("open"),
        figure("overdue").spare(1),
        figure("days").spare(3),
        figure("waiting").spare(2),
    ];
    let table = page.table(&columns, debtors.iter().map(row).collect());
    format!("{table}\n")
}

/// `R$ 1.014,00`; nothing for nothing: the eye looks for amounts.
fn some(amount: Money) -> String {
    if amount == Money::ZERO { String::new() } else { amount.brl() }
}

fn ages(ages: &Ages) -> String {
    let Ages { not_due, to_30, to_60, to_90, older } = *ages;
    let named = [
        ("not due", not_due),
        ("1-30 days", to_30),
        ("31-60", to_60),
        ("61-90", to_90),
        ("91+", older),
    ];
    let some = named.iter().filter(|(_, amount)| *amount > Money::ZERO);
    some.map(|(age, amount)| format!("{age} {}", amount.brl())).collect::<Vec<_>>().join(", ")
}

/// The invoices of one dealership, then its payments and refunds.
fn of_one(page: Page, debtor: &Debtor<Listed>, history: &History, found: &Found) -> String {
    let row = |owed: &Owed<Listed>| {
        let invoice = &owed.invoice;
        let late = days_late(owed.due_on, found.today).max(0);
        vec![
            invoice.label(),
            invoice.month.to_string(),
            invoice.figures.total.brl(),
            some(invoice.paid),
            owed.open.brl(),
            owed.due_on.to_string(),
            if late > 0 { late.to_string() } else { String::new() },
        ]
    };
    let mut text = String::new();
    if !debtor.owed.is_empty() {
        let columns = [
            word("number"),
            word("month").spare(3),
            figure("total").spare(2),
            figure("paid").spare(1),
            figure("to pay"),
            word("due"),
            figure("days"),
        ];
        text += &page.table(&columns, debtor.owed.iter().map(row).collect());
        text += "\n\n";
    }
    let lines = history.payments.iter().map(payment_line);
    let lines = lines.chain(history.refunds.iter().map(refund_line));
    text += &lines.collect::<String>();
    let (payments, refunds) = (history.payments.len(), history.refunds.len());
    if payments + refunds > 0 {
        text += &format!("{}, {}\n", count(payments, "payment"), count(refunds, "refund"));
    }
    text
}

/// What, then the id and what became of it on lines of their own: all together is wider than a terminal.
fn payment_line(payment: &Payment) -> String {
    let mut facts = Vec::new();
    facts.extend(payment.reference.as_ref().map(|text| format!("reference {}", plain(text))));
    let settles = payment.allocated.iter().filter(|(number, _)| Some(*number) != payment.number);
    facts.extend(settles.map(|(number, amount)| format!("{} settle {number}", amount.brl())));
    let amounts = [("waiting", payment.waiting()), ("paid back", payment.refunded)];
    let amounts = amounts.into_iter().filter(|(_, amount)| *amount > Money::ZERO);
    facts.extend(amounts.map(|(what, amount)| format!("{} {what}", amount.brl())));
    if payment.undone {
        facts.push("taken back".to_owned());
    }
    let (on, amount, kind, id) = (payment.on, payment.amount.brl(), payment.kind, &payment.id);
    let of = payment.number.map_or_else(|| "on account".to_owned(), |number| number.to_string());
    let facts = facts.iter().map(|fact| format!("    {fact}\n")).collect::<String>();
    format!("{on}  {amount:>16}  {:<8}  {of}\n    {id}\n{facts}", kind.key())
}

fn refund_line(refund: &Refund) -> String {
    let amount = refund.amount();
    let what = if refund.parts.is_empty() { "taken back".to_owned() } else { amount.brl() };
    format!("{}  {what:>16}  refund    {}\n    {}\n", refund.on, plain(&refund.reason), refund.id)
}
