//! The audit log: what kinds of deeds there are, and fecha's own words in them.

use chrono::{NaiveDate, NaiveDateTime};

use super::attention::small;
use super::register::{cell, column};
use super::{invoice, people, task};
use crate::ledger::audit::Action;
use crate::setup::register::{CONTRACT_COLUMNS, DEALERSHIP_COLUMNS};
use fecha_core::account::payment::Kind;
use fecha_core::bill::difference::Cause;
use fecha_core::calendar::month::Month;
use fecha_core::party::person::Role;
use fecha_core::price::money::{Money, grouped};

/// A kind of deed.
#[must_use]
pub fn deed(action: Action) -> &'static str {
    match action {
        Action::Import => "Cadastro",
        Action::Issue => "Emissão",
        Action::Hold => "Retenção",
        Action::Release => "Liberação",
        Action::Resend => "Reenvio",
        Action::Rerun => "Revisão",
        Action::Adjust => "Crédito ou cobrança",
        Action::Cancel => "Cancelamento",
        Action::Pay => "Pagamento",
        Action::Remind => "Lembrete",
        Action::Person => "Pessoas",
        Action::Token => "Chave da interface",
        Action::Nfse => "NFS-e",
    }
}

/// What fecha itself writes, in Portuguese; what a person wrote stays, as does what is not known here.
#[must_use]
pub fn detail(action: Action, text: &str) -> String {
    let said = match action {
        Action::Import => import(text),
        Action::Hold => Some(reasons(text)),
        Action::Release => Some(release(text)),
        _ => said(sentences(action), text),
    };
    said.unwrap_or_else(|| text.to_owned())
}

/// What stands in the log, and what a page says: `{money}` and its like are read, and told in the order of their
/// numbers. The longer ones first.
pub(super) type Sentences = &'static [(&'static str, &'static str)];

pub(super) fn sentences(action: Action) -> Sentences {
    match action {
        Action::Import => IMPORT,
        Action::Issue => ISSUE,
        Action::Resend => RESEND,
        Action::Rerun => RERUN,
        Action::Adjust => ADJUST,
        Action::Cancel => CANCEL,
        Action::Pay => PAY,
        Action::Remind => REMIND,
        Action::Person => PERSON,
        Action::Token => TOKEN,
        Action::Nfse => NFSE,
        Action::Hold | Action::Release => HOLDS,
    }
}

