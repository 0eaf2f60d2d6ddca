//! When a close waits for a person: a wrong source must not mail 1,500 wrong invoices (spec §2 *Hold*).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::bill::digest::Digest;
use crate::bill::plan::PlanHash;
use crate::calendar::zone;
use crate::count::tally::{Alike, Buckets};
use crate::price::money::{Money, grouped};
use crate::price::table::PriceTable;

/// The limits of the rule, from the configuration (`[close]`). Each is passed when it is left, not at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long before the month's end the newest message may be.
    pub newest_message_within: TimeDelta,
    /// Percent of the month before that must be reached.
    pub at_least_percent: u64,
    /// Percent of all messages that may be nobody's, or nothing that can be read.
    pub at_most_unread_percent: u64,
    /// Percent of the HSM that may be rows like another one, where they have no ids.
    pub at_most_alike_percent: u64,
    /// Percent of the month before that dealerships may have had who have nothing now.
    pub at_most_silent_percent: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            newest_message_within: TimeDelta::hours(24),
            at_least_percent: 50,
            at_most_unread_percent: 5,
            at_most_alike_percent: 5,
            at_most_silent_percent: 10,
        }
    }
}

/// What the sources look like at a close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Each source.
    pub sources: Vec<SourceLook>,
    /// The latest end of the months being closed.
    pub month_end: DateTime<Utc>,
    /// All messages of the close, by bucket.
    pub messages: Buckets,
    /// HSM that are alike.
    pub alike: Alike,
    /// The dealerships that are closed, and were invoiced in the month before.
    pub both: Vec<Compared>,
}

/// A source of messages at a close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLook {
    /// Its name in the configuration, where it has one.
    pub name: Option<String>,
    /// Its latest `sent_at` that is not in the future; `None` where it has no message.
    pub newest: Option<DateTime<Utc>>,
}

/// A dealership that is closed, and was invoiced in the month before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Who.
    pub dealership_id: String,
    /// Messages that count now.
    pub counted: u64,
    /// Messages that counted in the month before.
    pub before: u64,
}

/// Why a close is held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Hold {
    /// A message database has nothing at all.
    #[error("{} has no message at all", source(.0.as_deref()))]
    Empty(Option<String>),
    /// The writers of a message database seem to have stopped before the month ended.
    #[error("the newest message of {} is of {}, more than {} hours before the month's end ({})",
        source(.name.as_deref()), utc(.newest), .limit.num_hours(), utc(.month_end))]
    Stale {
        /// Of which source.
        name: Option<String>,
        /// The newest message.
        newest: DateTime<Utc>,
        /// The end of the month.
        month_end: DateTime<Utc>,
        /// The configured limit.
        limit: TimeDelta,
    },
    /// Part of the messages seems to be missing.
    #[error(
        "only {counted} messages count, less than {percent} % of the {before} of the month before"
    )]
    Fewer {
        /// Now.
        counted: u64,
        /// In the month before.
        before: u64,
        /// The configured limit.
        percent: u64,
    },
    /// The source seems to name dealerships, directions, kinds or contacts otherwise.
    #[error(
        "{unread} of {total} messages cannot be billed, more than {percent} %: {} of ids that the register lacks, {} whose direction or kind is none, {} of what is no contact", .messages.unknown_dealership, .messages.malformed, .messages.not_a_contact
    )]
    Unread {
        /// Those.
        unread: u64,
        /// Of all.
        total: u64,
        /// All of them by bucket.
        messages: Buckets,
        /// The configured limit.
        percent: u64,
    },
    /// Rows seem to come more than once.
    #[error(
        "{} of {} HSM are rows like another one in all columns, more than {percent} %: does the relation give a message more than once (a webhook that was delivered twice, a join)? A column message_id tells", .alike.repeated, .alike.hsm
    )]
    Repeated {
        /// Those.
        alike: Alike,
        /// The configured limit.
        percent: u64,
    },
    /// Whole dealerships seem to be missing.
    #[error(
        "{} had {had} of the {before} messages of the month before, more than {percent} %, and {} none now", named(.dealerships), if .dealerships.len() == 1 { "has" } else { "have" }
    )]
    Silent {
        /// By id.
        dealerships: Vec<String>,
        /// What they had.
        had: u64,
        /// What all had.
        before: u64,
        /// The configured limit.
        percent: u64,
    },
    /// Every close waits for a person.
    #[error("[close] approval = \"manual\": every close waits for a person")]
    Approval,
}

