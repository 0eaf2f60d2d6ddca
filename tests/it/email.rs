//! What emails say: every template rendered from samples, and looked at.

use std::ops::Range;

use fecha::letters::compose::{self, Envelope, GroupFiles};
use fecha::letters::email::Attachment;
use fecha::letters::enclosure::Enclosure;
use fecha::letters::mailbox::Sender;
use fecha::letters::report::archive::{File, MESSAGE_LIMIT, attached};
use fecha::letters::template::{Enclosed, Rendered, Templates, Test};
use fecha_core::account::receivables::Balance;
use fecha_core::account::reminder::Reminder;
use fecha_core::bill::digest::{Digest, Whole};
use fecha_core::bill::invoice::{Cancellation, Invoice};
use fecha_core::bill::package_use::PackageUse;
use fecha_core::count::tally::Buckets;
use fecha_core::letter::Part;
use fecha_core::party::register::EmailAddress;
use fecha_core::price::money::Money;
use rstest::rstest;

use crate::support::samples::{self, HOSTILE};

fn templates() -> Templates {
    Templates::new().unwrap()
}

fn part(number: usize, of: usize, invoices: Range<usize>) -> Part {
    Part { number, of, invoices }
}

/// Subject and text in one snapshot, the page in another. The page is also written to `target/tmp/emails`, to
/// be looked at, and for `scripts/lint-emails`.
fn snapshot(name: &str, email: &Rendered) {
    insta::assert_snapshot!(format!("{name}.txt"), format!("{}\n\n{}", email.subject, email.text));
    insta::assert_snapshot!(format!("{name}.html"), &email.html);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("emails");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.html")), &email.html).unwrap();
    drawn_by_outlook(&email.html);
}

/// Outlook for Windows draws padding in table cells alone, and no margins of tables; a box that relied on
/// either would be text without air.
fn drawn_by_outlook(html: &str) {
    for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.split(' ').next().unwrap();
        let has = |property: &str| tag.contains(property);
        let air = has("padding:") && !has("padding:0\"") && !has("padding:0;");
        assert!(!air || matches!(name, "td"), "padding in <{tag}>");
        assert!(!(has("margin") && matches!(name, "table" | "td" | "div")), "margin in <{tag}>");
        assert!(name != "div" || has("display:none"), "a box in <{tag}>");
    }
}

#[test]
fn a_close_that_came_late_says_so() {
    let said = |made_at: &str, sequence| {
        let digest = Digest { made_at: made_at.parse().unwrap(), sequence, ..samples::digest() };
        let words = templates().digest(&digest, &part(1, 1, 0..2)).unwrap();
        let late = "Fechado com atraso, 9 dias depois do fim do mês.";
        (words.text.contains(late), words.html.contains(late))
    };
    assert_eq!(said("2026-11-10T12:00:00Z", 1), (true, true));
    assert_eq!(said("2026-11-10T12:00:00Z", 2), (false, false)); // a supplement is always later
    assert_eq!(said("2026-11-02T12:00:00Z", 1), (false, false));
}

#[test]
fn an_invoice() {
    snapshot(
        "invoice",
        &templates()
            .invoice(&samples::invoice(), Some(&statement("2026-000001")), &Enclosure::None)
            .unwrap(),
    );
}

#[test]
fn a_revision_with_a_credit_for_a_hostile_name() {
    snapshot(
        "revision",
        &templates()
            .invoice(&samples::revision(), Some(&statement("2026-000001-R2")), &Enclosure::None)
            .unwrap(),
    );
}

#[test]
fn a_digest() {
    snapshot("digest", &templates().digest(&samples::digest(), &part(1, 1, 0..2)).unwrap());
}

#[test]
fn a_digest_in_parts() {
    let digest = samples::digest();
    snapshot("digest_part_1", &templates().digest(&digest, &part(1, 3, 0..0)).unwrap());
    snapshot("digest_part_2", &templates().digest(&digest, &part(2, 3, 0..1)).unwrap());
}

