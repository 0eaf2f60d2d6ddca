//! The message database, read only: one pass yields every message of the months being closed.
//!
//! It belongs to somebody else. Each pass runs in one consistent snapshot, writes nothing and holds
//! no lock that a writer could notice; rows outside of the span never leave the database. All that
//! is decided about a message is decided in [`Counter::add`]: the engines only stream rows.

mod columns;
mod error;
mod mysql;
mod postgres;
mod reader;
mod relation;
mod sent_at;
mod sqlite;

use std::fmt;
use std::num::NonZeroU8;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use self::columns::Optional;
pub use self::error::{Place, SourceError};
use self::mysql::Mysql;
use self::postgres::Postgres;
use self::reader::Reader;
use self::relation::Relation;
pub use self::sent_at::SentAt;
use self::sent_at::newest_in;
use self::sqlite::Sqlite;
use fecha_core::bill::hold::{Limits, SourceLook};
use fecha_core::calendar::month::Period;
use fecha_core::count::aliases::Aliases;
use fecha_core::count::counter::Counter;
use fecha_core::count::misdated::Misdated;
use fecha_core::count::profile::{MonthProfile, Profiler};
use fecha_core::count::rules::CountingRules;
use fecha_core::count::tally::{Count, Message};
use fecha_core::database::{Scheme, sqlite_file};

/// What the relation is called in queries, so that a table that is named like one of its columns
/// cannot be taken for that column.
const ALIAS: &str = "fecha_messages";

/// How long a server may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// How long a server may be silent in a pass: counting a large table takes minutes, a line that was
/// cut is never heard from again.
const ANSWER_WITHIN: Duration = Duration::from_mins(30);

/// How many connections a pass holds at once, unless told otherwise.
pub const CONNECTIONS: NonZeroU8 = NonZeroU8::new(2).unwrap();

/// How many rows of a server one clock of [`ANSWER_WITHIN`] times: one for each costs as much as the row.
const ROWS_A_CLOCK: usize = 4096;

/// How many messages pass between two reports of progress.
const PROGRESS_EVERY: u64 = 8192;

/// A message database and the relation in it that has the messages.
#[derive(Clone)]
pub struct Source {
    /// In the configuration, where there are several.
    name: Option<String>,
    engine: Engine,
    /// Whose numbers user ids and LIDs are.
    aliases: Option<Relation>,
    /// By which aliases and numbers are read.
    rules: CountingRules,
    sent_at: SentAt,
    newest_within: TimeDelta,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
    Mysql(Mysql),
}

/// All message databases of a configuration: a month is the sum of them, each proved by itself, and a
/// contact counts once whichever it came by (spec §3.1).
#[derive(Debug, Clone)]
pub struct Sources(Vec<Source>);

/// What one pass found.
#[derive(Debug)]
pub struct Reading {
    /// Every message of the span, counted; each window is proved against each database's own count.
    pub count: Count,
    /// Each source, with its newest message.
    pub sources: Vec<SourceLook>,
    /// Messages of all sources that lie where none can.
    pub misdated: Misdated,
}

/// What one pass over one source found.
struct SourceReading {
    /// A count is proved.
    reader: Reader,
    /// When the newest message before the end of the span was sent, or else before `now`; `None` where
    /// the whole relation has none.
    newest: Option<DateTime<Utc>>,
    misdated: Misdated,
}

/// What the values of a source are.
#[derive(Debug)]
pub struct Profiled {
    /// Month by month.
    pub months: Vec<MonthProfile>,
    /// Whether rows of one message can be told.
    pub has_message_ids: bool,
    /// As in [`SourceLook`].
    pub newest: Option<DateTime<Utc>>,
    /// Messages that lie where none can.
    pub misdated: Misdated,
}

