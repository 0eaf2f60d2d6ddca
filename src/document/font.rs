//! The two faces of all documents, reduced once to the characters that documents can need.

use std::collections::BTreeMap;

use printpdf::{FontMetrics, ParsedFont, PdfFontMetricsStub};
use subsetter::GlyphRemapper;
use ttf_parser::gsub::{SingleSubstitution, SubstitutionSubtable};
use ttf_parser::{GlyphId, Tag};
use unicode_normalization::UnicodeNormalization;

use super::RenderError;

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.ttf");

/// What stands for a character that the faces lack.
pub(super) const REPLACEMENT: char = '\u{25a1}';

/// Latin with every letter of the languages written in it around Brazil, and typographic signs.
const REPERTOIRE: [(char, char); 12] = [
    ('\u{20}', '\u{7e}'),
    ('\u{a0}', '\u{17f}'),
    ('\u{2013}', '\u{2014}'),
    ('\u{2018}', '\u{201a}'),
    ('\u{201c}', '\u{201e}'),
    ('\u{2022}', '\u{2022}'),
    ('\u{2026}', '\u{2026}'),
    ('\u{20ac}', '\u{20ac}'),
    ('\u{2122}', '\u{2122}'),
    ('\u{2192}', '\u{2192}'),
    ('\u{2212}', '\u{2212}'),
    (REPLACEMENT, REPLACEMENT),
];

/// The weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Regular,
    SemiBold,
}

/// Both faces; they cover the same characters.
#[derive(Debug)]
pub(super) struct Fonts {
    regular: Face,
    semi_bold: Face,
}

/// One face: the subset that is embedded, and its widths.
#[derive(Debug)]
pub(super) struct Face {
    /// What printpdf embeds.
    pub(super) embedded: ParsedFont,
    /// Advance widths in thousandths of an em, exactly as the PDF declares them to viewers.
    widths: BTreeMap<char, u16>,
}

impl Fonts {
    /// Subsets the embedded faces.
    pub(super) fn load() -> Result<Self, RenderError> {
        Ok(Self {
            regular: Face::subset(REGULAR, "FECHAR+Inter-Regular")?,
            semi_bold: Face::subset(SEMI_BOLD, "FECHAS+Inter-SemiBold")?,
        })
    }

    pub(super) fn face(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::SemiBold => &self.semi_bold,
        }
    }

    /// All characters that can be shown.
    pub(super) fn repertoire(&self) -> String {
        self.regular.widths.keys().collect()
    }

    /// `text` in characters that the faces have: accents composed, white space as spaces, and a
    /// [`REPLACEMENT`] for every other character, so that nothing vanishes in silence.
    pub(super) fn legible(&self, text: &str) -> String {
        let shown = |c: char| match c {
            c if self.regular.widths.contains_key(&c) => c,
            c if c.is_whitespace() => ' ',
            _ => REPLACEMENT,
        };
        text.nfc().map(shown).collect()
    }
}

impl Face {
    fn subset(data: &[u8], name: &'static str) -> Result<Self, RenderError> {
        let broken = |reason: String| RenderError::Font { name, reason };
        let face = ttf_parser::Face::parse(data, 0).map_err(|error| broken(error.to_string()))?;
        let tabular = tabular_digits(&face);
        let characters = REPERTOIRE.into_iter().flat_map(|(first, last)| first..=last);
        let glyphs: BTreeMap<char, GlyphId> = characters
            .filter_map(|c| face.glyph_index(c).map(|glyph| (c, glyph)))
            .map(|(c, glyph)| (c, tabular.get(&glyph).copied().unwrap_or(glyph)))
            .collect();
        if !glyphs.contains_key(&REPLACEMENT) || tabular.is_empty() {
            return Err(broken("it lacks tabular digits or the replacement character".to_owned()));
        }

        let mut remapper = GlyphRemapper::new();
        let mut widths = BTreeMap::new();
        let mut codepoints = BTreeMap::new();
        let mut advances = BTreeMap::new();
        for (&c, &glyph) in &glyphs {
            let embedded_glyph = remapper.remap(glyph.0);
            let advance = face.glyph_hor_advance(glyph).unwrap_or_default();
            // Cut off, not rounded, as printpdf writes the /W array: measured widths must be those
            // by which viewers advance, or right-aligned amounts would not end in one line.
            let thousandths = u32::from(advance) * 1000 / u32::from(face.units_per_em());
            widths.insert(c, u16::try_from(thousandths).unwrap_or(u16::MAX));
            codepoints.insert(u32::from(c), embedded_glyph);
            advances.insert(embedded_glyph, advance);
        }
        let program = subsetter::subset(&without_glyph_names(data), 0, &remapper)
            .map_err(|error| broken(error.to_string()))?;

        let mut embedded = ParsedFont::with_glyph_data(
            program,
            0,
            Some(name.to_owned()),
            codepoints,
            advances,
            face.units_per_em(),
            FontMetrics { ascent: face.ascender(), descent: face.descender() },
        );
        let bounds = face.global_bounding_box();
        embedded.pdf_font_metrics = PdfFontMetricsStub {
            units_per_em: face.units_per_em(),
            x_min: bounds.x_min,
            y_min: bounds.y_min,
            x_max: bounds.x_max,
            y_max: bounds.y_max,
            us_weight_class: face.weight().to_number(),
            ..PdfFontMetricsStub::default()
        };
        Ok(Self { embedded, widths })
    }

