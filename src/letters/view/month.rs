//! What is said of a month, closed or held.

use serde::Serialize;

use super::counted;
use super::digest::{entered, left, listed, minute, percent, short, signed};
use crate::letters::report::{buckets_pt, id_pt, reason_pt, stake_pt, window_zone, zones_pt};
use fecha_core::account::receivables::Balance;
use fecha_core::bill::digest::{Digest, DigestRow, Mover, Overdue, Sum, Whole, Zone};
use fecha_core::bill::exception::{Excepted, Exception, Reason};
use fecha_core::price::item::Amounts;
use fecha_core::price::money::{Money, grouped};

/// An email lists this many of each; the workbook has them all.
pub const LISTED: usize = 25;
/// Of the changes against the month before, and of what is overdue, these many.
const CHANGES: usize = 10;
/// Of those who came, and of those who left, these many.
const MOVERS: usize = 10;

/// What is said of a month that is closed, and of one that is held.
#[derive(Debug, Serialize)]
pub struct MonthReport {
    sums: Vec<SumView>,
    /// What the report comes to.
    total: String,
    /// The month as a whole, where the report has only a part of it.
    whole: Option<(String, String)>,
    /// The month before and the difference from it, where they can be compared.
    before: Option<BeforeView>,
    attention: Vec<ReasonView>,
    entered: MoversView,
    left: MoversView,
    changes: Vec<ChangeView>,
    /// Of all months; `None` in a report of a fecha that did not know it.
    receivables: Option<ReceivablesView>,
    proof: Option<ProofView>,
}

#[derive(Debug, Serialize)]
struct SumView {
    name: &'static str,
    count: String,
    amount: String,
}

#[derive(Debug, Serialize)]
struct BeforeView {
    name: String,
    invoices: String,
    total: String,
    /// `−R$ 4.540,46`.
    difference: String,
    /// `−0,3 %`.
    percent: String,
}

/// Who came, or left.
#[derive(Debug, Serialize)]
struct MoversView {
    /// `20 entraram`.
    title: String,
    total: String,
    movers: Vec<MoverView>,
    more: String,
}

