//! The configuration in force, key by key: what each says, and who said it. No secret is among it.

use std::path::Path;

use fecha_core::secret::without_password;
use toml::{Table, Value};

use super::given::EVIDENCE_KEY;
use super::source::Origin;
use super::{Config, ConfigError, Transport};
use crate::setup::evidence_key;

/// What stands for a secret.
const HIDDEN: &str = "***";

/// One key, and what is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `email.smtp.port`; of several tables with a number, `prices.0.from`.
    pub key: String,
    /// What it says, paths and databases as they are found from anywhere; `None` where it is not set and has no
    /// default.
    pub value: Option<String>,
    /// Who says it.
    pub said: Said,
}

/// Who says a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The configuration's file, in this line.
    File(usize),
    /// A variable, a file that one names, or a credential.
    Beside(String),
    /// Nobody: it is the default, or not set.
    Nobody,
}

/// All keys in the order of the commented configuration, with the default of those that have one.
const KEYS: &[(&str, Option<&str>)] = &[
    ("issuer.name", None),
    ("issuer.cnpj", None),
    ("issuer.address", None),
    ("issuer.city", None),
    ("issuer.state", None),
    ("issuer.postal_code", None),
    ("issuer.email", None),
    ("issuer.phone", None),
    ("issuer.timezone", None),
    ("issuer.logo", None),
    ("issuer.pix.key", None),
    ("ledger.url", Some("sqlite:fecha.db")),
    ("messages.name", None),
    ("messages.url", Some("sqlite:messages.db")),
    ("messages.relation", Some("message")),
    ("messages.relation_file", None),
    ("messages.sent_at_unit", None),
    ("messages.sent_at_zone", None),
    ("messages.aliases", None),
    ("messages.connections", Some("2")),
    ("counting.ignored_statuses", Some("queued, failed")),
    ("counting.counted_statuses", Some("sent, delivered, read, received, played, deleted")),
    ("counting.priced_statuses", None),
    ("counting.lid", Some("ignore")),
    ("counting.national", None),
    ("prices", None),
    ("invoice.due_day", Some("10")),
    ("invoice.first_number", Some("1")),
    ("invoice.late_fee", None),
    ("close.newest_message_within", Some("24h")),
    ("close.at_least_percent", Some("50")),
    ("close.at_most_unread_percent", Some("5")),
    ("close.at_most_alike_percent", Some("5")),
    ("close.at_most_silent_percent", Some("10")),
    ("close.approval", Some("automatic")),
    ("close.settle", Some("2m")),
    ("email.transport", Some("smtp")),
    ("email.from", None),
    ("email.reply_to", None),
    ("email.finance", None),
    ("email.admins", None),
    ("email.redirect", None),
    ("email.per_minute", Some("0")),
    ("email.dir", Some("mail")),
    ("email.smtp.host", None),
    ("email.smtp.port", Some("587")),
    ("email.smtp.tls", Some("starttls")),
    ("email.smtp.username", None),
    ("email.smtp.password", None),
    ("email.smtp.ca_file", None),
    ("statement.windows", Some("false")),
    ("alerts.look_back", Some("12")),
    ("alerts.package_use", Some("false")),
    ("reminders.before", None),
    ("reminders.after", None),
    ("console.listen", Some("127.0.0.1:8080")),
    ("console.public_url", None),
    ("console.four_eyes", Some("false")),
    ("console.user_header", None),
    ("console.trusted_proxies", None),
    ("erp.category", None),
    ("erp.account", None),
    ("erp.cost_center", None),
    ("layouts", None),
    ("nfse", None),
];

