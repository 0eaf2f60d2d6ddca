//! `fecha adjust` and `fecha cancel`

use serde_json::json;

use super::output::{Failure, Output, plain};
use super::page::{figure, name, text as sentence, word};
use super::rerun::text;
use crate::actions::adjust::{self, Asked, NoteJson};
use crate::actions::cancel::cancel_invoice;
use crate::ledger::notes::NewNote;
use crate::setup::office::Office;

use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// Arguments of `fecha adjust`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A credit (below zero) or a charge goes on the first invoice of the dealership,
for the month or a later one, that is not issued yet, or on a rerun of the
month. A total never goes below zero: what is left of a credit moves on to the
next month.

Examples:
  fecha adjust --dealership d17 --month 2026-10 --amount -120.00 \\
      --description \"Desconto combinado\"
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
    /// Who asks for it [default: the login name, unless that is root]
    #[arg(long, value_name = "NAME", value_parser = text)]
    by: Option<String>,
    /// Take back the adjustment with this id
    #[arg(long, value_name = "N", conflicts_with = "dealership")]
    cancel: Option<i64>,
}

/// Enters, lists or takes back adjustments.
pub async fn adjust(office: &Office, args: &AdjustArgs, output: &Output) -> Result<u8, Failure> {
    if let Some(id) = args.cancel {
        return take_back(office, id, &office.named(args.by.as_deref())?, output).await;
    }
    let (Some(dealership_id), Some(month), Some(amount), Some(description)) =
        (&args.dealership, args.month, args.amount, &args.description)
    else {
        return list(office, output).await;
    };
    let by = &office.named(args.by.as_deref())?;
    let new = NewNote { dealership_id, month, amount, description, by };
    let id = adjust::enter(office, &new, Asked::Nobody).await?;
    output.result(&json!({"id": id}), |_| {
        format!(
            "adjustment {id}: {} for '{}', on its next invoice from {month} on, or on a rerun of {month}; `fecha adjust --cancel {id}` takes it back",
            amount.brl(),
            plain(dealership_id)
        )
    });
    Ok(0)
}

async fn take_back(office: &Office, id: i64, by: &str, output: &Output) -> Result<u8, Failure> {
    let amount = adjust::take_back(office, id, by).await?;
    let json = json!({"id": id, "cancelled": true, "amount": amount});
    output.result(&json, |_| format!("adjustment {id} is taken back: {}", amount.brl()));
    Ok(0)
}

async fn list(office: &Office, output: &Output) -> Result<u8, Failure> {
    let adjustments = adjust::list(office).await?;
    output.result(&adjustments, |page| {
        if adjustments.is_empty() {
            return "no adjustments".to_owned();
        }
        let row = |adjustment: &NoteJson| {
            vec![
                adjustment.id.to_string(),
                adjustment.dealership_id.clone(),
                adjustment.month.to_string(),
                adjustment.amount.brl(),
                adjustment.description.clone(),
                adjustment.entered_by.clone(),
                adjustment.state.to_string(),
            ]
        };
        let columns = [
            figure("id"),
            name("dealership"),
            word("from").spare(2),
            figure("amount"),
            sentence("description"),
            name("by").spare(1),
            sentence("state"),
        ];
        page.table(&columns, adjustments.iter().map(row).collect())
    });
    Ok(0)
}

/// Arguments of `fecha cancel`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The number stays, void; the dealership gets a document of cancellation,
finance a copy. Its month is open again, under a new number, for a close that
names it:

Examples:
  fecha cancel 2026-000017 --reason \"faturada em duplicidade\"
  fecha close --month 2026-10 --dealership d17")]
pub struct CancelArgs {
    /// The invoice number, YYYY-NNNNNN
    number: Number,
    /// Why: printed on the document and kept in the audit log
    #[arg(long, value_name = "TEXT", value_parser = text)]
    reason: String,
    /// Who asks for it [default: the login name, unless that is root]
    #[arg(long, value_name = "NAME", value_parser = text)]
    by: Option<String>,
}

/// Voids an invoice.
pub async fn cancel(office: &Office, args: &CancelArgs, output: &Output) -> Result<u8, Failure> {
    let by = &office.named(args.by.as_deref())?;
    let now = office.clock.now();
    let invoice = cancel_invoice(office, args.number, &args.reason, by, now).await?;
    let id = &invoice.dealership_id;
    let json = json!({
        "number": invoice.number,
        "revision": invoice.revision,
        "dealership_id": id,
        "month": invoice.month,
        "state": "cancelled",
    });
    output.result(&json, |_| {
        format!(
            "{} is cancelled; the email about it is queued: `fecha deliver` sends it\n\
             to bill {month} of '{}' again:\n  fecha close --month {month} --dealership {id}",
            invoice.label(),
            plain(id),
            month = invoice.month,
        )
    });
    Ok(0)
}
