//! Secrets that nobody is shown: a password, and the URL of a database that holds one.

use std::fmt;

use percent_encoding::percent_decode_str;

/// A text that `Debug` hides.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being shown.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What stands for a secret.
const HIDDEN: &str = "***";

/// The parameters of a URL whose values anybody may see. Any other one can be a password, if only by a
/// slip of the pen.
const SHOWN: [&str; 20] = [
    "application_name",
    "cache",
    "charset",
    "collation",
    "dbname",
    "host",
    "hostaddr",
    "immutable",
    "mode",
    "port",
    "socket",
    "ssl-ca",
    "ssl-cert",
    "ssl-mode",
    "sslcert",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "timezone",
    "user",
];

/// The URL of a database as it may be shown: no password, wherever one can stand, be the URL written rightly
/// or not. Where it is not clear what is a password, more is hidden.
///
/// ```
/// use fecha_core::secret::without_password;
/// let url = "postgres://fecha:s3cret@db/fecha?sslmode=require";
/// assert_eq!(without_password(url), "postgres://fecha:***@db/fecha?sslmode=require");
/// ```
#[must_use]
pub fn without_password(url: &str) -> String {
    Shown::of(url).text
}

/// A text, for example a driver's error, without what [`without_password`] hides of the URL that it is
/// about: the text may repeat the URL, or parts of it.
#[must_use]
pub fn without_password_of(url: &str, text: &str) -> String {
    if url.is_empty() {
        return text.to_owned();
    }
    let shown = Shown::of(url);
    let mut text = text.replace(url, &shown.text);
    for secret in shown.secrets() {
        text = without_word(&text, &secret);
    }
    text
}

/// A URL, taken apart as far as it has to be.
#[derive(Default)]
struct Shown {
    text: String,
    /// What was left out.
    hidden: Vec<String>,
}

impl Shown {
    fn of(url: &str) -> Self {
        let mut shown = Self::default();
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        if scheme.eq_ignore_ascii_case("sqlite") {
            // A file, whatever its name holds.
            let (file, query) = split_before(url, |c| c == '?');
            shown.show(file);
            shown.query(query);
            return shown;
        }
        match url.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => {
                shown.show(scheme);
                shown.show("://");
                shown.rest(rest);
            }
            _ => shown.rest(url),
        }
        shown
    }

    /// `user:password@host:port/database?parameters`. A password that was not percent-encoded can hold any of
    /// these signs: it ends at the last `@`.
    fn rest(&mut self, rest: &str) {
        let (base, query) = split_before(rest, |c| c == '?');
        let Some((before, _)) = query.rsplit_once('@') else {
            self.base(base);
            self.query(query);
            return;
        };
        if !before.contains('=') {
            // The question mark stands in the password.
            return self.base_and_query(rest);
        }
        let is_parameter = |part: &str| part.split_once('=').is_some_and(|(key, _)| is_key(key));
        let mut alone = Self::default();
        alone.base(base);
        let is_whole = base.contains('@') || alone.hidden.is_empty();
        if is_whole && query[1..].split('&').all(is_parameter) {
            self.base(base);
            self.query(query);
        } else {
            self.hide(rest);
        }
    }

    /// As [`Shown::rest`], where the parameters begin behind the last `@`.
    fn base_and_query(&mut self, rest: &str) {
        let after_login = rest.rfind('@').unwrap_or_default();
        let end = rest[after_login..].find('?').map_or(rest.len(), |at| after_login + at);
        self.base(&rest[..end]);
        self.query(&rest[end..]);
    }

    /// Everything before the parameters.
    fn base(&mut self, base: &str) {
        let decoded_at = || base.to_ascii_lowercase().rfind("%40").map(|at| (at, "%40".len()));
        let Some((at, length)) = base.rfind('@').map(|at| (at, 1)).or_else(decoded_at) else {
            return self.address(base);
        };
        let (user, password) = split_login(&base[..at]);
        self.show(user);
        if !password.is_empty() {
            self.show(":");
            self.hide(password);
        }
        self.show("@");
        self.address(&base[at + length..]);
    }

    /// `host:port/database`. What stands where a port should be and is none is a password whose host was
    /// forgotten.
    fn address(&mut self, address: &str) {
        let (address, fragment) = split_before(address, |c| c == '#');
        let in_brackets = address.starts_with('[').then(|| address.find(']')).flatten();
        let (host, behind) = split_login(&address[in_brackets.unwrap_or_default()..]);
        let host = &address[..in_brackets.unwrap_or_default() + host.len()];
        let port = behind.split('/').next().unwrap_or_default();
        let is_port = port.is_empty() || port.parse::<u16>().is_ok();
        self.show(host);
        let colon = &address[host.len()..address.len() - behind.len()];
        if is_port {
            self.show(colon);
            self.show(behind);
        } else {
            self.show(":");
            self.hide(behind);
        }
        if let Some(fragment) = fragment.strip_prefix('#') {
            self.show("#");
            self.hide(fragment);
        }
    }

    /// From the question mark on.
    fn query(&mut self, query: &str) {
        let Some(parameters) = query.strip_prefix('?') else { return };
        for (index, parameter) in parameters.split('&').enumerate() {
            self.show(if index == 0 { "?" } else { "&" });
            match parameter.split_once('=') {
                Some((key, value)) if is_harmless(key, value) => self.show(parameter),
                Some((key, value)) if is_key(key) => {
                    self.show(key);
                    self.show("=");
                    self.hide(value);
                }
                _ => self.hide(parameter),
            }
        }
    }

    fn show(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn hide(&mut self, text: &str) {
        if !text.is_empty() {
            self.text.push_str(HIDDEN);
            self.hidden.push(text.to_owned());
        }
    }

    /// What was hidden, as it was written and as it was meant, whole and in the parts that a reader of the
    /// URL may have taken it for. The longest first.
    fn secrets(&self) -> Vec<String> {
        let mut secrets: Vec<String> = Vec::new();
        for hidden in &self.hidden {
            let meant = percent_decode_str(hidden).decode_utf8_lossy().into_owned();
            let parts = hidden.split(['/', '?', '#', '@', '&', '=']).map(str::to_owned);
            secrets.extend(parts.filter(|part| part.chars().count() > 3));
            secrets.extend([hidden.clone(), meant]);
        }
        // Who has the name of the database for a password is shown that name.
        secrets.retain(|secret| without_word(&self.text, secret) == self.text);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        secrets
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn is_key(text: &str) -> bool {
    let key = percent_decode_str(text).decode_utf8_lossy();
    !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']'))
}

