//! A ledger of version 0.1 is opened by this one and says the same, on both engines, whatever happens on
//! the way.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::reseller::{LedgerKind, Reseller};

/// What 0.1 said of its ledger.
const INVOICES: &str = include_str!("fixtures/ledger-0.1/invoices.json");
const ADJUSTMENTS: &str = include_str!("fixtures/ledger-0.1/adjustments.json");

const ALL: [&str; 2] = ["invoices", "--all-revisions"];

/// Without hashes, which differ between the ledgers of the two engines: each has a key of its own.
fn invoices(reseller: &Reseller) -> Vec<Value> {
    let mut invoices = reseller.invoices(&["--all-revisions"]);
    for invoice in &mut invoices {
        let fields = invoice.as_object_mut().unwrap();
        for hash in ["evidence_sha256", "pdf_sha256"] {
            let hash = fields.remove(hash).unwrap();
            assert_eq!(hash.as_str().unwrap().len(), 64);
        }
        // 0.1 did not say it.
        fields.remove("to_pay").unwrap();
        assert_eq!(fields.remove("other_amount").unwrap(), "0.00");
    }
    invoices
}

/// The seconds of entry; the two ledgers were made one after the other.
fn adjustments(mut list: Value) -> Value {
    for adjustment in list.as_array_mut().unwrap() {
        let entered = adjustment["entered_at"].as_str().unwrap()[..19].to_owned();
        adjustment["entered_at"] = json!(entered);
    }
    list
}

/// The list as 0.1 wrote it, and in words what it did not say.
fn without_takings(mut list: Value) -> (Value, Vec<String>) {
    let mut words = Vec::new();
    for adjustment in list.as_array_mut().unwrap() {
        let fields = adjustment.as_object_mut().unwrap();
        let taken = fields.remove("taken").unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut parts: Vec<String> = taken
            .as_array()
            .unwrap()
            .iter()
            .map(|part| format!("{} on {}", text(&part["amount"]), text(&part["number"])))
            .collect();
        parts.push(format!("{} waits", text(&fields.remove("waiting").unwrap())));
        words.push(parts.join(", "));
    }
    (list, words)
}

#[track_caller]
fn says_the_same(reseller: &Reseller) {
    let expected: Vec<Value> = serde_json::from_str(INVOICES).unwrap();
    assert_eq!(invoices(reseller), expected);
    let list = reseller.run(&["adjust", "--json"]).expect(0).json();
    let expected = serde_json::from_str(ADJUSTMENTS).unwrap();
    let (list, new) = without_takings(list);
    assert_eq!(adjustments(list), adjustments(expected));
    // Each line of an invoice is a taking; nothing waits that was given away as a line.
    let takings = [
        "-1016.30 on 2026-000006, -483.70 on 2026-000019, 0.00 waits",
        "75.50 on 2026-000013, 0.00 waits",
        "0.00 waits",
        "-120.00 on 2026-000005, 0.00 waits",
        "-120.00 on 2026-000018, 0.00 waits",
        "-1092.26 on 2026-000013, 0.00 waits",
        "-33.33 waits",
        "10.00 waits",
    ];
    assert_eq!(new, takings);
}

/// Everything that was issued: every file byte by byte, every column that 0.1 knew.
fn issued(reseller: &Reseller, ledger: LedgerKind) -> Vec<String> {
    let hex = match ledger {
        LedgerKind::Sqlite => "hex(bytes)",
        LedgerKind::Postgres => "upper(encode(bytes, 'hex'))",
    };
    let mut texts = reseller.ledger_texts(&format!(
        "SELECT number || '/' || revision || '/' || kind || '/' || {hex} FROM file ORDER BY number, revision, kind"
    ));
    texts.extend(reseller.ledger_texts(
        "SELECT number || '/' || revision || '/' || content || '/' || evidence_sha256 || '/' || pdf_sha256
             || '/' || statement_sha256 || '/' || issued_at || '/' || COALESCE(reason, '-') || '/'
             || COALESCE(issued_by, '-') || '/' || COALESCE(superseded_at, '-') || '/' || COALESCE(digest, 0)
         FROM revision ORDER BY number, revision",
    ));
    texts
}

#[rstest]
fn a_ledger_of_0_1_says_the_same_and_nothing_issued_has_other_bytes(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::of_0_1(ledger);
    reseller.ledger_sql(
        "INSERT INTO audit (id, at, actor, action, month, detail) VALUES
             ('b', '2026-09-03T12:00:00.000Z', 'bia', 'release', '2026-08', ''),
             ('a', '2026-09-02T12:00:00.000Z', 'ana', 'release', '2026-08', ''),
             ('c', '2026-09-01T12:00:00.000Z', 'ana', 'hold', '2026-09', '')",
    );
    let before = issued(&reseller, ledger);
    assert!(before.len() > 4 * 27);
    says_the_same(&reseller);
    assert_eq!(issued(&reseller, ledger), before);
    for listed in reseller.invoices(&["--all-revisions"]) {
        let hashes = ["evidence_sha256", "pdf_sha256"].map(|hash| listed[hash].as_str().unwrap());
        let sql = format!(
            "SELECT COUNT(*) FROM revision WHERE number = '{}' AND revision = {} AND evidence_sha256 = '{}' AND pdf_sha256 = '{}'",
            listed["number"].as_str().unwrap(),
            listed["revision"],
            hashes[0],
            hashes[1]
        );
        assert_eq!(reseller.ledger_number(&sql), 1, "{listed}");
    }
    for month in ["2026-08", "2026-09"] {
        let verified = reseller.run(&["verify", "--month", month, "--json"]);
        assert_eq!(verified.json()["problems"], json!([]), "{}", verified.stdout);
    }
    // Releases were read out of the audit log.
    let releases = reseller.ledger_texts(
        "SELECT month || ' ' || released_at || ' ' || released_by FROM released_month",
    );
    assert_eq!(releases, ["2026-08 2026-09-02T12:00:00.000Z ana"]);
    // It goes on as a ledger of today.
    reseller.run(&["close", "--month", "2026-10"]);
    let october = reseller.invoices(&["--month", "2026-10"]);
    assert!(october.len() > 5, "{october:?}");
    let total: i64 = reseller.ledger_number("SELECT COUNT(*) FROM revision WHERE total IS NULL");
    assert_eq!(total, 0);
}

