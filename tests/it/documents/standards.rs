//! Documents of every kind, held against PDF/A-3a, PDF/A-3b and PDF/UA-1 by veraPDF.

use std::fs;
use std::path::PathBuf;

use fecha::document::{Branding, Renderer};
use fecha_core::bill::invoice::{Cancellation, Invoice};
use fecha_core::bill::pro_forma::{Ahead, NO_NUMBER, ProForma};
use fecha_core::count::sending::{Billing, Kind, Sending};
use fecha_core::price::messages::{Free, MessagePrice, Step, Steps};
use fecha_core::price::money::Money;
use fecha_core::price::monthly::{MonthlyPrice, Per};
use fecha_core::price::table::PriceTable;

use super::annex::evidence;
use super::extreme::{credited, huge, revised};
use super::{adjustment, no_use, renderer, with_lines, with_text_everywhere};
use crate::support::pdf::{Pdf, path_str, run};
use crate::support::{sample, samples, tools};

fn cancelled() -> Cancellation {
    Cancellation {
        on: "2026-11-04".parse().unwrap(),
        reason: "Faturada para a filial errada".to_owned(),
        by: "Maria Souza".to_owned(),
        paid: "500.00".parse().unwrap(),
    }
}

fn pro_forma(ahead: bool, lines: usize) -> ProForma {
    let mut content = Invoice { number: NO_NUMBER, pix: None, ..sample::invoice() };
    content.lines.extend((0..lines).map(|n| adjustment(&format!("Ajuste {n}"), "-1.00")));
    let total = content.total();
    ProForma {
        content,
        as_of: "2026-10-24T11:00:00Z".parse().unwrap(),
        ahead: ahead.then_some(Ahead { uam: 6000, hsm: 400, total }),
    }
}

fn nothing_to_pay() -> Invoice {
    let mut lines = sample::invoice().lines;
    lines.push(adjustment("Crédito", "-1192.27"));
    with_lines(lines)
}

fn paid_in_part() -> Invoice {
    let mut invoice = sample::invoice();
    invoice.already_paid = "192.27".parse::<Money>().unwrap();
    invoice.pix = sample::pix(&invoice);
    invoice
}

fn many_lines() -> Invoice {
    let mut lines = sample::invoice().lines;
    let long = "Desconto combinado por telefone com o gerente regional ".repeat(4);
    lines.extend((0..40).map(|_| adjustment(&long, "-1.00")));
    with_lines(lines)
}

fn many_templates() -> Invoice {
    let mut invoice = sample::invoice();
    invoice.usage.hsm_by_template = (1..=60).map(|n| (format!("modelo_{n:02}"), n)).collect();
    invoice
}

/// The sample with a logo of this name and content in place of the issuer's name.
fn with_logo(name: &str, content: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let renderer = Renderer::new(&Branding { logo: Some(path) }).unwrap();
    renderer.invoice(&sample::invoice()).unwrap()
}

fn of_every_kind() -> Vec<(&'static str, Vec<u8>)> {
    let renderer = renderer();
    let invoices = [
        ("fatura", sample::invoice()),
        ("fatura-sem-pix", Invoice { pix: None, ..sample::invoice() }),
        ("fatura-zero", nothing_to_pay()),
        ("fatura-sem-uso", no_use()),
        ("fatura-credito", credited()),
        ("fatura-paga-em-parte", paid_in_part()),
        ("fatura-revisao", revised()),
        ("fatura-enorme", huge()),
        ("fatura-longa", many_lines()),
        ("fatura-nomes", with_text_everywhere(&"Comércio de Automóveis ".repeat(12))),
        ("fatura-letras", with_text_everywhere("Łódź <Muñoz> & “Zé” 🚗 سيارات \u{202e}x")),
        ("fatura-sem-telefone", without_telephone()),
        ("fatura-categorias", by_category()),
    ];
    let statements = [
        ("extrato", sample::invoice(), None),
        ("extrato-sem-uso", no_use(), None),
        ("extrato-revisao", revised(), None),
        ("extrato-categorias", by_category(), None),
        ("extrato-enorme", huge(), None),
        ("extrato-modelos", many_templates(), None),
        ("extrato-letras", with_text_everywhere("Łódź <Muñoz> & “Zé” 🚗 سيارات"), None),
        ("extrato-anexo", sample::invoice(), Some(evidence(700))),
    ];
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    for (name, invoice) in &invoices {
        files.push((*name, renderer.invoice(invoice).unwrap()));
    }
    for (name, invoice, annex) in &statements {
        files.push((*name, renderer.statement(invoice, annex.as_deref()).unwrap()));
    }
    let cancelled = renderer.cancellation(&sample::invoice(), &cancelled()).unwrap();
    files.extend([
        ("cancelamento", cancelled),
        ("previa", renderer.preview(&pro_forma(true, 0)).unwrap()),
        ("previa-do-mes", renderer.preview(&pro_forma(false, 0)).unwrap()),
        ("previa-longa", renderer.preview(&pro_forma(true, 40)).unwrap()),
        ("grupo", renderer.group_bill(&samples::group_bill(3)).unwrap()),
        ("grupo-grande", renderer.group_bill(&samples::group_bill(60)).unwrap()),
        ("grupo-pago", renderer.group_bill(&samples::group_bill_of_the_worst()).unwrap()),
        ("logo-png", with_logo("logo.png", &super::logo::png())),
        ("logo-svg", with_logo("logo.svg", super::logo::DRAWING.as_bytes())),
    ]);
    files
}

