//! A page: a context in a template, in the layout that all share.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum_extra::extract::CookieJar;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono_tz::Tz;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::{Console, Oops, Signed, assets, filters};
use crate::ledger::schedule::Waits;
use fecha_core::party::person::Role;

/// The cookie that carries a sentence from a form to the page behind it.
const NOTICE: &str = "fecha_notice";

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/console/", $name)))),+]
    };
}

/// Every template; a page's first line extends the layout.
const SOURCES: &[(&str, &str)] = embedded![
    "layout.html",
    "parts.html",
    "money.html",
    "today.html",
    "months.html",
    "invoices.html",
    "invoice.html",
    "receivables.html",
    "account.html",
    "bank.html",
    "matches.html",
    "emails.html",
    "alone.html",
    "again.html",
    "login.html",
    "invitation.html",
    "people.html",
    "tokens.html",
    "month_parts.html",
    "month_plan.html",
    "month_running.html",
    "month_held.html",
    "month_closed.html",
    "task.html",
    "pro_forma.html",
    "differences.html",
    "dealerships.html",
    "dealership.html",
    "import.html",
    "simulate.html",
    "audit.html",
    "system.html",
];

/// A part of the console that the navigation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What needs a person.
    Today,
    /// The months and their closes.
    Months,
    /// Invoices.
    Invoices,
    /// What is open.
    Receivables,
    /// The register.
    Dealerships,
    /// The outbox.
    Emails,
    /// Other prices.
    Simulate,
    /// Who did what.
    Audit,
    /// People, tokens, health.
    System,
}

impl Section {
    const ALL: [(Self, &'static str, &'static str); 9] = [
        (Self::Today, "/", "Hoje"),
        (Self::Months, "/months", "Meses"),
        (Self::Invoices, "/invoices", "Faturas"),
        (Self::Receivables, "/receivables", "Recebimentos"),
        (Self::Dealerships, "/dealerships", "Concessionárias"),
        (Self::Emails, "/emails", "E-mails"),
        (Self::Simulate, "/simulate", "Simulação"),
        (Self::Audit, "/audit", "Auditoria"),
        (Self::System, "/system", "Sistema"),
    ];
}

/// A link of the navigation.
#[derive(Debug, Serialize)]
struct Link {
    path: &'static str,
    words: &'static str,
    current: bool,
    /// What waits there for a person.
    waits: u64,
}

/// What the layout shows around a page.
#[derive(Debug, Serialize)]
struct Frame<'a> {
    title: &'a str,
    issuer: &'a str,
    links: Vec<Link>,
    me: &'a str,
    role: &'static str,
    may_finance: bool,
    may_admin: bool,
    notice: Option<&'a str>,
    stylesheet: String,
    script: String,
    icon: String,
    fonts: [String; 2],
}

/// All templates, parsed once.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

impl Templates {
    /// Parses them; instants are told by the clocks of a zone.
    ///
    /// # Panics
    /// Where one does not parse: they are part of the program, and a test parses all.
    #[must_use]
    pub fn new(zone: Tz) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.unwrap_or_default());
        filters::add(&mut environment, zone);
        for (name, source) in SOURCES {
            environment
                .add_template(name, source)
                .unwrap_or_else(|error| panic!("template {name}: {error:#}"));
        }
        Self(environment)
    }

    fn render(&self, name: &str, context: Value) -> Result<String, Oops> {
        let rendered = self.0.get_template(name).and_then(|template| template.render(context));
        rendered.map_err(|error| {
            tracing::error!(template = name, error = format!("{error:#}"), "a page cannot be made");
            Oops::Failed("A página não pôde ser montada. Nada foi alterado.".to_owned())
        })
    }
}

/// A page that is ready to be shown.
#[derive(Debug)]
pub struct Page {
    status: StatusCode,
    html: String,
    /// It says what the form before has done.
    has_notice: bool,
}

impl Page {
    /// The page says why what was typed was not taken; nothing was changed.
    #[must_use]
    pub fn refused(self) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, ..self }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = (self.status, Html(self.html)).into_response();
        if self.has_notice {
            // Shown now, so it is not shown again.
            let over = HeaderValue::from_static(
                "fecha_notice=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            );
            response.headers_mut().append(header::SET_COOKIE, over);
        }
        response
    }
}

/// A form was carried out: the browser goes to a page, which says so.
#[derive(Debug)]
pub struct Done {
    path: String,
    words: String,
}

impl Done {
    /// Leads to a page of this console with a sentence that it shows once.
    #[must_use]
    pub fn see(path: &str, words: &str) -> Self {
        Self { path: path.to_owned(), words: words.to_owned() }
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        let words: String = self.words.chars().take(600).collect();
        let notice = format!(
            "{NOTICE}={}; Path=/; Max-Age=120; HttpOnly; SameSite=Lax",
            URL_SAFE_NO_PAD.encode(words)
        );
        (StatusCode::SEE_OTHER, [(header::LOCATION, self.path), (header::SET_COOKIE, notice)])
            .into_response()
    }
}