/// What a database that can be read says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Engine and version: `PostgreSQL 15.14`.
    pub engine: String,
    /// The database's URL without its password.
    pub database: String,
    /// The relation by its first words.
    pub relation: String,
    /// The type of `sent_at`, in the database's words.
    pub sent_at: String,
    /// What would be better otherwise, though a count works as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Sources {
    /// At least one.
    #[must_use]
    pub fn new(sources: Vec<Source>) -> Self {
        Self(sources)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// Reads the counter's span in one pass a source, each in one consistent snapshot, and proves each
    /// window of the count against the database's own `COUNT(*)`. `progress` hears the rows read so far.
    ///
    /// Holds a few thousand rows at a time: memory depends on the contacts and on the HSM that carry an
    /// id, not on the messages. Dropping the future ends the query.
    ///
    /// # Errors
    /// Whatever keeps a pass from being complete; then nothing of it is to be used.
    pub async fn count(
        &self,
        counter: Counter,
        now: DateTime<Utc>,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<Reading, SourceError> {
        let mut all = counter.another();
        let pass = Pass::new(Reader::Counter(counter), progress);
        let (mut sources, mut misdated) = (Vec::new(), Misdated::default());
        for source in &self.0 {
            let reading = source.read(pass.another(), now).await?;
            if let Reader::Counter(counter) = reading.reader {
                all.join(counter);
            }
            misdated += reading.misdated;
            sources.push(SourceLook { name: source.name.clone(), newest: reading.newest });
        }
        Ok(Reading { count: all.finish(), sources, misdated })
    }
}

impl Source {
    /// Reads the configuration's `[messages]`; connects to nothing.
    ///
    /// `url` is `sqlite:PATH`, `postgres://…` or `mysql://…` (also `sqlite://PATH`, `postgresql://…`,
    /// `mariadb://…`); a relative path starts at `folder`. `relation` is the name of a table or view,
    /// `schema.name` included, or a parenthesised `SELECT` with comments as the engine has them.
    /// `connections`: how many a pass may hold at once, where the engine lets them share a snapshot.
    ///
    /// # Errors
    /// [`SourceError::UnknownScheme`], [`SourceError::BadUrl`] and [`SourceError::BadRelation`].
    pub fn parse(
        url: &str,
        relation: &str,
        folder: &Path,
        connections: NonZeroU8,
    ) -> Result<Self, SourceError> {
        let place = Place::new(url, relation);
        let Some(scheme) = Scheme::of(url) else {
            return Err(SourceError::UnknownScheme { database: place.database });
        };
        let relation = Relation::parse(relation, scheme)?;
        let bad_url = |error: sqlx::Error| SourceError::BadUrl {
            database: place.database.clone(),
            cause: place.said(&error),
        };
        let engine = match scheme {
            Scheme::Sqlite => {
                let path = folder.join(sqlite_file(url).unwrap_or_default());
                Engine::Sqlite(Sqlite { path, place, relation, connections })
            }
            Scheme::Postgres => {
                let options = url.parse().map_err(bad_url)?;
                Engine::Postgres(Postgres::new(options, place, &relation, connections))
            }
            Scheme::Mysql => {
                let options = url.parse().map_err(bad_url)?;
                Engine::Mysql(Mysql::new(options, place, relation))
            }
        };
        Ok(Self {
            name: None,
            engine,
            aliases: None,
            rules: CountingRules::default(),
            sent_at: SentAt::default(),
            newest_within: Limits::default().newest_message_within,
        })
    }

    /// The same under a name, where there are several.
    #[must_use]
    pub fn named(self, name: Option<String>) -> Self {
        Self { name, ..self }
    }

    /// The same with a relation of `alias` and `contact`, whose spellings are read by these rules.
    ///
    /// # Errors
    /// [`SourceError::BadRelation`].
    pub fn with_aliases(
        self,
        relation: Option<&str>,
        rules: CountingRules,
    ) -> Result<Self, SourceError> {
        let parse = |relation| Relation::parse(relation, self.scheme());
        let aliases = relation.map(parse).transpose()?;
        Ok(Self { aliases, rules, ..self })
    }

    /// The same, whose times are such.
    #[must_use]
    pub fn with_sent_at(self, sent_at: SentAt) -> Self {
        Self { sent_at, ..self }
    }

    /// The same; how long before the end of what is read its newest message is looked for first. Where
    /// there is none, all that it has is looked through.
    #[must_use]
    pub fn newest_within(self, newest_within: TimeDelta) -> Self {
        Self { newest_within, ..self }
    }

    /// Its name in the configuration, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// [`Sources::count`] of this one alone.
    ///
    /// # Errors
    /// As there.
    pub async fn count(
        &self,
        counter: Counter,
        now: DateTime<Utc>,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<Reading, SourceError> {
        Sources(vec![self.clone()]).count(counter, now, progress).await
    }

    async fn read(&self, mut pass: Pass, now: DateTime<Utc>) -> Result<SourceReading, SourceError> {
        pass.aliases =
            self.aliases.clone().map(|relation| AliasRelation { relation, rules: self.rules });
        pass.newest_in = newest_in(pass.reader.span(), now, self.newest_within);
        pass.sent_at = self.sent_at;
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(pass, now).await,
            Engine::Postgres(postgres) => postgres.read(pass, now).await,
            Engine::Mysql(mysql) => mysql.read(pass, now).await,
        }
    }

    /// What the values of some months are.
    ///
    /// # Errors
    /// As [`Sources::count`].
    pub async fn profile(
        &self,
        profiler: Profiler,
        now: DateTime<Utc>,
    ) -> Result<Profiled, SourceError> {
        let pass = Pass::new(Reader::Profiler(Box::new(profiler)), |_| {});
        let SourceReading { reader, newest, misdated } = self.read(pass, now).await?;
        let Reader::Profiler(profiler) = reader else {
            let (place, cause) = (self.place().clone(), "it was counted".to_owned());
            return Err(SourceError::Other { place, doing: "profiling", cause });
        };
        let has_message_ids = profiler.has_message_ids();
        Ok(Profiled { months: profiler.finish(), has_message_ids, newest, misdated })
    }

    /// Tries all that a pass needs: connection, relation, columns, types, rights, `sent_at` in every
    /// row.
    ///
    /// # Errors
    /// The same as [`Source::count`] would give, `Residual` apart.
    pub async fn check(&self) -> Result<Checked, SourceError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.check(self.sent_at).await,
            Engine::Postgres(postgres) => postgres.check(self.sent_at).await,
            Engine::Mysql(mysql) => mysql.check(self.sent_at).await,
        }
    }

    fn scheme(&self) -> Scheme {
        match &self.engine {
            Engine::Sqlite(_) => Scheme::Sqlite,
            Engine::Postgres(_) => Scheme::Postgres,
            Engine::Mysql(_) => Scheme::Mysql,
        }
    }

    /// Database (without its password) and relation, for people.
    #[must_use]
    pub fn place(&self) -> &Place {
        match &self.engine {
            Engine::Sqlite(sqlite) => &sqlite.place,
            Engine::Postgres(postgres) => &postgres.place,
            Engine::Mysql(mysql) => &mysql.place,
        }
    }
}

