//! Extrato do banco: a file sent in, what fecha makes of each line, recorded once a person confirms.

use std::collections::BTreeMap;

use axum::extract::{Form, Multipart, Path, Query, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::actions::pay::{self, Becomes, Chosen, Doubtful, Proposal, Proposed, Recorded, WhySure};
use crate::console::ways::Ways;
use crate::console::words::bank::{left_out, place};
use crate::console::words::invoice::kind;
use crate::console::words::money::{self, Why};
use crate::console::{Console, Done, Oops, Page, Section, Signed};
use crate::ledger::pages::ROWS;
use crate::ledger::uploads::{Upload, UploadKind};
use fecha_core::bill::invoice::Number;
use fecha_core::party::person::Role;
use fecha_core::price::money::Money;

/// These pages and their forms.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/receivables/import", ask)
        .post("/receivables/import", Role::Finance, take)
        .get("/receivables/import/{id}", show)
        .post("/receivables/import/{id}", Role::Finance, record)
}

#[derive(Debug, Serialize)]
struct Ask {
    error: String,
}

async fn ask(State(console): State<Console>, signed: Signed) -> Result<Page, Oops> {
    asking(&console, &signed, String::new()).await
}

async fn asking(console: &Console, signed: &Signed, error: String) -> Result<Page, Oops> {
    let view = Ask { error };
    console.page(signed, Section::Receivables, "Extrato do banco", "bank.html", &view).await
}

fn broken(error: impl std::fmt::Display) -> Oops {
    tracing::info!(%error, "a file did not come whole");
    Oops::Bad("O arquivo não pôde ser lido: envie de novo.".to_owned())
}

async fn take(
    State(console): State<Console>,
    signed: Signed,
    mut parts: Multipart,
) -> Result<Response, Oops> {
    let mut sent = None;
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        if part.name() == Some("file") {
            let name = part.file_name().unwrap_or("extrato").to_owned();
            let name: String =
                name.rsplit(['/', '\\']).next().unwrap_or_default().chars().take(200).collect();
            sent = Some((name, part.bytes().await.map_err(broken)?));
        }
    }
    let Some((name, bytes)) = sent.filter(|(name, bytes)| !(name.is_empty() && bytes.is_empty()))
    else {
        let page = asking(&console, &signed, "Escolha o arquivo do banco.".to_owned()).await?;
        return Ok(page.refused().into_response());
    };
    let office = &console.office;
    // Read before it is kept: what is no file of a bank is said at once.
    match pay::propose(office, &name, &bytes).await.map_err(money::pay) {
        Ok(_) => {}
        Err(Why::Oops(oops)) => return Err(oops),
        Err(Why::Said(words)) => {
            return Ok(asking(&console, &signed, words).await?.refused().into_response());
        }
    }
    let (kind, now) = (UploadKind::Bank, office.clock.now());
    let id = office.ledger.keep_upload(kind, &name, bytes.to_vec(), &signed.name, now).await?;
    let words = "Nada foi registrado ainda: confira as linhas e confirme.";
    Ok(Done::see(&format!("/receivables/import/{id}"), words).into_response())
}

/// What was typed: `hash`, `after`, a `line-N` or `leave-N` for what was chosen.
type Typed = BTreeMap<String, String>;

/// The lines of a file, a page of them: those that need a person first, those that are recorded last.
#[derive(Debug, Serialize)]
struct Matches {
    id: String,
    name: String,
    made_by: String,
    made_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    hash: String,
    certain: Vec<Row>,
    doubtful: Vec<Row>,
    known: Vec<Row>,
    /// Of the whole file.
    count: Count,
    left_out: Vec<(String, u64)>,
    error: String,
    /// Whether there is anything to confirm.
    open: bool,
    /// What was chosen on other pages: the names and values of fields.
    elsewhere: Vec<(String, String)>,
    /// Where the page begins; empty on the first.
    after: String,
    /// Where the next one does; empty on the last.
    next: String,
}

/// How many lines a file has, by what becomes of them.
#[derive(Debug, Default, Serialize)]
struct Count {
    certain: usize,
    /// What the certain ones come to.
    certain_sum: Money,
    doubtful: usize,
    known: usize,
}

impl Count {
    fn of(lines: &[Proposed]) -> Self {
        let mut count = Self::default();
        for Proposed { becomes, amount, .. } in lines {
            match becomes {
                Becomes::Certain { .. } | Becomes::Group { .. } => {
                    count.certain += 1;
                    count.certain_sum += amount.unwrap_or_default();
                }
                Becomes::Known => count.known += 1,
                Becomes::Doubtful(_) => count.doubtful += 1,
            }
        }
        count
    }
}

