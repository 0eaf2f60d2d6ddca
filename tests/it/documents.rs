//! Invoices and statements as their readers meet them: through poppler, qpdf and a QR reader.

mod annex;
mod copied;
mod extreme;
mod groups;
mod logo;
mod standards;

use std::fs;

use fecha::document::{Branding, Renderer};
use fecha_core::bill::bill::Use;
use fecha_core::bill::invoice::{Cancellation, Invoice, Replacement};
use fecha_core::count::service::WindowUse;
use fecha_core::count::tally::Buckets;
use fecha_core::price::item::{Item, Line};
use fecha_core::price::money::Money;
use proptest::prelude::*;
use rstest::rstest;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::support::pdf::{Pdf, path_str, run};
use crate::support::sample;

fn invoice_pdf(invoice: &Invoice) -> Pdf {
    Pdf::new(renderer().invoice(invoice).unwrap())
}

fn statement_pdf(invoice: &Invoice) -> Pdf {
    Pdf::new(renderer().statement(invoice, None).unwrap())
}

fn renderer() -> Renderer {
    Renderer::new(&Branding::default()).unwrap()
}

fn with_lines(lines: Vec<Line>) -> Invoice {
    let mut invoice = Invoice { lines, ..sample::invoice() };
    invoice.pix = sample::pix(&invoice);
    invoice
}

fn adjustment(description: &str, reais: &str) -> Line {
    let amount: Money = reais.parse().unwrap();
    let item = Item::Adjustment { description: description.to_owned() };
    Line { item, quantity: 1, unit_price: amount.reais(), amount }
}

fn no_use() -> Invoice {
    let mut invoice = with_lines(sample::prices().lines(Use::plain(5000, 0, 0)).unwrap());
    invoice.usage.uam = 0;
    invoice.usage.hsm = 0;
    invoice.usage.received = 0;
    invoice.usage.sent = 0;
    invoice.usage.started_by_dealership = 0;
    invoice.usage.hsm_by_template.clear();
    invoice.usage.new_contacts_by_day.clear();
    invoice.usage.buckets = Buckets::default();
    invoice
}

/// With `FECHA_PAPERS` set, the file is also written to that folder, to be looked at.
fn show(name: &str, pdf: &Pdf) {
    if let Some(folder) = std::env::var_os("FECHA_PAPERS") {
        fs::write(std::path::Path::new(&folder).join(name), &pdf.bytes).unwrap();
    }
}

#[test]
fn an_invoice_reads_from_top_to_bottom() {
    let pdf = invoice_pdf(&sample::invoice());
    show("fatura.pdf", &pdf);
    pdf.assert_sound();
    assert_eq!(pdf.info("Pages"), "1");
    insta::assert_snapshot!(pdf.text());
}

#[test]
fn a_statement_reads_from_top_to_bottom() {
    let pdf = statement_pdf(&sample::invoice());
    show("extrato.pdf", &pdf);
    pdf.assert_sound();
    assert_eq!(pdf.info("Pages"), "1");
    insta::assert_snapshot!(pdf.text());
}

#[test]
fn a_month_without_use_says_so() {
    invoice_pdf(&no_use()).assert_sound();
    let pdf = statement_pdf(&no_use());
    show("extrato-sem-uso.pdf", &pdf);
    pdf.assert_sound();
    insta::assert_snapshot!(pdf.text());
}

#[test]
fn every_font_is_embedded_and_the_file_is_small() {
    for pdf in [invoice_pdf(&sample::invoice()), statement_pdf(&sample::invoice())] {
        let fonts = run("pdffonts", &[path_str(&pdf.path())]);
        let fonts: Vec<&str> = fonts.lines().skip(2).collect();
        // Nothing that is usual needs a part of a face of its own.
        assert_eq!(fonts.len(), 2, "{fonts:?}");
        // Embedded, a subset, and with a map to Unicode.
        assert!(fonts.iter().all(|font| font.contains(" yes yes yes ")), "{fonts:?}");
        assert!(pdf.bytes.len() <= 20 * 1024, "{} bytes", pdf.bytes.len());
    }
}

