use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::month::{LISTED, MonthReport};
use super::{counted, counted_or_none};
use crate::letters::compose::{archive_file, workbook_file};
use fecha_core::bill::digest::{Digest, DigestRow, FailedDelivery, Whole};
use fecha_core::calendar::zone as zones;
use fecha_core::count::status::{Meaning, StatusFound};
use fecha_core::letter::Part;
use fecha_core::letter::text::{one_line, shortened};
use fecha_core::price::money::{Money, grouped};

/// Longest name, id, reason or detail, in characters.
const LENGTH: usize = 160;

/// What one email to finance says.
#[derive(Debug, Serialize)]
pub struct DigestView {
    month: String,
    supplement: u32,
    part: usize,
    of: usize,
    /// The one line on top, in pieces that stay whole: `1.475 faturas`, `R$ 1.508.943,54 (−0,3 %)`, …
    headline: Vec<String>,
    /// `1.498 faturas`.
    invoices: String,
    total: String,
    exceptions: String,
    /// `6 exceções e 1 entrega que falhou`, where there are any.
    todo: Option<String>,
    /// The month was looked at for exceptions: a rerun looks for none.
    examined: bool,
    month_report: MonthReport,
    revised: Vec<RevisedView>,
    revised_more: String,
    failed: Vec<FailedView>,
    failed_more: String,
    statuses: Vec<StatusView>,
    statuses_more: String,
    workbook: String,
    /// `None` where this email carries no invoices.
    archive: Option<ArchiveView>,
    made_at: String,
    /// How many days after its end the month was closed, where that is late: fecha was away, or held.
    late: Option<i64>,
    issuer: String,
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

/// An email that no server took.
#[derive(Debug, Serialize)]
struct FailedView {
    label: String,
    recipient: String,
    error: String,
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
        let (revised, revised_more) = listed(revised, LISTED);
        let failed = digest.failed_deliveries.iter().map(FailedView::of);
        let (failed, failed_more) = listed(failed.collect(), LISTED);
        let (statuses, statuses_more) = listed(statuses(&digest.statuses), LISTED);
        Self {
            month: digest.month.in_words(),
            supplement: digest.supplement(),
            part: part.number,
            of: part.of,
            headline: headline(digest),
            invoices: invoices(digest),
            total: total(digest),
            exceptions: counted_or_none(
                digest.exceptions.len(),
                "nenhuma exceção",
                "exceção",
                "exceções",
            ),
            examined: digest.supplement() == 0 || !digest.zones.is_empty(),
            todo: todo(digest),
            month_report: MonthReport::of(digest),
            revised,
            revised_more,
            failed,
            failed_more,
            statuses,
            statuses_more,
            workbook: workbook_file(digest),
            archive: ArchiveView::of(digest, part),
            made_at: local(digest.made_at, zone(digest)),
            late: days_late(digest),
            issuer: one_line(&digest.issuer),
        }
    }
}

/// The one line that says how the month is: what it comes to against the month before, who came and left,
/// whether the count is proved, and what is overdue. A supplement begins with what it changes.
pub fn headline(digest: &Digest) -> Vec<String> {
    let whole = digest.whole.as_ref();
    let percent = whole.and_then(Whole::change).map(|tenths| format!(" ({})", percent(tenths)));
    let percent = percent.unwrap_or_default();
    let mut line = if digest.supplement() > 0 {
        let mut line = vec![signed(digest.effect())];
        let cancelled = digest.effect_of_cancellations();
        if cancelled != Money::ZERO {
            line.push(format!("{} por faturas canceladas", signed(cancelled)));
        }
        line.extend(whole.map(|whole| {
            let invoices = counted(whole.now.invoices, "fatura", "faturas");
            format!("o mês agora soma {} em {invoices}{percent}", whole.now.total.brl())
        }));
        line.push(invoices(digest));
        line
    } else {
        vec![invoices(digest), format!("{}{percent}", total(digest))]
    };
    if let Some(whole) = whole.filter(|whole| digest.supplement() == 0 && whole.before.is_some()) {
        line.push(moved(whole));
    }
    line.extend(digest.proved().map(|agrees| {
        let word = if agrees { "OK" } else { "NÃO FECHA" };
        format!("conferência {word}")
    }));
    line.extend(digest.receivables.map(|balance| match balance.overdue {
        Money::ZERO => "nada vencido".to_owned(),
        overdue => format!("{} vencidos", overdue.brl()),
    }));
    line
}