/// A close that is held, as finance and admins are told of it, or one that a person reads before it is issued. The
/// ledger keeps it as JSON; emails are made from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Why, in Portuguese; none where nothing holds it, and it is only to be read.
    pub reasons: Vec<String>,
    /// How many dealerships' month has not ended: they are not in it.
    #[serde(default)]
    pub open: u64,
    /// What it would issue, and what it found.
    pub digest: Digest,
    /// The same as a hash, to release it and nothing else.
    pub plan: PlanHash,
    /// Where the console shows it; `None` where nobody said how it is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// What reasons are put into words and reais with.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The issuer's zone: times are told in it.
    pub zone: Tz,
    /// The prices of the month.
    pub prices: &'a PriceTable,
    /// Names of dealerships, by id.
    pub names: &'a BTreeMap<String, String>,
    /// What the invoices of the month before came to, by dealership.
    pub before: &'a BTreeMap<String, Money>,
}

impl Hold {
    /// What kind of reason it is: the same for other figures of the same kind, so that nobody is told twice.
    #[must_use]
    pub fn key(&self) -> String {
        let of = |key: &str, name: &Option<String>| match name {
            Some(name) => format!("{key} {name}"),
            None => key.to_owned(),
        };
        match self {
            Self::Empty(name) => of("empty", name),
            Self::Stale { name, .. } => of("stale", name),
            Self::Fewer { .. } => "fewer".to_owned(),
            Self::Unread { .. } => "unread".to_owned(),
            Self::Repeated { .. } => "repeated".to_owned(),
            Self::Silent { .. } => "silent".to_owned(),
            Self::Approval => "approval".to_owned(),
        }
    }

    /// The reason in Portuguese, and in reais where it can be said in them.
    #[must_use]
    pub fn in_portuguese(&self, words: Words<'_>) -> String {
        let hsm = |messages| words.prices.hsm.times(messages).unwrap_or(Money::ZERO).brl();
        match self {
            Self::Empty(name) => {
                format!("{} não tem nenhuma mensagem.", source_pt(name.as_deref()))
            }
            Self::Stale { name, newest, month_end, limit } => format!(
                "A mensagem mais nova {} é de {}, mais de {} horas antes do fim do mês ({}, {}). O que veio depois pode faltar nas faturas.",
                of_source_pt(name.as_deref()),
                local(*newest, words.zone),
                limit.num_hours(),
                local(*month_end, words.zone),
                zone::in_words(words.zone)
            ),
            Self::Fewer { counted, before, percent } => format!(
                "Só {} mensagens contam, menos de {percent}\u{a0}% das {} do mês anterior.",
                grouped(*counted),
                grouped(*before)
            ),
            Self::Unread { unread, total, messages, percent } => format!(
                "{} das {} mensagens não podem ser cobradas, mais de {percent}\u{a0}%: {} de códigos fora do cadastro, {} com direção ou tipo inválido, {} do que não é contato. Se todas fossem HSM, seriam {}.",
                grouped(*unread),
                grouped(*total),
                grouped(messages.unknown_dealership),
                grouped(messages.malformed),
                grouped(messages.not_a_contact),
                hsm(*unread)
            ),
            Self::Repeated { alike, percent } => format!(
                "{} das {} HSM são linhas iguais a outra em todas as colunas, mais de {percent}\u{a0}%. Se são repetições, {} seriam cobrados a mais.",
                grouped(alike.repeated),
                grouped(alike.hsm),
                hsm(alike.repeated)
            ),
            Self::Silent { dealerships, had, before, percent } => format!(
                "Sem nenhuma mensagem neste mês: {}. No mês anterior {} {} das {} mensagens, mais de {percent}\u{a0}%{}.",
                named_pt(dealerships, words.names),
                if dealerships.len() == 1 { "tinha" } else { "tinham" },
                grouped(*had),
                grouped(*before),
                invoiced_pt(dealerships, words.before)
            ),
            Self::Approval => {
                "Todo fechamento espera por uma pessoa: assim está configurado.".to_owned()
            }
        }
    }
}

fn source_pt(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("O banco de mensagens '{name}'"),
        None => "O banco de mensagens".to_owned(),
    }
}

fn of_source_pt(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("do banco de mensagens '{name}'"),
        None => "do banco de mensagens".to_owned(),
    }
}

/// The first few of them by name.
fn named_pt(ids: &[String], names: &BTreeMap<String, String>) -> String {
    const SHOWN: usize = 5;
    let name =
        |id: &String| names.get(id).map_or_else(|| id.clone(), |name| format!("{name} ({id})"));
    let shown = ids.iter().take(SHOWN).map(name).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} e mais {more}"),
    }
}

