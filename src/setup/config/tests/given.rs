//! What is said beside the file: variables, files that they name, credentials.

use std::fs;

use rstest::rstest;

use super::super::{Config, FILE_NAME, Transport};
use super::{LEAST, load_file};

/// Files of this content beside LEAST (with `more` behind it), and what variables say of them.
fn load_given(
    more: &str,
    files: &[(&str, &[u8])],
    variables: &[(&str, &str)],
) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    fs::write(&file, format!("{LEAST}{more}")).unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let credentials = folder.path().join("credentials").display().to_string();
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, if *value == "CREDENTIALS" { &credentials } else { *value }))
        .collect();
    load_file(&file, &variables)
}

/// `[email.smtp]` of a server that takes a login.
const SMTP: [(&str, &str); 3] = [
    ("FECHA_EMAIL__TRANSPORT", "smtp"),
    ("FECHA_EMAIL__SMTP__HOST", "smtp.example.com"),
    ("FECHA_EMAIL__SMTP__USERNAME", "faturas"),
];

fn password(config: &Config) -> Option<&str> {
    match &config.email.transport {
        Transport::Smtp(smtp) => smtp.password.as_ref().map(fecha_core::secret::Secret::expose),
        Transport::File { .. } => None,
    }
}

#[rstest]
#[case(b"s3cret", "s3cret")]
#[case(b"s3cret\n", "s3cret")]
#[case(b"s3cret\r\n", "s3cret")]
#[case(b" s3cret \n\n", " s3cret \n")]
fn a_file_may_hold_what_a_variable_would(#[case] content: &[u8], #[case] expected: &str) {
    let variables =
        [&SMTP[..], &[("FECHA_EMAIL__SMTP__PASSWORD_FILE", "secrets/password")]].concat();
    let config = load_given("", &[("secrets/password", content)], &variables).unwrap();
    assert_eq!(password(&config), Some(expected));
}

#[test]
fn any_key_may_lie_in_a_file_but_those_that_name_one_keep_their_names() {
    let files: [(&str, &[u8]); 4] = [
        ("url", b"postgres://db/fecha\n"),
        ("key", b"21a0b706\n"),
        ("day", b"15\n"),
        ("messages.sql", b"(SELECT 1)"),
    ];
    let variables = [
        ("FECHA_LEDGER__URL_FILE", "url"),
        ("FECHA_EVIDENCE_KEY_FILE", "key"),
        ("FECHA_INVOICE__DUE_DAY_FILE", "day"),
        ("FECHA_MESSAGES__RELATION_FILE", "messages.sql"),
        ("FECHA_EMAIL__SMTP__CA_FILE", "ca.pem"),
    ];
    let config = load_given("", &files, &variables).unwrap();
    assert_eq!(config.ledger_url.as_str(), "postgres://db/fecha");
    let key = config.evidence_key.unwrap();
    assert_eq!(key.value.expose(), "21a0b706");
    assert!(key.place.starts_with("FECHA_EVIDENCE_KEY_FILE (/"), "{}", key.place);
    assert_eq!(config.invoice.due_day, 15);
    assert_eq!(config.messages[0].relation, "(SELECT 1)");
}

#[test]
fn credentials_of_systemd_are_named_as_the_keys() {
    let files: [(&str, &[u8]); 4] = [
        ("credentials/fecha.email.smtp.password", b"s3cret\n"),
        ("credentials/fecha.ledger.url", b"postgres://db/fecha"),
        ("credentials/fecha.evidence_key", b"21a0b706\n"),
        // Somebody else's: the configuration may name it by its path.
        ("credentials/ca.pem", b"-----BEGIN CERTIFICATE-----"),
    ];
    let variables = [&SMTP[..], &[("CREDENTIALS_DIRECTORY", "CREDENTIALS")]].concat();
    let config = load_given("", &files, &variables).unwrap();
    assert_eq!(password(&config), Some("s3cret"));
    assert_eq!(config.ledger_url.as_str(), "postgres://db/fecha");
    assert_eq!(config.evidence_key.unwrap().value.expose(), "21a0b706");
}

