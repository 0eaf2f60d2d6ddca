//! `fecha verify`

use serde_json::{Value, json};

use super::difference::{details, in_words as difference_in_words, pair};
use super::output::{Failure, Output, plain, show_progress};
use super::page::Page;
use crate::actions::close::Progress;
use crate::actions::verify::{Differing, Verified, verify_month};
use crate::actions::words::count;
use crate::setup::office::{self, Office};
use fecha_core::calendar::month::Month;

/// Arguments of `fecha verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Counts the month again with today's messages, contracts, prices and register,
and compares it with every invoice that stands, contact by contact. Also
checks the ledger itself: numbers without gap, documents and evidence as
issued, sums, emails. Changes nothing. Exit status 1 where anything differs.

Example:
  fecha verify --month 2026-10")]
pub struct Args {
    /// The month, YYYY-MM
    #[arg(long, value_name = "M")]
    month: Month,
}

/// Verifies a month.
pub async fn verify(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    let source = office::source(&office.config)?;
    let bar = output.bar();
    let watcher = bar.clone();
    let watch = move |rows| show_progress(&watcher, Progress::Counting(rows));
    let now = office.clock.now();
    let result = verify_month(office, &source, args.month, now, watch).await;
    bar.finish_and_clear();
    let verified = result?;
    output.result(&document(&verified), |page| in_words(page, &verified));
    Ok(u8::from(verified.needs_a_person()))
}

fn document(verified: &Verified) -> Value {
    let names = ["invoiced", "now"];
    let differing = |differing: &Differing| {
        let difference = &differing.difference;
        let mut document = json!({
            "number": differing.number,
            "dealership_id": differing.dealership_id,
            "uam": pair(difference.uam, names),
            "hsm": pair(difference.hsm, names),
            "total": pair(difference.total, names),
        });
        if let (Value::Object(document), Value::Object(details)) =
            (&mut document, details(difference))
        {
            document.extend(details);
        }
        document
    };
    let purged = |purged: &crate::actions::verify::Purged| {
        let mut document = json!({"number": purged.number, "dealership_id": purged.dealership_id});
        if let Some(left_from) = purged.left_from {
            document["left_from"] = json!(left_from);
        }
        document
    };
    let problem = |problem: &crate::actions::verify::Problem| json!({"number": problem.number, "what": problem.what});
    json!({
        "month": verified.month,
        "agrees": verified.agrees,
        "differs": verified.differs.iter().map(differing).collect::<Vec<_>>(),
        "purged": verified.purged.iter().map(purged).collect::<Vec<_>>(),
        "problems": verified.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}

fn in_words(page: Page, verified: &Verified) -> String {
    let month = verified.month;
    let compared = verified.agrees + verified.differs.len();
    let mut text = match compared + verified.purged.len() {
        0 => format!("{month}: no invoice stands: `fecha close --month {month}` issues them\n"),
        _ => format!(
            "{month}: {} of {} would be the same today\n",
            verified.agrees,
            count(compared + verified.purged.len(), "invoice")
        ),
    };
    for differing in &verified.differs {
        let causes: Vec<&str> = differing.difference.causes().iter().map(|c| c.key()).collect();
        let id = plain(&differing.dealership_id);
        text += &format!("\n{} '{id}': {}\n", differing.number, causes.join(", "));
        text += &difference_in_words(page, &differing.difference);
        if let Some(unpriced) = &differing.unpriced {
            text += &format!("  no price today: {unpriced}\n");
        }
    }
    if !verified.differs.is_empty() {
        text += &format!(
            "\nTo correct them, look first:\n  fecha rerun --month {month} --all --reason TEXT --dry-run\n"
        );
    }
    if !verified.purged.is_empty() {
        text += &format!(
            "\n{} cannot be compared: their messages are not in the message database any more (deleted by retention?).\nThe invoices and their evidence stay as issued.\n",
            count(verified.purged.len(), "invoice")
        );
    }
    let left_from = verified.purged.iter().filter_map(|purged| purged.left_from).min();
    if let Some(left_from) = left_from {
        let partly = verified.purged.iter().filter(|purged| purged.left_from.is_some()).count();
        text += &format!(
            "For {partly} of them only messages before {} are missing.\n",
            left_from.format("%Y-%m-%d %H:%M UTC")
        );
    }
    if verified.problems.is_empty() {
        text += "\nThe ledger is whole: numbers, documents, evidence, sums and emails.\n";
    } else {
        text += &format!("\n{} with the ledger:\n", count(verified.problems.len(), "problem"));
        for problem in &verified.problems {
            text += &format!("  {}\n", plain(&problem.what));
        }
    }
    text
}
