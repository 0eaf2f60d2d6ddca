//! PDF documents: the invoice and the statement, made from the document model alone.
//!
//! `invoice.rs` and `statement.rs` describe pages as blocks; `layout.rs` sets the blocks and fills
//! pages with them; `press.rs` has printpdf make what all files share, once, and writes the pages
//! (`content.rs`) behind it as a file (`file.rs`) that is tagged (`tags.rs`) and fit for an archive
//! (`archive.rs`: PDF/A-3a, the invoice attached as JSON).

mod annex;
mod bridge;
mod cancellation;
mod categories;
pub mod columns;
mod comparison;
mod group_bill;
mod invoice;
mod letterhead;
mod press;
mod preview;
mod statement;
pub mod svg;
mod templates;

use std::path::PathBuf;

use self::letterhead::{Kind, Logo};
pub use self::press::PressError;
use self::press::font::{self, Fonts};
use self::press::layout::Picture;
use self::press::logo::Artwork;
use self::press::print::{About, Attachment, Press};
use self::press::tags::Link;
use fecha_core::bill::group_bill::GroupBill;
use fecha_core::bill::invoice::{Cancellation, Invoice};
use fecha_core::bill::pro_forma::ProForma;
use fecha_core::count::evidence::InvalidEvidence;
use fecha_core::party::phone;
use fecha_core::party::register::Issuer;

/// A text that documents are to print holds characters that their font lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' holds {}, which the font of the documents lacks: write it in Latin letters",
    lacking.iter().map(|c| format!("'{c}' (U+{:04X})", u32::from(*c))).collect::<Vec<_>>().join(", ")
)]
pub struct NotPrintable {
    text: String,
    /// Each once.
    lacking: Vec<char>,
}

impl NotPrintable {
    /// The characters, each once.
    #[must_use]
    pub fn lacking(&self) -> &[char] {
        &self.lacking
    }
}

/// Refuses a text in which a box would stand for a character, where a person can still mend it.
///
/// # Errors
/// [`NotPrintable`], which names the characters.
pub fn must_be_printable(text: &str) -> Result<(), NotPrintable> {
    let lacking = font::lacking(text);
    if lacking.is_empty() { Ok(()) } else { Err(NotPrintable { text: text.to_owned(), lacking }) }
}

/// What the issuer's documents look like, beyond what every document says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Branding {
    /// An SVG of plain paths, or a PNG of at most 400,000 pixels; stands in place of the issuer's name.
    pub logo: Option<PathBuf>,
}

/// Draws documents; made once, then used for any number of them, from any thread.
#[derive(Debug)]
pub struct Renderer {
    fonts: Fonts,
    press: Press,
    logo: Option<Logo>,
}

