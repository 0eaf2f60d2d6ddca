//! Tells dealerships that have used 80 % and 100 % of their package in the running month, where they or
//! the configuration want it.

use chrono::{DateTime, Utc};

use crate::billing::money::Money;
use crate::billing::month::Month;
use crate::billing::package_use::{PackageUse, reached};
use crate::billing::price::PriceTable;
use crate::close::CloseError;
use crate::issue::{Desk, recipients};
use crate::ledger::LedgerError;
use crate::ledger::outbox::{Content, Kind, NewEmail};
use crate::mail::template::TemplateError;
use crate::messages::Source;
use crate::preview::{Preview, preview_month};

/// Dealerships could not be told; the next look does it.
#[derive(Debug, thiserror::Error)]
pub enum PackageUseError {
    /// The month could not be counted.
    #[error(transparent)]
    Count(#[from] CloseError),
    /// The email could not be worded.
    #[error("the email about a package could not be written: {0}")]
    Template(#[from] TemplateError),
}

impl From<LedgerError> for PackageUseError {
    fn from(error: LedgerError) -> Self {
        Self::Count(error.into())
    }
}

/// The dealerships that want to be told, by id.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn subscribers(desk: &Desk<'_>) -> Result<Vec<String>, LedgerError> {
    let configured = desk.config.alerts.package_use;
    let dealerships = desk.ledger.dealerships().await?;
    let wanted = dealerships.into_iter().filter(|d| d.package_use.unwrap_or(configured));
    Ok(wanted.map(|dealership| dealership.id).collect())
}

/// Counts a running month of the `subscribers` and tells each that has reached a threshold it was not
/// told of; how many were told. Nobody is told where there are no subscribers.
///
/// # Errors
/// [`PackageUseError`]. Who was told before the error is not told again.
pub async fn tell_of_packages(
    desk: &Desk<'_>,
    source: &Source,
    month: Month,
    subscribers: &[String],
    now: DateTime<Utc>,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<usize, PackageUseError> {
    // An empty list would mean everyone.
    if subscribers.is_empty() {
        return Ok(0);
    }
    let prices = desk.config.prices.table_for(month).map_err(CloseError::from)?;
    let told = desk.ledger.package_notices(month).await?;
    let mut count = 0;
    for preview in preview_month(desk, source, month, subscribers, now, progress).await? {
        let id = &preview.dealership.id;
        let told = told.get(id).map(Vec::as_slice).unwrap_or_default();
        let Some(threshold) = reached(preview.now.uam, preview.package, told) else { continue };
        let package_use = package_use(desk, &preview, month, threshold, prices, now);
        let emails = emails(desk, &preview, &package_use, now)?;
        if desk.ledger.tell_of_package(id, &package_use, &emails, now).await? {
            count += 1;
        }
    }
    Ok(count)
}

fn package_use(
    desk: &Desk<'_>,
    preview: &Preview,
    month: Month,
    threshold: u64,
    prices: &PriceTable,
    now: DateTime<Utc>,
) -> PackageUse {
    let Preview { dealership, package, now: cost, .. } = preview;
    let over = cost.uam.saturating_sub(*package);
    PackageUse {
        issuer: desk.config.issuer.clone(),
        dealership: dealership.party(),
        month,
        threshold,
        uam: cost.uam,
        package: *package,
        overage_price: prices.overage,
        // A package without a price has no notice of money either.
        overage_amount: prices.overage.times(over).unwrap_or(Money::ZERO),
        as_of: now,
        on: now.with_timezone(&preview.timezone).date_naive(),
    }
}

/// One email to each of the dealership's addresses.
fn emails(
    desk: &Desk<'_>,
    preview: &Preview,
    package_use: &PackageUse,
    now: DateTime<Utc>,
) -> Result<Vec<NewEmail>, TemplateError> {
    let subject = desk.templates.package_use(package_use)?.subject;
    let PackageUse { month, threshold, .. } = package_use;
    let id = &preview.dealership.id;
    let email = |recipient| NewEmail {
        kind: Kind::PackageUse,
        cause: format!("{month} {threshold}% {id}"),
        recipient,
        redirected_to: desk.config.email.redirect.clone(),
        resend: 0,
        number: None,
        content: Content::PackageUse { package_use: Box::new(package_use.clone()) },
        subject: subject.clone(),
        message_id: desk.sender.new_message_id(now),
    };
    Ok(recipients(&preview.dealership).into_iter().map(email).collect())
}