#[test]
fn a_supplement() {
    snapshot("supplement", &templates().digest(&samples::supplement(), &part(1, 1, 0..1)).unwrap());
}

#[test]
fn what_a_group_gets() {
    let bill = samples::group_bill(3);
    snapshot("group", &templates().group(&bill, &part(1, 1, 0..6), Enclosed::Loose).unwrap());
    snapshot(
        "group_part",
        &templates().group(&bill, &part(2, 3, 0..6), Enclosed::Archive).unwrap(),
    );
    let worst = samples::group_bill_of_the_worst();
    let email = templates().group(&worst, &part(1, 1, 0..4), Enclosed::Loose).unwrap();
    snapshot("group_of_the_worst", &email);
    assert!(!email.html.contains("<script>") && !email.html.contains("<b>Grupo"));
    assert!(!email.subject.contains(['\r', '\n']));
}

fn group_files(count: usize, size: usize) -> GroupFiles {
    let file = |name: String| File { name, bytes: vec![7; size] };
    let of_row = |n: usize| [file(format!("fatura-{n}.pdf")), file(format!("extrato-{n}.pdf"))];
    GroupFiles { page: vec![1; 30_000], invoices: (0..count).flat_map(of_row).collect() }
}

fn group_emails(count: usize, size: usize) -> Vec<Vec<(String, usize)>> {
    let bill = samples::group_bill(u32::try_from(count).unwrap());
    let files = group_files(count, size);
    let envelope = || Envelope {
        message_id: "<1@example.com>".to_owned(),
        to: EmailAddress::trusted("a@example.com".to_owned()),
        date: bill.made_at,
    };
    let email = |part: &Part| {
        let email = compose::group(&templates(), envelope(), &bill, part, files.clone()).unwrap();
        let sent: usize = email.attachments.iter().map(|file| attached(file.bytes.len())).sum();
        assert!(sent + 512 * 1024 <= MESSAGE_LIMIT, "{sent}");
        email.attachments.into_iter().map(|file| (file.file_name, file.bytes.len())).collect()
    };
    compose::group_parts(&files).iter().map(email).collect()
}

#[test]
fn a_group_gets_its_files_one_by_one_or_in_archives() {
    let names = |emails: &[Vec<(String, usize)>]| -> Vec<String> {
        let of = |email: &Vec<(String, usize)>| {
            email.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
        };
        emails.iter().map(of).collect()
    };
    assert_eq!(
        names(&group_emails(2, 40_000)),
        ["grupo-G2026100001.pdf fatura-0.pdf extrato-0.pdf fatura-1.pdf extrato-1.pdf"]
    );
    // More than a dozen dealerships.
    assert_eq!(names(&group_emails(13, 40_000)), ["grupo-G2026100001.pdf faturas-G2026100001.zip"]);
    assert_eq!(
        names(&group_emails(60, 100_000)),
        [
            "grupo-G2026100001.pdf faturas-G2026100001-parte-1-de-2.zip",
            "faturas-G2026100001-parte-2-de-2.zip"
        ]
    );
}

/// The line that finance reads at eight o'clock, to the letter.
#[test]
fn the_line_on_top() {
    let first_line = |digest: &Digest| {
        let count = digest.invoices.len();
        let email = templates().digest(digest, &part(1, 1, 0..count)).unwrap();
        email.text.lines().next().unwrap().replace('\u{a0}', " ")
    };
    let large = samples::large();
    assert_eq!(
        first_line(&large),
        "1.475 faturas · R$ 1.508.943,54 (−0,3 %) · 20 entraram, 25 saíram · conferência OK · R$ 3.077,10 vencidos"
    );
    assert_eq!(
        first_line(&samples::supplement()),
        "−R$ 1.300,00 · o mês agora soma R$ 2.384,54 em 2 faturas (−31,7 %) · 1 fatura revisada · R$ 3.077,10 vencidos"
    );
    let receivables = Some(Balance { overdue: Money::ZERO, ..large.receivables.unwrap() });
    let mut calm = Digest { receivables, ..large };
    let whole = calm.whole.as_mut().unwrap();
    whole.entered.clear();
    whole.left.truncate(1);
    calm.zones[0].window.rows += 1;
    assert_eq!(
        first_line(&calm),
        "1.475 faturas · R$ 1.508.943,54 (−0,3 %) · nenhuma entrou, 1 saiu · conferência NÃO FECHA · nada vencido"
    );
    // Of a first month, and in a report of a fecha that compared nothing.
    calm.whole.as_mut().unwrap().before = None;
    let first = "1.475 faturas · R$ 1.508.943,54 · conferência NÃO FECHA · nada vencido";
    assert_eq!(first_line(&calm), first);
    calm.whole = None;
    assert_eq!(first_line(&calm), first);
}

