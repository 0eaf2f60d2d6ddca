//! The layer between a document and its pages: blocks are set in a width, pictures flow over pages.
//!
//! A document describes itself as [`Block`]s. [`Block::set`] turns one into a [`Picture`], whose marks
//! stand relative to its own corner, so that pictures are stacked and put side by side by moving
//! them. [`Paper`] fills A4 pages with pictures from top to bottom. All lengths are points; `y` grows
//! downwards.

use std::rc::Rc;

use super::font::Fonts;
use super::tags::Role;
use super::text::Text;

/// The size of an A4 page.
pub(in crate::document) const PAGE_WIDTH: f32 = 595.28;
pub(in crate::document) const PAGE_HEIGHT: f32 = 841.89;
const MARGIN: f32 = 50.0;
const TOP: f32 = 46.0;
/// Where the footer begins, and the body must have ended.
const FOOTER: f32 = 800.0;
const BODY_END: f32 = FOOTER - 12.0;
/// The width of the text area.
pub(in crate::document) const WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;
const HAIRLINE: f32 = 0.6;

/// The colours of all documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Ink {
    /// Figures and names.
    Strong,
    /// Labels and explanations.
    Muted,
    /// The one accent.
    Accent,
    /// The accent, for areas beside it.
    Pale,
    /// The accent, for panels.
    Wash,
    /// Hairlines and the empty part of a bar.
    Line,
    /// Panels.
    Tint,
    White,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::document) struct Area {
    pub(in crate::document) x: f32,
    pub(in crate::document) y: f32,
    pub(in crate::document) width: f32,
    pub(in crate::document) height: f32,
}

impl Area {
    /// What holds both.
    pub(in crate::document) fn with(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }
}

/// One thing on the page.
#[derive(Debug, Clone)]
pub(in crate::document) enum Mark {
    /// One line, all of whose characters the face has.
    Text {
        x: f32,
        baseline: f32,
        style: super::text::Style,
        /// 1, or less where the letters are set narrower than they are.
        stretch: f32,
        text: String,
    },
    /// Rectangles of one colour.
    Fill {
        areas: Vec<Area>,
        ink: Ink,
    },
    /// Where the stencil is open, in dark ink.
    Stencil {
        area: Area,
        stencil: Rc<Stencil>,
    },
    /// The issuer's logo.
    Logo(Area),
    /// A place that the viewer's list of contents leads to.
    Bookmark {
        y: f32,
        title: String,
    },
    /// What follows is this, up to its [`Mark::Close`].
    Open(Role),
    Close,
}

/// A square of so many by so many dots, each of them open or not.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::document) struct Stencil {
    pub(in crate::document) side: u16,
    /// A bit a dot, by rows, each in whole bytes.
    pub(in crate::document) bits: Vec<u8>,
}

impl Stencil {
    /// So many by so many squares of `dots` by `dots` dots, each of them open or not, by column and row.
    pub(in crate::document) fn of_squares(
        squares: u16,
        dots: u16,
        is_open: impl Fn(u16, u16) -> bool,
    ) -> Self {
        let side = squares * dots;
        let mut row = vec![0_u8; usize::from(side).div_ceil(8)];
        let mut bits = Vec::with_capacity(row.len() * usize::from(side));
        for y in 0..squares {
            row.fill(0);
            for x in (0..squares).filter(|x| is_open(*x, y)) {
                for dot in x * dots..(x + 1) * dots {
                    row[usize::from(dot / 8)] |= 0x80 >> (dot % 8);
                }
            }
            for _ in 0..dots {
                bits.extend_from_slice(&row);
            }
        }
        Self { side, bits }
    }
}

/// Marks, and the height that they take.
#[derive(Debug, Clone, Default)]
pub(in crate::document) struct Picture {
    pub(in crate::document) height: f32,
    pub(in crate::document) marks: Vec<Mark>,
}

/// The width of a column.
#[derive(Debug, Clone, Copy)]
pub(in crate::document) enum Column {
    /// In points.
    Fixed(f32),
    /// A part of what the fixed columns leave.
    Share(f32),
}

