//! What valid configurations give, and word for word what invalid ones say.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use rstest::rstest;

use fecha_core::bill::invoice::FirstNumber;
use fecha_core::count::rules::CountingRules;
use fecha_core::count::status::StatusRules;
use fecha_core::tax::profile::{Environment, Regime, Simples, Totals};

use super::*;
use crate::setup::init::CONFIG_TEMPLATE;

mod given;

/// Loads `text` as /…/fecha.toml; in errors the folder is left out.
fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    fs::write(&file, text).unwrap();
    load_file(&file, variables)
}

fn load_file(file: &Path, variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let folder = format!("{}/", file.parent().unwrap().display());
    Config::load(Some(file), variables).map_err(|error| error.to_string().replace(&folder, ""))
}

fn error(text: &str) -> String {
    load(text, &[]).unwrap_err()
}

/// The template with one text replaced by another.
fn changed(from: &str, to: &str) -> String {
    assert!(CONFIG_TEMPLATE.contains(from), "the template has no {from}");
    CONFIG_TEMPLATE.replacen(from, to, 1)
}

#[test]
fn the_template_is_the_example_of_the_spec() {
    let config = load(CONFIG_TEMPLATE, &[]).unwrap();
    let folder = config.folder().display().to_string();
    insta::assert_snapshot!(format!("{config:#?}").replace(&folder, "/folder"));
}

#[test]
fn the_optional_keys_of_the_template_have_the_values_that_it_shows() {
    let plain = load(CONFIG_TEMPLATE, &[]).unwrap();
    let keys = [
        "# first_number = 1",
        "# connections = 2",
        "# [close]",
        "# newest_message_within = \"24h\"",
        "# at_least_percent = 50",
        "# approval = \"automatic\"",
        "# settle = \"2m\"",
    ];
    let shown = keys.iter().fold(CONFIG_TEMPLATE.to_owned(), |text, key| {
        assert!(text.contains(key), "the template has no {key}");
        text.replace(key, key.trim_start_matches("# "))
    });
    let shown = load(&shown, &[]).unwrap();
    assert_eq!(shown.messages[0].connections, plain.messages[0].connections);
    assert_eq!(shown.close, plain.close);
    assert_eq!(shown.invoice, plain.invoice);
    let examples = ["# logo = ", "# late_fee = ", "# admins = ", "# redirect = ", "# ca_file = "];
    let text = examples.iter().fold(CONFIG_TEMPLATE.to_owned(), |text, key| {
        text.replace(key, key.trim_start_matches("# "))
    });
    let config = load(&text, &[]).unwrap();
    assert!(config.invoice.late_fee.is_some());
    assert_eq!(config.logo, Some(config.folder().join("logo.png")));
    assert_eq!(config.email.admins, [crate::letters::mailbox::address("ti@example.com").unwrap()]);
    assert_eq!(config.email.redirect, crate::letters::mailbox::address("teste@example.com").ok());
}

const LEAST: &str = r#"
[issuer]
name = "Exemplo"
cnpj = "11.222.333/0001-81"
address = "Rua"
city = "Recife"
state = "PE"
email = "a@example.com"
timezone = "America/Recife"
[[prices]]
from = "2020-08"
overage = "0.29"
hsm = "0.46"
packages = [{ contacts = 5000, price = "1014.00" }]
[email]
transport = "file"
from = "a@example.com"
finance = "b@example.com, c@example.com"
"#;

#[test]
fn what_is_left_out_has_its_default() {
    let config = load(LEAST, &[]).unwrap();
    let in_folder = |name: &str| config.folder().join(name);
    let sqlite = |name| format!("sqlite:{}", in_folder(name).display());
    assert_eq!(config.ledger_url.as_str(), sqlite("fecha.db"));
    assert_eq!(config.messages[0].url.as_str(), sqlite("messages.db"));
    assert_eq!(config.messages[0].relation, "message");
    assert_eq!(config.counting.statuses, StatusRules::default());
    assert_eq!(config.counting.rules, CountingRules::default());
    assert_eq!(config.alerts, Alerts { package_use: false, look_back: 12 });
    assert_eq!(
        config.invoice,
        Invoice { due_day: 10, first_number: FirstNumber::OfTheFirstYear(1), late_fee: None }
    );
    assert_eq!(config.email.transport, Transport::File { dir: in_folder("mail") });
    assert_eq!(config.email.finance.len(), 2);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!((config.four_eyes, &config.single_sign_on), (false, &None));
    assert_eq!(config.console_url(), "http://127.0.0.1:8080");
    assert_eq!((config.pix, config.logo, config.email.redirect), (None, None, None));
}

