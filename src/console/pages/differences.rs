//! Diferenças: what of a closed month would be otherwise today, by cause and line by line; what is accepted of it is
//! issued as revisions, by the plan that is shown.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::{Form, Query};
use serde::{Deserialize, Serialize};

use super::month::{Head, ROWS, eyes, forms, parsed};
use super::pro_forma::LineShown;
use crate::actions::compare::{Can, Changed, Compared, Differing};
use crate::actions::recount::Stuck;
use crate::actions::rerun::Accepted;
use crate::actions::task::{Eyes, Outcome, Wish};
use crate::console::words::task::{cause as cause_words, not_asked};
use crate::console::{Console, Oops, Page, Section, Signed, ways::Ways};
use crate::ledger::tasks::{Task, TaskId};
use fecha_core::bill::difference::{Cause, LineChange};
use fecha_core::bill::invoice::label;
use fecha_core::calendar::month::Month;
use fecha_core::party::person::Role;
use fecha_core::price::money::{Money, grouped};

/// This page and its form.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/months/{month}/differences", show).post("/months/{month}/rerun", Role::Admin, rerun)
}

/// What is accepted, and which part of the list is shown.
#[derive(Debug, Clone, Default, Deserialize)]
struct Asked {
    /// Causes, for every dealership.
    #[serde(default)]
    all: Vec<String>,
    /// `contract:d17`.
    #[serde(default)]
    of: Vec<String>,
    /// Rows from this one on.
    #[serde(default)]
    from: usize,
    /// Only rows with this cause.
    #[serde(default)]
    cause: String,
}

fn known(key: &str) -> Option<Cause> {
    Cause::ALL.into_iter().find(|cause| cause.key() == key)
}

fn accepted(all: &[String], of: &[String]) -> Accepted {
    let mut accepted = Accepted::everywhere(all.iter().filter_map(|key| known(key)));
    for one in of {
        if let Some((key, id)) = one.split_once(':')
            && let Some(cause) = known(key)
        {
            accepted.of.entry(id.to_owned()).or_default().insert(cause);
        }
    }
    accepted
}

#[derive(Debug, Serialize)]
struct DifferencesPage {
    head: Head,
    compared: Option<Shown>,
    reason: String,
    error: String,
}

#[derive(Debug, Serialize)]
struct Shown {
    task: String,
    at: String,
    /// Whether something was issued since.
    is_old: bool,
    /// Whether this person asked for it, where who asks does not issue.
    is_mine: bool,
    unchanged: usize,
    differing: usize,
    change: Money,
    stuck: usize,
    causes: Vec<CauseShown>,
    cause: String,
    rows: Vec<Row>,
    /// Boxes that were checked on other parts of the list.
    elsewhere: Vec<String>,
    all: Vec<String>,
    of: Vec<String>,
    from: usize,
    next: Option<usize>,
    chosen: Option<ChosenShown>,
}

#[derive(Debug, Serialize)]
struct CauseShown {
    key: &'static str,
    words: &'static str,
    invoices: usize,
    change: Money,
    checked: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    number: String,
    label: String,
    id: String,
    name: String,
    before: Option<Money>,
    now: Option<Money>,
    causes: Vec<RowCause>,
    lines: Vec<(Option<LineShown>, Option<LineShown>)>,
    facts: Vec<String>,
    stuck: String,
    chosen: bool,
}

#[derive(Debug, Serialize)]
struct RowCause {
    key: &'static str,
    words: &'static str,
    /// `contract:d17`.
    value: String,
    change: Option<Money>,
    checked: bool,
    everywhere: bool,
}

#[derive(Debug, Serialize)]
struct ChosenShown {
    invoices: usize,
    change: Money,
    plan: String,
}

/// The comparison that was made last of a month, or the one of this name.
async fn compared(
    console: &Console,
    month: Month,
    id: Option<&str>,
) -> Result<Option<(Task, Compared)>, Oops> {
    let ledger = &console.office.ledger;
    let task = match id {
        Some(id) => ledger.task(&TaskId::from_outside(id)).await?,
        None => ledger.latest_done(month, "compare").await?,
    };
    let Some(task) = task.filter(|task| task.month == Some(month)) else { return Ok(None) };
    Ok(match Outcome::of(&task)? {
        Some(Outcome::Compared(compared)) => Some((task, compared)),
        _ => None,
    })
}

