//! The `fecha` command.

use std::io::Write as _;
use std::process::ExitCode;

use fecha::cli::{parse, run};
use fecha::setup::process;

fn main() -> ExitCode {
    process::make_files_private();
    process::allow_many_files();
    let cli = match parse() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "fecha: it cannot start: {error}");
            ExitCode::from(3)
        }
    }
}