/// A line's place among the pages: what becomes of it, and its place in the file. Kept in addresses: `1.17`.
type Key = (u8, usize);

fn key(index: usize, becomes: &Becomes) -> Key {
    let rank = match becomes {
        Becomes::Doubtful(_) => 0,
        Becomes::Certain { .. } | Becomes::Group { .. } => 1,
        Becomes::Known => RECORDED,
    };
    (rank, index)
}

/// The rank of what is recorded already.
const RECORDED: u8 = 2;

fn in_address((rank, index): Key) -> String {
    format!("{rank}.{index}")
}

fn key_in(text: &str) -> Option<Key> {
    let (rank, index) = text.split_once('.')?;
    Some((rank.parse().ok()?, index.parse().ok()?))
}

#[derive(Debug, Serialize)]
struct Row {
    /// Its place in the proposal.
    index: usize,
    place: String,
    on: NaiveDate,
    /// Empty where nobody knows how much is open.
    amount: Option<Money>,
    /// The line says no amount: it pays all that is open.
    all_open: bool,
    kind: &'static str,
    words: String,
    /// The invoice that it pays, or those that it may pay.
    numbers: Vec<Number>,
    /// The group that it pays, or may pay, by its txid; empty for none.
    group: String,
    /// How it goes over the group's invoices.
    shares: Vec<(Number, Money)>,
    why: String,
    /// What was typed.
    chosen: String,
    /// It was ticked to be left out.
    left: bool,
}

impl Row {
    fn of(index: usize, proposed: &Proposed, typed: &Typed) -> Self {
        let line = &proposed.line;
        let (numbers, why) = match &proposed.becomes {
            Becomes::Certain { number, why: WhySure::Written } => {
                (vec![*number], "o arquivo informa o número".to_owned())
            }
            Becomes::Certain { number, why: WhySure::Found(sure) } => {
                (vec![*number], money::sure(*sure).to_owned())
            }
            Becomes::Group { why: WhySure::Written, .. } => {
                (Vec::new(), "o arquivo informa o grupo".to_owned())
            }
            Becomes::Group { why: WhySure::Found(sure), .. } => {
                (Vec::new(), money::sure(*sure).to_owned())
            }
            Becomes::Known => (line.number.into_iter().collect(), String::new()),
            Becomes::Doubtful(why) => (perhaps(why), money::doubtful(why)),
        };
        Self {
            index,
            place: place(&line.place),
            on: line.on,
            amount: proposed.amount,
            all_open: line.amount.is_none(),
            kind: kind(line.kind),
            words: line.words.clone(),
            numbers,
            group: line.group.map(|txid| txid.to_string()).unwrap_or_default(),
            shares: match &proposed.becomes {
                Becomes::Group { shares, .. } => {
                    shares.iter().map(|share| (share.number, share.amount)).collect()
                }
                _ => Vec::new(),
            },
            why,
            chosen: typed.get(&format!("line-{index}")).cloned().unwrap_or_default(),
            left: typed.contains_key(&format!("leave-{index}")),
        }
    }
}

fn perhaps(why: &Doubtful) -> Vec<Number> {
    match why {
        Doubtful::ByHand { number, .. } => vec![*number],
        Doubtful::Maybe { numbers, .. } => numbers.clone(),
        Doubtful::TakenBack(_)
        | Doubtful::Differs(_)
        | Doubtful::GroupByHand { .. }
        | Doubtful::Unnamed(_)
        | Doubtful::Unknown
        | Doubtful::Refused(_) => Vec::new(),
    }
}

