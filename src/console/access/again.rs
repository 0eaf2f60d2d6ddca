//! Where the ledger is away, what was asked for can be asked for again: what was typed stays on the page that
//! says so.

use axum::http::Uri;
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;

use super::letter::Letter;
use crate::console::Console;
use crate::console::oops::{IsAway, Oops};

/// What was asked for.
#[derive(Debug)]
pub struct Again {
    address: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Page,
    /// Its fields, as they were typed.
    Form(Vec<[String; 2]>),
    /// Too large to be sent back and forth.
    File,
}

#[derive(Debug, Serialize)]
struct View<'a> {
    title: &'static str,
    words: &'a str,
    hint: &'static str,
    address: &'a str,
    is_form: bool,
    fields: &'a [[String; 2]],
}

impl Again {
    /// A page.
    pub fn page(uri: &Uri) -> Self {
        Self { address: address(uri), what: What::Page }
    }

    /// A form without anything typed into it.
    pub fn button(uri: &Uri) -> Self {
        Self { address: address(uri), what: What::Form(Vec::new()) }
    }

    /// A form that stands on a page.
    pub async fn letter(letter: &Letter, page: Option<String>) -> Self {
        match letter.fields().await {
            Some(fields) => Self { address: address(letter.uri()), what: What::Form(fields) },
            None => Self::file(page),
        }
    }

    /// A form with a file that stands on a page.
    pub fn file(page: Option<String>) -> Self {
        Self { address: page.unwrap_or_else(|| "/".to_owned()), what: What::File }
    }

    /// The answer; where it says that the ledger is away, one from which the same can be asked for again.
    pub fn unless_answered(&self, console: &Console, answer: Response) -> Response {
        if !is_away(&answer) {
            return answer;
        }
        let (title, words) = Oops::AWAY;
        let hint = match &self.what {
            What::Page => "",
            What::Form(fields) if fields.is_empty() => "",
            What::Form(_) => {
                "O que você digitou está guardado nesta página: deixe-a aberta e envie de novo."
            }
            What::File => "O arquivo não foi guardado: volte e envie de novo.",
        };
        let (is_form, fields) = match &self.what {
            What::Form(fields) => (true, fields.as_slice()),
            What::Page | What::File => (false, [].as_slice()),
        };
        let view = View { title, words, hint, address: &self.address, is_form, fields };
        let (status, headers) = (answer.status(), answer.headers().clone());
        match console.templates.alone("again.html", &view) {
            Ok(page) => (status, headers, Html(page)).into_response(),
            Err(_) => answer,
        }
    }
}

/// Whether an answer says that the ledger is away.
pub fn is_away(answer: &Response) -> bool {
    answer.extensions().get::<IsAway>().is_some()
}

fn address(uri: &Uri) -> String {
    uri.path_and_query().map_or("/", |asked| asked.as_str()).to_owned()
}
