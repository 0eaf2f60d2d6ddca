//! `fecha adjust`, `fecha cancel` and `fecha pay`

use std::path::PathBuf;

use chrono::NaiveDate;
use serde_json::json;

use super::books::Books;
use super::output::{Failure, Output, plain, table};
use super::rerun::text;
use crate::actions::cancel::{CancelError, cancel_invoice};
use crate::ledger::adjustments::NewAdjustment;
use crate::ledger::audit;
use crate::setup::office::Office;
use fecha_core::account::adjustment::Adjustment;
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// Arguments of `fecha adjust`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A credit (below zero) or a charge goes on the first invoice of the dealership, for the month or a later one,
that is not issued yet, or on a rerun of the month. A total never goes below zero: what is left of a credit
moves on to the next month.

Examples:
  fecha adjust --dealership d17 --month 2026-10 --amount -120.00 --description \"Desconto combinado\"
  fecha adjust                    lists all
  fecha adjust --cancel 3         takes one back that no invoice carries yet")]
pub struct AdjustArgs {
    /// Whose it is
    #[arg(long, value_name = "ID", requires_all = ["month", "amount", "description"])]
    dealership: Option<String>,
    /// The first month whose invoice may carry it, YYYY-MM
    #[arg(long, value_name = "M", requires = "dealership")]
    month: Option<Month>,
    /// In reais, with a point: -120.00 is a credit
    #[arg(long, value_name = "A", allow_hyphen_values = true, requires = "dealership")]
    amount: Option<Money>,
    /// As the invoice prints it
    #[arg(long, value_name = "TEXT", value_parser = text, requires = "dealership")]
    description: Option<String>,
    /// Who asks for it [default: the login name]
    #[arg(long, value_name = "NAME", value_parser = text)]
    by: Option<String>,
    /// Take back the adjustment with this id
    #[arg(long, value_name = "N", conflicts_with = "dealership")]
    cancel: Option<i64>,
}

/// Enters, lists or takes back adjustments.
pub async fn adjust(office: &Office, args: &AdjustArgs, output: &Output) -> Result<u8, Failure> {
    let by = args.by.as_ref().unwrap_or(&office.actor);
    if let Some(id) = args.cancel {
        return take_back(office, id, by, output).await;
    }
    let (Some(dealership_id), Some(month), Some(amount), Some(description)) =
        (&args.dealership, args.month, args.amount, &args.description)
    else {
        return list(office, output).await;
    };
    if amount == Money::ZERO {
        return Err(Failure::wrong(
            "an amount of zero adjusts nothing: give a credit below zero or a charge above it",
        ));
    }
    let dealerships = office.ledger.dealerships().await?;
    if !dealerships.iter().any(|dealership| dealership.id == *dealership_id) {
        let message = format!(
            "'{dealership_id}' is not in the register: `fecha export` lists all dealerships"
        );
        return Err(Failure::wrong(message));
    }
    let new = NewAdjustment { dealership_id, month, amount, description, by };
    let detail = format!("{amount}: {description}");
    let entry = audit::Deed {
        at: office.clock.now(),
        actor: by,
        action: "adjust",
        month: Some(month),
        dealership_id: Some(dealership_id),
        detail: &detail,
    };
    let id = office.ledger.add_adjustment(&new, &entry).await?;
    output.result(&json!({"id": id}), || {
        format!(
            "adjustment {id}: {} for '{}', on its next invoice from {month} on, or on a rerun of {month}; `fecha adjust --cancel {id}` takes it back",
            amount.brl(),
            plain(dealership_id)
        )
    });
    Ok(0)
}

