//! The command line: one file a command. The only place that prints.

mod audit;
mod backup;
mod check;
mod close;
mod config;
mod correct;
mod daemon;
mod delivery;
mod demo;
mod difference;
mod files;
mod group_bills;
mod init;
mod invoices;
mod kind;
mod lines;
mod manual;
mod meant;
mod nfse;
mod output;
mod own;
mod page;
mod pay;
mod people;
mod preview;
mod receivables;
mod register;
mod rerun;
mod simulate;
mod status;
mod tokens;
mod verify;
mod version;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::output::{Failure, Output};
use crate::actions::patience::Patience;
use crate::clock::Clock;
use crate::ledger;
use crate::setup::office::{NoLedger, Office};

/// Closes each month: counts, prices, invoices and emails the use of the WhatsApp Business API.
#[derive(Debug, Parser)]
#[command(name = "fecha", version, long_version = version::VERSION.as_str(), max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "FILE",
        help = "The configuration [default: $FECHA_CONFIG, else ./fecha.toml]"
    )]
    config: Option<PathBuf>,
    /// Print the result as one JSON document; logs go to standard error
    #[arg(long, global = true, help_heading = GLOBAL)]
    json: bool,
    /// Log more, to standard error; twice for everything
    #[arg(short, long, global = true, help_heading = GLOBAL, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

/// Where the options stand that every command has.
const GLOBAL: &str = "Global options";

const EXAMPLES: &str = "\
Start here:
  fecha demo            months closed on sample data: needs nothing, sends nothing
  fecha init billing    a folder with a configuration and empty register files
  fecha check           tries everything that a close needs

Exit status:
  0  all done
  1  done, but something needs a person, and it is named
  2  wrong use, configuration or input
  3  a database or server could not be reached: run it again";

#[derive(Debug, Subcommand)]
enum Command {
    /// Close six months of sample data: messages, invoices, statements, payments, emails
    Demo(demo::Args),
    /// Write a commented configuration and empty register files; overwrites nothing
    Init(init::Args),
    /// Try configuration, both databases, prices, templates and mail; say what to fix
    Check(check::CheckArgs),
    /// Show the configuration in force, and where each key of it comes from
    #[command(after_help = config::HELP)]
    Config,
    /// Add to and update the register from CSV files: all rows or none
    Import(register::ImportArgs),
    /// Write the register as the two CSV files
    Export(register::ExportArgs),
    /// Close a month: count, price, issue, and queue the emails
    Close(close::Args),
    /// Show what a month would cost as of now and at its end; issues nothing
    Preview(preview::Args),
    /// Show what other prices would have billed over past months
    Simulate(simulate::Args),
    /// Count a month again and compare it with every invoice; changes nothing
    Verify(verify::Args),
    /// Count a month again and issue a new revision of each invoice that changed
    Rerun(rerun::Args),
    /// Enter, list or take back a credit or charge on a dealership's next invoice
    Adjust(correct::AdjustArgs),
    /// Void an invoice; its month can be closed again under a new number
    Cancel(correct::CancelArgs),
    /// Record payments, take them back, or pay money back
    Pay(pay::PayArgs),
    /// Show what is open, by age and dealership, and what waits on accounts
    Receivables(receivables::Args),
    /// List invoices
    Invoices(invoices::ListArgs),
    /// Explain one invoice line by line, and write its files
    Invoice(invoices::ShowArgs),
    /// Send what is due in the outbox, once
    #[command(after_help = delivery::DELIVER_HELP)]
    Deliver,
    /// List every email and its state
    Outbox(delivery::OutboxArgs),
    /// Queue emails again: an invoice's, a month's report, all that failed
    Resend(delivery::ResendArgs),
    /// Write the files of a month's report to finance
    Digest(delivery::DigestArgs),
    /// Write the DPS of a month's invoices, from which the NFS-e are made
    Nfse(nfse::Args),
    /// Show who did what, when and why
    Audit(audit::Args),
    /// Show the months, open and closed, and what needs a person
    #[command(after_help = status::HELP)]
    Status,
    /// Copy the ledger while it is at work, and read the copy again
    Backup(backup::Args),
    /// Say who may use the console: invite, change roles, disable
    People(people::Args),
    /// Say which programs may use the interface: make tokens, take them back
    Tokens(tokens::Args),
    /// Close each month when it has ended, deliver, and call a person when one is needed
    Daemon(daemon::Args),
    /// Print what makes a shell complete commands and options
    Completions(manual::CompletionsArgs),
    /// Write the manual, a page for each command, for man
    Man(manual::ManArgs),
}

/// Runs the command and gives its exit status.
pub async fn run(cli: Cli) -> ExitCode {
    match &cli.command {
        Command::Daemon(args) if !args.is_probe() => output::start_service_logging(cli.verbose),
        _ => output::start_logging(cli.verbose),
    }
    let output = Output::new(cli.json);
    match dispatch(&cli, &output).await {
        Ok(status) => ExitCode::from(output.told(status)),
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.status)
        }
    }
}