async fn show(
    State(console): State<Console>,
    signed: Signed,
    Path(month): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Page, Oops> {
    look(&console, &signed, parsed(&month)?, &asked, (String::new(), String::new())).await
}

async fn look(
    console: &Console,
    signed: &Signed,
    month: Month,
    asked: &Asked,
    (reason, error): (String, String),
) -> Result<Page, Oops> {
    let closing = console.office.ledger.closing(month).await?;
    let head = Head::of(console, month, closing.as_ref()).await?;
    let compared = match compared(console, month, None).await? {
        Some((task, compared)) => {
            let is_old = console.office.ledger.is_changed_since(month, compared.at).await?;
            let is_mine =
                eyes(console) == Eyes::Four && task.person.as_ref() == Some(&signed.person);
            Some(Shown { is_mine, ..shown(&task, &compared, asked, is_old) })
        }
        None => None,
    };
    let refused = !error.is_empty();
    let view = DifferencesPage { head, compared, reason, error };
    let title = format!("Diferenças de {}", month.in_words());
    let page = console.page(signed, Section::Months, &title, "differences.html", &view).await?;
    Ok(if refused { page.refused() } else { page })
}

fn shown(task: &Task, compared: &Compared, asked: &Asked, is_old: bool) -> Shown {
    let accepted = accepted(&asked.all, &asked.of);
    let only = known(&asked.cause);
    let listed: Vec<&Differing> = compared
        .differing
        .iter()
        .filter(|one| only.is_none_or(|cause| one.causes().contains(&cause)))
        .collect();
    let rows: Vec<Row> =
        listed.iter().skip(asked.from).take(ROWS).map(|one| row(one, &accepted)).collect();
    let here = |value: &String| {
        rows.iter().any(|row| row.causes.iter().any(|cause| cause.value == *value))
    };
    let elsewhere = asked.of.iter().filter(|value| !here(value)).cloned().collect();
    let chosen = compared.chosen(&accepted);
    let by_cause = compared.by_cause();
    let cause = |(cause, (invoices, change)): (&Cause, &(usize, Money))| CauseShown {
        key: cause.key(),
        words: cause_words(*cause),
        invoices: *invoices,
        change: *change,
        checked: accepted.everywhere.contains(cause),
    };
    Shown {
        task: task.id.to_string(),
        at: compared.at.to_rfc3339(),
        is_old,
        is_mine: false,
        unchanged: compared.unchanged,
        differing: compared.differing.len(),
        change: compared.change(),
        stuck: compared.stuck(),
        causes: by_cause.iter().map(cause).collect(),
        cause: only.map(Cause::key).unwrap_or_default().to_owned(),
        rows,
        elsewhere,
        all: asked.all.clone(),
        of: asked.of.clone(),
        from: asked.from,
        next: (listed.len() > asked.from + ROWS).then(|| asked.from + ROWS),
        chosen: (!chosen.dealerships.is_empty()).then(|| ChosenShown {
            invoices: chosen.dealerships.len(),
            change: chosen.change,
            plan: chosen.plan.to_string(),
        }),
    }
}

fn row(one: &Differing, accepted: &Accepted) -> Row {
    let id = &one.dealership_id;
    let effect = |cause: Cause| {
        let effects = one.changed.iter().flat_map(|changed| &changed.effects);
        effects.filter(|(of, _)| *of == cause).map(|(_, amount)| *amount).next()
    };
    let cause = |cause: &Cause| RowCause {
        key: cause.key(),
        words: cause_words(*cause),
        value: format!("{}:{id}", cause.key()),
        change: effect(*cause),
        checked: accepted.covers(id, *cause),
        everywhere: accepted.everywhere.contains(cause),
    };
    let changed = one.changed.as_ref();
    let line = |line: &LineChange| {
        (line.before.as_ref().map(LineShown::of), line.now.as_ref().map(LineShown::of))
    };
    Row {
        number: one.number.to_string(),
        label: label(one.number, one.revision),
        id: id.clone(),
        name: one.name.clone(),
        before: changed.and_then(|changed| changed.total.before),
        now: changed.and_then(|changed| changed.total.now),
        causes: one.causes().iter().map(cause).collect(),
        lines: changed.map(|changed| changed.lines.iter().map(line).collect()).unwrap_or_default(),
        facts: changed.map(facts).unwrap_or_default(),
        stuck: match &one.can {
            Can::BeRevised(_) => String::new(),
            Can::Not(stuck) => stuck_in_words(stuck),
        },
        chosen: one.is_chosen(accepted),
    }
}

/// What changed beside the lines.
fn facts(changed: &Changed) -> Vec<String> {
    let mut facts = Vec::new();
    let mut count = |what: &str, number: u64| {
        if number > 0 {
            facts.push(format!("{what}: {}", grouped(number)));
        }
    };
    count("Contatos novos", changed.contacts.new);
    count("Contatos com mensagens a mais", changed.contacts.more);
    count("Contatos que sumiram", changed.contacts.gone);
    count("Contatos com mensagens a menos", changed.contacts.fewer);
    count("Contatos com mensagens de outra categoria", changed.contacts.recategorised);
    let of = |what: &str, before: u64, now: u64| {
        (before != now).then(|| format!("{what}: {} → {}", grouped(before), grouped(now)))
    };
    facts.extend(of("UAM", changed.uam.before, changed.uam.now));
    facts.extend(of("HSM", changed.hsm.before, changed.hsm.now));
    facts.extend(
        changed
            .register
            .iter()
            .map(|(field, before, now)| format!("{}: {before} → {now}", field_in_words(field))),
    );
    if changed.left_from.is_some() {
        facts.push(
            "As mensagens mais antigas foram apagadas da origem: aceitar cobra só o que restou."
                .to_owned(),
        );
    }
    facts
}

fn field_in_words(field: &str) -> &str {
    match field {
        "name" => "Razão social",
        "trade_name" => "Nome fantasia",
        "cnpj" => "CNPJ",
        "address" => "Endereço",
        "city" => "Cidade",
        "state" => "UF",
        other => other,
    }
}

fn stuck_in_words(stuck: &Stuck) -> String {
    match stuck {
        Stuck::Purged => {
            "As mensagens deste mês não estão mais na origem: a fatura fica como foi emitida."
                .to_owned()
        }
        Stuck::Damaged(_) => {
            "A comprovação guardada não confere com a emitida: restaure o livro de uma cópia."
                .to_owned()
        }
        Stuck::NoPackage => {
            "Não tem mais pacote neste mês: cancele a fatura, ou cadastre o contrato.".to_owned()
        }
        Stuck::NoPrice(_) => {
            "O pacote não está na tabela de preços do mês: corrija o contrato ou a tabela."
                .to_owned()
        }
    }
}

#[derive(Debug, Deserialize)]
struct Rerun {
    task: String,
    plan: String,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    of: Vec<String>,
    #[serde(default)]
    reason: String,
}

async fn rerun(
    State(console): State<Console>,
    signed: Signed,
    Path(month): Path<String>,
    Form(form): Form<Rerun>,
) -> Result<Response, Oops> {
    let month = parsed(&month)?;
    let accept = accepted(&form.all, &form.of);
    let again = |error: &str| {
        let asked = Asked { all: form.all.clone(), of: form.of.clone(), ..Asked::default() };
        let typed = (form.reason.clone(), error.to_owned());
        let (console, signed) = (&console, &signed);
        async move { Ok(look(console, signed, month, &asked, typed).await?.into_response()) }
    };
    let Some((_, compared)) = compared(&console, month, Some(&form.task)).await? else {
        return again("Esta comparação não existe mais: compare de novo.").await;
    };
    let chosen = compared.chosen(&accept);
    if chosen.dealerships.is_empty() {
        return again("Nenhuma fatura tem todas as suas causas aceitas: nada foi emitido.").await;
    }
    if chosen.plan.to_string() != form.plan {
        return again("O que foi enviado não é o que estava na página: confira e envie de novo.")
            .await;
    }
    let Ok(reason) = forms::said(&form.reason) else {
        return again("Escreva por quê: sai impresso nas faturas e fica na auditoria.").await;
    };
    let (plan, dealerships) = (chosen.plan, chosen.dealerships);
    let wish = Wish::Rerun { month, plan, accept, dealerships, reason };
    let task = forms::asked(&console, &signed, &wish).await.map_err(not_asked)?;
    let words = "Emissão pedida: as revisões saem se as faturas ainda derem o que você leu.";
    Ok(forms::leads_to(&task, words).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;
    use crate::console::pages::month::tests::head;

    #[test]
    fn it_is_drawn_before_and_after_a_comparison() {
        let none = DifferencesPage {
            head: head("closed"),
            compared: None,
            reason: String::new(),
            error: "Escreva por quê".to_owned(),
        };
        let html = renders("differences.html", &none);
        assert!(html.contains("ainda não foi comparado") && html.contains("Escreva por quê"));
        let line = || {
            LineShown::of(
                &serde_json::from_value(serde_json::json!({
                    "item": "hsm", "quantity": 2, "unit_price": "0.46", "amount": "0.92",
                }))
                .unwrap(),
            )
        };
        let cause = |checked| RowCause {
            key: "contract",
            words: "Pacote do contrato",
            value: "contract:d17".to_owned(),
            change: Some(Money::from_centavos(-81_300)),
            checked,
            everywhere: false,
        };
        let row = |stuck: &str| Row {
            number: "2026-000001".to_owned(),
            label: "2026-000001".to_owned(),
            id: "d17".to_owned(),
            name: "<Loja>".to_owned(),
            before: Some(Money::from_centavos(101_400)),
            now: Some(Money::from_centavos(182_700)),
            causes: vec![cause(true)],
            lines: vec![(Some(line()), None), (None, Some(line()))],
            facts: vec!["UAM: 1 → 2".to_owned()],
            stuck: stuck.to_owned(),
            chosen: stuck.is_empty(),
        };
        let shown = Shown {
            task: "0192".to_owned(),
            at: "2026-11-03T08:00:00Z".to_owned(),
            is_old: true,
            is_mine: false,
            unchanged: 1498,
            differing: 2,
            change: Money::from_centavos(81_300),
            stuck: 1,
            causes: vec![CauseShown {
                key: "late",
                words: "Mensagens que chegaram depois",
                invoices: 2,
                change: Money::from_centavos(92),
                checked: true,
            }],
            cause: "late".to_owned(),
            rows: vec![row(""), row("Não tem mais pacote")],
            elsewhere: vec!["contract:d99".to_owned()],
            all: vec!["late".to_owned()],
            of: vec!["contract:d17".to_owned()],
            from: 50,
            next: Some(100),
            chosen: Some(ChosenShown {
                invoices: 1,
                change: Money::from_centavos(81_300),
                plan: "a".repeat(64),
            }),
        };
        let page = DifferencesPage { compared: Some(shown), error: String::new(), ..none };
        let html = renders("differences.html", &page);
        assert!(
            html.contains("Emitir 1 revisão") && html.contains("+\u{a0}R$\u{a0}813,00"),
            "{html}"
        );
        assert!(html.contains("value=\"contract:d99\"") && html.contains("&lt;Loja&gt;"), "{html}");
    }

    #[test]
    fn what_is_accepted_is_read_from_boxes() {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let accepted =
            accepted(&keys(&["late", "nonsense"]), &keys(&["contract:d:17", "x", "odd:d1"]));
        assert!(accepted.covers("any", Cause::Late) && accepted.covers("d:17", Cause::Contract));
        assert!(!accepted.covers("d1", Cause::Contract) && accepted.of.len() == 1);
    }
}
