//! Pictures written as a PDF file; equal pictures give equal bytes, in any process.

use chrono::{DateTime, Utc};
use lopdf::{Dictionary, Object, Stream};
use printpdf::{
    Color, FontId, Mm, Op, PaintMode, PdfDocument, PdfFont, PdfFontHandle, PdfPage,
    PdfParseErrorSeverity, PdfResources, PdfSaveOptions, Point, Pt, RawImage, Rect, Rgb, TextItem,
    XObject, XObjectId, XObjectTransform,
};
use sha2::{Digest, Sha256};

use super::RenderError;
use super::font::{Fonts, Weight};
use super::layout::{Area, Ink, Mark, PAGE_HEIGHT, Picture};
use super::text::Style;

/// What a file says about itself.
#[derive(Debug)]
pub(super) struct About {
    pub(super) title: String,
    pub(super) author: String,
    pub(super) subject: String,
    pub(super) created: DateTime<Utc>,
}

/// Writes files that share fonts and logo.
#[derive(Debug)]
pub(super) struct Press {
    resources: PdfResources,
    /// Font programs and the logo, compressed once; most of a file's bytes are these.
    packed: Vec<Packed>,
}

#[derive(Debug)]
struct Packed {
    plain: Vec<u8>,
    stream: Stream,
}

/// printpdf's own ids come from a counter of the process; these are always the same.
const LOGO: &str = "Logo";

fn font_id(weight: Weight) -> FontId {
    let name = match weight {
        Weight::Regular => "Regular",
        Weight::SemiBold => "SemiBold",
    };
    FontId(name.to_owned())
}

impl Press {
    /// Compresses the fonts and the logo.
    pub(super) fn new(fonts: &Fonts, logo: Option<RawImage>) -> Result<Self, RenderError> {
        let mut resources = PdfResources::default();
        for weight in [Weight::Regular, Weight::SemiBold] {
            let font = PdfFont::new(fonts.face(weight).embedded.clone());
            resources.fonts.map.insert(font_id(weight), font);
        }
        if let Some(logo) = logo {
            resources.xobjects.map.insert(XObjectId(LOGO.to_owned()), XObject::Image(logo));
        }
        let mut press = Self { resources, packed: Vec::new() };
        press.packed = press.pack(&fonts.repertoire())?;
        Ok(press)
    }

    /// Takes the large streams out of a file that shows every character.
    fn pack(&self, repertoire: &str) -> Result<Vec<Packed>, RenderError> {
        let mark = |weight| Mark::Text {
            x: 0.0,
            baseline: 0.0,
            style: Style { weight, size: 10.0, ink: Ink::Strong },
            text: repertoire.to_owned(),
        };
        let marks = vec![mark(Weight::Regular), mark(Weight::SemiBold)];
        let specimen = self.draft(&[Picture { height: 0.0, marks }])?;
        let streams = specimen.objects.into_values().filter_map(|object| match object {
            Object::Stream(stream) => Some(stream),
            _ => None,
        });
        let large = streams.filter(|s| s.dict.has(b"Length1") || s.dict.has(b"BitsPerComponent"));
        let packed = large.map(|mut stream| {
            let plain = stream.content.clone();
            stream.compress()?;
            Ok(Packed { plain, stream })
        });
        packed.collect::<Result<_, lopdf::Error>>().map_err(unwritable)
    }

    /// The file with these pages.
    pub(super) fn print(&self, pages: &[Picture], about: &About) -> Result<Vec<u8>, RenderError> {
        let mut pdf = self.draft(pages)?;
        let mut digest = Sha256::new();
        for object in pdf.objects.values_mut() {
            let Object::Stream(stream) = object else { continue };
            let packed = self.packed.iter().find(|packed| packed.plain == stream.content);
            if let Some(packed) = packed {
                let mask = stream.dict.get(b"SMask").ok().cloned();
                *stream = packed.stream.clone();
                if let Some(mask) = mask {
                    stream.dict.set("SMask", mask);
                }
            } else {
                digest.update(&stream.content);
            }
        }
        let info = info(about);
        digest.update(format!("{info:?}"));
        let id = Object::String(digest.finalize()[..16].to_vec(), lopdf::StringFormat::Hexadecimal);
        pdf.trailer.set("ID", vec![id.clone(), id]);
        let info_id =
            pdf.trailer.get(b"Info").and_then(Object::as_reference).map_err(unwritable)?;
        pdf.set_object(info_id, info);
        "1.7".clone_into(&mut pdf.version);
        let catalog = pdf.catalog_mut().map_err(unwritable)?;
        catalog.set("Lang", Object::string_literal("pt-BR"));
        let mut viewer = Dictionary::new();
        viewer.set("DisplayDocTitle", true);
        catalog.set("ViewerPreferences", viewer);
        pdf.compress();
        let mut bytes = Vec::new();
        pdf.save_to(&mut bytes)
            .map_err(|error| RenderError::Write { reason: error.to_string() })?;
        Ok(bytes)
    }

