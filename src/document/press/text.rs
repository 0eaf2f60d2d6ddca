//! Text in a given width: measured, wrapped, shrunk.

use super::font::{Face, Fonts, Weight};
use super::layout::{Ink, Mark, Picture};
use super::tags::Role;

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::document) struct Style {
    pub(in crate::document) weight: Weight,
    /// In points.
    pub(in crate::document) size: f32,
    pub(in crate::document) ink: Ink,
}

impl Style {
    pub(in crate::document) const BODY: Self = Self::regular(9.0, Ink::Strong);
    pub(in crate::document) const NOTE: Self = Self::regular(8.0, Ink::Muted);
    pub(in crate::document) const SMALL: Self = Self::regular(7.0, Ink::Muted);
    pub(in crate::document) const LABEL: Self = Self::regular(7.5, Ink::Muted);
    pub(in crate::document) const NAME: Self = Self::semi_bold(9.5, Ink::Strong);
    pub(in crate::document) const SECTION: Self = Self::semi_bold(10.5, Ink::Strong);

    pub(in crate::document) const fn regular(size: f32, ink: Ink) -> Self {
        Self { weight: Weight::Regular, size, ink }
    }

    pub(in crate::document) const fn semi_bold(size: f32, ink: Ink) -> Self {
        Self { weight: Weight::SemiBold, size, ink }
    }
}

/// Where the lines of a text stand in its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Align {
    Left,
    Right,
    Center,
}

/// Where a line may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// At spaces, and inside a word only where it alone is wider than a line.
    Words,
    /// Nowhere: what is too wide is set smaller, and then narrower.
    Never,
}

/// A paragraph.
#[derive(Debug, Clone)]
pub(in crate::document) struct Text {
    content: String,
    style: Style,
    align: Align,
    breaks: Break,
    /// Shrinks step by step while it has more lines than this, down to this size.
    shrink: Option<(usize, f32)>,
    role: Option<Role>,
    /// Stands before the first line in a style of its own.
    lead: Option<(String, Style)>,
    /// Follows in a style of its own.
    tail: Option<(String, Style)>,
}

/// The distance between two lines, as a multiple of the size.
const LEADING: f32 = 1.42;
/// The height of capitals, as a multiple of the size: lines are centred by it.
const CAPITALS: f32 = 0.727;
const SHRINKING: f32 = 0.94;

impl Text {
    pub(in crate::document) fn new(content: impl Into<String>, style: Style) -> Self {
        let content = content.into();
        let (align, breaks, role) = (Align::Left, Break::Words, Some(Role::Paragraph));
        Self { content, style, align, breaks, shrink: None, role, lead: None, tail: None }
    }

    pub(in crate::document) fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }

    pub(in crate::document) fn right(self) -> Self {
        self.align(Align::Right)
    }

    /// A code to be copied whole, by programs that would put a line's end or a blank where it breaks: one
    /// line, in type not below `smallest` points, whose letters are set narrower where it is wider still.
    pub(in crate::document) fn unbroken(self, smallest: f32) -> Self {
        Self { breaks: Break::Never, shrink: Some((1, smallest)), ..self }
    }

    /// It is something else than a paragraph.
    pub(in crate::document) fn is(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    /// It is part of what it stands in.
    pub(in crate::document) fn part(self) -> Self {
        Self { role: None, ..self }
    }

    /// Shrinks while it has more than `lines` lines, but not below `smallest` points; a text that is
    /// longer still takes as many lines as it needs.
    pub(in crate::document) fn within(self, lines: usize, smallest: f32) -> Self {
        Self { shrink: Some((lines, smallest)), ..self }
    }

    /// What a left-aligned text begins with, in a style of its own.
    pub(in crate::document) fn led_by(self, lead: impl Into<String>, style: Style) -> Self {
        Self { lead: Some((lead.into(), style)), ..self }
    }

    /// What stands behind it in a style of its own: on the same line where there is room, else below.
    pub(in crate::document) fn then(self, tail: impl Into<String>, style: Style) -> Self {
        Self { tail: Some((tail.into(), style)), ..self }
    }

    /// Sets the text in `width` points.
    pub(in crate::document) fn set(self, fonts: &Fonts, width: f32) -> Picture {
        let face = fonts.face(self.style.weight);
        let content = fonts.legible(&self.content);
        let mut style = self.style;
        let lead = self.lead.as_ref().map(|(lead, style)| (fonts.legible(lead) + " ", *style));
        let indent = lead
            .as_ref()
            .map_or(0.0, |(lead, style)| fonts.face(style.weight).width(lead, style.size));
        let mut lines = self.breaks.lines(face, &content, style.size, width, indent);
        let mut stretch = 1.0;
        match (self.breaks, self.shrink) {
            (Break::Never, smallest) => {
                let smallest = smallest.map_or(style.size, |(_, smallest)| smallest);
                (style.size, stretch) = in_one_line(face, &content, style.size, smallest, width);
            }
            (_, None) => {}
            (_, Some((most, smallest))) => {
                while lines.len() > most && style.size > smallest {
                    style.size = (style.size * SHRINKING).max(smallest);
                    lines = self.breaks.lines(face, &content, style.size, width, indent);
                }
            }
        }
        let leading = style.size * LEADING;
        let mut picture = Picture::default();
        if let Some((text, style)) = lead {
            let baseline = f32::midpoint(leading, style.size * CAPITALS);
            picture.marks.push(Mark::Text { x: 0.0, baseline, style, stretch: 1.0, text });
        }
        for (index, line) in lines.into_iter().enumerate() {
            let slack = width - face.width(line.trim_end(), style.size) * stretch;
            let x = match self.align {
                Align::Left if index == 0 => indent,
                Align::Left => 0.0,
                Align::Right => slack,
                Align::Center => slack / 2.0,
            };
            let baseline = picture.height + f32::midpoint(leading, style.size * CAPITALS);
            picture.marks.push(Mark::Text { x, baseline, style, stretch, text: line });
            picture.height += leading;
        }
        if let Some((tail, style)) = self.tail {
            add_tail(&mut picture, fonts, &tail, style, width);
        }
        match self.role {
            Some(role) => picture.tagged(role),
            None => picture,
        }
    }
}

