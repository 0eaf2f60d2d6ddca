//! Sistema: version, databases, what was asked for lately, and what a check finds.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::actions::check::{self, Findings, PackageFacts, RegisterFacts, Tried};
use crate::console::ways::Ways;
use crate::console::{Console, Oops, Page, Section, Signed};
use crate::ledger::LedgerError;
use crate::ledger::tasks::{Task, TaskState};
use fecha_core::party::person::Role;
use fecha_core::party::twins::Likeness;
use fecha_core::price::money::grouped;
use fecha_core::price::table::NoPrice;

/// So many tasks are shown.
const TASKS: u32 = 15;
/// So many names stand in a line.
const NAMED: usize = 10;

/// The page, and its button.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/system", show).post("/system/check", Role::Finance, look)
}

#[derive(Debug, Serialize)]
struct View {
    version: &'static str,
    engine: &'static str,
    /// Why the ledger cannot be written.
    writes: Option<&'static str>,
    leader: String,
    now: DateTime<Utc>,
    zone: String,
    tasks: Vec<TaskRow>,
    checks: Vec<CheckRow>,
}

#[derive(Debug, Serialize)]
struct TaskRow {
    path: String,
    what: String,
    by: String,
    at: DateTime<Utc>,
    state: &'static str,
    kind: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct CheckRow {
    what: String,
    state: &'static str,
    kind: &'static str,
    words: String,
}

async fn show(State(console): State<Console>, signed: Signed) -> Result<Page, Oops> {
    draw(&console, &signed, Vec::new()).await
}

/// Tries what a month needs; what is found stands on the page at once, and nowhere else.
async fn look(State(console): State<Console>, signed: Signed) -> Result<Page, Oops> {
    let findings = check::check(&console.office, &console.source).await?;
    draw(&console, &signed, checks(&findings)).await
}

fn why_not_written(error: &LedgerError) -> &'static str {
    tracing::warn!(%error, "the ledger cannot be written");
    match error {
        LedgerError::NotWritable { .. } => {
            "Ele só pode ser lido: é uma cópia, o disco está cheio ou falta permissão."
        }
        LedgerError::Busy { .. } => "Outro processo o ocupa há muito tempo.",
        LedgerError::Replaced { .. } => "O arquivo foi apagado ou trocado enquanto estava em uso.",
        LedgerError::Unreachable { .. } => "O banco de dados não responde.",
        _ => "O registro (log) do serviço diz por quê.",
    }
}

async fn draw(console: &Console, signed: &Signed, checks: Vec<CheckRow>) -> Result<Page, Oops> {
    let office = &console.office;
    let tasks = office.ledger.latest_tasks(TASKS).await?;
    let view = View {
        version: env!("CARGO_PKG_VERSION"),
        engine: office.ledger.engine_name(),
        writes: office.ledger.may_be_written().await.err().as_ref().map(why_not_written),
        leader: leader(office.ledger.leaders().await?),
        now: office.clock.now(),
        zone: office.config.issuer.timezone.name().to_owned(),
        tasks: tasks.iter().map(TaskRow::of).collect(),
        checks,
    };
    console.page(signed, Section::System, "Sistema", "system.html", &view).await
}

/// A ledger of a file serves one daemon, and this is it.
fn leader(leaders: Option<i64>) -> String {
    match leaders {
        None => "este serviço, o único".to_owned(),
        Some(1) => "o primeiro desde o início".to_owned(),
        Some(number) => format!("o {}º desde o início", grouped(number.unsigned_abs())),
    }
}

impl TaskRow {
    fn of(task: &Task) -> Self {
        let what = match task.kind.as_str() {
            "look" => "Contar o que seria emitido:",
            "release" => "Liberar",
            "compare" => "Comparar",
            "rerun" => "Emitir revisões",
            "preview" => "Contar agora",
            "import" => "Importar cadastro",
            "simulate" => "Simular preços",
            _ => "Outra",
        };
        let month = task.month.map(|month| format!(" {}", month.in_words())).unwrap_or_default();
        let (state, kind) = match task.state {
            TaskState::Waiting => ("Na fila", "quiet"),
            TaskState::Running => ("Em andamento", "warn"),
            TaskState::Done => ("Concluída", "good"),
            TaskState::Failed => ("Falhou", "bad"),
        };
        Self {
            path: format!("/tasks/{}", task.id),
            what: format!("{what}{month}"),
            by: task.asked_by.clone(),
            at: task.asked_at,
            state,
            kind,
        }
    }
}

fn good(what: &str, words: String) -> CheckRow {
    CheckRow { what: what.to_owned(), state: "certo", kind: "good", words }
}

fn bad(what: &str, words: String) -> CheckRow {
    CheckRow { what: what.to_owned(), state: "corrigir", kind: "bad", words }
}

fn checks(findings: &Findings) -> Vec<CheckRow> {
    let mut rows = Vec::new();
    for (name, tried) in &findings.messages {
        let what =
            name.as_ref().map_or("Mensagens".to_owned(), |name| format!("Mensagens: {name}"));
        rows.push(outside(&what, tried, |checked| {
            format!("{} · {}", checked.engine, checked.relation)
        }));
    }
    rows.push(outside("E-mail", &findings.mail, String::clone));
    rows.push(register(&findings.register));
    rows.extend(findings.packages.iter().map(packages));
    rows.push(match findings.behind.first() {
        None => good("Números", "Nenhum número já enviado seria dado de novo.".to_owned()),
        Some(behind) => bad(
            "Números",
            format!(
                "A fatura {} já foi enviada, mas a próxima seria {}: um livro antigo foi restaurado. Ponha [invoice] first_number = \"{}\" na configuração.",
                behind.mailed,
                behind.next,
                behind.mailed.next()
            ),
        ),
    });
    rows
}

