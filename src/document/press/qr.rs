//! The QR code of a PIX payment.

use qrcodegen::{DataTooLong, Mask, QrCode, QrCodeEcc, QrSegment, Version};

use super::layout::{Area, Ink, Picture};

/// Empty modules around the code, which readers need (ISO/IEC 18004).
const QUIET: u8 = 4;
/// Trying all masks for the best one takes longer than the rest of a page; any mask decodes.
const MASK: u8 = 2;

/// The code on a white square of `side` points, quiet zone included.
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
    // At most 177 modules (version 40): lossless.
    let modules = |count: i32| f32::from(u8::try_from(count).unwrap_or(u8::MAX));
    let quiet = f32::from(QUIET);
    // Tenths of a point make short numbers, and so a small file.
    let module = (side / (modules(code.size()) + 2.0 * quiet) * 10.0).floor() / 10.0;
    let margin = (side - module * modules(code.size())) / 2.0;
    let mut dark = Vec::new();
    for row in 0..code.size() {
        let mut column = 0;
        while column < code.size() {
            let length = (column..code.size()).take_while(|x| code.get_module(*x, row)).count();
            let length = i32::try_from(length).unwrap_or_default();
            if length > 0 {
                dark.push(Area {
                    x: margin + modules(column) * module,
                    y: margin + modules(row) * module,
                    width: modules(length) * module,
                    // Rows overlap a little, or viewers show hairlines between them.
                    height: module + 0.05,
                });
            }
            column += length.max(1);
        }
    }
    let ground = Area { x: 0.0, y: 0.0, width: side, height: side };
    let mut picture = Picture::fill(side, Ink::White, vec![ground]);
    picture.overlay(Picture::fill(side, Ink::Strong, dark), 0.0, 0.0);
    Ok(picture)
}
