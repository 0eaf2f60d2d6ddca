use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{counted, counted_or_none};
use crate::letters::compose::{archive_file, workbook_file};
use crate::letters::report::buckets_pt;
use crate::letters::report::id_pt;
use crate::letters::report::reason_pt;
use fecha_core::account::receivables::Balance;
use fecha_core::bill::digest::Digest;
use fecha_core::bill::digest::DigestRow;
use fecha_core::bill::digest::FailedDelivery;
use fecha_core::bill::digest::Zone;
use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::count::status::{Meaning, StatusFound};
use fecha_core::letter::Part;
use fecha_core::letter::text::{one_line, shortened};
use fecha_core::price::item::Amounts;
use fecha_core::price::money::{Money, grouped};

/// An email lists this many of each; the workbook has them all.
const LISTED: usize = 25;
/// Of the changes against the month before, these many.
const CHANGES: usize = 10;
/// Longest name, id, reason or detail, in characters.
const LENGTH: usize = 160;

/// What one email to finance says.
#[derive(Debug, Serialize)]
pub struct DigestView {
    month: String,
    supplement: u32,
    part: usize,
    of: usize,
    /// `1.498 faturas`.
    invoices: String,
    total: String,
    exceptions: String,
    sums: Vec<SumView>,
    /// Of all months; `None` in a report of a fecha that did not know it.
    receivables: Option<ReceivablesView>,
    attention: Vec<ReasonView>,
    revised: Vec<RevisedView>,
    revised_more: String,
    changes: Vec<ChangeView>,
    failed: Vec<FailedView>,
    failed_more: String,
    buckets: Vec<(&'static str, String)>,
    messages: String,
    zones: Vec<ZoneView>,
    statuses: Vec<StatusView>,
    statuses_more: String,
    not_contacts: Vec<(String, String)>,
    not_contacts_more: String,
    workbook: String,
    /// `None` where this email carries no invoices.
    archive: Option<ArchiveView>,
    made_at: String,
    /// How many days after its end the month was closed, where that is late: fecha was away, or held.
    late: Option<i64>,
    issuer: String,
}

#[derive(Debug, Serialize)]
struct SumView {
    name: &'static str,
    count: String,
    amount: String,
}

#[derive(Debug, Serialize)]
struct ReceivablesView {
    open: String,
    overdue: String,
    waiting: String,
}

/// All exceptions of one reason.
#[derive(Debug, Serialize)]
struct ReasonView {
    name: &'static str,
    advice: &'static str,
    items: Vec<ItemView>,
    more: String,
}

#[derive(Debug, Serialize)]
struct ItemView {
    id: String,
    messages: String,
    detail: Option<String>,
}

#[derive(Debug, Serialize)]
struct RevisedView {
    label: String,
    dealership: String,
    before: String,
    after: String,
    difference: String,
    reason: String,
    by: String,
}

/// A large difference from the month before.
#[derive(Debug, Serialize)]
struct ChangeView {
    label: String,
    dealership: String,
    before: String,
    after: String,
    difference: String,
}

/// An email that no server took.
#[derive(Debug, Serialize)]
struct FailedView {
    label: String,
    recipient: String,
    error: String,
}

#[derive(Debug, Serialize)]
struct ZoneView {
    names: String,
    period: String,
    buckets: Vec<(&'static str, String)>,
    elsewhere: String,
    rows: String,
    agrees: bool,
}

/// A delivery status, and what was made of its messages.
#[derive(Debug, Serialize)]
struct StatusView {
    name: String,
    messages: String,
    treated: &'static str,
}

#[derive(Debug, Serialize)]
struct ArchiveView {
    file: String,
    invoices: String,
    /// `2026-000001 a 2026-000007`.
    span: String,
}

impl DigestView {
    pub fn of(digest: &Digest, part: &Part) -> Self {
        let revised: Vec<RevisedView> =
            digest.invoices.iter().filter_map(RevisedView::of).collect();
        let all_revised = !revised.is_empty() && revised.len() == digest.invoices.len();
        let (one, many) = if all_revised {
            ("fatura revisada", "faturas revisadas")
        } else {
            ("fatura", "faturas")
        };
        let (revised, revised_more) = listed(revised);
        let failed = digest.failed_deliveries.iter().map(FailedView::of);
        let (failed, failed_more) = listed(failed.collect());
        let not_contacts = digest.not_contacts.iter().map(|(id, messages)| {
            (short(id_pt(Some(id))), counted(*messages, "mensagem", "mensagens"))
        });
        let (not_contacts, not_contacts_more) = listed(not_contacts.collect());
        let (statuses, statuses_more) = listed(statuses(&digest.statuses));
        Self {
            month: digest.month.in_words(),
            supplement: digest.supplement(),
            part: part.number,
            of: part.of,
            invoices: counted_or_none(digest.invoices.len(), "nenhuma fatura", one, many),
            total: digest.total().brl(),
            exceptions: counted_or_none(
                digest.exceptions.len(),
                "nenhuma exceção",
                "exceção",
                "exceções",
            ),
            sums: sums(digest),
            receivables: digest.receivables.map(ReceivablesView::of),
            attention: attention(&digest.exceptions),
            revised,
            revised_more,
            changes: digest.largest_changes(CHANGES).into_iter().map(ChangeView::of).collect(),
            failed,
            failed_more,
            buckets: buckets_pt(&digest.messages).map(|(name, n)| (name, grouped(n))).into(),
            messages: grouped(digest.messages.total()),
            zones: digest.zones.iter().map(ZoneView::of).collect(),
            statuses,
            statuses_more,
            not_contacts,
            not_contacts_more,
            workbook: workbook_file(digest),
            archive: ArchiveView::of(digest, part),
            made_at: minute(digest.made_at),
            late: days_late(digest),
            issuer: one_line(&digest.issuer),
        }
    }
}

/// Whole days from the month's last end to the first report on it, from two on.
fn days_late(digest: &Digest) -> Option<i64> {
    let end = digest.zones.iter().map(|zone| zone.window.period.end).max()?;
    let days = (digest.made_at - end).num_days();
    (digest.supplement() == 0 && days >= 2).then_some(days)
}

impl ReceivablesView {
    fn of(balance: Balance) -> Self {
        let Balance { open, overdue, waiting } = balance;
        Self { open: open.brl(), overdue: overdue.brl(), waiting: waiting.brl() }
    }
}

impl RevisedView {
    fn of(entry: &DigestRow) -> Option<Self> {
        let before = entry.replaces.as_ref()?;
        let difference = entry.total - before.total;
        Some(Self {
            label: entry.label(),
            dealership: short(&entry.dealership_name),
            before: before.total.brl(),
            after: entry.total.brl(),
            difference: signed(difference),
            reason: short(&before.reason),
            by: short(&before.by),
        })
    }
}

impl ChangeView {
    fn of((entry, by): (&DigestRow, Money)) -> Self {
        Self {
            label: entry.label(),
            dealership: short(&entry.dealership_name),
            before: (entry.total - by).brl(),
            after: entry.total.brl(),
            difference: signed(by),
        }
    }
}

impl FailedView {
    fn of(failed: &FailedDelivery) -> Self {
        Self {
            label: failed.label.clone(),
            recipient: short(failed.recipient.as_str()),
            error: short(&failed.error),
        }
    }
}

/// A difference: with `+` where it is one upwards.
fn signed(difference: Money) -> String {
    let sign = if difference > Money::ZERO { "+" } else { "" };
    format!("{sign}{}", difference.brl())
}

impl ZoneView {
    fn of(zone: &Zone) -> Self {
        let window = &zone.window;
        let sum = window.buckets.total() + window.elsewhere;
        Self {
            names: short(&zone.names.join(", ")),
            period: format!("{} a {}", minute(window.period.start), minute(window.period.end)),
            buckets: buckets_pt(&window.buckets)
                .into_iter()
                .filter(|(_, messages)| *messages > 0)
                .map(|(name, messages)| (name, grouped(messages)))
                .collect(),
            elsewhere: grouped(window.elsewhere),
            rows: grouped(window.rows),
            agrees: sum == window.rows,
        }
    }
}

impl ArchiveView {
    fn of(digest: &Digest, part: &Part) -> Option<Self> {
        let entries = digest.invoices.get(part.invoices.clone())?;
        let (first, last) = (entries.first()?, entries.last()?);
        let span = match entries {
            [only] => only.label(),
            _ => format!("{} a {}", first.label(), last.label()),
        };
        Some(Self {
            file: archive_file(digest, part),
            invoices: counted(entries.len() as u64, "fatura", "faturas"),
            span,
        })
    }
}

fn sums(digest: &Digest) -> Vec<SumView> {
    let count = |of: fn(&DigestRow) -> u64| grouped(digest.invoices.iter().map(of).sum());
    let row = |name, count, amount: Money| SumView { name, count, amount: amount.brl() };
    let amounts = digest.invoices.iter().map(|entry| entry.amounts);
    let Amounts { package, overage, hsm, adjustments } = amounts.clone().sum();
    let mut sums = vec![
        row("Pacotes", grouped(digest.invoices.len() as u64), package),
        row("UAM adicional", count(|entry| entry.overage), overage),
        row("HSM", count(|entry| entry.hsm), hsm),
    ];
    // Also where they come to nothing together.
    if amounts.into_iter().any(|amounts| amounts.adjustments != Money::ZERO) {
        sums.push(row("Ajustes", String::new(), adjustments));
    }
    sums
}

/// Blanks at its ends make it another one than it looks.
fn status(status: &str) -> String {
    let blanks = if status.trim() == status { "" } else { " (com espaços)" };
    format!("{}{blanks}", short(status))
}

/// The most frequent first.
fn statuses(found: &[StatusFound]) -> Vec<StatusView> {
    let mut found: Vec<&StatusFound> = found.iter().collect();
    found.sort_by_key(|found| Reverse(found.messages));
    let view = |found: &StatusFound| StatusView {
        name: found.status.as_deref().map_or_else(|| "(sem status)".to_owned(), status),
        messages: grouped(found.messages),
        treated: match found.meaning {
            Meaning::Counts => "conta",
            Meaning::Ignored => "não conta",
            Meaning::Unknown => "conta, mas está fora das listas",
        },
    };
    found.into_iter().map(view).collect()
}

/// Exceptions by reason: what to do is said once for each.
fn attention(exceptions: &[Exception]) -> Vec<ReasonView> {
    let mut reasons: Vec<Reason> = exceptions.iter().map(|exception| exception.reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let view = |reason: Reason| {
        let of_reason = exceptions.iter().filter(|exception| exception.reason == reason);
        let (items, more) = listed(of_reason.map(item).collect());
        ReasonView { name: reason_pt(reason), advice: reason.advice_pt(), items, more }
    };
    reasons.into_iter().map(view).collect()
}

fn item(exception: &Exception) -> ItemView {
    let detail = exception.detail.as_deref().map(short);
    // Some are of no dealership.
    let (id, detail) = match (exception.reason, detail) {
        (Reason::UnknownStatus, Some(status)) => (status, None),
        (Reason::Misdated, _) => ("todas as concessionárias".to_owned(), None),
        (_, detail) => (short(id_pt(exception.dealership_id.as_deref())), detail),
    };
    ItemView { id, messages: counted(exception.messages, "mensagem", "mensagens"), detail }
}

/// As many as an email lists, and `e mais 3, na planilha` for the rest.
fn listed<T>(mut items: Vec<T>) -> (Vec<T>, String) {
    let more = items.len().saturating_sub(LISTED);
    items.truncate(LISTED);
    let text = match more {
        0 => String::new(),
        _ => format!("e mais {}, na planilha", grouped(more as u64)),
    };
    (items, text)
}

fn short(text: &str) -> String {
    shortened(&one_line(text), LENGTH)
}

fn minute(instant: DateTime<Utc>) -> String {
    instant.format("%d/%m/%Y %H:%M UTC").to_string()
}