async fn take_back(office: &Office, id: i64, by: &str, output: &Output) -> Result<u8, Failure> {
    let adjustments = office.ledger.adjustments().await?;
    let Some(adjustment) = adjustments.into_iter().find(|adjustment| adjustment.id == id) else {
        return Err(Failure::wrong(format!(
            "there is no adjustment {id}: `fecha adjust` lists all"
        )));
    };
    let detail = format!("adjustment {id} taken back: {}", adjustment.amount);
    let entry = audit::Deed {
        at: office.clock.now(),
        actor: by,
        action: "adjust",
        month: Some(adjustment.month),
        dealership_id: Some(&adjustment.dealership_id),
        detail: &detail,
    };
    if !office.ledger.cancel_adjustment(id, &entry).await? {
        return Err(Failure::wrong(format!(
            "adjustment {id} is {}: enter one of the opposite amount instead",
            state(&adjustment)
        )));
    }
    output
        .result(&json!({"id": id, "cancelled": true}), || format!("adjustment {id} is taken back"));
    Ok(0)
}

async fn list(office: &Office, output: &Output) -> Result<u8, Failure> {
    let adjustments = office.ledger.adjustments().await?;
    output.result(&adjustments, || {
        if adjustments.is_empty() {
            return "no adjustments".to_owned();
        }
        let row = |adjustment: &Adjustment| {
            vec![
                adjustment.id.to_string(),
                adjustment.dealership_id.clone(),
                adjustment.month.to_string(),
                adjustment.amount.brl(),
                adjustment.description.clone(),
                adjustment.entered_by.clone(),
                state(adjustment),
            ]
        };
        let header = ["id", "dealership", "from", "amount", "description", "by", "state"];
        table(&header, &[0, 3], adjustments.iter().map(row).collect())
    });
    Ok(0)
}

fn state(adjustment: &Adjustment) -> String {
    match adjustment {
        Adjustment { cancelled: true, .. } => "taken back".to_owned(),
        Adjustment { number: Some(number), .. } => format!("on {number}"),
        _ => "waiting".to_owned(),
    }
}

/// Arguments of `fecha cancel`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The number stays, void; the dealership gets a document of cancellation, finance a copy. Its month is open
again, under a new number, for a close that names it:

  fecha cancel 2026-000017 --reason \"faturada em duplicidade\"
  fecha close --month 2026-10 --dealership d17")]
pub struct CancelArgs {
    /// The invoice number, YYYY-NNNNNN
    number: Number,
    /// Why: printed on the document and kept in the audit log
    #[arg(long, value_name = "TEXT", value_parser = text)]
    reason: String,
    /// Who asks for it [default: the login name]
    #[arg(long, value_name = "NAME", value_parser = text)]
    by: Option<String>,
}

/// Voids an invoice.
pub async fn cancel(office: &Office, args: &CancelArgs, output: &Output) -> Result<u8, Failure> {
    let by = args.by.as_ref().unwrap_or(&office.actor);
    let now = office.clock.now();
    let cancelled = cancel_invoice(office, args.number, &args.reason, by, now).await;
    let invoice = cancelled.map_err(|error| match error {
        CancelError::Ledger(error) => error.into(),
        error => Failure::wrong(error),
    })?;
    let id = &invoice.dealership_id;
    let json = json!({
        "number": invoice.number,
        "revision": invoice.revision,
        "dealership_id": id,
        "month": invoice.month,
        "state": "cancelled",
    });
    output.result(&json, || {
        format!(
            "{} is cancelled; the email about it is queued: `fecha deliver` sends it\n\
             to bill {month} of '{}' again: fecha close --month {month} --dealership {id}",
            invoice.label(),
            plain(id),
            month = invoice.month,
        )
    });
    Ok(0)
}

/// Arguments of `fecha pay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Recording the same payment (number, day, amount) twice changes nothing, so a bank's file may be read again.

Examples:
  fecha pay 2026-000017 --on 2026-11-10
  fecha pay 2026-000017 --on 2026-11-10 --amount 500.00
  fecha pay --csv payments.csv       header number,on,amount; an empty amount pays all that is open")]
