//! The structure of a document for those who do not see its pages: what is a heading, a paragraph, a
//! table, a picture.

use super::file::{File, Id, text_string};

/// What a part of a page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) enum Role {
    Title,
    Heading,
    Paragraph,
    /// Rows one after the other are a table.
    Row,
    HeaderCell,
    Cell,
    /// A picture, and what it shows in words.
    Figure(String),
    /// Of the page, not of the document: running heads and feet.
    Artifact,
}

impl Role {
    fn name(&self) -> &'static str {
        match self {
            Self::Title => "H1",
            Self::Heading => "H2",
            Self::Paragraph => "P",
            Self::Row => "TR",
            Self::HeaderCell => "TH",
            Self::Cell => "TD",
            Self::Figure(_) => "Figure",
            Self::Artifact => "Artifact",
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
}

#[derive(Debug)]
struct Node {
    name: &'static str,
    alt: Option<String>,
    parent: Element,
    kids: Vec<Kid>,
}

#[derive(Debug)]
enum Kid {
    Node(Element),
    Piece { page: usize, number: usize },
}

impl Structure {
    /// The element that all others are in.
    pub(in crate::document) const DOCUMENT: Element = 0;

    pub(in crate::document) fn new(pages: usize) -> Self {
        let document = Node { name: "Document", alt: None, parent: 0, kids: Vec::new() };
        Self { nodes: vec![document], pages: (0..pages).map(|_| Vec::new()).collect() }
    }

    /// Adds an element in `parent`; a row after a row goes to the table of that one.
    pub(in crate::document) fn add(&mut self, parent: Element, role: &Role) -> Element {
        let parent = match role {
            Role::Row => self.table(parent),
            _ => parent,
        };
        let alt = match role {
            Role::Figure(alt) => Some(alt.clone()),
            _ => None,
        };
        self.push(parent, role.name(), alt)
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
            _ => self.push(parent, "Table", None),
        }
    }

    fn push(&mut self, parent: Element, name: &'static str, alt: Option<String>) -> Element {
        let element = self.nodes.len();
        self.nodes.push(Node { name, alt, parent, kids: Vec::new() });
        self.nodes[parent].kids.push(Kid::Node(element));
        element
    }

    /// The objects of the structure, its root first; `pages` are those that it was written for.
    pub(in crate::document) fn objects(&self, file: &mut File, pages: &[Id]) -> Vec<(Id, String)> {
        let root = file.reserve();
        let ids: Vec<Id> = self.nodes.iter().map(|_| file.reserve()).collect();
        let references = |elements: &[Element]| -> String {
            elements.iter().map(|element| ids[*element].reference() + " ").collect()
        };
        let parents: String = self
            .pages
            .iter()
            .enumerate()
            .map(|(page, elements)| format!("{page}[{}]", references(elements)))
            .collect();
        let tree = format!(
            "<</Type/StructTreeRoot/K {}/ParentTree<</Nums[{parents}]>>/ParentTreeNextKey {}>>",
            ids[Self::DOCUMENT].reference(),
            pages.len()
        );
        let mut objects = vec![(root, tree)];
        for (node, id) in self.nodes.iter().zip(&ids) {
            let parent = if *id == ids[Self::DOCUMENT] { root } else { ids[node.parent] };
            objects.push((*id, node.object(parent, &ids, pages)));
        }
        objects
    }
}

impl Node {
    fn object(&self, parent: Id, ids: &[Id], pages: &[Id]) -> String {
        let first_page = self.kids.iter().find_map(|kid| match kid {
            Kid::Piece { page, .. } => Some(*page),
            Kid::Node(_) => None,
        });
        let kids: String = self
            .kids
            .iter()
            .map(|kid| match kid {
                Kid::Node(element) => ids[*element].reference() + " ",
                Kid::Piece { page, number } if first_page == Some(*page) => format!("{number} "),
                Kid::Piece { page, number } => {
                    format!("<</Type/MCR/Pg {}/MCID {number}>>", pages[*page].reference())
                }
            })
            .collect();
        let page =
            first_page.map_or_else(String::new, |page| format!("/Pg {}", pages[page].reference()));
        let alt =
            self.alt.as_deref().map_or_else(String::new, |alt| format!("/Alt{}", text_string(alt)));
        let scope = if self.name == "TH" { "/A<</O/Table/Scope/Column>>" } else { "" };
        format!(
            "<</S/{}/P {}{page}{alt}{scope}/K[{}]>>",
            self.name,
            parent.reference(),
            kids.trim_end()
        )
    }
}
