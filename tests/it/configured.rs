//! `fecha config`, and secrets that lie in files.

use std::fs;

use serde_json::Value;

use crate::support::reseller::{KEY, LedgerKind, Reseller};

fn setting(told: &Value, key: &str) -> (Value, Value) {
    let settings = told["settings"].as_array().unwrap();
    let found = settings.iter().find(|setting| setting["key"] == key);
    let found = found.unwrap_or_else(|| panic!("{key} is not told"));
    (found["value"].clone(), found["from"].clone())
}

#[test]
fn each_key_is_told_with_where_it_comes_from_and_no_secret_is() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.write("password", "s3cret\n");
    let variables = [
        ("FECHA_EMAIL__TRANSPORT", "smtp"),
        ("FECHA_EMAIL__SMTP__HOST", "smtp.example.com"),
        ("FECHA_EMAIL__SMTP__USERNAME", "faturas"),
        ("FECHA_EMAIL__SMTP__PASSWORD_FILE", "password"),
        ("FECHA_MESSAGES__URL", "mysql://reader:s3cret@db/wa"),
        ("FECHA_EVIDENCE_KEY", KEY),
    ];
    reseller.variables.extend(variables.map(|(name, value)| (name.into(), value.into())));
    let json = reseller.run(&["config", "--json"]).expect(0);
    let words = reseller.run(&["config"]).expect(0).stdout;
    for text in [&json.stdout, &json.stderr, &words] {
        assert!(!text.contains("s3cret") && !text.contains(KEY), "{text}");
    }
    let told = json.json();
    let file = reseller.path("fecha.toml").display().to_string();
    assert_eq!(told["file"], file);
    let (port, from) = setting(&told, "email.smtp.port");
    assert_eq!((port.as_str(), from.as_str()), (Some("587"), Some("default")));
    let (password, from) = setting(&told, "email.smtp.password");
    assert_eq!(password, "***");
    let secret = reseller.path("password").display().to_string();
    assert_eq!(from, format!("FECHA_EMAIL__SMTP__PASSWORD_FILE ({secret})"));
    let (url, from) = setting(&told, "messages.url");
    assert_eq!(
        (url.as_str(), from.as_str()),
        (Some("mysql://reader:***@db/wa"), Some("FECHA_MESSAGES__URL"))
    );
    let (name, from) = setting(&told, "issuer.name");
    let text = fs::read_to_string(&file).unwrap();
    let line = 1 + text.lines().position(|line| line.starts_with("name = ")).unwrap();
    assert_eq!(from, format!("{file}:{line}"), "{name}");
    assert_eq!(setting(&told, "evidence_key"), ("***".into(), "FECHA_EVIDENCE_KEY".into()));
    assert_eq!(setting(&told, "email.redirect"), (Value::Null, Value::Null));
    assert!(words.contains("Not set: ") && words.contains("email.redirect"), "{words}");
    // It needs no ledger, and makes none.
    assert!(!reseller.path("fecha.db").exists());
}

#[test]
fn a_configuration_that_is_wrong_is_not_shown_but_named() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.variables.push(("FECHA_INVOICE__DUE_DAY".into(), "32".into()));
    let refused = reseller.run(&["config"]).expect(2);
    assert!(
        refused.stderr.contains("FECHA_INVOICE__DUE_DAY: '32' is no whole number"),
        "{}",
        refused.stderr
    );
    assert!(refused.stdout.is_empty());
}

/// A ledger that was made under a key in a file goes on under the same key in a credential, and under no other.
#[test]
fn the_evidence_key_may_lie_in_any_file() {
    let mut reseller = Reseller::new(LedgerKind::Sqlite);
    reseller.write("key", &format!("{KEY}\n"));
    reseller.variables.push(("FECHA_EVIDENCE_KEY_FILE".into(), "key".into()));
    reseller.register(&[("d1", "", "5000")]);
    reseller.add_contacts("d1", 3, "2026-10-31T12:00:00Z");
    reseller.run(&["close"]).expect(0);
    assert!(!reseller.path("evidence.key").exists());

    reseller.variables.clear();
    fs::create_dir(reseller.path("credentials")).unwrap();
    reseller.write("credentials/fecha.evidence_key", KEY);
    let credentials = reseller.path("credentials").display().to_string();
    reseller.variables.push(("CREDENTIALS_DIRECTORY".into(), credentials));
    assert_eq!(reseller.invoices(&[]).len(), 1);

    reseller.write("credentials/fecha.evidence_key", &KEY.replace('2', "3"));
    let refused = reseller.run(&["invoices"]).expect(2).stderr;
    assert!(refused.contains("is not the one of this ledger"), "{refused}");
    reseller.write("credentials/fecha.evidence_key", "x");
    let refused = reseller.run(&["invoices"]).expect(2).stderr;
    assert!(
        refused.contains("credential fecha.evidence_key (") && refused.contains("is no key"),
        "{refused}"
    );
}
