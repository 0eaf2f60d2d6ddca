//! An SVG file as operators of PDF: areas of one colour each, which stay sharp at every size and take
//! little room in each file. What PDF/A or plain paths cannot show is refused by name.

use usvg::tiny_skia_path::{Path as Outline, PathSegment, Point};
use usvg::{FillRule, Group, Node, Options, Paint, Path, Transform, Tree, roxmltree};

/// A drawing 1,000 units high, in operators of PDF.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::document) struct Drawing {
    /// In the same units.
    pub(in crate::document) width: f32,
    pub(in crate::document) operators: Vec<u8>,
}

pub(in crate::document) const HEIGHT: f32 = 1000.0;
/// Every document carries the drawing: far more than a logo needs.
const MOST_BYTES: usize = 200_000;

/// Elements that are something else than areas, and what to call them.
const OTHERS: [(&str, &str); 3] = [
    ("text", "text (convert it to paths)"),
    ("image", "an image"),
    ("foreignObject", "foreign content"),
];

impl Drawing {
    /// Reads an SVG file.
    ///
    /// # Errors
    /// What is wrong with it, or what it has that cannot be shown.
    pub(in crate::document) fn read(svg: &str) -> Result<Self, String> {
        let document =
            roxmltree::Document::parse(svg).map_err(|error| format!("it is no SVG: {error}"))?;
        for element in document.descendants() {
            let is_it = |(name, _): &&(&str, &str)| element.tag_name().name() == *name;
            if let Some((_, what)) = OTHERS.iter().find(is_it) {
                return Err(format!("it has {what}"));
            }
        }
        let tree = Tree::from_xmltree(&document, &Options::default())
            .map_err(|error| format!("it is no usable SVG: {error}"))?;
        let size = tree.size();
        let scale = HEIGHT / size.height();
        // `y` grows upwards in PDF.
        let page = Transform::from_row(scale, 0.0, 0.0, -scale, 0.0, HEIGHT);
        let mut pen = Pen::default();
        pen.group(tree.root(), page)?;
        if pen.operators.is_empty() {
            return Err("it shows nothing".to_owned());
        }
        if pen.operators.len() > MOST_BYTES {
            return Err("it has more detail than every document can carry".to_owned());
        }
        Ok(Self { width: size.width() * scale, operators: pen.operators })
    }
}

#[derive(Default)]
struct Pen {
    operators: Vec<u8>,
}

impl Pen {
    fn group(&mut self, group: &Group, outer: Transform) -> Result<(), String> {
        let transform = outer.pre_concat(group.transform());
        if group.opacity().get() < 1.0 {
            return Err("it is translucent".to_owned());
        }
        if group.mask().is_some() || !group.filters().is_empty() {
            return Err("it has a mask or a filter".to_owned());
        }
        if group.blend_mode() != usvg::BlendMode::Normal {
            return Err("it blends colours".to_owned());
        }
        let clip = group.clip_path();
        if let Some(clip) = clip {
            self.operators.extend(b"q\n");
            self.clip(clip, transform)?;
        }
        for node in group.children() {
            match node {
                Node::Group(group) => self.group(group, transform)?,
                Node::Path(path) if path.is_visible() => self.path(path, transform)?,
                Node::Path(_) => {}
                Node::Image(_) | Node::Text(_) => return Err("it has an image or text".to_owned()),
            }
        }
        if clip.is_some() {
            self.operators.extend(b"Q\n");
        }
        Ok(())
    }

    /// Shows what follows inside one path only: what design programs write around a drawing.
    fn clip(&mut self, clip: &usvg::ClipPath, outer: Transform) -> Result<(), String> {
        let too_many = || "it is clipped by more than one path".to_owned();
        let mut transform = outer.pre_concat(clip.transform());
        let mut group = clip.root();
        let path = loop {
            transform = transform.pre_concat(group.transform());
            let is_clipped = clip.clip_path().is_some() || group.clip_path().is_some();
            match group.children() {
                _ if is_clipped => return Err(too_many()),
                [Node::Group(inner)] => group = inner,
                [Node::Path(path)] => break path,
                _ => return Err(too_many()),
            }
        };
        self.outline(path.data(), transform);
        let is_even_odd = path.fill().is_some_and(|fill| fill.rule() == FillRule::EvenOdd);
        self.operators.extend(if is_even_odd { b"W* n\n".as_slice() } else { b"W n\n" });
        Ok(())
    }

