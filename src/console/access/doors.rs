//! The pages for whoever is not signed in: to log in, to leave, to accept an invitation.

use axum::extract::{Form, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{RequestExt as _, Router};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::again::Again;
use super::letter::Letter;
use super::{cookie, gate};
use crate::actions::login::{self, LoggedIn, LoginError};
use crate::actions::people::{self, PeopleError};
use crate::console::page;
use crate::console::words::people as words;
use crate::console::{Console, Oops};
use crate::ledger::people::Person;
use fecha_core::party::person::SHORTEST_PASSWORD;

/// The most bytes of what somebody sends who may be anybody.
const LETTER: usize = 8 * 1024;

/// Their ways in; no session is needed for them.
pub fn router(console: &Console) -> Router<Console> {
    Router::new()
        .route("/login", get(show_login).post(log_in))
        .route("/logout", post(log_out).get(async || Redirect::to("/")))
        .route("/invitation/{token}", get(show_invitation).post(accept))
        .layer(from_fn_with_state(console.clone(), or_again))
}

/// Where the ledger is away, what was asked for can be asked for again.
async fn or_again(State(console): State<Console>, request: Request, next: Next) -> Response {
    let again = match request.uri().path() {
        "/logout" => Again::button(request.uri()),
        // Passwords are typed again.
        _ => Again::page(request.uri()),
    };
    again.unless_answered(&console, next.run(request).await)
}

/// The page to log in that leads to another one afterwards.
pub fn login_for(page: &str) -> String {
    match local(page) {
        "/" => "/login".to_owned(),
        page => format!("/login?to={}", utf8_percent_encode(page, NON_ALPHANUMERIC)),
    }
}

/// A page of this console; where it is one of somebody else's, the first page.
fn local(page: &str) -> &str {
    let is_local = page.starts_with('/')
        && !page.starts_with("//")
        && page.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        // Nobody wants to be there once logged in.
        && !["/login", "/logout", "/invitation/"].iter().any(|door| page.starts_with(door));
    if is_local { page } else { "/" }
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    to: String,
}

#[derive(Debug, Serialize)]
struct LoginView<'a> {
    title: &'static str,
    to: &'a str,
    email: &'a str,
    error: &'a str,
    /// What became of the form that led here.
    notice: Option<&'a str>,
}

fn login_page(
    console: &Console,
    status: StatusCode,
    [to, email, error]: [&str; 3],
    notice: Option<&str>,
) -> Result<Response, Oops> {
    let view = LoginView { title: "Entrar", to: local(to), email, error, notice };
    Ok((status, Html(console.templates.alone("login.html", &view)?)).into_response())
}

async fn show_login(
    State(console): State<Console>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Result<Response, Oops> {
    let signed = gate::who_asks(&console, request.headers(), request.extensions()).await?;
    if signed.is_some() {
        return Ok(Redirect::to(local(&asked.to)).into_response());
    }
    let notice = page::shown_once(request.headers());
    login_page(&console, StatusCode::OK, [&asked.to, "", ""], notice.as_deref())
}

#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    to: String,
    email: String,
    password: String,
}

async fn log_in(State(console): State<Console>, request: Request) -> Result<Response, Oops> {
    let before = cookie::token(&console, request.headers());
    let request = Letter::read(request, LETTER).await?.request();
    let Form(typed) = request.extract::<Form<Login>, _>().await.map_err(|_| incomplete())?;
    let office = &console.office;
    let (status, wait, error) = match login::login(office, &typed.email, &typed.password).await {
        Ok(logged_in) => {
            if let Some(before) = before {
                login::logout(office, &before).await?;
            }
            return Ok(let_in(&console, &logged_in, local(&typed.to)));
        }
        Err(LoginError::Ledger(error)) => match error.into() {
            Oops::Away(_) => (StatusCode::SERVICE_UNAVAILABLE, Some(30), Oops::AWAY.1.to_owned()),
            oops => return Err(oops),
        },
        Err(error @ LoginError::Wrong) => {
            (StatusCode::UNPROCESSABLE_ENTITY, None, words::login(&error, office.clock.now()))
        }
        Err(error @ LoginError::Locked { until }) => {
            let seconds = (until - office.clock.now()).num_seconds().max(1);
            let words = words::login(&error, office.clock.now());
            (StatusCode::TOO_MANY_REQUESTS, Some(seconds), words)
        }
        Err(error @ LoginError::Busy(_)) => {
            let words = words::login(&error, office.clock.now());
            (StatusCode::SERVICE_UNAVAILABLE, Some(5), words)
        }
    };
    let mut page = login_page(&console, status, [&typed.to, &typed.email, &error], None)?;
    if let Some(seconds) = wait {
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(page)
}

fn let_in(console: &Console, logged_in: &LoggedIn, page: &str) -> Response {
    ([cookie::give(console, &logged_in.token)], Redirect::to(page)).into_response()
}

fn incomplete() -> Oops {
    Oops::Bad("O formulário não chegou inteiro. Volte e tente de novo.".to_owned())
}

async fn log_out(State(console): State<Console>, headers: HeaderMap) -> Result<Response, Oops> {
    if let Some(token) = cookie::token(&console, &headers) {
        login::logout(&console.office, &token).await?;
    }
    Ok(([cookie::take(&console)], Redirect::to("/login")).into_response())
}

#[derive(Debug, Serialize)]
struct InvitationView<'a> {
    title: &'static str,
    name: &'a str,
    email: &'a str,
    issuer: &'a str,
    token: &'a str,
    least: usize,
    error: &'a str,
}

