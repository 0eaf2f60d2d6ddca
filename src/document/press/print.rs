//! Pages written as PDF files that are fit for an archive (PDF/A-3a) and for
//! those who do not see them (PDF/UA-1); equal pages give equal bytes, in
//! any process.
//!
//! printpdf makes a specimen of everything that all files share, once: the common parts of the faces, and the
//! logo. Each file is a copy of that, and the pages behind it; where they show other characters too, printpdf
//! makes a specimen of those for the file alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};
use printpdf::{
    FontId, Mm, Op, ParsedFont, PdfDocument, PdfFont, PdfFontHandle, PdfPage,
    PdfParseErrorSeverity, PdfResources, PdfSaveOptions, Pt, RawImage, TextItem, XObject,
    XObjectId, XObjectTransform,
};
use sha2::{Digest, Sha256};

use super::PressError;
use super::archive;
use super::bookmarks;
use super::content::{self, Writing};
use super::drawing::{Drawing, HEIGHT};
use super::file::{File, Id, Level, deflate, text_string};
use super::font::{Fonts, Weight};
use super::layout::Picture;
use super::logo::Artwork;
use super::srgb;
use super::tags::Link;
use super::unicode;

/// What a file says about itself.
#[derive(Debug)]
pub(in crate::document) struct About {
    pub(in crate::document) title: String,
    pub(in crate::document) author: String,
    pub(in crate::document) subject: String,
    pub(in crate::document) created: DateTime<Utc>,
    /// Words that lead somewhere wherever its pages show them; none of them is empty.
    pub(in crate::document) links: Vec<Link>,
}

/// A file inside the file, for programs: the data that the pages show.
#[derive(Debug)]
pub(in crate::document) struct Attachment {
    pub(in crate::document) name: String,
    pub(in crate::document) json: Vec<u8>,
}

/// Writes files that share fonts and logo.
#[derive(Debug)]
pub(in crate::document) struct Press {
    /// The beginning of every file.
    shared: File,
    /// The common parts of the faces, by the names that pages use.
    fonts: String,
    /// The logo likewise.
    pictures: String,
    profile: Id,
    /// The parts that files had of their own, the one used last first.
    own: Mutex<Vec<Arc<OwnParts>>>,
}

/// So many are at hand.
const AT_HAND: usize = 64;

/// Parts of faces that are no common ones. Names have few rare letters, and what is written around them is always
/// the same: so the same parts come again, and to make them takes longer than to write a page.
#[derive(Debug)]
struct OwnParts {
    characters: BTreeMap<Weight, Vec<char>>,
    /// Its streams are compressed.
    specimen: Document,
}

/// printpdf's own ids come from a counter of the process; these are always the same.
pub(in crate::document) const LOGO: &str = "Logo";
const WEIGHTS: [Weight; 2] = [Weight::Regular, Weight::SemiBold];

/// A part of a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum FontPart {
    /// In every file.
    Common,
    /// The file's own.
    Own,
}

pub(in crate::document) fn font_name(weight: Weight, part: FontPart) -> &'static str {
    match (weight, part) {
        (Weight::Regular, FontPart::Common) => "R",
        (Weight::SemiBold, FontPart::Common) => "B",
        (Weight::Regular, FontPart::Own) => "r",
        (Weight::SemiBold, FontPart::Own) => "b",
    }
}

/// Six letters that tell the parts of faces from one another.
fn tag(weight: Weight, part: FontPart) -> &'static str {
    match (weight, part) {
        (Weight::Regular, FontPart::Common) => "FECHAR",
        (Weight::SemiBold, FontPart::Common) => "FECHAS",
        (Weight::Regular, FontPart::Own) => "OTHERR",
        (Weight::SemiBold, FontPart::Own) => "OTHERS",
    }
}

impl Press {
    /// Writes and compresses what all files share.
    pub(in crate::document) fn new(
        fonts: &Fonts,
        logo: Option<&Artwork>,
    ) -> Result<Self, PressError> {
        let image = match logo {
            Some(Artwork::Image(image)) => Some(image),
            _ => None,
        };
        let parts = WEIGHTS
            .map(|weight| Part::of(fonts, weight, FontPart::Common, fonts.face(weight).common()));
        let mut specimen = specimen(parts.into_iter().collect::<Result<_, _>>()?, image)?;
        let mut shared = File::new();
        let mut pictures = resources(&specimen, b"XObject").map_err(unwritable)?;
        if let Some(Artwork::Drawing(drawing)) = logo {
            let id = specimen.add_object(form(drawing));
            pictures.set(LOGO, id);
        }
        let faces = resources(&specimen, b"Font").map_err(unwritable)?;
        let mut adopted = Adopted::of(&specimen, Level::Best);
        let fonts = adopted.entries(&mut shared, &faces)?;
        let pictures = adopted.entries(&mut shared, &pictures)?;
        shared.pack(&adopted.packed, Level::Best)?;
        let profile = shared.reserve();
        shared.deflated(profile, "/N 3", &srgb::profile(), Level::Best)?;
        Ok(Self { shared, fonts, pictures, profile, own: Mutex::default() })
    }

