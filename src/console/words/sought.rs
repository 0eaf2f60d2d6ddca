//! The audit log, searched by what its page shows: what is typed in Portuguese is looked for as the log has it.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::audit::{MATTERS, Sentences, cause, deed, sentences};
use super::register::{cell, column};
use super::{invoice, people};
use crate::ledger::audit::{Action, Term};
use crate::setup::register::{CONTRACT_COLUMNS, DEALERSHIP_COLUMNS};
use fecha_core::account::payment::Kind;
use fecha_core::bank::{read_amount, read_day};
use fecha_core::bill::difference::Cause;
use fecha_core::calendar::month::Month;
use fecha_core::party::person::Role;
use fecha_core::party::search::searchable;

/// At most so many words are looked for.
const MOST: usize = 8;
/// Shorter ones stand in nearly every sentence.
const LEAST: usize = 3;

/// What the page says beside the sentences of the kinds.
const RELEASES: Sentences = &[("plan {text}", "plano {0}"), ("reason: {text}", "motivo: {0}")];

/// A place that stands for any text, in a sentence with another one filled in.
const ANY: &str = "{}";

/// What to look for in the log, all of it, where a person looks for a text that they read on its page, with the days
/// of a zone.
#[must_use]
pub fn sought(text: &str, zone: Tz) -> Vec<Term> {
    let marks = |c: char| matches!(c, ',' | ';' | ':' | '(' | ')' | '→' | '“' | '”' | '\'' | '"');
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(marks))
        // The currency stands before every amount.
        .filter(|word| !word.is_empty() && !word.ends_with("R$"))
        .collect();
    let tells =
        |word: &&str| word.chars().count() >= LEAST || word.chars().any(|c| !c.is_alphabetic());
    if !words.iter().any(tells) {
        return words.into_iter().take(MOST).map(literal).collect();
    }
    let mut terms = Vec::new();
    let mut rest = words.as_slice();
    while let [word, behind @ ..] = rest {
        if let Some((month, behind)) = month_and_year(rest) {
            terms.push(month);
            rest = behind;
            continue;
        }
        if tells(word) {
            terms.push(term(word, zone));
        }
        rest = behind;
    }
    terms.truncate(MOST);
    terms
}

fn literal(word: &str) -> Term {
    Term { text: word.to_owned(), ..Term::default() }
}

/// `outubro de 2026`, and what follows.
fn month_and_year<'a, 'b>(words: &'a [&'b str]) -> Option<(Term, &'a [&'b str])> {
    let [name, "de", year, behind @ ..] = words else { return None };
    let number = months().find(|(_, told)| searchable(told) == searchable(name))?.0;
    let month = format!("{}-{number}", year.parse::<u16>().ok()?);
    let literal = literal(&format!("{name} de {year}"));
    Some((Term { details: vec![month.clone()], months: vec![month], ..literal }, behind))
}

/// The months of a year, as they are written and as they are told.
fn months() -> impl Iterator<Item = (String, String)> {
    let month = |month| Some((format!("{month:02}"), Month::new(2026, month)?.name().to_owned()));
    (1..=12).filter_map(month)
}

/// One word.
fn term(word: &str, zone: Tz) -> Term {
    let mut term = literal(word);
    let day = read_day(word).ok();
    term.between = day.and_then(|day| instants(day, zone));
    term.details.extend(day.map(|day| day.to_string()));
    term.details.extend(read_amount(word).ok().map(|amount| amount.to_string()));
    term.details.extend(Some(word.replace('.', "")).filter(|bare| is_count(word, bare)));
    let word = searchable(word);
    if word.chars().count() < LEAST {
        return term;
    }
    let is_told = |told: &str| searchable(told).contains(&word);
    term.actions = Action::ALL.into_iter().filter(|action| is_told(deed(*action))).collect();
    term.months =
        months().filter(|(_, told)| is_told(told)).map(|(key, _)| format!("-{key}")).collect();
    let columns = DEALERSHIP_COLUMNS.into_iter().chain(CONTRACT_COLUMNS);
    term.details
        .extend(columns.filter(|name| is_told(column(name))).map(|name| format!("{name} '")));
    term.details.extend(cells().filter(|(_, told)| is_told(told)).map(|(key, _)| key));
    for action in Action::ALL {
        let more = if action == Action::Release || action == Action::Hold { RELEASES } else { &[] };
        let its = sentences(action).iter().chain(more);
        let said = its.flat_map(|sentence| logged(sentence, &is_told));
        term.sentences.extend(said.map(|sentence| (action, parts(&sentence))));
    }
    term
}