/// A piece of a document.
#[derive(Debug, Clone)]
pub(in crate::document) enum Block {
    Text(Text),
    Gap(f32),
    /// A hairline across the width.
    Rule(Ink),
    /// A strip of colour across the width.
    Fill {
        ink: Ink,
        height: f32,
    },
    /// One below the other.
    Stack(Vec<Block>),
    /// Side by side, tops aligned.
    Columns {
        gap: f32,
        cells: Vec<(Column, Block)>,
    },
    /// On an area of colour, with an accent along its left edge or without.
    Panel {
        ink: Ink,
        edge: Option<Ink>,
        padding: f32,
        content: Box<Block>,
    },
    /// Set already.
    Picture(Picture),
    /// Says what the block is to those who do not see the page.
    Tagged(Role, Box<Block>),
}

impl Picture {
    /// Rectangles of one colour in a picture of this height.
    pub(in crate::document) fn fill(height: f32, ink: Ink, areas: Vec<Area>) -> Self {
        Self { height, marks: vec![Mark::Fill { areas, ink }] }
    }

    /// Puts `other`, moved, on top; the height grows to hold it.
    pub(in crate::document) fn overlay(&mut self, other: Self, right: f32, down: f32) {
        self.height = self.height.max(down + other.height);
        self.marks.extend(other.marks.into_iter().map(|mark| mark.moved(right, down)));
    }

    /// Says what the picture is to those who do not see it.
    pub(in crate::document) fn tagged(mut self, role: Role) -> Self {
        self.marks.insert(0, Mark::Open(role));
        self.marks.push(Mark::Close);
        self
    }

    fn stack(&mut self, below: Self) {
        self.overlay(below, 0.0, self.height);
    }

    /// Cuts at `height`: a line of text goes to the part that holds its baseline, areas are cut.
    fn split(self, height: f32) -> (Self, Self) {
        let mut head = Self { height, marks: Vec::new() };
        let mut tail = Self { height: self.height - height, marks: Vec::new() };
        for mark in self.marks {
            let (above, below) = mark.split(height);
            head.marks.extend(above);
            tail.marks.extend(below.map(|mark| mark.moved(0.0, -height)));
        }
        (head, tail)
    }
}

impl Mark {
    fn moved(mut self, right: f32, down: f32) -> Self {
        let shift = |area: &mut Area| {
            area.x += right;
            area.y += down;
        };
        match &mut self {
            Self::Text { x, baseline, .. } => {
                *x += right;
                *baseline += down;
            }
            Self::Fill { areas, .. } => areas.iter_mut().for_each(shift),
            Self::Logo(area) | Self::Stencil { area, .. } => shift(area),
            Self::Bookmark { y, .. } => *y += down,
            Self::Open(_) | Self::Close => {}
        }
        self
    }

    fn split(self, y: f32) -> (Option<Self>, Option<Self>) {
        match self {
            Self::Text { baseline, .. } if baseline <= y => (Some(self), None),
            Self::Logo(area) | Self::Stencil { area, .. } if area.y < y => (Some(self), None),
            Self::Bookmark { y: at, .. } if at < y => (Some(self), None),
            Self::Fill { areas, ink } => {
                let above = areas.iter().filter(|area| area.y < y);
                let above = above.map(|a| Area { height: a.height.min(y - a.y), ..*a }).collect();
                let below = areas.iter().filter(|area| area.y + area.height > y);
                let below = below.map(|a| {
                    let top = a.y.max(y);
                    Area { y: top, height: a.y + a.height - top, ..*a }
                });
                let below = below.collect();
                (Some(Self::Fill { areas: above, ink }), Some(Self::Fill { areas: below, ink }))
            }
            // What is cut is the same thing on both sides.
            Self::Open(_) | Self::Close => (Some(self.clone()), Some(self)),
            _ => (None, Some(self)),
        }
    }
}

