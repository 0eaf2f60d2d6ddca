//! Before a page is shown or a form carried out: who asks, and may they?

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tokio::time::timeout;

use super::again::Again;
use super::letter::{Letter, has_file};
use super::watched::watched;
use super::{FORM, UPLOAD, again, cookie, doors, once};
use crate::actions::login;
use crate::console::page;
use crate::console::ways::Way;
use crate::console::{Console, Done, Oops, Signed};
use crate::ledger::LedgerError;
use fecha_core::party::person::Role;

/// What the gate knows.
#[derive(Debug, Clone)]
pub struct Gate {
    console: Console,
    /// The role that each way in takes.
    roles: Arc<HashMap<(&'static str, &'static str), Role>>,
}

impl Gate {
    /// The gate of a table.
    pub fn new(console: Console, table: &[Way]) -> Self {
        let roles = table.iter().map(|way| ((way.method, way.path), way.role)).collect();
        Self { console, roles: Arc::new(roles) }
    }

    /// The role that a request takes. What is in no table takes the highest.
    fn role(&self, request: &Request) -> Role {
        let method = match *request.method() {
            Method::HEAD => "GET",
            ref other => other.as_str(),
        };
        let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let role = path.and_then(|path| self.roles.get(&(method, path)));
        role.copied().unwrap_or(Role::Admin)
    }

    /// The page that was asked for, or that a form stands on.
    fn page_of(&self, request: &Request) -> Option<String> {
        let pattern = request.extensions().get::<MatchedPath>()?.as_str();
        let is_page = |pattern: &str| self.roles.contains_key(&("GET", pattern));
        let (mut pattern, mut path) = (pattern, request.uri().path());
        while !is_page(pattern) {
            pattern = pattern.rsplit_once('/')?.0;
            path = path.rsplit_once('/')?.0;
        }
        Some(path.to_owned())
    }

    /// The answer to what nobody could look at.
    async fn unheard(&self, request: Request, answer: Response) -> Response {
        let page = self.page_of(&request);
        let again = if reads(&request) {
            Again::page(request.uri())
        } else if has_file(request.headers()) {
            Letter::pass_over(request, UPLOAD).await;
            Again::file(page)
        } else {
            match Letter::read(request, FORM).await {
                Ok(letter) => Again::letter(&letter, page).await,
                Err(oops) => return oops.into_response(),
            }
        };
        again.unless_answered(&self.console, answer)
    }
}

fn reads(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Whether a person sees the answer: browsers also ask what a page is like, and for pages to come.
fn is_seen(request: &Request) -> bool {
    let purpose = request.headers().get("sec-purpose").or_else(|| request.headers().get("purpose"));
    let is_early = purpose.is_some_and(|purpose| purpose.as_bytes().starts_with(b"prefetch"));
    request.method() != Method::HEAD && !is_early
}

/// What a request shows to be let in: it is asked for again where an answer takes long.
#[derive(Debug, Clone)]
pub enum Shown {
    /// The token of a session.
    Token(String),
    /// The email that a proxy names.
    Named(String),
}

impl Shown {
    fn of(console: &Console, headers: &HeaderMap, extensions: &Extensions) -> Option<Self> {
        let named = named_by_proxy(console, headers, extensions).map(Self::Named);
        named.or_else(|| cookie::token(console, headers).map(Self::Token))
    }

    /// The role of whoever it still lets in. To be asked is not to be there: a page that is only left open does
    /// not keep a session on.
    pub async fn role_now(&self, console: &Console) -> Result<Option<Role>, LedgerError> {
        let office = &console.office;
        Ok(match self {
            Self::Token(token) => login::is_on_still(office, token).await?.map(|one| one.role),
            Self::Named(email) => login::named_by_proxy(office, email).await?.map(|one| one.role),
        })
    }
}

/// How long the ledger may take to say who somebody is: whoever waits for a page is told that it is away long
/// before the ledger is given up.
const ANSWER: Duration = Duration::from_secs(8);

fn away() -> Oops {
    let cause = format!("no answer in {} seconds", ANSWER.as_secs());
    LedgerError::Busy { action: "find out who asks", cause }.into()
}

/// Lets a request pass.
pub async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let console = &gate.console;
    let asking = who_asks(console, request.headers(), request.extensions());
    let mut signed = match timeout(ANSWER, asking).await.unwrap_or_else(|_| Err(away())) {
        Ok(Some(signed)) => signed,
        Ok(None) => return to_login(&request),
        Err(oops @ Oops::Away(_)) => return gate.unheard(request, oops.into_response()).await,
        Err(oops) => return oops.into_response(),
    };
    let page = gate.page_of(&request);
    // A page that was refused is loaded anew, or was kept as a bookmark.
    if let Some(page) = page.as_deref().filter(|page| *page != request.uri().path())
        && reads(&request)
    {
        return Redirect::to(page).into_response();
    }
    let role = gate.role(&request);
    if !signed.may(role) {
        return Oops::Forbidden.into_response();
    }
    signed.notice = signed.notice.filter(|_| is_seen(&request));
    let person = signed.person.clone();
    request.extensions_mut().insert(signed);
    if request.method() != Method::POST {
        let shown = Shown::of(console, request.headers(), request.extensions());
        let again = Again::page(request.uri());
        let response = again.unless_answered(console, next.run(request).await);
        return watched(console, shown, role, response);
    }
    let most = if has_file(request.headers()) { UPLOAD } else { FORM };
    DefaultBodyLimit::max(most).apply(&mut request);
    match Letter::read(request, most).await {
        Ok(letter) => {
            let kept = letter.clone();
            let answer = once::carry_out(console.clone(), &person, letter, next).await;
            if !again::is_away(&answer) {
                return answer;
            }
            Again::letter(&kept, page).await.unless_answered(console, answer)
        }
        Err(oops) => oops.into_response(),
    }
}