/// Puts `tail` behind the last line of left-aligned text, or below it.
fn add_tail(picture: &mut Picture, fonts: &Fonts, tail: &str, style: Style, width: f32) {
    let tail = fonts.legible(tail);
    let room = match picture.marks.last_mut() {
        Some(Mark::Text { x, baseline, style: before, text, .. }) => {
            text.push(' ');
            let x = *x + fonts.face(before.weight).width(text, before.size);
            let fits = x + fonts.face(style.weight).width(&tail, style.size) <= width;
            fits.then_some((x, *baseline))
        }
        _ => None,
    };
    if let Some((x, baseline)) = room {
        picture.marks.push(Mark::Text { x, baseline, style, stretch: 1.0, text: tail });
    } else {
        let below = Text::new(tail, style).part().set(fonts, width);
        picture.overlay(below, 0.0, picture.height);
    }
}

impl Break {
    fn lines(self, face: &Face, text: &str, size: f32, width: f32, indent: f32) -> Vec<String> {
        match self {
            Self::Words => wrap(face, text, size, width, indent),
            Self::Never => vec![text.to_owned()],
        }
    }
}

/// The size of a text in one line of this width, and how much narrower than they are its letters must be
/// there: smaller first, then narrower. In hundredths of a point, and of the width.
fn in_one_line(face: &Face, text: &str, size: f32, smallest: f32, width: f32) -> (f32, f32) {
    let hundredths = |number: f32| (number * 100.0).floor() / 100.0;
    let natural = face.width(text, size);
    if natural <= width {
        return (size, 1.0);
    }
    let size = hundredths(size * width / natural).max(smallest);
    (size, hundredths(width / face.width(text, size)).min(1.0))
}