pub struct PayArgs {
    /// The invoice number, YYYY-NNNNNN
    #[arg(required_unless_present = "csv", requires = "on")]
    number: Option<Number>,
    /// The day it was paid, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
    /// In reais, with a point [default: all that is open]
    #[arg(long, value_name = "A")]
    amount: Option<Money>,
    /// Many payments: number,on,amount
    #[arg(long, value_name = "FILE", conflicts_with_all = ["number", "on", "amount"])]
    csv: Option<PathBuf>,
}

/// One payment to be recorded, and where it was read.
struct Payment {
    place: String,
    number: Number,
    on: NaiveDate,
    amount: Option<Money>,
}

/// Records payments: all of them or, where one is wrong, none.
pub async fn pay(office: &Office, args: &PayArgs, output: &Output) -> Result<u8, Failure> {
    let payments = match (&args.csv, args.number, args.on) {
        (Some(path), ..) => read(path)?,
        (None, Some(number), Some(on)) => {
            vec![Payment { place: String::new(), number, on, amount: args.amount }]
        }
        _ => return Err(Failure::wrong("name an invoice and the day: fecha pay NUMBER --on DATE")),
    };
    let mut books = Books::open(office).await?;
    let mut planned = Vec::new();
    let mut bad = Vec::new();
    for payment in &payments {
        match books.plan(payment.number, payment.on, payment.amount) {
            Ok(amount) => planned.extend(amount.map(|amount| (payment, amount))),
            Err(error) => bad.push(format!("{}{error}", payment.place)),
        }
    }
    if !bad.is_empty() {
        return Err(Failure::wrong(format!("{}\nnothing was recorded", bad.join("\n"))));
    }
    let mut recorded = 0;
    for (payment, amount) in &planned {
        let detail = format!("{} {amount} on {}", payment.number, payment.on);
        let entry = audit::Deed {
            at: office.clock.now(),
            actor: &office.actor,
            action: "pay",
            month: books.month_of(payment.number),
            dealership_id: books.dealership_of(payment.number),
            detail: &detail,
        };
        let new = office.ledger.record_payment(payment.number, payment.on, *amount, &entry).await?;
        recorded += usize::from(new);
    }
    let known = payments.len() - recorded;
    output.result(&json!({"recorded": recorded, "already_recorded": known}), || {
        format!("{recorded} recorded, {known} already recorded")
    });
    Ok(0)
}

fn read(path: &std::path::Path) -> Result<Vec<Payment>, Failure> {
    let file = path.display();
    let unreadable = |error: csv::Error| Failure::wrong(format!("{file}: {error}"));
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(unreadable)?;
    let header = reader.headers().map_err(unreadable)?.iter().collect::<Vec<_>>().join(",");
    if header != "number,on,amount" {
        return Err(Failure::wrong(format!("{file} line 1: the header is number,on,amount")));
    }
    let (mut payments, mut bad) = (Vec::new(), Vec::new());
    for (record, line) in reader.records().zip(2..) {
        let place = format!("{file} line {line}: ");
        match record.map_err(|error| error.to_string()).and_then(|record| parse(&record)) {
            Ok((number, on, amount)) => payments.push(Payment { place, number, on, amount }),
            Err(error) => bad.push(format!("{place}{error}")),
        }
    }
    if bad.is_empty() {
        return Ok(payments);
    }
    Err(Failure::wrong(format!("{}\nnothing was recorded", bad.join("\n"))))
}

fn parse(record: &csv::StringRecord) -> Result<(Number, NaiveDate, Option<Money>), String> {
    let field = |index| record.get(index).unwrap_or_default();
    let number = field(0)
        .parse()
        .map_err(|error: fecha_core::bill::invoice::InvalidNumber| error.to_string())?;
    let on = field(1)
        .parse()
        .map_err(|_| format!("'{}' is no day: write it as YYYY-MM-DD", field(1)))?;
    let amount = match field(2) {
        "" => None,
        text => Some(
            text.parse()
                .map_err(|error: fecha_core::price::money::InvalidMoney| error.to_string())?,
        ),
    };
    Ok((number, on, amount))
}
