//! Whom a close is about, over which spans of time, and what was found of them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{CloseError, CloseOptions, CloseReport};
use crate::actions::book;
use crate::actions::recount::{self, Recounted};
use crate::setup::office::Office;
use fecha_core::bill::bill::{Bill, NoCharge, bill};
use fecha_core::bill::case::{Case, PackageOf};
use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::bill::hold::{self, Compared, SourceLook};
use fecha_core::bill::invoice::Invoice;
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::counter::Counter;
use fecha_core::count::status::StatusRules;
use fecha_core::count::tally::{Buckets, Count, Tally};
use fecha_core::party::numbers::Numbers;
use fecha_core::price::money::{Money, grouped};
use fecha_core::price::table::Prices;

/// A dealership of the register, as this close sees it.
#[derive(Debug)]
struct Candidate {
    case: Case,
    /// Whether this close is about it.
    selected: bool,
    /// Whether its month is over.
    ended: bool,
}

/// Who is closed, and over which spans of time.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) month: Month,
    candidates: Vec<Candidate>,
    /// The invoiced ones, with the package of today's contract.
    invoiced: Vec<Case>,
    /// What the invoices of the month before came to, by dealership.
    pub(super) invoiced_before: BTreeMap<String, Money>,
    /// Messages that the invoices of the month before counted, by dealership.
    counted_before: BTreeMap<String, u64>,
    /// Dealerships whose invoice of the month was cancelled: only who names them closes them again.
    cancelled: BTreeSet<String>,
    /// Whose the business numbers are.
    numbers: Numbers,
    issuer_zone: Tz,
    issuer_period: Period,
    /// The close is not restricted to named dealerships.
    whole: bool,
    /// It is, but after it nothing of the month is left to issue.
    completes: bool,
    /// The instant that decides what has ended.
    pub(super) now: DateTime<Utc>,
}

impl Scope {
    pub(super) async fn read(
        office: &Office,
        options: &CloseOptions,
        now: DateTime<Utc>,
    ) -> Result<Self, CloseError> {
        let issuer_zone = office.config.issuer.timezone;
        let month = options.month.unwrap_or_else(|| Month::last_ended(now, issuer_zone));
        let book = book::of(office, month).await?;
        book.must_know(&options.dealerships)?;
        let cancelled = office.ledger.cancelled(month).await?;
        let whole = options.dealerships.is_empty();
        let candidate = |case: Case| {
            let selected = whole || options.dealerships.contains(&case.dealership.id);
            let ended = case.period.has_ended(now);
            Candidate { case, selected, ended }
        };
        // What is issued keeps its bounds and its package, whatever the register says since.
        let cases = book.cases(PackageOf::TheInvoice);
        let mut invoiced = book.cases(PackageOf::TheContract);
        invoiced.retain(|case| case.standing.is_some());
        let candidates: Vec<Candidate> = cases.into_iter().map(candidate).collect();
        let is_pending = |Candidate { case, .. }: &&Candidate| {
            case.agreed.is_some() && case.standing.is_none() && !cancelled.contains(case.id())
        };
        let completes = candidates.iter().filter(is_pending).all(|candidate| candidate.selected);
        let before = || book.before.iter();
        let counted = before().map(|(id, invoice)| (id.clone(), invoice.usage.buckets.counted));
        let totals = before().map(|(id, invoice)| (id.clone(), invoice.total()));
        let scope = Self {
            month,
            candidates,
            invoiced,
            invoiced_before: totals.collect(),
            counted_before: counted.collect(),
            cancelled,
            numbers: book.numbers,
            issuer_zone,
            issuer_period: month.period_in(issuer_zone),
            whole,
            completes,
            now,
        };
        scope.must_have_ended_somewhere()?;
        Ok(scope)
    }

    fn must_have_ended_somewhere(&self) -> Result<(), CloseError> {
        let mut spans: Vec<(Period, Tz)> =
            self.selected().map(|Candidate { case, .. }| (case.period, case.timezone)).collect();
        if self.candidates.is_empty() {
            spans.push((self.issuer_period, self.issuer_zone));
        }
        match spans.into_iter().min_by_key(|(period, _)| period.end) {
            Some((period, zone)) if !period.has_ended(self.now) => {
                Err(CloseError::NotEnded { month: self.month, ends: period.end, zone })
            }
            _ => Ok(()),
        }
    }