    /// The file with these pages.
    pub(in crate::document) fn print(
        &self,
        fonts: &Fonts,
        pages: Vec<Picture>,
        about: &About,
        attachment: Option<&Attachment>,
    ) -> Result<Vec<u8>, PressError> {
        let mut file = self.shared.clone();
        let (tree, resources) = (file.reserve(), file.reserve());
        let mut writing = Writing::new(fonts, &about.links, pages.len());
        let mut objects = Vec::new();
        let (mut page_ids, mut anchors) = (Vec::with_capacity(pages.len()), Vec::new());
        // Each page is let go once it is written: an annex has hundreds.
        for (number, page) in pages.into_iter().enumerate() {
            let (id, content_id) = (file.reserve(), file.reserve());
            let marks = content::page(&mut writing, &page.marks, number);
            file.deflated(content_id, "", &marks, Level::Good)?;
            let on_it = writing.structure.anchors_on(number, &mut file);
            objects.push((id, page_object([tree, content_id, resources], number, &on_it)));
            page_ids.push(id);
            anchors.extend(on_it);
        }
        objects.push((tree, page_tree(&page_ids)));
        let shown_with = self.resources(&mut file, &mut objects, &writing)?;
        objects.push((resources, shown_with));

        let structure = writing.structure.objects(&mut file, &page_ids, &anchors);
        let structure_root = structure.first().map(|(id, _)| *id);
        objects.extend(structure);
        let outline = bookmarks::objects(&mut file, &writing.bookmarks, &page_ids);
        let outline_root = outline.first().map(|(id, _)| *id);
        objects.extend(outline);
        let metadata = file.reserve();
        let xmp = archive::metadata(about);
        file.deflated(metadata, "/Type/Metadata/Subtype/XML", xmp.as_bytes(), Level::Good)?;
        let mut catalog = archive::catalog(tree, structure_root, metadata, self.profile);
        if let Some(root) = outline_root {
            catalog += &format!("/Outlines {}/PageMode/UseOutlines", root.reference());
        }
        if let Some(attachment) = attachment {
            catalog += &archive::attach(&mut file, &mut objects, attachment, about)?;
        }
        let (catalog_id, info_id) = (file.reserve(), file.reserve());
        objects.push((catalog_id, format!("<<{catalog}>>")));
        objects.push((info_id, info(about)));
        file.pack(&objects, Level::Good)?;

        let own = &file.bytes()[self.shared.bytes().len()..];
        let mut id = [0; 16];
        id.copy_from_slice(&Sha256::digest(own)[..16]);
        file.finish(catalog_id, info_id, id)
    }

    /// What the pages are written with, by the names that they use.
    fn resources(
        &self,
        file: &mut File,
        objects: &mut Vec<(Id, String)>,
        writing: &Writing<'_>,
    ) -> Result<String, PressError> {
        let Writing { fonts, others, stencils, .. } = writing;
        let mut faces = self.fonts.clone();
        if !others.is_empty() {
            let parts = self.own_parts(fonts, others)?;
            let own = resources(&parts.specimen, b"Font").map_err(unwritable)?;
            let mut adopted = Adopted::of(&parts.specimen, Level::Good);
            faces += &adopted.entries(file, &own)?;
            objects.append(&mut adopted.packed);
        }
        let mut pictures = self.pictures.clone();
        for (number, stencil) in stencils.iter().enumerate() {
            let id = file.reserve();
            let side = stencil.side;
            let entries = format!(
                "/Type/XObject/Subtype/Image/Width {side}/Height {side}/ImageMask true/Decode[1 0]"
            );
            file.deflated(id, &entries, &stencil.bits, Level::Good)?;
            pictures += &format!("/S{number} {}", id.reference());
        }
        if !pictures.is_empty() {
            pictures = format!("/XObject<<{pictures}>>");
        }
        Ok(format!("<</Font<<{faces}>>{pictures}>>"))
    }

    /// The parts that have these characters, made where they are not at hand; they are the same either way.
    fn own_parts(
        &self,
        fonts: &Fonts,
        characters: &BTreeMap<Weight, Vec<char>>,
    ) -> Result<Arc<OwnParts>, PressError> {
        let at_hand = || self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let known = at_hand().iter().find(|known| known.characters == *characters).cloned();
        // Not locked while they are made: others print meanwhile.
        let parts = match known {
            Some(parts) => parts,
            None => Arc::new(OwnParts::make(fonts, characters)?),
        };
        let mut at_hand = at_hand();
        at_hand.retain(|known| known.characters != *characters);
        at_hand.insert(0, Arc::clone(&parts));
        at_hand.truncate(AT_HAND);
        Ok(parts)
    }
}

