//! Marks written as the content of a page, in the operators of PDF.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::font::{Fonts, Place, Weight};
use super::layout::{Area, Ink, Mark, PAGE_HEIGHT, Stencil};
use super::print::{FontPart, LOGO, font_name};
use super::tags::{Element, Link, Role, Structure};
use super::text::Style;

/// What the pages of a document are written with, and what is found out by it.
#[derive(Debug)]
pub(in crate::document) struct Writing<'a> {
    pub(in crate::document) fonts: &'a Fonts,
    pub(in crate::document) links: &'a [Link],
    pub(in crate::document) structure: Structure,
    pub(in crate::document) bookmarks: Vec<Bookmark>,
    /// The characters that the pages show beyond those of the common parts of the faces, in the order in
    /// which they come.
    pub(in crate::document) others: BTreeMap<Weight, Vec<char>>,
    /// By their names, which are `S0`, `S1` and so on.
    pub(in crate::document) stencils: Vec<Rc<Stencil>>,
}

impl<'a> Writing<'a> {
    pub(in crate::document) fn new(fonts: &'a Fonts, links: &'a [Link], pages: usize) -> Self {
        let structure = Structure::new(pages);
        Self {
            fonts,
            links,
            structure,
            bookmarks: Vec::new(),
            others: BTreeMap::new(),
            stencils: Vec::new(),
        }
    }

    fn stencil(&mut self, stencil: &Rc<Stencil>) -> String {
        self.stencils.push(Rc::clone(stencil));
        format!("S{}", self.stencils.len() - 1)
    }

    /// The number of a character in the document's own part of a face.
    fn other(&mut self, weight: Weight, c: char) -> u16 {
        let others = self.others.entry(weight).or_default();
        let place = others.iter().position(|known| *known == c).unwrap_or_else(|| {
            others.push(c);
            others.len() - 1
        });
        // A face has hundreds of characters.
        u16::try_from(place + 1).unwrap_or_default()
    }
}

/// A line of the viewer's list of contents.
#[derive(Debug)]
pub(in crate::document) struct Bookmark {
    pub(in crate::document) title: String,
    /// By its number, from 0.
    pub(in crate::document) page: usize,
    /// From the bottom of the page, in points.
    pub(in crate::document) top: f32,
}

/// Writes one page.
pub(in crate::document) fn page(
    writing: &mut Writing<'_>,
    marks: &[Mark],
    number: usize,
) -> Vec<u8> {
    let mut page = Page {
        writing,
        number,
        out: Vec::with_capacity(16 * 1024),
        ink: None,
        face: None,
        open: Part::None,
        roles: Vec::new(),
    };
    for mark in marks {
        page.mark(mark);
    }
    page.enter(Part::None);
    page.out
}

struct Page<'a, 'b> {
    writing: &'a mut Writing<'b>,
    number: usize,
    out: Vec<u8>,
    ink: Option<Ink>,
    face: Option<(Weight, f32, FontPart)>,
    /// What is being written into.
    open: Part,
    /// What the marks are in, outermost first. An element is made when it has something to show.
    roles: Vec<(Role, Option<Element>)>,
}

/// A part of a page's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    None,
    /// Decoration.
    Artifact,
    RunningHead,
    RunningFoot,
    Figure(Element),
    Of(Element),
}

/// A line of text, or a part of one.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    x: f32,
    baseline: f32,
    style: Style,
    stretch: f32,
    text: &'a str,
}

impl Line<'_> {
    /// What it takes on the page, accents and descenders included.
    fn area(&self, width: f32) -> Area {
        let size = self.style.size;
        Area { x: self.x, y: self.baseline - size, width, height: size * 1.25 }
    }
}