fn outside<T>(what: &str, tried: &Tried<T>, words: impl FnOnce(&T) -> String) -> CheckRow {
    match tried {
        Tried::Works(said) => good(what, words(said)),
        Tried::Fails(why) => bad(what, format!("Não funciona. Resposta: {why}")),
        Tried::Silent => bad(what, "Não respondeu em 10 segundos.".to_owned()),
    }
}

fn register(facts: &RegisterFacts) -> CheckRow {
    let count = |number: usize| grouped(number as u64);
    let mut words = format!(
        "{} concessionárias, {} contratos, {} números.",
        count(facts.dealerships),
        count(facts.contracts),
        count(facts.numbers)
    );
    let twin = |(one, other, likeness): &(String, String, Likeness)| {
        let why = match likeness {
            Likeness::Id => "identificações parecidas",
            Likeness::CompanyAndName => "mesmo CNPJ e nome",
        };
        format!("'{one}' e '{other}' ({why})")
    };
    let twins: Vec<String> = facts.twins.iter().map(twin).collect();
    if !twins.is_empty() {
        words += &format!(" Podem ser uma só: {}.", named(&twins));
    }
    if !facts.unprintable.is_empty() {
        let ids: Vec<String> = facts.unprintable.iter().map(|(id, _)| id.clone()).collect();
        let ids = named(&ids);
        words += &format!(" Com letras que os documentos não imprimem: {ids}.");
    }
    if facts.dealerships == 0 {
        return bad("Cadastro", "Está vazio: importe dealerships.csv e contracts.csv.".to_owned());
    }
    good("Cadastro", words)
}

fn packages(facts: &PackageFacts) -> CheckRow {
    let what = format!("Contratos de {}", facts.month.in_words());
    if facts.lacking.is_empty() {
        let words = format!("{} com o seu pacote na tabela de preços.", grouped(facts.fit as u64));
        return good(&what, words);
    }
    let lacking = facts.lacking.iter().map(|(id, why)| match why {
        NoPrice::Package { list: None, package, .. } => format!("{id} ({})", grouped(*package)),
        NoPrice::Package { list: Some(list), package, .. } => {
            format!("{id} ({} na lista {list})", grouped(*package))
        }
        NoPrice::List { list, .. } | NoPrice::ListMonth { list, .. } => {
            format!("{id} (lista {list})")
        }
        NoPrice::Month { .. }
        | NoPrice::TooLarge { .. }
        | NoPrice::NotToldApart { .. }
        | NoPrice::Unproved
        | NoPrice::TooManyKinds => id.clone(),
    });
    let words = format!(
        "A tabela de preços não tem o pacote de {}: sem fatura até corrigir o contrato ou a tabela.",
        named(&lacking.collect::<Vec<_>>())
    );
    bad(&what, words)
}

fn named(all: &[String]) -> String {
    let first = all.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} e mais {more}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;
    use crate::document::must_be_printable;

    fn view() -> View {
        View {
            version: "0.1.0",
            engine: "SQLite",
            writes: None,
            leader: leader(None),
            now: "2026-11-01T03:00:01Z".parse().unwrap(),
            zone: "America/Sao_Paulo".to_owned(),
            tasks: Vec::new(),
            checks: Vec::new(),
        }
    }

    #[test]
    fn it_is_drawn_before_and_after_a_check() {
        assert!(renders("system.html", &view()).contains("Nenhuma tarefa"));
        let findings = Findings {
            register: RegisterFacts {
                dealerships: 1500,
                twins: vec![("d1".to_owned(), "D1".to_owned(), Likeness::Id)],
                unprintable: (0..12)
                    .map(|n| (format!("x{n}"), must_be_printable("\u{4e16}").unwrap_err()))
                    .collect(),
                ..RegisterFacts::default()
            },
            packages: vec![PackageFacts {
                month: "2026-10".parse().unwrap(),
                fit: 1,
                lacking: vec![(
                    "d7".to_owned(),
                    NoPrice::Package {
                        list: None,
                        table: "2020-08".parse().unwrap(),
                        package: 7000,
                        known: "5000".to_owned(),
                    },
                )],
            }],
            behind: Vec::new(),
            messages: vec![(Some("norte".to_owned()), Tried::Silent)],
            mail: Tried::Fails("535 <no>".to_owned()),
        };
        let task = TaskRow {
            path: "/tasks/0199".to_owned(),
            what: "Liberar outubro de 2026".to_owned(),
            by: "Ana".to_owned(),
            at: "2026-11-01T03:00:01Z".parse().unwrap(),
            state: "Falhou",
            kind: "bad",
        };
        let full = View {
            writes: Some("O disco está cheio."),
            leader: leader(Some(3)),
            tasks: vec![task],
            checks: checks(&findings),
            ..view()
        };
        let html = renders("system.html", &full);
        for part in
            ["d7 (7.000)", "e mais 2", "535 &lt;no&gt;", "10 segundos", "disco está cheio", "3º"]
        {
            assert!(html.contains(part), "{part}: {html}");
        }
    }
}
