//! The account, black-box on both ledgers: not a centavo doubled or lost after the invoice. The situations of
//! public bug reports that fecha 0.1 got wrong, each with the right value, and what a person would try next.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::pdf::Pdf;
use crate::support::reseller::{LedgerKind, Reseller};

/// Dealerships with a message in each of three months, all with the package of R$ 1.014,00.
fn reseller(ledger: LedgerKind, ids: &[&str]) -> Reseller {
    let reseller = Reseller::new(ledger);
    let register: Vec<(&str, &str, &str)> = ids.iter().map(|id| (*id, "", "5000")).collect();
    reseller.register(&register);
    for id in ids {
        for at in ["2026-10-31T15:00:00Z", "2026-11-30T15:00:00Z", "2026-12-31T15:00:00Z"] {
            reseller.add_contacts(id, 3, at);
        }
    }
    reseller
}

fn run(reseller: &Reseller, words: &str) -> String {
    let arguments: Vec<&str> = words.split(' ').collect();
    reseller.run(&arguments).expect(0).stdout
}

fn refused(reseller: &Reseller, words: &str) -> String {
    let arguments: Vec<&str> = words.split(' ').collect();
    reseller.run(&arguments).expect(2).stderr
}

fn credit(reseller: &Reseller, id: &str, month: &str, amount: &str) {
    let whom = ["adjust", "--dealership", id, "--month", month, "--amount", amount];
    reseller.run(&[&whom[..], &["--description", "Crédito"]].concat()).expect(0);
}

fn rerun(reseller: &Reseller, month: &str, id: &str) {
    let rerun = ["rerun", "--month", month, "--dealership", id, "--reason", "correção"];
    reseller.run(&[&rerun[..], &["--accept", "loss,contract"]].concat()).expect(0);
}

/// Number, total and paid of the invoices that stand.
fn standing(reseller: &Reseller) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let invoices = reseller.invoices(&[]);
    let standing = invoices.iter().filter(|invoice| invoice["state"] == "issued");
    standing.map(|invoice| ["number", "total", "paid"].map(|key| text(&invoice[key]))).collect()
}

fn row(number: u32, total: &str, paid: &str) -> [String; 3] {
    [format!("2026-{number:06}"), total.to_owned(), paid.to_owned()]
}

/// Every account adds up, by the documents as issued.
#[track_caller]
fn adds_up(reseller: &Reseller) {
    let found = reseller.run(&["verify", "--month", "2026-10", "--json"]).json();
    assert_eq!(found["problems"], json!([]), "{found:#}");
}

/// The id of the only payment that the answer names.
fn paid(reseller: &Reseller, words: &str) -> String {
    let answer = run(reseller, &format!("{words} --json"));
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["recorded"][0]["id"].as_str().unwrap().to_owned()
}

#[rstest]
#[case::october_first(["2026-000001", "2026-000002"])]
#[case::november_first(["2026-000002", "2026-000001"])]
fn a_credit_that_two_void_invoices_carried_is_there_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
    #[case] order: [&str; 2],
) {
    let mut reseller = reseller(ledger, &["d1"]);
    credit(&reseller, "d1", "2026-10", "-2000.00");
    run(&reseller, "close");
    reseller.at("2026-12-02 12:00:00");
    run(&reseller, "close");
    assert_eq!(standing(&reseller), [row(1, "0.00", "0.00"), row(2, "28.00", "0.00")]);
    for number in order {
        run(&reseller, &format!("cancel {number} --reason engano"));
        adds_up(&reseller);
    }
    let waiting = reseller.run(&["adjust", "--json"]).expect(0).json();
    assert_eq!(waiting[0]["waiting"], "-2000.00");
    // A larger package, so that the next invoice has room for all of it.
    reseller.write("c.csv", "dealership_id,from_month,package\nd1,2026-12,25000\n");
    run(&reseller, "import --contracts c.csv");
    reseller.at("2027-01-02 12:00:00");
    run(&reseller, "close --month 2026-12");
    let december = &reseller.invoices(&["--month", "2026-12"])[0];
    assert_eq!(
        (&december["adjustments_amount"], &december["total"]),
        (&json!("-2000.00"), &json!("1920.00"))
    );
    adds_up(&reseller);
}

