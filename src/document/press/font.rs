//! The two faces of all documents, and the parts of them that a file carries.
//!
//! Most documents need the same letters, digits and signs: a common part of each face, which is made and
//! compressed once, the same bytes in each file, so that the ledger keeps it once. Whatever else a document
//! shows, it carries in parts of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use printpdf::{FontMetrics, ParsedFont, PdfFontMetricsStub};
use subsetter::GlyphRemapper;
use ttf_parser::GlyphId;
use unicode_normalization::UnicodeNormalization;

use super::PressError;

/// Made by `make.py` beside them; digits have one width, so that figures line up everywhere.
const REGULAR: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.otf");
const SEMI_BOLD: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.otf");

/// What stands for a character that the faces lack.
pub(in crate::document) const REPLACEMENT: char = '\u{25a1}';

/// All that can be shown: Portuguese, its neighbours in Western Europe, typographic signs, and the letters of
/// the other languages that are written in Latin: names of immigrants have them.
const REPERTOIRE: [(char, char); 11] = [
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
];

/// What nearly every document shows in both weights: a letter more is in each file, a letter less is a part of
/// its own in each file that has it.
const COMMON: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\
                      ÁÂÃÇÉÊÍÓÔÕÚáâãçéêíóôõú \u{a0}.,-−/:()$+º&";
/// And in the regular one.
const COMMON_REGULAR: &str = ";%?@_“”–•…·'→";

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

/// One face: what measuring and writing texts needs of it.
#[derive(Debug)]
pub(in crate::document) struct Face {
    name: &'static str,
    data: &'static [u8],
    /// The characters of the common part, by their numbers from 1 on.
    common: Vec<char>,
    glyphs: Glyphs,
}

/// A character in a face.
#[derive(Debug, Clone, Copy, Default)]
struct Glyph {
    /// In the face; 0 where it lacks the character.
    id: u16,
    /// In the common part; 0 where that lacks the character.
    common: u16,
    /// The advance in thousandths of an em.
    width: u16,
}

/// Glyphs by character: every text is measured and written through this, so the usual ones are at
/// hand without a search.
#[derive(Debug)]
struct Glyphs {
    latin: Box<[Glyph]>,
    signs: BTreeMap<char, Glyph>,
}

/// The first character beyond the Latin letters.
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
    /// Reads the embedded faces.
    pub(in crate::document) fn load() -> Result<Self, PressError> {
        // What both have has the same numbers in both, so that one map to Unicode serves them.
        let sorted = |text: &str| text.chars().collect::<BTreeSet<char>>().into_iter();
        let both: Vec<char> = sorted(COMMON).collect();
        let regular = both.iter().copied().chain(sorted(COMMON_REGULAR)).collect();
        Ok(Self {
            regular: Face::read(REGULAR, "Inter-Regular", regular)?,
            semi_bold: Face::read(SEMI_BOLD, "Inter-SemiBold", both)?,
        })
    }

    pub(in crate::document) fn face(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::SemiBold => &self.semi_bold,
        }
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
        Ok(face) => repertoire().filter(|c| face.glyph_index(*c).is_some()).collect(),
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

/// All that fecha can show.
fn repertoire() -> impl Iterator<Item = char> {
    REPERTOIRE
        .into_iter()
        .chain([(REPLACEMENT, REPLACEMENT)])
        .flat_map(|(first, last)| first..=last)
}

/// Where a character of a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Place {
    /// In the common part of the face, under this number.
    Common(u16),
    /// In no part that all files carry.
    Elsewhere(char),
}

impl Face {
    fn read(
        data: &'static [u8],
        name: &'static str,
        common: Vec<char>,
    ) -> Result<Self, PressError> {
        let broken = |reason: String| PressError::Font { name, reason };
        let face = ttf_parser::Face::parse(data, 0).map_err(|error| broken(error.to_string()))?;
        let glyphs: Glyphs = repertoire()
            .filter_map(|c| {
                let id = face.glyph_index(c)?;
                let number = common.iter().zip(1..).find(|(known, _)| **known == c);
                let common = number.map_or(0, |(_, number)| number);
                Some((c, Glyph { id: id.0, common, width: thousandths(&face, id) }))
            })
            .collect();
        let lacking = common.iter().chain([&REPLACEMENT]).find(|c| glyphs.get(**c).is_none());
        match lacking {
            Some(c) => Err(broken(format!("it lacks U+{:04X}", u32::from(*c)))),
            None => Ok(Self { name, data, common, glyphs }),
        }
    }

    /// The characters of the common part, by their numbers from 1 on.
    pub(in crate::document) fn common(&self) -> &[char] {
        &self.common
    }

