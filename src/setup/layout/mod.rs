//! Layouts of one's own (`[layouts.NAME]`): tables of invoices, a column an expression.
//!
//! Expressions are compiled and tried when the configuration is read, each on examples of all kinds of
//! invoices and lines: what is misspelt shows then, and not in a file that an accountant has imported.

mod fields;
mod filters;

use std::fmt;
use std::sync::{Arc, LazyLock};

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Expression, UndefinedBehavior, Value};

pub use self::fields::fields;

/// How a table is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// How it is called.
    pub name: String,
    /// What a row is about.
    pub rows: Rows,
    /// What stands between cells, ASCII.
    pub delimiter: u8,
    /// Whether the first row has the headings.
    pub header: bool,
    /// What bytes letters are.
    pub encoding: Encoding,
    /// From the left to the right, at least one.
    pub columns: Vec<Column>,
}

/// What a row of a table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// An invoice.
    Invoice,
    /// A line of an invoice: an accounting entry for each thing that is charged.
    Line,
}

/// What bytes letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 with its byte order mark, without which Excel reads accents wrongly.
    Utf8WithMark,
    /// UTF-8.
    Utf8,
    /// What older accounting systems call ANSI.
    Windows1252,
}

/// A heading, and what stands below it.
#[derive(Clone)]
pub struct Column {
    /// The heading.
    pub name: String,
    /// The expression as it is written.
    pub value: String,
    compiled: Arc<Expression<'static, 'static>>,
}

/// What an expression comes to cannot stand in a table, or it comes to nothing at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{column}' = \"{value}\" {reason}")]
pub struct WrongColumn {
    column: String,
    value: String,
    reason: String,
}

/// Only what is safe for money: no filter of the library turns a text into a binary fraction here.
static LANGUAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    filters::add_to(&mut environment);
    environment
});

impl Column {
    /// Compiles `value` and tries it on examples.
    ///
    /// # Errors
    /// [`WrongColumn`] where it is no expression, knows a field or filter that there is not, or comes to what
    /// is no cell.
    pub fn new(name: &str, value: &str, rows: Rows) -> Result<Self, WrongColumn> {
        let wrong = |reason: String| WrongColumn {
            column: name.to_owned(),
            value: value.to_owned(),
            reason,
        };
        let compiled = LANGUAGE.compile_expression_owned(value.to_owned());
        let compiled = compiled.map_err(|error| wrong(said(&error)))?;
        let known = fields::names(rows);
        let mut unknown: Vec<String> = compiled.undeclared_variables(true).into_iter().collect();
        unknown.retain(|path| !known.contains(path));
        unknown.sort();
        if let Some(path) = unknown.first() {
            return Err(wrong(no_such_field(path, &known, rows)));
        }
        let column =
            Self { name: name.to_owned(), value: value.to_owned(), compiled: Arc::new(compiled) };
        for example in fields::examples(rows) {
            column.cell(&fields(&example))?;
        }
        Ok(column)
    }

    /// What stands in a row: text that no spreadsheet takes for a formula.
    ///
    /// # Errors
    /// [`WrongColumn`] where the expression fails on these fields.
    pub fn cell(&self, fields: &Value) -> Result<String, WrongColumn> {
        let wrong = |reason: String| WrongColumn {
            column: self.name.clone(),
            value: self.value.clone(),
            reason,
        };
        let result = self.compiled.eval(fields.clone()).map_err(|error| wrong(said(&error)))?;
        match result.kind() {
            ValueKind::None => Ok(String::new()),
            ValueKind::String => Ok(guarded(&result.to_string())),
            ValueKind::Number if result.is_integer() => Ok(result.to_string()),
            ValueKind::Number => Err(wrong(format!(
                "comes to the binary fraction {result}: amounts are added by plus and minus, total|plus(paid)"
            ))),
            ValueKind::Plain => Ok(result.to_string()),
            ValueKind::Undefined => {
                Err(wrong("comes to nothing: there is no such field".to_owned()))
            }
            ValueKind::Bool => Err(wrong(
                "comes to true or false: write the words, 'sim' if … else 'não'".to_owned(),
            )),
            other => Err(wrong(format!("comes to a {other}, which is no text"))),
        }
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column")
            .field("name", &self.name)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.value) == (&other.name, &other.value)
    }
}

/// A text that no spreadsheet takes for a formula: an apostrophe stands before one that looks like it. A number
/// below zero is none.
#[must_use]
pub fn guarded(text: &str) -> String {
    let is_number = text.strip_prefix('-').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',')
    });
    let looks_like_a_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    let apostrophe = if looks_like_a_formula { "'" } else { "" };
    format!("{apostrophe}{text}")
}

/// What the library says of an expression, and what there would be in place of what there is not.
fn said(error: &Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
    match error.kind() {
        minijinja::ErrorKind::UnknownFilter => {
            format!("has an unknown filter ({what}): there are {}", filters::FILTERS.join(", "))
        }
        minijinja::ErrorKind::UnknownTest => {
            format!("has an unknown test ({what}): there are {}", filters::TESTS.join(", "))
        }
        minijinja::ErrorKind::SyntaxError => format!("is no expression: {what}"),
        _ => format!("cannot be worked out: {what}"),
    }
}

/// Names the fields that stand beside the one that there is not.
fn no_such_field(path: &str, known: &std::collections::BTreeSet<String>, rows: Rows) -> String {
    let of_line = path == "line" || path.starts_with("line.");
    if of_line && rows == Rows::Invoice {
        return "has a line, which only rows = \"line\" has".to_owned();
    }
    let parent = path.rsplit_once('.').map(|(parent, _)| parent);
    let parent = parent.filter(|parent| known.contains(*parent));
    let beside = known.iter().filter(|name| match parent {
        Some(parent) => name.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.')),
        None => !name.contains('.'),
    });
    let beside: Vec<&str> = beside.map(String::as_str).collect();
    format!("has no field '{path}': there are {}", beside.join(", "))
}

#[cfg(test)]
mod tests;