impl Block {
    pub(in crate::document) fn columns(gap: f32, cells: Vec<(Column, Block)>) -> Self {
        Self::Columns { gap, cells }
    }

    /// Sets the block in `width` points.
    pub(in crate::document) fn set(self, fonts: &Fonts, width: f32) -> Picture {
        match self {
            Self::Text(text) => text.set(fonts, width),
            Self::Gap(height) => Picture { height, marks: Vec::new() },
            Self::Rule(ink) => Self::Fill { ink, height: HAIRLINE }.set(fonts, width),
            Self::Fill { ink, height } => {
                Picture::fill(height, ink, vec![Area { x: 0.0, y: 0.0, width, height }])
            }
            Self::Stack(blocks) => {
                let mut picture = Picture::default();
                for block in blocks {
                    picture.stack(block.set(fonts, width));
                }
                picture
            }
            Self::Columns { gap, cells } => set_columns(fonts, gap, cells, width),
            Self::Panel { ink, edge, padding, content } => {
                let content = content.set(fonts, width - 2.0 * padding);
                let height = content.height + 2.0 * padding;
                let ground = Area { x: 0.0, y: 0.0, width, height };
                let mut picture = Picture::fill(height, ink, vec![ground]);
                if let Some(ink) = edge {
                    let edge = Area { width: 2.5, ..ground };
                    picture.marks.push(Mark::Fill { areas: vec![edge], ink });
                }
                picture.overlay(content, padding, padding);
                picture
            }
            Self::Picture(picture) => picture,
            Self::Tagged(role, block) => block.set(fonts, width).tagged(role),
        }
    }

    pub(in crate::document) fn tagged(self, role: Role) -> Self {
        Self::Tagged(role, Box::new(self))
    }

    /// On an area of colour of its own size.
    pub(in crate::document) fn on(self, ink: Ink) -> Self {
        Self::Panel { ink, edge: None, padding: 0.0, content: Box::new(self) }
    }
}

fn set_columns(fonts: &Fonts, gap: f32, cells: Vec<(Column, Block)>, width: f32) -> Picture {
    let gaps: f32 = cells.iter().skip(1).map(|_| gap).sum();
    let (mut fixed, mut shares) = (0.0, 0.0);
    for (column, _) in &cells {
        match column {
            Column::Fixed(points) => fixed += points,
            Column::Share(share) => shares += share,
        }
    }
    let mut picture = Picture::default();
    let mut x = 0.0;
    for (column, block) in cells {
        let column_width = match column {
            Column::Fixed(points) => points,
            Column::Share(share) => (width - gaps - fixed) * share / shares,
        };
        picture.overlay(block.set(fonts, column_width), x, 0.0);
        x += column_width + gap;
    }
    picture
}

/// Pages that are filled from top to bottom.
#[derive(Debug)]
pub(in crate::document) struct Paper<'a> {
    fonts: &'a Fonts,
    /// Stands at the top of every page but the first.
    heading: Picture,
    pages: Vec<Picture>,
    y: f32,
    /// Of what comes next.
    bookmark: Option<String>,
}

impl<'a> Paper<'a> {
    /// One empty page; `heading`, a few lines at most, will stand at the top of each one after it.
    pub(in crate::document) fn new(fonts: &'a Fonts, heading: Block) -> Self {
        let heading = heading.set(fonts, WIDTH).tagged(Role::RunningHead);
        Self { fonts, heading, pages: vec![Picture::default()], y: TOP, bookmark: None }
    }

    /// Adds a block, whole, on the next page where this one has no room for it; only a block higher
    /// than a page is cut between two lines.
    pub(in crate::document) fn add(&mut self, block: Block) {
        let picture = block.set(self.fonts, WIDTH);
        self.place(picture);
    }

    /// Lets the viewer's list of contents lead to what is added next.
    pub(in crate::document) fn bookmark(&mut self, title: impl Into<String>) {
        self.bookmark = Some(title.into());
    }