impl Config {
    /// Loads as [`Config::load`], and tells every key beside it, set or not.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn in_force(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<Setting>), ConfigError> {
        let (config, origin) = Self::load_with_origin(path, environment)?;
        let mut written = Vec::new();
        flatten("", &Value::Table(origin.merged.clone()), &mut written);
        let mut settings = vec![config.evidence_key_setting()];
        for (key, default) in KEYS {
            let set: Vec<_> = written.extract_if(.., |(at, _)| is_of(key, at)).collect();
            if set.is_empty() {
                settings.extend(config.unset(key, *default, &origin.merged));
            }
            settings.extend(set.into_iter().map(|(key, text)| config.set(key, text, &origin)));
        }
        // A key that the list does not know is shown all the same.
        settings.extend(written.into_iter().map(|(key, text)| config.set(key, text, &origin)));
        Ok((config, settings))
    }

    fn set(&self, key: String, text: String, origin: &Origin) -> Setting {
        let said = match (origin.given(&key), origin.line_of_key(&key)) {
            (Some(given), _) => Said::Beside(given.place.clone()),
            (None, Some(line)) => Said::File(line),
            (None, None) => Said::Nobody,
        };
        Setting { value: Some(self.shown(&key, text)), key, said }
    }

    /// Several sources of messages have their defaults each for themselves, and say so where they are set.
    fn unset(&self, key: &str, default: Option<&str>, merged: &Table) -> Option<Setting> {
        let is_of_several =
            key.starts_with("messages.") && merged.get("messages").is_some_and(Value::is_array);
        if is_of_several {
            return None;
        }
        let default = match (key, &self.email.transport) {
            ("email.smtp.port", Transport::Smtp(smtp)) => Some(smtp.port.to_string()),
            ("messages.relation", _) if has(merged, "messages", "relation_file") => None,
            _ => default.map(str::to_owned),
        };
        let value = default.map(|text| self.shown(key, text));
        Some(Setting { key: key.to_owned(), value, said: Said::Nobody })
    }

    /// Without secrets, and from anywhere.
    fn shown(&self, key: &str, text: String) -> String {
        let path = || self.folder().join(&text).display().to_string();
        let source = |index: usize| self.messages.get(index).map(|one| one.url.to_string());
        let parts: Vec<&str> = key.split('.').collect();
        match parts[..] {
            ["email", "smtp", "password"] => HIDDEN.to_owned(),
            ["ledger", "url"] => self.ledger_url.to_string(),
            ["messages", "url"] => source(0).unwrap_or_else(|| without_password(&text)),
            ["messages", index, "url"] => {
                index.parse().ok().and_then(source).unwrap_or_else(|| without_password(&text))
            }
            // A SELECT may read over a link, with the link's password.
            ["messages", .., "relation" | "aliases"] if names_a_password(&text) => {
                HIDDEN.to_owned()
            }
            ["email", "dir"] | ["issuer", "logo"] | [.., "ca_file" | "relation_file"] => path(),
            _ => text,
        }
    }

    fn evidence_key_setting(&self) -> Setting {
        let file = self.folder().join(evidence_key::FILE_NAME);
        let said = match &self.evidence_key {
            Some(given) => Said::Beside(given.place.clone()),
            None if file.exists() => Said::Beside(file.display().to_string()),
            None => Said::Nobody,
        };
        let value = (said != Said::Nobody).then(|| HIDDEN.to_owned());
        Setting { key: EVIDENCE_KEY.to_owned(), value, said }
    }
}

fn has(table: &Table, section: &str, key: &str) -> bool {
    table.get(section).is_some_and(|section| section.get(key).is_some())
}

fn names_a_password(text: &str) -> bool {
    text.to_ascii_lowercase().contains("passw")
}

/// Whether a key that is written is this one, one of its tables (`prices.0.from`), or the same of several tables
/// (`messages.0.url`).
fn is_of(key: &str, written: &str) -> bool {
    let of_one: Vec<&str> =
        written.split('.').filter(|part| part.parse::<usize>().is_err()).collect();
    let of_one = of_one.join(".");
    of_one == key || of_one.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'))
}

