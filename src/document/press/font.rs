//! The two faces of all documents, reduced once to the characters that documents can need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use printpdf::{FontMetrics, ParsedFont, PdfFontMetricsStub};
use subsetter::GlyphRemapper;
use ttf_parser::gsub::{SingleSubstitution, SubstitutionSubtable};
use ttf_parser::{GlyphId, Tag};
use unicode_normalization::UnicodeNormalization;

use super::PressError;

const REGULAR: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.ttf");

/// What stands for a character that the faces lack.
pub(in crate::document) const REPLACEMENT: char = '\u{25a1}';

/// Portuguese, its neighbours in Western Europe, and typographic signs: all that most documents need.
const WESTERN: [(char, char); 12] = [
    ('\u{20}', '\u{7e}'),
    ('\u{a0}', '\u{ff}'),
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

/// The other letters of the languages written in Latin around Brazil: names of immigrants have them.
/// Almost half of a face, so that only documents that need them carry them.
const EXTENDED: (char, char) = ('\u{100}', '\u{17f}');

/// Which characters a set of faces has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Repertoire {
    Western,
    /// All that fecha can show.
    All,
}

/// The weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::document) enum Weight {
    Regular,
    SemiBold,
}

/// Both faces; they cover the same characters.
#[derive(Debug)]
pub(in crate::document) struct Fonts {
    regular: Face,
    semi_bold: Face,
}

/// One face: the subset that is embedded, and what measuring and writing texts needs of it.
#[derive(Debug)]
pub(in crate::document) struct Face {
    /// What printpdf embeds.
    pub(in crate::document) embedded: ParsedFont,
    glyphs: Glyphs,
}

/// A character in a face.
#[derive(Debug, Clone, Copy, Default)]
struct Glyph {
    /// In the embedded subset; 0 where the face lacks the character.
    id: u16,
    /// The advance in thousandths of an em, exactly as the PDF declares it to viewers.
    width: u16,
}

/// Glyphs by character: every text is measured and written through this, so the usual ones are at
/// hand without a search.
#[derive(Debug)]
struct Glyphs {
    latin: Box<[Glyph]>,
    signs: BTreeMap<char, Glyph>,
}

/// The first character beyond [`EXTENDED`].
const SIGNS: usize = 0x180;

impl Glyphs {
    fn get(&self, c: char) -> Option<Glyph> {
        let glyph = match self.latin.get(c as usize) {
            Some(glyph) => *glyph,
            None => *self.signs.get(&c)?,
        };
        (glyph.id > 0).then_some(glyph)
    }
}

impl FromIterator<(char, Glyph)> for Glyphs {
    fn from_iter<I: IntoIterator<Item = (char, Glyph)>>(glyphs: I) -> Self {
        let (mut latin, mut signs) = (vec![Glyph::default(); SIGNS], BTreeMap::new());
        for (c, glyph) in glyphs {
            match latin.get_mut(c as usize) {
                Some(place) => *place = glyph,
                None => _ = signs.insert(c, glyph),
            }
        }
        Self { latin: latin.into(), signs }
    }
}

impl Fonts {
    /// Subsets the embedded faces.
    pub(in crate::document) fn load(repertoire: Repertoire) -> Result<Self, PressError> {
        Ok(Self {
            regular: Face::subset(REGULAR, "FECHAR+Inter-Regular", repertoire)?,
            semi_bold: Face::subset(SEMI_BOLD, "FECHAS+Inter-SemiBold", repertoire)?,
        })
    }

    pub(in crate::document) fn face(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::SemiBold => &self.semi_bold,
        }
    }

    /// All characters that can be shown.
    pub(in crate::document) fn characters(&self) -> String {
        let known = |c: &char| self.covers(*c);
        Repertoire::All.characters().filter(known).collect()
    }

    /// Whether the character can be shown.
    pub(in crate::document) fn covers(&self, c: char) -> bool {
        self.regular.glyphs.get(c).is_some()
    }

    /// `text` in characters that the faces have: accents composed, white space as spaces, and a
    /// [`REPLACEMENT`] for every other character, so that nothing vanishes in silence.
    pub(in crate::document) fn legible(&self, text: &str) -> String {
        // Most texts are, and a composed text of Latin letters is in its normal form.
        if text.chars().all(|c| (c as usize) < SIGNS && self.covers(c)) {
            return text.to_owned();
        }
        let shown = |c: char| match c {
            c if self.covers(c) => c,
            c if c.is_whitespace() => ' ',
            _ => REPLACEMENT,
        };
        text.nfc().map(shown).collect()
    }
}

/// The characters of `text` that stand as a [`REPLACEMENT`] in documents, each once.
pub(in crate::document) fn lacking(text: &str) -> Vec<char> {
    static SHOWN: OnceLock<BTreeSet<char>> = OnceLock::new();
    let shown = SHOWN.get_or_init(|| match ttf_parser::Face::parse(REGULAR, 0) {
        Ok(face) => {
            Repertoire::All.characters().filter(|c| face.glyph_index(*c).is_some()).collect()
        }
        // Whoever makes a document is told of it: no text is wrong.
        Err(_) => BTreeSet::new(),
    });
    let mut lacking: Vec<char> = Vec::new();
    for c in text.nfc().filter(|c| !shown.contains(c) && !c.is_whitespace()) {
        if !lacking.contains(&c) {
            lacking.push(c);
        }
    }
    lacking
}

impl Repertoire {
    fn characters(self) -> impl Iterator<Item = char> {
        let extended = (self == Self::All).then_some(EXTENDED);
        WESTERN.into_iter().chain(extended).flat_map(|(first, last)| first..=last)
    }
}

