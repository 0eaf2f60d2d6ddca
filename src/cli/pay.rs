//! `fecha pay`

use std::path::PathBuf;
use std::str::FromStr;

use chrono::NaiveDate;
use serde_json::json;

use super::output::{Failure, Output, plain};
use super::rerun::text;
use crate::actions::pay::{self, Asked, NewPayment, Recorded, Seen, Target, Undone, Wish};
use crate::actions::words::count;
use crate::setup::office::Office;
use fecha_core::account::payment::Kind;
use fecha_core::bill::group_bill::GroupTxid;
use fecha_core::bill::invoice::{InvalidNumber, Number};
use fecha_core::price::money::Money;

/// What is paid.
#[derive(Debug, Clone, Copy)]
enum Paid {
    Invoice(Number),
    Group(GroupTxid),
}

impl FromStr for Paid {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::Group).or_else(|_| text.parse().map(Self::Invoice))
    }
}

/// Arguments of `fecha pay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A payment goes to its invoice first; what is more than is open waits on the
dealership's account, and its next invoice takes it. Tax that was withheld
(iss, irrf, csrf) and a discount settle their own invoice only; interest is
recorded beside it. A file may be read again: what is recorded already is not
recorded twice.

Files are CSV (comma or semicolon; also what 'fecha invoices --csv' wrote,
with a column pago_em), OFX, and CNAB 240 and 400 return files. Of a bank's
lines those are recorded that name an invoice, or whose payer and amount fit
one alone; the others are listed for a person, and the exit status is 1.

Examples:
  fecha pay 2026-000017 --on 2026-11-10
  fecha pay 2026-000017 --on 2026-11-10 --amount 500.00 --reference E1234
  fecha pay 2026-000017 --on 2026-11-10 --amount 20.28 --kind iss

All invoices of a group at once, oldest number first, each up to what is open;
the rest waits on the account of the last one's dealership:
  fecha pay G2026100001 --on 2026-11-10

Money on account, and an invoice that takes it:
  fecha pay --dealership d17 --on 2026-11-10 --amount 500.00
  fecha pay 2026-000017 --from-account

Many at once. A CSV has number,on,amount[,kind,reference]; an empty amount is
all that is open. A dry run shows which invoice each line pays, and why:
  fecha pay --file payments.csv
  fecha pay --file extrato.ofx --dry-run

A payment or a refund taken back, and money paid back:
  fecha pay --undo ID --reason \"fatura errada\"
  fecha pay --refund 120.00 --dealership d17 --on 2026-11-20 \\
      --reason \"encerrou o contrato\"")]
pub struct PayArgs {
    /// The invoice number, YYYY-NNNNNN, or a group bill, G2026100001
    #[arg(required_unless_present_any = ["file", "undo", "refund", "dealership"])]
    number: Option<Paid>,
    /// The day on the bank statement, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
    /// In reais, with a point [default: all that is open]
    #[arg(long, value_name = "A")]
    amount: Option<Money>,
    /// What it is: money, iss, irrf, csrf, discount or interest
    #[arg(long, value_name = "K", default_value = "money")]
    kind: Kind,
    /// The bank's: end-to-end id, FITID, nosso número
    #[arg(long, value_name = "R", value_parser = text)]
    reference: Option<String>,
    /// It is one more payment that equals another
    #[arg(long)]
    again: bool,
    /// Settle the invoice with money that waits on the account
    #[arg(long, requires = "number", conflicts_with_all = ["on", "file", "undo", "refund", "kind", "reference", "again"])]
    from_account: bool,
    /// Whose account: for money without an invoice, or a refund
    #[arg(long, value_name = "ID", conflicts_with_all = ["number", "file", "undo"])]
    dealership: Option<String>,
    /// Many payments: a CSV, OFX or CNAB file of the bank or of finance
    #[arg(long, alias = "csv", value_name = "FILE", conflicts_with_all = ["number", "on", "amount", "kind", "reference", "again"])]
    file: Option<PathBuf>,
    /// Record nothing: show what would be
    #[arg(long, requires = "file")]
    dry_run: bool,
    /// Take back the payment or refund with this id
    #[arg(long, value_name = "ID", requires = "reason", conflicts_with_all = ["number", "file", "refund"])]
    undo: Option<String>,
    /// So much that waited was paid back
    #[arg(long, value_name = "AMOUNT", requires_all = ["dealership", "on", "reason"], conflicts_with_all = ["amount", "kind", "reference", "again"])]
    refund: Option<Money>,
    /// Why it is taken or paid back: kept in the audit log
    #[arg(long, value_name = "TEXT", value_parser = text)]
    reason: Option<String>,
    /// Who asks for it [default: the login name, unless that is root]
    #[arg(long, value_name = "NAME", value_parser = text)]
    by: Option<String>,
}

