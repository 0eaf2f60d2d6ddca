//! The QR code of a PIX payment.

use std::rc::Rc;

use qrcodegen::{DataTooLong, Mask, QrCode, QrCodeEcc, QrSegment, Version};

use super::layout::{Area, Ink, Mark, Picture, Stencil};

/// Empty modules around the code, which readers need (ISO/IEC 18004).
const QUIET: u8 = 4;
/// Trying all masks for the best one takes longer than the rest of a page; any mask decodes.
const MASK: u8 = 2;
/// So many dots a side of a module: viewers that smooth pictures blur no more than an eighth of it. Drawn as
/// rectangles, the code takes three times as much of a file.
const DOTS: u16 = 4;

/// A module has at least so many points, two thirds of a millimetre: a poor photograph of it is still read.
const LEAST: f32 = 1.85;

/// The code on a white square of `side` points, quiet zone included; of more, its height, where the code is long.
///
/// # Errors
/// [`DataTooLong`] where the text is beyond a QR code, which no BR Code is.
pub(in crate::document) fn picture(text: &str, side: f32) -> Result<Picture, DataTooLong> {
    let segments = QrSegment::make_segments(text);
    let (smallest, largest) = (Version::MIN, Version::MAX);
    let code = QrCode::encode_segments_advanced(
        &segments,
        QrCodeEcc::Medium,
        smallest,
        largest,
        Some(Mask::new(MASK)),
        true,
    )?;
    // At most 177 modules (version 40).
    let modules = u16::try_from(code.size()).unwrap_or_default();
    let quiet = u16::from(QUIET);
    let module = (side / f32::from(modules + 2 * quiet)).max(LEAST);
    let side = module * f32::from(modules + 2 * quiet);
    let margin = module * f32::from(quiet);
    let width = module * f32::from(modules);
    let is_dark = |x: u16, y: u16| code.get_module(x.into(), y.into());
    let stencil = Rc::new(Stencil::of_squares(modules, DOTS, is_dark));
    let ground = Area { x: 0.0, y: 0.0, width: side, height: side };
    let mut picture = Picture::fill(side, Ink::White, vec![ground]);
    let area = Area { x: margin, y: margin, width, height: width };
    picture.marks.push(Mark::Stencil { area, stencil });
    Ok(picture)
}