#[test]
fn a_file_says_what_it_is() {
    let pdf = statement_pdf(&sample::invoice());
    assert_eq!(pdf.info("Title"), "Extrato 2026-000001");
    assert_eq!(pdf.info("Author"), "Exemplo Tecnologia Ltda");
    assert_eq!(pdf.info("Page size"), "595.276 x 841.89 pts (A4)");
    assert_eq!(pdf.info("PDF version"), "1.7");
    let dates = run("pdfinfo", &["-isodates", path_str(&pdf.path())]);
    assert!(dates.contains("CreationDate:    2026-11-01T03:00:01Z"), "{dates}");
    let json = run("qpdf", &["--json", path_str(&pdf.path())]);
    assert!(json.contains(r#""/Lang": "u:pt-BR""#));
    assert!(!json.contains("GTS_PDFX"));
}

/// What a file claims to be; `archive.rs` has it checked.
#[test]
fn a_file_is_fit_for_an_archive() {
    for pdf in [invoice_pdf(&sample::invoice()), statement_pdf(&sample::invoice())] {
        let json = run("qpdf", &["--json", path_str(&pdf.path())]);
        for entry in [
            r#""/S": "/GTS_PDFA1""#,
            r#""/OutputConditionIdentifier": "u:sRGB""#,
            r#""/Marked": true"#,
            r#""/Type": "/StructTreeRoot""#,
        ] {
            assert!(json.contains(entry), "{entry}");
        }
        let metadata = run("pdfinfo", &["-meta", path_str(&pdf.path())]);
        for element in [
            "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>",
            "<rdf:li>Exemplo Tecnologia Ltda</rdf:li>",
            "<xmp:CreateDate>2026-11-01T03:00:01Z</xmp:CreateDate>",
        ] {
            assert!(metadata.contains(element), "{element} is not in {metadata}");
        }
    }
}

#[test]
fn an_invoice_carries_its_data() {
    let mut invoice = sample::invoice();
    invoice.revision = 2;
    let pdf = invoice_pdf(&invoice);
    let listed = run("pdfdetach", &["-list", path_str(&pdf.path())]);
    assert!(listed.contains("1: fatura-2026-000001-R2.json"), "{listed}");
    let data = pdf.path().with_file_name("data.json");
    run("pdfdetach", &["-save", "1", "-o", path_str(&data), path_str(&pdf.path())]);
    let read: Invoice = serde_json::from_slice(&fs::read(data).unwrap()).unwrap();
    assert_eq!(read, invoice);
    let json = run("qpdf", &["--json", path_str(&pdf.path())]);
    assert!(json.contains(r#""/AFRelationship": "/Data""#));
    assert!(json.contains(r#""/Subtype": "/application/json""#));
}

#[test]
fn who_cannot_see_the_page_is_read_its_structure() {
    let pdf = invoice_pdf(&sample::invoice());
    let structure = run("pdfinfo", &["-struct-text", path_str(&pdf.path())]);
    let numbers = |line: &str| line.trim_start().starts_with("Object ");
    let structure: Vec<&str> = structure.lines().filter(|line| !numbers(line)).collect();
    insta::assert_snapshot!(structure.join("\n"));
    let mut long = sample::invoice();
    long.usage.hsm_by_template = (1..=60).map(|n| (format!("modelo_{n:02}"), n)).collect();
    let statement = statement_pdf(&long);
    let structure = run("pdfinfo", &["-struct-text", path_str(&statement.path())]);
    // Packages; templates, one table over three pages.
    assert_eq!(structure.matches("Table (block)").count(), 2, "{structure}");
    assert_eq!(structure.matches("Figure").count(), 2);
}

/// Letters that few names need are in the files that show them, and in no others.
#[rstest]
#[case("Wałęsa Automóveis", 4)]
#[case("Muñoz Fidèle", 4)]
#[case("São João & Irmãos", 2)]
fn rare_letters_are_a_part_of_the_file(#[case] name: &str, #[case] fonts: usize) {
    let mut invoice = sample::invoice();
    invoice.dealership.name = name.to_owned();
    // In the regular weight too.
    invoice.dealership.address = format!("Rua {name}");
    let pdf = invoice_pdf(&invoice);
    pdf.assert_sound();
    let text = pdf.text();
    assert_eq!(text.matches(name).count(), 2, "{text}");
    assert_eq!(run("pdffonts", &[path_str(&pdf.path())]).lines().skip(2).count(), fonts);
    let usual = invoice_pdf(&sample::invoice()).bytes.len();
    assert!(pdf.bytes.len() < usual + 2500, "{} and {usual} bytes", pdf.bytes.len());
    // Made for it, or at hand from another file: it is the same.
    let renderer = renderer();
    for _ in 0..2 {
        assert!(renderer.invoice(&invoice).unwrap() == pdf.bytes);
    }
}

#[test]
fn a_renderer_is_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Renderer>();
}

/// A hash over documents of the sample, for the test below; prints it last.
fn fingerprint() -> String {
    let renderer = renderer();
    let mut hash = Sha256::new();
    hash.update(renderer.invoice(&sample::invoice()).unwrap());
    hash.update(renderer.statement(&sample::invoice(), None).unwrap());
    hex::encode(hash.finalize())
}

#[test]
#[ignore = "run by the_same_model_gives_the_same_bytes, in a process of its own"]
fn fingerprint_in_another_process() {
    // What was rendered before must not matter.
    renderer().statement(&no_use(), None).unwrap();
    println!("fingerprint {}", fingerprint());
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    let first = fingerprint();
    let renderer = renderer();
    renderer.invoice(&no_use()).unwrap();
    let later = renderer.invoice(&sample::invoice()).unwrap();
    renderer.statement(&no_use(), None).unwrap();
    assert_eq!(later, renderer.invoice(&sample::invoice()).unwrap());
    assert_eq!(first, fingerprint());

    let this = std::env::current_exe().unwrap();
    let name = "documents::fingerprint_in_another_process";
    let printed = run(path_str(&this), &["--exact", name, "--ignored", "--nocapture"]);
    assert!(printed.contains(&format!("fingerprint {first}")), "{first} is not in {printed}");
}

/// The sample with this text wherever a person can write one.
fn with_text_everywhere(text: &str) -> Invoice {
    let mut invoice = sample::invoice();
    let Invoice { issuer, dealership, .. } = &mut invoice;
    for field in [&mut issuer.name, &mut issuer.address, &mut issuer.city, &mut issuer.phone] {
        text.clone_into(field);
    }
    let fields = [&mut dealership.name, &mut dealership.trade_name, &mut dealership.address];
    for field in fields.into_iter().chain([&mut dealership.city]) {
        text.clone_into(field);
    }
    invoice.usage.hsm_by_template.insert(text.to_owned(), 7);
    invoice.lines.push(adjustment(text, "-12.50"));
    let (reason, by) = (text.to_owned(), text.to_owned());
    invoice.replaces =
        Some(Replacement { revision: 0, total: Money::ZERO, reason, by, paid: Money::ZERO });
    invoice
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_name_stays_on_the_page(name in "\\PC{0,200}") {
        let invoice = with_text_everywhere(&name);
        invoice_pdf(&invoice).assert_sound();
        statement_pdf(&invoice).assert_sound();
    }
}

#[rstest]
#[case::long("Comércio ".repeat(33))]
#[case::one_word("Transcontinental".repeat(19))]
#[case::markup("<script>alert('x')</script> & \"Filhos\"".to_owned())]
#[case::emoji("Auto 🚗💨 Center 👨‍👩‍👧‍👦".to_owned())]
#[case::right_to_left("شركة السيارات العربية \u{202e}txt.exe".to_owned())]
#[case::combining("Joa\u{303}o Ve\u{301}culos x\u{336}y\u{336}z\u{336}".to_owned())]
#[case::chinese("汽车销售有限公司".repeat(20))]
#[case::lines("uma\nduas\ttrês\r\n\u{0}quatro".to_owned())]
fn extreme_names_stay_on_the_page(#[case] name: String) {
    let invoice = with_text_everywhere(&name);
    for pdf in [invoice_pdf(&invoice), statement_pdf(&invoice)] {
        pdf.assert_sound();
        // Every character has something in its place.
        let shown: String = pdf.copied_text().split_whitespace().collect();
        let visible = name.chars().filter(|c| c.is_alphanumeric() && c.is_ascii());
        for c in visible {
            assert!(shown.contains(c), "{c} is missing");
        }
    }
}

#[test]
fn endless_names_come_to_an_end() {
    let invoice = with_text_everywhere(&"Comércio ".repeat(2000));
    for pdf in [invoice_pdf(&invoice), statement_pdf(&invoice)] {
        run("qpdf", &["--check", path_str(&pdf.path())]);
        // Page 1 names it in full in six places, or more.
        assert!(pdf.copied_text().matches("Comércio").count() >= 12_000);
    }
}

#[rstest]
#[case("Auto 🚗 Center", "Auto □ Center")]
#[case("Joa\u{303}o Ve\u{301}culos", "João Véculos")]
#[case("<script>alert(1)</script>", "<script>alert(1)</script>")]
#[case("O'Brien “Zé” & Ćwik–Ñandú", "O'Brien “Zé” & Ćwik–Ñandú")]
fn names_are_shown_as_they_are_or_with_a_replacement(#[case] name: &str, #[case] shown: &str) {
    let mut invoice = sample::invoice();
    invoice.dealership.name = name.to_owned();
    let text = invoice_pdf(&invoice).copied_text();
    assert!(text.lines().any(|line| line == shown), "{text}");
}

#[test]
fn large_amounts_and_usual_names_are_not_cut() {
    let name = "Distribuidora de Veículos Araçatuba S/A.";
    assert_eq!(name.chars().count(), 40);
    let mut invoice = with_lines(vec![adjustment(name, "1234567.89")]);
    invoice.dealership.name = name.to_owned();
    invoice.dealership.trade_name = name.to_owned();
    let pdf = invoice_pdf(&invoice);
    pdf.assert_sound();
    let text = pdf.text();
    assert_eq!(text.matches(name).count(), 3, "{text}");
    // Summary, unit price, amount, total, the step to it and this month's total, payment.
    assert_eq!(text.matches("R$ 1.234.567,89").count(), 7, "{text}");

    let pdf = invoice_pdf(&with_lines(vec![adjustment("tudo", "92233720368547758.07")]));
    pdf.assert_sound();
    assert_eq!(pdf.text().matches("92.233.720.368.547.758,07").count(), 7);
}

#[test]
fn amounts_end_in_one_line() {
    let mut lines = sample::prices().lines(Use::plain(5000, 5123, 310)).unwrap();
    lines.push(adjustment("Crédito de setembro", "-1111.11"));
    let words = invoice_pdf(&with_lines(lines)).words();
    let ends = |text: &str| {
        let last = words.iter().filter(|word| word.text.ends_with(text)).map(|word| word.right);
        last.fold(0.0, f32::max)
    };
    for amount in ["1.014,00", "35,67", "142,60", "1.111,11", "81,16"] {
        assert!((ends(amount) - 545.28).abs() < 0.05, "{amount} ends at {}", ends(amount));
    }
}

#[test]
fn a_revision_says_what_it_replaces_why_and_who_asked() {
    let mut invoice = sample::invoice();
    invoice.revision = 1;
    invoice.replaces = Some(Replacement {
        revision: 0,
        total: "1200.00".parse().unwrap(),
        reason: "Mensagens que chegaram depois do fechamento".to_owned(),
        by: "Maria Souza".to_owned(),
        paid: Money::ZERO,
    });
    let pdf = invoice_pdf(&invoice);
    pdf.assert_sound();
    let text = pdf.text();
    let from = text.find("Revisão 1").unwrap_or_else(|| panic!("{text}"));
    let to = text.find("Descrição").unwrap();
    let lines: Vec<&str> = text[from..to].lines().map(str::trim).collect();
    insta::assert_snapshot!(lines.join("\n").trim_end(), @r"
    Revisão 1: substitui a fatura 2026-000001
    Total anterior R$ 1.200,00, novo total R$ 1.192,27: R$ 7,73 a menos.
    Motivo: Mensagens que chegaram depois do fechamento (solicitada por Maria Souza)
    ");
    assert!(text.contains("Nº 2026-000001-R1"));
    assert_eq!(pdf.info("Title"), "Fatura 2026-000001-R1");
    assert_eq!(pdf.info("Pages"), "1");
}

/// A usual invoice with whatever may stand on it beside is still one page: a credit, what was paid, what it
/// replaces and why.
#[test]
fn all_that_may_stand_on_an_invoice_is_one_page() {
    let mut lines = sample::prices().lines(Use::plain(10_000, 10_412, 310)).unwrap();
    lines.push(adjustment("Crédito combinado em setembro", "-120.00"));
    let mut invoice = with_lines(lines);
    invoice.package = 10_000;
    invoice.usage.uam = 10_412;
    invoice.revision = 1;
    invoice.replaces = Some(Replacement {
        revision: 0,
        total: "1869.60".parse().unwrap(),
        reason: "Mensagens que chegaram depois do fechamento".to_owned(),
        by: "Maria Souza".to_owned(),
        paid: "1000.00".parse().unwrap(),
    });
    invoice.credit_left = "80.00".parse().unwrap();
    let pdf = invoice_pdf(&invoice);
    pdf.assert_sound();
    show("fatura-tudo.pdf", &pdf);
    assert_eq!(pdf.info("Pages"), "1");
    let text = pdf.text();
    for said in [
        "10.412 contatos no mês: 10.000 incluídos, 412 acima",
        "Crédito para as próximas faturas: R$ 80,00",
        "Já pago",
        "A pagar",
        "Pacote: 5.000 → 10.000",
        "Contatos acima do pacote: 0 → 412",
        "Créditos e cobranças",
        "Nenhum pacote único teria custado menos",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// Five months with 5.000 and one with 10.000: what counts is what these cost, not six months with 10.000.
#[test]
fn advice_is_held_against_the_packages_that_there_were() {
    let mut invoice = with_lines(sample::prices().lines(Use::plain(10_000, 5123, 310)).unwrap());
    invoice.package = 10_000;
    let text = invoice_pdf(&invoice).text().split_whitespace().collect::<Vec<_>>().join(" ");
    // 1.827,00 less 1.049,67.
    assert!(
        text.contains("O pacote de 5.000 teria custado R$ 777,33 a menos nos últimos"),
        "{text}"
    );
    assert!(text.contains("O de 10.000 compensa a partir de 7.804"), "{text}");
}

/// Months that were not invoiced are no months of the comparison, and other prices of then are said.
#[test]
fn advice_says_by_which_prices_and_over_which_months() {
    let mut invoice = sample::invoice();
    invoice.history.remove(2);
    let flat = |invoice: &Invoice| {
        invoice_pdf(invoice).text().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let text = flat(&invoice);
    assert!(text.contains("Seu pacote foi o mais barato dos 4 nos 5 meses faturados."), "{text}");
    invoice.history[0].amounts.as_mut().unwrap().package = "1000.00".parse().unwrap();
    let text = flat(&invoice);
    assert!(text.contains("Pelos preços de outubro, seu pacote foi o mais barato"), "{text}");
}

#[test]
fn a_first_invoice_compares_with_nothing() {
    let text = invoice_pdf(&Invoice { history: Vec::new(), ..sample::invoice() }).text();
    assert!(text.contains("A comparação com o mês anterior começa na próxima."), "{text}");
    assert!(text.contains("Seu pacote foi o mais barato dos 4 em outubro."), "{text}");
}

#[test]
fn the_same_total_is_called_so_and_a_new_price_is_named() {
    let mut invoice = sample::invoice();
    let (amounts, usage) = (invoice.amounts(), invoice.usage.clone());
    let past = invoice.history.last_mut().unwrap();
    (past.uam, past.hsm) = (usage.uam, usage.hsm);
    (past.amounts, past.total) = (Some(amounts), amounts.total());
    let text = invoice_pdf(&invoice).text();
    assert!(text.contains("O mesmo total que em setembro"), "{text}");
    // HSM were R$ 0,40.
    let past = invoice.history.last_mut().unwrap();
    past.amounts.as_mut().unwrap().hsm = "124.00".parse().unwrap();
    past.total = past.amounts.unwrap().total();
    let text = invoice_pdf(&invoice).text();
    assert!(text.contains("Por que mudou: R$ 18,60 a mais que em setembro"), "{text}");
    assert!(text.contains("Mensagens de modelo: preço novo"), "{text}");
}

#[test]
fn what_could_have_been_saved_stands_below_the_templates() {
    let mut invoice = sample::invoice();
    invoice.usage.windows = Some(WindowUse { hsm_inside: 12, sessions_outside: 3 });
    let pdf = statement_pdf(&invoice);
    show("extrato-janelas.pdf", &pdf);
    assert_eq!(pdf.info("Pages"), "1");
    let text = pdf.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Evitáveis: R$ 5,52."), "{text}");
    assert!(text.contains("3 mensagens comuns constam como enviadas fora da janela"), "{text}");
}

#[rstest]
#[case::zero("-1192.27", "Nada a pagar")]
#[case::credit("-1200.00", "R$ 7,73 a seu favor")]
fn nothing_to_pay_has_no_code(#[case] credit: &str, #[case] said: &str) {
    let mut lines = sample::invoice().lines;
    lines.push(adjustment("Crédito", credit));
    let invoice = with_lines(lines);
    assert_eq!(invoice.pix, None);
    let pdf = invoice_pdf(&invoice);
    pdf.assert_sound();
    let text = pdf.text();
    assert!(text.contains(said) && !text.contains("Pix"), "{text}");
}

#[test]
fn without_a_pix_key_it_says_whom_to_ask() {
    let text = invoice_pdf(&Invoice { pix: None, ..sample::invoice() }).text();
    assert!(text.contains("Combine a forma de pagamento com o emitente."), "{text}");
}

#[test]
fn many_adjustments_flow_to_a_second_page_under_the_same_header() {
    let mut lines = sample::invoice().lines;
    let long = "Desconto combinado por telefone com o gerente regional ".repeat(4);
    lines.extend((0..14).map(|_| adjustment(&long, "-1.00")));
    lines.push(adjustment(&"Uma descrição sem fim ".repeat(700), "-1.00"));
    let pdf = invoice_pdf(&with_lines(lines));
    pdf.assert_sound();
    let text = pdf.text();
    assert!(text.matches("Preço unitário").count() >= 2, "{text}");
    assert_eq!(text.matches("R$ 1,00").count(), 30);
    assert_eq!(text.split_whitespace().filter(|word| *word == "descrição").count(), 700);
    let pages = pdf.info("Pages");
    assert!(text.contains(&format!("Página {pages} de {pages}")));
}

/// A statement of a usual dealership, with eight templates and six months, fills one page.
#[test]
fn eight_templates_and_six_months_are_one_page() {
    let mut invoice = sample::invoice();
    invoice.usage.hsm_by_template = (1..=8).map(|n| (format!("modelo_de_nome_{n}"), n)).collect();
    let pdf = statement_pdf(&invoice);
    pdf.assert_sound();
    show("extrato-8.pdf", &pdf);
    assert_eq!(pdf.info("Pages"), "1");
}

#[test]
fn sixty_templates_flow_over_pages() {
    let mut invoice = sample::invoice();
    invoice.usage.hsm_by_template = (1..=60).map(|n| (format!("modelo_{n:02}"), n)).collect();
    let hsm: u64 = (1..=60).sum();
    invoice.usage.hsm = hsm;
    invoice.lines = sample::prices().lines(Use::plain(5000, 5123, hsm)).unwrap();
    let pdf = statement_pdf(&invoice);
    pdf.assert_sound();
    let text = pdf.text();
    assert!((1..=60).all(|n| text.contains(&format!("modelo_{n:02}"))));
    assert_eq!(pdf.info("Pages"), "3");
    assert_eq!(text.matches("a R$ 0,46").count(), 3);
    assert!(text.contains("Página 3 de 3"));
}

#[test]
fn a_month_cut_by_a_change_of_zone_shows_its_hours() {
    let mut invoice = sample::invoice();
    invoice.period.start += chrono::Duration::hours(1);
    let text = invoice_pdf(&invoice).copied_text();
    assert!(text.contains("01/10/2026 01:00 a 01/11/2026 00:00"), "{text}");
}

#[test]
fn a_price_finer_than_a_centavo_is_printed_in_full() {
    let mut invoice = sample::invoice();
    invoice.lines[1].unit_price = Decimal::new(2995, 4);
    assert!(invoice_pdf(&invoice).text().contains("R$ 0,2995"));
}

#[test]
fn a_cancellation_says_that_nothing_is_to_be_paid() {
    let cancellation = Cancellation {
        on: chrono::NaiveDate::from_ymd_opt(2026, 11, 4).unwrap(),
        reason: "Faturada para a filial errada".to_owned(),
        by: "Maria Souza".to_owned(),
        paid: "500.00".parse().unwrap(),
    };
    let pdf = renderer().cancellation(&sample::invoice(), &cancellation).unwrap();
    let pdf = Pdf::new(pdf);
    pdf.assert_sound();
    show("cancelamento.pdf", &pdf);
    let text = pdf.copied_text();
    for said in
        ["Desconsidere a fatura e não a pague.", "R$ 500,00", "Faturada para a filial errada"]
    {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    assert_eq!(pdf.info("Pages"), "1");
}