/// What they were invoiced in the month before.
fn invoiced_pt(ids: &[String], before: &BTreeMap<String, Money>) -> String {
    let invoiced: Vec<Money> = ids.iter().filter_map(|id| before.get(id).copied()).collect();
    match invoiced.as_slice() {
        [] => String::new(),
        invoiced => format!(", e faturas de {}", invoiced.iter().copied().sum::<Money>().brl()),
    }
}

fn local(instant: DateTime<Utc>, zone: Tz) -> String {
    instant.with_timezone(&zone).format("%d/%m/%Y %H:%M").to_string()
}

/// Every reason to hold the close, none where it may go on.
#[must_use]
pub fn reasons(look: &Look, limits: Limits) -> Vec<Hold> {
    let mut reasons: Vec<Hold> =
        look.sources.iter().filter_map(|source| stopped(source, look, limits)).collect();
    let before: u64 = look.both.iter().map(|one| one.before).sum();
    if !look.both.is_empty() {
        let (counted, percent) =
            (look.both.iter().map(|one| one.counted).sum(), limits.at_least_percent);
        if u128::from(counted) * 100 < u128::from(before) * u128::from(percent) {
            reasons.push(Hold::Fewer { counted, before, percent });
        }
    }
    let silent: Vec<&Compared> =
        look.both.iter().filter(|one| one.counted == 0 && one.before > 0).collect();
    let had = silent.iter().map(|one| one.before).sum();
    if is_above(had, limits.at_most_silent_percent, before) {
        let dealerships = silent.iter().map(|one| one.dealership_id.clone()).collect();
        let percent = limits.at_most_silent_percent;
        reasons.push(Hold::Silent { dealerships, had, before, percent });
    }
    let messages = look.messages;
    let unread = messages.unknown_dealership + messages.malformed + messages.not_a_contact;
    if is_above(unread, limits.at_most_unread_percent, messages.total()) {
        let (total, percent) = (messages.total(), limits.at_most_unread_percent);
        reasons.push(Hold::Unread { unread, total, messages, percent });
    }
    if is_above(look.alike.repeated, limits.at_most_alike_percent, look.alike.hsm) {
        let percent = limits.at_most_alike_percent;
        reasons.push(Hold::Repeated { alike: look.alike, percent });
    }
    reasons
}

/// Whether the writers of a source have stopped.
fn stopped(source: &SourceLook, look: &Look, limits: Limits) -> Option<Hold> {
    let (name, limit) = (source.name.clone(), limits.newest_message_within);
    let Some(newest) = source.newest else { return Some(Hold::Empty(name)) };
    let month_end = look.month_end;
    (newest < month_end - limit).then_some(Hold::Stale { name, newest, month_end, limit })
}

fn is_above(part: u64, percent: u64, all: u64) -> bool {
    u128::from(part) * 100 > u128::from(all) * u128::from(percent)
}

fn source(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("the message database '{name}'"),
        None => "the message database".to_owned(),
    }
}

