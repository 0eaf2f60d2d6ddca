//! Tests of documents.

use crate::support::sample;
use fecha::document::{Branding, Renderer};

#[test]
fn look() {
    let renderer = Renderer::new(&Branding::default()).unwrap();
    std::fs::create_dir_all("/tmp/look").unwrap();
    std::fs::write("/tmp/look/fatura.pdf", renderer.invoice(&sample::invoice()).unwrap()).unwrap();
    std::fs::write("/tmp/look/extrato.pdf", renderer.statement(&sample::invoice()).unwrap()).unwrap();
}
