//! What happened to the invented reseller: six months, each with what a month brings.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::America;

use crate::actions::adjust;
use crate::actions::cancel::cancel_invoice;
use crate::actions::close::{CloseOptions, CloseReport, close_month};
use crate::actions::invoices;
use crate::actions::pay::{self, Asked, NewPayment, Target, Wish};
use crate::actions::rerun::{Accepted, RerunOptions, rerun_month};
use crate::cli::delivery::send_due;
use crate::cli::output::{Failure, Output, plain, show_progress};
use crate::clock::Clock;
use crate::ledger::invoices::Filter;
use crate::ledger::listing::Listed;
use crate::ledger::notes::NewNote;
use crate::messages::Sources;
use crate::setup::demo::{Demo, LATECOMER};
use crate::setup::office::{self, Office};
use fecha_core::account::payment::Kind;
use fecha_core::bill::invoice::{InvoiceState, Number};
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// Who does by hand what is done by hand.
const ANA: &str = "ana";
/// Its invoice is void, and issued again.
const CANCELLED: &str = "duas-aguas";
/// It pays in two parts.
const IN_PARTS: &str = "serra-alta";
/// It has not paid.
const DEBTOR: &str = "tres-montanhas";
/// These are one group, which pays with one Pix in that month.
const GROUP: [&str; 3] = ["aurora", "ipe-amarelo", "pampa"];
/// It has a credit.
const CREDITED: &str = "igarape";

/// One month, and what is worth telling of it.
pub struct Chapter {
    /// Which.
    pub month: Month,
    /// What its close did.
    pub report: CloseReport,
    /// In words; empty where nothing is.
    pub events: Vec<String>,
}

/// Lives through the months of a demo, and counts the emails that went out. The last month is closed now, each
/// other one when it ended.
///
/// # Errors
/// [`Failure`] where anything of it fails.
pub async fn tell(
    office: &Office,
    demo: &mut Demo,
    output: &Output,
) -> Result<(Vec<Chapter>, usize), Failure> {
    let (source, bar) = (&office::source(&office.config)?, output.bar());
    let (mut chapters, mut emails) = (Vec::new(), 0);
    let months = demo.months();
    for month in months.clone() {
        demo.arrive(month).map_err(Failure::wrong)?;
        let mut events = Vec::new();
        let is_last = month == demo.last;
        if is_last {
            events.push(credit(&at(office, day(month, 20)), month).await?);
        }
        let then = if is_last { office.clone() } else { at(office, midnight(month)) };
        let options = CloseOptions { month: Some(month), ..CloseOptions::default() };
        let now = then.clock.now();
        let watcher = bar.clone();
        let watch = move |progress| show_progress(&watcher, progress);
        let report = close_month(&then, source, &options, now, watch).await?;
        emails += send_due(&then, output).await?.sent;
        let reseller = Reseller { office, source, month };
        if !is_last {
            let is_the_last_but = |back| months.iter().rev().nth(back) == Some(&month);
            if is_the_last_but(2) {
                demo.arrive_late(month).map_err(Failure::wrong)?;
                events.push(reseller.late().await?);
            }
            if is_the_last_but(1) {
                events.push(reseller.cancelled().await?);
            }
            events.extend(reseller.paid(is_the_last_but(1)).await?);
            emails += send_due(&at(office, day(month.next(), 6)), output).await?.sent;
        }
        chapters.push(Chapter { month, report, events });
    }
    bar.finish_and_clear();
    Ok((chapters, emails))
}

/// The month has ended everywhere.
fn midnight(month: Month) -> DateTime<Utc> {
    month.period_in(America::Rio_Branco).end + TimeDelta::seconds(1)
}

fn afternoon(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(18)
}

fn day(month: Month, day: u64) -> DateTime<Utc> {
    afternoon(month.first_day() + Days::new(day - 1))
}

/// The office as it was then.
fn at(office: &Office, now: DateTime<Utc>) -> Office {
    Office { clock: Clock::Fixed(now), ..office.clone() }
}

async fn credit(office: &Office, month: Month) -> Result<String, Failure> {
    let amount = Money::from_centavos(-12_000);
    let description = "Crédito: um dia sem sistema";
    let new = NewNote { dealership_id: CREDITED, month, amount, description, by: ANA };
    adjust::enter(office, &new, adjust::Asked::Nobody).await?;
    Ok(format!("a credit of R$\u{a0}120,00 for '{CREDITED}'"))
}

/// The reseller after it closed a month.
struct Reseller<'a> {
    office: &'a Office,
    source: &'a Sources,
    month: Month,
}