/// Whether a word is a count, with points or without; a day or a month is none.
fn is_count(word: &str, bare: &str) -> bool {
    word != bare && bare.bytes().all(|byte| byte.is_ascii_digit()) && !bare.is_empty()
}

/// The instants of a day.
fn instants(day: NaiveDate, zone: Tz) -> Option<[DateTime<Utc>; 2]> {
    let start = |day: NaiveDate| {
        let start = zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest()?;
        Some(start.to_utc())
    };
    Some([start(day)?, start(day.succ_opt()?)?])
}

/// The cells of the register that are told in other words than they are written.
fn cells() -> impl Iterator<Item = (String, String)> {
    let cells = [
        ("evidence", "yes"),
        ("evidence", "annex"),
        ("evidence", "no"),
        ("reminders", "yes"),
        ("reminders", "no"),
        ("package", "none"),
        ("city", ""),
    ];
    cells.into_iter().map(|(column, value)| (format!("'{value}'"), cell(column, value)))
}

/// How the log has a sentence in which a word is told: by the sentence's own words, or by what fills one of its
/// places.
fn logged(
    (logged, told): &(&'static str, &'static str),
    is_told: &impl Fn(&str) -> bool,
) -> Vec<String> {
    if parts(told).iter().any(|part| is_told(part)) {
        return vec![(*logged).to_owned()];
    }
    let mut found = Vec::new();
    for (at, _) in logged.match_indices('{') {
        let Some((kind, behind)) = logged[at + 1..].split_once('}') else { continue };
        let filled = values(kind).into_iter().filter(|(_, told)| is_told(told));
        found.extend(filled.map(|(key, _)| format!("{}{key}{behind}", &logged[..at])));
    }
    found
}

/// The words of a sentence between its places.
fn parts(sentence: &str) -> Vec<String> {
    let part = |part: &str| part.split_once('}').map_or(part, |(_, words)| words).to_owned();
    sentence.split('{').map(part).filter(|part| !part.is_empty()).collect()
}