const IMPORT: Sentences = &[
    ("{dealerships} dealerships, {contracts} contracts, {numbers} numbers", "{0}, {1}, {2}"),
    ("{dealerships} dealerships, {contracts} contracts", "{0}, {1}"),
    ("package '{package}' → '{package}' from {month}", "pacote: {0} → {1} a partir de {2}"),
];
const ISSUE: Sentences = &[
    ("{label} to {label} are passed over: {text}", "{0} a {1} não são usados: {2}"),
    (
        "{label} {money} of {count} invoices, in place of {label}: {text}",
        "{0} {1}, resumo de {2} faturas no lugar de {3}: {4}",
    ),
    ("{label} {money} of {count} invoices: {text}", "{0} {1}, resumo de {2} faturas: {3}"),
    ("{label} {money}", "{0} {1}"),
];
const RESEND: Sentences = &[
    ("{matter} to {label} instead of {label}", "{0} a {1} em vez de {2}"),
    ("{matter} again", "{0} de novo"),
];
const RERUN: Sentences = &[
    (
        "{label} {money} replaces {label} {money}: {causes}; reason: {text}; entered by {text}",
        "{0} {1} no lugar de {2} {3}: {4}; motivo: {5}; registrado por {6}",
    ),
    (
        "{label} {money} replaces {label} {money}: {causes}; reason: {text}",
        "{0} {1} no lugar de {2} {3}: {4}; motivo: {5}",
    ),
];
const ADJUST: Sentences = &[
    ("adjustment {label} taken back: {money}", "lançamento {0} retirado: {1}"),
    ("{money}: {text}", "{0}: {1}"),
];
const CANCEL: Sentences = &[("{label} {money}: {text}", "{0} {1}: {2}")];
const PAY: Sentences = &[
    ("refund of {day} taken back: {text}", "devolução de {0} retirada: {1}"),
    ("{money} paid back on {day}: {text}", "{0} devolvido em {1}: {2}"),
    ("on account {money} on {day} taken back: {text}", "adiantamento de {0} em {1} retirado: {2}"),
    ("{label} {money} on {day} taken back: {text}", "{0} {1} em {2} retirado: {3}"),
    ("open and waiting written anew: {text}", "em aberto e à espera recalculados: {0}"),
    ("{label} {money} from the account", "{0} {1} com dinheiro da conta"),
    ("on account {money} on {day}", "adiantamento de {0} em {1}"),
    ("{label} {money} on {day} ({kind})", "{0} {1} em {2} ({3})"),
    ("{label} {money} on {day}", "{0} {1} em {2}"),
];
const REMIND: Sentences = &[
    ("reminded of {money} in 1 open invoices", "lembrete de {0} em 1 fatura em aberto"),
    ("reminded of {money} in {count} open invoices", "lembrete de {0} em {1} faturas em aberto"),
];
const PERSON: Sentences = &[
    ("{label} added as {role}: {text}", "{0} incluído, papel {1}: {2}"),
    ("{label} invited: a link until {day}", "{0} convidado: endereço válido até {1}"),
    ("{label} chose a password", "{0} escolheu a senha"),
    ("{label} is {role} now, {role} before", "{0}: papel {1}, antes {2}"),
    ("{label} disabled", "{0} desativado"),
    ("{label} enabled", "{0} reativado"),
];
const NFSE: Sentences = &[
    (
        "DPS {label} to {label} of series {label} (production)",
        "DPS {0} a {1} da série {2} (produção)",
    ),
    (
        "DPS {label} to {label} of series {label} (restricted)",
        "DPS {0} a {1} da série {2} (produção restrita)",
    ),
    (
        "DPS {label} of series {label} (production) made anew for {label}",
        "DPS {0} da série {1} (produção) refeita para {2}",
    ),
    (
        "DPS {label} of series {label} (restricted) made anew for {label}",
        "DPS {0} da série {1} (produção restrita) refeita para {2}",
    ),
];
const TOKEN: Sentences = &[
    ("token added as {role} until {day}: {text}", "chave criada, papel {0}, até {1}: {2}"),
    ("token taken back: {text}", "chave retirada: {0}"),
];

/// Why a close waited, and what a wrong clock left behind.
const HOLDS: Sentences = &[
    ("{source} has no message at all", "{0} não tem nenhuma mensagem"),
    (
        "the newest message of {source} is of {minute}, more than {count} hours before the month's end ({minute})",
        "a mensagem mais nova d{0} é de {1}, mais de {2} horas antes do fim do mês ({3})",
    ),
    (
        "only {count} messages count, less than {count} % of the {count} of the month before",
        "só {0} mensagens contam, menos de {1} % das {2} do mês anterior",
    ),
    (
        "{count} of {count} messages cannot be billed, more than {count} %: {count} of ids that the register lacks, {count} whose direction or kind is none, {count} of what is no contact",
        "{0} das {1} mensagens não podem ser cobradas, mais de {2} %: {3} de códigos fora do cadastro, {4} com direção ou tipo inválido, {5} do que não é contato",
    ),
    (
        "{count} of {count} HSM are rows like another one in all columns, more than {count} %: {text}",
        "{0} das {1} HSM são linhas iguais a outra em todas as colunas, mais de {2} %: a origem repete mensagens?",
    ),
    (
        "{ids} had {count} of the {count} messages of the month before, more than {count} %, and has none now",
        "{0} tinha {1} das {2} mensagens do mês anterior, mais de {3} %, e agora nenhuma",
    ),
    (
        "{ids} had {count} of the {count} messages of the month before, more than {count} %, and have none now",
        "{0} tinham {1} das {2} mensagens do mês anterior, mais de {3} %, e agora nenhuma",
    ),
    (
        "[close] approval = \"manual\": every close waits for a person",
        "todo fechamento espera por uma pessoa ([close] approval = \"manual\")",
    ),
    ("It would issue 1 invoice of {text} in all", "sairia 1 fatura, de {0}"),
    ("It would issue {text} invoices of {text} in all", "sairiam {0} faturas, {1} ao todo"),
    (
        "in the month before these dealerships were invoiced {text}",
        "no mês anterior as mesmas concessionárias tiveram {0}",
    ),
    (
        "the first month is {month}: the clock said {month} when the daemon was first started",
        "o primeiro mês é {0}: o relógio dizia {1} quando o serviço começou pela primeira vez",
    ),
    (
        "the look of {text} is void: the clock was ahead, and the month has not ended",
        "a contagem de {0} não vale: o relógio estava adiantado, e o mês não terminou",
    ),
];

