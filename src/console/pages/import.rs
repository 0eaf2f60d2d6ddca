//! Importar: files of the register are sent in, what they would change is shown, and that alone is applied.

use std::collections::HashMap;

use axum::extract::{Form, Multipart, Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use crate::actions::import::{ImportError, try_out};
use crate::actions::task::{AskError, Asker, Eyes, Wish, ask};
use crate::console::address;
use crate::console::ways::Ways;
use crate::console::words::register::{becomes, cell, column, key, reason};
use crate::console::{Console, Done, Oops, Page, Section, Signed};
use crate::ledger::tasks::Task;
use crate::ledger::uploads::{Upload, UploadKind};
use crate::setup::register::changes::{Becomes, Change, Counts, Key};
use crate::setup::register::plan::{Alike, File, Files, Import};
use crate::setup::register::reason::Reason;
use crate::setup::register::{BadRow, BadRows, Kind, kind_of};
use fecha_core::bill::plan::PlanHash;
use fecha_core::party::person::Role;

/// So many rows stand on a page.
const ROWS: usize = 50;

/// The page and its forms; what a file would change is shown to who may apply it.
pub fn ways(ways: Ways) -> Ways {
    ways.get_as("/dealerships/import", Role::Admin, show)
        .post("/dealerships/import", Role::Admin, send)
        .post("/dealerships/import/apply", Role::Admin, apply)
}

/// The files that were sent in, by id, and what a person decided.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Sent {
    dealerships: String,
    contracts: String,
    numbers: String,
    /// `yes`: ids that are alike are two dealerships.
    twins: String,
    page: usize,
    /// What was shown; of the form that applies it.
    plan: String,
}

#[derive(Debug, Default, Serialize)]
struct View {
    sent: Sent,
    /// Why a file was not taken at all.
    problem: String,
    files: Vec<FileRow>,
    plan: String,
    counts: Vec<CountRow>,
    rows: Vec<ChangeRow>,
    /// Which of the rows these are, and of how many.
    span: [usize; 3],
    next: String,
    first: String,
    left: Vec<String>,
    left_total: usize,
    warnings: Vec<String>,
    accepted: Vec<String>,
    bad: Vec<BadRowShown>,
    bad_total: usize,
    /// Where to go on, where twins alone are in the way.
    accept: String,
}

#[derive(Debug, Serialize)]
struct FileRow {
    what: &'static str,
    name: String,
}

#[derive(Debug, Serialize)]
struct CountRow {
    what: &'static str,
    added: u64,
    updated: u64,
    unchanged: u64,
}

#[derive(Debug, Serialize)]
struct ChangeRow {
    becomes: &'static str,
    kind: &'static str,
    which: String,
    columns: Vec<[String; 3]>,
    /// What a row says that is new, or that goes.
    cells: Vec<[String; 2]>,
}

#[derive(Debug, Serialize)]
struct BadRowShown {
    file: String,
    line: u64,
    column: &'static str,
    why: String,
}

async fn show(
    State(console): State<Console>,
    signed: Signed,
    Query(sent): Query<Sent>,
) -> Result<Page, Oops> {
    let uploads = uploads(&console, &sent).await?;
    let view = if uploads.iter().all(Option::is_none) {
        View::default()
    } else {
        looked(&console, sent, &uploads).await?
    };
    draw(&console, &signed, &view).await
}

async fn draw(console: &Console, signed: &Signed, view: &View) -> Result<Page, Oops> {
    let title = "Importar cadastro";
    console.page(signed, Section::Dealerships, title, "import.html", view).await
}

/// The three files, those that were sent.
async fn uploads(console: &Console, sent: &Sent) -> Result<[Option<Upload>; 3], Oops> {
    let mut uploads = [None, None, None];
    let ids = [&sent.dealerships, &sent.contracts, &sent.numbers];
    for (place, id) in uploads.iter_mut().zip(ids) {
        if id.is_empty() {
            continue;
        }
        let upload = console.office.ledger.upload(UploadKind::Register, id).await?;
        let gone = || {
            let words = "Este arquivo não está mais guardado: envie de novo.";
            Oops::NotFound(words.to_owned())
        };
        *place = Some(upload.ok_or_else(gone)?);
    }
    Ok(uploads)
}