#[test]
fn a_secret_that_is_not_one_is_named() {
    let large = vec![b'a'; 65_537];
    let files: [(&str, &[u8]); 8] = [
        ("empty", b"\n"),
        ("binary", b"\xff\xfe"),
        ("large", &large),
        ("day", b"32\n"),
        ("typed", b"x"),
        ("credentials/fecha.ledger.ulr", b"x"),
        ("credentials/fecha.password", b"x"),
        ("credentials/fecha.messages.url", b"\n"),
    ];
    let cases: [&[(&str, &str)]; 7] = [
        &[
            ("FECHA_LEDGER__URL_FILE", "empty"),
            ("FECHA_MESSAGES__URL_FILE", "missing"),
            ("FECHA_EMAIL__SMTP__PASSWORD_FILE", "binary"),
            ("FECHA_EVIDENCE_KEY_FILE", "large"),
            ("FECHA_EMAIL__FROM_FILE", "."),
            ("FECHA_ISSUER__NAME_FILE", ""),
        ],
        &[("FECHA_INVOICE__DUE_DAY_FILE", "day")],
        &[("FECHA_EMAIL__SMTP__PASWORD_FILE", "typed")],
        &[("FECHA_LEDGER__URL", "sqlite:a.db"), ("FECHA_LEDGER__URL_FILE", "typed")],
        &[("FECHA_EVIDENCE_KEY", ""), ("FECHA_EVIDENCE_KEY_FILE", "typed")],
        &[("CREDENTIALS_DIRECTORY", "CREDENTIALS")],
        &[("CREDENTIALS_DIRECTORY", "/nonexistent")],
    ];
    let refused = |variables: &&[(&str, &str)]| load_given("", &files, variables).unwrap_err();
    insta::assert_snapshot!(cases.iter().map(refused).collect::<Vec<_>>().join("\n\n"));
    // One whose names are right.
    let misspelt: [(&str, &[u8]); 2] =
        [("credentials/fecha.ledger.ulr", b"x"), ("credentials/fecha.password", b"x")];
    let error = load_given("", &misspelt, &[("CREDENTIALS_DIRECTORY", "CREDENTIALS")]).unwrap_err();
    insta::assert_snapshot!("a_credential_that_is_misspelt", error);
}

const TWO_SOURCES: &str = "[[messages]]
name = \"Chatwoot\"
url = \"postgres://db/chatwoot\"
[[messages]]
name = \"Evolution API\"
url = \"postgres://db/evolution\"
";

#[test]
fn of_several_sources_each_has_its_own_variables() {
    let variables = [
        ("FECHA_MESSAGES__CHATWOOT__URL", "postgres://a:b@db/chatwoot"),
        ("FECHA_MESSAGES__EVOLUTION_API__URL", "mysql://c:d@db/evolution"),
    ];
    let config = load_given(TWO_SOURCES, &[], &variables).unwrap();
    let urls: Vec<&str> = config.messages.iter().map(|one| one.url.as_str()).collect();
    assert_eq!(urls, variables.map(|(_, url)| url));
    let cases: [(&str, (&str, &str)); 5] = [
        (TWO_SOURCES, ("FECHA_MESSAGES__URL", "postgres://db/x")),
        (TWO_SOURCES, ("FECHA_MESSAGES__BLIP__URL", "postgres://db/x")),
        (TWO_SOURCES, ("FECHA_MESSAGES__CHATWOOT__ULR", "postgres://db/x")),
        (TWO_SOURCES, ("FECHA_MESSAGES__CHATWOOT__URL", "oracle://db/x")),
        ("", ("FECHA_MESSAGES__CHATWOOT__URL", "postgres://db/x")),
    ];
    let refused = |(more, variable): (&str, (&str, &str))| load_given(more, &[], &[variable]);
    let refused = cases.map(|case| refused(case).unwrap_err());
    insta::assert_snapshot!(refused.join("\n"));
}
