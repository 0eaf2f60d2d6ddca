use serde::Serialize;

use super::bar::Bar;
use super::counted;
use super::invoice::{IssuerView, day, greeting};
use fecha_core::bill::package_use::{Outlook, PackageUse};
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
    bar: Bar,
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
    outlook: Option<OutlookView>,
    issuer: IssuerView,
}

/// Where the month is heading.
#[derive(Debug, Serialize)]
struct OutlookView {
    /// `6.200 contatos`, at the month's end.
    uam: String,
    /// `1.200 contatos` and what they cost, where there will be any above the package.
    over: Option<(String, String)>,
    /// Which package is the cheapest for so many, in a sentence.
    advice: Option<String>,
}

impl PackageUseView {
    pub fn of(package_use: &PackageUse) -> Self {
        let PackageUse { uam, package, month, .. } = *package_use;
        let percent = uam.saturating_mul(100).checked_div(package).unwrap_or(100);
        let over = uam.saturating_sub(package);
        let days = (month.last_day() - package_use.on).num_days();
        Self {
            greeting: greeting(&package_use.dealership),
            month: month.in_words(),
            uam: grouped(uam),
            package: grouped(package),
            percent: grouped(percent),
            bar: Bar::of(uam, package),
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
            outlook: package_use.outlook.map(|outlook| OutlookView::of(outlook, package)),
            issuer: IssuerView::of(&package_use.issuer),
        }
    }
}

impl OutlookView {
    fn of(outlook: Outlook, package: u64) -> Self {
        let over = outlook.uam.saturating_sub(package);
        Self {
            uam: contacts(outlook.uam),
            over: (over > 0).then(|| (contacts(over), outlook.overage_amount.brl())),
            advice: advice(outlook, package),
        }
    }
}

/// The package that pays; nothing where no other one does and the present one is not passed.
fn advice(outlook: Outlook, package: u64) -> Option<String> {
    let Outlook { uam, cost, better, pays_from, .. } = outlook;
    if let Some(better) = better {
        let saved = cost - better.cost;
        return Some(format!(
            "Para {} no mês, o pacote de {} é o mais barato: {}, com o que passa dele. O de {} sai por {}, ou seja, {} a mais.",
            contacts(uam),
            contacts(better.package),
            better.cost.brl(),
            contacts(package),
            cost.brl(),
            saved.brl()
        ));
    }
    if uam <= package {
        return None;
    }
    let next = pays_from.map_or_else(String::new, |(next, from)| {
        format!(": o de {} só compensa a partir de {} no mês", contacts(next), grouped(from))
    });
    Some(format!(
        "Para {} no mês, o pacote de {} continua o mais barato{next}.",
        contacts(uam),
        contacts(package)
    ))
}

fn contacts(number: u64) -> String {
    counted(number, "contato", "contatos")
}