/// What the files would change.
async fn looked(
    console: &Console,
    sent: Sent,
    uploads: &[Option<Upload>; 3],
) -> Result<View, Oops> {
    let [dealerships, contracts, numbers] = uploads.each_ref().map(|upload| {
        upload.as_ref().map(|upload| File { name: &upload.name, bytes: &upload.bytes })
    });
    let files = Files { dealerships, contracts, numbers };
    let alike = if sent.twins == "yes" { Alike::Accept } else { Alike::Refuse };
    let office = &console.office;
    let named = [Kind::Dealerships, Kind::Contracts, Kind::Numbers].into_iter().zip(uploads);
    let file = |(kind, upload): (Kind, &Option<Upload>)| {
        Some(FileRow { what: what(kind), name: upload.as_ref()?.name.clone() })
    };
    let view = View { files: named.filter_map(file).collect(), ..View::default() };
    match try_out(Some(&office.ledger), &office.config.prices, files, alike).await {
        Ok(import) => Ok(View::of(view, sent, &import)),
        Err(ImportError::Ledger(error)) => Err(error.into()),
        Err(ImportError::Bad(rows)) => Ok(View::refused(view, sent, &rows)),
        // Nothing is bound to a plan here.
        Err(ImportError::Other(_)) => Err(Oops::Failed("Nada foi importado.".to_owned())),
    }
}

/// What changes is read first, then what is new: a dealership with its contracts, in the order of the files.
fn in_reading_order(changes: &[Change]) -> Vec<&Change> {
    let dealership = |change: &Change| match &change.key {
        Key::Dealership { dealership_id } | Key::Contract { dealership_id, .. } => {
            Some(dealership_id.clone())
        }
        Key::Number { .. } => None,
    };
    let mut places = HashMap::new();
    for (place, change) in changes.iter().enumerate() {
        if let Some(id) = dealership(change) {
            places.entry(id).or_insert(place);
        }
    }
    let place = |change: &Change| dealership(change).and_then(|id| places.get(&id).copied());
    let mut ordered: Vec<&Change> = changes.iter().collect();
    ordered.sort_by_cached_key(|change| {
        (change.change == Becomes::Added, place(change).unwrap_or(usize::MAX))
    });
    ordered
}

fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Dealerships => "Concessionárias",
        Kind::Contracts => "Contratos",
        Kind::Numbers => "Números",
    }
}

impl View {
    fn of(view: Self, sent: Sent, import: &Import) -> Self {
        let count = |what, counts: Counts| CountRow {
            what,
            added: counts.added,
            updated: counts.updated,
            unchanged: counts.unchanged,
        };
        let counts = [
            (&sent.dealerships, count("Concessionárias", import.dealerships)),
            (&sent.contracts, count("Contratos", import.contracts)),
            (&sent.numbers, count("Números", import.numbers)),
        ];
        let counts = counts.into_iter().filter(|(id, _)| !id.is_empty());
        let changes = in_reading_order(&import.changes);
        let last_page = changes.len().saturating_sub(1) / ROWS;
        let page = sent.page.min(last_page);
        let from = page * ROWS;
        let to = changes.len().min(from + ROWS);
        let path = |page: usize| sent.path(&sent.twins, page);
        let left = import.not_in_file.iter().take(ROWS);
        Self {
            plan: import.plan.as_ref().map(ToString::to_string).unwrap_or_default(),
            counts: counts.map(|(_, row)| row).collect(),
            rows: changes[from..to].iter().map(|change| ChangeRow::of(change)).collect(),
            span: [from + 1, to, changes.len()],
            next: if page < last_page { path(page + 1) } else { String::new() },
            first: if page > 0 { path(0) } else { String::new() },
            left: left.map(|one| format!("{} ({})", one.name, one.dealership_id)).collect(),
            left_total: import.not_in_file.len(),
            warnings: import.warnings.iter().take(ROWS).map(in_a_line).collect(),
            accepted: import
                .twins
                .iter()
                .map(|twin| format!("'{}' e '{}'", twin.dealership_id, twin.like))
                .collect(),
            sent,
            ..view
        }
    }