/// Whether a parameter can be shown: a harmless one, whose value does not run on into another.
fn is_harmless(key: &str, value: &str) -> bool {
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
    SHOWN.contains(&decoded(key).to_lowercase().as_str())
        && !decoded(value).contains(['=', ';', '?', '#', '&', '@'])
}

/// The text before the first such character, and the rest from there on.
fn split_before(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

/// A name, and what follows its colon, which can be percent-encoded; or what follows the name otherwise.
fn split_login(text: &str) -> (&str, &str) {
    let (name, rest) = split_before(text, |c| matches!(c, ':' | '/' | '?' | '#' | '@'));
    if let Some(at) = name.to_ascii_lowercase().find("%3a") {
        return (&text[..at], &text[at + "%3a".len()..]);
    }
    (name, rest.strip_prefix(':').unwrap_or(rest))
}

/// The text with `word` hidden wherever it stands by itself, not within another word.
fn without_word(text: &str, word: &str) -> String {
    let runs_on = |before: Option<char>, after: Option<char>| {
        before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
    };
    let (first, last) = (word.chars().next(), word.chars().next_back());
    if first.is_none() {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(word) {
        let end = at + word.len();
        if !runs_on(text[..at].chars().next_back(), first)
            && !runs_on(last, text[end..].chars().next())
        {
            shown += &text[from..at];
            shown += HIDDEN;
            from = end;
        }
    }
    shown + &text[from..]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    // As they should be.
    #[case("postgres://fecha:s3cret@db:5432/wa", "postgres://fecha:***@db:5432/wa")]
    #[case("postgresql://fecha:s3cret@[::1]:5432/wa", "postgresql://fecha:***@[::1]:5432/wa")]
    #[case("postgres://fecha:s3cret@[::1]/wa", "postgres://fecha:***@[::1]/wa")]
    #[case(
        "mysql://fecha:s3cret@db/wa?ssl-mode=required",
        "mysql://fecha:***@db/wa?ssl-mode=required"
    )]
    #[case("postgres://fecha@db/wa", "postgres://fecha@db/wa")]
    #[case("postgres://db:5432/wa", "postgres://db:5432/wa")]
    #[case("postgres:///wa?host=/run/postgresql", "postgres:///wa?host=/run/postgresql")]
    #[case("postgres://%2Frun%2Fpostgresql/wa", "postgres://%2Frun%2Fpostgresql/wa")]
    #[case("postgres://:s3cret@db/wa", "postgres://:***@db/wa")]
    // In a parameter, in any case and spelling.
    #[case(
        "postgres://db/wa?user=fecha&password=s3cret",
        "postgres://db/wa?user=fecha&password=***"
    )]
    #[case("postgres://db/wa?PassWord=s3cret&port=1", "postgres://db/wa?PassWord=***&port=1")]
    #[case("postgres://db/wa?pa%73sword=s3cret", "postgres://db/wa?pa%73sword=***")]
    #[case("postgres://db/wa?sslpassword=s3cret", "postgres://db/wa?sslpassword=***")]
    #[case("postgres://db/wa?passfile=/s3cret", "postgres://db/wa?passfile=***")]
    #[case("postgres://db/wa?passwrod=s3cret", "postgres://db/wa?passwrod=***")]
    #[case("postgres://db/wa?options=-cx=s3cret", "postgres://db/wa?options=***")]
    #[case("postgres://db/wa?s3cret", "postgres://db/wa?***")]
    #[case("postgres://db/wa?password=s3@cret", "postgres://db/wa?password=***")]
    #[case("postgres://db/wa?user=f@x&password=s3@cret", "postgres://db/wa?user=***&password=***")]
    #[case("postgres://db/wa?sslmode=a;password=s3cret", "postgres://db/wa?sslmode=***")]
    #[case("postgres://db/wa?sslmode=a%26password%3Ds3cret", "postgres://db/wa?sslmode=***")]
    #[case("postgres://db/wa?sslmode=a?password=s3cret", "postgres://db/wa?sslmode=***")]
    #[case("postgres://f:s3cret@db/wa?password=s3cret", "postgres://f:***@db/wa?password=***")]
    #[case("postgres://db/wa#s3cret", "postgres://db/wa#***")]
    // Not encoded.
    #[case("postgres://fecha:s3@cret@db/wa", "postgres://fecha:***@db/wa")]
    #[case("postgres://fecha:s3/c?r@et@db/wa?user=x", "postgres://fecha:***@db/wa?user=x")]
    #[case("postgres://fecha:s3:cret#@db/wa", "postgres://fecha:***@db/wa")]
    #[case("postgres://fecha:12/s3cret@db/wa", "postgres://fecha:***@db/wa")]
    #[case("postgres://fecha:s3?c=r@et@db/wa", "postgres://***")]
    #[case("postgres://db/wa?password=s3&cr@et", "postgres://***")]
    // Encoded too far.
    #[case("postgres://fecha%3As3cret@db/wa", "postgres://fecha:***@db/wa")]
    #[case("postgres://fecha%3as3cret%40db/wa", "postgres://fecha:***@db/wa")]
    // Something is missing.
    #[case("postgres://fecha:s3cret/wa", "postgres://fecha:***")]
    #[case("postgres://fecha:s3cret", "postgres://fecha:***")]
    #[case("postgres://fecha:99999/wa", "postgres://fecha:***")]
    #[case("fecha:s3cret@db/wa", "fecha:***@db/wa")]
    #[case("//fecha:s3cret@db/wa", ":***@db/wa")]
    #[case("postgres:fecha:s3cret@db/wa", "postgres:***@db/wa")]
    #[case("postgres:/fecha:s3cret@db/wa", "postgres:***@db/wa")]
    #[case("fecha:s3cret@db://wa", "fecha:***@db://wa")]
    #[case("fecha:s3cret", "fecha:***")]
    #[case("db:5432/wa?password=s3cret", "db:5432/wa?password=***")]
    #[case("", "")]
    // Files.
    #[case("messages.db", "messages.db")]
    #[case("sqlite:messages.db", "sqlite:messages.db")]
    #[case("sqlite:///var/lib/a:b@c.db?mode=ro", "sqlite:///var/lib/a:b@c.db?mode=ro")]
    #[case("sqlite:a.db?key=s3cret", "sqlite:a.db?key=***")]
    fn a_url_is_shown_without_its_password(#[case] url: &str, #[case] shown: &str) {
        assert_eq!(without_password(url), shown);
    }

    #[rstest]
    #[case(
        "postgres://f:s3cret@db/wa",
        "unrecognized \"postgres://f:s3cret@db/wa\"",
        "unrecognized \"postgres://f:***@db/wa\""
    )]
    #[case(
        "postgres://db/wa?password=s3%20cret",
        "is 's3 cret' (s3%20cret) right?",
        "is '***' (***) right?"
    )]
    #[case(
        "postgres://f:12/s3cret@db/wa",
        "no database \"s3cret@db/wa\"",
        "no database \"***@db/wa\""
    )]
    #[case("postgres://f:a@db/wa", "a user 'a' has no name", "*** user '***' has no name")]
    #[case("postgres://wa:wa@db/x", "no user wa", "no user wa")]
    #[case("postgres://f:cret@db/x", "s3cret", "s3cret")]
    #[case("", "as it is", "as it is")]
    fn an_error_that_repeats_the_url_hides_it(
        #[case] url: &str,
        #[case] text: &str,
        #[case] shown: &str,
    ) {
        assert_eq!(without_password_of(url, text), shown);
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("s3cret".to_owned())), "Secret(…)");
    }
}
