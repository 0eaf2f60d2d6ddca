//! Tokens: which programs may use the interface.

use axum::extract::{Form, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::people::roles;
use crate::actions::tokens::{self, TokenError};
use crate::console::ways::Ways;
use crate::console::words::people as words;
use crate::console::{Console, Done, Oops, Page, Section, Signed};
use crate::ledger::tokens::Token;
use fecha_core::party::person::Role;

/// This page and its forms.
pub fn ways(ways: Ways) -> Ways {
    ways.get_as("/system/tokens", Role::Admin, show).post("/system/tokens", Role::Admin, add).post(
        "/system/tokens/revoke",
        Role::Admin,
        revoke,
    )
}

#[derive(Debug, Serialize)]
struct View {
    tokens: Vec<Row>,
    roles: [(&'static str, String); 3],
    typed: Typed,
    error: String,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    name: String,
    role_words: &'static str,
    state: Serving,
    until: DateTime<Utc>,
    used: Option<DateTime<Utc>>,
    by: String,
}

/// Whether a token serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Serving {
    Serves,
    Over,
    Revoked,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Typed {
    name: String,
    role: String,
    days: String,
}

impl Typed {
    fn nothing() -> Self {
        Self { name: String::new(), role: "viewer".to_owned(), days: "365".to_owned() }
    }
}

fn row(token: Token, now: DateTime<Utc>) -> Row {
    Row {
        state: match token.revoked_at {
            Some(_) => Serving::Revoked,
            None if token.ends_at <= now => Serving::Over,
            None => Serving::Serves,
        },
        id: token.id,
        name: token.name,
        role_words: words::role(token.role),
        until: token.ends_at,
        used: token.used_at,
        by: token.made_by,
    }
}

async fn page(
    console: &Console,
    signed: &Signed,
    typed: Typed,
    error: String,
) -> Result<Page, Oops> {
    let now = console.office.clock.now();
    let tokens = tokens::list(&console.office).await?;
    let tokens = tokens.into_iter().map(|token| row(token, now)).collect();
    let view = View { tokens, roles: roles(), typed, error };
    console.page(signed, Section::System, "Tokens", "tokens.html", &view).await
}

async fn show(State(console): State<Console>, signed: Signed) -> Result<Page, Oops> {
    page(&console, &signed, Typed::nothing(), String::new()).await
}

/// What came of a form: another page, or this one with the reason.
type Answer = Result<Result<Done, Page>, Oops>;

async fn refused(console: &Console, signed: &Signed, typed: Typed, error: TokenError) -> Answer {
    if let TokenError::Ledger(error) = error {
        return Err(error.into());
    }
    Ok(Err(page(console, signed, typed, words::token(&error)).await?.refused()))
}

async fn add(State(console): State<Console>, signed: Signed, Form(typed): Form<Typed>) -> Answer {
    let role = typed.role.parse().map_err(|_| Oops::Bad("Escolha um papel.".to_owned()))?;
    // What is no number is no span either.
    let days = typed.days.trim().parse().unwrap_or(0);
    match tokens::add(&console.office, &typed.name, role, days, &signed.name).await {
        Ok(made) => Ok(Ok(Done::see(
            "/system/tokens",
            &format!("Token “{}”, que só aparece agora: {}", made.name, made.token),
        ))),
        Err(error) => refused(&console, &signed, typed, error).await,
    }
}

#[derive(Debug, Deserialize)]
struct Which {
    id: String,
}

async fn revoke(
    State(console): State<Console>,
    signed: Signed,
    Form(which): Form<Which>,
) -> Answer {
    match tokens::revoke(&console.office, &which.id, &signed.name).await {
        Ok(token) => {
            let words = format!("O token “{}” não vale mais.", token.name);
            Ok(Ok(Done::see("/system/tokens", &words)))
        }
        Err(error) => refused(&console, &signed, Typed::nothing(), error).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    #[test]
    fn it_is_drawn_empty_long_and_wrong() {
        let row = |name: &str, state, used: Option<&str>| Row {
            id: "019a4e6c-8a3b-7c52-9d0e-2f6f1b7c9a10".to_owned(),
            name: name.to_owned(),
            role_words: words::role(Role::Viewer),
            state,
            until: "2027-11-01T03:00:01Z".parse().unwrap(),
            used: used.map(|used| used.parse().unwrap()),
            by: "Rui".to_owned(),
        };
        let view = |tokens, error: &str| View {
            tokens,
            roles: roles(),
            typed: Typed { days: "9999".to_owned(), ..Typed::nothing() },
            error: error.to_owned(),
        };
        assert!(renders("tokens.html", &view(Vec::new(), "")).contains("Nenhum token"));
        let tokens = vec![
            row("prometheus", Serving::Serves, Some("2026-11-01T03:00:01Z")),
            row(&"integração ".repeat(27), Serving::Over, None),
            row("erp", Serving::Revoked, None),
        ];
        let html = renders("tokens.html", &view(tokens, "Um token vale de 1 a 1096 dias."));
        assert!(html.contains("Um token vale de 1 a 1096 dias.") && html.contains("9999"));
        assert_eq!(html.matches("/system/tokens/revoke").count(), 1, "only what serves");
    }
}