impl Face {
    fn subset(data: &[u8], name: &'static str, repertoire: Repertoire) -> Result<Self, PressError> {
        let broken = |reason: String| PressError::Font { name, reason };
        let face = ttf_parser::Face::parse(data, 0).map_err(|error| broken(error.to_string()))?;
        let tabular = tabular_digits(&face);
        let glyphs: BTreeMap<char, GlyphId> = repertoire
            .characters()
            .filter_map(|c| face.glyph_index(c).map(|glyph| (c, glyph)))
            .map(|(c, glyph)| (c, tabular.get(&glyph).copied().unwrap_or(glyph)))
            .collect();
        if !glyphs.contains_key(&REPLACEMENT) || tabular.is_empty() {
            return Err(broken("it lacks tabular digits or the replacement character".to_owned()));
        }

        let mut remapper = GlyphRemapper::new();
        let mut shown = Vec::new();
        let mut codepoints = BTreeMap::new();
        let mut advances = BTreeMap::new();
        for (&c, &glyph) in &glyphs {
            let embedded_glyph = remapper.remap(glyph.0);
            let advance = face.glyph_hor_advance(glyph).unwrap_or_default();
            // Cut off, not rounded, as printpdf writes the /W array: measured widths must be those
            // by which viewers advance, or right-aligned amounts would not end in one line.
            let thousandths = u32::from(advance) * 1000 / u32::from(face.units_per_em());
            let width = u16::try_from(thousandths).unwrap_or(u16::MAX);
            shown.push((c, Glyph { id: embedded_glyph, width }));
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
        Ok(Self { embedded, glyphs: shown.into_iter().collect() })
    }

    /// The width of a [legible](Fonts::legible) text, in points.
    pub(in crate::document) fn width(&self, text: &str, size: f32) -> f32 {
        let thousandths: f32 = text
            .chars()
            .filter_map(|c| self.glyphs.get(c))
            .map(|glyph| f32::from(glyph.width))
            .sum();
        thousandths * size / 1000.0
    }

    /// The glyphs of a [legible](Fonts::legible) text in the embedded subset.
    pub(in crate::document) fn glyph_ids(&self, text: &str) -> impl Iterator<Item = u16> {
        text.chars().filter_map(|c| self.glyphs.get(c)).map(|glyph| glyph.id)
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
        let fonts = Fonts::load(Repertoire::All).unwrap();
        for weight in [Weight::Regular, Weight::SemiBold] {
            let face = fonts.face(weight);
            let width = |digit| face.glyphs.get(digit).unwrap().width;
            assert!(('0'..='9').all(|digit| width(digit) == width('0')));
        }
    }

    #[test]
    fn faces_cover_the_same_characters_with_the_same_widths_in_each_repertoire() {
        let all = Fonts::load(Repertoire::All).unwrap();
        let western = Fonts::load(Repertoire::Western).unwrap();
        assert!(western.characters().len() < all.characters().len());
        for c in Repertoire::All.characters() {
            let [regular, semi_bold] = [Weight::Regular, Weight::SemiBold]
                .map(|weight| (all.face(weight).glyphs.get(c), western.face(weight).glyphs.get(c)));
            assert_eq!(regular.0.is_some(), semi_bold.0.is_some(), "{c}");
            for (of_all, of_western) in [regular, semi_bold] {
                if let Some(western) = of_western {
                    assert_eq!(of_all.unwrap().width, western.width, "{c}");
                }
            }
        }
        assert!("Conceição – R$\u{a0}1,00 □".chars().all(|c| western.covers(c)));
        assert!(!western.covers('ł') && all.covers('ł'));
    }

    #[test]
    fn no_character_vanishes() {
        let fonts = Fonts::load(Repertoire::All).unwrap();
        assert_eq!(fonts.legible("Ação º ª R$\u{a0}1"), "Ação º ª R$\u{a0}1");
        assert_eq!(fonts.legible("Joa\u{303}o"), "João"); // a combining tilde
        assert_eq!(fonts.legible("x\u{303}"), "x□"); // none that composes with x
        assert_eq!(fonts.legible("a\nb\tc"), "a b c");
        assert_eq!(fonts.legible("🚗 سيارات"), "□ □□□□□□");
        assert_eq!(fonts.legible("a\u{202e}b\u{200b}\u{7}"), "a□b□□");
    }

    #[test]
    fn what_is_lacking_is_what_is_replaced() {
        assert_eq!(lacking("Łódź São João\u{a0}& Cia – Joa\u{303}o"), Vec::<char>::new());
        assert_eq!(lacking("🚗 北京 Ελ 北"), ['🚗', '北', '京', 'Ε', 'λ']);
        let fonts = Fonts::load(Repertoire::All).unwrap();
        for c in ('\u{21}'..='\u{3000}').filter(|c| !c.is_whitespace()) {
            let text = c.to_string();
            let replaced = c != REPLACEMENT && fonts.legible(&text).contains(REPLACEMENT);
            assert_eq!(!lacking(&text).is_empty(), replaced, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn a_subset_is_small() {
        for (repertoire, most) in [(Repertoire::Western, 18_000), (Repertoire::All, 25_000)] {
            let fonts = Fonts::load(repertoire).unwrap();
            for weight in [Weight::Regular, Weight::SemiBold] {
                let size = fonts.face(weight).embedded.original_bytes.len();
                assert!(size < most, "{weight:?} has {size} bytes");
            }
        }
    }
}