    /// The part of the face that has these characters, under the numbers from 1 on; `tag` are six letters that
    /// tell it from the others in a file.
    pub(in crate::document) fn part(
        &self,
        characters: &[char],
        tag: &str,
    ) -> Result<ParsedFont, PressError> {
        let broken = |reason: String| PressError::Font { name: self.name, reason };
        let face =
            ttf_parser::Face::parse(self.data, 0).map_err(|error| broken(error.to_string()))?;
        let mut remapper = GlyphRemapper::new();
        let mut codepoints = BTreeMap::new();
        let mut advances = BTreeMap::new();
        for &c in characters {
            let glyph = self.glyphs.get(c).unwrap_or_default();
            let number = remapper.remap(glyph.id);
            codepoints.insert(u32::from(c), number);
            advances.insert(number, face.glyph_hor_advance(GlyphId(glyph.id)).unwrap_or_default());
        }
        let program = subsetter::subset(self.data, 0, &remapper)
            .map_err(|error| broken(error.to_string()))?;
        let mut part = ParsedFont::with_glyph_data(
            program,
            0,
            Some(format!("{tag}+{}", self.name)),
            codepoints,
            advances,
            face.units_per_em(),
            FontMetrics { ascent: face.ascender(), descent: face.descender() },
        );
        let bounds = face.global_bounding_box();
        part.pdf_font_metrics = PdfFontMetricsStub {
            units_per_em: face.units_per_em(),
            x_min: bounds.x_min,
            y_min: bounds.y_min,
            x_max: bounds.x_max,
            y_max: bounds.y_max,
            us_weight_class: face.weight().to_number(),
            ..PdfFontMetricsStub::default()
        };
        Ok(part)
    }

    /// The width of a [legible](Fonts::legible) text, in points.
    pub(in crate::document) fn width(&self, text: &str, size: f32) -> f32 {
        self.thousandths(text) * size / 1000.0
    }

    /// Likewise in thousandths of an em: a whole number.
    pub(in crate::document) fn thousandths(&self, text: &str) -> f32 {
        text.chars().filter_map(|c| self.glyphs.get(c)).map(|glyph| f32::from(glyph.width)).sum()
    }

    /// Where the characters of a [legible](Fonts::legible) text stand.
    pub(in crate::document) fn places(&self, text: &str) -> impl Iterator<Item = Place> {
        text.chars().filter_map(|c| {
            let glyph = self.glyphs.get(c)?;
            Some(if glyph.common > 0 { Place::Common(glyph.common) } else { Place::Elsewhere(c) })
        })
    }
}

/// The advance of a glyph. Cut off, not rounded, as printpdf writes it for viewers: measured widths must be
/// those by which they advance, or right-aligned amounts would not end in one line.
fn thousandths(face: &ttf_parser::Face<'_>, glyph: GlyphId) -> u16 {
    let advance = u32::from(face.glyph_hor_advance(glyph).unwrap_or_default());
    u16::try_from(advance * 1000 / u32::from(face.units_per_em())).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_one_width_in_each_face() {
        let fonts = Fonts::load().unwrap();
        for weight in [Weight::Regular, Weight::SemiBold] {
            let face = fonts.face(weight);
            let width = |digit| face.glyphs.get(digit).unwrap().width;
            assert!(('0'..='9').all(|digit| width(digit) == width('0')));
        }
    }

    #[test]
    fn faces_cover_the_same_characters() {
        let fonts = Fonts::load().unwrap();
        for c in repertoire() {
            let [regular, semi_bold] = [Weight::Regular, Weight::SemiBold]
                .map(|weight| fonts.face(weight).glyphs.get(c).is_some());
            assert_eq!(regular, semi_bold, "{c}");
        }
        assert!("Conceição – R$\u{a0}1,00 □ Wałęsa".chars().all(|c| fonts.covers(c)));
    }

    #[test]
    fn what_is_usual_is_common() {
        let fonts = Fonts::load().unwrap();
        for weight in [Weight::Regular, Weight::SemiBold] {
            let face = fonts.face(weight);
            let usual =
                face.places("COMÉRCIO DE VEÍCULOS SÃO JOÃO & Cia. Ltda: R$\u{a0}1,00 (nº 5)");
            assert!(usual.into_iter().all(|place| matches!(place, Place::Common(_))));
            let rare: Vec<Place> =
                face.places("Muñoz ł").filter(|p| matches!(p, Place::Elsewhere(_))).collect();
            assert_eq!(rare, [Place::Elsewhere('ñ'), Place::Elsewhere('ł')]);
            for (c, number) in face.common().iter().zip(1..) {
                let place = face.places(c.encode_utf8(&mut [0; 4])).next();
                assert_eq!(place, Some(Place::Common(number)));
            }
        }
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
    fn what_is_lacking_is_what_is_replaced() {
        assert_eq!(lacking("Łódź São João\u{a0}& Cia – Joa\u{303}o"), Vec::<char>::new());
        assert_eq!(lacking("🚗 北京 Ελ 北"), ['🚗', '北', '京', 'Ε', 'λ']);
        let fonts = Fonts::load().unwrap();
        for c in ('\u{21}'..='\u{3000}').filter(|c| !c.is_whitespace()) {
            let text = c.to_string();
            let replaced = c != REPLACEMENT && fonts.legible(&text).contains(REPLACEMENT);
            assert_eq!(!lacking(&text).is_empty(), replaced, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn a_part_is_small() {
        let fonts = Fonts::load().unwrap();
        for weight in [Weight::Regular, Weight::SemiBold] {
            let face = fonts.face(weight);
            let size =
                |characters: &[char]| face.part(characters, "PARTOF").unwrap().original_bytes.len();
            let (common, own) = (size(face.common()), size(&['ñ', 'ł']));
            assert!(common < 9_000 && own < 1_500, "{weight:?} has {common} and {own} bytes");
        }
    }
}
