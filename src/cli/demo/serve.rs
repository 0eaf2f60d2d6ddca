//! Shows the demo in the console, on this machine alone.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use serde_json::json;

use crate::actions::people::{self, Invited};
use crate::cli::daemon::until_told;
use crate::cli::output::{Failure, Output};
use crate::clock::Clock;
use crate::daemon;
use crate::setup::config::Config;
use crate::setup::office::{NoLedger, Office};
use fecha_core::party::person::Role;

/// Who can log in to the demo.
const EMAIL: &str = "ana@example.com";
const NAME: &str = "Ana Souza";

/// Serves the console of the demo in a folder until SIGTERM or Ctrl-C.
pub async fn serve(config: &Path, output: &Output) -> Result<u8, Failure> {
    let mut config = Config::load(Some(config), std::iter::empty())?;
    config.listen = free(config.listen);
    let address = config.listen;
    let office = Office::with(config, NoLedger::Refuse, Clock::System).await?;
    let office = Office { actor: "fecha".to_owned(), ..office };
    let password = password();
    let invited = Invited { email: EMAIL, name: Some(NAME), role: Role::Admin };
    let invitation = people::add(&office, invited, "fecha").await.map_err(Failure::wrong)?;
    people::accept(&office, &invitation.token, &password).await.map_err(Failure::wrong)?;
    let url = format!("http://{address}");
    let json = json!({"url": url, "email": EMAIL, "password": password});
    output.result(&json, |_| {
        format!(
            "\nThe console, on this machine alone, until Ctrl-C:\n  {url}\n  \
             log in as {EMAIL} with the password {password}\n"
        )
    });
    let stopped = until_told()?;
    daemon::run(office, stopped).await?;
    Ok(0)
}

/// The address of the configuration, or another port where that one is taken.
fn free(address: SocketAddr) -> SocketAddr {
    let is_free = |address: SocketAddr| TcpListener::bind(address)?.local_addr();
    is_free(address)
        .or_else(|_| is_free(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))
        .unwrap_or(address)
}

/// Made anew each time: whoever reads it at the terminal types or copies it.
fn password() -> String {
    let bytes: [u8; 6] = rand::random();
    let hex = hex::encode(bytes);
    format!("{}-{}-{}", &hex[..4], &hex[4..8], &hex[8..])
}