/// All values below one, by their keys. A list of texts or numbers is one value.
fn flatten(key: &str, value: &Value, written: &mut Vec<(String, String)>) {
    let below = |part: &str| if key.is_empty() { part.to_owned() } else { format!("{key}.{part}") };
    match value {
        Value::Table(table) => {
            for (part, value) in table {
                flatten(&below(part), value, written);
            }
        }
        Value::Array(many) if many.iter().any(Value::is_table) => {
            for (index, value) in many.iter().enumerate() {
                flatten(&below(&index.to_string()), value, written);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(text).collect();
            written.push((key.to_owned(), items.join(", ")));
        }
        value => written.push((key.to_owned(), text(value))),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::setup::config::FILE_NAME;
    use crate::setup::config::raw::Raw;
    use crate::setup::init::CONFIG_TEMPLATE;
    use serde::Deserialize as _;

    /// Only what has no default.
    const LEAST: &str = r#"
issuer = { name = "Exemplo", cnpj = "11.222.333/0001-81", address = "Rua", city = "Recife", state = "PE", email = "a@example.com", timezone = "America/Recife" }
prices = [{ from = "2020-08", overage = "0.29", hsm = "0.46", packages = [{ contacts = 5000, price = "1014.00" }] }]
email = { from = "a@example.com", finance = ["b@example.com"], smtp = { host = "smtp.example.com" } }
"#;

    fn loaded(text: &str, variables: &[(&str, &str)]) -> (Config, Vec<Setting>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE_NAME);
        fs::write(&file, text).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let (config, settings) = Config::in_force(Some(&file), variables).unwrap();
        let here = format!("{}/", folder.path().display());
        let there = |text: &String| text.replace(&here, "/folder/");
        let settings = settings
            .into_iter()
            .map(|setting| Setting { value: setting.value.as_ref().map(there), ..setting });
        (config, settings.collect())
    }

    fn debug(config: &Config) -> String {
        format!("{config:?}").replace(&config.folder().display().to_string(), "/folder")
    }

    /// Whoever changes a default is told here, if it says another one.
    #[test]
    fn each_default_is_the_one_that_is_in_force() {
        let (config, settings) = loaded(LEAST, &[]);
        let defaults: Vec<&Setting> = settings
            .iter()
            .filter(|setting| setting.said == Said::Nobody && setting.value.is_some())
            .collect();
        assert_eq!(defaults.len(), KEYS.iter().filter(|(_, default)| default.is_some()).count());
        for setting in defaults {
            let variable = format!("FECHA_{}", setting.key.replace('.', "__").to_ascii_uppercase());
            let default = KEYS.iter().find(|(key, _)| *key == setting.key).unwrap().1.unwrap();
            let (said, _) = loaded(LEAST, &[(variable.as_str(), default)]);
            assert_eq!(debug(&said), debug(&config), "{variable} = {default}");
        }
    }

    /// The keys below one, as the parser of the file names them where it meets another one.
    fn known_below(section: &str) -> Vec<String> {
        let text =
            if section.is_empty() { "zz = 1".to_owned() } else { format!("[{section}]\nzz = 1") };
        let table: Table = text.parse().unwrap();
        let Err(error) = Raw::deserialize(Value::Table(table)) else { return Vec::new() };
        let message = error.message().to_owned();
        // "…, expected one of `a`, `b`", "…, expected `a` or `b`", "…, expected `a`".
        let Some((_, list)) = message.split_once(", expected ") else { return Vec::new() };
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn every_key_of_the_file_is_listed() {
        let mut unknown = Vec::new();
        let mut sections = vec![String::new()];
        while let Some(section) = sections.pop() {
            for key in known_below(&section) {
                let key = if section.is_empty() { key } else { format!("{section}.{key}") };
                let is_listed = KEYS.iter().any(|(known, _)| *known == key);
                let is_section =
                    KEYS.iter().any(|(known, _)| known.starts_with(&format!("{key}.")));
                match (is_listed, is_section) {
                    (true, _) => {}
                    (false, true) => sections.push(key),
                    (false, false) => unknown.push(key),
                }
            }
        }
        assert!(unknown.is_empty(), "`fecha config` does not list {unknown:?}");
        assert!(
            known_below("email.smtp").contains(&"password".to_owned()),
            "nothing was looked at"
        );
    }

    #[test]
    fn who_said_a_value_is_told_and_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("password");
        fs::write(&secret, "s3cret\n").unwrap();
        let url = "postgres://fecha:s3cret@db/fecha";
        let variables = [
            ("FECHA_LEDGER__URL", url),
            ("FECHA_EMAIL__SMTP__PASSWORD_FILE", secret.to_str().unwrap()),
            ("FECHA_EVIDENCE_KEY", "s3cret"),
        ];
        let (_, settings) = loaded(CONFIG_TEMPLATE, &variables);
        assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
        let of = |key: &str| settings.iter().find(|setting| setting.key == key).unwrap();
        let beside = |place: &str| Said::Beside(place.to_owned());
        assert_eq!(of("ledger.url").value.as_deref(), Some("postgres://fecha:***@db/fecha"));
        assert_eq!(of("ledger.url").said, beside("FECHA_LEDGER__URL"));
        let place = format!("FECHA_EMAIL__SMTP__PASSWORD_FILE ({})", secret.display());
        assert_eq!(of("email.smtp.password").said, beside(&place));
        assert_eq!(of("evidence_key").said, beside("FECHA_EVIDENCE_KEY"));
        let line = |text: &str| 1 + CONFIG_TEMPLATE.lines().position(|line| line == text).unwrap();
        assert_eq!(of("email.smtp.host").said, Said::File(line("host = \"smtp.example.com\"")));
        assert_eq!(of("prices.0.from").value.as_deref(), Some("2020-08"));
        assert_eq!(of("prices.0.packages.3.price").value.as_deref(), Some("7380.00"));
        assert_eq!(of("messages.url").value.as_deref(), Some("sqlite:/folder/messages.db"));
        assert_eq!(of("email.dir").value.as_deref(), Some("/folder/mail"));
        assert_eq!(
            (of("email.redirect").value.as_deref(), &of("email.redirect").said),
            (None, &Said::Nobody)
        );
    }
}
