use serde::Serialize;

use super::counted;
use super::invoice::{IssuerView, day, greeting};
use fecha_core::bill::package_use::PackageUse;
use fecha_core::price::money::grouped;

/// What the email about the use of a package says.
#[derive(Debug, Serialize)]
pub struct PackageUseView {
    greeting: String,
    month: String,
    uam: String,
    package: String,
    /// Whole percent, rounded down.
    percent: String,
    /// Width of the bar: the percentage, from 1 to 100.
    bar: u64,
    /// Nothing of the package is left.
    full: bool,
    /// `988 contatos`, up to the end of the package.
    left: String,
    /// `12 contatos`, where there are any above the package, and what they cost.
    over: Option<(String, String)>,
    /// What each further contact costs.
    price: String,
    /// `6 dias`; `None` on the month's last day.
    days: Option<String>,
    last_day: String,
    as_of: String,
    issuer: IssuerView,
}

impl PackageUseView {
    pub fn of(package_use: &PackageUse) -> Self {
        let PackageUse { uam, package, month, .. } = *package_use;
        let percent = uam.saturating_mul(100).checked_div(package).unwrap_or(100);
        let contacts = |number| counted(number, "contato", "contatos");
        let over = uam.saturating_sub(package);
        let days = (month.last_day() - package_use.on).num_days();
        Self {
            greeting: greeting(&package_use.dealership),
            month: month.in_words(),
            uam: grouped(uam),
            package: grouped(package),
            percent: grouped(percent),
            bar: percent.clamp(1, 100),
            full: uam >= package,
            left: contacts(package.saturating_sub(uam)),
            over: (over > 0).then(|| (contacts(over), package_use.overage_amount.brl())),
            price: package_use.overage_price.brl(),
            days: u64::try_from(days)
                .ok()
                .filter(|days| *days > 0)
                .map(|d| counted(d, "dia", "dias")),
            last_day: day(month.last_day()),
            as_of: day(package_use.on),
            issuer: IssuerView::of(&package_use.issuer),
        }
    }
}