impl Page<'_, '_> {
    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Open(role) => self.roles.push((role.clone(), None)),
            Mark::Close => _ = self.roles.pop(),
            Mark::Text { x, baseline, style, stretch, text } => {
                let (x, baseline, style, stretch) = (*x, *baseline, *style, *stretch);
                self.line(Line { x, baseline, style, stretch, text });
            }
            Mark::Fill { areas, ink } => {
                self.enter_shape(areas.iter().copied().reduce(Area::with));
                self.fill(areas, *ink);
            }
            Mark::Stencil { area, stencil } => {
                self.enter_shape(Some(*area));
                self.ink(Ink::Strong);
                let name = self.writing.stencil(stencil);
                self.picture(area, &name);
            }
            Mark::Logo(area) => {
                self.enter_shape(Some(*area));
                self.picture(area, LOGO);
            }
            Mark::Bookmark { y, title } => {
                let (title, top) = (title.clone(), PAGE_HEIGHT - y);
                self.writing.bookmarks.push(Bookmark { title, page: self.number, top });
            }
        }
    }

    /// Which part the next mark belongs to: shapes belong to pictures only, else they are decoration.
    fn part(&mut self, is_text: bool) -> Part {
        for (role, _) in &self.roles {
            match role {
                Role::Artifact => return Part::Artifact,
                Role::RunningHead => return Part::RunningHead,
                Role::RunningFoot => return Part::RunningFoot,
                _ => {}
            }
        }
        let is_figure = |(role, _): &(Role, _)| matches!(role, Role::Figure(_));
        if !is_text && !self.roles.iter().any(is_figure) {
            return Part::Artifact;
        }
        let mut element = Structure::DOCUMENT;
        for (role, made) in &mut self.roles {
            element = *made.get_or_insert_with(|| self.writing.structure.add(element, role));
            // Texts in a picture are part of the picture.
            if matches!(role, Role::Figure(_)) {
                return Part::Figure(element);
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
        let running =
            |what| format!("/Artifact<</Type/Pagination/Subtype/{what}>>BDC\n").into_bytes();
        match part {
            Part::None => {}
            Part::Artifact => self.out.extend(b"/Artifact BMC\n"),
            Part::RunningHead => self.out.extend(running("Header")),
            Part::RunningFoot => self.out.extend(running("Footer")),
            Part::Figure(element) | Part::Of(element) => {
                let structure = &mut self.writing.structure;
                let piece = structure.piece(element, self.number);
                let name = structure.name(element);
                self.out.extend(format!("/{name}<</MCID {piece}>>BDC\n").as_bytes());
            }
        }
        self.open = part;
    }

    fn enter_shape(&mut self, area: Option<Area>) {
        let part = self.part(false);
        self.enter(part);
        if let (Part::Figure(element), Some(area)) = (part, area) {
            self.writing.structure.cover(element, self.number, area);
        }
    }

    fn line(&mut self, line: Line<'_>) {
        let part = self.part(true);
        match part {
            Part::Of(element) => return self.with_links(element, line),
            Part::Figure(element) => {
                let area = line.area(self.width(line));
                self.writing.structure.cover(element, self.number, area);
            }
            _ => {}
        }
        self.enter(part);
        self.text(line);
    }

    /// A line of an element, the words in it that lead somewhere as links.
    fn with_links(&mut self, element: Element, mut line: Line<'_>) {
        let links = self.writing.links;
        while let Some((start, link)) = first_link(links, line.text) {
            let (before, rest) = line.text.split_at(start);
            let (words, after) = rest.split_at(link.words.len());
            if !before.is_empty() {
                self.enter(Part::Of(element));
                line.x = self.text(Line { text: before, ..line });
            }
            let words = Line { text: words, ..line };
            let area = words.area(self.width(words));
            let inner = self.writing.structure.link(element, self.number, area, link);
            self.enter(Part::Of(inner));
            line = Line { x: self.text(words), text: after, ..line };
        }
        if !line.text.is_empty() {
            self.enter(Part::Of(element));
            self.text(line);
        }
    }

    fn width(&self, line: Line<'_>) -> f32 {
        self.writing.fonts.face(line.style.weight).width(line.text, line.style.size) * line.stretch
    }

    /// Writes the text; gives where it ends.
    fn text(&mut self, line: Line<'_>) -> f32 {
        let Line { x, style, stretch, text, .. } = line;
        self.ink(style.ink);
        self.out.extend(b"BT");
        let mut part = None;
        for place in self.writing.fonts.face(style.weight).places(text) {
            let (of, number) = match place {
                Place::Common(number) => (FontPart::Common, number),
                Place::Elsewhere(c) => (FontPart::Own, self.writing.other(style.weight, c)),
            };
            if part != Some(of) {
                if part.is_some() {
                    self.out.extend(b")Tj");
                }
                self.face(style, of);
                if part.is_none() {
                    self.begin(line);
                }
                self.out.push(b'(');
                part = Some(of);
            }
            for byte in number.to_be_bytes() {
                self.byte(byte);
            }
        }
        if part.is_some() {
            self.out.extend(b")Tj");
        }
        if stretch < 1.0 {
            self.out.extend(b" 100 Tz");
        }
        self.out.extend(b" ET\n");
        x + self.width(line)
    }

    /// A byte of a text in parentheses.
    fn byte(&mut self, byte: u8) {
        match byte {
            b'(' | b')' | b'\\' => self.out.extend_from_slice(&[b'\\', byte]),
            // Readers take it for the end of a line.
            b'\r' => self.out.extend_from_slice(b"\\r"),
            _ => self.out.push(byte),
        }
    }

    /// Sets the face of all that follows.
    fn face(&mut self, style: Style, part: FontPart) {
        let face = (style.weight, style.size, part);
        if self.face != Some(face) {
            self.out.push(b'/');
            self.out.extend(font_name(style.weight, part).as_bytes());
            self.out.push(b' ');
            self.number(style.size);
            self.out.extend(b"Tf");
            self.face = Some(face);
        }
    }

    /// Where a text begins, and how wide its letters are.
    fn begin(&mut self, line: Line<'_>) {
        self.out.push(b' ');
        self.number(line.x);
        self.number(PAGE_HEIGHT - line.baseline);
        self.out.extend(b"Td");
        if line.stretch < 1.0 {
            self.out.push(b' ');
            self.number(line.stretch * 100.0);
            self.out.extend(b"Tz");
        }
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

    fn picture(&mut self, area: &Area, name: &str) {
        self.out.extend(b"q ");
        self.number(area.width);
        self.out.extend(b"0 0 ");
        self.number(area.height);
        self.number(area.x);
        self.number(PAGE_HEIGHT - area.y - area.height);
        self.out.extend(format!("cm/{name} Do Q\n").as_bytes());
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

/// The first of the links whose words stand in the text, by themselves: a code may hold them too.
fn first_link<'a>(links: &'a [Link], text: &str) -> Option<(usize, &'a Link)> {
    let stands = |link: &'a Link| {
        let (start, _) = text.match_indices(&link.words).find(|(start, words)| {
            let before = text[..*start].chars().next_back();
            let after = text[start + words.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })?;
        Some((start, link))
    };
    links.iter().filter_map(stands).min_by_key(|(start, _)| *start)
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
