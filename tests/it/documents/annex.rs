//! The annex of a statement: the contacts of the evidence.

use std::fs;

use super::{no_use, renderer, show};
use crate::support::pdf::{Pdf, path_str, run};
use crate::support::sample;

/// Evidence of as many contacts, the first of them at the end of the file.
pub fn evidence(contacts: u32) -> String {
    let lines = (0..contacts).map(|n| {
        let (id, minute, second) = (contacts - n, n / 60 % 60, n % 60);
        let direction = if n % 3 == 0 { "out" } else { "in" };
        format!(
            "{id:08x}{id:024x},+55 48 9••••-{n:04},2026-10-03T02:{minute:02}:{second:02}.123Z,{direction},{n},2,1\n"
        )
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    format!("id,contact,first_at,first_direction,received,sent,hsm\n{}", lines.concat())
}

fn annexed(contacts: u32) -> Pdf {
    Pdf::new(renderer().statement(&sample::invoice(), Some(&evidence(contacts))).unwrap())
}

#[test]
fn an_annex_lists_the_evidence_by_first_message() {
    let pdf = annexed(200);
    pdf.assert_sound();
    show("anexo.pdf", &pdf);
    let text = run("pdftotext", &["-layout", path_str(&pdf.path()), "-"]);
    let pages: Vec<&str> = text.split('\u{c}').collect();
    assert_eq!(pages.len(), 4, "a page of statement, two of annex, and the end: {text}");
    assert!(pages[1].contains("Anexo: contatos considerados"), "{text}");
    assert!(pages[1].contains("outubro de 2026, horário de Brasília"), "{text}");
    // Without year and seconds; the first column is read to its end, then the second.
    let first = "000000c8 +55 48 9••••-0000 02/10 23:00 loja 0 2 1";
    let last = "00000001 +55 48 9••••-0199 02/10 23:03 contato 199 2 1";
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat(pages[1]).contains(first), "{text}");
    assert!(flat(pages[2]).contains(last), "{text}");
    let total = "Total: 200 contatos; mensagens: 19.900 recebidas, 400 enviadas, das quais 200 de modelo (HSM).";
    assert!(flat(pages[2]).contains(total), "{text}");
    for (page, number) in pages[1..3].iter().zip(2..) {
        assert!(page.contains(&format!("Página {number} de 3")), "{page}");
        let titles = "Código Contato Primeira De Rec. Env. HSM";
        let both = format!("{titles} {titles}");
        assert!(flat(page).contains(&both), "on every page, above both columns: {page}");
    }
}

/// Who reads it aloud, or copies it, gets the contacts in their order.
#[test]
fn an_annex_is_read_one_column_after_the_other() {
    let pdf = annexed(300);
    let structure = run("pdfinfo", &["-struct-text", path_str(&pdf.path())]);
    let codes: Vec<&str> = structure
        .split(|c: char| !c.is_ascii_hexdigit())
        .filter(|word| word.len() == 8 && word.starts_with("00000"))
        .collect();
    let expected: Vec<String> = (1..=300).rev().map(|id| format!("{id:08x}")).collect();
    assert_eq!(codes, expected);
}

#[test]
fn a_long_annex_is_sound_and_the_same_every_time() {
    // More elements than are packed together.
    let pdf = annexed(6000);
    run("qpdf", &["--check", path_str(&pdf.path())]);
    assert!(pdf.text().contains("6.000 contatos"));
    let again = renderer().statement(&sample::invoice(), Some(&evidence(6000))).unwrap();
    assert!(fs::read(pdf.path()).unwrap() == again, "equal bytes");
}

#[test]
fn an_annex_without_contacts_is_none() {
    assert_eq!(
        renderer().statement(&no_use(), Some(&evidence(0))).unwrap(),
        renderer().statement(&no_use(), None).unwrap()
    );
    let error = renderer().statement(&no_use(), Some("id\n")).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"the annex of the statement cannot be made: line 1 of the evidence is not as fecha writes it");
}