    /// Adds a table: the header stands above its rows on every page, and a row is kept whole. Who does not
    /// see the pages meets the header once.
    pub(in crate::document) fn table(
        &mut self,
        header: Block,
        rows: impl IntoIterator<Item = Block>,
    ) {
        let header = header.set(self.fonts, WIDTH);
        let repeated = header.clone().tagged(Role::Artifact);
        let mut header = Some(header);
        let mut heads = true;
        for row in rows {
            let row = row.set(self.fonts, WIDTH);
            if !heads && self.y + row.height > BODY_END {
                self.turn();
                heads = true;
            }
            if std::mem::take(&mut heads) {
                let mut first = header.take().unwrap_or_else(|| repeated.clone());
                first.stack(row);
                self.place(first);
            } else {
                self.place(row);
            }
        }
    }

    /// Adds a table of short rows in columns side by side, each below its own header, read one column after
    /// the other; on the last page they are of one length.
    pub(in crate::document) fn table_in_columns(
        &mut self,
        columns: usize,
        gap: f32,
        header: Block,
        rows: impl IntoIterator<Item = Block>,
    ) {
        #[expect(clippy::cast_precision_loss, reason = "a few columns")]
        let count = columns as f32;
        let width = (WIDTH - gap * (count - 1.0)) / count;
        let header = header.set(self.fonts, width);
        let mut rows = rows.into_iter().map(|row| row.set(self.fonts, width)).peekable();
        while let Some(first) = rows.peek() {
            let room = BODY_END - self.y - header.height;
            if room < first.height {
                self.turn();
                continue;
            }
            // All rows are of one height.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "rows of a page"
            )]
            let most = (room / first.height) as usize;
            let mut page: Vec<Picture> = rows.by_ref().take(most * columns).collect();
            let each = if rows.peek().is_some() { most } else { page.len().div_ceil(columns) };
            let mut side_by_side = Picture::default();
            let mut x = 0.0;
            while !page.is_empty() {
                let rest = page.split_off(each.min(page.len()));
                let mut column = header.clone();
                for row in page {
                    column.stack(row);
                }
                side_by_side.overlay(column, x, 0.0);
                x += width + gap;
                page = rest;
            }
            self.put(side_by_side);
        }
    }

    /// Leaves room before what is added next, unless that begins a new page.
    pub(in crate::document) fn space(&mut self, height: f32) {
        self.y += height;
    }

    /// Ends the page where less than `height` is left of it, so that what follows stays together.
    pub(in crate::document) fn keep(&mut self, height: f32) {
        if self.y + height > BODY_END {
            self.turn();
        }
    }

    /// How many pages there are so far.
    pub(in crate::document) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// The pages, each with the footer for its number and the number of pages.
    pub(in crate::document) fn finish(
        mut self,
        footer: impl Fn(usize, usize) -> Block,
    ) -> Vec<Picture> {
        let count = self.pages.len();
        for (index, page) in self.pages.iter_mut().enumerate() {
            let footer = footer(index + 1, count).set(self.fonts, WIDTH).tagged(Role::RunningFoot);
            page.overlay(footer, MARGIN, FOOTER);
        }
        self.pages
    }

    fn place(&mut self, mut picture: Picture) {
        if let Some(title) = self.bookmark.take() {
            picture.marks.insert(0, Mark::Bookmark { y: 0.0, title });
        }
        let full_page = BODY_END - TOP - self.heading.height;
        if self.y + picture.height > BODY_END && picture.height <= full_page {
            self.turn();
        }
        let mut rest = picture;
        while self.y + rest.height > BODY_END {
            let (head, tail) = rest.split(BODY_END - self.y);
            self.put(head);
            self.turn();
            rest = tail;
        }
        self.put(rest);
    }

    fn put(&mut self, picture: Picture) {
        let height = picture.height;
        if let Some(page) = self.pages.last_mut() {
            page.overlay(picture, MARGIN, self.y);
        }
        self.y += height;
    }

    /// Begins a new page.
    pub(in crate::document) fn turn(&mut self) {
        self.pages.push(Picture::default());
        self.y = TOP;
        self.put(self.heading.clone());
    }
}
