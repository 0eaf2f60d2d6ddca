//! Who let a close go on, and how far that goes.

use chrono::{DateTime, Utc};

use super::scope::Scope;
use super::{CloseOptions, Release, deed};
use crate::ledger::LedgerError;
use crate::ledger::audit::Action;
use crate::setup::office::Office;
use fecha_core::bill::hold::Hold;

/// Keeps who let the close go on, and why it was held. Who releases some, or a plan, has not approved the others,
/// which the daemon would issue: those whose month ends later, and what another count finds after a release that
/// broke off. A release that is taken up again by its plan is the same one.
pub(super) async fn released(
    office: &Office,
    scope: &Scope,
    options: &CloseOptions,
    reasons: &[Hold],
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let mut why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    if let Release::Plan(plan) = &options.release {
        why.push(format!("plan {plan}"));
    }
    why.extend(options.reason.as_ref().map(|reason| format!("reason: {reason}")));
    let why = why.join("; ");
    let deed = deed(office, now, Action::Release, scope.month, &why);
    match (&options.release, scope.named()) {
        (Release::Plan(_), _) => office.ledger.log_once(&deed).await,
        (Release::Whatever, None) => office.ledger.release(scope.month, &deed).await,
        (Release::Whatever | Release::None | Release::Look, _) => office.ledger.log(&deed).await,
    }
}