#[test]
fn a_large_digest() {
    snapshot("digest_large", &templates().digest(&samples::large(), &part(1, 4, 0..300)).unwrap());
}

/// A month with nothing: no invoice, no message, nobody.
#[test]
fn a_digest_of_nothing() {
    let nothing = Digest {
        invoices: Vec::new(),
        whole: Some(Whole::default()),
        exceptions: Vec::new(),
        messages: Buckets::default(),
        zones: Vec::new(),
        not_contacts: Vec::new(),
        statuses: Vec::new(),
        failed_deliveries: Vec::new(),
        receivables: Some(Balance::default()),
        overdue: Vec::new(),
        ..samples::digest()
    };
    snapshot("digest_nothing", &templates().digest(&nothing, &part(1, 1, 0..0)).unwrap());
}

#[test]
fn a_held_close() {
    snapshot("held", &templates().held(&samples::held()).unwrap());
}

#[test]
fn a_package_that_is_used_up() {
    let templates = templates();
    snapshot("package_80", &templates.package_use(&samples::package_use(4012)).unwrap());
    snapshot("package_100", &templates.package_use(&samples::package_use(5012)).unwrap());
    // Where another package pays, it is named, with both prices.
    let large = templates.package_use(&samples::package_use(6400)).unwrap();
    snapshot("package_128", &large);
    let advice = "Para 8.000 contatos no mês, o pacote de 10.000 contatos é o mais barato: R$ 1.827,00, com o que passa dele. O de 5.000 contatos sai por R$ 1.884,00, ou seja, R$ 57,00 a mais.";
    assert!(large.text.replace('\u{a0}', " ").contains(advice), "{}", large.text);
    let on_the_limit = templates.package_use(&samples::package_use(5000)).unwrap();
    assert!(!on_the_limit.text.contains("Acima do pacote: "), "{}", on_the_limit.text);
    let last_day = PackageUse { on: "2026-11-30".parse().unwrap(), ..samples::package_use(4012) };
    let last_day = templates.package_use(&last_day).unwrap();
    assert!(last_day.text.contains("O mês termina hoje, 30/11/2026."), "{}", last_day.text);
}

#[test]
fn a_test() {
    let test = |redirect| Test {
        issuer: "Exemplo Tecnologia Ltda",
        now: "2026-11-02T03:00:00Z".parse().unwrap(),
        timezone: chrono_tz::America::Sao_Paulo,
        by: "smtp.example.com:587",
        redirect,
    };
    snapshot("test", &templates().test(&test(None)).unwrap());
    snapshot("test_redirected", &templates().test(&test(Some("teste@example.com"))).unwrap());
}