/// Records payments, takes them back, and what else is done with money.
pub async fn pay(office: &Office, args: &PayArgs, output: &Output) -> Result<u8, Failure> {
    let by = if args.dry_run { office.actor.clone() } else { office.named(args.by.as_deref())? };
    let reason = args.reason.as_deref().unwrap_or_default();
    if let Some(id) = &args.undo {
        return undo(office, id, reason, &by, output).await;
    }
    if let (Some(amount), Some(id), Some(on)) = (args.refund, &args.dealership, args.on) {
        let refund = pay::refund(office, id, (amount, on), true, (reason, &by)).await?;
        let json = json!({"id": refund, "dealership_id": id, "on": on, "amount": amount});
        output.result(&json, |_| {
            format!(
                "{} paid back to '{}' ({refund}); `fecha pay --undo {refund} --reason TEXT` takes it back",
                amount.brl(),
                plain(id)
            )
        });
        return Ok(0);
    }
    if let (true, Some(Paid::Invoice(number))) = (args.from_account, args.number) {
        let taken = pay::from_account(office, number, args.amount, Seen::Nothing, &by).await?;
        let json = json!({"number": number, "amount": taken});
        output.result(&json, |_| format!("{} of the account settle {number}", taken.brl()));
        return Ok(0);
    }
    let recorded = match &args.file {
        Some(path) => {
            let wish = if args.dry_run { Wish::See } else { Wish::Record };
            pay::record_file(office, path, wish, &by).await?
        }
        None => pay::record(office, &[payment(args)?], Wish::Record, &by).await?,
    };
    output.result(&recorded, |_| in_words(&recorded));
    Ok(u8::from(!recorded.unmatched.is_empty()))
}

fn payment(args: &PayArgs) -> Result<NewPayment, Failure> {
    let target = match (args.number, &args.dealership) {
        (Some(Paid::Invoice(number)), _) => Target::Invoice(number),
        (Some(Paid::Group(_)), _) if args.from_account => {
            return Err(Failure::wrong(
                "money on an account is one dealership's: name the invoice that it is to settle",
            ));
        }
        (Some(Paid::Group(txid)), _) => Target::Group(txid),
        (None, Some(id)) => Target::Account(id.clone()),
        (None, None) => {
            return Err(Failure::wrong("name an invoice, or --dealership for money on account"));
        }
    };
    let Some(on) = args.on else {
        return Err(Failure::wrong("name the day that it was paid: --on YYYY-MM-DD"));
    };
    Ok(NewPayment {
        place: None,
        target,
        on,
        amount: args.amount,
        kind: args.kind,
        reference: args.reference.clone(),
        again: args.again,
        asked: Asked::Nobody,
        why: None,
    })
}

async fn undo(
    office: &Office,
    id: &str,
    reason: &str,
    by: &str,
    output: &Output,
) -> Result<u8, Failure> {
    let undone = pay::undo(office, id, reason, by).await?;
    output.result(&json!({"id": id, "undone": true}), |_| match undone {
        Undone::Payment => format!("payment {id} is taken back: what it settled is open again"),
        Undone::Refund => format!("refund {id} is taken back: its money waits again"),
    });
    Ok(0)
}

/// As many lines of a file as are told; `--json` has all.
const LISTED: usize = 100;

fn in_words(recorded: &Recorded) -> String {
    let done = if recorded.dry_run { "would be recorded" } else { "recorded" };
    let mut text = format!(
        "{} {done}, {} already recorded\n",
        recorded.recorded.len(),
        recorded.already_recorded
    );
    for payment in &recorded.recorded {
        if let (Some(why), Some(number)) = (&payment.why, payment.number) {
            text += &format!("  {number}  {}  {}  {why}\n", payment.on, payment.amount.brl());
        }
        if payment.waiting > Money::ZERO {
            text += &format!(
                "  {} of {} wait on the account of '{}': its next invoice takes them\n",
                payment.waiting.brl(),
                payment.amount.brl(),
                plain(&payment.dealership_id)
            );
        }
    }
    if !recorded.unmatched.is_empty() {
        text += &format!("\n{} for a person:\n", count(recorded.unmatched.len(), "line"));
        for line in recorded.unmatched.iter().take(LISTED) {
            let amount = line.amount.map(|amount| format!("{} ", amount.brl())).unwrap_or_default();
            text += &format!("  {}: {amount}{}\n", plain(&line.place), plain(&line.why));
            if !line.words.is_empty() {
                text += &format!("      {}\n", plain(&line.words));
            }
            if let Some(reference) = &line.reference {
                text += &format!("      --reference '{}'\n", plain(reference));
            }
        }
        let more = recorded.unmatched.len().saturating_sub(LISTED);
        if more > 0 {
            text += &format!("  and {more} more: --json has them all\n");
        }
    }
    if !recorded.left_out.is_empty() {
        text += "\nno payments, left out:\n";
        for (what, times) in &recorded.left_out {
            text += &format!("  {times} × {}\n", plain(what));
        }
    }
    text
}
