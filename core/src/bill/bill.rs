//! A dealership's month as it is billed. [`bill`] is the one place where it is put together: a close, a
//! preview, a rerun, a verification and whatever else asks what a month costs call it.

use chrono::{DateTime, Utc};

use crate::account::note::{Note, Taken, take};
use crate::bill::case::Case;
use crate::bill::difference::{Changes, Difference, Today};
use crate::bill::invoice::{Invoice, Number, Replacement, Usage};
use crate::bill::pro_forma::{Ahead, NO_NUMBER, ProForma};
use crate::calendar::due_date::due_date;
use crate::calendar::month::Month;
use crate::count::evidence::IdVersion;
use crate::count::projection::{Projection, project};
use crate::count::sending::Sent;
use crate::count::tally::Tally;
use crate::party::numbers::BusinessNumber;
use crate::party::pix::{PixKey, Receiver, br_code};
use crate::party::register::Issuer;
use crate::price::contract::Agreed;
use crate::price::item::Line;
use crate::price::money::Money;
use crate::price::rates::Rates;
use crate::price::table::{NoPrice, PriceTable, Prices};

/// The issuer's terms, the same on every invoice.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Who bills.
    pub issuer: &'a Issuer,
    /// Where PIX payments go.
    pub pix: Option<&'a PixKey>,
    /// Day of the month on which dealerships without one of their own pay.
    pub due_day: u32,
    /// What is asked of who pays late, in the issuer's words.
    pub late_fee: Option<&'a str>,
}

/// A dealership's month, counted and priced.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill<'a> {
    /// Whose, and when.
    pub case: Case,
    /// What was counted.
    pub tally: Tally,
    /// By which prices.
    pub rates: Rates<'a>,
    /// What it comes to.
    pub charge: Charge,
}

/// A dealership's month that was counted and has no price.
#[derive(Debug, Clone, PartialEq)]
pub struct Unbilled<'a> {
    /// Whose, and when.
    pub case: Case,
    /// What was counted.
    pub tally: Tally,
    /// The month's table of its list, where there is one.
    pub table: Option<&'a PriceTable>,
    /// Why it has none.
    pub why: NoCharge,
}

/// Why a month is not charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCharge {
    /// No package is due.
    #[error("has no package")]
    NoPackage,
    /// The prices do not cover it.
    #[error(transparent)]
    NoPrice(#[from] NoPrice),
}

/// What a month's use comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Contacts included.
    pub package: u64,
    /// By table and contract.
    pub lines: Vec<Line>,
    /// Credits and charges beside that.
    pub taken: Taken,
}

/// A use that is to be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use<'a> {
    /// Contacts included.
    pub package: u64,
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages.
    pub hsm: u64,
    /// What is told apart of the messages sent.
    pub sent: &'a Sent,
    /// The dealership's numbers of the month.
    pub numbers: &'a [BusinessNumber],
}

impl Use<'static> {
    /// Of a dealership whose messages are not told apart, all of them billed, and that has no number.
    #[must_use]
    pub fn plain(package: u64, uam: u64, hsm: u64) -> Self {
        Self { package, uam, hsm, sent: Sent::none(), numbers: &[] }
    }
}

impl Use<'_> {
    /// Contacts above the package.
    #[must_use]
    pub fn overage(self) -> u64 {
        self.uam.saturating_sub(self.package)
    }
}

/// The credits and charges that may go on an invoice.
#[derive(Debug, Clone, Copy)]
pub struct Corrections<'a> {
    /// All of the dealership, by id.
    pub all: &'a [Note],
    /// The month of the invoice.
    pub month: Month,
    /// Its number, where it stands already: it keeps what it carries.
    pub number: Option<Number>,
}

impl Corrections<'_> {
    /// None at all: what the use alone comes to.
    #[must_use]
    pub fn none(month: Month) -> Self {
        Self { all: &[], month, number: None }
    }
}

/// What a new revision is headed with.
#[derive(Debug, Clone)]
pub struct Heading {
    /// Its number.
    pub number: Number,
    /// What it replaces, where it is not the first; what was paid follows from the account.
    pub replaces: Option<Replacement>,
    /// Of its evidence, hexadecimal.
    pub evidence_sha256: String,
    /// How the ids in it are made.
    pub evidence_ids: IdVersion,
    /// When it is issued.
    pub issued_at: DateTime<Utc>,
}