    /// What printpdf makes of the pages, nothing compressed yet.
    fn draft(&self, pages: &[Picture]) -> Result<lopdf::Document, RenderError> {
        let mut document = PdfDocument::new("");
        document.resources = self.resources.clone();
        document.pages = pages
            .iter()
            .map(|page| PdfPage::new(Mm(210.0), Mm(297.0), operations(&page.marks)))
            .collect();
        // A logo is embedded as it is: printpdf's image optimisation would throw quality away.
        let options = PdfSaveOptions { image_optimization: None, ..PdfSaveOptions::default() };
        let mut warnings = Vec::new();
        let pdf = document.to_lopdf_document(&options, &mut warnings);
        match warnings.into_iter().find(|w| w.severity == PdfParseErrorSeverity::Error) {
            Some(error) => Err(RenderError::Write { reason: error.msg }),
            None => Ok(pdf),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "goes into map_err")]
fn unwritable(error: lopdf::Error) -> RenderError {
    RenderError::Write { reason: error.to_string() }
}

fn info(about: &About) -> Dictionary {
    let date = Object::string_literal(about.created.format("D:%Y%m%d%H%M%SZ").to_string());
    let mut info = Dictionary::new();
    info.set("Title", lopdf::text_string(&about.title));
    info.set("Author", lopdf::text_string(&about.author));
    info.set("Subject", lopdf::text_string(&about.subject));
    info.set("Creator", Object::string_literal("fecha"));
    info.set("Producer", Object::string_literal("fecha, printpdf"));
    info.set("CreationDate", date.clone());
    info.set("ModDate", date);
    info
}

fn operations(marks: &[Mark]) -> Vec<Op> {
    let mut operations = Vec::new();
    let mut current = None;
    for mark in marks {
        if let Mark::Text { style: Style { ink, .. }, .. } | Mark::Fill { ink, .. } = mark
            && current != Some(*ink)
        {
            operations.push(Op::SetFillColor { col: color(*ink) });
            current = Some(*ink);
        }
        match mark {
            Mark::Text { x, baseline, style, text } => {
                operations.extend(text_operations(*x, *baseline, *style, text));
            }
            Mark::Fill { areas, .. } => operations.extend(areas.iter().map(rectangle)),
            Mark::Logo(area) => operations.push(logo_operation(area)),
        }
    }
    operations
}

fn text_operations(x: f32, baseline: f32, style: Style, text: &str) -> [Op; 5] {
    let font = PdfFontHandle::External(font_id(style.weight));
    [
        Op::StartTextSection,
        Op::SetFont { font, size: points(style.size) },
        Op::SetTextCursor { pos: point(x, baseline) },
        Op::ShowText { items: vec![TextItem::Text(text.to_owned())] },
        Op::EndTextSection,
    ]
}

/// Filled with `re`, the shortest way to say it: a QR code has hundreds of them.
fn rectangle(area: &Area) -> Op {
    let corner = point(area.x, area.y + area.height);
    let rectangle = Rect {
        x: corner.x,
        y: corner.y,
        width: points(area.width),
        height: points(area.height),
        mode: Some(PaintMode::Fill),
        winding_order: None,
    };
    Op::DrawRectangle { rectangle }
}

fn logo_operation(area: &Area) -> Op {
    let corner = point(area.x, area.y + area.height);
    let transform = XObjectTransform {
        translate_x: Some(corner.x),
        translate_y: Some(corner.y),
        scale_x: Some(points(area.width).0),
        scale_y: Some(points(area.height).0),
        no_auto_scale: true,
        ..XObjectTransform::default()
    };
    Op::UseXobject { id: XObjectId(LOGO.to_owned()), transform }
}

/// From the top left corner of the page to PDF's bottom left one.
fn point(x: f32, y: f32) -> Point {
    Point { x: points(x), y: points(PAGE_HEIGHT - y) }
}

/// Rounded to a hundredth, far below what an eye or a printer sees, so that no arithmetic shows in
/// the bytes.
fn points(length: f32) -> Pt {
    Pt((length * 100.0).round() / 100.0)
}

fn color(ink: Ink) -> Color {
    let [r, g, b] = match ink {
        Ink::Strong => [0x17, 0x1c, 0x26],
        Ink::Muted => [0x5f, 0x68, 0x78],
        Ink::Accent => [0x0b, 0x6b, 0x60],
        Ink::Pale => [0xb5, 0xd6, 0xd0],
        Ink::Wash => [0xe8, 0xf3, 0xf1],
        Ink::Line => [0xdf, 0xe3, 0xe8],
        Ink::Tint => [0xf5, 0xf7, 0xf8],
        Ink::White => [0xff, 0xff, 0xff],
    };
    let part = |byte: u8| (f32::from(byte) / 255.0 * 1000.0).round() / 1000.0;
    Color::Rgb(Rgb::new(part(r), part(g), part(b), None))
}
