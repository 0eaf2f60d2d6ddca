//! Mês: one month in its four states, and what is asked for there.

mod closed;
pub mod forms;
mod held;
mod plan;
mod running;

use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use crate::actions::status::{Beginning, beginning};
use crate::actions::task::Eyes;
use crate::console::pages::months::percent;
use crate::console::words::task::Running;
use crate::console::{Console, Oops, Page, Signed, ways::Ways};
use crate::ledger::closing::{Closing, MonthState};
use crate::ledger::invoices::Filter;
use crate::ledger::listing::Listed;
use crate::letters::report::{buckets_pt, detail_pt, id_pt, reason_pt, stake_pt};
use fecha_core::bill::exception::Excepted;
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::calendar::month::Month;
use fecha_core::count::tally::Buckets;
use fecha_core::party::person::Role;
use fecha_core::price::item::{Amounts, Column};
use fecha_core::price::money::Money;

/// So many rows of a list stand on a page.
pub const ROWS: usize = 50;

/// This page and its forms.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/months/{month}", show)
        .post("/months/{month}/close", Role::Finance, forms::close)
        .post("/months/{month}/release", Role::Finance, forms::release)
        .post("/months/{month}/preview", Role::Finance, forms::preview)
        .post("/months/{month}/compare", Role::Finance, forms::compare)
}

/// Which part of the lists is shown.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    /// Invoices of dealerships behind this id.
    after: Option<String>,
    /// Exceptions from this one on.
    exceptions: Option<usize>,
    /// The same of a plan that somebody looked at, where it stands beside them.
    plan_after: Option<String>,
    plan_exceptions: Option<usize>,
}

/// Whether who asked for a plan may release it.
#[must_use]
pub fn eyes(console: &Console) -> Eyes {
    if console.office.config.four_eyes { Eyes::Four } else { Eyes::Two }
}

/// The month of an address.
///
/// # Errors
/// [`Oops::NotFound`] where it is none.
pub fn parsed(month: &str) -> Result<Month, Oops> {
    let wrong = |_| Oops::NotFound("Um mês se escreve como 2026-10.".to_owned());
    month.parse().map_err(wrong)
}

