//! `fecha preview`

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::close::exceptions_in_words;
use super::files::{self, Files, ForceArgs, Kind};
use super::output::{Failure, Output, show_progress};
use super::page::{Column, Page, figure, name};
use crate::actions::close::Progress;
use crate::actions::preview::{Cost, MonthPreview, Preview, preview_month};
use crate::setup::office::{self, Office};
use fecha_core::bill::bill::Bill;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::{Money, grouped};

/// Arguments of `fecha preview`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Counts the running month (or any other) as of now and prices it, waiting
credits and charges included. The projection carries the pace of the last
seven days on to the month's end. Issues nothing.

Examples:
  fecha preview
  fecha preview --month 2026-10 --dealership d17
  fecha preview --dealership d17 --pdf previa.pdf
  fecha preview --pdf previas

The file - is standard output; what the command tells goes to standard error
then.")]
pub struct Args {
    /// The month, YYYY-MM [default: the running one in the issuer's zone]
    #[arg(long, value_name = "M")]
    month: Option<Month>,
    /// Only this dealership; may be given several times
    #[arg(long = "dealership", value_name = "ID")]
    dealerships: Vec<String>,
    /// Write a pro-forma PDF, marked PRÉVIA: to a file for one dealership, to a folder for several
    #[arg(long, value_name = "FILE|FOLDER")]
    pdf: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArgs,
}

/// Shows what a month would cost.
pub async fn preview(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    let files = Files::new(&office.config, args.force);
    let file = args.pdf.iter().filter(|path| is_file(path));
    let output = &files.beside(output, file.map(|path| (path, Kind::Pdf)))?;
    let source = office::source(&office.config)?;
    let now = office.clock.now();
    let running = || Month::last_ended(now, office.config.issuer.timezone).next();
    let month = args.month.unwrap_or_else(running);
    let bar = output.bar();
    let watcher = bar.clone();
    let watch = move |rows| show_progress(&watcher, Progress::Counting(rows));
    let result = preview_month(office, &source, month, &args.dealerships, now, watch).await;
    bar.finish_and_clear();
    let previews = result?;
    let written = match &args.pdf {
        Some(path) => write_documents(office, &previews.dealerships, month, now, (path, &files))?,
        None => Vec::new(),
    };
    output.result(&document(month, &previews, &written), |page| {
        in_words(page, month, &previews, &written)
    });
    Ok(0)
}

/// Whether the path is one file's, not a folder's.
fn is_file(path: &Path) -> bool {
    let is_named_pdf = |name: &OsStr| name.eq_ignore_ascii_case("pdf");
    path.extension().is_some_and(is_named_pdf) || files::is_stream(path)
}

/// The pro-forma of each dealership that has a price; the files that were written.
fn write_documents(
    office: &Office,
    previews: &[Preview<'_>],
    month: Month,
    now: DateTime<Utc>,
    (path, files): (&Path, &Files),
) -> Result<Vec<PathBuf>, Failure> {
    let is_file = is_file(path);
    let priced: Vec<&Bill<'_>> = previews.iter().filter_map(Preview::bill).collect();
    if is_file && priced.len() != 1 {
        let message = format!(
            "{} is one file, but {} dealerships have a preview: name one with --dealership, or a folder",
            path.display(),
            priced.len()
        );
        return Err(Failure::wrong(message));
    }
    if !is_file {
        let made = std::fs::create_dir_all(path);
        made.map_err(|e| Failure::wrong(format!("{} cannot be made: {e}", path.display())))?;
    }
    let mut written = Vec::with_capacity(priced.len());
    for bill in priced {
        let pro_forma = bill.pro_forma(&office.config.issuer, now);
        let pdf = office.renderer.preview(&pro_forma).map_err(Failure::wrong)?;
        let file = if is_file {
            path.to_owned()
        } else {
            path.join(format!("previa-{month}-{}.pdf", in_file_name(bill.case.id())))
        };
        files.write(&file, Kind::Pdf, &pdf)?;
        written.push(file);
    }
    Ok(written)
}

/// An id as part of a file name: what is no letter, digit, `-` or `_` is written as its bytes, so that two
/// ids never share a file.
fn in_file_name(id: &str) -> String {
    let spell = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    id.bytes().map(spell).collect()
}

fn percent(preview: &Preview<'_>, uam: u64) -> u64 {
    uam.saturating_mul(100).checked_div(preview.package()).unwrap_or(100)
}

fn sum(previews: &[Preview<'_>], of: impl Fn(&Preview<'_>) -> Money) -> Money {
    previews.iter().map(of).sum()
}

fn document(month: Month, preview: &MonthPreview<'_>, files: &[PathBuf]) -> Value {
    let previews = &preview.dealerships;
    let cost = |cost: Cost| json!({"uam": cost.uam, "hsm": cost.hsm, "total": cost.total});
    let dealership = |preview: &Preview<'_>| {
        json!({
            "dealership_id": preview.case().id(),
            "package": preview.package(),
            "percent": percent(preview, preview.now().uam),
            "now": cost(preview.now()),
            "projected": cost(preview.projected()),
            "no_price": preview.no_price(),
        })
    };
    let mut document = json!({
        "month": month,
        "dealerships": previews.iter().map(dealership).collect::<Vec<_>>(),
        "total": sum(previews, |preview| preview.now().total),
        "projected_total": sum(previews, |preview| preview.projected().total),
    });
    if !preview.exceptions.is_empty() {
        document["exceptions"] = json!(preview.exceptions);
    }
    if !files.is_empty() {
        document["files"] = json!(files);
    }
    document
}

/// The end of the month matters most, then what it costs now.
const COLUMNS: [Column; 8] = [
    name("dealership"),
    figure("package").spare(2),
    figure("UAM"),
    figure("used").spare(1),
    figure("HSM").spare(3),
    figure("now"),
    figure("UAM at end").spare(4),
    figure("at month's end"),
];

fn in_words(page: Page, month: Month, preview: &MonthPreview<'_>, files: &[PathBuf]) -> String {
    let previews = &preview.dealerships;
    if previews.is_empty() {
        let exceptions = exceptions_in_words(&preview.exceptions);
        return format!("{month}: nobody has a package\n{exceptions}");
    }
    let row = |preview: &Preview<'_>| {
        let total = |cost: Cost| match preview.no_price() {
            Some(_) => "no price".to_owned(),
            None => cost.total.brl(),
        };
        vec![
            preview.case().id().to_owned(),
            grouped(preview.package()),
            grouped(preview.now().uam),
            format!("{} %", percent(preview, preview.now().uam)),
            grouped(preview.now().hsm),
            total(preview.now()),
            grouped(preview.projected().uam),
            total(preview.projected()),
        ]
    };
    let written = match files {
        [] => String::new(),
        [file] => format!("wrote {}\n", file.display()),
        files => format!(
            "wrote {} files, the last is {}\n",
            files.len(),
            files[files.len() - 1].display()
        ),
    };
    format!(
        "{}\n{month}: {} as of now, {} at the month's end at this pace; nothing was issued\n{}{written}",
        page.table(&COLUMNS, previews.iter().map(row).collect()),
        sum(previews, |preview| preview.now().total).brl(),
        sum(previews, |preview| preview.projected().total).brl(),
        exceptions_in_words(&preview.exceptions),
    )
}
