//! Why a line of a bank is for a person.

use std::fmt;

use super::NotRecorded;
use super::books::Unlike;
use fecha_core::account::reference::BadReference;
use fecha_core::bank::{Doubt, Matched, Sure};
use fecha_core::bill::group_bill::GroupTxid;
use fecha_core::bill::invoice::Number;

/// Why a line is not certain.
#[derive(Debug)]
pub enum Doubtful {
    /// It was recorded as this payment, which a person took back.
    TakenBack(String),
    /// Its reference is that of this payment, of another day or amount.
    Differs(String),
    /// Perhaps this invoice; but this payment of the same day and amount was entered without a reference.
    ByHand {
        /// Its number.
        number: Number,
        /// Why it may be.
        why: Sure,
        /// The other payment.
        payment: String,
    },
    /// It names this group bill; but this payment of the same day was entered for one of its dealerships without a
    /// reference.
    GroupByHand {
        /// Its txid.
        txid: GroupTxid,
        /// Why it may be.
        why: Sure,
        /// The other payment.
        payment: String,
    },
    /// One of these, or some.
    Maybe {
        /// The first ten.
        numbers: Vec<Number>,
        /// How many there are.
        of: usize,
        /// Why.
        why: Doubt,
    },
    /// Its reference cannot be kept.
    Unnamed(BadReference),
    /// Nothing is known of it.
    Unknown,
    /// It names an invoice for which it cannot be recorded.
    Refused(NotRecorded),
}

impl fmt::Display for Doubtful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakenBack(id) => Unlike::TakenBack { id: id.clone() }.fmt(f),
            Self::Differs(id) => Unlike::Differs { id: id.clone() }.fmt(f),
            Self::Unnamed(why) => why.fmt(f),
            Self::ByHand { number, why, payment } => write!(
                f,
                "perhaps {number}: {why}; but payment {payment} of the same day and amount was entered without a reference"
            ),
            Self::GroupByHand { txid, why, payment } => write!(
                f,
                "perhaps {txid}: {why}; but payment {payment} of one of its dealerships was entered on that day without a reference. If the line is other money: `fecha pay {txid}` with its day, amount and reference"
            ),
            Self::Maybe { numbers, of, why } => {
                Matched::Proposed { numbers: numbers.clone(), of: *of, why: *why }.fmt(f)
            }
            Self::Unknown => Matched::Unknown.fmt(f),
            Self::Refused(why) => why.fmt(f),
        }
    }
}