/// Messages by category in steps, some free and some not billed, a licence, and what no entry takes.
fn by_category() -> Invoice {
    let price = |price: &str| price.parse().unwrap();
    let entry = |line: &str, kind, categories: &[&str], steps, free| MessagePrice {
        line: line.to_owned(),
        kind,
        categories: categories.iter().map(|name| name.parse().unwrap()).collect(),
        steps,
        free,
    };
    let steps = vec![
        Step { up_to: Some(100), price: price("0.12") },
        Step { up_to: None, price: price("0.10") },
    ];
    let prices = PriceTable {
        messages: vec![
            entry("Utilidade", Kind::Hsm, &["utility"], steps.try_into().unwrap(), Free::None),
            entry(
                "Serviço",
                Kind::Session,
                &["service"],
                Steps::one(price("0.06")),
                Free::Dealership(50),
            ),
        ],
        monthly: vec![MonthlyPrice {
            line: "Licença".to_owned(),
            price: price("199.00"),
            per: Per::Dealership,
        }],
        ..sample::prices()
    };
    let mut invoice = sample::invoice();
    let sending = |kind, name: &str, billing| Sending {
        kind,
        category: name.parse().ok(),
        number: None,
        billing,
    };
    invoice.usage.sent_as = [
        (sending(Kind::Hsm, "utility", Billing::Billed), 200),
        (sending(Kind::Hsm, "utility", Billing::Unbilled), 10),
        (sending(Kind::Hsm, "marketing", Billing::Billed), invoice.usage.hsm - 210),
        (sending(Kind::Session, "service", Billing::Billed), 70),
    ]
    .into_iter()
    .collect();
    invoice.lines = prices.lines(invoice.used()).unwrap();
    invoice.prices = Some(prices);
    invoice.pix = sample::pix(&invoice);
    invoice
}

fn without_telephone() -> Invoice {
    let mut invoice = sample::invoice();
    invoice.issuer.phone.clear();
    invoice
}

#[test]
fn documents_of_every_kind_hold_against_the_standards() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = of_every_kind()
        .into_iter()
        .map(|(name, bytes)| {
            let path = folder.path().join(format!("{name}.pdf"));
            fs::write(&path, bytes).unwrap();
            path
        })
        .collect();
    let broken = tools::broken("3a,3b,ua1", &files);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The checker tells, and a file that only claims is found out.
#[test]
fn a_file_that_only_claims_to_hold_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, claims] = ["plain.pdf", "claims.pdf"].map(|name| folder.path().join(name));
    let pdf = Pdf::new(renderer().invoice(&sample::invoice()).unwrap());
    run("qpdf", &["--qdf", "--object-streams=disable", path_str(&pdf.path()), path_str(&plain)]);
    let mut bytes = fs::read(plain).unwrap();
    let (figure, other) = (b"/S /Figure", b"/S /Fogure");
    let at = bytes.windows(figure.len()).position(|window| window == figure).unwrap();
    bytes[at..at + figure.len()].copy_from_slice(other);
    fs::write(&claims, bytes).unwrap();
    let broken = tools::broken("3a,ua1", &[claims]);
    assert!(broken.iter().any(|line| line.starts_with("FAIL ua1")), "{broken:?}");
}

