//! MySQL and MariaDB: rows by the text protocol, every column as the bytes that the server prints.
//!
//! Nothing but `sent_at` is compared in SQL: collations would find `d1` and `D1` equal.

mod key;
mod session;

use chrono::{DateTime, Utc};
use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;

use self::session::{MysqlSession, literal};
use super::{Checked, Pass, Place, Relation, SourceError, SourceReading};

#[derive(Clone)]
pub(super) struct Mysql {
    options: MySqlConnectOptions,
    relation: Relation,
    pub(super) place: Place,
}

impl Mysql {
    pub(super) fn new(options: MySqlConnectOptions, place: Place, relation: Relation) -> Self {
        let options = options
            .timezone("+00:00".to_owned())
            // A SELECT in the configuration means what it means in the server's own mode.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        Self { options, relation, place }
    }

    pub(super) async fn read(
        &self,
        mut pass: Pass,
        now: DateTime<Utc>,
    ) -> Result<SourceReading, SourceError> {
        let mut session = MysqlSession::begin(self).await?;
        let aliases = session.aliases(pass.aliases.as_ref()).await?;
        pass.begin(session.optional().await?, aliases);
        let mut slices = Vec::new();
        if let Some(span) = pass.reader.span() {
            slices.push(session.read(span, pass.another()).await?);
        }
        let newest = session.extreme("MAX", &format!("sent_at <= {}", literal(now))).await?;
        let misdated = session.misdated(now).await?;
        session.close().await;
        Ok(SourceReading { reader: pass.conclude(slices, &self.place)?, newest, misdated })
    }

    pub(super) async fn check(&self) -> Result<Checked, SourceError> {
        let session = MysqlSession::begin(self).await?;
        let number = session.version.split('-').next().unwrap_or_default();
        let engine = if session.is_mariadb() { "MariaDB" } else { "MySQL" };
        let checked = Checked {
            engine: format!("{engine} {number}"),
            database: self.place.database.clone(),
            relation: self.place.relation.clone(),
            sent_at: session.sent_at.clone(),
            advice: None,
        };
        session.close().await;
        Ok(checked)
    }
}
