//! Counts a month again and compares it with every invoice that stands, and checks that the ledger
//! itself is whole. Changes nothing.

mod account;
mod groups;
mod integrity;

use chrono::{DateTime, Utc};

pub use self::integrity::Problem;
use crate::actions::recount::{RecountError, recount};
use crate::ledger::LedgerError;
use crate::messages::Sources;
use crate::setup::office::Office;
use fecha_core::bill::difference::Difference;
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;

/// What a verification found.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The month.
    pub month: Month,
    /// How many invoices would be the same today.
    pub agrees: usize,
    /// Those that would not, by dealership.
    pub differs: Vec<Differing>,
    /// Those that cannot be compared, since their messages, or the older ones of them, are not in the message
    /// database any more.
    pub purged: Vec<Purged>,
    /// What is wrong with the ledger itself.
    pub problems: Vec<Problem>,
}

/// An invoice that would be another one today.
#[derive(Debug, Clone)]
pub struct Differing {
    /// The number.
    pub number: Number,
    /// The revision that stands.
    pub revision: u32,
    /// Who is invoiced.
    pub dealership_id: String,
    /// What changed.
    pub difference: Difference,
    /// Why today's use has no price.
    pub unpriced: Option<String>,
}

/// An invoice whose messages were deleted, all or those before an instant.
#[derive(Debug, Clone)]
pub struct Purged {
    /// The number.
    pub number: Number,
    /// Who is invoiced.
    pub dealership_id: String,
    /// Messages from this instant on are left; `None` where none of the period is.
    pub left_from: Option<DateTime<Utc>>,
}

impl Verified {
    /// Whether a person must look: the exit status 1.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        !(self.differs.is_empty() && self.purged.is_empty() && self.problems.is_empty())
    }
}

/// Verifies the invoices of a month.
///
/// # Errors
/// [`RecountError`] where it could not be done; what it finds is no error.
pub async fn verify_month(
    office: &Office,
    source: &Sources,
    month: Month,
    now: DateTime<Utc>,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Verified, RecountError> {
    let problems = integrity::check(office, month).await?;
    let standing = office.ledger.standing_invoices(month).await?;
    let mut verified =
        Verified { month, agrees: 0, differs: Vec::new(), purged: Vec::new(), problems };
    for recounted in recount(office, source, month, standing, now, progress).await? {
        let number = recounted.invoice.number;
        let dealership_id = recounted.id().to_owned();
        if recounted.purged {
            verified.purged.push(Purged { number, dealership_id, left_from: None });
            continue;
        }
        match recounted.difference(office).await {
            Ok(difference) if difference.is_none() => verified.agrees += 1,
            Ok(difference) => match recounted.deleted_before(&difference) {
                Some(instant) => {
                    let left_from = Some(instant);
                    verified.purged.push(Purged { number, dealership_id, left_from });
                }
                None => verified.differs.push(Differing {
                    number,
                    revision: recounted.invoice.revision,
                    dealership_id,
                    difference,
                    unpriced: recounted
                        .today
                        .as_ref()
                        .err()
                        .and_then(|unbilled| unbilled.unpriced()),
                }),
            },
            // Damaged evidence is among the problems already; the other invoices are still compared.
            Err(LedgerError::Corrupt(_) | LedgerError::Damaged { .. })
                if !verified.problems.is_empty() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(verified)
}