/// The sentence in the value of the cookie.
#[must_use]
pub fn notice(cookie: &str) -> Option<String> {
    let words = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    String::from_utf8(words).ok().filter(|words| !words.is_empty())
}

/// The sentence that a browser was given for the next page.
#[must_use]
pub fn shown_once(headers: &HeaderMap) -> Option<String> {
    CookieJar::from_headers(headers).get(NOTICE).and_then(|cookie| notice(cookie.value()))
}

/// A key of a form, which is taken once.
#[must_use]
pub fn once() -> String {
    let key: [u8; 12] = rand::random();
    hex::encode(key)
}

impl Console {
    /// Shows a page of a section to a person.
    ///
    /// # Errors
    /// [`Oops`] where the ledger cannot say what waits, or the template is wrong.
    pub async fn page<V: Serialize>(
        &self,
        signed: &Signed,
        section: Section,
        title: &str,
        template: &str,
        view: &V,
    ) -> Result<Page, Oops> {
        let waits = self.office.ledger.waits_for_a_person().await?;
        let html = self.draw(signed, section, waits, title, template, view)?;
        Ok(Page { status: StatusCode::OK, html, has_notice: signed.notice.is_some() })
    }

    fn draw<V: Serialize>(
        &self,
        signed: &Signed,
        section: Section,
        waits: Waits,
        title: &str,
        template: &str,
        view: &V,
    ) -> Result<String, Oops> {
        let issuer = &self.office.config.issuer.name;
        self.templates.page(&frame(signed, section, waits, title, issuer), template, view)
    }
}

impl Templates {
    fn page<V: Serialize>(
        &self,
        frame: &Frame<'_>,
        template: &str,
        view: &V,
    ) -> Result<String, Oops> {
        let once = once();
        let view = Value::from(Serde(view));
        self.render(template, context! { frame => Value::from(Serde(frame)), once, ..view })
    }

    /// A page without navigation, for whoever is not signed in.
    ///
    /// # Errors
    /// [`Oops`] where the template is wrong.
    pub fn alone<V: Serialize>(&self, template: &str, view: &V) -> Result<String, Oops> {
        let frame = context! {
            stylesheet => assets::stylesheet(), script => assets::path("console.js"), icon => assets::path("icon.svg"),
            fonts => fonts(),
        };
        let view = Value::from(Serde(view));
        self.render(template, context! { frame, once => once(), ..view })
    }
}

fn fonts() -> [String; 2] {
    ["inter-Regular.woff2", "inter-SemiBold.woff2"].map(assets::path)
}

fn frame<'a>(
    signed: &'a Signed,
    section: Section,
    waits: Waits,
    title: &'a str,
    issuer: &'a str,
) -> Frame<'a> {
    let link = |(one, path, words): (Section, &'static str, &'static str)| Link {
        path,
        words,
        current: one == section,
        waits: match one {
            Section::Months => waits.months,
            Section::Emails => waits.failed,
            _ => 0,
        },
    };
    Frame {
        title,
        issuer,
        links: Section::ALL.map(link).into(),
        me: &signed.name,
        role: match signed.role {
            Role::Viewer => "consulta",
            Role::Finance => "financeiro",
            Role::Admin => "administração",
        },
        may_finance: signed.may(Role::Finance),
        may_admin: signed.may(Role::Admin),
        notice: signed.notice.as_deref(),
        stylesheet: assets::stylesheet(),
        script: assets::path("console.js"),
        icon: assets::path("icon.svg"),
        fonts: fonts(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Draws a page as a person of each role sees it, strictly: what the template names, the context has.
    ///
    /// # Panics
    /// Where it cannot be drawn, or has what the Content-Security-Policy forbids.
    pub fn renders<V: Serialize>(template: &str, view: &V) -> String {
        let templates = Templates::new(chrono_tz::America::Sao_Paulo);
        let mut last = String::new();
        for role in [Role::Viewer, Role::Finance, Role::Admin] {
            let signed = Signed {
                person: "p1".to_owned(),
                name: "Ana Souza".to_owned(),
                email: "ana@example.com".to_owned(),
                role,
                notice: Some("Feito <b>agora</b>.".to_owned()),
            };
            let waits = Waits { months: 1, failed: 2 };
            let frame = frame(&signed, Section::Today, waits, "Título", "Exemplo Tecnologia Ltda");
            let html = templates.page(&frame, template, view).unwrap();
            assert!(html.contains("Feito &lt;b&gt;agora"), "what others wrote is escaped");
            for forbidden in [" style=", "<style", " onclick=", "javascript:"] {
                assert!(!html.contains(forbidden), "{template}: {forbidden}");
            }
            last = html;
        }
        last
    }

    #[test]
    fn a_sentence_goes_from_the_form_to_the_page_behind_it() {
        let response = Done::see("/invoices", "R$\u{a0}1,00 é de João").into_response();
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        let value = cookie.strip_prefix("fecha_notice=").unwrap().split(';').next().unwrap();
        assert_eq!(notice(value).unwrap(), "R$\u{a0}1,00 é de João");
        assert_eq!(response.headers()[header::LOCATION], "/invoices");
        assert_eq!(notice("%%%"), None);
    }
}