#[rstest]
fn a_paid_invoice_that_is_cancelled_leaves_its_money_once(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1"]);
    run(&reseller, "close");
    reseller.at("2026-11-12 12:00:00");
    run(&reseller, "pay 2026-000001 --on 2026-11-10 --amount 1100.00");
    // R$ 86,00 were too much, and the next invoice takes them; then the first one is void.
    reseller.at("2026-12-02 12:00:00");
    run(&reseller, "close");
    assert_eq!(standing(&reseller), [row(1, "1014.00", "1014.00"), row(2, "1014.00", "86.00")]);
    run(&reseller, "cancel 2026-000001 --reason engano");
    adds_up(&reseller);
    reseller.at("2027-01-02 12:00:00");
    run(&reseller, "close");
    let expected = [row(2, "1014.00", "86.00"), row_of(2027, 1, "1014.00", "1014.00")];
    assert_eq!(standing(&reseller), expected);
    adds_up(&reseller);
}

fn row_of(year: u32, number: u32, total: &str, paid: &str) -> [String; 3] {
    [format!("{year}-{number:06}"), total.to_owned(), paid.to_owned()]
}

#[rstest]
fn two_halves_on_one_day_are_two_payments(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1", "d2"]);
    run(&reseller, "close");
    reseller.at("2026-11-12 12:00:00");
    run(&reseller, "pay 2026-000001 --on 2026-11-09 --amount 507.00");
    let again = "pay 2026-000001 --on 2026-11-09 --amount 507.00";
    let told = refused(&reseller, again);
    assert!(told.contains("recorded already") && told.contains("--again"), "{told}");
    run(&reseller, &format!("{again} --again"));
    let half = "2026-000002,2026-11-09,507.00\n";
    reseller.write("p.csv", &format!("number,on,amount\n{half}{half}"));
    run(&reseller, "pay --csv p.csv");
    let expected = [row(1, "1014.00", "1014.00"), row(2, "1014.00", "1014.00")];
    assert_eq!(standing(&reseller), expected);
    run(&reseller, "pay --file p.csv");
    assert_eq!(standing(&reseller), expected, "read again");
    // The whole amount paid twice on one day is money that waits, not silence.
    let twice = run(&reseller, "pay 2026-000001 --on 2026-11-11 --amount 1014.00");
    assert!(twice.contains("wait on the account of 'd1'"), "{twice}");
    adds_up(&reseller);
}

#[rstest]
fn a_file_with_empty_amounts_read_after_a_revision_records_nothing(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1"]);
    run(&reseller, "close");
    reseller.at("2026-11-12 12:00:00");
    reseller.write("p.csv", "number,on,amount\n2026-000001,2026-11-10,\n");
    run(&reseller, "pay --csv p.csv");
    let late = (Some("d1"), "5548990000001", "out", "hsm", None, None, "2026-10-30T20:00:00Z");
    reseller.add(&[late; 100]);
    rerun(&reseller, "2026-10", "d1");
    assert_eq!(standing(&reseller), [row(1, "1060.00", "1014.00")]);
    let answer = run(&reseller, "pay --csv p.csv");
    assert!(answer.contains("0 recorded, 1 already recorded"), "{answer}");
    assert_eq!(standing(&reseller), [row(1, "1060.00", "1014.00")], "R$ 46,00 are open still");
    // A person who pays the rest on that day means it.
    run(&reseller, "pay 2026-000001 --on 2026-11-10");
    assert_eq!(standing(&reseller), [row(1, "1060.00", "1060.00")]);
    adds_up(&reseller);
}

