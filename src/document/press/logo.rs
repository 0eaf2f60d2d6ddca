//! The issuer's logo, read once.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use printpdf::RawImage;

use super::PressError;
use super::drawing::{Drawing, HEIGHT};

/// What stands in place of the issuer's name.
#[derive(Debug, Clone)]
pub(in crate::document) enum Artwork {
    /// From a PNG.
    Image(RawImage),
    /// From an SVG.
    Drawing(Drawing),
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// More than a logo of 7 × 1.2 cm needs in print; every document carries and copies all of them.
const MOST_PIXELS: u64 = 400_000;
/// No file that makes so few pixels, or a drawing, is as large.
const MOST_BYTES: u64 = 10_000_000;

impl Artwork {
    /// Reads a PNG or an SVG, told apart by their content.
    ///
    /// # Errors
    /// [`PressError`], which names the file: it cannot be read, is neither, has too many pixels, or
    /// something that cannot be drawn.
    pub(in crate::document) fn read(path: &Path) -> Result<Self, PressError> {
        let broken = |reason| PressError::LogoFormat { path: path.to_owned(), reason };
        let unreadable = |source| PressError::LogoUnreadable { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(broken(format!("it is larger than {} MB", MOST_BYTES / 1_000_000)));
        }
        if bytes.starts_with(PNG) {
            return image(path, &bytes).map(Self::Image);
        }
        match str::from_utf8(&bytes) {
            Ok(text) if text.contains("<svg") => {
                Drawing::read(text).map(Self::Drawing).map_err(broken)
            }
            _ => Err(broken("it is neither SVG nor PNG".to_owned())),
        }
    }

    /// The width divided by the height.
    pub(in crate::document) fn aspect(&self) -> f32 {
        match self {
            // At most 400,000 pixels a side: lossless.
            #[expect(clippy::cast_precision_loss)]
            Self::Image(image) => image.width as f32 / image.height.max(1) as f32,
            Self::Drawing(drawing) => drawing.width / HEIGHT,
        }
    }
}

fn image(path: &Path, bytes: &[u8]) -> Result<RawImage, PressError> {
    let broken = |reason: &str| {
        let reason = format!("it is no usable PNG: {reason}");
        PressError::LogoFormat { path: path.to_owned(), reason }
    };
    // The first chunk is the header: its length, `IHDR`, width and height.
    let side = |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    let (Some(width), Some(height)) = (side(16), side(20)) else {
        return Err(broken("it ends too early"));
    };
    let (width, height) = (u32::from_be_bytes(width), u32::from_be_bytes(height));
    // Before decoding: a small file can claim gigabytes of pixels.
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(PressError::LogoTooLarge { path: path.to_owned(), width, height });
    }
    RawImage::decode_from_bytes(bytes, &mut Vec::new()).map_err(|reason| broken(&reason))
}