    fn path(&mut self, path: &Path, transform: Transform) -> Result<(), String> {
        let fill = |pen: &mut Self| {
            let Some(fill) = path.fill() else { return Ok(()) };
            let paint = if fill.rule() == FillRule::EvenOdd { b"f*\n".as_slice() } else { b"f\n" };
            pen.area(path.data(), transform, fill.paint(), fill.opacity(), paint)
        };
        // A line is drawn as the area that it covers, since its width is not the same in all directions
        // where a transform distorts it.
        let stroke = |pen: &mut Self| {
            let Some(stroke) = path.stroke() else { return Ok(()) };
            let line = stroke.to_tiny_skia();
            let resolution = transform.get_scale().0.max(transform.get_scale().1);
            let dashed = line.dash.as_ref().and_then(|dash| path.data().dash(dash, resolution));
            let data = dashed.as_ref().unwrap_or(path.data());
            let Some(outline) = data.stroke(&line, resolution) else { return Ok(()) };
            pen.area(&outline, transform, stroke.paint(), stroke.opacity(), b"f\n")
        };
        match path.paint_order() {
            usvg::PaintOrder::FillAndStroke => fill(self).and_then(|()| stroke(self)),
            usvg::PaintOrder::StrokeAndFill => stroke(self).and_then(|()| fill(self)),
        }
    }

    fn area(
        &mut self,
        outline: &Outline,
        transform: Transform,
        paint: &Paint,
        opacity: usvg::Opacity,
        operator: &[u8],
    ) -> Result<(), String> {
        if opacity.get() <= 0.0 {
            return Ok(());
        }
        if opacity.get() < 1.0 {
            return Err("it is translucent".to_owned());
        }
        let Paint::Color(color) = paint else {
            return Err("it has a gradient or a pattern".to_owned());
        };
        for part in [color.red, color.green, color.blue] {
            let thousandths = (u32::from(part) * 1000 + 127) / 255;
            self.operators.extend(decimal(thousandths / 1000, thousandths % 1000, 3).as_bytes());
        }
        self.operators.extend(b"rg\n");
        self.outline(outline, transform);
        self.operators.extend(operator);
        Ok(())
    }

    fn outline(&mut self, outline: &Outline, transform: Transform) {
        // Only numbers that are no numbers cannot be transformed.
        let Some(outline) = outline.clone().transform(transform) else { return };
        let mut at = Point::zero();
        for segment in outline.segments() {
            match segment {
                PathSegment::MoveTo(to) => self.points(&[to], b"m\n"),
                PathSegment::LineTo(to) => self.points(&[to], b"l\n"),
                PathSegment::CubicTo(one, two, to) => self.points(&[one, two, to], b"c\n"),
                PathSegment::Close => self.points(&[], b"h\n"),
                // PDF has no curve with one control point: the same with two.
                PathSegment::QuadTo(control, to) => {
                    let towards = |from: Point| {
                        let part = 2.0 / 3.0;
                        let (x, y) = (control.x - from.x, control.y - from.y);
                        Point::from_xy(from.x + x * part, from.y + y * part)
                    };
                    self.points(&[towards(at), towards(to), to], b"c\n");
                }
            }
            if let PathSegment::MoveTo(to)
            | PathSegment::LineTo(to)
            | PathSegment::CubicTo(_, _, to)
            | PathSegment::QuadTo(_, to) = segment
            {
                at = to;
            }
        }
    }

    fn points(&mut self, points: &[Point], operator: &[u8]) {
        for point in points {
            self.number(point.x);
            self.number(point.y);
        }
        self.operators.extend(operator);
    }

    /// A tenth of a unit is a three-hundredth of a point in print.
    #[expect(clippy::cast_possible_truncation, reason = "a drawing is some thousand units wide")]
    fn number(&mut self, length: f32) {
        let tenths = (length * 10.0).round() as i32;
        if tenths < 0 {
            self.operators.push(b'-');
        }
        let tenths = tenths.unsigned_abs();
        self.operators.extend(decimal(tenths / 10, tenths % 10, 1).as_bytes());
    }
}

/// A number with this many decimals, and a space.
fn decimal(whole: u32, fraction: u32, decimals: usize) -> String {
    if fraction == 0 { format!("{whole} ") } else { format!("{whole}.{fraction:0decimals$} ") }
}
