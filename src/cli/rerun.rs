//! `fecha rerun`

use serde_json::{Value, json};

use super::difference::{in_words as difference_in_words, pair, signed};
use super::group_bills::{GroupBillJson, group_bills_in_words};
use super::output::{Failure, Output, plain, show_progress};
use super::page::Page;
use crate::actions::invoices::ForeseenJson;
use crate::actions::rerun::{Accepted, Refused, RerunOptions, RerunReport, Revised, rerun_month};
use crate::setup::office::{self, Office};
use fecha_core::bill::difference::{Cause, Difference};
use fecha_core::bill::invoice::label;
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// Arguments of `fecha rerun`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "\
fecha rerun [OPTIONS] --month <M> --reason <TEXT>
                   <--dealership <ID>|--all>")]
#[command(after_help = "\
Counts the month again with today's messages, contracts, prices and register.
Where an invoice would be the same, nothing is issued; where not, a new
revision of it replaces the one before. Only messages that came late go by
themselves; loss, contract, price, category, rules and register must be
accepted by name.

Examples:
  fecha rerun --month 2026-10 --all --reason \"late messages\" --dry-run
  fecha rerun --month 2026-10 --all --reason \"late messages\"
  fecha rerun --month 2026-10 --all --reason \"late messages\" --plan 3f9a…
  fecha rerun --month 2026-10 --dealership d17 --reason \"wrong package\" \\
      --accept contract")]
pub struct Args {
    /// The month, YYYY-MM
    #[arg(long, value_name = "M")]
    month: Month,
    #[command(flatten)]
    whom: Whom,
    /// Why: printed on the new invoice and kept in the audit log
    #[arg(long, value_name = "TEXT", value_parser = text)]
    reason: String,
    /// Who asks for it [default: the login name, unless that is root]
    #[arg(long, value_name = "NAME", value_parser = text)]
    by: Option<String>,
    /// Show the difference, line by line, but issue nothing
    #[arg(long)]
    dry_run: bool,
    /// Causes to accept beside late: loss, contract, price, category, rules, register
    #[arg(long, value_name = "CAUSE", value_delimiter = ',')]
    accept: Vec<Cause>,
    /// Issue only where it comes to the plan that a dry run named
    #[arg(long, value_name = "HASH")]
    plan: Option<PlanHash>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// Only this dealership; may be given several times
    #[arg(long = "dealership", value_name = "ID")]
    dealerships: Vec<String>,
    /// Every dealership that is invoiced
    #[arg(long)]
    all: bool,
}

/// A text that says something, on one line.
pub fn text(text: &str) -> Result<String, String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text) }
}

/// Counts again and issues revisions.
pub async fn rerun(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    let source = office::source(&office.config)?;
    let options = RerunOptions {
        month: args.month,
        dealerships: (!args.whom.all).then(|| args.whom.dealerships.clone()),
        reason: args.reason.clone(),
        by: if args.dry_run { office.actor.clone() } else { office.named(args.by.as_deref())? },
        dry_run: args.dry_run,
        accept: Accepted::everywhere(args.accept.iter().copied()),
        plan: args.plan.clone(),
    };
    let bar = output.bar();
    let watcher = bar.clone();
    let watch = move |progress| show_progress(&watcher, progress);
    let now = office.clock.now();
    let result = rerun_month(office, &source, &options, now, watch).await;
    bar.finish_and_clear();
    let report = result?;
    output.result(&document(&report), |page| in_words(page, &report));
    Ok(u8::from(!report.refused.is_empty() || report.is_another_plan))
}

const ANOTHER_PLAN: &str = "the month comes to another plan than the one that was asked for";

fn document(report: &RerunReport) -> Value {
    let revised = |revised: &Revised| {
        json!({
            "number": revised.number,
            "revision": revised.revision,
            "dealership_id": revised.dealership_id,
            "total": pair(revised.difference.total, ["before", "after"]),
            "causes": revised.difference.causes(),
        })
    };
    let refused = |refused: &Refused| {
        json!({
            "number": refused.number,
            "dealership_id": refused.dealership_id,
            "causes": refused.difference.as_ref().map(Difference::causes).unwrap_or_default(),
            "accept": refused.accept,
            "reason": refused.reason,
        })
    };
    let mut document = json!({
        "month": report.month,
        "unchanged": report.unchanged,
        "revised": report.revised.iter().map(revised).collect::<Vec<_>>(),
        "refused": report.refused.iter().map(refused).collect::<Vec<_>>(),
    });
    if !report.group_bills.is_empty() {
        let bills: Vec<_> = report.group_bills.iter().map(GroupBillJson::of).collect();
        document["group_bills"] = json!(bills);
    }
    if report.dry_run {
        document["dry_run"] = json!(true);
        let foreseen: Vec<_> = report.foreseen.iter().map(ForeseenJson::of).collect();
        document["invoices"] = json!(foreseen);
    }
    if report.is_another_plan {
        document["held"] = json!(ANOTHER_PLAN);
    }
    if report.dry_run || report.is_another_plan {
        document["plan"] = json!(report.plan);
    }
    document
}

fn in_words(page: Page, report: &RerunReport) -> String {
    let mut text = String::new();
    for revised in &report.revised {
        let causes: Vec<&str> = revised.difference.causes().iter().map(|c| c.key()).collect();
        let label = label(revised.number, revised.revision);
        let id = plain(&revised.dealership_id);
        text += &format!("{label} '{id}': {}\n", causes.join(", "));
        text += &difference_in_words(page, &revised.difference);
        text.push('\n');
    }
    for refused in &report.refused {
        let number = refused.number.map(|number| format!("{number} ")).unwrap_or_default();
        let id = plain(&refused.dealership_id);
        text += &format!("REFUSED {number}'{id}': {}\n", plain(&refused.reason));
        if let Some(difference) = &refused.difference {
            text += &difference_in_words(page, difference);
        }
        text.push('\n');
    }
    let change: Money = report
        .revised
        .iter()
        .filter_map(|revised| {
            let total = revised.difference.total;
            Some(total.now? - total.before?)
        })
        .sum();
    text += &format!(
        "{}: {} unchanged, {} {} ({}), {} refused\n",
        report.month,
        report.unchanged,
        report.revised.len(),
        if report.dry_run { "would be revised" } else { "revised" },
        signed(change),
        report.refused.len()
    );
    text += &group_bills_in_words(&report.group_bills);
    if report.is_another_plan {
        text += &format!(
            "NOTHING ISSUED: {ANOTHER_PLAN}. Look at it with --dry-run; it is\n  {} now.\n",
            report.plan
        );
    } else if report.dry_run {
        text += &format!(
            "Dry run: nothing was issued. With --plan {} in place of --dry-run this is issued and nothing else.\n",
            report.plan
        );
    } else if report.revised.is_empty() {
        text += "Nothing was issued.\n";
    } else {
        text += &format!(
            "{} queued: `fecha deliver` sends them.\n",
            if report.revised.len() == 1 { "Its emails are" } else { "Their emails are" }
        );
    }
    text
}