impl Matches {
    fn of(upload: &Upload, proposal: &Proposal, error: String, typed: &Typed) -> Self {
        let lines = proposal.lines.iter().enumerate();
        let mut order: Vec<(Key, &Proposed)> =
            lines.map(|(index, proposed)| (key(index, &proposed.becomes), proposed)).collect();
        order.sort_by_key(|(key, _)| *key);
        let after = typed.get("after").and_then(|text| key_in(text));
        let behind = order.partition_point(|(key, _)| after.is_some_and(|after| *key <= after));
        let end = order.len().min(behind + ROWS);
        let last = order[behind..end].last().filter(|_| end < order.len());
        let (mut certain, mut doubtful, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for ((_, index), proposed) in &order[behind..end] {
            let rows = match proposed.becomes {
                Becomes::Certain { .. } | Becomes::Group { .. } => &mut certain,
                Becomes::Known => &mut known,
                Becomes::Doubtful(_) => &mut doubtful,
            };
            rows.push(Row::of(*index, proposed, typed));
        }
        let others = order[..behind].iter().chain(&order[end..]);
        let left_out = proposal.left_out.iter().map(|(what, count)| (left_out(what), *count));
        Self {
            id: upload.id.clone(),
            name: upload.name.clone(),
            made_by: upload.made_by.clone(),
            made_at: upload.made_at,
            used_at: upload.used_at,
            hash: proposal.hash.clone(),
            open: order.first().is_some_and(|((rank, _), _)| *rank < RECORDED),
            elsewhere: others.filter_map(|(key, _)| chosen_of(*key, typed)).collect(),
            after: after.filter(|_| behind > 0).map(in_address).unwrap_or_default(),
            next: last.map(|(key, _)| in_address(*key)).unwrap_or_default(),
            certain,
            doubtful,
            known,
            count: Count::of(&proposal.lines),
            left_out: left_out.collect(),
            error,
        }
    }
}

/// The field that says what was chosen of a line that is not recorded yet.
fn chosen_of((rank, index): Key, typed: &Typed) -> Option<(String, String)> {
    let name = match rank {
        0 => format!("line-{index}"),
        1 => format!("leave-{index}"),
        _ => return None,
    };
    let value = typed.get(&name).filter(|value| !value.trim().is_empty())?;
    Some((name, value.clone()))
}

async fn upload(console: &Console, id: &str) -> Result<Upload, Oops> {
    let kept = console.office.ledger.upload(UploadKind::Bank, id).await?;
    kept.ok_or_else(|| {
        Oops::NotFound("Este arquivo não está mais aqui: fica guardado por uma semana. Envie-o de novo; o que já foi registrado não se repete.".to_owned())
    })
}

async fn show(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
    Query(typed): Query<Typed>,
) -> Result<Page, Oops> {
    let upload = upload(&console, &id).await?;
    matched(&console, &signed, &upload, String::new(), &typed).await
}

/// What is said where a page shows something else than the one before it.
const CHANGED: &str = "Algo mudou desde que a página foi aberta: faturas foram pagas, emitidas ou canceladas. Nada foi registrado; confira as linhas de novo.";

async fn matched(
    console: &Console,
    signed: &Signed,
    upload: &Upload,
    mut error: String,
    typed: &Typed,
) -> Result<Page, Oops> {
    let proposal = pay::propose(&console.office, &upload.name, &upload.bytes).await;
    let proposal = match proposal.map_err(money::pay) {
        Ok(proposal) => proposal,
        Err(Why::Oops(oops)) => return Err(oops),
        Err(Why::Said(words)) => return asking(console, signed, words).await,
    };
    // From page to page, too: what was looked at on the one before is confirmed on this one.
    if error.is_empty() && typed.get("hash").is_some_and(|hash| *hash != proposal.hash) {
        CHANGED.clone_into(&mut error);
    }
    let view = Matches::of(upload, &proposal, error, typed);
    console.page(signed, Section::Receivables, "Extrato do banco", "matches.html", &view).await
}

/// What was chosen: `line-N` is an invoice's number (empty: as proposed), `leave-N` leaves a certain one.
fn chosen(form: &Typed) -> Result<BTreeMap<usize, Chosen>, String> {
    let mut chosen = BTreeMap::new();
    for (name, typed) in form {
        let typed = typed.trim();
        if let Some(index) = name.strip_prefix("leave-").and_then(|text| text.parse().ok()) {
            chosen.insert(index, Chosen::Left);
        }
        let index = name.strip_prefix("line-").and_then(|text| text.parse().ok());
        if let Some(index) = index.filter(|_| !typed.is_empty()) {
            let group = typed.parse().map(Chosen::Group);
            let pays = group.or_else(|_| typed.parse().map(Chosen::Invoice)).map_err(|_| {
                format!("“{typed}” não é um número de fatura, como 2026-000001, nem um grupo, como G2026100001.")
            })?;
            chosen.insert(index, pays);
        }
    }
    Ok(chosen)
}

/// The page whose form was sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    after: String,
}

async fn record(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
    Query(place): Query<Place>,
    Form(mut form): Form<Typed>,
) -> Result<Response, Oops> {
    form.insert("after".to_owned(), place.after);
    let upload = upload(&console, &id).await?;
    let office = &console.office;
    let hash = form.get("hash").cloned().unwrap_or_default();
    let file = (upload.name.as_str(), upload.bytes.as_slice());
    let recorded = match chosen(&form) {
        Err(words) => Err(Why::Said(words)),
        Ok(chosen) => {
            let recorded = pay::record_proposed(office, file, &hash, &chosen, &signed.name);
            recorded.await.map_err(money::pay)
        }
    };
    let words = match recorded {
        Ok(Some(recorded)) => {
            office.ledger.upload_used(&upload.id, office.clock.now()).await?;
            return Ok(Done::see(&format!("/receivables/import/{id}"), &in_words(&recorded))
                .into_response());
        }
        Ok(None) => CHANGED.to_owned(),
        Err(Why::Oops(oops)) => return Err(oops),
        Err(Why::Said(words)) => format!("{words} Nada foi registrado."),
    };
    Ok(matched(&console, &signed, &upload, words, &form).await?.refused().into_response())
}

