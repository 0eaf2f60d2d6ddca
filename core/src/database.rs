//! Which database a URL names.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

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
    #[case("sqlite:fecha.db", Some("fecha.db"))]
    #[case("sqlite://data/fecha.db?mode=rwc", Some("data/fecha.db"))]
    #[case("sqlite:///var/50%25%3F.db", Some("/var/50%?.db"))]
    #[case("postgres://db/fecha", None)]
    fn a_file_is_named_as_sqlx_reads_it(#[case] url: &str, #[case] file: Option<&str>) {
        assert_eq!(sqlite_file(url).as_deref(), file.map(Path::new));
    }
}
