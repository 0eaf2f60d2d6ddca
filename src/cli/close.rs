//! `fecha close`

use serde::Serialize;

use super::group_bills::{GroupBillJson, group_bills_in_words};
use super::output::{Failure, Output, plain, show_progress};
use super::page::{Page, figure, name};
use super::rerun::text;
use crate::actions::close::{CloseOptions, CloseReport, Release, WouldDiffer, close_month};
use crate::actions::invoices::ForeseenJson;
use crate::actions::status::SHOWN;
use crate::actions::words::{count, in_a_line};
use crate::setup::office::{self, Office};
use fecha_core::bill::difference::{Cause, Change};
use fecha_core::bill::exception::Exception;
use fecha_core::bill::invoice::Number;
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::count::status::{Meaning, StatusFound};
use fecha_core::count::tally::Buckets;
use fecha_core::price::money::{Money, grouped};

/// Arguments of `fecha close`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Closes what is not closed: run it as often as you like, nothing is billed
twice. Dealerships whose month has not ended in their time zone are left open.
The emails are queued; `fecha deliver` sends them.

Examples:
  fecha close --dry-run                      what closing last month would issue
  fecha close                                close last month
  fecha close --month 2026-10 --dealership d17
  fecha close --month 2026-10 --release      go on although the close is held
  fecha close --month 2026-10 --plan 3f9a…   the same, where it comes to what
                                             the dry run said")]
pub struct Args {
    /// The month, YYYY-MM [default: last month in the issuer's zone]
    #[arg(long, value_name = "M")]
    month: Option<Month>,
    /// Only this dealership; may be given several times
    #[arg(long = "dealership", value_name = "ID")]
    dealerships: Vec<String>,
    /// Count and price, but issue nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on although the close is held
    #[arg(long)]
    release: bool,
    /// Go on although the close is held, by the plan that a dry run or the held close named; where the
    /// month comes to another one now, nothing is issued
    #[arg(long, value_name = "HASH", conflicts_with = "release")]
    plan: Option<PlanHash>,
    /// Who releases it [default: the login name, unless that is root]
    #[arg(long, value_name = "NAME", value_parser = text)]
    by: Option<String>,
}

#[derive(Serialize)]
struct CloseJson<'a> {
    month: Month,
    issued: usize,
    already_issued: usize,
    held: &'a Option<String>,
    open: &'a [String],
    exceptions: &'a [Exception],
    messages: Messages,
    would_differ: Vec<WouldDifferJson<'a>>,
    statuses: &'a [StatusFound],
    total: Money,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    group_bills: Vec<GroupBillJson<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: &'a Option<PlanHash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoices: Option<Vec<ForeseenJson<'a>>>,
}

#[derive(Serialize)]
struct WouldDifferJson<'a> {
    number: Number,
    dealership_id: &'a str,
    uam: Changed<u64>,
    hsm: Changed<u64>,
    total: Changed<Option<Money>>,
    causes: Vec<Cause>,
}

#[derive(Serialize)]
struct Changed<T> {
    invoiced: T,
    now: T,
}

impl<T> From<Change<T>> for Changed<T> {
    fn from(change: Change<T>) -> Self {
        Self { invoiced: change.before, now: change.now }
    }
}

impl<'a> From<&'a WouldDiffer> for WouldDifferJson<'a> {
    fn from(differing: &'a WouldDiffer) -> Self {
        let WouldDiffer { number, dealership_id, difference } = differing;
        Self {
            number: *number,
            dealership_id,
            uam: difference.uam.into(),
            hsm: difference.hsm.into(),
            total: difference.total.into(),
            causes: difference.causes(),
        }
    }
}

#[derive(Serialize)]
struct Messages {
    total: u64,
    #[serde(flatten)]
    buckets: Buckets,
}