fn invitation_page(
    console: &Console,
    status: StatusCode,
    token: &str,
    person: &Person,
    error: &str,
) -> Result<Response, Oops> {
    let view = InvitationView {
        title: "Escolher a senha",
        name: &person.name,
        email: &person.email,
        issuer: &console.office.config.issuer.name,
        token,
        least: SHORTEST_PASSWORD,
        error,
    };
    Ok((status, Html(console.templates.alone("invitation.html", &view)?)).into_response())
}

async fn show_invitation(
    State(console): State<Console>,
    Path(token): Path<String>,
) -> Result<Response, Oops> {
    let person = people::invited(&console.office, &token).await.map_err(refused)?;
    invitation_page(&console, StatusCode::OK, &token, &person, "")
}

#[derive(Deserialize)]
struct Chosen {
    password: String,
    again: String,
}

async fn accept(
    State(console): State<Console>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Oops> {
    let request = Letter::read(request, LETTER).await?.request();
    let Form(chosen) = request.extract::<Form<Chosen>, _>().await.map_err(|_| incomplete())?;
    let office = &console.office;
    let person = people::invited(office, &token).await.map_err(refused)?;
    let wrong = |error: &str| {
        invitation_page(&console, StatusCode::UNPROCESSABLE_ENTITY, &token, &person, error)
    };
    if chosen.password != chosen.again {
        return wrong("As duas senhas não são iguais.");
    }
    match people::accept(office, &token, &chosen.password).await {
        Ok(person) => match login::begin(office, person).await {
            Ok(logged_in) => Ok(let_in(&console, &logged_in, "/")),
            Err(LoginError::Ledger(error)) => Err(error.into()),
            Err(_) => Ok(Redirect::to("/login").into_response()),
        },
        Err(error @ (PeopleError::Weak(_) | PeopleError::Busy(_))) => wrong(&words::people(&error)),
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: PeopleError) -> Oops {
    match error {
        PeopleError::Ledger(error) => error.into(),
        PeopleError::Void => Oops::NotFound(words::people(&PeopleError::Void)),
        error => Oops::Bad(words::people(&error)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/months/2026-10", "/months/2026-10")]
    #[case("/invoices?after=2026-000050&q=S%C3%A3o", "/invoices?after=2026-000050&q=S%C3%A3o")]
    #[case("", "/")]
    #[case("//evil.example", "/")]
    #[case("/\\evil.example", "/")]
    #[case("/\t/evil.example", "/")]
    #[case("/\n/evil.example", "/")]
    #[case("https://evil.example", "/")]
    #[case("javascript:alert(1)", "/")]
    #[case("/login?to=/login", "/")]
    #[case("/logout", "/")]
    fn nobody_is_led_elsewhere(#[case] page: &str, #[case] led_to: &str) {
        assert_eq!(local(page), led_to);
    }

    #[test]
    fn the_way_back_survives_the_address() {
        assert_eq!(login_for("/"), "/login");
        let address = login_for("/invoices?after=1&q=S%C3%A3o");
        let asked = Query::<Asked>::try_from_uri(&address.parse().unwrap()).unwrap();
        assert_eq!(asked.to, "/invoices?after=1&q=S%C3%A3o");
    }
}