impl OwnParts {
    fn make(fonts: &Fonts, characters: &BTreeMap<Weight, Vec<char>>) -> Result<Self, PressError> {
        let parts = characters
            .iter()
            .map(|(weight, characters)| Part::of(fonts, *weight, FontPart::Own, characters));
        let mut specimen = specimen(parts.collect::<Result<_, _>>()?, None)?;
        for object in specimen.objects.values_mut() {
            if let Object::Stream(stream) = object
                && !stream.dict.has(b"Filter")
            {
                stream.content = deflate(&stream.content, Level::Good)?;
                stream.dict.set("Filter", "FlateDecode");
            }
        }
        Ok(Self { characters: characters.clone(), specimen })
    }
}

/// All pages, and what they have in common.
fn page_tree(pages: &[Id]) -> String {
    let kids: String = pages.iter().map(|id| id.reference() + " ").collect();
    format!(
        "<</Type/Pages/Count {}/Kids[{}]/MediaBox[0 0 595.276 841.89]>>",
        pages.len(),
        kids.trim_end(),
    )
}

/// A page with its parent, content and resources; PDF/A does not let it inherit the last.
fn page_object([parent, content, resources]: [Id; 3], number: usize, anchors: &[Id]) -> String {
    let anchors: Vec<String> = anchors.iter().map(|id| id.reference()).collect();
    let anchors = match &anchors[..] {
        [] => String::new(),
        some => format!("/Annots[{}]", some.join(" ")),
    };
    format!(
        "<</Type/Page/Parent {}/Contents {}/Resources {}/StructParents {number}/Tabs/S{anchors}>>",
        parent.reference(),
        content.reference(),
        resources.reference(),
    )
}

/// A part of a face, to be embedded.
struct Part {
    name: &'static str,
    font: ParsedFont,
    /// The characters that it has.
    text: String,
}

impl Part {
    fn of(
        fonts: &Fonts,
        weight: Weight,
        part: FontPart,
        characters: &[char],
    ) -> Result<Self, PressError> {
        let font = fonts.face(weight).part(characters, tag(weight, part))?;
        Ok(Self { name: font_name(weight, part), font, text: characters.iter().collect() })
    }
}

/// What printpdf makes of a page that shows all characters of the parts, and the logo.
fn specimen(parts: Vec<Part>, logo: Option<&RawImage>) -> Result<Document, PressError> {
    let mut resources = PdfResources::default();
    let mut operations = vec![Op::StartTextSection];
    let mut texts = Vec::new();
    for Part { name, font, text } in parts {
        texts.push((name, text.clone()));
        let id = FontId(name.to_owned());
        resources.fonts.map.insert(id.clone(), PdfFont::new(font));
        operations.extend([
            Op::SetFont { font: PdfFontHandle::External(id), size: Pt(10.0) },
            Op::ShowText { items: vec![TextItem::Text(text)] },
        ]);
    }
    operations.push(Op::EndTextSection);
    if let Some(logo) = logo {
        let id = XObjectId(LOGO.to_owned());
        resources.xobjects.map.insert(id.clone(), XObject::Image(logo.clone()));
        operations.push(Op::UseXobject { id, transform: XObjectTransform::default() });
    }
    let mut document = PdfDocument::new("");
    document.resources = resources;
    document.pages = vec![PdfPage::new(Mm(210.0), Mm(297.0), operations)];
    // A logo is embedded as it is: printpdf's image optimisation would throw quality away.
    let options = PdfSaveOptions { image_optimization: None, ..PdfSaveOptions::default() };
    let mut warnings = Vec::new();
    let mut specimen = document.to_lopdf_document(&options, &mut warnings);
    if let Some(error) = warnings.into_iter().find(|w| w.severity == PdfParseErrorSeverity::Error) {
        return Err(PressError::Write { reason: error.msg });
    }
    map_to_unicode(&mut specimen, &texts).map_err(unwritable)?;
    Ok(specimen)
}

/// Puts in maps to Unicode that take a third of what printpdf's do, which have a line a character; where the
/// characters of a part are the first ones of another, one map serves both.
fn map_to_unicode(specimen: &mut Document, texts: &[(&str, String)]) -> lopdf::Result<()> {
    let faces = resources(specimen, b"Font")?;
    let face = |name: &str| faces.get(name.as_bytes())?.as_reference();
    let map = |specimen: &Document, name: &str| {
        specimen.get_dictionary(face(name)?)?.get(b"ToUnicode")?.as_reference()
    };
    for (name, text) in texts {
        let is_wider =
            |(_, other): &&(&str, String)| other.len() > text.len() && other.starts_with(text);
        if let Some((wider, _)) = texts.iter().find(is_wider) {
            let shared = map(specimen, wider)?;
            specimen.get_object_mut(face(name)?)?.as_dict_mut()?.set("ToUnicode", shared);
        } else {
            let own = map(specimen, name)?;
            let content = unicode::map(text).into_bytes();
            specimen.get_object_mut(own)?.as_stream_mut()?.set_plain_content(content);
        }
    }
    Ok(())
}

