//! Whom a close is about, over which spans of time, and what their use costs.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{Charged, CloseError, CloseReport, Options};
use crate::actions::issue::Draft;
use crate::ledger::invoices::Revision;
use crate::setup::office::Office;
use fecha_core::account::adjustment::{Adjustment, Applied, apply};
use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::bill::hold;
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::counter::Counter;
use fecha_core::count::tally::{Buckets, Count, Counted, Tally};
use fecha_core::party::register::Dealership;
use fecha_core::price::advice::PastMonth;
use fecha_core::price::contract::Contracts;
use fecha_core::price::money::Money;
use fecha_core::price::table::{Line, PriceTable};

/// A dealership of the register, as this close sees it.
#[derive(Debug)]
struct Candidate {
    dealership: Dealership,
    timezone: Tz,
    period: Period,
    package: Option<u64>,
    /// Whether this close is about it.
    selected: bool,
    /// Whether its month is over.
    ended: bool,
}

/// Who is closed, and over which spans of time.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) month: Month,
    candidates: Vec<Candidate>,
    /// The invoices of the month that stand already.
    standing: BTreeMap<String, Revision>,
    /// Those of the month before.
    before: BTreeMap<String, Revision>,
    /// What its statements compare with, by dealership.
    history: BTreeMap<String, Vec<PastMonth>>,
    /// Credits and charges, by dealership.
    adjustments: BTreeMap<String, Vec<Adjustment>>,
    /// Dealerships whose invoice of the month was cancelled: only who names them closes them again.
    cancelled: BTreeSet<String>,
    issuer_zone: Tz,
    issuer_period: Period,
    /// The close is not restricted to named dealerships.
    whole: bool,
    /// It is, but after it nothing of the month is left to issue.
    completes: bool,
    /// The instant that decides what has ended.
    pub(super) now: DateTime<Utc>,
}

/// A dealership that is to be invoiced, counted and priced.
#[derive(Debug)]
pub(super) struct Bill<'a> {
    candidate: &'a Candidate,
    package: u64,
    tally: Tally,
    lines: Vec<Line>,
    adjustments: Applied,
    history: Vec<PastMonth>,
}

impl<'a> Bill<'a> {
    /// The dealership's id.
    pub(super) fn id(&self) -> &'a str {
        &self.candidate.dealership.id
    }

    /// How many messages it is about.
    pub(super) fn messages(&self) -> u64 {
        self.tally.buckets.total()
    }

    /// What is to be issued.
    pub(super) fn draft(self, month: Month) -> Draft<'a> {
        Draft {
            dealership: &self.candidate.dealership,
            month,
            period: self.candidate.period,
            timezone: self.candidate.timezone,
            package: self.package,
            tally: self.tally,
            lines: self.lines,
            adjustments: self.adjustments,
            paid: Money::ZERO,
            paid_back: Money::ZERO,
            history: self.history,
        }
    }

    /// What it would be, in a dry run.
    pub(super) fn charged(&self) -> Charged {
        Charged {
            number: None,
            dealership_id: self.candidate.dealership.id.clone(),
            package: self.package,
            uam: self.tally.uam(),
            hsm: self.tally.hsm(),
            total: self.lines.iter().chain(&self.adjustments.lines).map(|l| l.amount).sum(),
        }
    }
}