/// What an email is about, as resends name it.
pub(super) const MATTERS: Sentences = &[
    ("the cancellation of {label}", "cancelamento de {0}"),
    ("the report of {month}", "relatório de {0}"),
    ("{label} cancelled", "cancelamento de {0}"),
    ("held {month}#{count}", "retenção de {0}"),
    ("{month}#{count} {count}/{count}", "relatório de {0}, parte {2} de {3}"),
    ("{month} {label} {count}/{count}", "resumo de grupo {1} de {0}"),
    ("{month} {count}% {text}", "aviso de {1} % do pacote de {2} em {0}"),
    ("{day} {text}", "lembrete de {0} a {1}"),
    ("failed {month}", "alerta de fechamento que falhou, {0}"),
    ("late {month}", "alerta de fechamento atrasado, {0}"),
    ("message database away", "alerta de banco de mensagens fora do ar"),
    ("emails failed", "alerta de e-mails não entregues"),
    ("emails refused", "alerta de e-mails recusados"),
    ("refused", "alerta de recusas"),
    ("{label}", "{0}"),
];

/// A count, one change of a contract, or the columns of a row.
fn import(text: &str) -> Option<String> {
    said(sentences(Action::Import), text).or_else(|| columns(text))
}

/// Reasons one behind the other.
fn reasons(text: &str) -> String {
    let reason = |reason: &str| match reason.strip_prefix("plan ") {
        Some(plan) => format!("plano {}", plan.get(..12).unwrap_or(plan)),
        None => said(HOLDS, reason).unwrap_or_else(|| reason.to_owned()),
    };
    // What it would come to stands behind the reasons.
    let text = text.replacen(". It would issue ", "; It would issue ", 1);
    text.split("; ").map(reason).collect::<Vec<_>>().join("; ")
}

/// The reasons that a close waited for, and the person's own.
fn release(text: &str) -> String {
    let (held, own) = match text.split_once("reason: ") {
        Some((held, own)) => (held.strip_suffix("; ").unwrap_or(held), Some(own)),
        None => (text, None),
    };
    let held = Some(held).filter(|held| !held.is_empty()).map(reasons);
    let own = own.map(|own| format!("motivo: {own}"));
    held.into_iter().chain(own).collect::<Vec<_>>().join("; ")
}

/// `city 'Curitiba' → 'Londrina', cc '' → 'b@example.com'`.
fn columns(text: &str) -> Option<String> {
    let names = || DEALERSHIP_COLUMNS.into_iter().chain(CONTRACT_COLUMNS);
    let begins = |rest: &str| {
        names().find(|name| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(" '")))
    };
    let (mut rest, mut said) = (text, Vec::new());
    while !rest.is_empty() {
        let name = begins(rest)?;
        let (old, behind) = rest.get(name.len() + 2..)?.split_once("' → '")?;
        // A quote ends a cell where nothing, or another column, is behind it.
        let is_end = |at: &usize| {
            let behind = &behind[at + 1..];
            behind.is_empty()
                || behind.strip_prefix(", ").is_some_and(|next| begins(next).is_some())
        };
        let end = behind.match_indices('\'').map(|(at, _)| at).find(is_end)?;
        let new = &behind[..end];
        said.push(format!("{}: {} → {}", column(name), cell(name, old), cell(name, new)));
        rest = behind[end + 1..].strip_prefix(", ").unwrap_or_default();
    }
    (!said.is_empty()).then(|| said.join("; "))
}

