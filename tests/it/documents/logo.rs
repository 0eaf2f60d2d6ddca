//! The logo: a picture, or a drawing.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fecha::document::{Branding, RenderError, Renderer};
use rstest::rstest;

use super::show;
use crate::support::pdf::{Pdf, path_str, run};
use crate::support::sample;

/// 40 × 10 pixels, half of them translucent.
const LOGO: &str = "iVBORw0KGgoAAAANSUhEUgAAACgAAAAKCAYAAADGmhxQAAAAKUlEQVR42mPgzk7QQMP/0fCAyjOMOnAkOHBQOQhdftSBI8KBo7mYEnkAVWA09/4VuYYAAAAASUVORK5CYII=";

pub fn png() -> Vec<u8> {
    STANDARD.decode(LOGO).unwrap()
}

#[test]
fn a_logo_stands_in_place_of_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logo.png");
    fs::write(&path, STANDARD.decode(LOGO).unwrap()).unwrap();
    let renderer = Renderer::new(&Branding { logo: Some(path) }).unwrap();
    let pdf = Pdf::new(renderer.invoice(&sample::invoice()).unwrap());
    pdf.assert_sound();
    let images = run("pdfimages", &["-list", path_str(&pdf.path())]);
    let of_logo = images.lines().skip(2).filter(|line| !line.contains(" stencil "));
    assert_eq!(of_logo.count(), 2, "the image and its mask, beside the QR code: {images}");
    assert_eq!(pdf.text().matches("Exemplo Tecnologia Ltda").count(), 3, "one less than without");
}

#[test]
fn a_logo_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = |name: &str, content: Option<&[u8]>| -> String {
        let path = folder.path().join(name);
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let error: RenderError = Renderer::new(&Branding { logo: Some(path) }).unwrap_err();
        error.to_string().replace(path_str(folder.path()), "DIR")
    };
    let mut huge = STANDARD.decode(LOGO).unwrap();
    huge[16..24].copy_from_slice(&[0, 0, 0x10, 0, 0, 0, 0x10, 0]);
    let mut torn = STANDARD.decode(LOGO).unwrap();
    torn.truncate(60);
    insta::assert_snapshot!(error("away.png", None), @"cannot read the logo DIR/away.png: No such file or directory (os error 2); correct `logo` under [issuer]");
    insta::assert_snapshot!(error("logo.jpg", Some(b"\xff\xd8\xff\xe0")), @"the logo DIR/logo.jpg cannot be used: it is neither SVG nor PNG; save it as a PNG, for example of 800 × 200 pixels");
    insta::assert_snapshot!(error("short.png", Some(&torn[..12])), @"the logo DIR/short.png cannot be used: it is no usable PNG: it ends too early; save it as a PNG, for example of 800 × 200 pixels");
    insta::assert_snapshot!(error("torn.png", Some(&torn)), @"the logo DIR/torn.png cannot be used: it is no usable PNG: unexpected end of file; save it as a PNG, for example of 800 × 200 pixels");
    insta::assert_snapshot!(error("huge.png", Some(&huge)), @"the logo DIR/huge.png has 4096 × 4096 pixels, more than the 400,000 that every document can carry: save it smaller, for example 800 × 200");
}

