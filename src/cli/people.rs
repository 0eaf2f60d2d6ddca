//! `fecha people`

use serde_json::json;

use super::output::{Failure, Output, plain};
use super::page::{name, text as sentence, word};
use super::rerun::text;
use crate::actions::people::{self, Invitation, Invited};
use crate::actions::words::local;
use crate::ledger::people::{Change, Person};
use crate::setup::office::Office;
use fecha_core::party::person::Role;

/// Arguments of `fecha people`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
viewer reads; finance also sends emails again, changes addresses, records
payments and credits, and releases a held month; admin also reruns, cancels,
imports, changes contracts, and invites people. A link serves once, for seven
days; whoever opens it chooses a password.

Examples:
  fecha people add --email ana@example.com --name \"Ana Souza\" --role admin
  fecha people invite --email ana@example.com      a new link: lost password
  fecha people role --email ana@example.com --role finance
  fecha people disable --email ana@example.com     out at once")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add a person and print the link by which they choose a password
    Add {
        #[command(flatten)]
        who: Who,
        /// As the audit log is to name them [default: the email]
        #[arg(long, value_name = "NAME", value_parser = text)]
        name: Option<String>,
        /// viewer, finance or admin
        #[arg(long, value_name = "R")]
        role: Role,
    },
    /// List everybody
    List,
    /// Print a new link: the earlier one, or the password, is lost
    Invite(Who),
    /// Change what a person may do
    Role {
        #[command(flatten)]
        who: Who,
        /// viewer, finance or admin
        #[arg(long, value_name = "R")]
        role: Role,
    },
    /// Let a person in no more; their sessions end at once
    Disable(Who),
    /// Let a person in again
    Enable(Who),
}

/// Whom it is about, and who asks for it.
#[derive(Debug, clap::Args)]
struct Who {
    /// What they log in with
    #[arg(long, value_name = "E")]
    email: String,
    /// Who asks for it [default: the login name, unless that is root]
    #[arg(long, value_name = "NAME", value_parser = text)]
    by: Option<String>,
}

/// Invites, lists and changes people.
pub async fn people(office: &Office, args: &Args, output: &Output) -> Result<u8, Failure> {
    match &args.what {
        What::List => return list(office, output).await,
        What::Add { who, name, role } => {
            let by = office.named(who.by.as_deref())?;
            let invited = Invited { email: &who.email, name: name.as_deref(), role: *role };
            show(office, &people::add(office, invited, &by).await?, output);
        }
        What::Invite(who) => {
            let by = office.named(who.by.as_deref())?;
            show(office, &people::invite(office, &who.email, &by).await?, output);
        }
        What::Role { who, role } => change(office, who, Change::Role(*role), output).await?,
        What::Disable(who) => change(office, who, Change::Disable, output).await?,
        What::Enable(who) => change(office, who, Change::Enable, output).await?,
    }
    Ok(0)
}

fn show(office: &Office, invitation: &Invitation, output: &Output) {
    output.result(invitation, |_| {
        let Invitation { person, link, ends_at, .. } = invitation;
        format!(
            "{} ({}) may log in as {} with a password of their own; this link, shown only now, serves once, until {}:\n  {link}",
            plain(&person.name),
            plain(&person.email),
            person.role,
            local(*ends_at, office.config.issuer.timezone)
        )
    });
}

async fn change(
    office: &Office,
    who: &Who,
    change: Change,
    output: &Output,
) -> Result<(), Failure> {
    let by = office.named(who.by.as_deref())?;
    let (person, changed) = people::change(office, &who.email, change, &by).await?;
    let mut json = json!(person);
    json["changed"] = json!(changed);
    output.result(&json, |_| {
        let was = if changed { "is" } else { "was already" };
        let what = match change {
            Change::Role(role) => role.key(),
            Change::Disable => "disabled",
            Change::Enable => "enabled",
        };
        format!("{} {was} {what}", plain(&person.email))
    });
    Ok(())
}

async fn list(office: &Office, output: &Output) -> Result<u8, Failure> {
    let people = people::list(office).await?;
    output.result(&people, |page| {
        if people.is_empty() {
            return "nobody: `fecha people add --email E --role admin` invites the first"
                .to_owned();
        }
        let zone = office.config.issuer.timezone;
        let row = |person: &Person| {
            vec![
                person.name.clone(),
                person.email.clone(),
                person.role.to_string(),
                person.state.key().to_owned(),
                local(person.made_at, zone),
                person.made_by.clone(),
            ]
        };
        let columns = [
            name("name"),
            sentence("email"),
            word("role"),
            word("state"),
            word("since").spare(1),
            name("by").spare(2),
        ];
        page.table(&columns, people.iter().map(row).collect())
    });
    Ok(0)
}