/// A drawing, to be painted on an area of one by one as an image is.
fn form(drawing: &Drawing) -> Stream {
    let Drawing { width, operators } = drawing;
    let entries = dictionary! {
        "Type" => "XObject",
        "Subtype" => "Form",
        "BBox" => vec![0.into(), 0.into(), (*width).into(), HEIGHT.into()],
        "Matrix" => vec![(1.0 / width).into(), 0.into(), 0.into(), (1.0 / HEIGHT).into(), 0.into(), 0.into()],
        "Resources" => Dictionary::new(),
    };
    Stream::new(entries, operators.clone())
}

/// What the specimen's page is written with, of one kind.
fn resources(specimen: &Document, kind: &[u8]) -> lopdf::Result<Dictionary> {
    let page = specimen.page_iter().next().ok_or(lopdf::Error::PageNumberNotFound(1))?;
    let (inline, shared) = specimen.get_page_resources(page)?;
    let resources = match (inline, shared.first()) {
        (Some(resources), _) => resources,
        (None, Some(id)) => specimen.get_dictionary(*id)?,
        (None, None) => return Err(lopdf::Error::DictKey("Resources".to_owned())),
    };
    Ok(specimen.dereference(resources.get(kind)?)?.1.as_dict()?.clone())
}

/// Objects of the specimen that go over into the file, with all that they refer to.
struct Adopted<'a> {
    specimen: &'a Document,
    ids: BTreeMap<ObjectId, Id>,
    /// Those that are no streams.
    packed: Vec<(Id, String)>,
    level: Level,
}

impl<'a> Adopted<'a> {
    fn of(specimen: &'a Document, level: Level) -> Self {
        Self { specimen, ids: BTreeMap::new(), packed: Vec::new(), level }
    }

    fn reference(&mut self, file: &mut File, old: ObjectId) -> Result<String, PressError> {
        if let Some(id) = self.ids.get(&old) {
            return Ok(id.reference());
        }
        let id = file.reserve();
        self.ids.insert(old, id);
        let object = self.specimen.get_object(old).map_err(unwritable)?;
        if let Object::Stream(stream) = object {
            let mut dictionary = stream.dict.clone();
            dictionary.remove(b"Length");
            let entries = self.entries(file, &dictionary)?;
            if dictionary.has(b"Filter") {
                file.stream(id, &entries, &stream.content);
            } else {
                file.deflated(id, &entries, &stream.content, self.level)?;
            }
        } else {
            let object = self.object(file, object)?;
            self.packed.push((id, object));
        }
        Ok(id.reference())
    }

    fn entries(&mut self, file: &mut File, entries: &Dictionary) -> Result<String, PressError> {
        let mut written = String::new();
        for (key, value) in entries {
            written += &format!("/{} {}", name(key), self.object(file, value)?);
        }
        Ok(written)
    }

    fn object(&mut self, file: &mut File, object: &Object) -> Result<String, PressError> {
        Ok(match object {
            Object::Reference(id) => self.reference(file, *id)?,
            Object::Dictionary(entries) => format!("<<{}>>", self.entries(file, entries)?),
            Object::Array(items) => {
                let items = items.iter().map(|item| self.object(file, item));
                format!("[{}]", items.collect::<Result<Vec<_>, _>>()?.join(" "))
            }
            Object::Name(text) => format!("/{}", name(text)),
            Object::Integer(number) => number.to_string(),
            Object::Real(number) => number.to_string(),
            Object::Boolean(truth) => truth.to_string(),
            Object::String(bytes, _) => format!("<{}>", hex::encode(bytes)),
            Object::Null => "null".to_owned(),
            Object::Stream(_) => {
                return Err(PressError::Write { reason: "a stream inside an object".to_owned() });
            }
        })
    }
}

/// A name; all of those that printpdf makes are plain.
fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[expect(clippy::needless_pass_by_value, reason = "goes into map_err")]
fn unwritable(error: lopdf::Error) -> PressError {
    PressError::Write { reason: error.to_string() }
}

fn info(about: &About) -> String {
    let date = archive::date(about.created);
    format!(
        "<</Title{}/Author{}/Subject{}/Creator(fecha)/Producer({})/CreationDate{date}/ModDate{date}>>",
        text_string(&about.title),
        text_string(&about.author),
        text_string(&about.subject),
        archive::PRODUCER,
    )
}
