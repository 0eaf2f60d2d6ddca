//! Others who render the same kind of page: the same texts, the same fonts, the same QR code.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use qrcodegen::{QrCode, QrCodeEcc};

use super::{Rate, sample};

/// Prints a table of the peers that are to be had, beside `own`.
pub fn compare(own: &Rate) {
    println!("\none-page invoice  a second of one core      KB   fecha is faster by");
    row("fecha", own, own);
    let folder = match pages() {
        Ok(folder) => folder,
        Err(error) => return println!("no peers: their pages cannot be written: {error}"),
    };
    let python = python(&folder);
    for (name, page) in [("typst", "invoice.typ"), ("weasyprint", "invoice.html")] {
        let rate = python.as_ref().and_then(|python| warm(python, name, &folder.join(page)));
        rate.map_or_else(|| println!("{name:<16} absent"), |rate| row(name, &rate, own));
    }
    match chromium(&folder) {
        Some(rate) => row("chromium, cold", &rate, own),
        None => println!("{:<16} absent", "chromium"),
    }
}

fn row(name: &str, rate: &Rate, own: &Rate) {
    let ratio = own.a_second / rate.a_second;
    let kilobytes = rate.bytes as f64 / 1024.0;
    println!("{name:<16} {:>23.1} {kilobytes:>7.1} {ratio:>20.0}", rate.a_second);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages with their QR code, in a folder beside the build.
fn pages() -> std::io::Result<PathBuf> {
    let folder = root().join("target/peers");
    std::fs::create_dir_all(&folder)?;
    let code = sample::invoice().pix.unwrap_or_default();
    let qr = qr(&code);
    std::fs::write(folder.join("qr.svg"), &qr)?;
    let fonts = root().join("assets/fonts/published").display().to_string();
    for page in ["invoice.html", "invoice.typ"] {
        let text = std::fs::read_to_string(root().join("benches/documents").join(page))?;
        let text = text.replace("QRCODE", &qr).replace("BRCODE", &code).replace("FONTS", &fonts);
        std::fs::write(folder.join(page), text)?;
    }
    Ok(folder)
}

fn qr(code: &str) -> String {
    let qr = QrCode::encode_text(code, QrCodeEcc::Medium).expect("the sample fits");
    let (mut path, side) = (String::new(), qr.size());
    for y in 0..side {
        for x in (0..side).filter(|x| qr.get_module(*x, y)) {
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-4 -4 {0} {0}\"><path d=\"{path}\"/></svg>",
        side + 8
    )
}

/// The interpreter of a virtual environment with the peers in it, which is made where it is missing.
fn python(folder: &Path) -> Option<PathBuf> {
    let python = folder.join("venv/bin/python");
    let done =
        |command: &mut Command| command.stdout(Stdio::null()).status().is_ok_and(|s| s.success());
    if !python.exists() {
        done(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv"))).then_some(())?;
        done(Command::new(&python).args(["-m", "pip", "install", "-q", "weasyprint", "typst"]));
    }
    Some(python)
}

/// The rate of a peer in one warm process; its own PDF is not kept.
fn warm(python: &Path, name: &str, page: &Path) -> Option<Rate> {
    let script = root().join("benches/documents/peer.py");
    let mut command = Command::new(python);
    command.arg(script).arg(name).arg(page).arg(root().join("assets/fonts/published"));
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (seconds, bytes) = text.trim().split_once(' ')?;
    let seconds: f64 = seconds.parse().ok()?;
    Some(Rate { a_second: 1.0 / seconds, bytes: bytes.parse().ok()? })
}

/// A browser started anew for each page, as it is from a command line.
fn chromium(folder: &Path) -> Option<Rate> {
    const PAGES: u32 = 3;
    let pdf = folder.join("chromium.pdf");
    let before = cpu_of_children();
    for _ in 0..PAGES {
        let print = format!("--print-to-pdf={}", pdf.display());
        let mut command = Command::new("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]);
        command.arg(print).arg(folder.join("invoice.html"));
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
        status.success().then_some(())?;
    }
    let seconds = cpu_of_children() - before;
    let bytes = usize::try_from(std::fs::metadata(pdf).ok()?.len()).ok()?;
    Some(Rate { a_second: f64::from(PAGES) / seconds, bytes })
}

/// Seconds of one core that ended children took, with theirs.
fn cpu_of_children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    // `cutime` and `cstime` (proc(5)), in hundredths of a second.
    fields.split_whitespace().skip(13).take(2).filter_map(|n| n.parse::<f64>().ok()).sum::<f64>()
        / 100.0
}
