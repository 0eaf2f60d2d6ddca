//! Where a database is: a URL whose relative SQLite file starts at the configuration's folder.

use std::fmt;
use std::path::{Path, PathBuf};

use fecha_core::database::{Scheme, sqlite_file};
use fecha_core::secret::without_password;

/// The URL of a database, as sqlx takes it. `Display` and `Debug` hide the password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

/// The text is no URL of a database that can be used here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// No scheme.
    #[error("is no URL of a database: write {0}")]
    NoScheme(&'static str),
    /// Another scheme.
    #[error("'{scheme}' is no database that can stand here: write {expected}")]
    Scheme {
        /// What stands before the colon: never the rest, which can hold a password.
        scheme: String,
        /// The URLs that can stand here.
        expected: &'static str,
    },
    /// SQLite in memory would be empty each time.
    #[error("a SQLite database in memory keeps nothing: name a file, for example sqlite:fecha.db")]
    InMemory,
    /// The scheme alone.
    #[error("names no database behind '{0}'")]
    Empty(String),
    /// The folder has no name that a URL can hold.
    #[error("the folder of the configuration has a name that is not UTF-8: move it")]
    Folder,
}

/// Which databases a URL can name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    Ledger,
    Messages,
}

impl Use {
    fn allows(self, scheme: Scheme) -> bool {
        match scheme {
            Scheme::Sqlite | Scheme::Postgres => true,
            Scheme::Mysql => matches!(self, Self::Messages),
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Ledger => "sqlite:fecha.db or postgres://user@host/database",
            Self::Messages => {
                "sqlite:messages.db, postgres://user@host/database or mysql://user@host/database"
            }
        }
    }
}

impl DatabaseUrl {
    /// `folder` is absolute.
    pub(super) fn resolve(text: &str, used: Use, folder: &Path) -> Result<Self, InvalidUrl> {
        let text = text.trim();
        let expected = used.expected();
        let (name, rest) = text
            .split_once(':')
            // Else what stands there can be a part of a password.
            .filter(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric()))
            .ok_or(InvalidUrl::NoScheme(expected))?;
        let Some(scheme) = Scheme::of(text).filter(|scheme| used.allows(*scheme)) else {
            return Err(InvalidUrl::Scheme { scheme: name.to_owned(), expected });
        };
        // As sqlx reads it: slashes behind the scheme do not belong to a relative name.
        let named = rest.strip_prefix("//").unwrap_or(rest);
        if named.is_empty() || named.starts_with('?') {
            return Err(InvalidUrl::Empty(format!("{name}:")));
        }
        if scheme != Scheme::Sqlite {
            return Ok(Self(text.to_owned()));
        }
        let (file, query) = named.split_at(named.find('?').unwrap_or(named.len()));
        if file == ":memory:" || query.split(['?', '&']).any(|part| part == "mode=memory") {
            return Err(InvalidUrl::InMemory);
        }
        let folder = folder.to_str().ok_or(InvalidUrl::Folder)?;
        // sqlx decodes the name: what the folder has of these characters must survive that.
        let folder = folder.replace('%', "%25").replace('?', "%3F");
        let file = Path::new(&folder).join(file);
        Ok(Self(format!("sqlite:{}{query}", file.display())))
    }

    /// The file of a SQLite database; `None` for a server's.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        sqlite_file(&self.0)
    }

    /// The whole URL, password included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn resolve(text: &str, used: Use) -> Result<String, String> {
        DatabaseUrl::resolve(text, used, Path::new("/srv/50% fecha?"))
            .map(|url| url.as_str().to_owned())
            .map_err(|error| error.to_string())
    }

    #[rstest]
    #[case("sqlite:fecha.db", "sqlite:/srv/50%25 fecha%3F/fecha.db")]
    #[case("sqlite://data/fecha.db", "sqlite:/srv/50%25 fecha%3F/data/fecha.db")]
    #[case("sqlite:///var/lib/fecha.db?mode=rwc", "sqlite:/var/lib/fecha.db?mode=rwc")]
    #[case("sqlite:/var/lib/fecha.db", "sqlite:/var/lib/fecha.db")]
    #[case("postgres://fecha@db/fecha", "postgres://fecha@db/fecha")]
    fn a_relative_file_starts_at_the_folder(#[case] text: &str, #[case] url: &str) {
        assert_eq!(resolve(text, Use::Ledger).as_deref(), Ok(url));
    }

    #[test]
    fn sqlx_opens_the_file_that_was_meant() {
        let url = resolve("sqlite:fecha.db", Use::Ledger).unwrap();
        let options: sqlx::sqlite::SqliteConnectOptions = url.parse().unwrap();
        assert_eq!(options.get_filename(), Path::new("/srv/50% fecha?/fecha.db"));
    }

    #[test]
    fn other_databases_are_refused_without_their_password() {
        let refused = |text| resolve(text, Use::Ledger).unwrap_err();
        insta::assert_snapshot!(refused("mysql://root:geheim@db/fecha"), @"'mysql' is no database that can stand here: write sqlite:fecha.db or postgres://user@host/database");
        insta::assert_snapshot!(refused("s3cret@db:5432"), @"is no URL of a database: write sqlite:fecha.db or postgres://user@host/database");
        insta::assert_snapshot!(refused("fecha.db"), @"is no URL of a database: write sqlite:fecha.db or postgres://user@host/database");
        insta::assert_snapshot!(refused("sqlite::memory:"), @"a SQLite database in memory keeps nothing: name a file, for example sqlite:fecha.db");
        insta::assert_snapshot!(refused("sqlite:"), @"names no database behind 'sqlite:'");
        insta::assert_snapshot!(resolve("oracle:x", Use::Messages).unwrap_err(), @"'oracle' is no database that can stand here: write sqlite:messages.db, postgres://user@host/database or mysql://user@host/database");
        assert!(resolve("mysql://root@db/messages", Use::Messages).is_ok());
    }

    #[test]
    fn shows_no_password() {
        let text = "postgres://fecha:ge@he/im@db:5432/fecha?password=x";
        let url = DatabaseUrl::resolve(text, Use::Ledger, Path::new("/")).unwrap();
        let shown = "postgres://fecha:***@db:5432/fecha?password=***";
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("DatabaseUrl({shown})"));
    }
}