/// Puts a dealership's month together from what was counted: the one function that does.
///
/// # Errors
/// [`Unbilled`], which has all that was put in, where there is no package or no price.
pub fn bill(case: Case, tally: Tally, prices: &Prices) -> Result<Bill<'_>, Box<Unbilled<'_>>> {
    let charged = case.rates(prices).and_then(|rates| {
        tally.prove_sent(rates.table)?;
        let charge = case.charge(tally.uam(), tally.hsm(), &tally.sent, rates)?;
        Ok((rates, charge))
    });
    match charged {
        Ok((rates, charge)) => Ok(Bill { case, tally, rates, charge }),
        Err(why) => {
            let table = case.table(prices).ok();
            Err(Box::new(Unbilled { case, tally, table, why }))
        }
    }
}

impl Case {
    /// The month's table of the contract's list; without a contract the standard one.
    ///
    /// # Errors
    /// [`NoPrice`] where the list has none for the month.
    fn table<'a>(&self, prices: &'a Prices) -> Result<&'a PriceTable, NoPrice> {
        let list = self.agreed.as_ref().and_then(|agreed| agreed.list.as_ref());
        prices.table_of(list, self.month)
    }

    /// By what it is priced.
    ///
    /// # Errors
    /// [`NoCharge`] without a contract, or a table of its list.
    pub fn rates<'a>(&self, prices: &'a Prices) -> Result<Rates<'a>, NoCharge> {
        let agreed = self.agreed.as_ref().ok_or(NoCharge::NoPackage)?;
        Ok(Rates { table: self.table(prices)?, discount: agreed.discount })
    }

    /// What this much use would come to, with the credits and charges that the invoice would carry.
    ///
    /// # Errors
    /// [`NoCharge`] without a package, or a price.
    pub fn charge(
        &self,
        uam: u64,
        hsm: u64,
        sent: &Sent,
        rates: Rates<'_>,
    ) -> Result<Charge, NoCharge> {
        let Agreed { package, .. } = *self.agreed.as_ref().ok_or(NoCharge::NoPackage)?;
        let corrections =
            Corrections { all: &self.notes, month: self.month, number: self.number() };
        let used = Use { package, uam, hsm, sent, numbers: &self.numbers };
        Ok(Charge::of(used, rates, corrections)?)
    }

    /// What an invoice of today would change; `charge` is what it would come to. `None` where nothing is
    /// invoiced yet.
    fn difference(
        &self,
        tally: &Tally,
        charge: Result<&Charge, &NoCharge>,
        prices: Option<&PriceTable>,
        changes: Changes,
    ) -> Option<Difference> {
        let today = Today {
            party: self.dealership.party(),
            agreed: self.agreed.as_ref(),
            uam: tally.uam(),
            hsm: tally.hsm(),
            sent: &tally.sent,
            numbers: &self.numbers,
            contacts: changes.contacts,
            by_rules: changes.by_rules,
            lines: match charge {
                Ok(charge) => Some(charge.all_lines()),
                Err(NoCharge::NoPackage) => Some(Vec::new()),
                Err(NoCharge::NoPrice(_)) => None,
            },
            prices,
        };
        self.standing.as_ref().map(|invoice| Difference::between(invoice, &today))
    }
}

impl Charge {
    /// Prices a use and applies the corrections to it.
    ///
    /// # Errors
    /// [`NoPrice`] where the table lacks the package, or an amount is beyond all bounds.
    pub fn of(
        used: Use<'_>,
        rates: Rates<'_>,
        corrections: Corrections<'_>,
    ) -> Result<Self, NoPrice> {
        let lines = rates.lines(used)?;
        let Corrections { all, month, number } = corrections;
        let subtotal = lines.iter().map(|line| line.amount).sum();
        let taken = take(all, month, number, subtotal);
        Ok(Self { package: used.package, lines, taken })
    }

    /// The lines of table and contract, then the corrections, as the invoice prints them.
    #[must_use]
    pub fn all_lines(&self) -> Vec<Line> {
        [&self.lines[..], &self.taken.lines].concat()
    }

    /// What is invoiced.
    #[must_use]
    pub fn total(&self) -> Money {
        self.lines.iter().chain(&self.taken.lines).map(|line| line.amount).sum()
    }
}