    /// The dealerships that were named; `None` where the close is about everyone.
    pub(super) fn named(&self) -> Option<BTreeSet<&str>> {
        (!self.whole).then(|| self.selected().map(|candidate| candidate.case.id()).collect())
    }

    /// The invoices of the month that stand, of those that the close is about.
    pub(super) fn standing(&self) -> impl Iterator<Item = &Invoice> {
        self.selected().filter_map(|candidate| candidate.case.standing.as_ref())
    }

    fn selected(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|candidate| candidate.selected)
    }

    /// The whole register is counted: because the close is about it, or because the named
    /// dealerships are the last of the month, so that finance can be told of all of it.
    pub(super) fn counts_everyone(&self) -> bool {
        self.whole || self.completes
    }

    /// Whether the month is over for the whole register.
    pub(super) fn is_over_everywhere(&self) -> bool {
        self.issuer_period.has_ended(self.now)
            && self.candidates.iter().all(|candidate| candidate.ended)
    }

    pub(super) fn counter(&self, statuses: &StatusRules, prices: &Prices) -> Counter {
        let everyone = self.counts_everyone();
        let counted = |candidate: &Candidate| {
            let in_scope = candidate.ended && (candidate.selected || everyone);
            candidate.case.counted(in_scope, prices)
        };
        let unknown =
            (everyone && self.issuer_period.has_ended(self.now)).then_some(self.issuer_period);
        let dealerships = self.candidates.iter().map(counted).collect();
        Counter::new(dealerships, unknown, statuses).knowing(&self.numbers, self.month)
    }

    /// What was found before anything is issued: of the dealerships that the close is about, or of
    /// everyone.
    pub(super) fn report(&self, count: &Count, dry_run: bool, everyone: bool) -> CloseReport {
        let whole = self.whole || everyone;
        let about = || self.candidates.iter().filter(|candidate| candidate.selected || whole);
        let mut report = CloseReport {
            month: self.month,
            named: self.named().map(|ids| ids.into_iter().map(str::to_owned).collect()),
            issued: Vec::new(),
            already_issued: about().filter(|c| c.case.standing.is_some()).count(),
            held: None,
            group_bills: Vec::new(),
            is_another_plan: false,
            plan: None,
            look: None,
            foreseen: Vec::new(),
            open: about().filter(|c| !c.ended).map(|c| c.case.id().to_owned()).collect(),
            exceptions: Vec::new(),
            messages: Buckets::default(),
            would_differ: Vec::new(),
            statuses: count.statuses.clone(),
            dry_run,
        };
        for Candidate { case, .. } in about().filter(|candidate| candidate.ended) {
            let Some(tally) = count.tallies.get(case.id()) else { continue };
            report.messages += tally.buckets;
            report.exceptions.extend(Exception::of_tally(case.id(), tally));
        }
        report.exceptions.extend(Exception::of_statuses(&count.statuses));
        if whole {
            report.messages.unknown_dealership += count.unknown.values().sum::<u64>();
            report.exceptions.extend(Exception::of_unknown(&count.unknown));
        }
        report
    }

    /// Bills every dealership that is to be invoiced, in the order of their ids; those that have no
    /// price are exceptions. Takes the contacts out of `count`, and leaves the buckets.
    pub(super) fn bill<'a>(
        &self,
        count: &mut Count,
        prices: &'a Prices,
    ) -> (Vec<Bill<'a>>, Vec<Exception>) {
        let (mut bills, mut exceptions) = (Vec::new(), Vec::new());
        for Candidate { case, .. } in self.selected().filter(|candidate| candidate.ended) {
            let id = case.id();
            if case.standing.is_some() || self.whole && self.cancelled.contains(id) {
                continue;
            }
            if case.agreed.is_none() {
                continue;
            }
            let tally = count.tallies.get_mut(id).map(Tally::take).unwrap_or_default();
            match bill(case.clone(), tally, prices) {
                Ok(bill) => bills.push(bill),
                Err(unbilled) => {
                    let NoCharge::NoPrice(why) = &unbilled.why else { continue };
                    exceptions.push(Exception {
                        dealership_id: Some(id.to_owned()),
                        reason: Reason::NoPrice,
                        messages: unbilled.tally.buckets.total(),
                        detail: Some(why.to_string()),
                    });
                }
            }
        }
        (bills, exceptions)
    }

    /// What the rule *Hold* looks at. Like is compared with like: the dealerships of this close that
    /// were invoiced in the month before.
    pub(super) fn hold_source(
        &self,
        bills: &[Bill<'_>],
        count: &Count,
        sources: Vec<SourceLook>,
    ) -> hold::Look {
        let compared = |Candidate { case, .. }: &Candidate| {
            let before = *self.counted_before.get(case.id())?;
            let counted = count.tallies.get(case.id())?.buckets.counted;
            Some(Compared { dealership_id: case.id().to_owned(), counted, before })
        };
        let both = self
            .selected()
            .filter(|candidate| candidate.ended && candidate.case.agreed.is_some())
            .filter_map(compared)
            .collect();
        let last_end = bills.iter().map(|bill| bill.case.period.end).max();
        hold::Look {
            sources,
            month_end: last_end.unwrap_or(self.issuer_period.end),
            messages: self.report(count, true, false).messages,
            alike: count.alike,
            both,
        }
    }

    /// What a held close would issue, in reais, beside what the same dealerships were invoiced before.
    pub(super) fn at_stake(&self, bills: &[Bill<'_>]) -> String {
        let now: Money = bills.iter().map(|bill| bill.charge.total()).sum();
        let before: Vec<Money> = bills
            .iter()
            .filter_map(|bill| self.invoiced_before.get(bill.case.id()).copied())
            .collect();
        let invoices = if bills.len() == 1 { "invoice" } else { "invoices" };
        let compared = match before.as_slice() {
            [] => String::new(),
            before => format!(
                "; in the month before these dealerships were invoiced {}",
                before.iter().copied().sum::<Money>().brl()
            ),
        };
        format!(
            "It would issue {} {invoices} of {} in all{compared}",
            grouped(bills.len() as u64),
            now.brl()
        )
    }

    /// The invoices of the month, each beside what was counted of its dealership. Takes the contacts out of
    /// `count`, and leaves the buckets.
    pub(super) fn compared<'a>(&self, count: &mut Count, prices: &'a Prices) -> Vec<Recounted<'a>> {
        let about = self.selected().filter(|candidate| candidate.ended);
        let about: BTreeSet<&str> = about.map(|candidate| candidate.case.id()).collect();
        let is_meant = |case: &&Case| about.contains(case.id());
        let cases = self.invoiced.iter().filter(is_meant).cloned().collect();
        recount::compare(cases, count, prices)
    }

    /// What the dealerships of the register are called, by id.
    pub(super) fn names(&self) -> BTreeMap<String, String> {
        let dealerships = self.candidates.iter().map(|candidate| &candidate.case.dealership);
        dealerships.map(|one| (one.id.clone(), one.name.clone())).collect()
    }

    /// Which zones each span of time belongs to.
    pub(super) fn spans(&self) -> BTreeSet<(Period, &'static str)> {
        self.candidates
            .iter()
            .map(|Candidate { case, .. }| (case.period, case.timezone.name()))
            .chain([(self.issuer_period, self.issuer_zone.name())])
            .collect()
    }

    /// Dealerships with messages of what is no contact, and how many.
    pub(super) fn not_contacts(&self, count: &Count) -> Vec<(String, u64)> {
        self.candidates
            .iter()
            .filter_map(|Candidate { case, .. }| {
                let messages = count.tallies.get(case.id())?.buckets.not_a_contact;
                (messages > 0).then(|| (case.id().to_owned(), messages))
            })
            .collect()
    }
}