/// Each table of a structure, with what is in it.
fn tables(structure: &str) -> Vec<String> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = structure.lines().collect();
    let begins = |index: &usize| lines[*index].trim_start().starts_with("Table");
    (0..lines.len())
        .filter(begins)
        .map(|begin| {
            let inside = |line: &&&str| depth(line) > depth(lines[begin]);
            lines[begin + 1..].iter().take_while(inside).copied().collect::<Vec<_>>().join("\n")
        })
        .collect()
}

/// What no program can tell: that it is read in the order of the page, and as what it is.
#[test]
fn the_structure_says_what_the_page_shows() {
    for (name, bytes) in of_every_kind() {
        let pdf = Pdf::new(bytes);
        let structure = run("pdfinfo", &["-struct", path_str(&pdf.path())]);
        let elements: Vec<&str> = structure
            .lines()
            .filter_map(|line| line.split([' ', ':']).find(|word| !word.is_empty()))
            .collect();
        assert_eq!(
            elements.iter().filter(|element| **element == "H1").count(),
            1,
            "{name}: one title\n{structure}"
        );
        let first = |element: &str| elements.iter().position(|one| *one == element);
        assert!(
            first("H2").is_none_or(|heading| first("H1") < Some(heading)),
            "{name}: {structure}"
        );
        assert!(!elements.contains(&"H3"), "{name}: no level is left out");
        for table in tables(&structure) {
            let columns = table.matches("/Scope /Column").count();
            let rows = table.matches("/Scope /Row").count();
            // A head is one row, however many pages the table has; one of two columns has heads of rows alone.
            assert!((3..=6).contains(&columns) || (columns == 0 && rows >= 2), "{name}: {table}");
        }
        // Whatever cell is read, it is said what it is about.
        let count = |name: &str| elements.iter().filter(|element| **element == name).count();
        assert_eq!(count("TH"), structure.matches("/Scope /").count(), "{name}: {structure}");
        assert!(count("TH") >= count("TR"), "{name}: {structure}");
        assert_eq!(structure.matches("/BBox").count(), count("Figure"), "{name}: {structure}");
    }
}

#[test]
fn the_issuer_is_written_to_and_called_from_the_page() {
    let pdf = Pdf::new(renderer().invoice(&sample::invoice()).unwrap());
    let json = run("qpdf", &["--json", path_str(&pdf.path())]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let objects = json["qpdf"][1].as_object().unwrap();
    let links: Vec<&serde_json::Value> = objects
        .values()
        .map(|object| &object["value"])
        .filter(|value| value["/Subtype"] == "/Link")
        .collect();
    for (target, description) in [
        ("u:mailto:financeiro@example.com", ["Escrever para", "financeiro@example.com"]),
        ("u:tel:+555430000000", ["Ligar para", "3000-0000"]),
    ] {
        let link = links.iter().find(|link| link["/A"]["/URI"] == target);
        let link = link.unwrap_or_else(|| panic!("{target} is not in {links:?}"));
        let contents = link["/Contents"].as_str().unwrap();
        assert!(description.iter().all(|words| contents.contains(words)), "{contents}");
        assert_eq!(link["/F"], 4, "printed, as an archive needs it");
        // It lies on its words.
        let side = |place: usize| link["/Rect"][place].as_f64().unwrap();
        let words = pdf.words();
        let [_, text] = description;
        assert!(
            words.iter().any(|word| word.text.contains(text)
                && f64::from(word.right) <= side(2) + 1.0
                && f64::from(word.right) > side(0)
                && f64::from(word.top) >= 841.89 - side(3) - 1.5
                && f64::from(word.bottom) <= 841.89 - side(1) + 1.5),
            "{link}: {words:?}"
        );
    }
}

#[test]
fn an_annex_is_found_in_the_list_of_contents() {
    let annexed = renderer().statement(&sample::invoice(), Some(&evidence(100))).unwrap();
    let json = |bytes| run("qpdf", &["--json", path_str(&Pdf::new(bytes).path())]);
    let with: serde_json::Value = serde_json::from_str(&json(annexed)).unwrap();
    let [annex] = &with["outlines"].as_array().unwrap()[..] else { panic!("{}", with["outlines"]) };
    assert!(annex["title"].as_str().unwrap().starts_with("Anexo"), "{annex}");
    assert_eq!(annex["destpageposfrom1"], 2);
    let without = json(renderer().statement(&sample::invoice(), None).unwrap());
    let without: serde_json::Value = serde_json::from_str(&without).unwrap();
    assert_eq!(without["outlines"], serde_json::json!([]));
}