/// Closes a month.
pub async fn close(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    let source = office::source(&office.config)?;
    let release = match (&args.plan, args.release) {
        (Some(plan), _) => Release::Plan(plan.clone()),
        (None, true) => Release::Whatever,
        (None, false) => Release::None,
    };
    let actor = if args.by.is_some() || release != Release::None && !args.dry_run {
        office.named(args.by.as_deref())?
    } else {
        office.actor.clone()
    };
    let released_by = office.on_behalf(&actor, office.ledger.clone());
    let options = CloseOptions {
        reason: None,
        month: args.month,
        dealerships: args.dealerships.clone(),
        dry_run: args.dry_run,
        release,
        awaits_approval: false,
    };
    let bar = output.bar();
    let watcher = bar.clone();
    let watch = move |progress| show_progress(&watcher, progress);
    let result = close_month(&released_by, &source, &options, office.clock.now(), watch).await;
    bar.finish_and_clear();
    let report = result?;
    print(&report, output);
    Ok(u8::from(report.needs_a_person()))
}

/// Prints the report of a close.
pub fn print(report: &CloseReport, output: &Output) {
    let json = CloseJson {
        month: report.month,
        issued: report.issued.len(),
        already_issued: report.already_issued,
        held: &report.held,
        open: &report.open,
        exceptions: &report.exceptions,
        messages: Messages { total: report.messages.total(), buckets: report.messages },
        would_differ: report.would_differ.iter().map(WouldDifferJson::from).collect(),
        statuses: &report.statuses,
        total: report.total(),
        dry_run: report.dry_run,
        plan: &report.plan,
        group_bills: report.group_bills.iter().map(GroupBillJson::of).collect(),
        invoices: report.dry_run.then(|| report.foreseen.iter().map(ForeseenJson::of).collect()),
    };
    output.result(&json, |page| in_words(page, report));
}

/// The report for people.
pub fn in_words(page: Page, report: &CloseReport) -> String {
    let mut text = String::new();
    if report.dry_run && !report.issued.is_empty() {
        text += &bills(page, report);
        text += "\n\n";
    }
    let verb = if report.dry_run { "would be issued" } else { "issued" };
    text += &format!(
        "{}: {} {verb}, {}; {} already issued\n",
        report.month,
        count(report.issued.len(), "invoice"),
        report.total().brl(),
        report.already_issued
    );
    text += &buckets(&report.messages);
    text += &statuses(&report.statuses);
    if let Some(why) = report.held.as_ref().filter(|_| report.is_another_plan) {
        text += &format!(
            "\nNOTHING ISSUED: {why}.\nMessages, credits, prices, the register or the dealerships that are named are others than then. Look at it:\n  {} --dry-run\n",
            by_name(report)
        );
    } else if let Some(why) = &report.held {
        text += &format!(
            "\nHELD: {why}.\nNothing {}issued. Fix the message database and close again, or issue this and nothing else:\n  {}\n",
            if report.dry_run { "would be " } else { "was " },
            by_plan(report)
        );
    }
    if !report.open.is_empty() {
        text += &format!("\nstill open, their month has not ended: {}\n", ids(&report.open));
    }
    text += &group_bills_in_words(&report.group_bills);
    text += &exceptions_in_words(&report.exceptions);
    text += &would_differ(report);
    if report.dry_run {
        text += "\nDry run: nothing was issued.\n";
        if report.held.is_none() && !report.issued.is_empty() {
            text += &format!("To issue this and nothing else:\n  {}\n", by_plan(report));
        }
    } else if !report.issued.is_empty() {
        text += "\nThe emails are queued: `fecha deliver` sends them.\n";
    }
    text
}

/// The command that issues what the report says, or nothing.
fn by_plan(report: &CloseReport) -> String {
    let plan = report.plan.as_ref().map_or_else(String::new, |plan| format!(" --plan {plan}"));
    format!("{}{plan}", by_name(report))
}

/// The close of the same month and dealerships.
fn by_name(report: &CloseReport) -> String {
    let named = report.named.iter().flatten().map(|id| format!(" --dealership {}", shell_word(id)));
    let named: String = named.collect();
    format!("fecha close --month {}{named}", report.month)
}

/// An id, a path or a URL as a shell takes it for one word.
pub fn shell_word(id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    if !id.is_empty() && id.chars().all(is_plain) {
        id.to_owned()
    } else {
        format!("'{}'", plain(id).replace('\'', "'\\''"))
    }
}

