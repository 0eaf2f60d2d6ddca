//! Tells dealerships that have used 80 % and 100 % of their package in the running month, where they or
//! the configuration want it.

use chrono::{DateTime, Utc};

use crate::actions::close::CloseError;
use crate::actions::preview::{Preview, preview_month};
use crate::ledger::LedgerError;
use crate::letters::template::TemplateError;
use crate::messages::Sources;
use crate::setup::office::Office;
use fecha_core::bill::package_use::{Outlook, PackageUse, reached};
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;
use fecha_core::price::rates::Rates;

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
pub async fn subscribers(office: &Office) -> Result<Vec<String>, LedgerError> {
    let configured = office.config.alerts.package_use;
    let dealerships = office.ledger.dealerships().await?;
    let wanted = dealerships.into_iter().filter(|d| d.package_use.unwrap_or(configured));
    Ok(wanted.map(|dealership| dealership.id).collect())
}

/// Counts a running month of the `subscribers` and tells each that has reached a threshold it was not
/// told of; how many were told. Nobody is told where there are no subscribers.
///
/// # Errors
/// [`PackageUseError`]. Who was told before the error is not told again.
pub async fn tell_of_packages(
    office: &Office,
    source: &Sources,
    month: Month,
    subscribers: &[String],
    now: DateTime<Utc>,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<usize, PackageUseError> {
    // An empty list would mean everyone.
    if subscribers.is_empty() {
        return Ok(0);
    }
    let told = office.ledger.package_notices(month).await?;
    let mut count = 0;
    let previewed = preview_month(office, source, month, subscribers, now, progress).await?;
    for preview in previewed.dealerships {
        let case = preview.case();
        let id = case.id();
        let told = told.get(id).map(Vec::as_slice).unwrap_or_default();
        let Some(threshold) = reached(preview.now().uam, preview.package(), told) else { continue };
        // Without a price there is nothing to say of money; a close, and `check`, name the dealership.
        let Some(rates) = preview.rates() else { continue };
        let package_use = package_use(office, &preview, month, threshold, rates, now);
        let letters = office.addresser.package_use(&case.dealership, &package_use, now)?;
        if office.ledger.tell_of_package(id, &package_use, &letters, now).await? {
            count += 1;
        }
    }
    Ok(count)
}

fn package_use(
    office: &Office,
    preview: &Preview<'_>,
    month: Month,
    threshold: u64,
    rates: Rates<'_>,
    now: DateTime<Utc>,
) -> PackageUse {
    let (case, package, uam) = (preview.case(), preview.package(), preview.now().uam);
    let over = uam.saturating_sub(package);
    PackageUse {
        issuer: office.config.issuer.clone(),
        dealership: case.dealership.party(),
        month,
        threshold,
        uam,
        package,
        overage_price: rates.overage_of(package),
        // A package without a price has no notice of money either.
        overage_amount: rates.overage_of(package).times(over).unwrap_or(Money::ZERO),
        as_of: now,
        on: now.with_timezone(&case.timezone).date_naive(),
        outlook: Outlook::of(rates, package, preview.projected().uam),
    }
}