#[derive(Debug, Serialize)]
struct MoverView {
    id: String,
    name: String,
    total: String,
    /// Why it has no invoice, where that is an exception.
    why: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct ReceivablesView {
    open: String,
    overdue: String,
    waiting: String,
    late: Vec<LateView>,
    late_more: String,
}

/// An invoice whose day has passed.
#[derive(Debug, Serialize)]
struct LateView {
    label: String,
    dealership: String,
    due_on: String,
    open: String,
}

/// All exceptions of one reason.
#[derive(Debug, Serialize)]
struct ReasonView {
    name: &'static str,
    advice: &'static str,
    /// What to run once the cause is gone; empty where nothing is issued yet.
    command: Vec<String>,
    items: Vec<ItemView>,
    more: String,
}

#[derive(Debug, Serialize)]
struct ItemView {
    id: String,
    /// The dealership's name, where the register has it.
    name: Option<String>,
    messages: String,
    /// `R$ 1.156,60 no mês anterior`.
    stake: Option<String>,
    detail: Option<String>,
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

/// The proof that no message was missed.
#[derive(Debug, Serialize)]
struct ProofView {
    agrees: bool,
    buckets: Vec<(&'static str, String)>,
    messages: String,
    zones: Vec<ZoneView>,
}

#[derive(Debug, Serialize)]
struct ZoneView {
    names: String,
    period: String,
    rows: String,
    /// What the database counts beyond the buckets, where that is not nothing.
    residual: Option<String>,
}

impl MonthReport {
    pub fn of(digest: &Digest) -> Self {
        let whole = digest.whole.as_ref();
        let movers = |of: fn(&Whole) -> &Vec<Mover>, title| {
            // The close report told of them; a supplement tells what is new.
            let told = whole.filter(|_| digest.supplement() == 0);
            MoversView::of(told.map(of).map_or(&[], Vec::as_slice), title, &digest.exceptions)
        };
        let sum = |sum: Sum| (counted(sum.invoices, "fatura", "faturas"), sum.total.brl());
        Self {
            sums: sums(digest),
            total: digest.total().brl(),
            whole: whole.filter(|_| digest.supplement() > 0).map(|whole| sum(whole.now)),
            before: whole.and_then(|whole| BeforeView::of(digest, whole)),
            attention: attention(digest),
            entered: movers(|whole| &whole.entered, entered),
            left: movers(|whole| &whole.left, left),
            changes: digest.largest_changes(CHANGES).into_iter().map(ChangeView::of).collect(),
            receivables: digest.receivables.map(|of| ReceivablesView::of(of, &digest.overdue)),
            proof: ProofView::of(digest),
        }
    }
}

impl BeforeView {
    fn of(digest: &Digest, whole: &Whole) -> Option<Self> {
        let before = whole.before?;
        Some(Self {
            name: digest.month.previous().in_words(),
            invoices: counted(before.invoices, "fatura", "faturas"),
            total: before.total.brl(),
            difference: signed(whole.now.total - before.total),
            percent: whole.change().map(percent).unwrap_or_default(),
        })
    }
}

impl MoversView {
    fn of(movers: &[Mover], title: fn(usize) -> String, exceptions: &[Excepted]) -> Self {
        let why = |id: &str| {
            let of = |one: &&Excepted| one.exception.dealership_id.as_deref() == Some(id);
            exceptions.iter().find(of).map(|one| reason_pt(one.exception.reason))
        };
        let view = |mover: &Mover| MoverView {
            id: short(&mover.dealership_id),
            name: short(&mover.dealership_name),
            total: mover.total.brl(),
            why: why(&mover.dealership_id),
        };
        let (listed, more) = listed(movers.iter().map(view).collect(), MOVERS);
        let total: Money = movers.iter().map(|mover| mover.total).sum();
        Self { title: title(movers.len()), total: total.brl(), movers: listed, more }
    }
}

impl ReceivablesView {
    fn of(balance: Balance, overdue: &[Overdue]) -> Self {
        let view = |late: &Overdue| LateView {
            label: late.label.clone(),
            dealership: short(&late.dealership_name),
            due_on: late.due_on.format("%d/%m/%Y").to_string(),
            open: late.open.brl(),
        };
        let (late, late_more) = listed(overdue.iter().map(view).collect(), CHANGES);
        let Balance { open, overdue, waiting } = balance;
        Self { open: open.brl(), overdue: overdue.brl(), waiting: waiting.brl(), late, late_more }
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

impl ProofView {
    fn of(digest: &Digest) -> Option<Self> {
        Some(Self {
            agrees: digest.proved()?,
            buckets: buckets_pt(&digest.messages).map(|(name, n)| (name, grouped(n))).into(),
            messages: grouped(digest.messages.total()),
            zones: digest.zones.iter().map(ZoneView::of).collect(),
        })
    }
}

impl ZoneView {
    fn of(zone: &Zone) -> Self {
        let window = &zone.window;
        let own = window_zone(zone);
        let residual = zone.residual();
        let elsewhere = match window.elsewhere {
            0 => String::new(),
            messages => format!(", {} de outros fusos", grouped(messages)),
        };
        Self {
            names: short(&zones_pt(&zone.names)),
            period: format!(
                "{} a {}{elsewhere}",
                minute(window.period.start, own),
                minute(window.period.end, own)
            ),
            rows: grouped(window.rows),
            residual: (residual != 0).then(|| residual.to_string().replace('-', "−")),
        }
    }
}

fn sums(digest: &Digest) -> Vec<SumView> {
    let count = |of: fn(&DigestRow) -> u64| grouped(digest.invoices.iter().map(of).sum());
    let row = |name, count, amount: Money| SumView { name, count, amount: amount.brl() };
    let amounts = digest.invoices.iter().map(|entry| entry.amounts);
    let Amounts { package, overage, hsm, other, adjustments } = amounts.clone().sum();
    let mut sums = vec![
        row("Pacotes", grouped(digest.invoices.len() as u64), package),
        row("Contatos acima do pacote", count(|entry| entry.overage), overage),
        row("Mensagens de modelo (HSM)", count(|entry| entry.hsm), hsm),
    ];
    // Also where they come to nothing together.
    if amounts.clone().any(|amounts| amounts.other != Money::ZERO) {
        sums.push(row(digest.other_lines(), String::new(), other));
    }
    if amounts.into_iter().any(|amounts| amounts.adjustments != Money::ZERO) {
        sums.push(row("Ajustes", String::new(), adjustments));
    }
    sums
}

/// Exceptions by reason, the one with the most money first: what to do is said once for each.
fn attention(digest: &Digest) -> Vec<ReasonView> {
    let exceptions = &digest.exceptions;
    let command = |reason: Reason| {
        let command = reason.command(digest.month).filter(|_| digest.sequence > 0);
        command.iter().flat_map(|line| line.split(' ')).map(str::to_owned).collect()
    };
    // They come with the most money first, and so does each reason.
    let mut reasons: Vec<Reason> = Vec::new();
    for one in exceptions {
        if !reasons.contains(&one.exception.reason) {
            reasons.push(one.exception.reason);
        }
    }
    let view = |reason: Reason| {
        let of_reason = exceptions.iter().filter(|one| one.exception.reason == reason);
        let (items, more) = listed(of_reason.map(item).collect(), LISTED);
        ReasonView {
            name: reason_pt(reason),
            advice: reason.advice_pt(),
            command: command(reason),
            items,
            more,
        }
    };
    reasons.into_iter().map(view).collect()
}

fn item(excepted: &Excepted) -> ItemView {
    let Excepted { exception, dealership_name, stake } = excepted;
    let detail = exception.detail.as_deref().map(short);
    // Some are of no dealership, and what is in the words of the program stands in the workbook alone.
    let (id, detail) = match (exception.reason, detail) {
        (Reason::UnknownStatus, Some(status)) => (status, None),
        (Reason::Misdated, _) => ("todas as concessionárias".to_owned(), None),
        (Reason::NoPrice | Reason::Failed, _) => (short_id(exception), None),
        (_, detail) => (short_id(exception), detail),
    };
    ItemView {
        id,
        name: dealership_name.as_deref().map(short),
        messages: counted(exception.messages, "mensagem", "mensagens"),
        stake: stake.map(|stake| format!("{} {}", stake.amount().brl(), stake_pt(stake))),
        detail,
    }
}

fn short_id(exception: &Exception) -> String {
    short(id_pt(exception.dealership_id.as_deref()))
}