impl Plan {
    pub(super) async fn make(
        office: &Office,
        options: &Options,
        now: DateTime<Utc>,
    ) -> Result<Self, CloseError> {
        let issuer_zone = office.config.issuer.timezone;
        let month = options.month.unwrap_or_else(|| Month::last_ended(now, issuer_zone));
        let dealerships = office.ledger.dealerships().await?;
        must_be_known(&options.dealerships, &dealerships)?;
        let contracts: Contracts = office.ledger.contracts().await?.into_iter().collect();
        let standing = office.ledger.standing(month).await?;
        let before = office.ledger.standing(month.previous()).await?;
        let after = office.ledger.standing(month.next()).await?;
        let history = office.ledger.history(month).await?;
        let adjustments = office.ledger.adjustments_by_dealership().await?;
        let cancelled = office.ledger.cancelled(month).await?;
        let whole = options.dealerships.is_empty();
        let candidate = |dealership: Dealership| {
            let timezone = dealership.timezone.unwrap_or(issuer_zone);
            let id = &dealership.id;
            let issued = standing.get(id).map(|revision| &revision.invoice);
            // What is issued keeps its bounds and its package, whatever the register says since.
            let period = issued.map_or_else(
                || period(month.period_in(timezone), before.get(id), after.get(id)),
                |invoice| invoice.period,
            );
            let package = issued.map(|i| i.package).or_else(|| contracts.package_in(id, month));
            let selected = whole || options.dealerships.contains(id);
            let ended = period.has_ended(now);
            Candidate { dealership, timezone, period, package, selected, ended }
        };
        let candidates: Vec<Candidate> = dealerships.into_iter().map(candidate).collect();
        let pending = |candidate: &&Candidate| {
            let id = &candidate.dealership.id;
            candidate.package.is_some() && !standing.contains_key(id) && !cancelled.contains(id)
        };
        let completes = candidates.iter().filter(pending).all(|candidate| candidate.selected);
        let issuer_period = month.period_in(issuer_zone);
        let plan = Self {
            month,
            candidates,
            standing,
            before,
            history,
            adjustments,
            cancelled,
            issuer_zone,
            issuer_period,
            whole,
            completes,
            now,
        };
        plan.must_have_ended_somewhere()?;
        Ok(plan)
    }