impl Reseller<'_> {
    /// Messages came late: the invoice gets a revision.
    async fn late(&self) -> Result<String, Failure> {
        let options = RerunOptions {
            month: self.month,
            dealerships: Some(vec![LATECOMER.to_owned()]),
            reason: "mensagens que chegaram depois do fechamento".to_owned(),
            by: ANA.to_owned(),
            dry_run: false,
            accept: Accepted::default(),
            plan: None,
        };
        let office = at(self.office, day(self.month.next(), 3));
        let report =
            rerun_month(&office, self.source, &options, office.clock.now(), |_| ()).await?;
        let revised = report.revised.first();
        let number = revised.map(|revised| revised.number.to_string()).unwrap_or_default();
        Ok(format!("late messages: {number} revised"))
    }

    /// An invoice is made void, and its month closed again under a new number.
    async fn cancelled(&self) -> Result<String, Failure> {
        let office = at(self.office, day(self.month.next(), 4));
        let number = self.number_of(CANCELLED).await?;
        let reason = "endereço da concessionária corrigido";
        cancel_invoice(&office, number, reason, ANA, office.clock.now()).await?;
        let options = CloseOptions {
            month: Some(self.month),
            dealerships: vec![CANCELLED.to_owned()],
            ..CloseOptions::default()
        };
        close_month(&office, self.source, &options, office.clock.now(), |_| ()).await?;
        let again = self.number_of(CANCELLED).await?;
        Ok(format!("{number} cancelled, issued again as {again}"))
    }

    /// Everybody pays on the day, but for two in the month of the `exceptions`.
    async fn paid(&self, exceptions: bool) -> Result<Vec<String>, Failure> {
        let (mut payments, mut events) = (Vec::new(), Vec::new());
        // Before the next month is closed, and so never in the future.
        let latest = self.month.next().last_day() - Days::new(5);
        let group = self.office.ledger.group_bills(self.month).await?.pop();
        if let Some(kept) = group.filter(|_| exceptions) {
            let (txid, on) = (kept.bill.txid, kept.bill.due_on().unwrap_or(latest).min(latest));
            payments.push(NewPayment {
                target: Target::Group(txid),
                reference: Some(format!("E99000000{}{txid}", on.format("%Y%m%d"))),
                ..of_nobody(on)
            });
            events.push(format!("'{}' paid by one Pix, {txid}", plain(kept.bill.group.as_str())));
        }
        for invoice in self.standing().await? {
            let due = invoice.figures.due_on.min(latest);
            match invoice.dealership_id.as_str() {
                DEBTOR if exceptions => events.push(format!("{} is overdue", invoice.number)),
                IN_PARTS if exceptions => {
                    let half = Money::from_centavos(invoice.figures.total.centavos() / 2);
                    payments.push(payment(&invoice, due - Days::new(2), Some(half)));
                    payments.push(payment(&invoice, due, None));
                    events.push(format!("{} paid in two parts", invoice.number));
                }
                id if exceptions && GROUP.contains(&id) => {}
                _ => payments.push(payment(&invoice, due, None)),
            }
        }
        payments.sort_by_key(|payment| payment.on);
        for of_a_day in payments.chunk_by(|one, other| one.on == other.on) {
            let office = at(self.office, afternoon(of_a_day[0].on));
            pay::record(&office, of_a_day, Wish::Record, ANA).await?;
        }
        Ok(events)
    }

    async fn standing(&self) -> Result<Vec<Listed>, Failure> {
        let filter = Filter { month: Some(self.month), ..Filter::default() };
        let mut listed = invoices::list(self.office, filter).await?.listed;
        listed.retain(|invoice| invoice.state == InvoiceState::Issued);
        Ok(listed)
    }

    async fn number_of(&self, dealership_id: &str) -> Result<Number, Failure> {
        let standing = self.standing().await?;
        let found = standing.iter().find(|invoice| invoice.dealership_id == dealership_id);
        let missing =
            || Failure::wrong(format!("'{dealership_id}' has no invoice of {}", self.month));
        found.map(|invoice| invoice.number).ok_or_else(missing)
    }
}

fn payment(invoice: &Listed, on: NaiveDate, amount: Option<Money>) -> NewPayment {
    let id = invoice.number.to_string().replace('-', "");
    NewPayment {
        target: Target::Invoice(invoice.number),
        amount,
        reference: Some(format!("E99000000{}{id}", on.format("%Y%m%d"))),
        ..of_nobody(on)
    }
}

/// All that is open, on this day; for whom is still to be said.
fn of_nobody(on: NaiveDate) -> NewPayment {
    NewPayment {
        place: None,
        target: Target::Account(String::new()),
        on,
        amount: None,
        kind: Kind::Money,
        reference: None,
        again: false,
        asked: Asked::Nobody,
        why: None,
    }
}
