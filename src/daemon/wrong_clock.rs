//! What was decided under a clock that was wrong: it is fixed where that is certain, and a person is called.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::ACTOR;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::closing::MonthState;
use crate::ledger::{Ledger, LedgerError};
use fecha_core::calendar::due::{FirstMonth, is_premature};
use fecha_core::calendar::month::Month;

/// A trace of a wrong clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongClock {
    /// The first month was `wrong`, and is `right` now.
    FirstMonthMended { wrong: Month, right: Month },
    /// The first month is yet to come: nothing is closed before it.
    FirstMonthAhead { first: Month },
    /// A look at a month that has not ended is forgotten: it will be looked at again.
    LookForgotten { month: Month, looked_at: DateTime<Utc> },
    /// A month was closed that has not ended.
    ClosedEarly { month: Month, looked_at: DateTime<Utc> },
}

/// Who looks, and when.
#[derive(Debug, Clone, Copy)]
pub struct Glance<'a> {
    pub ledger: &'a Ledger,
    pub now: DateTime<Utc>,
    pub zone: Tz,
    /// The month in which this daemon was started, by the clock as it was then.
    pub started_in: Month,
}

impl Glance<'_> {
    /// The first month that is closed, fixed where the clock of the first start was wrong.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read or written.
    pub async fn first_month(self, traces: &mut Vec<WrongClock>) -> Result<Month, LedgerError> {
        let this_month = Month::last_ended(self.now, self.zone).next();
        // A ledger that could not be written at the start hears of it later.
        let first = self.ledger.first_month(self.started_in.min(this_month)).await?;
        if first <= this_month {
            return Ok(first);
        }
        let import = self.ledger.last_import().await?;
        match FirstMonth::judge(first, import, self.now, self.zone) {
            FirstMonth::Stands => Ok(first),
            FirstMonth::Ahead => {
                traces.push(WrongClock::FirstMonthAhead { first });
                Ok(first)
            }
            FirstMonth::Mistaken(right) => {
                let detail = format!(
                    "the first month is {right}: the clock said {first} when the daemon was first started"
                );
                let deed = self.deed(Action::Hold, right, &detail);
                self.ledger.mend_first_month(first, right, &deed).await?;
                tracing::error!(%first, %right, "a wrong clock: {detail}");
                traces.push(WrongClock::FirstMonthMended { wrong: first, right });
                Ok(right)
            }
        }
    }

    /// Forgets looks at months that have not ended, and finds closes of such.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn forget_premature(
        self,
        zones: &[Tz],
        states: &mut BTreeMap<Month, (MonthState, DateTime<Utc>)>,
        traces: &mut Vec<WrongClock>,
    ) -> Result<(), LedgerError> {
        let premature: Vec<_> = states
            .iter()
            .map(|(month, (state, looked_at))| (*month, *state, *looked_at))
            .filter(|(month, _, looked_at)| is_premature(*month, *looked_at, self.now, zones))
            .collect();
        for (month, state, looked_at) in premature {
            if state == MonthState::Closed {
                traces.push(WrongClock::ClosedEarly { month, looked_at });
                continue;
            }
            let detail = format!(
                "the look of {looked_at} is void: the clock was ahead, and the month has not ended"
            );
            let deed = self.deed(Action::Hold, month, &detail);
            if self.ledger.forget_look(month, looked_at, &deed).await? {
                tracing::error!(%month, "a wrong clock: {detail}");
                traces.push(WrongClock::LookForgotten { month, looked_at });
            }
            states.remove(&month);
        }
        Ok(())
    }

    fn deed(self, action: Action, month: Month, detail: &str) -> Deed<'_> {
        let month = Some(month);
        Deed { at: self.now, actor: ACTOR, action, month, dealership_id: None, detail }
    }
}