fn in_words(recorded: &Recorded) -> String {
    let sum: Money = recorded.recorded.iter().map(|payment| payment.amount).sum();
    let payments = match recorded.recorded.len() {
        0 => "Nenhum pagamento novo".to_owned(),
        1 => format!("1 pagamento registrado: {}", sum.brl()),
        number => format!("{number} pagamentos registrados: {}", sum.brl()),
    };
    let known = match recorded.already_recorded {
        0 => String::new(),
        1 => " 1 já estava registrado.".to_owned(),
        known => format!(" {known} já estavam registrados."),
    };
    let left = match recorded.unmatched.len() {
        0 => String::new(),
        1 => " 1 linha não foi registrada: ficou para decidir.".to_owned(),
        left => format!(" {left} linhas não foram registradas: ficaram para decidir."),
    };
    format!("{payments}.{known}{left}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    #[test]
    fn it_is_drawn_asking_matched_and_wrong() {
        let ask = Ask { error: "x: é um PDF.".to_owned() };
        assert!(renders("bank.html", &ask).contains("é um PDF"));
        let row = |index| Row {
            index,
            place: "extrato.ofx, linha 12".to_owned(),
            on: "2026-11-10".parse().unwrap(),
            amount: Some(Money::from_centavos(101_400)),
            all_open: true,
            kind: "Pagamento",
            words: "<b>".repeat(160),
            numbers: vec!["2026-000001".parse().unwrap()],
            group: String::new(),
            shares: Vec::new(),
            why: "o banco informa o número".to_owned(),
            chosen: "2026-".to_owned(),
            left: true,
        };
        let at: DateTime<Utc> = "2026-11-10T12:00:00Z".parse().unwrap();
        let full = Matches {
            id: "u1".to_owned(),
            name: "extrato.ofx".to_owned(),
            made_by: "Ana".to_owned(),
            made_at: at,
            used_at: Some(at),
            hash: "ab".to_owned(),
            certain: vec![
                row(0),
                Row {
                    numbers: Vec::new(),
                    group: "G2026100001".to_owned(),
                    shares: vec![("2026-000002".parse().unwrap(), Money::from_centavos(101_400))],
                    ..row(4)
                },
            ],
            doubtful: vec![row(1), Row { amount: None, numbers: Vec::new(), ..row(2) }],
            known: vec![row(3)],
            count: Count {
                certain: 1,
                certain_sum: Money::from_centavos(101_400),
                doubtful: 2,
                known: 1,
            },
            elsewhere: vec![("line-7".to_owned(), "2026-000001".to_owned())],
            after: "0.1".to_owned(),
            next: "1.9".to_owned(),
            left_out: vec![("02 entrada confirmada".to_owned(), 3)],
            error: "Não.".to_owned(),
            open: true,
        };
        let html = renders("matches.html", &full);
        assert!(html.contains("name=\"leave-0\"") && html.contains("name=\"line-2\""));
        assert!(html.contains("G2026100001") && html.contains("/invoices/2026-000002"), "{html}");
        let (certain, doubtful, known) = (Vec::new(), Vec::new(), Vec::new());
        let empty = Matches {
            certain,
            doubtful,
            known,
            open: false,
            used_at: None,
            left_out: Vec::new(),
            elsewhere: Vec::new(),
            ..full
        };
        assert!(renders("matches.html", &empty).contains("Nada a registrar"));
    }

    #[test]
    fn choices_are_read_by_line() {
        let form = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let chosen_of = chosen(&form(&[
            ("line-1", " 2026-000001 "),
            ("line-2", ""),
            ("line-3", "G2026100001"),
            ("leave-0", "on"),
            ("hash", "x"),
        ]));
        let expected = [
            (0, Chosen::Left),
            (1, Chosen::Invoice("2026-000001".parse().unwrap())),
            (3, Chosen::Group("G2026100001".parse().unwrap())),
        ];
        assert_eq!(chosen_of, Ok(expected.into_iter().collect()));
        assert!(chosen(&form(&[("line-1", "1")])).is_err());
    }
}
