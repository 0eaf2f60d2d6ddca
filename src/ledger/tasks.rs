//! What people asked for, how far it is, and what came of it. The daemon that leads carries it out.

use std::fmt;

use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::invoices::optional_instant;
use super::pages::Page;
use super::{Ledger, LedgerError, corrupt, from_text, new_id, to_text};
use fecha_core::calendar::month::Month;

/// The name of a task. It sorts by the time of asking.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(String);

impl TaskId {
    /// A name that came from outside; that no task has it is found out when it is looked for.
    #[must_use]
    pub fn from_outside(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Nobody has begun it, or it is tried again.
    Waiting,
    /// A daemon is at it, or was when it died.
    Running,
    /// It was carried out; what came of it may be that nothing was issued.
    Done,
    /// It cannot be carried out.
    Failed,
}

impl TaskState {
    /// The word in the ledger.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    fn of(word: &str) -> Result<Self, LedgerError> {
        let all = [Self::Waiting, Self::Running, Self::Done, Self::Failed];
        let found = all.into_iter().find(|state| state.key() == word);
        found.ok_or_else(|| corrupt(format!("'{word}' where the state of a task should be")))
    }

    /// Whether nothing more comes.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// What a running task is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading messages.
    Counting,
    /// Issuing invoices or revisions.
    Issuing,
}

impl Phase {
    /// The word in the ledger.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Counting => "counting",
            Self::Issuing => "issuing",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Counting, Self::Issuing].into_iter().find(|phase| phase.key() == word)
    }
}

/// How far it is, in what it is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What it is at.
    pub phase: Phase,
    /// Messages that were read, invoices that were issued.
    pub done: u64,
    /// Of so many; zero where that is not known.
    pub of: u64,
}

/// A task as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its name.
    pub id: TaskId,
    /// What kind of wish it is.
    pub kind: String,
    /// The month that it is about.
    pub month: Option<Month>,
    /// What was asked for, JSON.
    pub wish: String,
    /// Who asked, by name.
    pub asked_by: String,
    /// The same by id; `None` where no person of the console asked.
    pub person: Option<String>,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// How far it is.
    pub state: TaskState,
    /// How often it was begun.
    pub tries: u32,
    /// When it was begun first.
    pub begun_at: Option<DateTime<Utc>>,
    /// How far it is in what it is at.
    pub step: Option<Step>,
    /// When it was done or failed.
    pub ended_at: Option<DateTime<Utc>>,
    /// What came of it, JSON.
    pub outcome: Option<String>,
    /// Why it failed, or waits to be tried again.
    pub error: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct NewTask<'a> {
    /// What kind of wish it is.
    pub kind: &'a str,
    /// The month that it is about.
    pub month: Option<Month>,
    /// The wish, JSON.
    pub wish: String,
    /// Who asks, by name.
    pub asked_by: &'a str,
    /// The same by id.
    pub person: Option<&'a str>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It is a task of its own.
    New(TaskId),
    /// One of the same kind and month is not finished: that one.
    Unfinished(TaskId),
}

impl Asked {
    /// The task to look at.
    #[must_use]
    pub fn id(&self) -> &TaskId {
        match self {
            Self::New(id) | Self::Unfinished(id) => id,
        }
    }
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskEnd {
    /// It was carried out; what came of it, JSON.
    Done(String),
    /// It cannot be carried out: why.
    Failed(String),
    /// It is tried again, not before this instant: why.
    Again(DateTime<Utc>, String),
}

const COLUMNS: &str = "id, kind, month, wish, asked_by, person, asked_at, state, tries, begun_at, phase, done, total, ended_at, outcome, error";

/// What a leader of the term `$1` finds to do at `$2`.
const DUE: &str = "state IN ('waiting', 'running') AND (state = 'running' OR again_at IS NULL OR again_at <= $2) AND (state = 'waiting' OR owner <> $1)";

/// So often a task is asked for where one that is like it ends each time.
const MOST_LOOKS: u32 = 10;

impl Ledger {
    /// Writes down what somebody asks for. Of one kind and month one task is unfinished at a time.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn ask(&self, task: NewTask<'_>) -> Result<Asked, LedgerError> {
        // One that is like it may end between two looks; not again and again, since nobody is quicker to ask.
        for _ in 0..MOST_LOOKS {
            if let Some(asked) = self.ask_once(&task).await? {
                return Ok(asked);
            }
        }
        let cause = "those like it end as fast as they are looked for".to_owned();
        Err(LedgerError::Busy { action: "write down a task", cause })
    }