/// Says where, never the password.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.place())
    }
}

/// The relation of aliases, and by which rules its spellings are read.
#[derive(Clone)]
struct AliasRelation {
    relation: Relation,
    rules: CountingRules,
}

/// What one reader reads, on its way into a counter of its own. Where the rows lie is where they are
/// counted: as many threads count as read.
struct Pass {
    reader: Reader,
    aliases: Option<AliasRelation>,
    sent_at: SentAt,
    /// Where the newest message is looked for.
    newest_in: Vec<Period>,
    /// The columns that are there and asked for.
    columns: Optional,
    /// Rows that this reader has read.
    rows: u64,
    /// Rows that all readers have reported.
    reported: Arc<AtomicU64>,
    progress: Arc<dyn Fn(u64) + Send + Sync>,
}

/// A slice of the span that has been read.
struct ReadSlice {
    pass: Pass,
    /// The database's own count of the slice's part of each window.
    plain: Vec<u64>,
}

impl Pass {
    fn new(reader: Reader, progress: impl Fn(u64) + Send + Sync + 'static) -> Self {
        let (reported, progress) = (Arc::default(), Arc::new(progress));
        let (sent_at, newest_in) = (SentAt::default(), Vec::new());
        let columns = Optional::default();
        Self { reader, aliases: None, sent_at, newest_in, columns, rows: 0, reported, progress }
    }