/// LEAST with a relation that lies in a file of this content.
fn load_with_file(messages: &str, content: &[u8]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chatwoot.sql"), content).unwrap();
    let file = folder.path().join("fecha.toml");
    std::fs::write(&file, format!("{LEAST}[messages]\n{messages}\n")).unwrap();
    Config::load(Some(&file), std::iter::empty())
}

#[test]
fn a_relation_may_lie_in_a_file_beside_the_configuration() {
    let text = "-- Chatwoot\n(SELECT 1);\n";
    let config = load_with_file("relation_file = \"chatwoot.sql\"", text.as_bytes()).unwrap();
    assert_eq!(config.messages[0].relation, text);
}

#[rstest]
#[case("relation_file = \"chatwoot.sql\"\nrelation = \"message\"", b"m", "stands beside relation")]
#[case("relation_file = \"other.sql\"", b"m", "other.sql cannot be read: No such file")]
#[case("relation_file = \".\"", b"m", "cannot be read: Is a directory")]
#[case("relation_file = \"/dev/zero\"", b"m", "cannot be read: it is larger than 1 MB")]
#[case("relation_file = \"chatwoot.sql\"", b" \n", "is empty")]
#[case("relation_file = \"chatwoot.sql\"", b"\xff", "did not contain valid UTF-8")]
fn a_file_with_a_relation_is_refused(
    #[case] messages: &str,
    #[case] content: &[u8],
    #[case] said: &str,
) {
    let error = load_with_file(messages, content).unwrap_err().to_string();
    assert!(error.contains("[messages] relation_file: ") && error.contains(said), "{error}");
}

#[rstest]
#[case("sent_at_unit = \"s\"", Ok(SentAt::Seconds))]
#[case("sent_at_unit = \"ms\"", Ok(SentAt::Millis))]
#[case("sent_at_zone = \"America/Sao_Paulo\"", Ok(SentAt::Local(chrono_tz::America::Sao_Paulo)))]
#[case("", Ok(SentAt::Instant))]
#[case("sent_at_unit = \"us\"", Err("[messages] sent_at_unit: 'us' is none of \"s\", \"ms\""))]
#[case("sent_at_zone = \"Brasilia\"", Err("[messages] sent_at_zone: 'Brasilia' is no time zone"))]
#[case(
    "sent_at_zone = \"UTC\"\nsent_at_unit = \"s\"",
    Err("[messages] sent_at_zone: stands beside sent_at_unit")
)]
fn sent_at_may_be_no_instant(#[case] keys: &str, #[case] expected: Result<SentAt, &str>) {
    let loaded = load(&format!("{LEAST}[messages]\n{keys}\n"), &[]);
    match (loaded, expected) {
        (Ok(config), Ok(sent_at)) => assert_eq!(config.messages[0].sent_at, sent_at),
        (Err(error), Err(said)) => assert!(error.contains(said), "{error}"),
        (loaded, expected) => panic!("{loaded:?} in place of {expected:?}"),
    }
}

#[test]
fn the_close_section_is_typed() {
    let text = format!(
        "{LEAST}[close]\nnewest_message_within = \"36h\"\nat_least_percent = 80\nat_most_silent_percent = 20\napproval = \"manual\"\nsettle = \"90s\"\n"
    );
    let limits = Limits {
        newest_message_within: TimeDelta::hours(36),
        at_least_percent: 80,
        at_most_silent_percent: 20,
        ..Limits::default()
    };
    let settle = Duration::from_secs(90);
    let close = Close { limits, approval: Approval::Manual, settle };
    assert_eq!(load(&text, &[]).unwrap().close, close);
}