/// The first few of them.
fn named(ids: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = ids.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn utc(instant: &DateTime<Utc>) -> String {
    instant.format("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const END: &str = "2026-11-01T03:00:00Z";

    fn fine() -> Look {
        let newest = Some("2026-11-01T02:59:59Z".parse().unwrap());
        Look {
            sources: vec![SourceLook { name: None, newest }],
            month_end: END.parse().unwrap(),
            messages: Buckets { counted: 1_000, ..Buckets::default() },
            alike: Alike::default(),
            both: Vec::new(),
        }
    }

    fn compared(counted: u64, before: u64) -> Compared {
        Compared { dealership_id: format!("d{before}"), counted, before }
    }

    #[rstest]
    #[case(Some("2026-11-01T02:59:59Z"), Some((50, 100)), 0)]
    #[case(Some("2026-10-31T03:00:00Z"), Some((50, 100)), 0)] // 24 hours before is not older than that
    #[case(Some("2026-10-31T02:59:59Z"), Some((50, 100)), 1)]
    #[case(Some("2026-11-20T00:00:00Z"), Some((50, 100)), 0)]
    #[case(Some("2026-11-01T02:00:00Z"), Some((49, 100)), 1)] // fewer than half
    #[case(Some("2026-11-01T02:00:00Z"), Some((50, 101)), 1)]
    #[case(Some("2026-11-01T02:00:00Z"), None, 0)] // the month before was not closed
    #[case(Some("2026-11-01T02:00:00Z"), Some((0, 0)), 0)]
    #[case(None, None, 1)]
    #[case(None, Some((0, 10)), 3)] // empty, fewer, and silent
    fn holds(
        #[case] newest: Option<&str>,
        #[case] both: Option<(u64, u64)>,
        #[case] expected: usize,
    ) {
        let newest = newest.map(|text| text.parse().unwrap());
        let both = both.map(|(counted, before)| compared(counted, before)).into_iter().collect();
        let look = Look { sources: vec![SourceLook { name: None, newest }], both, ..fine() };
        assert_eq!(reasons(&look, Limits::default()).len(), expected);
    }

    #[rstest]
    #[case(950, 50, false)] // at the limit
    #[case(949, 51, true)]
    #[case(0, 10, true)] // a first month in which no id matches
    #[case(0, 0, false)]
    fn holds_what_cannot_be_read(#[case] counted: u64, #[case] unread: u64, #[case] held: bool) {
        let each: [fn(&mut Buckets) -> &mut u64; 3] =
            [|b| &mut b.unknown_dealership, |b| &mut b.malformed, |b| &mut b.not_a_contact];
        for bucket in each {
            let mut messages = Buckets { counted, ..Buckets::default() };
            *bucket(&mut messages) = unread;
            let found = reasons(&Look { messages, ..fine() }, Limits::default());
            assert_eq!(matches!(found[..], [Hold::Unread { .. }]), held, "{messages:?}");
        }
        let messages =
            Buckets { counted, group: unread, no_contract: unread, ..Buckets::default() };
        assert_eq!(reasons(&Look { messages, ..fine() }, Limits::default()), []);
    }

    #[rstest]
    #[case(100, 5, false)]
    #[case(100, 6, true)]
    #[case(0, 0, false)]
    fn holds_rows_that_are_alike(#[case] hsm: u64, #[case] repeated: u64, #[case] held: bool) {
        let look = Look { alike: Alike { hsm, repeated }, ..fine() };
        let found = reasons(&look, Limits::default());
        assert_eq!(matches!(found[..], [Hold::Repeated { .. }]), held);
    }

    #[rstest]
    #[case(&[(0, 10), (90, 90)], false)] // a tenth
    #[case(&[(0, 11), (90, 89)], true)]
    #[case(&[(0, 6), (0, 6), (88, 88)], true)] // together
    #[case(&[(1, 20), (90, 80)], false)] // few, but not none
    #[case(&[(0, 0), (90, 80)], false)]
    fn holds_when_dealerships_fall_silent(#[case] both: &[(u64, u64)], #[case] held: bool) {
        let both = both.iter().map(|(counted, before)| compared(*counted, *before)).collect();
        let found = reasons(&Look { both, ..fine() }, Limits::default());
        assert_eq!(matches!(found[..], [Hold::Silent { .. }]), held);
    }

    #[test]
    fn reasons_are_said_in_portuguese_and_in_reais() {
        let (names, before) = (
            [("d1".to_owned(), "Loja Um Ltda".to_owned())].into(),
            [("d1".to_owned(), "1014.00".parse().unwrap())].into(),
        );
        let prices = crate::price::table::tests::table();
        let zone = chrono_tz::America::Sao_Paulo;
        let words = Words { zone, prices: &prices, names: &names, before: &before };
        let [newest, month_end] = ["2026-10-20T03:00:00Z", END].map(|at| at.parse().unwrap());
        let (limit, name) = (TimeDelta::hours(24), Some("chat".to_owned()));
        let silent = vec!["d1".to_owned(), "d2".to_owned()];
        let holds = [
            Hold::Empty(name.clone()),
            Hold::Stale { name, newest, month_end, limit },
            Hold::Fewer { counted: 4000, before: 10_000, percent: 50 },
            Hold::Repeated { alike: Alike { hsm: 160, repeated: 40 }, percent: 5 },
            Hold::Silent { dealerships: silent, had: 20, before: 100, percent: 10 },
            Hold::Approval,
        ];
        let said: Vec<String> = holds
            .iter()
            .map(|hold| {
                format!("{}: {}", hold.key(), hold.in_portuguese(words).replace('\u{a0}', " "))
            })
            .collect();
        insta::assert_snapshot!("in_portuguese", said.join("\n"));
    }

    #[test]
    fn each_source_must_have_gone_on() {
        let [fresh, old] =
            ["2026-11-01T02:00:00Z", "2026-10-20T00:00:00Z"].map(|at| at.parse().ok());
        let source = |name: &str, newest| SourceLook { name: Some(name.to_owned()), newest };
        let sources = vec![source("chat", fresh), source("api", old), source("log", None)];
        let words: Vec<String> = reasons(&Look { sources, ..fine() }, Limits::default())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            words,
            [
                "the newest message of the message database 'api' is of 2026-10-20 00:00 UTC, more than 24 hours before the month's end (2026-11-01 03:00 UTC)",
                "the message database 'log' has no message at all",
            ]
        );
    }
}