    /// The relation has these columns, and its contacts these aliases.
    fn begin(&mut self, found: Optional, aliases: Aliases) {
        (self.reader, self.columns) = self.reader.of_source(found, aliases);
    }

    /// For one more reader.
    fn another(&self) -> Self {
        Self {
            reader: self.reader.another(),
            aliases: self.aliases.clone(),
            sent_at: self.sent_at,
            newest_in: self.newest_in.clone(),
            columns: self.columns,
            rows: 0,
            reported: Arc::clone(&self.reported),
            progress: Arc::clone(&self.progress),
        }
    }

    /// Counts one row, which stands for `messages` of them.
    fn add(&mut self, message: &Message<'_>, messages: u64) {
        self.reader.add_alike(message, messages);
        let before = self.rows / PROGRESS_EVERY;
        self.rows += messages;
        let steps = self.rows / PROGRESS_EVERY - before;
        if steps > 0 {
            self.report(steps * PROGRESS_EVERY);
        }
    }

    fn report(&self, rows: u64) {
        (self.progress)(self.reported.fetch_add(rows, Ordering::Relaxed) + rows);
    }

    /// What all readers have counted together, once it is proved against the database's own counts.
    fn conclude(mut self, slices: Vec<ReadSlice>, place: &Place) -> Result<Reader, SourceError> {
        let mut plain = vec![0; self.reader.periods().len()];
        let mut rest = 0;
        for slice in slices {
            plain.iter_mut().zip(slice.plain).for_each(|(sum, of_slice)| *sum += of_slice);
            rest += slice.pass.rows % PROGRESS_EVERY;
            self.reader.join(slice.pass.reader);
        }
        self.report(rest);
        self.reader.prove(&plain, place)?;
        Ok(self.reader)
    }
}

/// The result of a query, or an error of the line where the server stays silent.
async fn within<T>(
    limit: Duration,
    query: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(limit, query).await.unwrap_or_else(|_| {
        let silence = format!("no answer within {} seconds", limit.as_secs());
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, silence)))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_source_shows_no_password() {
        let url = "postgres://fecha:s3cret@127.0.0.1/wa";
        let source = Source::parse(url, "message", Path::new(""), CONNECTIONS).unwrap();
        let shown = format!("{source:?}");
        assert_eq!(shown, "Source(relation 'message' of postgres://fecha:***@127.0.0.1/wa)");
    }

    #[rstest]
    #[case("oracle://fecha:s3cret@db/wa")]
    #[case("messages.db")]
    #[case("")]
    fn an_unknown_scheme_is_refused_and_the_known_ones_are_named(#[case] url: &str) {
        let error = Source::parse(url, "message", Path::new(""), CONNECTIONS).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, SourceError::UnknownScheme { .. }));
        assert!(["sqlite:", "postgres://", "mysql://"].iter().all(|known| text.contains(known)));
        assert!(!text.contains("s3cret"));
    }

    #[test]
    fn a_bad_url_is_refused_without_its_password() {
        let error =
            Source::parse("mysql://fecha:s3cret@db:port/wa", "m", Path::new(""), CONNECTIONS)
                .unwrap_err();
        assert!(matches!(error, SourceError::BadUrl { .. }));
        assert!(!error.to_string().contains("s3cret"));
    }

    #[rstest]
    #[case("sqlite:messages.db", "/etc/fecha/messages.db")]
    #[case("sqlite://messages.db", "/etc/fecha/messages.db")]
    #[case("sqlite:///srv/messages.db", "/srv/messages.db")]
    #[case("sqlite:/srv/messages.db", "/srv/messages.db")]
    fn a_relative_path_starts_at_the_folder(#[case] url: &str, #[case] path: &str) {
        let source = Source::parse(url, "message", Path::new("/etc/fecha"), CONNECTIONS).unwrap();
        let Engine::Sqlite(sqlite) = source.engine else { panic!("{url} is SQLite") };
        assert_eq!(sqlite.path, Path::new(path));
    }
}
