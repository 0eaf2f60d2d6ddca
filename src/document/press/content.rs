//! Marks written as the content of a page, in the operators of PDF.

use super::font::Fonts;
use super::layout::{Area, Ink, Mark, PAGE_HEIGHT};
use super::print::{LOGO, font_name};
use super::tags::{Element, Role, Structure};
use super::text::Style;

/// Writes one page.
pub(in crate::document) fn page(
    fonts: &Fonts,
    marks: &[Mark],
    number: usize,
    structure: &mut Structure,
) -> Vec<u8> {
    let mut page = Page {
        fonts,
        structure,
        number,
        out: Vec::with_capacity(16 * 1024),
        ink: None,
        open: Part::None,
        roles: Vec::new(),
    };
    for mark in marks {
        page.mark(mark);
    }
    page.enter(Part::None);
    page.out
}

struct Page<'a> {
    fonts: &'a Fonts,
    structure: &'a mut Structure,
    number: usize,
    out: Vec<u8>,
    ink: Option<Ink>,
    /// What is being written into.
    open: Part,
    /// What the marks are in, outermost first. An element is made when it has something to show.
    roles: Vec<(Role, Option<Element>)>,
}

/// A part of a page's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    None,
    Artifact,
    Of(Element),
}

impl Page<'_> {
    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Open(role) => self.roles.push((role.clone(), None)),
            Mark::Close => _ = self.roles.pop(),
            Mark::Text { x, baseline, style, stretch, text } => {
                let part = self.part(true);
                self.enter(part);
                self.text(*x, *baseline, *style, *stretch, text);
            }
            Mark::Fill { areas, ink } => {
                let part = self.part(false);
                self.enter(part);
                self.fill(areas, *ink);
            }
            Mark::Logo(area) => {
                let part = self.part(false);
                self.enter(part);
                self.logo(area);
            }
        }
    }

    /// Which part the next mark belongs to: shapes belong to pictures only, else they are decoration.
    fn part(&mut self, is_text: bool) -> Part {
        let is_artifact = |(role, _): &(Role, _)| *role == Role::Artifact;
        let is_figure = |(role, _): &(Role, _)| matches!(role, Role::Figure(_));
        let belongs = is_text || self.roles.iter().any(is_figure);
        if !belongs || self.roles.iter().any(is_artifact) {
            return Part::Artifact;
        }
        let mut element = Structure::DOCUMENT;
        for (role, made) in &mut self.roles {
            element = *made.get_or_insert_with(|| self.structure.add(element, role));
            // Texts in a picture are part of the picture.
            if matches!(role, Role::Figure(_)) {
                break;
            }
        }
        Part::Of(element)
    }

    fn enter(&mut self, part: Part) {
        if part == self.open {
            return;
        }
        if self.open != Part::None {
            self.out.extend(b"EMC\n");
        }
        match part {
            Part::None => {}
            Part::Artifact => self.out.extend(b"/Artifact BMC\n"),
            Part::Of(element) => {
                let piece = self.structure.piece(element, self.number);
                let name = self.structure.name(element);
                self.out.extend(format!("/{name}<</MCID {piece}>>BDC\n").as_bytes());
            }
        }
        self.open = part;
    }

    fn text(&mut self, x: f32, baseline: f32, style: Style, stretch: f32, text: &str) {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        self.ink(style.ink);
        self.out.extend(b"BT/");
        self.out.extend(font_name(style.weight).as_bytes());
        self.out.push(b' ');
        self.number(style.size);
        self.out.extend(b"Tf ");
        self.number(x);
        self.number(PAGE_HEIGHT - baseline);
        self.out.extend(b"Td");
        if stretch < 1.0 {
            self.out.push(b' ');
            self.number(stretch * 100.0);
            self.out.extend(b"Tz");
        }
        self.out.push(b'<');
        for id in self.fonts.face(style.weight).glyph_ids(text) {
            let digit = |shift: u16| HEX[usize::from(id >> shift & 15)];
            self.out.extend([digit(12), digit(8), digit(4), digit(0)]);
        }
        self.out.extend(b">Tj");
        if stretch < 1.0 {
            self.out.extend(b" 100 Tz");
        }
        self.out.extend(b" ET\n");
    }

    fn fill(&mut self, areas: &[Area], ink: Ink) {
        if areas.is_empty() {
            return;
        }
        self.ink(ink);
        for area in areas {
            self.number(area.x);
            self.number(PAGE_HEIGHT - area.y - area.height);
            self.number(area.width);
            self.number(area.height);
            self.out.extend(b"re\n");
        }
        self.out.extend(b"f\n");
    }

    fn logo(&mut self, area: &Area) {
        self.out.extend(b"q ");
        self.number(area.width);
        self.out.extend(b"0 0 ");
        self.number(area.height);
        self.number(area.x);
        self.number(PAGE_HEIGHT - area.y - area.height);
        self.out.extend(format!("cm/{LOGO} Do Q\n").as_bytes());
    }

    fn ink(&mut self, ink: Ink) {
        if self.ink != Some(ink) {
            self.out.extend(color(ink));
            self.ink = Some(ink);
        }
    }

    /// A length and a space. Rounded to a hundredth of a point, far below what an eye or a printer
    /// sees, so that no arithmetic shows in the bytes.
    #[expect(clippy::cast_possible_truncation, reason = "lengths on paper are small")]
    fn number(&mut self, length: f32) {
        let hundredths = (length * 100.0).round() as i32;
        if hundredths < 0 {
            self.out.push(b'-');
        }
        let hundredths = hundredths.unsigned_abs();
        let mut whole = [0; 10];
        let mut at = whole.len();
        let mut rest = hundredths / 100;
        loop {
            at -= 1;
            whole[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.out.extend(&whole[at..]);
        let (tenth, hundredth) = ((hundredths / 10 % 10) as u8, (hundredths % 10) as u8);
        if tenth + hundredth > 0 {
            self.out.extend([b'.', b'0' + tenth]);
        }
        if hundredth > 0 {
            self.out.push(b'0' + hundredth);
        }
        self.out.push(b' ');
    }
}

/// Sets the colour of all that follows.
fn color(ink: Ink) -> &'static [u8] {
    match ink {
        Ink::Strong => b".09 .11 .149 rg\n",  // #171c26
        Ink::Muted => b".373 .408 .471 rg\n", // #5f6878
        Ink::Accent => b".043 .42 .376 rg\n", // #0b6b60
        Ink::Pale => b".71 .839 .816 rg\n",   // #b5d6d0
        Ink::Wash => b".91 .953 .945 rg\n",   // #e8f3f1
        Ink::Line => b".875 .89 .91 rg\n",    // #dfe3e8
        Ink::Tint => b".961 .969 .973 rg\n",  // #f5f7f8
        Ink::White => b"1 1 1 rg\n",
    }
}
