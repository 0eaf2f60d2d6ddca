use serde::Serialize;

use fecha_core::letter::Alert;
use fecha_core::letter::text::one_line;

/// What the alert says.
#[derive(Debug, Serialize)]
pub struct AlertView {
    subject: String,
    happened: Vec<String>,
    todo: Vec<String>,
    issuer: String,
}

impl AlertView {
    pub fn of(alert: &Alert) -> Self {
        Self {
            subject: one_line(&alert.subject),
            happened: paragraphs(&alert.happened),
            todo: paragraphs(&alert.todo),
            issuer: one_line(&alert.issuer),
        }
    }
}

fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n").map(one_line).filter(|paragraph| !paragraph.is_empty()).collect()
}