/// As design programs write it: areas, curves, a line, transforms, a clip around all of it.
pub const DRAWING: &str = r##"<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="240" height="60" viewBox="0 0 480 120">
  <style>.ring{fill:none;stroke:#e4572e;stroke-width:10;stroke-linecap:round}</style>
  <defs><clipPath id="all"><rect width="480" height="120"/></clipPath><path id="bar" d="M0 0h60v16H0z"/></defs>
  <g clip-path="url(#all)">
    <rect x="4" y="4" width="112" height="112" rx="24" fill="#17324d"/>
    <path d="M60 24a36 36 0 1 1-.01 0zM60 44a16 16 0 1 0 .01 0z" fill="#fff" fill-rule="evenodd"/>
    <path d="M150 30q40-40 80 0t80 0" class="ring"/>
    <g transform="translate(150 62) skewX(-12)" fill="#2a9d8f">
      <use xlink:href="#bar"/><use xlink:href="#bar" transform="translate(70)" fill="#f4a261"/>
      <use xlink:href="#bar" transform="translate(0 24) scale(2.1 1)"/>
    </g>
    <circle cx="420" cy="60" r="40" fill="rgb(231,111,81)" stroke="#17324d" stroke-width="6" stroke-dasharray="12 8"/>
    <rect x="400" y="-30" width="200" height="50" fill="#17324d"/>
  </g>
</svg>"##;

#[test]
fn a_logo_may_be_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logo.svg");
    fs::write(&path, DRAWING).unwrap();
    let renderer = Renderer::new(&Branding { logo: Some(path) }).unwrap();
    let pdf = Pdf::new(renderer.invoice(&sample::invoice()).unwrap());
    pdf.assert_sound();
    let images = run("pdfimages", &["-list", path_str(&pdf.path())]);
    assert_eq!(images.lines().count(), 3, "only the QR code is one: {images}");
    assert_eq!(pdf.text().matches("Exemplo Tecnologia Ltda").count(), 3, "one less than without");

    // The logo is 136 by 34 points, 50 and 46 points from the corner: here are its colours.
    let pixels = folder.path().join("page");
    let file = pdf.path();
    let arguments = ["-r", "144", "-singlefile", path_str(&file), path_str(&pixels)];
    run("pdftoppm", &arguments);
    let pixels = fs::read(folder.path().join("page.ppm")).unwrap();
    let color = |x: f64, y: f64| {
        pixel(&pixels, 2.0 * (50.0 + x * 34.0 / 120.0), 2.0 * (46.0 + y * 34.0 / 120.0))
    };
    let white = [255, 255, 255];
    assert_eq!(color(14.0, 60.0), [0x17, 0x32, 0x4d], "the square");
    assert_eq!(color(4.5, 4.5), white, "its round corner");
    assert_eq!(color(60.0, 34.0), white, "the ring");
    assert_eq!(color(60.0, 60.0), [0x17, 0x32, 0x4d], "the hole of the ring");
    assert_eq!(color(190.0, 10.0), [0xe4, 0x57, 0x2e], "the line");
    assert_eq!(color(175.0, 70.0), [0x2a, 0x9d, 0x8f], "a bar");
    assert_eq!(color(240.0, 70.0), [0xf4, 0xa2, 0x61], "a bar of its own colour");
    assert_eq!(color(420.0, 60.0), [231, 111, 81], "the disc");
    assert_eq!(color(490.0, 10.0), white, "what the clip cuts off");
    show("logo-svg.pdf", &pdf);
}

/// A pixel of a PPM file.
fn pixel(ppm: &[u8], x: f64, y: f64) -> [u8; 3] {
    let header: Vec<&[u8]> = ppm.splitn(4, u8::is_ascii_whitespace).collect();
    let width: usize = str::from_utf8(header[1]).unwrap().parse().unwrap();
    let (_, data) = header[3].split_at(4); // `255` and one white space
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = (y as usize * width + x as usize) * 3;
    data[at..at + 3].try_into().unwrap()
}

#[rstest]
#[case(
    "<linearGradient id='a'><stop stop-color='red'/><stop offset='1'/></linearGradient><path d='M0 0h9v9z' fill='url(#a)'/>",
    "it has a gradient or a pattern"
)]
#[case("<path d='M0 0h9v9z' fill-opacity='0.5'/>", "it is translucent")]
#[case("<g opacity='0.5'><path d='M0 0h9v9z'/><path d='M0 0h4v4z'/></g>", "it is translucent")]
#[case("<text>Exemplo</text>", "it has text (convert it to paths)")]
#[case("<image href='logo.png' width='9' height='9'/>", "it has an image")]
#[case("", "it shows nothing")]
#[case("<path d='M0 0", "it is no SVG: ")]
fn a_drawing_that_cannot_be_shown_is_named(#[case] content: &str, #[case] reason: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logo.svg");
    let svg =
        format!("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>{content}</svg>");
    fs::write(&path, svg).unwrap();
    let error = Renderer::new(&Branding { logo: Some(path) }).unwrap_err().to_string();
    assert!(error.contains(&format!("logo.svg cannot be used: {reason}")), "{error}");
    assert!(error.ends_with("; save it as a PNG, for example of 800 × 200 pixels"), "{error}");
}