#[rstest]
fn money_that_was_paid_back_does_not_come_back_with_a_revision(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1"]);
    run(&reseller, "close");
    reseller.at("2026-11-12 12:00:00");
    run(&reseller, "pay 2026-000001 --on 2026-11-09");
    credit(&reseller, "d1", "2026-10", "-120.00");
    rerun(&reseller, "2026-10", "d1");
    assert_eq!(standing(&reseller), [row(1, "894.00", "894.00")]);
    let refund = "pay --refund 120.01 --dealership d1 --on 2026-11-12 --reason banco";
    let told = refused(&reseller, refund);
    assert!(told.contains("more than the R$ 120,00 that wait"), "{told}");
    run(&reseller, &refund.replace("120.01", "120.00"));
    let late = (Some("d1"), "5548990000001", "out", "hsm", None, None, "2026-10-30T20:00:00Z");
    reseller.add(&[late; 10]);
    rerun(&reseller, "2026-10", "d1");
    assert_eq!(
        standing(&reseller),
        [row(1, "898.60", "894.00")],
        "R$ 4,60 are open, and no credit"
    );
    adds_up(&reseller);
}

#[rstest]
fn a_payment_on_the_wrong_invoice_is_taken_back(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1", "d2"]);
    run(&reseller, "close");
    reseller.at("2026-11-12 12:00:00");
    let id = paid(&reseller, "pay 2026-000002 --on 2026-11-10 --reference E1");
    let told = reseller.run(&["pay", "--undo", &id]).expect(2).stderr;
    assert!(told.contains("--reason"), "{told}");
    run(&reseller, &format!("pay --undo {id} --reason fatura-errada"));
    run(&reseller, "pay 2026-000001 --on 2026-11-10 --reference E1");
    assert_eq!(standing(&reseller), [row(1, "1014.00", "1014.00"), row(2, "1014.00", "0.00")]);
    let told = refused(&reseller, &format!("pay --undo {id} --reason x"));
    assert!(told.contains("taken back already"), "{told}");
    // The bank's file with the wrong line is read once more: shown, not recorded.
    reseller
        .write("p.csv", "number,on,amount,kind,reference\n2026-000002,2026-11-10,1014.00,,E1\n");
    let shown = reseller.run(&["pay", "--file", "p.csv"]).expect(1).stdout;
    assert!(shown.contains("p.csv line 2") && shown.contains("taken back"), "{shown}");
    assert_eq!(standing(&reseller)[1], row(2, "1014.00", "0.00"));
    let log = reseller.run(&["audit", "--dealership", "d2", "--json"]).expect(0).stdout;
    assert!(log.contains("taken back: fatura-errada"), "{log}");
    adds_up(&reseller);
}

#[rstest]
fn a_void_number_that_is_paid_says_what_to_do(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1"]);
    run(&reseller, "close");
    run(&reseller, "cancel 2026-000001 --reason engano");
    reseller.at("2026-11-12 12:00:00");
    let told = refused(&reseller, "pay 2026-000001 --on 2026-11-09 --amount 1014.00");
    let command = "fecha pay --dealership d1 --on 2026-11-09 --amount 1014.00";
    assert!(told.contains(command), "{told}");
    run(&reseller, command.strip_prefix("fecha ").unwrap());
    // The month billed anew takes it.
    run(&reseller, "close --month 2026-10 --dealership d1");
    assert_eq!(standing(&reseller), [row(2, "1014.00", "1014.00")]);
    adds_up(&reseller);
}

#[rstest]
fn withheld_tax_settles_its_invoice_and_never_waits(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1"]);
    run(&reseller, "close");
    reseller.at("2026-11-12 12:00:00");
    run(&reseller, "pay 2026-000001 --on 2026-11-10 --amount 20.28 --kind iss");
    run(&reseller, "pay 2026-000001 --on 2026-11-10 --amount 993.72");
    run(&reseller, "pay 2026-000001 --on 2026-11-10 --amount 7.00 --kind interest");
    let invoice = &reseller.invoices(&[])[0];
    assert_eq!((&invoice["payment"], &invoice["overdue"]), (&json!("paid"), &json!(false)));
    let told = refused(&reseller, "pay 2026-000001 --on 2026-11-11 --amount 1.00 --kind discount");
    assert!(told.contains("settles its own invoice only"), "{told}");
    // Cancelled, the money waits and the tax does not.
    run(&reseller, "cancel 2026-000001 --reason engano");
    adds_up(&reseller);
    run(&reseller, "close --month 2026-10 --dealership d1");
    assert_eq!(standing(&reseller), [row(2, "1014.00", "993.72")]);
    adds_up(&reseller);
}

