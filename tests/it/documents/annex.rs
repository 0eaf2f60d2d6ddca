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
    let text = run("pdftotext", &["-layout", path_str(&pdf.path()), "-"]);
    let pages: Vec<&str> = text.split('\u{c}').collect();
    assert_eq!(pages.len(), 6, "a page of statement, four of annex, and the end: {text}");
    assert!(pages[1].contains("Anexo: contatos considerados"), "{text}");
    assert!(pages[1].contains("no fuso horário"), "{text}");
    let row = |page: &str, start: &str| -> Vec<String> {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        page.lines().map(words).find(|w| w.first().is_some_and(|w| w == start)).unwrap()
    };
    let first = "1 000000c8 +55 48 9••••-0000 02/10/2026 23:00:00 concessionária 0 2 1";
    assert_eq!(row(pages[1], "1").join(" "), first);
    let last = "200 00000001 +55 48 9••••-0199 02/10/2026 23:03:19 contato 199 2 1";
    assert_eq!(row(pages[4], "200").join(" "), last);
    assert_eq!(row(pages[4], "Total").join(" "), "Total 200 contatos 19.900 400 200");
    for (page, number) in pages[1..5].iter().zip(2..) {
        assert!(page.contains(&format!("Página {number} de 5")), "{page}");
        let header = row(page, "Nº").join(" ");
        let titles = "Nº Código Contato Primeira mensagem Escrita por Recebidas Enviadas HSM";
        assert_eq!(header, titles, "on every page");
    }
    show("anexo.pdf", &pdf);
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
