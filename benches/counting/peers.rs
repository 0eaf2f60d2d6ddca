//! Others who make the same count of the same messages: UAM and HSM of each dealership, and what each contact
//! exchanged. From `PyPI`, in a virtual environment beside the build; what is not to be had is skipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fecha_core::calendar::month::Period;

use super::messages::Messages;

/// The name in the table, and what `peer.py` calls it.
pub const PEERS: [(&str, &str); 3] = [
    ("DuckDB 1.5 with its scanner", "duckdb"),
    ("Polars, read by connectorx", "polars"),
    ("Python alone", "python"),
];

const PACKAGES: [&str; 9] = [
    "duckdb==1.5.5",
    "duckdb-extensions==1.5.5",
    "duckdb-extension-sqlite-scanner==1.5.5",
    "duckdb-extension-postgres-scanner==1.5.5",
    "duckdb-extension-mysql-scanner==1.5.5",
    "polars",
    "connectorx",
    "pyarrow",
    "pytz",
];

/// What a peer found, and how long it took.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub seconds: f64,
    /// The sums of all dealerships.
    pub uam: u64,
    pub hsm: u64,
}

/// An interpreter with the packages; `None` where they are not to be had.
pub fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/counting");
    let python = folder.join("bin/python");
    let done = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    if !python.exists() {
        done(Command::new("python3").args(["-m", "venv"]).arg(&folder)).then_some(())?;
    }
    let install = ["-m", "pip", "install", "--quiet"];
    done(Command::new(&python).args(install).args(PACKAGES)).then_some(python)
}

/// Has a peer count the month; its words where it cannot.
pub fn count(
    python: &Path,
    peer: &str,
    engine: &str,
    messages: &Messages,
    month: Period,
) -> Result<Found, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/counting/peer.py");
    let bounds = [month.start, month.end].map(|bound| bound.timestamp_millis().to_string());
    let engine = engine.split('-').next().unwrap_or(engine);
    let mut command = Command::new(python);
    command.arg(script).args([peer, engine, &messages.url()]).args(bounds);
    let output = command.output().map_err(|error| error.to_string())?;
    let words = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<&str> = words.split_whitespace().collect();
    let found = || {
        let [seconds, uam, hsm] = numbers[..] else { return None };
        Some(Found {
            seconds: seconds.parse().ok()?,
            uam: uam.parse().ok()?,
            hsm: hsm.parse().ok()?,
        })
    };
    found().ok_or_else(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        errors.lines().last().unwrap_or("no answer").to_owned()
    })
}