    fn refused(view: Self, sent: Sent, rows: &BadRows) -> Self {
        let twins_alone = rows.first.iter().all(|row| matches!(row.reason, Reason::Twin { .. }));
        Self {
            bad: rows.first.iter().map(BadRowShown::of).collect(),
            bad_total: rows.total,
            accept: if twins_alone { sent.path("yes", 0) } else { String::new() },
            sent,
            ..view
        }
    }
}

/// Where the files of an import can be looked at again.
pub(super) fn again(task: &Task) -> String {
    let Ok(Wish::Import { dealerships, contracts, numbers, accept_twins, .. }) = Wish::of(task)
    else {
        return "/dealerships/import".to_owned();
    };
    let [dealerships, contracts, numbers] =
        [dealerships, contracts, numbers].map(Option::unwrap_or_default);
    let sent = Sent { dealerships, contracts, numbers, ..Sent::default() };
    sent.path(if accept_twins { "yes" } else { "" }, 0)
}

impl Sent {
    /// The address of the page with these files.
    fn path(&self, twins: &str, page: usize) -> String {
        let Self { dealerships, contracts, numbers, .. } = self;
        let shown = page.to_string();
        let parts = [
            ("dealerships", dealerships.as_str()),
            ("contracts", contracts),
            ("numbers", numbers),
            ("twins", twins),
            ("page", if page == 0 { "" } else { &shown }),
        ];
        address::with("/dealerships/import", &parts)
    }
}

impl ChangeRow {
    fn of(change: &Change) -> Self {
        let columns = change.columns.iter().map(|one| {
            let name = one.column;
            [column(name).to_owned(), cell(name, &one.old), cell(name, &one.new)]
        });
        let cells =
            change.cells.iter().map(|(name, value)| [column(name).to_owned(), cell(name, value)]);
        Self {
            becomes: becomes(change.change),
            kind: match change.change {
                Becomes::Added => "good",
                Becomes::Updated => "warn",
                Becomes::Removed => "bad",
            },
            which: key(&change.key),
            columns: columns.collect(),
            cells: cells.collect(),
        }
    }
}

impl BadRowShown {
    fn of(row: &BadRow) -> Self {
        Self {
            file: row.file.clone(),
            line: row.line,
            column: row.column.unwrap_or_default(),
            why: reason(&row.reason),
        }
    }
}

fn in_a_line(row: &BadRow) -> String {
    let BadRowShown { file, line, column, why } = BadRowShown::of(row);
    format!("{file}, linha {line}, {column}: {why}")
}

/// Keeps the files that were sent, each known by its header, and leads to what they would change.
async fn send(
    State(console): State<Console>,
    signed: Signed,
    mut form: Multipart,
) -> Result<Response, Oops> {
    let mut sent = Sent::default();
    let unread = |_| Oops::Bad("O envio foi interrompido: envie os arquivos de novo.".to_owned());
    while let Some(field) = form.next_field().await.map_err(unread)? {
        let name = file_name(field.file_name().unwrap_or_default());
        let bytes = field.bytes().await.map_err(unread)?;
        if name.is_empty() || bytes.is_empty() {
            continue;
        }
        let place = match kind_of(&bytes) {
            Some(Kind::Dealerships) => &mut sent.dealerships,
            Some(Kind::Contracts) => &mut sent.contracts,
            Some(Kind::Numbers) => &mut sent.numbers,
            None => return refuse(&console, &signed, &unknown(&name)).await,
        };
        if !place.is_empty() {
            let words = format!("'{name}' é o segundo arquivo do mesmo tipo: envie um de cada.");
            return refuse(&console, &signed, &words).await;
        }
        let (by, now) = (&signed.name, console.office.clock.now());
        let ledger = &console.office.ledger;
        *place = ledger.keep_upload(UploadKind::Register, &name, bytes.to_vec(), by, now).await?;
    }
    if [&sent.dealerships, &sent.contracts, &sent.numbers].iter().all(|id| id.is_empty()) {
        return refuse(&console, &signed, "Escolha ao menos um arquivo que não esteja vazio.")
            .await;
    }
    Ok(Done::see(&sent.path("", 0), "").into_response())
}