    /// `None` where one like it was unfinished, and ended before it could be named.
    async fn ask_once(&self, task: &NewTask<'_>) -> Result<Option<Asked>, LedgerError> {
        let failed = LedgerError::while_doing("write down a task");
        let id = new_id(task.at);
        let month = task.month.map(|month| month.to_string());
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO task (id, kind, month, wish, asked_by, person, asked_at, state, tries, done, total)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, 0, 0) ON CONFLICT DO NOTHING",
        )
        .bind(id.clone())
        .bind(task.kind.to_owned())
        .bind(month.clone())
        .bind(task.wish.clone())
        .bind(task.asked_by.to_owned())
        .bind(task.person.map(str::to_owned))
        .bind(to_text(task.at))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if inserted.rows_affected() == 1 {
            transaction.commit().await.map_err(&failed)?;
            return Ok(Some(Asked::New(TaskId(id))));
        }
        let row = sqlx::query(
            "SELECT id FROM task WHERE kind = $1 AND month = $2 AND state IN ('waiting', 'running')",
        )
        .bind(task.kind.to_owned())
        .bind(month)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(&failed)?;
        let name = row.map(|row| row.try_get(0).map_err(corrupt)).transpose()?;
        Ok(name.map(|name| Asked::Unfinished(TaskId(name))))
    }

    /// One task; `None` where there is none of this name.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn task(&self, id: &TaskId) -> Result<Option<Task>, LedgerError> {
        Ok(self.tasks_where("WHERE id = $1", vec![id.0.clone()]).await?.pop())
    }

    /// The task of this kind that was asked for last about a month.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn latest_task(&self, month: Month, kind: &str) -> Result<Option<Task>, LedgerError> {
        let condition = "WHERE month = $1 AND kind = $2 ORDER BY id DESC LIMIT 1";
        let values = vec![month.to_string(), kind.to_owned()];
        Ok(self.tasks_where(condition, values).await?.pop())
    }

    /// The latest task of this kind about a month that was carried out: another one may be on its way.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn latest_done(&self, month: Month, kind: &str) -> Result<Option<Task>, LedgerError> {
        let condition =
            "WHERE month = $1 AND kind = $2 AND state = 'done' ORDER BY id DESC LIMIT 1";
        let values = vec![month.to_string(), kind.to_owned()];
        Ok(self.tasks_where(condition, values).await?.pop())
    }

    /// What is still to be done about a month, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn unfinished_tasks(&self, month: Month) -> Result<Vec<Task>, LedgerError> {
        let condition = "WHERE month = $1 AND state IN ('waiting', 'running') ORDER BY id";
        self.tasks_where(condition, vec![month.to_string()]).await
    }

    /// The last ones that were asked for, at most `most`, the newest first.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn latest_tasks(&self, most: u32) -> Result<Vec<Task>, LedgerError> {
        self.tasks_where(&format!("ORDER BY id DESC LIMIT {most}"), Vec::new()).await
    }

    /// A page of the tasks, in the order of asking: about one month, or about all there is.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn tasks_page(
        &self,
        month: Option<Month>,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page<Task, TaskId>, LedgerError> {
        let about = month.map_or("", |_| "AND month = $2");
        let condition = format!("WHERE id > $1 {about} ORDER BY id LIMIT {}", most + 1);
        let month = month.map(|month| month.to_string());
        let values = std::iter::once(after.unwrap_or_default().to_owned()).chain(month).collect();
        let tasks = self.tasks_where(&condition, values).await?;
        Ok(Page::of(tasks, most, |task| task.id.clone()))
    }

    async fn tasks_where(
        &self,
        condition: &str,
        values: Vec<String>,
    ) -> Result<Vec<Task>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM task {condition}");
        let rows = values
            .into_iter()
            .fold(sqlx::query(AssertSqlSafe(sql)), sqlx::query::Query::bind)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the tasks"))?;
        rows.iter().map(task).collect()
    }

    /// Takes the oldest task that is due for the term `owner` of a leader, one that a leader before left
    /// included; `None` where there is none. Writes nothing then.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read or written.
    pub async fn take_task(
        &self,
        owner: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Task>, LedgerError> {
        let failed = LedgerError::while_doing("take up a task");
        let sql = format!("SELECT COUNT(*) FROM task WHERE {DUE}");
        let due: i64 = sqlx::query(AssertSqlSafe(sql))
            .bind(owner.to_owned())
            .bind(to_text(now))
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(&failed)?;
        if due == 0 {
            return Ok(None);
        }
        let mut transaction = self.begin().await?;
        let sql = format!(
            "UPDATE task SET state = 'running', owner = $1, tries = tries + 1, again_at = NULL,
                 begun_at = COALESCE(begun_at, $2), phase = NULL, done = 0, total = 0, error = NULL
             WHERE id = (SELECT id FROM task WHERE {DUE} ORDER BY id LIMIT 1) RETURNING {COLUMNS}"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(owner.to_owned())
            .bind(to_text(now))
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&failed)?;
        let taken = row.as_ref().map(task).transpose()?;
        transaction.commit().await.map_err(&failed)?;
        Ok(taken)
    }

    /// Notes how far a task is that the term `owner` carries out.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn note_step(&self, id: &TaskId, owner: &str, step: Step) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("note how far a task is");
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE task SET phase = $1, done = $2, total = $3 WHERE id = $4 AND owner = $5 AND state = 'running'",
        )
        .bind(step.phase.key().to_owned())
        .bind(i64::try_from(step.done).map_err(corrupt)?)
        .bind(i64::try_from(step.of).map_err(corrupt)?)
        .bind(id.0.clone())
        .bind(owner.to_owned())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// Ends a try of the term `owner`, or the task.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn end_task(
        &self,
        id: &TaskId,
        owner: &str,
        end: TaskEnd,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("end a task");
        let ended = Some(to_text(now));
        let (state, outcome, error, again_at, ended) = match end {
            TaskEnd::Done(outcome) => (TaskState::Done, Some(outcome), None, None, ended),
            TaskEnd::Failed(why) => (TaskState::Failed, None, Some(why), None, ended),
            TaskEnd::Again(at, why) => {
                (TaskState::Waiting, None, Some(why), Some(to_text(at)), None)
            }
        };
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE task SET state = $1, outcome = $2, error = $3, again_at = $4, ended_at = $5
             WHERE id = $6 AND owner = $7 AND state = 'running'",
        )
        .bind(state.key().to_owned())
        .bind(outcome)
        .bind(error)
        .bind(again_at)
        .bind(ended)
        .bind(id.0.clone())
        .bind(owner.to_owned())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// A name for a term of leading, that no other term has.
    #[must_use]
    pub fn term_name(&self, now: DateTime<Utc>) -> String {
        match self.written_for.epoch {
            Some(epoch) => format!("{epoch} {}", new_id(now)),
            None => new_id(now),
        }
    }
}

fn task(row: &AnyRow) -> Result<Task, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    let count = |column: &str| -> Result<u64, LedgerError> {
        u64::try_from(row.try_get::<i64, _>(column).map_err(corrupt)?).map_err(corrupt)
    };
    let phase = optional("phase")?.as_deref().and_then(Phase::of);
    let (done, of) = (count("done")?, count("total")?);
    Ok(Task {
        id: TaskId(text("id")?),
        kind: text("kind")?,
        month: optional("month")?.map(|month| month.parse().map_err(corrupt)).transpose()?,
        wish: text("wish")?,
        asked_by: text("asked_by")?,
        person: optional("person")?,
        asked_at: from_text(&text("asked_at")?)?,
        state: TaskState::of(&text("state")?)?,
        tries: u32::try_from(count("tries")?).map_err(corrupt)?,
        begun_at: optional_instant(row, "begun_at")?,
        step: phase.map(|phase| Step { phase, done, of }),
        ended_at: optional_instant(row, "ended_at")?,
        outcome: optional("outcome")?,
        error: optional("error")?,
    })
}