#[rstest]
fn what_was_filled_is_kept_and_compared(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = Reseller::of_0_1(ledger);
    reseller.run(&["status"]);
    for column in ["total = 1", "due_on = '2026-01-01'", "dealership_name = 'x'", "uam = NULL"] {
        assert!(reseller.refuses(&format!("UPDATE revision SET {column}")), "{column}");
    }
    reseller
        .tamper("UPDATE revision SET total = total + 1, cnpj = 'x' WHERE number = '2026-000001'");
    let found = reseller.run(&["verify", "--month", "2026-08", "--json"]).expect(1).json();
    let problems: Vec<&str> =
        found["problems"].as_array().unwrap().iter().map(|p| p["what"].as_str().unwrap()).collect();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[2].contains("another amount as open"), "{problems:?}");
    assert!(problems[0].contains("another cnpj of 2026-000001"), "{problems:?}");
    assert!(problems[1].contains("another total of 2026-000001"), "{problems:?}");
    assert!(problems[1].contains("1015.39, the document says 1015.38"), "{problems:?}");
}

/// So many more invoices of one dealership, void and of years ago, as 0.1 would have issued them.
fn enlarge(reseller: &Reseller, by: u32) {
    let numbers =
        format!("WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {by})");
    reseller.ledger_sql(&format!(
        "INSERT INTO invoice (number, dealership_id, month, cancelled_at)
         {numbers} SELECT '2020-' || (100000 + n), 'd1', '2020-08', '2020-09-01T12:00:00.000Z' FROM n;
         INSERT INTO revision (number, revision, content, evidence_sha256, pdf_sha256, statement_sha256, issued_at)
         {numbers} SELECT '2020-' || (100000 + n), 0, content, evidence_sha256, pdf_sha256, statement_sha256, issued_at
         FROM n, revision WHERE number = '2026-000001' AND revision = 0"
    ));
}

fn start(reseller: &Reseller) -> Child {
    let mut command = reseller.command(&ALL);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[rstest]
fn who_is_killed_while_filling_leaves_a_ledger_that_goes_on(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    const MORE: u32 = 6000;
    let reseller = Reseller::of_0_1(ledger);
    enlarge(&reseller, MORE);
    let before = issued(&reseller, ledger);
    let mut process = start(&reseller);
    let deadline = Instant::now() + Duration::from_mins(1);
    let index = match ledger {
        LedgerKind::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE name = 'revision_unfilled'",
        LedgerKind::Postgres => {
            "SELECT COUNT(*) FROM pg_indexes WHERE indexname = 'revision_unfilled'"
        }
    };
    let filled = "SELECT COUNT(*) FROM revision WHERE total IS NOT NULL";
    while reseller.ledger_number(index) == 0 || reseller.ledger_number(filled) == 0 {
        assert!(Instant::now() < deadline, "nothing is filled");
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let left = reseller.ledger_number("SELECT COUNT(*) FROM revision WHERE total IS NULL");
    assert!(left > 0, "all was filled before the process could be killed: enlarge by more");

    let [mut one, mut other] = [start(&reseller), start(&reseller)];
    assert!(one.wait().unwrap().success() && other.wait().unwrap().success());
    assert_eq!(reseller.ledger_number("SELECT COUNT(*) FROM revision WHERE total IS NULL"), 0);
    assert_eq!(issued(&reseller, ledger), before);
    let old = reseller.invoices(&["--all-revisions", "--month", "2020-08"]);
    assert_eq!(old.len(), MORE as usize);
    let all: Vec<Value> = serde_json::from_str(INVOICES).unwrap();
    assert_eq!(invoices(&reseller)[MORE as usize..], all);
}

#[rstest]
fn who_is_killed_while_migrating_leaves_a_ledger_that_opens(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    for delay in [20, 40, 60, 80, 100, 130, 160] {
        let reseller = Reseller::of_0_1(ledger);
        let mut process = start(&reseller);
        std::thread::sleep(Duration::from_millis(delay));
        process.kill().unwrap();
        process.wait().unwrap();
        says_the_same(&reseller);
    }
}

#[rstest]
fn many_open_it_at_once(#[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind) {
    let reseller = Reseller::of_0_1(ledger);
    let processes: Vec<Child> = (0..4).map(|_| start(&reseller)).collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    says_the_same(&reseller);
}