/// The first of the sentences that a text is.
fn said(sentences: Sentences, text: &str) -> Option<String> {
    sentences.iter().find_map(|(logged, told)| {
        let values = read(logged, text)?;
        let mut words = String::new();
        let mut rest = *told;
        while let Some((before, (index, behind))) = rest
            .split_once('{')
            .and_then(|(before, behind)| Some((before, behind.split_once('}')?)))
        {
            words += before;
            words += index.parse().ok().and_then(|index: usize| values.get(index))?;
            rest = behind;
        }
        Some(words + rest)
    })
}

/// What stands in the places of a sentence, as people read it; `None` where a text is another sentence.
fn read(logged: &str, text: &str) -> Option<Vec<String>> {
    let Some((before, behind)) = logged.split_once('{') else {
        return (logged == text).then(Vec::new);
    };
    let (kind, logged) = behind.split_once('}')?;
    let text = text.strip_prefix(before)?;
    let next = logged.split('{').next().unwrap_or_default();
    // Where the words behind it stand more than once, the first place that makes a whole sentence.
    let ends: Vec<usize> = match next {
        "" => vec![text.len()],
        next => text.match_indices(next).map(|(at, _)| at).collect(),
    };
    ends.into_iter().find_map(|end| {
        let mut values = vec![value(kind, &text[..end])?];
        values.extend(read(logged, &text[end..])?);
        Some(values)
    })
}

/// A value as people read it; `None` where the text is none of its kind.
fn value(kind: &str, text: &str) -> Option<String> {
    let counted = |one: &str, many: &str| {
        let count = text.parse::<u64>().ok()?;
        Some(format!("{} {}", grouped(count), if count == 1 { one } else { many }))
    };
    match kind {
        "money" => text.parse::<Money>().ok().map(Money::brl),
        "count" => text.parse().ok().map(grouped),
        "dealerships" => counted("concessionária", "concessionárias"),
        "contracts" => counted("contrato", "contratos"),
        "numbers" => counted("número", "números"),
        "day" => text.parse::<NaiveDate>().ok().map(|day| day.format("%d/%m/%Y").to_string()),
        "minute" => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M UTC")
            .ok()
            .map(|at| at.format("%d/%m/%Y %H:%M UTC").to_string()),
        "month" => text.parse().ok().map(Month::in_words),
        "role" => text.parse::<Role>().ok().map(|role| people::role(role).to_lowercase()),
        "package" => Some(cell("package", text)),
        "kind" => text.parse::<Kind>().ok().map(|kind| invoice::kind(kind).to_owned()),
        "causes" => {
            text.split(", ").map(cause).collect::<Option<Vec<_>>>().map(|all| all.join(", "))
        }
        "source" => match text.strip_prefix("the message database")? {
            "" => Some("o banco de mensagens".to_owned()),
            name => Some(format!("o banco de mensagens{name}")),
        },
        "ids" => match text.strip_suffix(" more").and_then(|text| text.rsplit_once(" and ")) {
            Some((ids, more)) => Some(format!("{ids} e mais {more}")),
            None => Some(text.to_owned()),
        },
        "matter" => said(MATTERS, text),
        "label" => (!text.is_empty() && !text.contains(' ')).then(|| text.to_owned()),
        _ => (!text.is_empty()).then(|| text.to_owned()),
    }
}

