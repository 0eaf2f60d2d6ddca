//! The structure of a document for those who do not see its pages: what is a heading, a paragraph, a
//! table, a picture, a link.

use super::file::{File, Id, text_string};
use super::layout::{Area, PAGE_HEIGHT};

/// What a part of a page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) enum Role {
    Title,
    Heading,
    Paragraph,
    /// Rows one after the other are a table.
    Row,
    /// At the head of a column.
    HeaderCell,
    /// At the beginning of a row, whose cells are about it.
    RowHeaderCell,
    Cell,
    /// A picture, and what it shows in words.
    Figure(String),
    /// Of the page, not of the document: what is repeated for the eye alone.
    Artifact,
    /// Likewise, at the top of every page.
    RunningHead,
    /// Likewise, at the foot of every page.
    RunningFoot,
}

/// Words that lead somewhere, wherever they stand in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) struct Link {
    /// As the pages show them.
    pub(in crate::document) words: String,
    /// A URI.
    pub(in crate::document) target: String,
    /// What following it does, for those who do not see the page.
    pub(in crate::document) description: String,
}

impl Role {
    fn name(&self) -> &'static str {
        match self {
            Self::Title => "H1",
            Self::Heading => "H2",
            Self::Paragraph => "P",
            Self::Row => "TR",
            Self::HeaderCell | Self::RowHeaderCell => "TH",
            Self::Cell => "TD",
            Self::Figure(_) => "Figure",
            Self::Artifact | Self::RunningHead | Self::RunningFoot => "Artifact",
        }
    }

    fn about(&self) -> About {
        match self {
            Self::HeaderCell => About::Scope("Column"),
            Self::RowHeaderCell => About::Scope("Row"),
            Self::Figure(words) => About::Figure { words: words.clone(), bounds: None },
            _ => About::Nothing,
        }
    }
}

/// An element by its place in the structure.
pub(in crate::document) type Element = usize;

/// The elements of a document, with the pieces of pages that they consist of.
#[derive(Debug)]
pub(in crate::document) struct Structure {
    nodes: Vec<Node>,
    /// For each page the element of each piece, by the number of the piece.
    pages: Vec<Vec<Element>>,
    anchors: Vec<Anchor>,
}

#[derive(Debug)]
struct Node {
    name: &'static str,
    about: About,
    parent: Element,
    kids: Vec<Kid>,
}

/// What an element says beside its name.
#[derive(Debug)]
enum About {
    Nothing,
    /// Which cells a header is about.
    Scope(&'static str),
    /// What a picture shows, and where on its page it is.
    Figure {
        words: String,
        bounds: Option<(usize, Area)>,
    },
}

/// Where on a page a link can be followed.
#[derive(Debug)]
struct Anchor {
    element: Element,
    page: usize,
    area: Area,
    link: Link,
}

#[derive(Debug)]
enum Kid {
    Node(Element),
    Piece {
        page: usize,
        number: usize,
    },
    /// By its place among all of the document.
    Anchor(usize),
}

impl Structure {
    /// The element that all others are in.
    pub(in crate::document) const DOCUMENT: Element = 0;

    pub(in crate::document) fn new(pages: usize) -> Self {
        let document =
            Node { name: "Document", about: About::Nothing, parent: 0, kids: Vec::new() };
        let pages = (0..pages).map(|_| Vec::new()).collect();
        Self { nodes: vec![document], pages, anchors: Vec::new() }
    }

    /// Adds an element in `parent`; a row after a row goes to the table of that one.
    pub(in crate::document) fn add(&mut self, parent: Element, role: &Role) -> Element {
        let parent = match role {
            Role::Row => self.table(parent),
            _ => parent,
        };
        self.push(parent, role.name(), role.about())
    }

    /// Adds a link in `parent` that can be followed where `area` is on the page.
    pub(in crate::document) fn link(
        &mut self,
        parent: Element,
        page: usize,
        area: Area,
        link: &Link,
    ) -> Element {
        let element = self.push(parent, "Link", About::Nothing);
        self.anchors.push(Anchor { element, page, area, link: link.clone() });
        element
    }

    /// Says that a picture is also here on a page.
    pub(in crate::document) fn cover(&mut self, element: Element, page: usize, area: Area) {
        let About::Figure { bounds, .. } = &mut self.nodes[element].about else { return };
        match bounds {
            None => *bounds = Some((page, area)),
            Some((of, known)) if *of == page => *known = known.with(area),
            // A picture that is cut by the page's end is where it begins.
            Some(_) => {}
        }
    }

    /// The name of an element, as pages repeat it.
    pub(in crate::document) fn name(&self, element: Element) -> &'static str {
        self.nodes[element].name
    }

    /// Gives the next piece of a page to an element; its number on the page.
    pub(in crate::document) fn piece(&mut self, element: Element, page: usize) -> usize {
        let number = self.pages[page].len();
        self.pages[page].push(element);
        self.nodes[element].kids.push(Kid::Piece { page, number });
        number
    }

    fn table(&mut self, parent: Element) -> Element {
        match self.nodes[parent].kids.last() {
            Some(Kid::Node(last)) if self.nodes[*last].name == "Table" => *last,
            _ => self.push(parent, "Table", About::Nothing),
        }
    }