/// What may fill a place: as the log has it, and as it is told.
fn values(kind: &str) -> Vec<(String, String)> {
    let listed = |key: &str| format!("{ANY}{key}{ANY}");
    match kind {
        "role" => {
            Role::ALL.map(|role| (role.key().to_owned(), people::role(role).to_owned())).to_vec()
        }
        "kind" => {
            Kind::ALL.map(|kind| (kind.key().to_owned(), invoice::kind(kind).to_owned())).to_vec()
        }
        "causes" => Cause::ALL
            .into_iter()
            .filter_map(|one| Some((listed(one.key()), cause(one.key())?)))
            .collect(),
        "matter" => MATTERS
            .iter()
            .map(|(logged, told)| ((*logged).to_owned(), parts(told).concat()))
            .collect(),
        "month" => months().map(|(key, told)| (format!("{ANY}-{key}"), told)).collect(),
        "dealerships" => vec![(ANY.to_owned(), "concessionárias".to_owned())],
        "contracts" => vec![(ANY.to_owned(), "contratos".to_owned())],
        "numbers" => vec![(ANY.to_owned(), "números".to_owned())],
        "source" => vec![(listed("the message database"), "o banco de mensagens".to_owned())],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Whether the terms hold for a detail of a kind, as the ledger asks.
    fn finds(text: &str, action: Action, detail: &str) -> bool {
        let detail = detail.to_lowercase();
        let in_order = |parts: &[String]| {
            let mut rest = detail.as_str();
            parts.iter().all(|part| {
                let found = rest.split_once(&part.to_lowercase());
                rest = found.map_or("", |(_, behind)| behind);
                found.is_some()
            })
        };
        let zone = chrono_tz::America::Sao_Paulo;
        let terms = sought(text, zone);
        !terms.is_empty()
            && terms.iter().all(|term| {
                in_order(std::slice::from_ref(&term.text))
                    || term.details.iter().any(|one| in_order(std::slice::from_ref(one)))
                    || term.actions.contains(&action)
                    || term.sentences.iter().any(|(one, parts)| *one == action && in_order(parts))
            })
    }

    #[rstest]
    #[case("Retirado", Action::Adjust, "adjustment 3 taken back: -1.00")]
    #[case("26/10/2026", Action::Pay, "2026-000056 10.00 on 2026-10-26")]
    #[case("R$ 1.124,86", Action::Pay, "2026-000056 1124.86 on 2026-10-26")]
    #[case("endereço", Action::Import, "address 'a' → 'b'")]
    #[case("cortesia", Action::Adjust, "-120.00: Cortesia")]
    #[case("papel administração", Action::Person, "ana@example.com added as admin: Ana")]
    #[case("consulta", Action::Person, "a@b.c is finance now, viewer before")]
    #[case("papel: FINANCEIRO", Action::Person, "a@b.c is finance now, viewer before")]
    #[case("chave administracao", Action::Token, "token added as admin until 2027-01-01: erp")]
    #[case(
        "mensagens que chegaram depois",
        Action::Rerun,
        "2026-000001-R1 1.00 replaces 2026-000001 2.00: loss, late; reason: a"
    )]
    #[case("ISS retido", Action::Pay, "2026-000056 10.00 on 2026-10-26 (iss)")]
    #[case("lembrete faturas em aberto", Action::Remind, "reminded of 7.00 in 3 open invoices")]
    #[case(
        "1.200 do mês anterior",
        Action::Hold,
        "only 3 messages count, less than 50 % of the 1200 of the month before"
    )]
    #[case("sem contrato", Action::Import, "package '5000' → 'none' from 2026-10")]
    #[case("outubro de 2026", Action::Import, "package '5000' → 'none' from 2026-10")]
    #[case("pacote outubro", Action::Import, "package '5000' → 'none' from 2026-10")]
    #[case("concessionárias", Action::Import, "2 dealerships, 3 contracts")]
    #[case("cancelamento", Action::Resend, "2026-000073 cancelled again")]
    #[case("motivo: combinado", Action::Release, "x; reason: combinado")]
    #[case("emissão", Action::Issue, "2026-000001 1014.00")]
    #[case("d1", Action::Issue, "d1")]
    #[case("de", Action::Adjust, "-1.00: de novo")]
    fn what_a_page_says_is_found(#[case] text: &str, #[case] action: Action, #[case] logged: &str) {
        assert!(finds(text, action, logged), "{:#?}", sought(text, chrono_tz::UTC));
    }

    #[rstest]
    #[case("retirado", Action::Pay, "2026-000056 1124.86 on 2026-10-26")]
    #[case("administração", Action::Person, "a@b.c added as finance: Administrador Silva")]
    #[case("chegaram", Action::Adjust, "-1.00: later")]
    #[case("cortesia retirada", Action::Adjust, "-120.00: Cortesia")]
    #[case("outubro de 2025", Action::Import, "package '5000' → 'none' from 2026-10")]
    fn and_nothing_else(#[case] text: &str, #[case] action: Action, #[case] logged: &str) {
        assert!(!finds(text, action, logged), "{:#?}", sought(text, chrono_tz::UTC));
    }

    #[test]
    fn a_search_has_an_end() {
        assert!(sought("", chrono_tz::UTC).is_empty());
        assert_eq!(sought(&"mensagens ".repeat(900), chrono_tz::UTC).len(), MOST);
    }
}
