//! The width of a page: tables and sentences that fit it, with every figure, number and date whole.
//!
//! Where there is no room, columns are left out and names are shortened; what is copied (a command, a path) is
//! never cut. In a pipe or a file there is room for everything.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};
use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter, wrap};

use super::output::plain;

/// A blank at which no line ends. [`printed`] makes a blank of it.
const GLUE: char = '\u{a0}';

/// What is printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// So many cells fit in a line; `None` where there is no end.
    width: Option<usize>,
}

/// How the cells of a column are made to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Stands to the right, whole.
    Figure,
    /// Stands to the left, whole: a number, a date, a state.
    Word,
    /// Shortened, with `…` at its end.
    Name,
    /// Goes on in the next line.
    Text,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    fit: Fit,
    /// Less than this of a cell says nothing.
    least: usize,
    spare: u8,
}

/// A column of figures.
pub const fn figure(title: &'static str) -> Column {
    Column { title, fit: Fit::Figure, least: usize::MAX, spare: 0 }
}

/// A column of numbers, dates or states.
pub const fn word(title: &'static str) -> Column {
    Column { title, fit: Fit::Word, least: usize::MAX, spare: 0 }
}

/// A column of names.
pub const fn name(title: &'static str) -> Column {
    Column { title, fit: Fit::Name, least: 12, spare: 0 }
}

/// A column of sentences.
pub const fn text(title: &'static str) -> Column {
    Column { title, fit: Fit::Text, least: 20, spare: 0 }
}

impl Column {
    /// It is left out where there is no room, before those that are less spare.
    pub const fn spare(self, spare: u8) -> Self {
        Self { spare, ..self }
    }

    /// It is no narrower than this, or than its cells.
    pub const fn least(self, least: usize) -> Self {
        Self { least, ..self }
    }
}

/// A column that is shown.
#[derive(Clone, Copy)]
struct Shown {
    index: usize,
    column: Column,
    width: usize,
}

/// Blanks between two columns.
const GAP: usize = 2;

impl Page {
    /// Of so many cells a line.
    pub const fn new(width: Option<usize>) -> Self {
        Self { width }
    }

    /// What is left beside an indent.
    pub fn beside(self, indent: usize) -> Self {
        Self { width: self.width.map(|width| width.saturating_sub(indent)) }
    }