/// The command line.
///
/// # Errors
/// The exit status where there is none: it is wrong, or help was asked for, and was printed.
pub fn parse() -> Result<Cli, ExitCode> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(std::env::args_os());
    let parsed = matches.and_then(|matches| match meant::refused(&mut command, &matches) {
        Some(error) => Err(error),
        None => Cli::from_arg_matches(&matches),
    });
    parsed.map_err(|error| match error.print() {
        // clap's own: 2, and 0 for help and version.
        Ok(()) => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
        Err(_) => ExitCode::from(if error.exit_code() == 0 { 1 } else { 2 }),
    })
}

async fn dispatch(cli: &Cli, output: &Output) -> Result<u8, Failure> {
    match &cli.command {
        Command::Demo(args) => return demo::demo(args, output).await,
        Command::Init(args) => return init::init(args, output),
        Command::Completions(args) => {
            manual::completions(args, output);
            return Ok(0);
        }
        Command::Man(args) => return manual::man(args, output),
        Command::Check(args) => {
            return check::check(cli.config.as_deref(), args, output).await;
        }
        Command::Backup(args) => {
            return backup::backup(cli.config.as_deref(), args, output).await;
        }
        Command::Config => return config::config(cli.config.as_deref(), output),
        Command::Daemon(args) if args.is_probe() => {
            return daemon::probe(cli.config.as_deref(), output).await;
        }
        Command::Daemon(_) => return daemon::daemon(cli.config.as_deref()).await,
        Command::Import(args) if args.is_dry_run() => {
            return register::try_out(cli.config.as_deref(), args, output).await;
        }
        _ => {}
    }
    let no_ledger = match &cli.command {
        Command::Import(args) => args.no_ledger(),
        _ => NoLedger::Refuse,
    };
    let office = Office::open(cli.config.as_deref(), no_ledger, Clock::System).await?;
    let work = patiently(cli, &office, output);
    let result = tokio::select! {
        result = work => result,
        // Nor is it waited for to take leave.
        silent = ledger::silence(office.config.ledger_url.as_str()) => return Err(silent.into()),
    };
    office.ledger.close().await;
    result
}

/// Runs a command, again where the ledger was busy and nothing of it is done.
async fn patiently(cli: &Cli, office: &Office, output: &Output) -> Result<u8, Failure> {
    let mut patience = Patience::new();
    loop {
        match act(cli, office, output).await {
            Err(failure)
                if failure.busy && cli.command.is_one_transaction() && patience.again().await => {}
            result => return result,
        }
    }
}

/// Runs a command that works on the ledger.
async fn act(cli: &Cli, office: &Office, output: &Output) -> Result<u8, Failure> {
    match &cli.command {
        Command::Demo(_)
        | Command::Init(_)
        | Command::Check(_)
        | Command::Backup(_)
        | Command::Config
        | Command::Daemon(_)
        | Command::Completions(_)
        | Command::Man(_) => Ok(0),
        Command::Import(args) => register::import(office, args, output).await,
        Command::Export(args) => register::export(office, args, output).await,
        Command::Close(args) => close::close(office, args, output).await,
        Command::Preview(args) => preview::preview(office, args, output).await,
        Command::Simulate(args) => simulate::simulate(office, args, output).await,
        Command::Verify(args) => verify::verify(office, args, output).await,
        Command::Rerun(args) => rerun::rerun(office, args, output).await,
        Command::Adjust(args) => correct::adjust(office, args, output).await,
        Command::Cancel(args) => correct::cancel(office, args, output).await,
        Command::Pay(args) => pay::pay(office, args, output).await,
        Command::Receivables(args) => receivables::receivables(office, args, output).await,
        Command::Invoices(args) => invoices::list(office, args, output).await,
        Command::Invoice(args) => invoices::show(office, args, output).await,
        Command::Deliver => delivery::deliver(office, output).await,
        Command::Outbox(args) => delivery::outbox(office, args, output).await,
        Command::Resend(args) => delivery::resend(office, args, output).await,
        Command::Digest(args) => delivery::digest(office, args, output).await,
        Command::Nfse(args) => nfse::nfse(office, args, output).await,
        Command::Audit(args) => audit::audit(office, args, output).await,
        Command::People(args) => people::people(office, args, output).await,
        Command::Tokens(args) => tokens::tokens(office, args, output).await,
        Command::Status => status::status(office, output).await,
    }
}

impl Command {
    /// Whether nothing of it is done where it fails: then it can be run again at once.
    fn is_one_transaction(&self) -> bool {
        matches!(
            self,
            Self::Import(_) | Self::Adjust(_) | Self::Cancel(_) | Self::Pay(_) | Self::Resend(_)
        )
    }
}