    fn push(&mut self, parent: Element, name: &'static str, about: About) -> Element {
        let element = self.nodes.len();
        self.nodes.push(Node { name, about, parent, kids: Vec::new() });
        self.nodes[parent].kids.push(Kid::Node(element));
        element
    }

    /// Closes what is on a page: for each link on it the id of its annotation.
    pub(in crate::document) fn anchors_on(&mut self, page: usize, file: &mut File) -> Vec<Id> {
        let mut ids = Vec::new();
        for (place, anchor) in self.anchors.iter().enumerate().filter(|(_, a)| a.page == page) {
            // Behind the words that it is about.
            self.nodes[anchor.element].kids.push(Kid::Anchor(place));
            ids.push(file.reserve());
        }
        ids
    }

    /// The objects of the structure, its root first; `pages` are those that it was written for, `anchors`
    /// the annotations on them.
    pub(in crate::document) fn objects(
        &self,
        file: &mut File,
        pages: &[Id],
        anchors: &[Id],
    ) -> Vec<(Id, String)> {
        let root = file.reserve();
        let ids: Vec<Id> = self.nodes.iter().map(|_| file.reserve()).collect();
        let mut parents = String::new();
        for (key, elements) in self.pages.iter().enumerate() {
            parents += &format!("{key} [");
            for element in elements {
                ids[*element].refer(&mut parents);
                parents.push(' ');
            }
            parents.push(']');
        }
        for (key, anchor) in (self.pages.len()..).zip(&self.anchors) {
            parents += &format!("{key} {} ", ids[anchor.element].reference());
        }
        let tree = format!(
            "<</Type/StructTreeRoot/K {}/ParentTree<</Nums[{parents}]>>/ParentTreeNextKey {}>>",
            ids[Self::DOCUMENT].reference(),
            pages.len() + anchors.len(),
        );
        let places = Places { nodes: &ids, pages, anchors };
        let mut objects = vec![(root, tree)];
        for (node, id) in self.nodes.iter().zip(&ids) {
            let parent = if *id == ids[Self::DOCUMENT] { root } else { ids[node.parent] };
            objects.push((*id, node.object(parent, &places)));
        }
        for (place, (anchor, id)) in self.anchors.iter().zip(anchors).enumerate() {
            objects.push((*id, anchor.object(pages[anchor.page], pages.len() + place)));
        }
        objects
    }
}

/// The ids of a document's elements, pages and annotations.
struct Places<'a> {
    nodes: &'a [Id],
    pages: &'a [Id],
    anchors: &'a [Id],
}

impl Node {
    fn object(&self, parent: Id, places: &Places<'_>) -> String {
        let first_page = self.kids.iter().find_map(|kid| match kid {
            Kid::Piece { page, .. } => Some(*page),
            Kid::Node(_) | Kid::Anchor(_) => None,
        });
        // Piece by piece into one text: a document has a hundred of these.
        let mut object = String::with_capacity(64);
        object.push_str("<</S/");
        object.push_str(self.name);
        object.push_str("/P ");
        parent.refer(&mut object);
        if let Some(page) = first_page {
            object.push_str("/Pg ");
            places.pages[page].refer(&mut object);
        }
        object.push_str(&self.about.entries());
        // One piece stands by itself; arrays are for several.
        let is_alone = matches!(&self.kids[..], [Kid::Piece { .. } | Kid::Node(_)]);
        object.push_str(if is_alone { "/K " } else { "/K[" });
        for kid in &self.kids {
            match kid {
                Kid::Node(element) => {
                    places.nodes[*element].refer(&mut object);
                    object.push(' ');
                }
                Kid::Piece { page, number } if first_page == Some(*page) => {
                    object += &format!("{number} ");
                }
                Kid::Piece { page, number } => {
                    let page = places.pages[*page].reference();
                    object += &format!("<</Type/MCR/Pg {page}/MCID {number}>>");
                }
                Kid::Anchor(place) => {
                    let anchor = places.anchors[*place].reference();
                    object += &format!("<</Type/OBJR/Obj {anchor}>>");
                }
            }
        }
        object.truncate(object.trim_end().len());
        object.push_str(if is_alone { ">>" } else { "]>>" });
        object
    }
}

impl About {
    /// Of the dictionary of an element.
    fn entries(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Scope(scope) => format!("/A<</O/Table/Scope/{scope}>>"),
            Self::Figure { words, bounds } => {
                let bounds = bounds.map_or_else(String::new, |(_, area)| {
                    format!("/A<</O/Layout/Placement/Block/BBox[{}]>>", rectangle(area))
                });
                format!("/Alt{}{bounds}", text_string(words))
            }
        }
    }
}

impl Anchor {
    fn object(&self, page: Id, key: usize) -> String {
        format!(
            "<</Type/Annot/Subtype/Link/P {}/Rect[{}]/Border[0 0 0]/F 4/StructParent {key}\
             /Contents{}/A<</S/URI/URI{}>>>>",
            page.reference(),
            rectangle(self.area),
            text_string(&self.link.description),
            text_string(&self.link.target),
        )
    }
}

/// In the coordinates of a page, in whole points that hold the area.
fn rectangle(area: Area) -> String {
    let Area { x, y, width, height } = area;
    let (bottom, top) = (PAGE_HEIGHT - y - height, PAGE_HEIGHT - y);
    format!("{} {} {} {}", x.floor(), bottom.floor(), (x + width).ceil(), top.ceil())
}