pub(super) fn cause(key: &str) -> Option<String> {
    let known = serde_json::from_value::<Cause>(key.into()).ok()?;
    Some(small(task::cause(known)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        Action::Nfse,
        "DPS 1 to 12 of series 7 (restricted)",
        "DPS 1 a 12 da série 7 (produção restrita)"
    )]
    #[case(Action::Issue, "2026-000001 1014.00", "2026-000001 R$ 1.014,00")]
    #[case(
        Action::Adjust,
        "-120.00: contracts 10.50 on 2026-10-10",
        "-R$ 120,00: contracts 10.50 on 2026-10-10"
    )]
    #[case(Action::Adjust, "adjustment 3 taken back: -1.00", "lançamento 3 retirado: -R$ 1,00")]
    #[case(Action::Import, "1 dealerships, 3 contracts", "1 concessionária, 3 contratos")]
    #[case(
        Action::Import,
        "package '5000' → 'none' from 2026-10",
        "pacote: 5.000 → sem contrato a partir de outubro de 2026"
    )]
    #[case(
        Action::Import,
        "trade_name 'D'Ávila, city 'x'' → '', postal_code '' → '95010-000'",
        "nome fantasia: D'Ávila, city 'x' → (vazio); CEP: (vazio) → 95010-000"
    )]
    #[case(
        Action::Pay,
        "2026-000056 1124.86 on 2026-10-26",
        "2026-000056 R$ 1.124,86 em 26/10/2026"
    )]
    #[case(
        Action::Pay,
        "2026-000056 10.00 on 2026-10-26 (iss)",
        "2026-000056 R$ 10,00 em 26/10/2026 (ISS retido)"
    )]
    #[case(
        Action::Pay,
        "on account 5.00 on 2026-10-26 taken back: on the day",
        "adiantamento de R$ 5,00 em 26/10/2026 retirado: on the day"
    )]
    #[case(Action::Resend, "2026-000073 again", "2026-000073 de novo")]
    #[case(
        Action::Resend,
        "2026-10#1 1/3 to a@example.com instead of b@example.com",
        "relatório de outubro de 2026, parte 1 de 3 a a@example.com em vez de b@example.com"
    )]
    #[case(
        Action::Remind,
        "reminded of 7.00 in 1 open invoices",
        "lembrete de R$ 7,00 em 1 fatura em aberto"
    )]
    #[case(
        Action::Person,
        "ana@example.com invited: a link until 2026-12-04",
        "ana@example.com convidado: endereço válido até 04/12/2026"
    )]
    #[case(
        Action::Person,
        "ana@example.com added as admin: Ana",
        "ana@example.com incluído, papel administração: Ana"
    )]
    #[case(
        Action::Person,
        "a@b.c is finance now, viewer before",
        "a@b.c: papel financeiro, antes consulta"
    )]
    #[case(
        Action::Rerun,
        "2026-000001-R1 1.00 replaces 2026-000001 2.00: late, contract; reason: a; b; entered by root",
        "2026-000001-R1 R$ 1,00 no lugar de 2026-000001 R$ 2,00: mensagens que chegaram depois, contrato; motivo: a; b; registrado por root"
    )]
    #[case(
        Action::Release,
        "only 3 messages count, less than 50 % of the 1200 of the month before; the message database 'x' has no message at all; reason: ok",
        "só 3 mensagens contam, menos de 50 % das 1.200 do mês anterior; o banco de mensagens 'x' não tem nenhuma mensagem; motivo: ok"
    )]
    #[case(
        Action::Hold,
        "[close] approval = \"manual\": every close waits for a person. It would issue 1.200 invoices of R$ 13.794,00 in all; in the month before these dealerships were invoiced R$ 20.516,38",
        "todo fechamento espera por uma pessoa ([close] approval = \"manual\"); sairiam 1.200 faturas, R$ 13.794,00 ao todo; no mês anterior as mesmas concessionárias tiveram R$ 20.516,38"
    )]
    #[case(Action::Pay, "as 0.1 said it", "as 0.1 said it")]
    fn fechas_own_words_are_portuguese_and_reasons_stay(
        #[case] action: Action,
        #[case] logged: &str,
        #[case] told: &str,
    ) {
        assert_eq!(detail(action, logged).replace('\u{a0}', " "), told);
    }
}
