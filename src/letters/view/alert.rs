use serde::Serialize;

use super::blocks::{Block, blocks};
use fecha_core::letter::Alert;
use fecha_core::letter::text::one_line;

/// What the alert says.
#[derive(Debug, Serialize)]
pub struct AlertView {
    subject: String,
    /// The first words, as a list of emails shows them.
    preview: String,
    happened: Vec<Block>,
    todo: Vec<Block>,
    issuer: String,
}

impl AlertView {
    pub fn of(alert: &Alert) -> Self {
        let happened = blocks(&alert.happened);
        Self {
            subject: one_line(&alert.subject),
            preview: happened.first().map(Block::words).unwrap_or_default(),
            happened,
            todo: blocks(&alert.todo),
            issuer: one_line(&alert.issuer),
        }
    }
}
