//! What a held close would issue, for finance and the admins: it has counted already, so it says what is at
//! stake; and what any other close would, for whoever reads that first.

use chrono::{DateTime, Utc};

use super::plan;
use super::scope::Scope;
use crate::actions::handover::{self, Findings, HandoverError};
use crate::ledger::LedgerError;
use crate::ledger::closing::MonthState;
use crate::ledger::holds::LastHold;
use crate::setup::office::Office;
use fecha_core::bill::bill::Bill;
use fecha_core::bill::digest::{Digest, DigestRow};
use fecha_core::bill::exception::Worth;
use fecha_core::bill::hold::{Held, Hold, Words};
use fecha_core::bill::invoice::Invoice;
use fecha_core::bill::plan::PlanHash;

/// What waits for a person.
#[derive(Debug)]
pub(super) struct Waiting {
    reasons: Vec<Hold>,
    plan: PlanHash,
    /// What would be issued, by dealership.
    invoices: Vec<Invoice>,
    /// Why, and what is at stake, for admins.
    why: String,
}

/// Who is told that a close waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// Finance and the admins, unless they know these reasons.
    Whoever,
    /// Nobody: who released it by another plan sees it now, and the others knew that it waits.
    Nobody,
    /// Nobody: who counted it again reads it. Nothing holds it any more, but nobody has read what it comes to.
    Reader,
}

/// Why a month waits that nothing holds any more.
const TO_BE_READ: &str = "O que retinha este fechamento não existe mais: contado de novo, não há outro motivo para esperar. Confira o plano e libere.";

/// Why a close waits, and what it would issue, for admins.
pub(super) fn in_words(reasons: &[Hold], scope: &Scope, bills: &[Bill<'_>]) -> String {
    let words: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    let at_stake = scope.at_stake(bills);
    if words.is_empty() { at_stake } else { format!("{}. {at_stake}", words.join("; ")) }
}

impl Waiting {
    /// Bills as they would be issued now.
    pub(super) fn of(
        office: &Office,
        bills: &[Bill<'_>],
        reasons: Vec<Hold>,
        plan: PlanHash,
        why: String,
        now: DateTime<Utc>,
    ) -> Self {
        Self { reasons, plan, invoices: plan::foreseen(office, bills, now), why }
    }

    /// Why, and what is at stake, for admins.
    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// Whether it waits for more than to be read.
    pub(super) fn is_held(&self) -> bool {
        !self.reasons.is_empty()
    }

    /// What a person reads of it; nothing is kept.
    pub(super) async fn shown(
        &self,
        office: &Office,
        worth: Worth<'_>,
        findings: Findings<'_>,
        now: DateTime<Utc>,
    ) -> Result<Held, LedgerError> {
        self.held(office, self.in_portuguese(office, worth), findings, now).await
    }

    async fn held(
        &self,
        office: &Office,
        reasons: Vec<String>,
        findings: Findings<'_>,
        now: DateTime<Utc>,
    ) -> Result<Held, LedgerError> {
        let open = findings.open.len() as u64;
        let rows = self.invoices.iter().map(DigestRow::foreseen).collect();
        let digest: Digest = handover::digest(office, findings, rows, now).await?;
        let url = office.config.public_url.as_ref();
        let page = url.map(|url| format!("{url}/months/{}", digest.month));
        Ok(Held { reasons, open, digest, plan: self.plan.clone(), page })
    }

    /// Keeps what waits, and tells who is to be told: nobody anew of the same reasons.
    pub(super) async fn keep(
        self,
        office: &Office,
        worth: Worth<'_>,
        findings: Findings<'_>,
        telling: Telling,
        now: DateTime<Utc>,
    ) -> Result<(), HandoverError> {
        let mut keys: Vec<String> = self.reasons.iter().map(Hold::key).collect();
        keys.sort_unstable();
        let mut keys = keys.join(", ");
        let last = office.ledger.last_hold(findings.month).await?;
        let before = office.ledger.closing(findings.month).await?;
        // Who released it since, in the zones that had ended then, is told of the others.
        let is_held = before.is_some_and(|before| before.state == MonthState::Held);
        // Nor is anybody told anew while months end one after the other, each of which makes it another plan.
        let is_told = |last: &LastHold| match telling {
            Telling::Whoever => {
                last.reasons == keys && (last.plan == self.plan || !findings.open.is_empty())
            }
            Telling::Nobody => last.plan == self.plan,
            Telling::Reader => last.plan == self.plan && last.reasons.is_empty(),
        };
        if is_held && last.as_ref().is_some_and(is_told) {
            return Ok(());
        }
        let mut reasons = self.in_portuguese(office, worth);
        if telling == Telling::Reader {
            reasons = vec![TO_BE_READ.to_owned()];
        }
        if let (Telling::Nobody, Some(last)) = (telling, &last) {
            // It waits for the person who has to look at it again, for whatever reasons it waited.
            keys.clone_from(&last.reasons);
            if reasons.is_empty() {
                reasons = office.ledger.held(findings.month, last.sequence).await?.reasons;
            }
        }
        let sequence = last.map_or(0, |last| last.sequence) + 1;
        let held = self.held(office, reasons, findings, now).await?;
        let letters = match telling {
            Telling::Whoever => {
                let to = office.config.email.finance_and_admins();
                office.addresser.held(&held, sequence, to, now)?
            }
            Telling::Nobody | Telling::Reader => Vec::new(),
        };
        office.ledger.hold(&held, sequence, &keys, &self.invoices, &letters).await?;
        Ok(())
    }

    fn in_portuguese(&self, office: &Office, worth: Worth<'_>) -> Vec<String> {
        let words = Words {
            zone: office.config.issuer.timezone,
            prices: worth.prices,
            names: worth.names,
            before: worth.before,
        };
        self.reasons.iter().map(|reason| reason.in_portuguese(words)).collect()
    }
}