/// The name alone, where a browser sends more.
fn file_name(sent: &str) -> String {
    sent.rsplit(['/', '\\']).next().unwrap_or_default().chars().take(200).collect()
}

fn unknown(name: &str) -> String {
    format!(
        "'{name}' não é nenhum dos três arquivos: a primeira linha tem de ter as colunas de dealerships.csv, contracts.csv ou numbers.csv. No Excel, salve como \"CSV UTF-8 (Delimitado por vírgulas)\"."
    )
}

async fn refuse(console: &Console, signed: &Signed, why: &str) -> Result<Response, Oops> {
    let view = View { problem: why.to_owned(), ..View::default() };
    Ok(draw(console, signed, &view).await?.refused().into_response())
}

/// Asks for the import of what was shown.
async fn apply(
    State(console): State<Console>,
    signed: Signed,
    Form(sent): Form<Sent>,
) -> Result<Done, Oops> {
    let missing = |_| Oops::Bad("Falta o que foi mostrado: abra a importação de novo.".to_owned());
    let plan: PlanHash = sent.plan.parse().map_err(missing)?;
    let file = |id: &String| (!id.is_empty()).then(|| id.clone());
    let wish = Wish::Import {
        dealerships: file(&sent.dealerships),
        contracts: file(&sent.contracts),
        numbers: file(&sent.numbers),
        accept_twins: sent.twins == "yes",
        plan,
    };
    let by = Asker { person: Some(&signed.person), name: &signed.name };
    let asked = match ask(&console.office, &wish, by, Eyes::Two).await {
        Ok(asked) => asked,
        Err(AskError::Ledger(error)) => return Err(error.into()),
        Err(_) => return Err(Oops::Bad("Outra importação está em andamento.".to_owned())),
    };
    console.bell.tasks.notify_one();
    Ok(Done::see(&format!("/tasks/{}", asked.id()), ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    #[test]
    fn it_is_drawn_in_each_state() {
        let html = renders("import.html", &View::default());
        assert!(html.contains("type=\"file\""));
        let problem = View { problem: unknown("x.xlsx"), ..View::default() };
        assert!(renders("import.html", &problem).contains("x.xlsx"));
        let sent = Sent { dealerships: "u1".to_owned(), ..Sent::default() };
        let file = || vec![FileRow { what: "Concessionárias", name: "<d>.csv".to_owned() }];
        let bad = View {
            files: file(),
            bad: vec![BadRowShown {
                file: "d.csv".to_owned(),
                line: 3,
                column: "cnpj",
                why: "está vazio".to_owned(),
            }],
            bad_total: 120,
            accept: sent.path("yes", 0),
            sent: sent.clone(),
            ..View::default()
        };
        let html = renders("import.html", &bad);
        assert!(html.contains("twins=yes") && html.contains("está vazio"), "{html}");
        let full = View {
            files: file(),
            plan: "ab".repeat(32),
            counts: vec![CountRow { what: "Concessionárias", added: 1, updated: 2, unchanged: 3 }],
            rows: vec![ChangeRow {
                becomes: "muda",
                kind: "warn",
                which: "Concessionária d1".to_owned(),
                columns: vec![["cidade".to_owned(), "Curitiba".to_owned(), "x".repeat(300)]],
                cells: vec![["pacote".to_owned(), "10.000".to_owned()]],
            }],
            span: [1, 1, 60],
            next: sent.path("", 1),
            left: vec!["Aurora (d3)".to_owned()],
            left_total: 70,
            warnings: vec!["d.csv, linha 2".to_owned()],
            accepted: vec!["'d9' e 'D9'".to_owned()],
            sent,
            ..View::default()
        };
        let html = renders("import.html", &full);
        assert!(html.contains("Curitiba") && html.contains("e mais 69"), "{html}");
        assert!(html.contains("Linhas 1 a 1 de 60"), "{html}");
    }
}