#[test]
fn variables_override_the_file() {
    let variables = [
        ("FECHA_LEDGER__URL", "postgres://fecha:geheim@db/fecha"),
        ("FECHA_EMAIL__SMTP__PASSWORD", "0123"),
        ("FECHA_EMAIL__SMTP__PORT", "2525"),
        ("FECHA_EMAIL__FINANCE", "a@example.com,b@example.com"),
        ("FECHA_COUNTING__IGNORED_STATUSES", "failed"),
        ("FECHA_INVOICE__DUE_DAY", "31"),
        ("FECHA_ISSUER__PIX__KEY", "pix@example.com"),
        ("FECHA_CONFIG", "elsewhere.toml"),
        ("FECHA_EVIDENCE_KEY", "no concern of the configuration"),
        ("PATH", "/bin"),
    ];
    let config = load(CONFIG_TEMPLATE, &variables).unwrap();
    assert_eq!(config.ledger_url.as_str(), "postgres://fecha:geheim@db/fecha");
    assert_eq!(config.counting.statuses.ignored, ["failed"]);
    assert_eq!(config.invoice.due_day, 31);
    assert_eq!(config.pix.as_ref().unwrap().to_string(), "pix@example.com");
    assert_eq!(config.email.finance.len(), 2);
    let Transport::Smtp(smtp) = &config.email.transport else { panic!("not smtp") };
    assert_eq!(smtp.password.as_ref().unwrap().expose(), "0123");
    assert_eq!(smtp.port, 2525);
    let debug = format!("{config:?}");
    assert!(!debug.contains("0123") && !debug.contains("geheim"), "{debug}");
}

#[test]
fn a_missing_key_can_come_from_a_variable() {
    let text = LEAST.replace("cnpj = \"11.222.333/0001-81\"\n", "");
    insta::assert_snapshot!(error(&text), @r#"fecha.toml:2: [issuer] cnpj: is missing: write for example cnpj = "11.222.333/0001-81""#);
    assert!(load(&text, &[("FECHA_ISSUER__CNPJ", "11222333000181")]).is_ok());
}

#[test]
fn the_variable_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.toml");
    fs::write(&file, LEAST).unwrap();
    let variables = || [("FECHA_CONFIG".to_owned(), file.display().to_string())].into_iter();
    assert_eq!(Config::load(None, variables()).unwrap().file, file);
    let elsewhere = folder.path().join("none.toml");
    let error = Config::load(Some(&elsewhere), variables()).unwrap_err();
    assert!(matches!(error, ConfigError::Missing(path) if path == elsewhere));
}

