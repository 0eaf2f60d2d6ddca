//! PDF documents: the invoice and the statement, made from the document model alone.

use crate::billing::invoice::Invoice;

/// Draws documents; made once, then used for any number of them, from any thread.
#[derive(Debug)]
pub struct Renderer {}

/// A document could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(String);

impl Renderer {
    /// Loads and subsets the fonts.
    ///
    /// # Errors
    /// [`RenderError`] where an embedded font or the configured logo cannot be read.
    pub fn new() -> Result<Self, RenderError> {
        Ok(Self {})
    }

    /// The invoice as PDF. The same model gives the same bytes.
    ///
    /// # Errors
    /// [`RenderError`] where the page cannot be written.
    pub fn invoice(&self, _invoice: &Invoice) -> Result<Vec<u8>, RenderError> {
        Err(RenderError("not yet".to_owned()))
    }

    /// The statement as PDF. The same model gives the same bytes.
    ///
    /// # Errors
    /// [`RenderError`] where a page cannot be written.
    pub fn statement(&self, _invoice: &Invoice) -> Result<Vec<u8>, RenderError> {
        Err(RenderError("not yet".to_owned()))
    }
}