/// Lines of whole words; a word wider than a line is broken. A line that ends between two words keeps
/// its space, so that a program which puts the lines together does not join the words. The first line is
/// shorter by `indent`, and empty where no word fits it.
fn wrap(face: &Face, text: &str, size: f32, width: f32, indent: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    // Of the line, in whole thousandths of an em, so that a sum is exact whichever way it is made.
    let mut used = 0.0;
    let space = face.thousandths(" ");
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let before = if line.is_empty() { 0.0 } else { used + space };
        let with_word = before + face.thousandths(word);
        let room = if lines.is_empty() { width - indent } else { width };
        if with_word * size / 1000.0 <= room {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            used = with_word;
            continue;
        }
        if !line.is_empty() || (lines.is_empty() && indent > 0.0) {
            lines.push(std::mem::take(&mut line) + " ");
        }
        let mut parts = chop(face, word, size, width);
        line = parts.pop().unwrap_or_default();
        used = face.thousandths(&line);
        lines.extend(parts);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Lines filled character by character; one character fits, however narrow the width.
fn chop(face: &Face, text: &str, size: f32, width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0.0;
    for c in text.chars() {
        let advance = face.width(c.encode_utf8(&mut [0; 4]), size);
        if !line.is_empty() && used + advance > width {
            let next = carry_over(&mut line, c);
            used = face.width(&next, size);
            lines.push(std::mem::replace(&mut line, next));
        }
        line.push(c);
        used += advance;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Takes from the end of `line` what must go with `next` to the line after it, so that neither line
/// has a space at the break nor the first a hyphen.
fn carry_over(line: &mut String, next: char) -> String {
    let mut carried = Vec::new();
    let mut first_of_next = next;
    while let Some(last) = line.chars().next_back() {
        let breaks_well = last != ' ' && last != '-' && first_of_next != ' ';
        if breaks_well || line.chars().count() == 1 {
            break;
        }
        line.pop();
        carried.push(last);
        first_of_next = last;
    }
    carried.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fonts() -> &'static Fonts {
        static FONTS: std::sync::OnceLock<Fonts> = std::sync::OnceLock::new();
        FONTS.get_or_init(|| Fonts::load().unwrap())
    }

    fn face() -> &'static Face {
        fonts().face(Weight::Regular)
    }

    #[test]
    fn wraps_at_words_and_breaks_one_that_is_too_long() {
        insta::assert_debug_snapshot!(wrap(face(), "Comércio de Automóveis Transcontinental Ltda", 10.0, 70.0, 0.0), @r#"
        [
            "Comércio de ",
            "Automóveis ",
            "Transcontinen",
            "tal Ltda",
        ]
        "#);
    }

    #[test]
    fn a_lead_shortens_the_first_line() {
        let lines = |text: &str| wrap(face(), text, 10.0, 70.0, 40.0);
        assert_eq!(lines("Se não veio, peça"), ["Se ", "não veio, peça"]);
        // The word that does not fit goes to the next line whole.
        assert_eq!(lines("Concessionária"), [" ", "Concessionári", "a"]);
    }

    #[test]
    fn shrinks_before_it_wraps_further() {
        let style = Style { weight: Weight::Regular, size: 20.0, ink: Ink::Strong };
        let text = Text::new("R$\u{a0}92.233.720.368.547,75", style).within(1, 6.0);
        let picture = text.set(fonts(), 120.0);
        let lines = picture.marks.iter().filter(|mark| matches!(mark, Mark::Text { .. }));
        assert_eq!(lines.count(), 1);
        assert!(picture.height < 20.0);
    }

    #[rstest::rstest]
    #[case(40, 6.0, 1.0)]
    #[case(140, 5.2, 1.0)]
    #[case(236, 5.0, 0.6)]
    fn a_code_stands_in_one_line(
        #[case] letters: usize,
        #[case] least: f32,
        #[case] narrowest: f32,
    ) {
        const WIDTH: f32 = 467.0;
        let style = Style { weight: Weight::Regular, size: 6.0, ink: Ink::Strong };
        let code =
            "00020126br.gov.bcb.pix Sao Jose ".chars().cycle().take(letters).collect::<String>();
        let picture = Text::new(&code, style).unbroken(5.0).part().set(fonts(), WIDTH);
        let [Mark::Text { style, stretch, text, .. }] = &picture.marks[..] else {
            panic!("{picture:?}");
        };
        assert_eq!(text, &code);
        assert!(style.size >= least && *stretch >= narrowest, "{style:?} {stretch}");
        assert!(face().width(text, style.size) * stretch <= WIDTH);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_column(text in "\\PC{0,300}", width in 20.0_f32..500.0) {
            let text = fonts().legible(&text);
            for line in wrap(face(), &text, 10.0, width, 0.0) {
                prop_assert!(face().width(line.trim_end(), 10.0) <= width + 0.01, "{line:?}");
            }
        }

        #[test]
        fn a_code_is_put_together_again(code in "[A-Z0-9.-]{1,3}( ?[A-Z0-9.-]{1,4}){0,40}", width in 40.0_f32..200.0) {
            let lines = chop(face(), &code, 7.0, width);
            prop_assert_eq!(lines.concat(), code);
            for (index, line) in lines.iter().enumerate() {
                prop_assert!(index == 0 || !line.starts_with(' '));
                prop_assert!(index == lines.len() - 1 || !line.ends_with(' '));
            }
        }
    }
}