#[test]
fn a_reminder() {
    let templates = templates();
    let one = |on: &str| {
        let mut reminder = samples::reminder(on);
        reminder.invoices.truncate(1);
        reminder
    };
    snapshot("reminder_before", &templates.reminder(&one("2026-11-07")).unwrap());
    snapshot("reminder_after", &templates.reminder(&one("2026-11-17")).unwrap());
    let waiting = "120.00".parse().unwrap();
    let both = Reminder { waiting, ..samples::reminder("2026-12-07") };
    snapshot("reminder_both", &templates.reminder(&both).unwrap());
    let subject = |reminder: &Reminder| templates.reminder(reminder).unwrap().subject;
    let expected = "Lembrete: fatura 2026-000001, R$\u{a0}1.000,00, vence hoje";
    assert_eq!(subject(&one("2026-11-10")), expected);
    let expected = "Lembrete: 2 faturas, R$\u{a0}2.192,27, a primeira vence em 10/11/2026";
    assert_eq!(subject(&samples::reminder("2026-11-07")), expected);
    let expected = "2 faturas em aberto: R$\u{a0}2.192,27, todas vencidas";
    assert_eq!(subject(&samples::reminder("2026-12-11")), expected);
    let mut without_a_key = one("2026-11-07");
    without_a_key.invoices[0].pix = None;
    let words = templates.reminder(&without_a_key).unwrap().text;
    assert!(words.contains("Para saber como pagar, escreva para financeiro@example.com."));
}

#[test]
fn a_cancellation() {
    let cancellation = Cancellation {
        on: "2026-11-04".parse().unwrap(),
        reason: format!("Contrato de outra empresa {HOSTILE}"),
        by: "Ana".to_owned(),
        paid: "100.00".parse().unwrap(),
    };
    let email = |is_copy| templates().cancellation(&samples::invoice(), &cancellation, is_copy);
    snapshot("cancellation", &email(false).unwrap());
    snapshot("cancellation_copy", &email(true).unwrap());
}

#[test]
fn an_alert() {
    snapshot("alert", &templates().alert(&samples::alert()).unwrap());
}

#[rstest]
#[case(0, "Nenhuma fatura")]
#[case(1, "1 fatura")]
#[case(2, "2 faturas")]
#[case(1498, "1.498 faturas")]
fn invoices_are_counted_in_portuguese(#[case] count: usize, #[case] expected: &str) {
    let mut digest = samples::digest();
    digest.invoices = vec![digest.invoices[0].clone(); count];
    let email = templates().digest(&digest, &part(1, 1, 0..count)).unwrap();
    assert_eq!(email.text.split(" · ").next(), Some(expected));
}

#[rstest]
#[case(0, "nenhuma exceção")]
#[case(1, "1 exceção")]
#[case(3, "3 exceções")]
fn exceptions_are_counted_in_portuguese(#[case] count: usize, #[case] expected: &str) {
    let mut digest = samples::digest();
    digest.exceptions = vec![digest.exceptions[0].clone(); count];
    let email = templates().digest(&digest, &part(1, 1, 0..2)).unwrap();
    let said = if count == 0 { ". 1 entrega que falhou: veja" } else { expected };
    assert!(email.text.contains(said), "{}", email.text);
    assert!(email.subject.ends_with(&format!(" · {expected}")), "{}", email.subject);
}

/// A free month: nothing to pay, and no word of when or how.
#[test]
fn a_total_of_zero_is_nothing_to_pay() {
    let mut invoice = samples::invoice();
    invoice.lines.iter_mut().for_each(|line| line.amount = Money::ZERO);
    invoice.pix = None;
    let email = templates().invoice(&invoice, None, &Enclosure::None).unwrap();
    for words in [&email.text, &email.html] {
        assert!(words.contains("Nada a pagar."));
        for word in ["Vencimento", "vence", "PIX", "a seu favor"] {
            assert!(!words.contains(word), "{word}");
        }
    }
}

/// The statement that goes with an invoice.
fn statement(label: &str) -> Attachment {
    let file_name = format!("extrato-{label}.pdf");
    Attachment { file_name, content_type: "application/pdf", bytes: Vec::new() }
}

#[test]
fn without_a_pix_key_it_says_whom_to_ask() {
    let invoice = Invoice { pix: None, ..samples::invoice() };
    let email = templates().invoice(&invoice, None, &Enclosure::None).unwrap();
    assert!(email.text.contains("Para saber como pagar, escreva para financeiro@example.com."));
}