impl<'a> Bill<'a> {
    /// The same month without a price, for this reason.
    #[must_use]
    pub fn without_charge(self, why: NoCharge) -> Unbilled<'a> {
        let Self { case, tally, rates, charge: _ } = self;
        Unbilled { case, tally, table: Some(rates.table), why }
    }

    /// The document of a new revision.
    #[must_use]
    pub fn invoice(&self, terms: Terms<'_>, heading: Heading) -> Invoice {
        let Heading { number, replaces, evidence_sha256, evidence_ids, issued_at } = heading;
        let Case { dealership, month, timezone, .. } = &self.case;
        let issued_on = issued_at.with_timezone(timezone).date_naive();
        let due_day = dealership.due_day.unwrap_or(terms.due_day);
        let paid = self.case.available.paid_of(self.charge.total());
        let replaces = replaces.map(|before| Replacement { paid, ..before });
        let pix = terms.pix.and_then(|key| {
            let receiver = Receiver { key, name: &terms.issuer.name, city: &terms.issuer.city };
            let to_pay = (self.charge.total() - paid).max(Money::ZERO);
            br_code(receiver, to_pay, &number.txid())
        });
        Invoice {
            number,
            revision: replaces.as_ref().map_or(0, |before| before.revision + 1),
            issued_at,
            issued_on,
            due_on: due_date(*month, due_day, issued_on, replaces.is_some()),
            evidence_sha256,
            evidence_ids,
            pix,
            late_fee: terms.late_fee.map(str::to_owned),
            prices: Some(self.rates.table.clone()),
            history: self.case.history.clone(),
            already_paid: if replaces.is_none() { paid } else { Money::ZERO },
            replaces,
            ..self.content(terms.issuer, issued_at)
        }
    }

    /// What is charged for.
    #[must_use]
    pub fn used(&self) -> Use<'_> {
        Use {
            package: self.charge.package,
            uam: self.tally.uam(),
            hsm: self.tally.hsm(),
            sent: &self.tally.sent,
            numbers: &self.case.numbers,
        }
    }

    /// The dealership's numbers of the month, where the prices ask.
    fn numbers(&self) -> Vec<BusinessNumber> {
        let asked = self.rates.table.is_by_number();
        if asked { self.case.numbers.clone() } else { Vec::new() }
    }

    /// What it would be invoiced as, for a document that nobody may take for an invoice.
    #[must_use]
    pub fn pro_forma(&self, issuer: &Issuer, now: DateTime<Utc>) -> ProForma {
        let is_running = !self.case.period.has_ended(now);
        let ahead = is_running.then(|| self.ahead(now).ok()).flatten();
        ProForma { content: self.content(issuer, now), as_of: now, ahead }
    }

    /// Where the month is heading at the present pace: the month itself, once it is over.
    ///
    /// # Errors
    /// [`NoCharge`] where that much use has no price.
    pub fn ahead(&self, now: DateTime<Utc>) -> Result<Ahead, NoCharge> {
        let Projection { uam, hsm, sent } = project(&self.tally, self.case.period, now);
        let total = self.case.charge(uam, hsm, &sent, self.rates)?.total();
        Ok(Ahead { uam, hsm, total })
    }

    /// What an invoice of today would change; `changes` are those to its evidence. `None` where nothing is
    /// invoiced yet.
    #[must_use]
    pub fn difference(&self, changes: Changes) -> Option<Difference> {
        self.case.difference(&self.tally, Ok(&self.charge), Some(self.rates.table), changes)
    }

    /// All that a document says of the month itself: no number, no way to pay.
    fn content(&self, issuer: &Issuer, now: DateTime<Utc>) -> Invoice {
        let Case { dealership, month, period, timezone, .. } = &self.case;
        let on = now.with_timezone(timezone).date_naive();
        Invoice {
            number: NO_NUMBER,
            revision: 0,
            issuer: issuer.clone(),
            dealership_id: dealership.id.clone(),
            dealership: dealership.party(),
            month: *month,
            period: *period,
            timezone: *timezone,
            package: self.charge.package,
            numbers: self.numbers(),
            usage: Usage::of(&self.tally, *timezone),
            lines: self.charge.all_lines(),
            issued_at: now,
            issued_on: on,
            due_on: on,
            evidence_sha256: String::new(),
            evidence_ids: IdVersion::NEWEST,
            rules: self.case.rules,
            pix: None,
            late_fee: None,
            prices: None,
            history: Vec::new(),
            already_paid: Money::ZERO,
            credit_left: self.charge.taken.left,
            replaces: None,
        }
    }
}

impl Unbilled<'_> {
    /// What the prices lack, in words; `None` where the package itself is missing.
    #[must_use]
    pub fn unpriced(&self) -> Option<String> {
        match &self.why {
            NoCharge::NoPackage => None,
            NoCharge::NoPrice(error) => Some(error.to_string()),
        }
    }

    /// What an invoice of today would change; `changes` are those to its evidence. `None` where nothing is
    /// invoiced yet.
    #[must_use]
    pub fn difference(&self, changes: Changes) -> Option<Difference> {
        self.case.difference(&self.tally, Err(&self.why), self.table, changes)
    }
}

#[cfg(test)]
mod tests;