/// `1.475 faturas`; in a supplement `1 fatura revisada`, where that is all there is.
fn invoices(digest: &Digest) -> String {
    let rows = &digest.invoices;
    let all_revised = !rows.is_empty() && rows.iter().all(|row| row.replaces().is_some());
    let (one, many) =
        if all_revised { ("fatura revisada", "faturas revisadas") } else { ("fatura", "faturas") };
    counted_or_none(rows.len(), "Nenhuma fatura", one, many)
}

/// What the report comes to; a supplement, what it changes.
fn total(digest: &Digest) -> String {
    match digest.supplement() {
        0 => digest.total().brl(),
        _ => signed(digest.effect()),
    }
}

/// What a person has to see to.
fn todo(digest: &Digest) -> Option<String> {
    let found = [
        (digest.exceptions.len(), "exceção", "exceções"),
        (digest.failed_deliveries.len(), "entrega que falhou", "entregas que falharam"),
    ];
    let found = found.into_iter().filter(|(number, ..)| *number > 0);
    let words: Vec<String> =
        found.map(|(number, one, many)| counted(number as u64, one, many)).collect();
    (!words.is_empty()).then(|| words.join(" e "))
}

/// `20 entraram, 25 saíram`.
fn moved(whole: &Whole) -> String {
    match (whole.entered.len(), whole.left.len()) {
        (0, 0) => "ninguém entrou nem saiu".to_owned(),
        (came, went) => format!("{}, {}", entered(came), left(went)),
    }
}

pub fn entered(number: usize) -> String {
    counted_or_none(number, "nenhuma entrou", "entrou", "entraram")
}

pub fn left(number: usize) -> String {
    counted_or_none(number, "nenhuma saiu", "saiu", "saíram")
}

/// Whole days from the month's last end to the first report on it, from two on.
fn days_late(digest: &Digest) -> Option<i64> {
    let end = digest.zones.iter().map(|zone| zone.window.period.end).max()?;
    let days = (digest.made_at - end).num_days();
    (digest.supplement() == 0 && days >= 2).then_some(days)
}

impl RevisedView {
    fn of(entry: &DigestRow) -> Option<Self> {
        let before = entry.replaces()?;
        Some(Self {
            label: entry.label(),
            dealership: short(&entry.dealership_name),
            before: before.total.brl(),
            after: entry.total.brl(),
            difference: signed(entry.effect()),
            reason: short(&before.reason),
            by: short(&before.by),
        })
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
pub fn signed(difference: Money) -> String {
    match difference.centavos() {
        1.. => format!("+{}", difference.brl()),
        _ => difference.brl().replace('-', "−"),
    }
}

/// Tenths of a percent: `−0,3 %`.
pub fn percent(tenths: i64) -> String {
    let sign = match tenths {
        1.. => "+",
        0 => "",
        _ => "−",
    };
    let tenths = tenths.unsigned_abs();
    format!("{sign}{},{}\u{a0}%", grouped(tenths / 10), tenths % 10)
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

/// As many as an email lists, and `e mais 3, na planilha` for the rest.
pub fn listed<T>(mut items: Vec<T>, most: usize) -> (Vec<T>, String) {
    let more = items.len().saturating_sub(most);
    items.truncate(most);
    let text = match more {
        0 => String::new(),
        _ => format!("e mais {}, na planilha", grouped(more as u64)),
    };
    (items, text)
}

pub fn short(text: &str) -> String {
    shortened(&one_line(text), LENGTH)
}

pub fn minute(instant: DateTime<Utc>, zone: Tz) -> String {
    instant.with_timezone(&zone).format("%d/%m/%Y %H:%M").to_string()
}

/// With the words for the zone.
pub fn local(instant: DateTime<Utc>, zone: Tz) -> String {
    format!("{} ({})", minute(instant, zone), zones::in_words(zone))
}

/// In which the report tells its times.
pub fn zone(digest: &Digest) -> Tz {
    digest.timezone.unwrap_or(Tz::UTC)
}