/// What needs a person, the first ones in words; empty where nothing does.
pub fn exceptions_in_words(exceptions: &[Exception]) -> String {
    if exceptions.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{} for a person:\n", count(exceptions.len(), "exception"));
    for exception in exceptions.iter().take(SHOWN) {
        text += &format!("  {}\n", in_a_line(exception));
    }
    if let Some(more) = exceptions.len().checked_sub(SHOWN + 1) {
        text += &format!("  … and {} more: --json names all\n", grouped(more as u64 + 1));
    }
    text
}

fn bills(page: Page, report: &CloseReport) -> String {
    let row = |charged: &crate::actions::close::Charged| {
        vec![
            charged.dealership_id.clone(),
            grouped(charged.package),
            grouped(charged.uam),
            grouped(charged.hsm),
            charged.total.brl(),
        ]
    };
    let columns = [
        name("dealership"),
        figure("package").spare(1),
        figure("UAM").spare(2),
        figure("HSM").spare(3),
        figure("total"),
    ];
    page.table(&columns, report.issued.iter().map(row).collect())
}

fn buckets(messages: &Buckets) -> String {
    let named = [
        ("counted", messages.counted),
        ("duplicate", messages.duplicate),
        ("ignored status", messages.ignored_status),
        ("of groups", messages.group),
        ("not a contact", messages.not_a_contact),
        ("malformed", messages.malformed),
        ("no contract", messages.no_contract),
        ("unknown dealership", messages.unknown_dealership),
    ];
    let parts: Vec<String> = named
        .iter()
        .filter(|(name, number)| *number > 0 || *name == "counted")
        .map(|(name, number)| format!("{} {name}", grouped(*number)))
        .collect();
    format!("messages: {} = {}\n", grouped(messages.total()), parts.join(" + "))
}

/// `statuses: read 9.000, none 12, failed 6 (not billed)`.
fn statuses(found: &[StatusFound]) -> String {
    if found.is_empty() {
        return String::new();
    }
    let word = |found: &StatusFound| {
        let status = found.status.as_deref().map_or_else(
            || "none".to_owned(),
            |status| {
                // Blanks at its ends make it another one than it looks.
                if status.trim() == status { plain(status) } else { format!("'{}'", plain(status)) }
            },
        );
        let treated = match found.meaning {
            Meaning::Counts => "",
            Meaning::Ignored => " (not billed)",
            Meaning::Unknown => " (billed, though on no list)",
        };
        format!("{status} {}{treated}", grouped(found.messages))
    };
    let mut by_number: Vec<&StatusFound> = found.iter().collect();
    by_number.sort_by_key(|found| std::cmp::Reverse(found.messages));
    let more = by_number.len().saturating_sub(SHOWN);
    by_number.truncate(SHOWN);
    let words: Vec<String> = by_number.into_iter().map(word).collect();
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("statuses: {}{more}\n", words.join(", "))
}

/// Issued invoices that a close does not change, and what does.
fn would_differ(report: &CloseReport) -> String {
    if report.would_differ.is_empty() {
        return String::new();
    }
    let month = report.month;
    let mut text = format!(
        "\n{} would be different today; a close does not change them:\n",
        count(report.would_differ.len(), "issued invoice")
    );
    for WouldDiffer { number, dealership_id, difference } in report.would_differ.iter().take(SHOWN)
    {
        let causes: Vec<&str> = difference.causes().iter().map(|cause| cause.key()).collect();
        let total = |total: Option<Money>| total.map_or_else(|| "no price".to_owned(), Money::brl);
        let Change { before, now } = difference.total;
        text += &format!(
            "  {number} '{}': {} → {} ({})\n",
            plain(dealership_id),
            total(before),
            total(now),
            causes.join(", ")
        );
    }
    if let Some(more) = report.would_differ.len().checked_sub(SHOWN + 1) {
        text += &format!("  … and {} more: --json names all\n", grouped(more as u64 + 1));
    }
    text + &format!(
        "look at them with\n  fecha rerun --month {month} --all --reason TEXT --dry-run\nand without --dry-run those that are right get a revision\n"
    )
}

fn ids(ids: &[String]) -> String {
    ids.iter().map(|id| format!("'{}'", plain(id))).collect::<Vec<_>>().join(", ")
}