#[rstest]
fn money_on_account_is_taken_by_the_next_invoice_or_by_hand(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1"]);
    run(&reseller, "close");
    reseller.at("2026-11-12 12:00:00");
    run(&reseller, "pay --dealership d1 --on 2026-11-10 --amount 300.00");
    assert_eq!(standing(&reseller), [row(1, "1014.00", "0.00")]);
    run(&reseller, "pay 2026-000001 --from-account --amount 100.00");
    let told = refused(&reseller, "pay 2026-000001 --from-account --amount 200.01");
    assert!(told.contains("more than the R$ 200,00 that wait"), "{told}");
    reseller.at("2026-12-02 12:00:00");
    run(&reseller, "close");
    assert_eq!(standing(&reseller), [row(1, "1014.00", "100.00"), row(2, "1014.00", "200.00")]);
    let told = refused(&reseller, "pay 2026-000001 --from-account");
    assert!(told.contains("nothing waits on the account of 'd1'"), "{told}");
    adds_up(&reseller);
}

#[rstest]
fn a_refund_and_a_payment_of_which_a_part_was_paid_back(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1"]);
    run(&reseller, "close");
    reseller.at("2026-11-12 12:00:00");
    let id = paid(&reseller, "pay 2026-000001 --on 2026-11-10 --amount 1100.00");
    let refund = "pay --refund 86.00 --dealership d1 --on 2026-11-12 --reason banco --json";
    let refund: Value = serde_json::from_str(&run(&reseller, refund)).unwrap();
    let told = refused(&reseller, &format!("pay --undo {id} --reason x"));
    assert!(told.contains("take that refund back first"), "{told}");
    adds_up(&reseller);
    run(&reseller, &format!("pay --undo {} --reason x", refund["id"].as_str().unwrap()));
    run(&reseller, &format!("pay --undo {id} --reason x"));
    assert_eq!(standing(&reseller), [row(1, "1014.00", "0.00")]);
    adds_up(&reseller);
}

#[rstest]
fn the_ledger_itself_refuses_that_money_is_given_away_twice(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1"]);
    credit(&reseller, "d1", "2026-10", "-120.00");
    run(&reseller, "close");
    reseller.at("2026-12-02 12:00:00");
    let id = paid(&reseller, "pay 2026-000001 --on 2026-11-10 --amount 900.00");
    run(&reseller, "close");
    for sql in [
        format!(
            "UPDATE allocation SET amount = 90001 WHERE payment = '{id}' AND number = '2026-000001'"
        ),
        format!("UPDATE payment SET converted = 1 WHERE id = '{id}'"),
        format!("UPDATE payment SET amount = 91000 WHERE id = '{id}'"),
        "DELETE FROM payment".to_owned(),
        format!("UPDATE payment SET undone_at = 'x' WHERE id = '{id}'"),
        "INSERT INTO taking (note, number, amount, words) VALUES (1, '2026-000002', -1, 'x')"
            .to_owned(),
        "UPDATE adjustment SET taken_back = -1 WHERE id = 1".to_owned(),
    ] {
        assert!(reseller.refuses(&sql), "{sql}");
    }
    // And where somebody gets around it, verify names the dealership.
    reseller.tamper("DELETE FROM taking WHERE note = 1");
    let found = reseller.run(&["verify", "--month", "2026-11"]).expect(1).stdout;
    assert!(found.contains("the account of 'd1' does not add up"), "{found}");
}