async fn show(
    State(console): State<Console>,
    signed: Signed,
    Path(month): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Page, Oops> {
    look(&console, &signed, parsed(&month)?, &asked, None).await
}

/// The month that goes on in the issuer's zone: later ones have not begun.
fn current(console: &Console) -> Month {
    let office = &console.office;
    Month::last_ended(office.clock.now(), office.config.issuer.timezone).next()
}

/// The page of a month, with a form that was not taken.
async fn look(
    console: &Console,
    signed: &Signed,
    month: Month,
    asked: &Asked,
    refused: Option<forms::Refused>,
) -> Result<Page, Oops> {
    let office = &console.office;
    let closing = office.ledger.closing(month).await?;
    if closing.is_none() && month > current(console) {
        let words = format!("{} ainda não começou.", capital(month));
        return Err(Oops::NotFound(words));
    }
    let head = Head::of(console, month, closing.as_ref()).await?;
    match &closing {
        Some(closing) if closing.state == MonthState::Held => {
            held::page(console, signed, head, closing, asked, refused).await
        }
        Some(closing) if closing.state == MonthState::Closed => {
            closed::page(console, signed, head, closing, asked, refused).await
        }
        closing => running::page(console, signed, head, closing.as_ref(), asked, refused).await,
    }
}

/// `Outubro de 2026`.
#[must_use]
pub fn capital(month: Month) -> String {
    let words = month.in_words();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What stands above a month in each state.
#[derive(Debug, Clone, Serialize)]
pub struct Head {
    /// Which.
    pub month: Month,
    /// `open`, `held` or `closed`; `running` where it has not ended, `before` where the books begin later.
    pub state: &'static str,
    /// Where the books begin: nothing is before it.
    pub books: Month,
    /// The month that the daemon begins with, of an earlier one: it leaves that to a person.
    pub by_hand: Option<Month>,
    /// In a heading: `Outubro de 2026`.
    pub title: String,
    /// The months beside it.
    pub before: Month,
    /// The months beside it.
    pub next: Month,
    /// What of it is being done.
    pub tasks: Vec<Running>,
}

impl Head {
    /// Of a month, as far as its close is.
    ///
    /// # Errors
    /// [`Oops`] where the ledger cannot be read.
    pub async fn of(
        console: &Console,
        month: Month,
        closing: Option<&Closing>,
    ) -> Result<Self, Oops> {
        let office = &console.office;
        let has_ended =
            month.period_in(office.config.issuer.timezone).has_ended(office.clock.now());
        let Beginning { books, daemon } = beginning(office).await?;
        let state = match closing.map(|closing| closing.state) {
            Some(MonthState::Held) => "held",
            Some(MonthState::Closed) => "closed",
            None if month < books => "before",
            Some(MonthState::Open) | None if has_ended => "open",
            Some(MonthState::Open) | None => "running",
        };
        let tasks = office.ledger.unfinished_tasks(month).await?;
        Ok(Self {
            month,
            state,
            books,
            by_hand: daemon.filter(|first| month < *first),
            title: capital(month),
            before: month.previous(),
            next: month.next(),
            tasks: tasks.iter().map(Running::of).collect(),
        })
    }
}

/// An exception in a list.
#[derive(Debug, Clone, Serialize)]
pub struct ExceptionShown {
    id: String,
    /// For links; empty where it is nobody's.
    key: String,
    name: String,
    reason: &'static str,
    detail: String,
    messages: u64,
    /// `R$ 7.380,00 faturados no mês anterior`.
    stake: String,
    advice: &'static str,
}

impl ExceptionShown {
    fn of(one: &Excepted) -> Self {
        let exception = &one.exception;
        let stake = one.stake.map(|stake| format!("{} {}", stake.amount().brl(), stake_pt(stake)));
        Self {
            id: id_pt(exception.dealership_id.as_deref()).to_owned(),
            key: exception.dealership_id.clone().unwrap_or_default(),
            name: one.dealership_name.clone().unwrap_or_default(),
            reason: reason_pt(exception.reason),
            detail: detail_pt(exception).unwrap_or_default(),
            messages: exception.messages,
            stake: stake.unwrap_or_default(),
            advice: exception.reason.advice_pt(),
        }
    }
}

/// A part of a list of exceptions, and where it goes on.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Exceptions {
    all: usize,
    rows: Vec<ExceptionShown>,
    next: Option<usize>,
    from: usize,
}

impl Exceptions {
    /// Those from one on.
    #[must_use]
    pub fn from(all: &[Excepted], from: usize) -> Self {
        let rows = all.iter().skip(from).take(ROWS).map(ExceptionShown::of).collect();
        let next = (all.len() > from.saturating_add(ROWS)).then(|| from + ROWS);
        Self { all: all.len(), rows, next, from }
    }
}

/// The zero residual.
#[derive(Debug, Clone, Serialize)]
pub struct Residual {
    rows: Vec<(&'static str, u64)>,
    total: u64,
    /// Whether the buckets add up to the database's own count; `None` where nothing was counted.
    proved: Option<bool>,
}

impl Residual {
    /// Of what was counted.
    #[must_use]
    pub fn of(messages: &Buckets, proved: Option<bool>) -> Self {
        Self { rows: buckets_pt(messages).to_vec(), total: messages.total(), proved }
    }
}

/// A month against the one before, column by column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bridge {
    from: Option<Month>,
    before: Money,
    now: Money,
    change: Money,
    percent: String,
    steps: Vec<(&'static str, Money)>,
}

/// What invoices come to together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    invoices: u64,
    total: Money,
    amounts: Amounts,
}

impl Sum {
    /// One more.
    fn add(&mut self, amounts: Amounts) {
        self.invoices += 1;
        self.total += amounts.total();
        self.amounts = [self.amounts, amounts].into_iter().sum();
    }

    /// Of invoices.
    fn of(amounts: impl Iterator<Item = Amounts>) -> Self {
        let mut sum = Self::default();
        amounts.for_each(|one| sum.add(one));
        sum
    }
}

impl Bridge {
    /// From what the month before came to, to what this one does.
    fn between(month: Month, before: Sum, now: Sum) -> Self {
        let steps = before.amounts.each().into_iter().zip(now.amounts.each());
        let words = |column| match column {
            Column::Package => "Pacotes",
            Column::Overage => "Contatos acima do pacote",
            Column::Hsm => "Mensagens de modelo (HSM)",
            Column::Other => "Outras linhas e descontos",
            Column::Adjustments => "Créditos e cobranças",
        };
        let steps = steps.map(|((column, before), (_, now))| (words(column), now - before));
        let has_before = before.invoices > 0;
        Self {
            from: has_before.then(|| month.previous()),
            before: before.total,
            now: now.total,
            change: now.total - before.total,
            percent: if has_before { percent(before.total, now.total) } else { String::new() },
            steps: steps.filter(|(_, change)| has_before && *change != Money::ZERO).collect(),
        }
    }
}

/// The invoices of a month that stand, by dealership.
async fn standing(console: &Console, month: Month) -> Result<Vec<Listed>, Oops> {
    let filter = Filter { month: Some(month), ..Filter::default() };
    let mut listed = console.office.ledger.listed(filter).await?;
    listed.retain(|one| one.state == InvoiceState::Issued);
    listed.sort_by(|a, b| a.dealership_id.cmp(&b.dealership_id));
    Ok(listed)
}

/// What stands of a month, and of the one before: at once, for each is thousands of rows.
async fn standing_beside(
    console: &Console,
    month: Month,
) -> Result<(Vec<Listed>, Vec<Listed>), Oops> {
    tokio::try_join!(standing(console, month), standing(console, month.previous()))
}

/// Who came or left.
#[derive(Debug, Clone, Serialize)]
pub struct MoverShown {
    id: String,
    name: String,
    total: Money,
}

impl From<&fecha_core::bill::digest::Mover> for MoverShown {
    fn from(mover: &fecha_core::bill::digest::Mover) -> Self {
        Self {
            id: mover.dealership_id.clone(),
            name: mover.dealership_name.clone(),
            total: mover.total,
        }
    }
}

/// The first of a list, and how many more there are.
#[derive(Debug, Clone, Default, Serialize)]
pub struct First<T> {
    rows: Vec<T>,
    more: usize,
}

impl<T> First<T> {
    /// At most so many as stand on a page.
    fn of(mut all: Vec<T>) -> Self {
        let more = all.len().saturating_sub(ROWS);
        all.truncate(ROWS);
        Self { rows: all, more }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A month in a state, with a task that runs.
    pub fn head(state: &'static str) -> Head {
        let month: Month = "2026-10".parse().unwrap();
        let task = Running {
            id: "0192".to_owned(),
            what: "Liberação",
            by: "Ana".to_owned(),
            asked_at: "2026-11-01T03:05:00Z".to_owned(),
            words: "Contando: 12 mensagens".to_owned(),
            done: 12,
            of: 0,
            error: Some("<b>".to_owned()),
        };
        Head {
            month,
            state,
            books: month,
            by_hand: None,
            title: capital(month),
            before: month.previous(),
            next: month.next(),
            tasks: vec![task],
        }
    }

    /// A month that grew, in one column.
    pub fn bridge() -> Bridge {
        let of = |hsm| {
            let amounts = Amounts { hsm: Money::from_centavos(hsm), ..Amounts::default() };
            Sum::of([amounts].into_iter())
        };
        Bridge::between("2026-10".parse().unwrap(), of(10_000), of(10_420))
    }

    #[test]
    fn a_month_is_told_from_the_one_before() {
        let bridge = bridge();
        assert_eq!(bridge.percent, "+4,2\u{a0}%");
        assert_eq!(bridge.steps, [("Mensagens de modelo (HSM)", Money::from_centavos(420))]);
        let first = Bridge::between("2026-10".parse().unwrap(), Sum::default(), Sum::default());
        assert_eq!((first.from, first.steps), (None, Vec::new()));
        assert_eq!(capital("2026-03".parse().unwrap()), "Março de 2026");
        assert!(parsed("2026-13").is_err());
    }
}
