//! The Pix code of a page as it is copied out of the programs that people read with, and as it is scanned.

use std::fs;
use std::path::PathBuf;

use fecha_core::bill::invoice::Invoice;
use fecha_core::party::pix::{PixKey, Receiver, br_code};
use rstest::rstest;

use super::{invoice_pdf, renderer, show};
use crate::support::pdf::{path_str, run};
use crate::support::{sample, tools};

/// Key, name and city of a receiver; name and city as the code has them.
struct Case {
    key: &'static str,
    name: &'static str,
    city: &'static str,
    said: [&'static str; 2],
}

const fn case(
    key: &'static str,
    name: &'static str,
    city: &'static str,
    said: [&'static str; 2],
) -> Case {
    Case { key, name, city, said }
}

const LONGEST_KEY: &str =
    "financeiro.contas-a-receber_2026@uma-empresa-de-nome-bem-comprido.example.com";

const CASES: [Case; 10] = [
    case(
        "11222333000181",
        "Exemplo Tecnologia Ltda",
        "Caxias do Sul",
        ["Exemplo Tecnologia Ltda", "Caxias do Sul"],
    ),
    case(
        "123e4567-e12b-12d1-a456-426655440000",
        "A-B - Comércio & Cia. Ltda",
        "São Paulo",
        ["A-B - Comercio e Cia. Ltd", "Sao Paulo"],
    ),
    case("+5554999990820", "O'Brien, Irmãos S/A", "Itá", ["OBrien Irmaos S/A", "Ita"]),
    case("financeiro@example.com", "Ação", "X", ["Acao", "X"]),
    // The issuer's own address and telephone are links where a page says them, and none here.
    case(
        "zoe.kowalski+pix@example.com",
        "ZWK QUÍMICA E JÓIAS",
        "Xanxerê",
        ["ZWK QUIMICA E JOIAS", "Xanxere"],
    ),
    case(
        LONGEST_KEY,
        "Comércio Internacional de Automóveis",
        "São José dos Campos",
        ["Comercio Internacional de", "Sao Jose dos Ca"],
    ),
    // Letters that are no part of most files.
    case("o'neil*{x}~^@example.com", "Łódź & Muñoz", "Ülm", ["Lodz e Munoz", "Ulm"]),
    // A hyphen or a blank where a line might end.
    case(
        "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z@a-b.example.com",
        "A B C D E F G H I J K L M",
        "N O P Q R S T U",
        ["A B C D E F G H I J K L M", "N O P Q R S T U"],
    ),
    case("11222333000181", "1 2 3 4 5", "6 7 8", ["1 2 3 4 5", "6 7 8"]),
    case(
        "11222333000181",
        "  Veículos   do  Sul ",
        "Foz-do-Iguaçu",
        ["Veiculos do Sul", "Foz-do-Iguacu"],
    ),
];

fn with_code(Case { key, name, city, .. }: &Case) -> (Invoice, String) {
    let mut invoice = sample::invoice();
    let key: PixKey = key.parse().unwrap();
    let code = br_code(Receiver { key: &key, name, city }, invoice.total(), "2026000001").unwrap();
    invoice.pix = Some(code.clone());
    (invoice, code)
}

#[test]
fn the_pix_code_is_copied_in_one_line_from_every_reader() {
    let folder = tempfile::tempdir().unwrap();
    let codes: Vec<String> = CASES.iter().map(|case| with_code(case).1).collect();
    let files: Vec<PathBuf> = CASES
        .iter()
        .enumerate()
        .map(|(number, case)| {
            let path = folder.path().join(format!("{number}.pdf"));
            fs::write(&path, renderer().invoice(&with_code(case).0).unwrap()).unwrap();
            path
        })
        .collect();
    let poppler = |mode: &'static str| {
        let files = files.iter();
        files.map(|file| run("pdftotext", &[mode, path_str(file), "-"])).collect::<Vec<_>>()
    };
    let readers = [
        ("poppler", poppler("-nopgbrk")),
        ("poppler -raw", poppler("-raw")),
        ("poppler -layout", poppler("-layout")),
        ("pdf.js", tools::pdfjs(&files)),
        ("PDFium", tools::pdfium(&files)),
        ("MuPDF", files.iter().map(|file| tools::mupdf(file)).collect()),
    ];
    for (reader, texts) in readers {
        assert_eq!(texts.len(), codes.len());
        for (text, code) in texts.iter().zip(&codes) {
            assert!(
                text.lines().any(|line| line.trim() == code),
                "{reader} has no line\n{code}\nin\n{text}"
            );
        }
    }
    for ((read, case), code) in tools::pix(&codes).into_iter().zip(&CASES).zip(&codes) {
        assert_eq!(read.refused, None, "{code}");
        assert_eq!(read.pix_key.as_deref(), Some(case.key));
        assert_eq!(
            [read.merchant_name.as_deref(), read.merchant_city.as_deref()],
            case.said.map(Some)
        );
        assert_eq!(
            (read.transaction_amount, read.txid.as_deref()),
            (Some(1192.27), Some("2026000001"))
        );
    }
    // What a line's end does, which is why there must be none.
    let broken = codes[0].replacen("5802BR", "\n5802BR", 1);
    assert!(tools::pix(&[broken])[0].refused.is_some());
}

#[rstest]
fn the_pix_code_stands_on_the_page(#[values(0, 1, 3, 5, 6, 7)] number: usize) {
    let (invoice, code) = with_code(&CASES[number]);
    let pdf = invoice_pdf(&invoice);
    pdf.assert_sound();
    assert_eq!(pdf.qr_code(), code);
    show(&format!("pix-{number}.pdf"), &pdf);
}

/// Scanned at 200 dots an inch, printed badly, or photographed.
#[rstest]
fn the_qr_code_is_read_from_a_poor_picture(#[values(0, 5)] number: usize) {
    let (invoice, code) = with_code(&CASES[number]);
    let pdf = invoice_pdf(&invoice);
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page");
    run("pdftoppm", &["-r", "200", "-png", "-singlefile", path_str(&pdf.path()), path_str(&page)]);
    tools::spoil(&page.with_extension("png"), folder.path());
    for spoilt in ["jpeg", "tilted", "turned", "upside-down", "blurred", "grey"] {
        let picture = folder.path().join(format!("{spoilt}.jpg"));
        let read =
            run("zbarimg", &["-q", "--raw", "-Sdisable", "-Sqrcode.enable", path_str(&picture)]);
        assert_eq!(read.trim_end(), code, "{spoilt}");
    }
}
