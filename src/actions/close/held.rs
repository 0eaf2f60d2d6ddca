//! What a held close would issue, for finance and the admins: it has counted already, so it says what is at
//! stake.

use chrono::{DateTime, Utc};

use super::plan;
use crate::actions::handover::{self, Findings, HandoverError};
use crate::ledger::closing::MonthState;
use crate::ledger::holds::LastHold;
use crate::setup::office::Office;
use fecha_core::bill::bill::Bill;
use fecha_core::bill::digest::{Digest, DigestRow};
use fecha_core::bill::exception::Worth;
use fecha_core::bill::hold::{Held, Hold, Words};
use fecha_core::bill::plan::PlanHash;

/// What waits for a person.
#[derive(Debug)]
pub(super) struct Waiting {
    reasons: Vec<Hold>,
    plan: PlanHash,
    /// What would be issued, by dealership.
    rows: Vec<DigestRow>,
}

impl Waiting {
    /// Bills as they would be issued now.
    pub(super) fn of(
        office: &Office,
        bills: &[Bill<'_>],
        reasons: Vec<Hold>,
        plan: PlanHash,
        now: DateTime<Utc>,
    ) -> Self {
        let foreseen = plan::foreseen(office, bills, now);
        Self { reasons, plan, rows: foreseen.iter().map(DigestRow::foreseen).collect() }
    }

    /// Tells finance and the admins, unless they were told of the same reasons before.
    pub(super) async fn tell(
        self,
        office: &Office,
        worth: Worth<'_>,
        findings: Findings<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), HandoverError> {
        let mut keys: Vec<String> = self.reasons.iter().map(Hold::key).collect();
        keys.sort_unstable();
        let keys = keys.join(", ");
        let last = office.ledger.last_hold(findings.month).await?;
        let before = office.ledger.closing(findings.month).await?;
        // Who released it since, in the zones that had ended then, is told of the others.
        let is_held = before.is_some_and(|before| before.state == MonthState::Held);
        // Nor is anybody told anew while months end one after the other, each of which makes it another plan.
        let is_told = |last: &LastHold| {
            last.reasons == keys && (last.plan == self.plan || !findings.open.is_empty())
        };
        if is_held && last.as_ref().is_some_and(is_told) {
            return Ok(());
        }
        let sequence = last.map_or(0, |last| last.sequence) + 1;
        let words = Words {
            zone: office.config.issuer.timezone,
            prices: worth.prices,
            names: worth.names,
            before: worth.before,
        };
        let open = findings.open.len() as u64;
        let digest: Digest = handover::digest(office, findings, self.rows, now).await?;
        let reasons = self.reasons.iter().map(|reason| reason.in_portuguese(words)).collect();
        let url = office.config.public_url.as_ref();
        let page = url.map(|url| format!("{url}/months/{}", digest.month));
        let held = Held { reasons, open, digest, plan: self.plan, page };
        let to = office.config.email.finance_and_admins();
        let letters = office.addresser.held(&held, sequence, to, now)?;
        office.ledger.hold(&held, sequence, &keys, &letters).await?;
        Ok(())
    }
}
