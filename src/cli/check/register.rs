//! What the register holds, and what of it a person should look at.

use crate::actions::check;
use crate::cli::output::{Failure, plain};
use crate::setup::office::Office;

/// So many pairs, or texts, are named.
const MOST: usize = 20;

/// How much there is, and what is to be looked at.
pub(super) async fn holds(office: &Office) -> Result<String, Failure> {
    let dealerships = office.ledger.dealerships().await?;
    if dealerships.is_empty() {
        let message = "is empty: fecha import --dealerships FILE --contracts FILE";
        return Err(Failure::wrong(message));
    }
    let facts = check::register(office, &dealerships).await?;
    let mut text =
        format!("{} dealerships, {} contract entries", facts.dealerships, facts.contracts);
    if facts.numbers > 0 {
        text += &format!(", {} business numbers", facts.numbers);
    }
    let pairs = facts.twins.iter().map(|(one, other, likeness)| {
        format!("'{}' and '{}' may be one: {likeness}", plain(one), plain(other))
    });
    text += &lines(pairs.collect());
    let boxes = facts.unprintable.iter().map(|(id, error)| format!("'{}': {error}", plain(id)));
    text += &lines(boxes.collect());
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