    /// A table, and which columns were left out.
    pub fn table(self, columns: &[Column], rows: Vec<Vec<String>>) -> String {
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
        let (shown, left_out) = self.fitting(columns, &rows);
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(shown.iter().map(|one| one.column.title));
        for row in rows {
            table.add_row(shown.iter().map(|one| one.cell(&row[one.index])));
        }
        for (column, one) in table.column_iter_mut().zip(&shown) {
            column.set_padding((1, 0));
            if one.column.fit == Fit::Figure {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut text = table.trim_fmt();
        if !left_out.is_empty() {
            text += &format!("\n… {}: on a wider terminal, or with --json", left_out.join(", "));
        }
        text
    }

    /// The columns that there is room for, each as wide as it can be, and the titles of the others.
    fn fitting(self, columns: &[Column], rows: &[Vec<String>]) -> (Vec<Shown>, Vec<&'static str>) {
        let natural = |(index, column): (usize, &Column)| {
            let cells = rows.iter().map(|row| display_width(&row[index]));
            let width = cells.chain([display_width(column.title)]).max().unwrap_or_default();
            Shown { index, column: *column, width }
        };
        let mut shown: Vec<Shown> = columns.iter().enumerate().map(natural).collect();
        let Some(room) = self.width else { return (shown, Vec::new()) };
        let is_empty = |one: &Shown| rows.iter().all(|row| row[one.index].is_empty());
        let mut left_out = Vec::new();
        while shown.iter().map(|one| one.least() + GAP).sum::<usize>() > room {
            // Nobody misses an empty one.
            let spare = |one: &Shown| (one.column.spare > 0 && is_empty(one), one.column.spare);
            let Some(last) = (0..shown.len()).max_by_key(|at| spare(&shown[*at])) else { break };
            if shown[last].column.spare == 0 {
                break;
            }
            let one = shown.remove(last);
            if !is_empty(&one) {
                left_out.push(one.column.title);
            }
        }
        narrow(&mut shown, room);
        left_out.reverse();
        (shown, left_out)
    }

    /// A text behind a lead, all its lines under one another.
    pub fn item(self, lead: &str, text: &str) -> String {
        let indent = " ".repeat(display_width(lead));
        let mut lines = Vec::new();
        for line in text.lines() {
            let first = if lines.is_empty() { lead } else { &indent };
            match self.width {
                Some(width) => lines.extend(folded(line, width, (first, &indent), false)),
                None => lines.push(format!("{first}{line}")),
            }
        }
        lines.join("\n")
    }

    /// Each line that is too long goes on in the next, where words end and no figure is in two.
    pub fn fold(self, text: &str) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let lines = text.lines().map(|line| fold_line(line, width));
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Shown {
    fn least(&self) -> usize {
        self.width.min(self.column.least.max(display_width(self.column.title)))
    }

    fn cell(&self, content: &str) -> String {
        if display_width(content) <= self.width {
            return content.to_owned();
        }
        match self.column.fit {
            Fit::Figure | Fit::Word => content.to_owned(),
            Fit::Name => shortened(content, self.width),
            Fit::Text => folded(content, self.width, ("", ""), true).join("\n"),
        }
    }
}

/// Takes from the widest of the columns that can be narrower until all fit.
fn narrow(shown: &mut [Shown], room: usize) {
    let mut wide: usize = shown.iter().map(|one| one.width + GAP).sum();
    while wide > room {
        let can = shown.iter_mut().filter(|one| one.width > one.least());
        let Some(widest) = can.max_by_key(|one| one.width) else { return };
        widest.width -= 1;
        wide -= 1;
    }
}

/// `Comércio de Automó…`: at most so many cells, and no piece of a figure where it can be left out.
fn shortened(text: &str, width: usize) -> String {
    let mut end = 0;
    for (at, letter) in text.char_indices() {
        if display_width(&text[..at + letter.len_utf8()]) >= width {
            break;
        }
        end = at + letter.len_utf8();
    }
    let (kept, rest) = text.split_at(end);
    let word = kept.rfind(' ').map_or(0, |blank| blank + 1);
    let is_cut = !kept.ends_with(' ') && !rest.starts_with(' ');
    let mut cut = kept[word..].chars().chain(rest.chars().take_while(|letter| *letter != ' '));
    let end =
        if is_cut && word > 0 && cut.any(|letter| letter.is_ascii_digit()) { word } else { end };
    format!("{}…", text[..end].trim_end())
}

fn fold_line(line: &str, width: usize) -> String {
    if display_width(line) <= width {
        return line.to_owned();
    }
    let body = line.trim_start();
    let indent = &line[..line.len() - body.len()];
    let hanging = format!("{indent}  ");
    // A shell takes a command whole from two lines, too.
    let first = body.split(' ').next().unwrap_or_default();
    let is_command = first == "export" || first.rsplit('/').next() == Some("fecha");
    let (width, end) = if is_command { (width.saturating_sub(2), " \\\n") } else { (width, "\n") };
    folded(body, width, (indent, &hanging), false).join(end)
}

/// Behind the indents of the first line and of the others. A word that is wider than all is broken where
/// nothing may stand out, and else where it is a name.
fn folded(
    text: &str,
    width: usize,
    (first, others): (&str, &str),
    breaks_words: bool,
) -> Vec<String> {
    let room = width.saturating_sub(display_width(others)).max(1);
    let text = glued(text, room);
    // A path or a hash is copied, and a figure is read: better one long line than a piece of it.
    let is_whole = |word: &str| {
        let is_of_it = |letter: char| letter == '/' || letter.is_ascii_digit();
        display_width(word) > room && word.contains(is_of_it)
    };
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(others)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(breaks_words || !text.split(' ').any(is_whole));
    wrap(&text, options).into_iter().map(|line| printed(&line)).collect()
}

/// Holds together what is one thing: an amount, a percentage, a command between backquotes.
fn glued(text: &str, room: usize) -> String {
    let glue = GLUE.to_string();
    let mut glued = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        if index > 0 {
            glued.push('`');
        }
        let is_command = index % 2 == 1 && display_width(part) + 2 <= room;
        glued += &if is_command { part.replace(' ', &glue) } else { part.to_owned() };
    }
    [("R$ ", "R$~"), (" %", "~%"), (" × ", "~×~"), ("CNPJ ", "CNPJ~"), ("--accept ", "--accept~")]
        .iter()
        .fold(glued, |glued, (apart, one)| glued.replace(apart, &one.replace('~', &glue)))
}

/// As it is printed: with blanks that are typed, too, so that a search finds an amount.
pub fn printed(text: &str) -> String {
    text.replace(GLUE, " ")
}
