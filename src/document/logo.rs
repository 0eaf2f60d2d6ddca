//! The issuer's logo, read once.

use std::path::Path;

use printpdf::RawImage;

use super::RenderError;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// More than a logo of 7 × 1.2 cm needs in print; every document carries and copies all of them.
const MOST_PIXELS: u64 = 400_000;

/// Reads a PNG.
///
/// # Errors
/// [`RenderError`], which names the file: it cannot be read, is no PNG, or has too many pixels.
pub(super) fn read(path: &Path) -> Result<RawImage, RenderError> {
    let unreadable = |source| RenderError::LogoUnreadable { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let broken =
        |reason: &str| RenderError::LogoFormat { path: path.to_owned(), reason: reason.to_owned() };
    let Some(chunks) = bytes.strip_prefix(PNG) else {
        return Err(broken("SVG, JPEG and other formats are not supported yet"));
    };
    // The first chunk is the header: its length, `IHDR`, width and height.
    let side = |at: usize| chunks.get(at..at + 4).and_then(|four| four.try_into().ok());
    let (Some(width), Some(height)) = (side(8), side(12)) else {
        return Err(broken("it ends too early"));
    };
    let (width, height) = (u32::from_be_bytes(width), u32::from_be_bytes(height));
    // Before decoding: a small file can claim gigabytes of pixels.
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(RenderError::LogoTooLarge { path: path.to_owned(), width, height });
    }
    RawImage::decode_from_bytes(&bytes, &mut Vec::new()).map_err(|reason| broken(&reason))
}