#[test]
fn wrong_variables_are_named_all_at_once() {
    let variables = [
        ("FECHA_LEDGER_URL", "sqlite:x.db"),
        ("FECHA_EMAIL__SMTP__PASWORD", "x"),
        ("FECHA_PRICES__FROM", "2026-01"),
        ("FECHA_EMAIL__SMTP", "smtp.example.com"),
        ("FECHA_NOW", "2026-01-01"),
    ];
    insta::assert_snapshot!(load(CONFIG_TEMPLATE, &variables).unwrap_err(), @r#"
    FECHA_LEDGER_URL: is no variable of fecha: a key is overridden by FECHA_SECTION__KEY, for example FECHA_LEDGER__URL
    FECHA_EMAIL__SMTP__PASWORD: unknown key `pasword`, expected one of `host`, `port`, `tls`, `username`, `password`, `ca_file`
    FECHA_PRICES__FROM: prices can only stand in the file, as [[prices]]
    FECHA_EMAIL__SMTP: invalid type: string "smtp.example.com", expected struct Smtp
    FECHA_NOW: is no variable of fecha: a key is overridden by FECHA_SECTION__KEY, for example FECHA_LEDGER__URL
    "#);
    let values = [
        ("FECHA_EMAIL__SMTP__PORT", "smtp"),
        ("FECHA_ISSUER__CNPJ", "11.222.333/0001-82"),
        ("FECHA_EMAIL__REDIRECT", ""),
    ];
    insta::assert_snapshot!(load(CONFIG_TEMPLATE, &values).unwrap_err(), @"
    FECHA_ISSUER__CNPJ: the check digits of CNPJ '11.222.333/0001-82' are wrong: 81 would fit
    FECHA_EMAIL__REDIRECT: '' is no email address: write it as name@example.com
    FECHA_EMAIL__SMTP__PORT: 'smtp' is no whole number from 1 to 65535
    ");
}

#[test]
fn a_wrong_text_has_its_line() {
    insta::assert_snapshot!(error(&changed("due_day = 10", "due_dya = 10")), @"fecha.toml:112: unknown key `due_dya`, expected one of `due_day`, `first_number`, `late_fee`");
    insta::assert_snapshot!(error(&changed("[counting]", "[couting]")), @"fecha.toml:58: unknown key `couting`, expected one of `issuer`, `ledger`, `messages`, `counting`, `prices`, `invoice`, `close`, `email`, `alerts`, `reminders`, `statement`, `console`, `erp`, `layouts`, `nfse`");
    insta::assert_snapshot!(error(&changed("host = \"smtp.example.com\"", "host = smtp")), @"fecha.toml:152: string values must be quoted, expected literal string");
    insta::assert_snapshot!(error(&changed("overage = \"0.29\"", "overage = 0.29")), @r#"fecha.toml:73: expected an amount in quotes, for example "1014.00""#);
    insta::assert_snapshot!(error(&changed("due_day = 10", "due_day = \"10\"\ndue_day = 1")), @"fecha.toml:113: duplicate key");
    insta::assert_snapshot!(error(&changed("due_day = 10", "due_day = true")), @"fecha.toml:112: expected a whole number");
    insta::assert_snapshot!(error(&changed("finance = [", "finance = [1, ")), @r#"fecha.toml:142: expected a list of texts, for example ["a", "b"]"#);
    insta::assert_snapshot!(error(&changed("username = \"faturas\"", "password = 123456")), @"fecha.toml:158: expected a text in quotes");
}

#[test]
fn all_wrong_values_are_named_at_once() {
    let text = r#"
[issuer]
name = " "
cnpj = "11.222.333/0001-82"
state = "XX"
email = "financeiro"
phone = "a\tb"
timezone = "Brasilia"
[issuer.pix]
key = "54999990820"

[ledger]
url = "mysql://root:geheim@localhost/fecha"
[messages]
url = "messages.db"
relation = ""

[[prices]]
from = "2020-08"
overage = "-0.29"
hsm = "0,46"
packages = [
  { contacts = 0, price = "1014.00" },
  { contacts = 5000, price = "-1.00" },
  { contacts = 10000, price = "1.005" },
  { contacts = 10000, price = "1.00" },
  { contacts = 10000, price = "1.00" },
  { price = "1.00" },
]
[[prices]]
from = "2026-13"
[[prices]]
from = "2027-01"
overage = "0.29"
hsm = "0.46"
packages = [{ contacts = 5000, price = "1014.00" }]
[[prices]]
from = "2027-01"
overage = "0.29"
hsm = "0.46"
packages = [{ contacts = 5000, price = "1014.00" }]

[invoice]
due_day = 32
first_number = 0

[close]
newest_message_within = "a day"
at_least_percent = 101
approval = "sometimes"
settle = "2"

[email]
transport = "smtp"
from = "Faturamento"
reply_to = ""
finance = []
admins = ["a@example.com", "b"]
[email.smtp]
host = "smtp.example.com"
port = 70000
tls = "none"
password = "x"

[console]
listen = "8080"
"#;
    insta::assert_snapshot!(error(text));
}

#[test]
fn an_empty_file_says_what_is_needed() {
    insta::assert_snapshot!(error(""));
}

#[test]
fn a_file_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE_NAME);
    insta::assert_snapshot!(load_file(&file, &[]).unwrap_err(), @"there is no configuration fecha.toml: write one with `fecha init`, or name it with --config or FECHA_CONFIG");
    fs::write(&file, b"[issuer]\nname = \"Jos\xe9\"\n").unwrap();
    insta::assert_snapshot!(load_file(&file, &[]).unwrap_err(), @"the configuration fecha.toml cannot be read: stream did not contain valid UTF-8");
}

#[rstest]
#[case("localhost", true)]
#[case("127.0.0.1", true)]
#[case("::1", true)]
#[case("10.0.0.1", false)]
#[case("localhost.example.com", false)]
fn only_this_machine_goes_without_tls(#[case] host: &str, #[case] allowed: bool) {
    let variables = [("FECHA_EMAIL__SMTP__HOST", host), ("FECHA_EMAIL__SMTP__TLS", "none")];
    assert_eq!(load(CONFIG_TEMPLATE, &variables).is_ok(), allowed);
}

#[rstest]
#[case("starttls", 587)]
#[case("tls", 465)]
fn the_usual_port_depends_on_tls(#[case] tls: &str, #[case] port: u16) {
    let text = changed("port = 587", "");
    let config = load(&text, &[("FECHA_EMAIL__SMTP__TLS", tls)]).unwrap();
    assert!(matches!(config.email.transport, Transport::Smtp(smtp) if smtp.port == port));
}

#[test]
fn who_signs_in_elsewhere_is_believed_from_named_machines_only() {
    let header = ("FECHA_CONSOLE__USER_HEADER", "X-Forwarded-Email");
    let refused = |variables: &[(&str, &str)]| load(LEAST, variables).unwrap_err();
    insta::assert_snapshot!(refused(&[header]), @r#"FECHA_CONSOLE__USER_HEADER: is believed only from addresses in trusted_proxies: write for example trusted_proxies = ["127.0.0.1"]"#);
    let proxies = ("FECHA_CONSOLE__TRUSTED_PROXIES", "127.0.0.1,proxy");
    insta::assert_snapshot!(refused(&[header, proxies]), @"FECHA_CONSOLE__TRUSTED_PROXIES: 'proxy' is no IP address and no network: write it as 127.0.0.1 or 10.0.0.0/24");
    let cookie = ("FECHA_CONSOLE__USER_HEADER", "Cookie");
    insta::assert_snapshot!(refused(&[cookie]), @"FECHA_CONSOLE__USER_HEADER: 'Cookie' has another use: for example X-Forwarded-Email");
    let proxies = ("FECHA_CONSOLE__TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8");
    let config = load(LEAST, &[header, proxies, ("FECHA_CONSOLE__FOUR_EYES", "true")]).unwrap();
    let sign_on = config.single_sign_on.unwrap();
    assert_eq!((sign_on.header.as_str(), sign_on.proxies.len()), ("x-forwarded-email", 2));
    assert!(config.four_eyes);
}

/// The example of the template, with these lines in place of others.
fn nfse(changes: &[(&str, &str)]) -> Result<Option<Profile>, String> {
    let (_, section) = CONFIG_TEMPLATE.split_once("# [nfse]\n").unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix("# "));
    let keys = lines.filter(|line| {
        line.split_once(" = ")
            .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    });
    let section = format!("[nfse]\n{}\n", keys.collect::<Vec<_>>().join("\n"));
    let section = changes.iter().fold(section, |text, (from, to)| {
        assert!(text.contains(from), "the template has no {from}");
        text.replace(from, to)
    });
    let loaded = load(&format!("{LEAST}{section}").replace("\"PE\"", "\"RS\""), &[]);
    loaded.map(|config| config.nfse)
}

#[test]
fn the_example_of_nfse_can_be_used() {
    let profile = nfse(&[]).unwrap().unwrap();
    assert_eq!(profile.environment, Environment::Restricted);
    assert_eq!(profile.municipality.to_string(), "4305108");
    assert_eq!((profile.series, profile.first_number), (1, 1));
    assert_eq!(profile.service.national.to_string(), "010301");
    assert_eq!(profile.service.municipal.unwrap().to_string(), "001");
    assert_eq!(profile.regime, Regime { simples: Simples::No, special: 0 });
    assert_eq!(profile.ibs_cbs.unwrap().class.to_string(), "000001");
    assert!(matches!(profile.totals, Totals::Percent(_)));
    assert_eq!(load(LEAST, &[]).unwrap().nfse, None);
}

#[test]
fn a_small_business_says_more_of_its_taxes_and_less() {
    let small = "opsimpnac = 3\nregaptribsn = 1\nptottribsn = \"6.00\"";
    let none = [
        ("cindop = \"100301\"\n", ""),
        ("cst = \"000\"\n", ""),
        ("cclasstrib = \"000001\"\n", ""),
        ("ptottrib = [\"13.45\", \"0.00\", \"2.00\"]\n", ""),
    ];
    let small = [&[("opsimpnac = 1", small)], &none[..]].concat();
    let profile = nfse(&small).unwrap().unwrap();
    assert_eq!((profile.regime.simples, profile.ibs_cbs), (Simples::Small(1), None));
    assert!(matches!(profile.totals, Totals::Simples(percent) if percent.to_string() == "6.00"));
}

#[test]
fn what_is_wrong_in_nfse_is_named_all_at_once() {
    let wrong = [
        ("\"restricted\"", "\"test\""),
        ("\"4305108\"", "\"4205407\""),
        ("series = 1", "series = 50000"),
        ("ctribnac = \"010301\"", "ctribnac = \"1.03\""),
        ("nbs = \"115022000\"\n", ""),
        ("opsimpnac = 1", "opsimpnac = 3"),
        ("paliq = \"2.00\"", "paliq = \"12.00\""),
    ];
    let said = nfse(&wrong).unwrap_err();
    for reason in [
        "[nfse] environment: 'test' is none of \"production\", \"restricted\"",
        "[nfse] municipality: 4205407 is the IBGE code of a city in SC, and the state is RS",
        "[nfse] series: 50000 is no whole number from 1 to 49999",
        "[nfse] ctribnac: '1.03' is no code of 6 digits",
        "[nfse] nbs: is missing: write for example nbs = \"115022000\"",
        "[nfse] regaptribsn: is missing: with opsimpnac = 3",
        "[nfse] paliq: '12.00' is no rate of the ISS: less than 10",
    ] {
        assert!(said.contains(reason), "{reason} is not in:\n{said}");
    }
}