/// The person whose session it is, or whom a proxy names.
pub async fn who_asks(
    console: &Console,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Option<Signed>, Oops> {
    let office = &console.office;
    let notice = page::shown_once(headers);
    let session = match Shown::of(console, headers, extensions) {
        Some(Shown::Named(email)) => {
            let person = login::named_by_proxy(office, &email).await?;
            let person = person.ok_or(Oops::Stranger(email))?;
            let (name, email, role) = (person.name, person.email, person.role);
            return Ok(Some(Signed { person: person.id, name, email, role, notice }));
        }
        Some(Shown::Token(token)) => login::session(office, &token).await?,
        None => None,
    };
    Ok(session.map(|session| Signed {
        person: session.person,
        name: session.name,
        email: session.email,
        role: session.role,
        notice,
    }))
}

/// What a proxy in front says, if it is one that is believed. Anybody could write such a header.
fn named_by_proxy(
    console: &Console,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Option<String> {
    let sign_on = console.office.config.single_sign_on.as_ref()?;
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    if !sign_on.proxies.iter().any(|proxy| proxy.has(peer.ip())) {
        return None;
    }
    // Two of them: somebody wrote one before the proxy did.
    let mut values = headers.get_all(&sign_on.header).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok().map(str::to_owned).filter(|email| !email.trim().is_empty())
}

/// To the page to log in, and from there back to where the person was.
fn to_login(request: &Request) -> Response {
    let is_form = !reads(request);
    let was_on = if is_form {
        // What was typed is lost; the page that it was typed on is not.
        let page = request.headers().get(header::REFERER);
        page.and_then(|page| page.to_str().ok()?.parse::<Uri>().ok())
    } else {
        Some(request.uri().clone())
    };
    let page = was_on.as_ref().and_then(Uri::path_and_query).map_or("/", |page| page.as_str());
    let login = doors::login_for(page);
    if is_form {
        Done::see(&login, NOT_SENT).into_response()
    } else {
        Redirect::to(&login).into_response()
    }
}

const NOT_SENT: &str = "O formulário não foi enviado, porque a sua sessão tinha terminado. Nada foi alterado: entre e faça de novo.";

/// What the web library refuses, it says in English and in no page.
pub async fn in_portuguese(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_plain = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !status.is_client_error() || !is_plain {
        return response;
    }
    let words = match status {
        StatusCode::METHOD_NOT_ALLOWED => "Esta página não recebe este tipo de pedido.",
        _ => "O que foi enviado não pôde ser lido. Nada foi alterado. Volte e tente de novo.",
    };
    let mut page = Oops::Bad(words.to_owned()).into_response();
    *page.status_mut() = status;
    page
}
