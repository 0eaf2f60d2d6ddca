//! What stands instead of a page.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::ledger::LedgerError;

/// A page that cannot be shown, or a form that could not be carried out. Nothing was changed then, but where the
/// words say otherwise.
#[derive(Debug)]
pub enum Oops {
    /// There is no such thing: what was looked for.
    NotFound(String),
    /// The person may not.
    Forbidden,
    /// A proxy names somebody who was not invited: their email.
    Stranger(String),
    /// What was sent cannot be meant: what to do instead.
    Bad(String),
    /// It is larger than this many bytes.
    TooLarge {
        /// The limit.
        most: usize,
        /// Whether it came with a file.
        is_file: bool,
    },
    /// The form was sent before, with something else in it.
    SentBefore {
        /// The page that shows what was done then; `None` while it is being done.
        led_to: Option<String>,
    },
    /// The ledger cannot be reached, or is busy.
    Away(LedgerError),
    /// No answer came in time.
    Slow,
    /// It failed: why, in words for a person.
    Failed(String),
}

/// Of an answer that says that the ledger is away: what was asked for may be asked for again.
#[derive(Debug, Clone, Copy)]
pub struct IsAway;

impl Oops {
    /// What is said where the ledger is away: the title, and what to do.
    pub const AWAY: (&str, &str) = (
        "O banco de dados não responde",
        "O fecha não alcança o seu banco de dados agora. Nada foi alterado; o que estava em andamento continua sozinho quando ele voltar. Tente de novo em um minuto.",
    );

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::Stranger(_) => StatusCode::FORBIDDEN,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SentBefore { .. } => StatusCode::CONFLICT,
            Self::Away(_) | Self::Slow => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> (&'static str, String) {
        match self {
            Self::NotFound(what) => ("Não encontrado", what.clone()),
            Self::Forbidden => (
                "Sem permissão",
                "O seu papel não permite isto. Peça a quem administra o fecha. Nada foi alterado."
                    .to_owned(),
            ),
            Self::Stranger(email) => (
                "Sem acesso",
                format!("O fecha não conhece {email}, ou o acesso foi desativado. Peça um convite a quem administra o fecha."),
            ),
            Self::Bad(what) => ("Pedido incompleto", what.clone()),
            Self::TooLarge { most, is_file } => {
                let (what, limit) = (if *is_file { "arquivo" } else { "formulário" }, size(*most));
                ("Grande demais", format!("O {what} passa do limite de {limit}. Nada foi alterado: volte e envie um menor."))
            }
            Self::SentBefore { led_to } => {
                let state = if led_to.is_some() { "vale o que foi enviado antes" } else { "o que foi enviado antes está em andamento" };
                (
                    "Não foi feito",
                    format!("Este formulário já tinha sido enviado com outro conteúdo, e {state}. O que você enviou agora não foi feito. Se também deve ser feito, abra a página de novo, confira e envie."),
                )
            }
            Self::Away(_) => (Self::AWAY.0, Self::AWAY.1.to_owned()),
            Self::Slow => (
                "Demorou demais",
                "A resposta não veio a tempo. Um formulário enviado pode ter sido feito: confira antes de enviar de novo."
                    .to_owned(),
            ),
            Self::Failed(why) => ("Algo deu errado", why.clone()),
        }
    }
}

/// `32 MB`.
fn size(bytes: usize) -> String {
    match bytes >> 10 {
        kilobytes if kilobytes >= 1024 => format!("{} MB", kilobytes >> 10),
        kilobytes => format!("{kilobytes} KB"),
    }
}

impl From<LedgerError> for Oops {
    fn from(error: LedgerError) -> Self {
        tracing::error!(%error, "a page of the console");
        if error.is_unreachable() || error.is_busy() {
            return Self::Away(error);
        }
        let why = "O livro do fecha não pôde ser lido ou escrito. O registro (log) do serviço diz por quê.";
        Self::Failed(why.to_owned())
    }
}

impl IntoResponse for Oops {
    /// Without the layout, which asks the ledger for figures: it is shown where the ledger is away, too.
    fn into_response(self) -> Response {
        let (title, words) = self.words();
        let (way, link) = match &self {
            Self::SentBefore { led_to: Some(page) } => (page.as_str(), "Ver o que foi feito"),
            _ => ("/", "Voltar ao início"),
        };
        let page = include_str!("../../templates/console/oops.html")
            .replace("{{ stylesheet }}", &super::assets::stylesheet())
            .replace("{{ title }}", title)
            .replace("{{ way }}", &escaped(way))
            .replace("{{ link }}", link)
            .replace("{{ words }}", &escaped(&words));
        let mut response = (self.status(), Html(page)).into_response();
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
        }
        if matches!(self, Self::Away(_)) {
            response.extensions_mut().insert(IsAway);
        }
        response
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_no_markup() {
        assert_eq!(escaped("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
    }
}
