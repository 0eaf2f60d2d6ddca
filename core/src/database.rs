//! Which database a URL names.

use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// What a database's URL begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `sqlite:`, a file.
    Sqlite,
    /// `postgres:` or `postgresql:`.
    Postgres,
    /// `mysql:` or `mariadb:`.
    Mysql,
}

impl Scheme {
    /// The scheme of a URL; `None` where it has none, or one that is not known here.
    #[must_use]
    pub fn of(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::Mysql),
            _ => None,
        }
    }
}

/// The file that a SQLite URL names, read as sqlx reads it: slashes behind the scheme do not belong to a
/// relative name, parameters are left out, percent signs decoded. `None` for a server's URL.
#[must_use]
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let name = url.strip_prefix("sqlite:")?;
    let name = name.split('?').next().unwrap_or(name);
    let name = percent_decode_str(name.strip_prefix("//").unwrap_or(name));
    Some(PathBuf::from(name.decode_utf8_lossy().as_ref()))
}

/// The URL of a SQLite file: [`sqlite_file`] gives the file again.
#[must_use]
pub fn sqlite_url(file: &Path) -> String {
    // The slash keeps an absolute path one.
    const NAMES: &percent_encoding::AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');
    format!("sqlite:{}", percent_encode(file.to_string_lossy().as_bytes(), NAMES))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("sqlite:fecha.db", Some(Scheme::Sqlite))]
    #[case("postgres://db/fecha", Some(Scheme::Postgres))]
    #[case("postgresql://db/fecha", Some(Scheme::Postgres))]
    #[case("mysql://db/wa", Some(Scheme::Mysql))]
    #[case("mariadb://db/wa", Some(Scheme::Mysql))]
    #[case("oracle://db/wa", None)]
    #[case("sqlite", None)]
    #[case("fecha.db", None)]
    fn the_scheme_says_which(#[case] url: &str, #[case] scheme: Option<Scheme>) {
        assert_eq!(Scheme::of(url), scheme);
    }

    #[rstest]
    #[case("/var/50%?.db")]
    #[case("data/a b#ç.db")]
    fn a_file_has_a_url(#[case] file: &str) {
        assert_eq!(sqlite_file(&sqlite_url(Path::new(file))).as_deref(), Some(Path::new(file)));
    }

    #[rstest]
    #[case("sqlite:fecha.db", Some("fecha.db"))]
    #[case("sqlite://data/fecha.db?mode=rwc", Some("data/fecha.db"))]
    #[case("sqlite:///var/50%25%3F.db", Some("/var/50%?.db"))]
    #[case("postgres://db/fecha", None)]
    fn a_file_is_named_as_sqlx_reads_it(#[case] url: &str, #[case] file: Option<&str>) {
        assert_eq!(sqlite_file(url).as_deref(), file.map(Path::new));
    }
}
