//! The press: blocks are set in a width, flow over pages and are written as a file that is tagged and fit
//! for an archive. It knows nothing of invoices.
//!
//! `layout.rs` sets blocks and fills pages; `print.rs` has printpdf make what all files share, once, and
//! writes the pages (`content.rs`) behind it as a file (`file.rs`) that is tagged (`tags.rs`) and fit for an
//! archive (`archive.rs`: PDF/A-3a, the data attached).

pub(super) mod archive;
pub(super) mod bookmarks;
pub(super) mod chart;
pub(super) mod content;
pub(super) mod drawing;
pub(super) mod file;
pub(super) mod font;
pub(super) mod layout;
pub(super) mod logo;
pub(super) mod print;
pub(super) mod qr;
pub(super) mod srgb;
pub(super) mod tags;
pub(super) mod text;
pub(super) mod unicode;

use std::path::PathBuf;

/// A file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// An embedded font is not what the program was built for.
    #[error(
        "the embedded font {name} cannot be used: {reason}; this is a defect of the build, please report it"
    )]
    Font {
        /// The face.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The logo's file cannot be read.
    #[error("cannot read the logo {path}: {source}; correct `logo` under [issuer]")]
    LogoUnreadable {
        /// The configured file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The logo is neither an SVG nor a PNG that can be shown.
    #[error(
        "the logo {path} cannot be used: {reason}; save it as a PNG, for example of 800 × 200 pixels"
    )]
    LogoFormat {
        /// The configured file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The logo has more pixels than a logo needs.
    #[error(
        "the logo {path} has {width} × {height} pixels, more than the 400,000 that every document can carry: save it smaller, for example 800 × 200"
    )]
    LogoTooLarge {
        /// The configured file.
        path: PathBuf,
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// The file could not be written.
    #[error("cannot write the PDF: {reason}; this is a defect of fecha, please report it")]
    Write {
        /// What the PDF library said.
        reason: String,
    },
}
