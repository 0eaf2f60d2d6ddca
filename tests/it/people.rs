//! Who may use the console, by the command line.

use rstest::rstest;

use crate::support::reseller::{LedgerKind, Reseller};

fn reseller(ledger: LedgerKind) -> Reseller {
    let mut reseller = Reseller::new(ledger);
    reseller.at("2026-10-15 12:00:00").register(&[("d1", "", "5000")]);
    reseller
}

#[rstest]
fn people_are_added_changed_and_listed(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let people = |args: &str, status| {
        let args: Vec<&str> = ["--json", "people"].into_iter().chain(args.split(' ')).collect();
        reseller.run(&args).expect(status)
    };
    let added = people("add --email Ana@Example.com --role admin --by Rui", 0).json();
    assert_eq!(added["email"], "ana@example.com");
    assert_eq!(added["state"], "invited");
    assert_eq!(added["ends_at"], "2026-10-22T12:00:00Z", "seven days");
    let link = added["link"].as_str().unwrap();
    let token = link.strip_prefix("http://127.0.0.1:8080/invitation/").unwrap();
    assert_eq!(token.len(), 43, "32 bytes in base64");

    let again = people("add --email ana@example.com --role viewer --by Rui", 2).stderr;
    assert!(again.contains("fecha people invite --email ana@example.com"), "{again}");
    let taken =
        people("add --email b@example.com --name ANA@example.com --role viewer --by Rui", 2);
    assert!(taken.stderr.contains("somebody else's name"), "{}", taken.stderr);
    let nobody = people("add --email b@example.com --name fecha --role viewer --by Rui", 2).stderr;
    assert!(nobody.contains("'fecha' says nobody's name"), "{nobody}");
    let bad = people("add --email b --role viewer --by Rui", 2).stderr;
    assert!(bad.contains("'b' is no email address"), "{bad}");
    let bad = people("add --email b@example.com --role root --by Rui", 2).stderr;
    assert!(bad.contains("'root' is no role: viewer, finance or admin"), "{bad}");

    let link_of =
        |ran: crate::support::reseller::Ran| ran.json()["link"].as_str().unwrap().to_owned();
    assert_ne!(link_of(people("invite --email ana@example.com --by Rui", 0)), link);
    assert_eq!(
        people("role --email ana@example.com --role finance --by Rui", 0).json()["changed"],
        true
    );
    assert_eq!(
        people("role --email ana@example.com --role finance --by Rui", 0).json()["changed"],
        false
    );
    people("disable --email ana@example.com --by Rui", 0);
    let refused = people("invite --email ana@example.com --by Rui", 2).stderr;
    assert!(refused.contains("is disabled: `fecha people enable --email"), "{refused}");
    people("enable --email ana@example.com --by Rui", 0);
    let unknown = people("disable --email eva@example.com --by Rui", 2).stderr;
    assert!(unknown.contains("nobody with the email eva@example.com"), "{unknown}");

    let all = people("list", 0).json();
    assert_eq!(all[0]["role"], "finance");
    let listed = reseller.run(&["people", "list"]).expect(0).stdout;
    assert!(listed.contains("ana@example.com") && listed.contains("invited"), "{listed}");
    let log = reseller.run(&["audit"]).expect(0).stdout;
    for deed in ["added as admin", "invited: a link", "is finance now, admin before", "disabled"] {
        assert!(log.contains(deed), "{deed}: {log}");
    }
    assert!(log.contains("person by Rui"), "{log}");
    assert!(!log.contains(token), "a secret stands in the audit log");
}

#[rstest]
fn tokens_are_shown_once_and_taken_back(
    #[values(LedgerKind::Sqlite, LedgerKind::Postgres)] ledger: LedgerKind,
) {
    let reseller = reseller(ledger);
    let none = reseller.run(&["tokens", "list"]).expect(0).stdout;
    assert!(none.contains("no tokens"), "{none}");
    let add = ["tokens", "add", "--name", "prometheus", "--role", "viewer", "--by", "Rui"];
    let made = reseller.run(&[&["--json"], &add[..]].concat()).expect(0).json();
    assert!(made["token"].as_str().unwrap().starts_with("fecha_"));
    assert_eq!(made["ends_at"], "2027-10-15T12:00:00Z", "a year");
    let id = made["id"].as_str().unwrap();
    let listed = reseller.run(&["--json", "tokens", "list"]).expect(0);
    assert_eq!(listed.json()[0]["id"], id);
    assert!(!listed.stdout.contains(made["token"].as_str().unwrap()), "shown once");
    reseller.run(&["tokens", "revoke", id, "--by", "Eva"]).expect(0);
    let listed = reseller.run(&["--json", "tokens", "list"]).expect(0).json();
    assert_eq!(listed[0]["revoked_by"], "Eva");
    let again = reseller.run(&["tokens", "revoke", id, "--by", "Eva"]).expect(2).stderr;
    assert!(again.contains("there is no token"), "{again}");
    let long = reseller.run(&[&add[..], &["--days", "5000"]].concat()).expect(2).stderr;
    assert!(long.contains("serves for 1 to 1096 days, not 5000"), "{long}");
    let log = reseller.run(&["audit"]).expect(0).stdout;
    assert!(log.contains("token by Rui") && log.contains("token taken back: prometheus"), "{log}");
}
