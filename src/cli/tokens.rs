//! `fecha tokens`

use chrono::{DateTime, Utc};

use super::output::{Failure, Output, plain};
use super::page::{name, word};
use super::rerun::text;
use crate::actions::tokens;
use crate::actions::words::local;
use crate::ledger::tokens::Token;
use crate::setup::office::Office;
use fecha_core::party::person::Role;

/// Arguments of `fecha tokens`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A program shows its token in the header `Authorization: Bearer TOKEN`, to
/api/v1 (docs/api.md). It may what a person of its role may. /metrics wants one
(of any role) where the daemon listens on another address than loopback.

Examples:
  fecha tokens add --name prometheus --role viewer
  fecha tokens revoke 019a4e6c-8a3b-7c52-9d0e-2f6f1b7c9a10")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a token and print it: it is shown only now
    Add {
        /// What it is for
        #[arg(long, value_name = "NAME", value_parser = text)]
        name: String,
        /// viewer, finance or admin
        #[arg(long, value_name = "R")]
        role: Role,
        /// For how long it serves
        #[arg(long, value_name = "N", default_value_t = 365)]
        days: u32,
        /// Who asks for it [default: the login name, unless that is root]
        #[arg(long, value_name = "NAME", value_parser = text)]
        by: Option<String>,
    },
    /// List all, without what they are
    List,
    /// Take one back: it serves no more
    Revoke {
        /// As `fecha tokens list` has it
        id: String,
        /// Who asks for it [default: the login name, unless that is root]
        #[arg(long, value_name = "NAME", value_parser = text)]
        by: Option<String>,
    },
}

/// Makes, lists and takes back tokens.
pub async fn tokens(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    let zone = office.config.issuer.timezone;
    match &args.what {
        What::List => return list(office, output).await,
        What::Add { name, role, days, by } => {
            let by = office.named(by.as_deref())?;
            let made = tokens::add(office, name, *role, *days, &by).await?;
            output.result(&made, |_| {
                format!(
                    "token {} ({}) may what {} may, until {}; it is shown only now:\n  {}",
                    made.id,
                    plain(&made.name),
                    made.role,
                    local(made.ends_at, zone),
                    made.token
                )
            });
        }
        What::Revoke { id, by } => {
            let by = office.named(by.as_deref())?;
            let token = tokens::revoke(office, id, &by).await?;
            output.result(&token, |_| {
                format!("token {} ({}) serves no more", token.id, plain(&token.name))
            });
        }
    }
    Ok(0)
}

async fn list(office: &Office, output: &Output) -> Result<u8, Failure> {
    let tokens = tokens::list(office).await?;
    let (now, zone) = (office.clock.now(), office.config.issuer.timezone);
    output.result(&tokens, |page| {
        if tokens.is_empty() {
            return "no tokens: `fecha tokens add --name N --role viewer` makes one".to_owned();
        }
        let row = |token: &Token| {
            vec![
                token.id.clone(),
                token.name.clone(),
                token.role.to_string(),
                state(token, now).to_owned(),
                local(token.ends_at, zone),
                token.used_at.map(|at| local(at, zone)).unwrap_or_default(),
                token.made_by.clone(),
            ]
        };
        let columns = [
            word("id"),
            name("name"),
            word("role"),
            word("state"),
            word("until"),
            word("used").spare(2),
            name("by").spare(1),
        ];
        page.table(&columns, tokens.iter().map(row).collect())
    });
    Ok(0)
}

fn state(token: &Token, now: DateTime<Utc>) -> &'static str {
    match token.revoked_at {
        Some(_) => "revoked",
        None if token.ends_at <= now => "over",
        None => "serves",
    }
}
