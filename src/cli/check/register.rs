//! What the register holds, and what of it a person should look at.

use crate::cli::output::{Failure, plain};
use crate::document::must_be_printable;
use crate::setup::office::Office;
use fecha_core::party::register::Dealership;
use fecha_core::party::twins::{Twin, twins};

/// So many pairs, or texts, are named.
const MOST: usize = 20;

/// How much there is. Dealerships that may be one, and letters that no document prints, are said too: an earlier
/// import took them without a word.
pub(super) async fn holds(office: &Office) -> Result<String, Failure> {
    let dealerships = office.ledger.dealerships().await?;
    let contracts = office.ledger.contracts().await?;
    let numbers = office.ledger.business_numbers().await?.entries();
    if dealerships.is_empty() {
        let message = "is empty: fecha import --dealerships FILE --contracts FILE";
        return Err(Failure::wrong(message));
    }
    let mut text =
        format!("{} dealerships, {} contract entries", dealerships.len(), contracts.len());
    if !numbers.is_empty() {
        text += &format!(", {} business numbers", numbers.len());
    }
    let pair = |twin: &Twin<'_>| {
        format!("'{}' and '{}' may be one: {}", plain(twin.like), plain(twin.new), twin.likeness)
    };
    text += &lines(twins(&[], &dealerships).iter().map(pair).collect());
    text += &lines(dealerships.iter().flat_map(boxes).collect());
    Ok(text)
}

fn lines(mut said: Vec<String>) -> String {
    let more = said.len().saturating_sub(MOST);
    said.truncate(MOST);
    if more > 0 {
        said.push(format!("and {more} more"));
    }
    said.iter().map(|line| format!("\n{line}")).collect()
}

fn boxes(dealership: &Dealership) -> Vec<String> {
    let Dealership { id, name, trade_name, address, city, .. } = dealership;
    let texts = [name, trade_name, address, city].into_iter();
    let lacking = texts.filter_map(|text| must_be_printable(text).err());
    lacking.map(|error| format!("'{}': {error}", plain(id))).collect()
}