    fn must_have_ended_somewhere(&self) -> Result<(), CloseError> {
        let mut spans: Vec<(Period, Tz)> =
            self.selected().map(|candidate| (candidate.period, candidate.timezone)).collect();
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

    pub(super) fn counter(&self, ignored_statuses: &[String]) -> Counter {
        let everyone = self.counts_everyone();
        let counted = |candidate: &Candidate| Counted {
            dealership_id: candidate.dealership.id.clone(),
            period: candidate.period,
            has_package: candidate.package.is_some(),
            in_scope: candidate.ended && (candidate.selected || everyone),
        };
        let unknown =
            (everyone && self.issuer_period.has_ended(self.now)).then_some(self.issuer_period);
        let dealerships = self.candidates.iter().map(counted).collect();
        Counter::new(dealerships, unknown, ignored_statuses)
    }

    /// What was found before anything is issued: of the dealerships that the close is about, or of
    /// everyone.
    pub(super) fn report(&self, count: &Count, dry_run: bool, everyone: bool) -> CloseReport {
        let whole = self.whole || everyone;
        let about = || self.candidates.iter().filter(|candidate| candidate.selected || whole);
        let id = |candidate: &Candidate| candidate.dealership.id.clone();
        let issued = |candidate: &&Candidate| self.standing.contains_key(&candidate.dealership.id);
        let mut report = CloseReport {
            month: self.month,
            issued: Vec::new(),
            already_issued: about().filter(issued).count(),
            held: None,
            open: about().filter(|candidate| !candidate.ended).map(id).collect(),
            exceptions: Vec::new(),
            messages: Buckets::default(),
            dry_run,
        };
        let mut except = |dealership_id, reason, messages| {
            if messages > 0 {
                let detail = None;
                report.exceptions.push(Exception { dealership_id, reason, messages, detail });
            }
        };
        for candidate in about().filter(|candidate| candidate.ended) {
            let tally = count.tallies.get(&candidate.dealership.id);
            let buckets = tally.map(|tally| tally.buckets).unwrap_or_default();
            report.messages += buckets;
            except(Some(id(candidate)), Reason::NoContract, buckets.no_contract);
            except(Some(id(candidate)), Reason::Malformed, buckets.malformed);
        }
        if whole {
            for (id, messages) in &count.unknown {
                report.messages.unknown_dealership += messages;
                except(id.clone(), Reason::UnknownDealership, *messages);
            }
        }
        report
    }

    /// Prices every dealership that is to be invoiced, in the order of their ids; those that have no
    /// price are exceptions. Takes the contacts out of `count`, and leaves the buckets.
    pub(super) fn price(
        &self,
        count: &mut Count,
        prices: &PriceTable,
    ) -> (Vec<Bill<'_>>, Vec<Exception>) {
        let (mut bills, mut exceptions) = (Vec::new(), Vec::new());
        for candidate in self.selected().filter(|candidate| candidate.ended) {
            let id = &candidate.dealership.id;
            let Some(package) = candidate.package else { continue };
            if self.standing.contains_key(id) || self.whole && self.cancelled.contains(id) {
                continue;
            }
            let tally = count.tallies.get_mut(id).map(Tally::take).unwrap_or_default();
            match prices.lines(package, tally.uam(), tally.hsm()) {
                Ok(lines) => {
                    let history = self.history.get(id).cloned().unwrap_or_default();
                    let own = self.adjustments.get(id).map(Vec::as_slice).unwrap_or_default();
                    let subtotal = lines.iter().map(|line| line.amount).sum();
                    let adjustments = apply(own, self.month, None, subtotal);
                    bills.push(Bill { candidate, package, tally, lines, adjustments, history });
                }
                Err(error) => exceptions.push(Exception {
                    dealership_id: Some(id.clone()),
                    reason: Reason::NoPrice,
                    messages: tally.buckets.total(),
                    detail: Some(error.to_string()),
                }),
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
        newest_message: Option<DateTime<Utc>>,
    ) -> hold::Source {
        let both: Vec<(u64, u64)> = self
            .selected()
            .filter(|candidate| candidate.ended && candidate.package.is_some())
            .filter_map(|candidate| {
                let id = &candidate.dealership.id;
                let before = self.before.get(id)?.invoice.usage.buckets.counted;
                Some((count.tallies.get(id)?.buckets.counted, before))
            })
            .collect();
        let last_end = bills.iter().map(|bill| bill.candidate.period.end).max();
        hold::Source {
            newest_message,
            month_end: last_end.unwrap_or(self.issuer_period.end),
            counted: both.iter().map(|(now, _)| now).sum(),
            counted_before: (!both.is_empty()).then(|| both.iter().map(|(_, before)| before).sum()),
        }
    }

    /// Which zones each span of time belongs to.
    pub(super) fn spans(&self) -> BTreeSet<(Period, &'static str)> {
        self.candidates
            .iter()
            .map(|candidate| (candidate.period, candidate.timezone.name()))
            .chain([(self.issuer_period, self.issuer_zone.name())])
            .collect()
    }

    /// Dealerships with messages of what is no contact, and how many.
    pub(super) fn not_contacts(&self, count: &Count) -> Vec<(String, u64)> {
        self.candidates
            .iter()
            .filter_map(|candidate| {
                let id = &candidate.dealership.id;
                let messages = count.tallies.get(id)?.buckets.not_a_contact;
                (messages > 0).then(|| (id.clone(), messages))
            })
            .collect()
    }
}

/// The month's bounds, but without a gap to, or an overlap with, the invoices beside it: after a
/// change of zone no hour is billed twice or never (spec §2 *Month*).
pub(crate) fn period(
    natural: Period,
    before: Option<&Revision>,
    after: Option<&Revision>,
) -> Period {
    Period {
        start: before.map_or(natural.start, |revision| revision.invoice.period.end),
        end: after.map_or(natural.end, |revision| revision.invoice.period.start),
    }
}

/// Refuses ids that the register lacks.
fn must_be_known(ids: &[String], dealerships: &[Dealership]) -> Result<(), CloseError> {
    let known = |id: &&String| dealerships.iter().any(|dealership| dealership.id == **id);
    let unknown: Vec<String> = ids.iter().filter(|id| !known(id)).cloned().collect();
    if unknown.is_empty() { Ok(()) } else { Err(CloseError::UnknownDealerships(unknown)) }
}
