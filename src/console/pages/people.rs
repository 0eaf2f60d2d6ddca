//! Pessoas: who may use the console.

use axum::extract::{Form, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::actions::people::{self, Invitation, Invited, PeopleError};
use crate::console::ways::Ways;
use crate::console::words::people as words;
use crate::console::{Console, Done, Oops, Page, Section, Signed};
use crate::ledger::people::{Change, Person};
use fecha_core::party::person::{Role, Standing};

/// This page and its forms.
pub fn ways(ways: Ways) -> Ways {
    ways.get_as("/system/people", Role::Admin, show)
        .post("/system/people", Role::Admin, add)
        .post("/system/people/invite", Role::Admin, invite)
        .post("/system/people/role", Role::Admin, role)
        .post("/system/people/disable", Role::Admin, disable)
        .post("/system/people/enable", Role::Admin, enable)
}

/// The choices of a role, least first.
#[must_use]
pub fn roles() -> [(&'static str, String); 3] {
    let does = |role| match role {
        Role::Viewer => "lê",
        Role::Finance => "libera, recebe, reenvia",
        Role::Admin => "tudo",
    };
    Role::ALL.map(|role| (role.key(), format!("{}: {}", words::role(role), does(role))))
}

#[derive(Debug, Serialize)]
struct View {
    people: Vec<Row>,
    roles: [(&'static str, String); 3],
    names: [(&'static str, &'static str); 3],
    typed: Typed,
    error: String,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    email: String,
    role: Role,
    role_words: &'static str,
    state: Standing,
    state_words: &'static str,
    since: DateTime<Utc>,
    by: String,
    /// It is the person who looks.
    me: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Typed {
    email: String,
    name: String,
    role: String,
}

async fn view(
    console: &Console,
    signed: &Signed,
    typed: Typed,
    error: String,
) -> Result<View, Oops> {
    let people = people::list(&console.office).await?;
    let row = |person: Person| Row {
        me: person.id == signed.person,
        role_words: words::role(person.role),
        state_words: words::standing(person.state),
        name: person.name,
        email: person.email,
        role: person.role,
        state: person.state,
        since: person.made_at,
        by: person.made_by,
    };
    Ok(View {
        people: people.into_iter().map(row).collect(),
        roles: roles(),
        names: Role::ALL.map(|role| (role.key(), words::role(role))),
        typed,
        error,
    })
}

async fn page(
    console: &Console,
    signed: &Signed,
    typed: Typed,
    error: String,
) -> Result<Page, Oops> {
    let view = view(console, signed, typed, error).await?;
    console.page(signed, Section::System, "Pessoas", "people.html", &view).await
}

async fn show(State(console): State<Console>, signed: Signed) -> Result<Page, Oops> {
    page(&console, &signed, Typed::default(), String::new()).await
}

/// What came of a form: another page, or this one with the reason.
type Answer = Result<Result<Done, Page>, Oops>;

fn done(words: &str) -> Done {
    Done::see("/system/people", words)
}

async fn refused(console: &Console, signed: &Signed, typed: Typed, error: PeopleError) -> Answer {
    if let PeopleError::Ledger(error) = error {
        return Err(error.into());
    }
    Ok(Err(page(console, signed, typed, words::people(&error)).await?.refused()))
}

fn invited(invitation: &Invitation) -> Done {
    done(&format!(
        "Convite para {}. Envie este endereço, que só aparece agora, serve uma vez e vale sete dias: {}",
        invitation.person.email, invitation.link
    ))
}

async fn add(State(console): State<Console>, signed: Signed, Form(typed): Form<Typed>) -> Answer {
    let role = typed.role.parse().map_err(|_| Oops::Bad("Escolha um papel.".to_owned()))?;
    let name = Some(typed.name.trim()).filter(|name| !name.is_empty());
    let wanted = Invited { email: &typed.email, name, role };
    match people::add(&console.office, wanted, &signed.name).await {
        Ok(invitation) => Ok(Ok(invited(&invitation))),
        Err(error) => refused(&console, &signed, typed.clone(), error).await,
    }
}

#[derive(Debug, Deserialize)]
struct Whom {
    email: String,
    #[serde(default)]
    role: String,
}

async fn invite(State(console): State<Console>, signed: Signed, Form(whom): Form<Whom>) -> Answer {
    match people::invite(&console.office, &whom.email, &signed.name).await {
        Ok(invitation) => Ok(Ok(invited(&invitation))),
        Err(error) => refused(&console, &signed, Typed::default(), error).await,
    }
}

async fn role(State(console): State<Console>, signed: Signed, Form(whom): Form<Whom>) -> Answer {
    let role = whom.role.parse().map_err(|_| Oops::Bad("Escolha um papel.".to_owned()))?;
    let said = words::role(role).to_lowercase();
    changed(&console, &signed, &whom, Change::Role(role), &format!("tem agora o papel {said}"))
        .await
}

async fn disable(State(console): State<Console>, signed: Signed, Form(whom): Form<Whom>) -> Answer {
    changed(&console, &signed, &whom, Change::Disable, "não entra mais, e quem estava dentro saiu")
        .await
}

async fn enable(State(console): State<Console>, signed: Signed, Form(whom): Form<Whom>) -> Answer {
    changed(&console, &signed, &whom, Change::Enable, "pode entrar de novo").await
}

async fn changed(
    console: &Console,
    signed: &Signed,
    whom: &Whom,
    change: Change,
    said: &str,
) -> Answer {
    match people::change(&console.office, &whom.email, change, &signed.name).await {
        Ok((person, _)) => Ok(Ok(done(&format!("{} {said}.", person.name)))),
        Err(error) => refused(console, signed, Typed::default(), error).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    fn sample(name: &str, state: Standing, me: bool) -> Row {
        Row {
            name: name.to_owned(),
            email: "ana@example.com".to_owned(),
            role: Role::Finance,
            role_words: words::role(Role::Finance),
            state,
            state_words: words::standing(state),
            since: "2026-11-01T03:00:01Z".parse().unwrap(),
            by: "Rui".to_owned(),
            me,
        }
    }

    #[test]
    fn it_is_drawn_empty_long_and_wrong() {
        let view = |people, error: &str| View {
            people,
            roles: roles(),
            names: Role::ALL.map(|role| (role.key(), words::role(role))),
            typed: Typed { email: "b".to_owned(), ..Typed::default() },
            error: error.to_owned(),
        };
        renders("people.html", &view(Vec::new(), ""));
        let people = vec![
            sample("Ana", Standing::Active, true),
            sample(&"Maria das Dores ".repeat(19), Standing::Invited, false),
            sample("Eva", Standing::Disabled, false),
        ];
        let html = renders("people.html", &view(people, "“b” não é um endereço"));
        assert!(html.contains("“b” não é um endereço") && html.contains("value=\"b\""));
        assert!(html.contains("Reativar") && html.contains("Desativar"));
    }
}