#[test]
fn who_asks_for_it_must_have_a_name() {
    let mut reseller = reseller(LedgerKind::Sqlite, &["d1"]);
    run(&reseller, "close");
    reseller.at("2026-11-12 12:00:00");
    reseller.variables.push(("LOGNAME".to_owned(), "root".to_owned()));
    reseller.variables.push(("USER".to_owned(), "root".to_owned()));
    for words in [
        "pay 2026-000001 --on 2026-11-10",
        "cancel 2026-000001 --reason x",
        "adjust --dealership d1 --month 2026-11 --amount 1.00 --description x",
        "rerun --month 2026-10 --all --reason x",
        "close --month 2026-10 --release",
    ] {
        let told = refused(&reseller, words);
        assert!(told.contains("--by NAME") && told.contains("Nothing was done"), "{words}: {told}");
    }
    assert_eq!(standing(&reseller), [row(1, "1014.00", "0.00")]);
    run(&reseller, "pay 2026-000001 --on 2026-11-10 --by bia");
    let log = reseller.run(&["audit", "--json"]).expect(0).stdout;
    assert!(log.contains("\"actor\":\"bia\""), "{log}");
}

#[rstest]
#[case::of_that_year("\"2026-000124\"")]
#[case::of_the_year_in_which_the_ledger_begins("124")]
fn numbers_that_were_mailed_are_passed_over_after_an_older_ledger_was_restored(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
    #[case] floor: &str,
) {
    let mut reseller = reseller(ledger, &["d1", "d2"]);
    run(&reseller, "close --month 2026-10 --dealership d1");
    std::fs::create_dir_all(reseller.path("mail")).unwrap();
    reseller.write("mail/fatura-2026-000123-0199a.eml", "of a ledger that is gone");
    let told = "2026-000123 was mailed, and the ledger's next number is 2026-000002";
    for command in ["check", "status"] {
        let said = reseller.run(&[command]).stdout;
        assert!(said.contains(told) && said.contains("\"2026-000124\""), "{said}");
    }
    let config = std::fs::read_to_string(reseller.path("fecha.toml")).unwrap();
    let floor = format!("\n[invoice]\nfirst_number = {floor}\n");
    reseller.write("fecha.toml", &format!("{config}{floor}"));
    let numbers = |words: &str| {
        let said = reseller.run(&words.split(' ').collect::<Vec<_>>()).stdout;
        said.lines().find(|line| line.contains("numbers")).unwrap().to_owned()
    };
    assert!(numbers("check").starts_with("ok"), "the floor is enough");
    assert!(numbers("check --mailed 2026-000124").starts_with("FIX"), "what a person has seen");
    run(&reseller, "close --month 2026-10");
    assert_eq!(standing(&reseller), [row(1, "1014.00", "0.00"), row(124, "1014.00", "0.00")]);
    adds_up(&reseller);
    let log = reseller.run(&["audit", "--json"]).expect(0).stdout;
    assert!(log.contains("2026-000002 to 2026-000123 are passed over"), "{log}");
    // The next numbers follow, and another year begins at 1.
    reseller.at("2026-12-02 12:00:00");
    run(&reseller, "close --month 2026-11 --dealership d1");
    reseller.at("2027-01-02 12:00:00");
    run(&reseller, "close --month 2026-12 --dealership d1");
    let numbers: Vec<String> = standing(&reseller).into_iter().map(|[number, ..]| number).collect();
    assert_eq!(numbers, ["2026-000001", "2026-000124", "2026-000125", "2027-000001"]);
    adds_up(&reseller);
}

#[rstest]
fn what_a_lower_revision_undoes_is_not_said_to_be_paid(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let mut reseller = reseller(ledger, &["d1"]);
    run(&reseller, "close");
    reseller.at("2026-11-12 12:00:00");
    run(&reseller, "pay 2026-000001 --on 2026-11-10 --amount 900.00 --kind discount");
    run(&reseller, "pay 2026-000001 --on 2026-11-10 --amount 50.00 --kind iss");
    credit(&reseller, "d1", "2026-10", "-500.00");
    rerun(&reseller, "2026-10", "d1");
    assert_eq!(standing(&reseller), [row(1, "514.00", "50.00")]);
    let invoice = &reseller.invoices(&[])[0];
    assert_eq!(invoice["to_pay"], "464.00");
    run(&reseller, "invoice 2026-000001 --pdf fatura.pdf");
    let document = Pdf::new(std::fs::read(reseller.path("fatura.pdf")).unwrap());
    let words = document.copied_text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Já pago -R$ 50,00 A pagar R$ 464,00"), "{words}");
    adds_up(&reseller);
}
