//! PostgreSQL, and what speaks its protocol: several connections share one snapshot, and each reads a
//! slice of the month by binary `COPY`, twice as fast as a row stream.
//!
//! A relation whose rows lie on other servers (`postgres_fdw`, Citus) is grouped there instead: what
//! crosses the network is a row for each kind of message of a contact, not each message.

mod answer;
mod copy;
mod session;

use std::num::NonZeroU8;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinSet;

use self::session::PostgresSession;
use super::{Checked, Pass, Place, Relation, SentAt, SourceError, SourceReading};

#[derive(Clone)]
pub(super) struct Postgres {
    options: PgConnectOptions,
    relation: String,
    pub(super) place: Place,
    /// At most so many at once.
    pub(super) connections: NonZeroU8,
}

impl Postgres {
    pub(super) fn new(
        options: PgConnectOptions,
        place: Place,
        relation: &Relation,
        connections: NonZeroU8,
    ) -> Self {
        let options = options
            .application_name("fecha")
            // Poolers refuse startup parameters that they do not know.
            .extra_float_digits(None)
            .disable_statement_logging();
        Self { options, relation: relation.sql('"'), place, connections }
    }

    pub(super) async fn read(
        &self,
        mut pass: Pass,
        now: DateTime<Utc>,
    ) -> Result<SourceReading, SourceError> {
        let mut first = PostgresSession::begin(self, pass.sent_at).await?;
        let aliases = first.aliases(pass.aliases.as_ref()).await?;
        pass.begin(first.optional(), aliases);
        let misdated = first.misdated(now).await?;
        let newest = first.newest(&pass.newest_in).await?;
        let mut reading = JoinSet::new();
        match pass.reader.span() {
            None => first.close().await,
            Some(span) if !pass.reader.needs_each() && first.is_distributed(span).await? => {
                reading.spawn(first.read_grouped(pass.another()));
            }
            Some(span) => {
                let sessions = self.sessions(first).await?;
                let slices = span.slices(sessions.len());
                for (session, slice) in sessions.into_iter().zip(slices) {
                    reading.spawn(session.read(slice, pass.another()));
                }
            }
        }
        let mut slices = Vec::new();
        while let Some(read) = reading.join_next().await {
            slices.push(read.unwrap_or_else(|error| Err(self.place.broken_off(&error)))?);
        }
        Ok(SourceReading { reader: pass.conclude(slices, &self.place)?, newest, misdated })
    }

    pub(super) async fn check(&self, sent_at: SentAt) -> Result<Checked, SourceError> {
        PostgresSession::begin(self, sent_at).await?.check().await
    }

    /// The first session and as many others in its snapshot as are allowed and to be had: a server
    /// that has no more room, or cannot share a snapshot, is read by fewer.
    async fn sessions(
        &self,
        mut first: PostgresSession,
    ) -> Result<Vec<PostgresSession>, SourceError> {
        let others = usize::from(self.connections.get()) - 1;
        if others == 0 {
            return Ok(vec![first]);
        }
        let Ok(snapshot) = first.share_snapshot().await else {
            // The refusal has ended its transaction; a login may hold no second connection.
            let sent_at = first.sent_at();
            first.close().await;
            return Ok(vec![PostgresSession::begin(self, sent_at).await?]);
        };
        let others = join_all((0..others).map(|_| PostgresSession::join(&first, &snapshot))).await;
        Ok(others.into_iter().flatten().chain([first]).collect())
    }
}
