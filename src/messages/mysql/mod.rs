//! MySQL and MariaDB: rows by the text protocol, every column as the bytes that the server prints.
//!
//! Nothing but `sent_at` is compared in SQL: collations would find `d1` and `D1` equal.

mod key;
mod session;

use chrono::{DateTime, Utc};
use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;

use self::session::MysqlSession;
use super::{Checked, Pass, Place, Relation, SentAt, SourceError, SourceReading};

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
        let mut session = MysqlSession::begin(self, pass.sent_at).await?;
        let misdated = session.misdated(now).await?;
        let aliases = session.aliases(pass.aliases.as_ref()).await?;
        pass.begin(session.optional().await?, aliases);
        let mut slices = Vec::new();
        if let Some(span) = pass.reader.span() {
            slices.push(session.read(span, pass.another()).await?);
        }
        let newest = session.newest(&pass.newest_in).await?;
        session.close().await;
        Ok(SourceReading { reader: pass.conclude(slices, &self.place)?, newest, misdated })
    }

    pub(super) async fn check(&self, sent_at: SentAt) -> Result<Checked, SourceError> {
        let mut session = MysqlSession::begin(self, sent_at).await?;
        session.refuse_nulls().await?;
        let number = session.version.split('-').next().unwrap_or_default();
        let engine = if session.is_mariadb() { "MariaDB" } else { "MySQL" };
        let checked = Checked {
            engine: format!("{engine} {number}"),
            database: self.place.database.clone(),
            relation: self.place.relation.clone(),
            sent_at: session.of_type.clone(),
            advice: None,
        };
        session.close().await;
        Ok(checked)
    }
}
