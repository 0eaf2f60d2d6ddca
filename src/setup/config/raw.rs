//! The configuration as it is written: every key is optional here, an unknown one is an error.
//!
//! Numbers and lists can also be texts, since the environment has nothing else.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Raw {
    pub issuer: Issuer,
    pub ledger: Ledger,
    pub messages: Sources,
    pub counting: Counting,
    pub prices: Vec<PriceTable>,
    pub invoice: Invoice,
    pub close: Close,
    pub email: Email,
    pub alerts: Alerts,
    pub reminders: Reminders,
    pub statement: Statement,
    pub console: Console,
    pub erp: Erp,
    pub layouts: BTreeMap<String, Layout>,
    pub nfse: Option<Nfse>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Issuer {
    pub name: Option<String>,
    pub cnpj: Option<String>,
    pub address: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub timezone: Option<String>,
    pub logo: Option<String>,
    pub pix: Pix,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Pix {
    pub key: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Ledger {
    pub url: Option<String>,
}

/// `[messages]`, or `[[messages]]` several times.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a section [messages], or several [[messages]], with known keys"
)]
pub(super) enum Sources {
    One(Box<Messages>),
    Several(Vec<Messages>),
}

impl Default for Sources {
    fn default() -> Self {
        Self::One(Box::default())
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Messages {
    pub name: Option<String>,
    pub url: Option<String>,
    pub relation: Option<String>,
    pub relation_file: Option<String>,
    pub sent_at_unit: Option<String>,
    pub sent_at_zone: Option<String>,
    pub aliases: Option<String>,
    pub connections: Option<Number>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Counting {
    pub ignored_statuses: Option<List>,
    pub counted_statuses: Option<List>,
    pub priced_statuses: Option<List>,
    pub lid: Option<String>,
    pub national: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PriceTable {
    pub list: Option<String>,
    pub from: Option<String>,
    pub overage: Option<Amount>,
    pub hsm: Option<Amount>,
    pub packages: Vec<Package>,
    pub messages: Vec<MessagePrice>,
    pub monthly: Vec<MonthlyPrice>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MessagePrice {
    pub line: Option<String>,
    pub kind: Option<String>,
    pub category: Option<List>,
    pub price: Option<Amount>,
    pub tiers: Option<Vec<Tier>>,
    pub free: Option<Number>,
    pub free_per: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Tier {
    pub up_to: Option<Number>,
    pub price: Option<Amount>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MonthlyPrice {
    pub line: Option<String>,
    pub price: Option<Amount>,
    pub per: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Package {
    pub contacts: Option<Number>,
    pub price: Option<Amount>,
    pub overage: Option<Amount>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Invoice {
    pub due_day: Option<Number>,
    pub first_number: Option<Number>,
    pub late_fee: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Close {
    pub newest_message_within: Option<String>,
    pub at_least_percent: Option<Number>,
    pub at_most_unread_percent: Option<Number>,
    pub at_most_alike_percent: Option<Number>,
    pub at_most_silent_percent: Option<Number>,
    pub approval: Option<String>,
    pub settle: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Email {
    pub transport: Option<String>,
    pub from: Option<String>,
    pub reply_to: Option<String>,
    pub finance: Option<List>,
    pub admins: Option<List>,
    pub redirect: Option<String>,
    pub dir: Option<String>,
    pub per_minute: Option<Number>,
    pub smtp: Smtp,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Smtp {
    pub host: Option<String>,
    pub port: Option<Number>,
    pub tls: Option<String>,
    pub username: Option<String>,
    pub password: Option<Password>,
    pub ca_file: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Alerts {
    pub package_use: Option<Flag>,
    pub look_back: Option<Number>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Statement {
    pub windows: Option<Flag>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Reminders {
    pub before: Option<Numbers>,
    pub after: Option<Numbers>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Console {
    pub listen: Option<String>,
    pub public_url: Option<String>,
    pub four_eyes: Option<Flag>,
    pub user_header: Option<String>,
    pub trusted_proxies: Option<List>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Erp {
    pub category: Option<String>,
    pub account: Option<String>,
    pub cost_center: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Layout {
    pub columns: Vec<LayoutColumn>,
    pub rows: Option<String>,
    pub delimiter: Option<String>,
    pub header: Option<Flag>,
    pub encoding: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LayoutColumn {
    pub name: Option<String>,
    pub value: Option<String>,
}

/// The names of the layout, in lower case as variables have them.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Nfse {
    pub environment: Option<String>,
    pub municipality: Option<String>,
    pub municipal_registration: Option<String>,
    pub series: Option<Number>,
    pub first_number: Option<Number>,
    pub ctribnac: Option<String>,
    pub ctribmun: Option<String>,
    pub nbs: Option<String>,
    pub opsimpnac: Option<Number>,
    pub regaptribsn: Option<Number>,
    pub regesptrib: Option<Number>,
    pub cindop: Option<String>,
    pub cst: Option<String>,
    pub cclasstrib: Option<String>,
    pub paliq: Option<String>,
    pub ptottrib: Option<List>,
    pub ptottribsn: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a whole number")]
pub(super) enum Number {
    Whole(i64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a list of whole numbers, for example [1, 7, 15]")]
pub(super) enum Numbers {
    Many(Vec<i64>),
    Separated(String),
}

impl Numbers {
    pub fn items(&self) -> Vec<Number> {
        match self {
            Self::Many(items) => items.iter().map(|item| Number::Whole(*item)).collect(),
            Self::Separated(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items.map(|item| Number::Text(item.to_owned())).collect()
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected true or false")]
pub(super) enum Flag {
    Flag(bool),
    Text(String),
}

/// Money is never a TOML float: that would be binary.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected an amount in quotes, for example \"1014.00\"")]
pub(super) enum Amount {
    Text(String),
}

/// Like a text, but its error does not repeat it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text in quotes")]
pub(super) enum Password {
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a list of texts, for example [\"a\", \"b\"]")]
pub(super) enum List {
    Many(Vec<String>),
    Separated(String),
}

impl List {
    pub fn items(&self) -> Vec<String> {
        match self {
            Self::Many(items) => items.clone(),
            Self::Separated(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items.map(str::to_owned).collect()
            }
        }
    }
}
