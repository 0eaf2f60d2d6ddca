//! What was paid of each invoice, for the commands that show or record it.

use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDate;

use crate::cli::output::Failure;
use crate::ledger::invoices::{Filter, Revision};
use crate::setup::office::Office;
use fecha_core::account::adjustment::{Adjustment, paid_back};
use fecha_core::account::settled::Account;
use fecha_core::bill::invoice::InvoiceState;
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// Every invoice that stands, and what was paid for each.
pub struct Books {
    standing: BTreeMap<Number, Revision>,
    payments: BTreeMap<Number, Money>,
    /// Number, day and centavos.
    recorded: HashSet<(Number, NaiveDate, Money)>,
    adjustments: Vec<Adjustment>,
    /// The issuer's local day.
    pub today: NaiveDate,
}

impl Books {
    /// Reads them.
    pub async fn open(office: &Office) -> Result<Self, Failure> {
        let ledger = &office.ledger;
        let revisions = ledger.revisions(Filter::default()).await?;
        let standing =
            revisions.into_iter().filter(|revision| revision.state == InvoiceState::Issued);
        let recorded: HashSet<_> = ledger.payments().await?.into_iter().collect();
        let mut payments: BTreeMap<Number, Money> = BTreeMap::new();
        for (number, _, amount) in &recorded {
            *payments.entry(*number).or_default() += *amount;
        }
        Ok(Self {
            standing: standing.map(|revision| (revision.invoice.number, revision)).collect(),
            payments,
            recorded,
            adjustments: ledger.adjustments().await?,
            today: office.clock.now().with_timezone(&office.config.issuer.timezone).date_naive(),
        })
    }

    /// The account of a revision.
    pub fn account(&self, revision: &Revision) -> Account {
        let number = revision.invoice.number;
        let paid = self.payments.get(&number).copied().unwrap_or_default();
        Account::of(&revision.invoice, paid - paid_back(&self.adjustments, number))
    }

    /// How much is to be recorded for a payment; `None` where it is recorded already. Counts it from
    /// then on, so that two in one file do not pay the same twice.
    ///
    /// # Errors
    /// Why the payment cannot be recorded.
    pub fn plan(
        &mut self,
        number: Number,
        on: NaiveDate,
        amount: Option<Money>,
    ) -> Result<Option<Money>, String> {
        let Some(revision) = self.standing.get(&number) else {
            return Err(format!("no invoice {number} stands: `fecha invoices` lists all"));
        };
        if amount.is_some_and(|amount| self.recorded.contains(&(number, on, amount))) {
            return Ok(None);
        }
        let open = self.account(revision).open();
        match amount.unwrap_or(open) {
            _ if on > self.today => Err(format!("{on} is in the future")),
            amount if amount < Money::ZERO => Err(format!("{amount} is below zero")),
            Money::ZERO if amount.is_none() => Ok(None),
            Money::ZERO => Err("an amount of zero pays nothing".to_owned()),
            amount if amount > open => Err(format!(
                "{} is more than the {} that are open of {number}: record those, and enter the rest as a credit with `fecha adjust`",
                amount.brl(),
                open.brl()
            )),
            amount => {
                *self.payments.entry(number).or_default() += amount;
                self.recorded.insert((number, on, amount));
                Ok(Some(amount))
            }
        }
    }

    /// The month of an invoice that stands.
    pub fn month_of(&self, number: Number) -> Option<Month> {
        self.standing.get(&number).map(|revision| revision.invoice.month)
    }

    /// The dealership of an invoice that stands.
    pub fn dealership_of(&self, number: Number) -> Option<&str> {
        self.standing.get(&number).map(|revision| revision.invoice.dealership_id.as_str())
    }
}
