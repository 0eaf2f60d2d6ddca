//! Files of a month: its workbook, its invoices as PDF and as a table.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream::unfold;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::month::{capital, parsed};
use crate::actions::downloads::{invoice_files, listed, report};
use crate::actions::erp::{self, ErpError, Layout};
use crate::console::{Console, Oops, Signed, ways::Ways};
use crate::ledger::documents::FileKind;
use crate::letters::compose::{invoice_file, workbook_file};
use crate::letters::report::archive::{File, stream};
use crate::letters::report::workbook::workbook;
use crate::setup::layout::Encoding;
use fecha_core::calendar::month::Month;

/// So much of an archive is sent at once.
const PIECE: usize = 64 << 10;

/// These files.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/months/{month}/workbook.xlsx", workbook_of)
        .get("/months/{month}/invoices.csv", table_of)
        .get("/months/{month}/invoices.zip", archive_of)
}

fn file(kind: &'static str, name: &str, body: Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, body).into_response()
}

fn failed(error: &dyn std::fmt::Display) -> Oops {
    tracing::error!(%error, "a download cannot be made");
    Oops::Failed("O arquivo não pôde ser feito. Nada foi alterado.".to_owned())
}

fn nothing(month: Month) -> Oops {
    Oops::NotFound(format!("{} ainda não tem faturas.", capital(month)))
}

async fn workbook_of(
    State(console): State<Console>,
    _signed: Signed,
    Path(month): Path<String>,
) -> Result<Response, Oops> {
    let month = parsed(&month)?;
    let digest = report(&console.office, month).await?.ok_or_else(|| nothing(month))?;
    let name = workbook_file(&digest);
    let made = tokio::task::spawn_blocking(move || workbook(&digest)).await;
    let bytes = made.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(file(kind, &name, bytes.into()))
}

#[derive(Debug, Deserialize)]
struct Asked {
    layout: Option<String>,
}

async fn table_of(
    State(console): State<Console>,
    _signed: Signed,
    Path(month): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Oops> {
    let month = parsed(&month)?;
    let config = &console.office.config;
    // `erp` was the plain one's name.
    let name = asked.layout.as_deref().filter(|name| *name != "erp").unwrap_or("plain");
    let layout = Layout::named(config, name).map_err(|_| {
        let known = erp::names(config).join(", ");
        Oops::Bad(format!("Não há o leiaute “{name}”: há {known}."))
    })?;
    let listed = listed(&console.office, month).await?;
    if listed.is_empty() {
        return Err(nothing(month));
    }
    let table = erp::table(&console.office, layout, &listed).await.map_err(refused)?;
    let of = if layout == Layout::Plain { String::new() } else { format!("-{}", layout.name()) };
    let kind = match layout {
        Layout::Own(own) if own.encoding == Encoding::Windows1252 => {
            "text/csv; charset=windows-1252"
        }
        Layout::Own(_) | Layout::Plain | Layout::ContaAzul | Layout::Omie => {
            "text/csv; charset=utf-8"
        }
    };
    Ok(file(kind, &format!("faturas-{month}{of}.csv"), table.bytes.into()))
}

/// Why a table could not be made, for who can mend it.
fn refused(error: ErpError) -> Oops {
    match error {
        ErpError::Unnamed { key, example, .. } => Oops::Bad(format!(
            "O leiaute omie precisa dos nomes que o Omie usa: escreva na configuração, em [erp], por exemplo {key} = \"{example}\"."
        )),
        ErpError::Column { invoice, layout, source } => Oops::Bad(format!(
            "O leiaute {layout} não se aplica à fatura {invoice}: corrija a coluna na configuração. `{source}`"
        )),
        ErpError::NoSuchLetter { line, letter } => Oops::Bad(format!(
            "A linha {line} da tabela tem a letra “{letter}”, que windows-1252 não tem: use encoding = \"utf-8\" no leiaute."
        )),
        ErpError::Changed(label) => {
            Oops::Bad(format!("{label} mudou enquanto a tabela era feita: baixe de novo."))
        }
        ErpError::Ledger(error) => error.into(),
        error => failed(&error),
    }
}

/// All invoices in one archive, which goes out while it is made: one PDF at a time is held.
async fn archive_of(
    State(console): State<Console>,
    _signed: Signed,
    Path(month): Path<String>,
) -> Result<Response, Oops> {
    let month = parsed(&month)?;
    let files = invoice_files(&console.office, month).await?;
    if files.is_empty() {
        return Err(nothing(month));
    }
    let (put, mut taken) = mpsc::channel::<File>(2);
    let (send, pieces) = mpsc::channel::<io::Result<Bytes>>(4);
    let ledger = console.office.ledger.clone();
    let broken = send.clone();
    tokio::spawn(async move {
        for one in files {
            let read = ledger.file(one.number, one.revision, FileKind::Invoice).await;
            let Ok(Some(bytes)) = read else {
                // An archive that breaks off is seen; one that lacks an invoice is not.
                tracing::error!(invoice = one.label, "an archive breaks off");
                let _ = broken.send(Err(io::Error::other("an invoice is missing"))).await;
                return;
            };
            if put.send(File { name: invoice_file(&one.label), bytes }).await.is_err() {
                return;
            }
        }
    });
    tokio::task::spawn_blocking(move || {
        let pieces = Pieces { send: send.clone(), piece: Vec::with_capacity(PIECE) };
        let files = std::iter::from_fn(|| taken.blocking_recv());
        if let Err(error) = stream(pieces, files) {
            let _ = send.blocking_send(Err(io::Error::other(error.to_string())));
        }
    });
    let body = unfold(pieces, async |mut pieces| Some((pieces.recv().await?, pieces)));
    Ok(file("application/zip", &format!("faturas-{month}.zip"), Body::from_stream(body)))
}

/// What is written goes out piece by piece; whoever takes nothing any more ends the writing.
struct Pieces {
    send: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.send.blocking_send(Ok(piece.into())).map_err(gone)
    }
}