#[test]
fn the_subject_of_an_invoice_is_the_same_without_its_email() {
    let templates = templates();
    let paid = Invoice { already_paid: samples::invoice().total(), ..samples::invoice() };
    for invoice in [samples::invoice(), samples::revision(), paid] {
        let whole = templates.invoice(&invoice, None, &Enclosure::None).unwrap();
        assert_eq!(templates.invoice_subject(&invoice).unwrap(), whole.subject);
    }
}

#[test]
fn no_markup_line_break_or_override_of_a_name_survives() {
    let templates = templates();
    let emails = [
        templates.invoice(&samples::revision(), None, &Enclosure::None).unwrap(),
        templates.digest(&samples::digest(), &part(1, 1, 0..2)).unwrap(),
        templates.digest(&samples::supplement(), &part(1, 1, 0..1)).unwrap(),
        templates.alert(&samples::alert()).unwrap(),
        templates.held(&samples::held()).unwrap(),
        templates.package_use(&samples::package_use_of_the_worst()).unwrap(),
        templates
            .reminder(&Reminder {
                dealership: samples::revision().dealership,
                ..samples::reminder("2026-11-17")
            })
            .unwrap(),
    ];
    for email in emails {
        assert!(email.html.contains("&lt;script&gt;"), "{}", email.subject);
        assert!(!email.html.contains("<script"), "{}", email.subject);
        assert!(!email.subject.contains(['\r', '\n']));
        for words in [&email.subject, &email.text, &email.html] {
            assert!(!words.contains('\u{202e}'));
            assert!(!words.lines().any(|line| line.starts_with("Bcc:")));
        }
    }
    assert!(HOSTILE.contains('\u{202e}') && HOSTILE.contains("\r\nBcc:"));
}

/// However many exceptions there are, the words of a digest stay far below what is kept for them.
#[test]
fn a_terrible_month_still_fits() {
    let mut digest = samples::digest();
    let long = "ç".repeat(5000);
    digest.invoices = vec![samples::supplement().invoices[0].clone(); 2000];
    let mut exception = digest.exceptions[0].clone();
    exception.exception.dealership_id = Some(long.clone());
    exception.exception.detail = Some(long.clone());
    exception.dealership_name = Some(long.clone());
    digest.whole.as_mut().unwrap().left =
        vec![digest.whole.as_ref().unwrap().left[1].clone(); 2000];
    digest.overdue = vec![digest.overdue[1].clone(); 2000];
    digest.exceptions = vec![exception; 2000];
    digest.not_contacts = vec![(long, 7); 2000];
    let email = templates().digest(&digest, &part(1, 1, 0..0)).unwrap();
    // Quoted-printable writes three bytes for each of a letter with an accent.
    assert!((email.text.len() + email.html.len()) * 3 < 512 * 1024);
    assert!(email.text.contains("e mais 1.975, na planilha"));
}

#[test]
fn a_large_close_goes_in_emails_of_less_than_ten_megabytes() {
    let mut digest = samples::digest();
    let entry = digest.invoices[0].clone();
    let numbered = |sequence| {
        let mut row = entry.clone();
        row.issued.as_mut().unwrap().number = samples::number(sequence);
        row
    };
    digest.invoices = (1..=600).map(numbered).collect();
    let parts = compose::digest_parts(&digest, &[33_000; 600]).unwrap();
    assert_eq!(parts.len(), 3);
    let from = fecha::letters::mailbox::mailbox("faturas@example.com").unwrap();
    let sender = Sender { from, reply_to: None };
    let mut invoices = 0;
    for part in &parts {
        let envelope = Envelope {
            message_id: "<1@example.com>".to_owned(),
            to: fecha::letters::mailbox::address("financeiro@example.com").unwrap(),
            date: digest.made_at,
        };
        let pdfs = vec![vec![7; 33_000]; part.invoices.len()];
        let email = compose::digest(&templates(), envelope, &digest, part, pdfs).unwrap();
        let size = email.to_bytes(&sender).unwrap().len();
        assert!(size < 10_000_000, "part {} has {size} bytes", part.number);
        assert!(email.subject.ends_with(&format!(" ({}/3)", part.number)));
        invoices += part.invoices.len();
    }
    assert_eq!(invoices, 600);
}