    /// The width of a [legible](Fonts::legible) text, in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let thousandths: f32 =
            text.chars().filter_map(|c| self.widths.get(&c)).map(|width| f32::from(*width)).sum();
        thousandths * size / 1000.0
    }
}

/// The font without its table `post`, which a PDF has no use for (ISO 32000-1, 9.9) and which would
/// take a twentieth of each file: renamed in the directory, whose entries of 16 bytes stay in order.
fn without_glyph_names(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    let tables = usize::from(u16::from_be_bytes([data[4], data[5]]));
    for entry in data[12..].chunks_exact_mut(16).take(tables) {
        if entry.starts_with(b"post") {
            entry[..4].copy_from_slice(b"posu");
        }
    }
    data
}

/// Digits of equal width: by the face's `tnum` feature, the glyph of each digit and the one to show.
///
/// All digits of a document are tabular, so that amounts, dates and counts line up everywhere.
fn tabular_digits(face: &ttf_parser::Face<'_>) -> BTreeMap<GlyphId, GlyphId> {
    let Some(gsub) = face.tables().gsub else { return BTreeMap::new() };
    let lookups = gsub
        .features
        .into_iter()
        .filter(|feature| feature.tag == Tag::from_bytes(b"tnum"))
        .flat_map(|feature| feature.lookup_indices)
        .filter_map(|index| gsub.lookups.get(index));
    let substitutions: Vec<SingleSubstitution<'_>> = lookups
        .flat_map(|lookup| lookup.subtables.into_iter::<SubstitutionSubtable<'_>>())
        .filter_map(|subtable| match subtable {
            SubstitutionSubtable::Single(single) => Some(single),
            _ => None,
        })
        .collect();
    ('0'..='9')
        .filter_map(|digit| face.glyph_index(digit))
        .filter_map(|glyph| {
            let tabular = substitutions.iter().find_map(|single| substitute(single, glyph))?;
            Some((glyph, tabular))
        })
        .collect()
}

fn substitute(single: &SingleSubstitution<'_>, glyph: GlyphId) -> Option<GlyphId> {
    let index = single.coverage().get(glyph)?;
    match single {
        SingleSubstitution::Format1 { delta, .. } => {
            Some(GlyphId(glyph.0.wrapping_add_signed(*delta)))
        }
        SingleSubstitution::Format2 { substitutes, .. } => substitutes.get(index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_one_width_in_each_face() {
        let fonts = Fonts::load().unwrap();
        for weight in [Weight::Regular, Weight::SemiBold] {
            let face = fonts.face(weight);
            let widths: Vec<u16> = ('0'..='9').map(|digit| face.widths[&digit]).collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{widths:?}");
        }
    }

    #[test]
    fn faces_cover_the_same_characters() {
        let fonts = Fonts::load().unwrap();
        assert!(fonts.regular.widths.keys().eq(fonts.semi_bold.widths.keys()));
    }

    #[test]
    fn no_character_vanishes() {
        let fonts = Fonts::load().unwrap();
        assert_eq!(fonts.legible("Ação º ª R$\u{a0}1"), "Ação º ª R$\u{a0}1");
        assert_eq!(fonts.legible("Joa\u{303}o"), "João"); // a combining tilde
        assert_eq!(fonts.legible("x\u{303}"), "x□"); // none that composes with x
        assert_eq!(fonts.legible("a\nb\tc"), "a b c");
        assert_eq!(fonts.legible("🚗 سيارات"), "□ □□□□□□");
        assert_eq!(fonts.legible("a\u{202e}b\u{200b}\u{7}"), "a□b□□");
    }

    #[test]
    fn a_subset_is_small() {
        let fonts = Fonts::load().unwrap();
        for weight in [Weight::Regular, Weight::SemiBold] {
            let size = fonts.face(weight).embedded.original_bytes.len();
            assert!(size < 25_000, "{weight:?} has {size} bytes");
        }
    }
}