/// A document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The press failed.
    #[error(transparent)]
    Press(#[from] PressError),
    /// The BR Code does not fit a QR code.
    #[error("the BR Code is too long for a QR code: shorten the PIX key or the issuer's name")]
    PixTooLong,
    /// The annex is no evidence file.
    #[error("the annex of the statement cannot be made: {0}")]
    Annex(#[from] InvalidEvidence),
}

impl Renderer {
    /// Loads the fonts, makes what all documents carry of them, and reads the logo.
    ///
    /// # Errors
    /// [`RenderError`] where an embedded font or the configured logo cannot be read.
    pub fn new(branding: &Branding) -> Result<Self, RenderError> {
        let artwork = branding.logo.as_deref().map(Artwork::read).transpose()?;
        let fonts = Fonts::load()?;
        let press = Press::new(&fonts, artwork.as_ref())?;
        Ok(Self { fonts, press, logo: artwork.as_ref().map(Logo::of) })
    }

    /// The invoice as PDF/A-3a, the document model attached as JSON. The same model gives the same
    /// bytes.
    ///
    /// # Errors
    /// [`RenderError`] where the page cannot be written.
    pub fn invoice(&self, invoice: &Invoice) -> Result<Vec<u8>, RenderError> {
        let pages = invoice::pages(&self.fonts, self.logo, invoice)?;
        let json = serde_json::to_vec(invoice)
            .map_err(|error| PressError::Write { reason: error.to_string() })?;
        let name = format!("fatura-{}.json", invoice.label());
        let attachment = Attachment { name, json };
        self.print(pages, &about(invoice, Kind::Invoice), Some(&attachment))
    }

    /// The statement as PDF/A-3a, with the contacts of the evidence file `annex` at its end. The same
    /// model and evidence give the same bytes.
    ///
    /// # Errors
    /// [`RenderError`] where a page cannot be written, or `annex` is no evidence file.
    pub fn statement(
        &self,
        invoice: &Invoice,
        annex: Option<&str>,
    ) -> Result<Vec<u8>, RenderError> {
        let pages = statement::pages(&self.fonts, self.logo, invoice, annex)?;
        self.print(pages, &about(invoice, Kind::Statement), None)
    }

    /// The page that adds up the invoices of a group, as PDF/A-3a, its model attached as JSON. The same model gives the
    /// same bytes.
    ///
    /// # Errors
    /// [`RenderError`] where a page cannot be written.
    pub fn group_bill(&self, bill: &GroupBill) -> Result<Vec<u8>, RenderError> {
        let pages = group_bill::pages(&self.fonts, self.logo, bill)?;
        let json = serde_json::to_vec(bill)
            .map_err(|error| PressError::Write { reason: error.to_string() })?;
        let attachment = Attachment { name: format!("grupo-{}.json", bill.txid), json };
        let about = About {
            title: group_bill::name(bill),
            author: bill.issuer.name.clone(),
            subject: format!("{}, {}", bill.group, bill.txid.month.in_words()),
            created: bill.made_at,
            links: links(&bill.issuer),
        };
        self.print(pages, &about, Some(&attachment))
    }

    /// The document that voids the invoice, as PDF. The same model gives the same bytes.
    ///
    /// # Errors
    /// [`RenderError`] where a page cannot be written.
    pub fn cancellation(
        &self,
        invoice: &Invoice,
        cancellation: &Cancellation,
    ) -> Result<Vec<u8>, RenderError> {
        let pages = cancellation::pages(&self.fonts, self.logo, invoice, cancellation);
        self.print(pages, &about(invoice, Kind::Cancellation), None)
    }

    /// What a running month would be invoiced as, as PDF: every page says that it is no invoice, and there
    /// is no number, no due date and no way to pay. The same model gives the same bytes.
    ///
    /// # Errors
    /// [`RenderError`] where a page cannot be written.
    pub fn preview(&self, pro_forma: &ProForma) -> Result<Vec<u8>, RenderError> {
        let pages = preview::pages(&self.fonts, self.logo, pro_forma);
        self.print(pages, &about(&pro_forma.content, Kind::Preview), None)
    }

    fn print(
        &self,
        pages: Vec<Picture>,
        about: &About,
        attachment: Option<&Attachment>,
    ) -> Result<Vec<u8>, RenderError> {
        Ok(self.press.print(&self.fonts, pages, about, attachment)?)
    }
}

fn about(invoice: &Invoice, kind: Kind) -> About {
    About {
        title: kind.name(invoice),
        author: invoice.issuer.name.clone(),
        subject: format!("{}, {}", invoice.dealership.name, invoice.month.in_words()),
        created: invoice.issued_at,
        links: links(&invoice.issuer),
    }
}

/// How the issuer is written to and called, from wherever a page says it.
fn links(issuer: &Issuer) -> Vec<Link> {
    let email = issuer.email.to_string();
    let digits: String = issuer.phone.chars().filter(char::is_ascii_digit).collect();
    let mut links = vec![Link {
        target: format!("mailto:{email}"),
        description: format!("Escrever para {email}"),
        words: email,
    }];
    if digits.len() >= 8 {
        let country = if issuer.phone.trim().starts_with('+') { "+" } else { "" };
        let words = phone::in_words(&issuer.phone);
        links.push(Link {
            target: format!("tel:{country}{digits}"),
            description: format!("Ligar para {words}"),
            words,
        });
    }
    links
}
