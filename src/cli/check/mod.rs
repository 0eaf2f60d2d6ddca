//! `fecha check`

mod messages;
mod prices;
mod register;

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::output::{Failure, Output, plain};
use super::page::Page;
use crate::actions::mailed;
use crate::actions::profile::{SourceProfile, profile};
use crate::actions::send_test::send_test;
use crate::clock::Clock;
use crate::letters::mailbox;
use crate::letters::template::Templates;
use crate::setup::config::{self, Config};
use crate::setup::office::{self, NoLedger, Office};
use fecha_core::bill::invoice::Number;
use fecha_core::party::register::EmailAddress;

/// Arguments of `fecha check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fecha check
  fecha check --send-to me@example.com
  fecha check --mailed 2026-000123

--send-to sends one email, whose subject says that it is a test, to that address
itself, [email] redirect or not, and says what the mail server answered.

--mailed is for a ledger that was restored from an older backup: the highest
invoice number that finance or a dealership has received.")]
pub struct CheckArgs {
    /// The highest invoice number that is known to have been mailed, YYYY-NNNNNN
    #[arg(long, value_name = "NUMBER")]
    mailed: Option<Number>,
    /// Send a test email to this address too
    #[arg(long, value_name = "ADDRESS", value_parser = mailbox::address)]
    send_to: Option<EmailAddress>,
}

/// One thing that was tried.
#[derive(Serialize)]
struct Tried {
    what: &'static str,
    ok: bool,
    detail: String,
    #[serde(skip)]
    status: u8,
}

/// Tries everything that a close needs, and says all that is to be fixed at once.
pub async fn check(path: Option<&Path>, args: &CheckArgs, output: &Output) -> Result<u8, Failure> {
    let config = Config::load(path, config::environment())?;
    let mut tried = vec![ok("configuration", config.file.display().to_string())];
    let office = Office::with(config.clone(), NoLedger::Refuse, Clock::System).await;
    let dealerships = match &office {
        Ok(office) => office.ledger.dealerships().await.ok(),
        Err(_) => None,
    };
    let known: Option<Vec<String>> = dealerships
        .filter(|dealerships| !dealerships.is_empty())
        .map(|dealerships| dealerships.into_iter().map(|dealership| dealership.id).collect());
    let profiles = sources(&config, known.as_deref(), &mut tried).await;
    let mail = match office::mailer(&config) {
        Ok(mailer) => mailer.check().await.map_err(|error| {
            let status = if matches!(error, crate::post::MailError::Server(_)) { 3 } else { 2 };
            Failure { status, message: error.to_string(), busy: false }
        }),
        Err(error) => Err(Failure::from(error)),
    };
    let mail_answers = mail.is_ok();
    tried.push(outcome("mail", mail));
    let documents = office::documents(&config);
    if let Some(to) = &args.send_to {
        tried.push(outcome("test email", test_email(&config, to, mail_answers).await));
    }
    let read = |_| "fonts, logo and email templates are read".to_owned();
    tried.push(outcome("documents", documents.map(read).map_err(Failure::from)));
    tried.push(outcome("prices", prices::tables(&config, Clock::System)));
    match office {
        Ok(office) => {
            tried.push(ok("ledger", office.ledger.engine_name().to_owned()));
            tried.push(outcome("register", register::holds(&office).await));
            tried.push(outcome("contracts", prices::packages(&office).await));
            match prices::entries(&office, &profiles, Clock::System).await {
                Ok(None) => {}
                Ok(Some(taken)) => tried.push(ok("categories", taken)),
                Err(failure) => tried.push(outcome("categories", Err(failure))),
            }
            tried.push(outcome("numbers", numbers(&office, args.mailed).await));
            office.ledger.close().await;
        }
        Err(error) => tried.push(outcome("ledger", Err(Failure::from(error)))),
    }
    // Where something is to be fixed, running it again does not help: 2 outweighs 3.
    let has = |status| tried.iter().any(|tried| tried.status == status);
    let status = [2, 3].into_iter().find(|status| has(*status)).unwrap_or(0);
    let known = known.as_deref();
    let shown = profiles.iter().map(|profile| messages::json(&config, profile, known));
    let shown: Vec<messages::SourceJson<'_>> = shown.collect();
    output.result(&json!({"ok": status == 0, "checks": tried, "messages": shown}), |page| {
        let values = |profile| messages::in_words(page, &config, profile, known);
        format!("{}{}", in_words(page, &tried), profiles.iter().map(values).collect::<String>())
    });
    Ok(status)
}

/// Sends the test email, where the mail server lets us in.
async fn test_email(
    config: &Config,
    to: &EmailAddress,
    mail_answers: bool,
) -> Result<String, Failure> {
    if !mail_answers {
        return Err(Failure::wrong(format!("not sent to {}: see mail", to.as_str())));
    }
    let templates = Templates::new().map_err(Failure::wrong)?;
    send_test(config, &templates, to, Clock::System.now()).await.map_err(Failure::from)
}

/// Tries each source of messages, and profiles those that can be read.
async fn sources(
    config: &Config,
    register: Option<&[String]>,
    tried: &mut Vec<Tried>,
) -> Vec<SourceProfile> {
    let sources = match office::source(config) {
        Ok(sources) => sources,
        Err(error) => {
            tried.push(outcome("messages", Err(error.into())));
            return Vec::new();
        }
    };
    let (now, mut profiles) = (Clock::System.now(), Vec::new());
    for source in sources.iter() {
        match profile(config, source, now).await {
            Ok(profile) => {
                tried.push(ok("messages", messages::in_a_line(&profile, now)));
                if let Some(what) = messages::to_mend(config, &profile, register) {
                    tried.push(outcome("values", Err(Failure::wrong(what))));
                }
                profiles.push(profile);
            }
            Err(error) => tried.push(outcome("messages", Err(error.into()))),
        }
    }
    let with_ids = profiles.iter().filter(|profile| profile.profiled.has_message_ids).count();
    if with_ids > 1 {
        let what = format!(
            "{with_ids} sources have message ids, which are compared within each alone: a message that two of them have is billed twice"
        );
        tried.push(ok("sources", what));
    }
    profiles
}

/// Whether the ledger would give numbers that were mailed.
async fn numbers(office: &Office, told: Option<Number>) -> Result<String, Failure> {
    let behind = mailed::behind(office, told).await?;
    if behind.is_empty() {
        return Ok("none was mailed that the ledger would give again".to_owned());
    }
    let lines: Vec<String> = behind.iter().map(|one| format!("{one}: {}", one.remedy())).collect();
    Err(Failure::wrong(lines.join("\n")))
}

fn ok(what: &'static str, detail: String) -> Tried {
    Tried { what, ok: true, detail, status: 0 }
}

fn outcome(what: &'static str, result: Result<String, Failure>) -> Tried {
    match result {
        Ok(detail) => ok(what, detail),
        Err(failure) => Tried { what, ok: false, detail: failure.message, status: failure.status },
    }
}

fn in_words(page: Page, tried: &[Tried]) -> String {
    let line = |tried: &Tried| {
        let mark = if tried.ok { "ok" } else { "FIX" };
        let detail: Vec<String> = tried.detail.lines().map(plain).collect();
        page.item(&format!("{mark:<4} {:<14} ", tried.what), &detail.join("\n")) + "\n"
    };
    tried.iter().map(line).collect()
}
