//! What happened, to be read when something broke; and the figures of the run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::reseller::LedgerKind;

/// Faults that the run met and that are known: each is to be fixed, and then taken out of [`KNOWN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A refused sender fails an email for good.
    SenderFails,
    /// An email is taken twice and nothing says so.
    DoubleIsNotRecorded,
    /// An answer that says yes in an odd way is taken for none.
    OddAnswerIsLost,
    /// An email is sent that no server took.
    SentButNotTaken,
    /// A passing error of the ledger fails a dealership.
    PassingErrorFails,
    /// A ledger that is away is made anew.
    LedgerMadeAnew,
}

impl Fault {
    pub fn is_known(self) -> bool {
        KNOWN.contains(&self)
    }
}

/// Faults that do not end the run.
const KNOWN: &[Fault] = &[];

pub struct Tale {
    file: File,
    path: PathBuf,
    pub ledger: LedgerKind,
    seed: u64,
    started: Instant,
    told: Instant,
    pub kills: u64,
    pub stops: u64,
    pub daemons: u64,
    /// What was done to the ledger, by name.
    pub troubles: BTreeMap<&'static str, u64>,
    /// By command and exit status; none is killed.
    commands: BTreeMap<String, BTreeMap<Option<i32>, u64>>,
    /// How long each command took at last, smoothed: how long to let it live.
    pub lives: BTreeMap<String, Duration>,
    /// Of each: about what, and the first in words.
    known: BTreeMap<Fault, (BTreeSet<String>, String)>,
    pub steps: u64,
    pub checks: u64,
    /// Closed months, months that passed, standing invoices, revisions, emails that are over, payments.
    pub reached: [usize; 6],
}

impl Tale {
    pub fn new(path: PathBuf, ledger: LedgerKind, seed: u64) -> Self {
        let file = File::create(&path).expect("the folder takes a file");
        let now = Instant::now();
        Self {
            file,
            path,
            ledger,
            seed,
            started: now,
            told: now,
            kills: 0,
            stops: 0,
            daemons: 0,
            troubles: BTreeMap::new(),
            commands: BTreeMap::new(),
            lives: BTreeMap::new(),
            known: BTreeMap::new(),
            steps: 0,
            checks: 0,
            reached: [0; 6],
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn tell(&mut self, what: &str) {
        let at = self.started.elapsed();
        let _ = writeln!(self.file, "{:9.3} {what}", at.as_secs_f64());
    }

    pub fn ended(&mut self, name: &str, status: Option<i32>, age: Duration) {
        *self.commands.entry(name.to_owned()).or_default().entry(status).or_default() += 1;
        if status.is_some() && name != "daemon" {
            let life = self.lives.entry(name.to_owned()).or_insert(age);
            *life = (*life * 3 + age) / 4;
        }
    }

    /// A known fault is counted, once for each subject; any other ends the run.
    pub fn fault(&mut self, fault: Fault, about: &str, what: &str) -> Option<String> {
        if !fault.is_known() {
            return Some(format!("{fault:?}: {what}"));
        }
        let known = self.known.entry(fault).or_insert_with(|| (BTreeSet::new(), what.to_owned()));
        if known.0.insert(about.to_owned()) {
            self.tell(&format!("known fault {fault:?}: {what}"));
        }
        None
    }

    /// Something does not hold: says what, how to do it again and what came before, and ends the run.
    pub fn broken(&mut self, what: &[String]) {
        for one in what {
            self.tell(&format!("BROKEN: {one}"));
        }
        let tale = std::fs::read_to_string(&self.path).unwrap_or_default();
        let lines: Vec<&str> = tale.lines().collect();
        let last = lines[lines.len().saturating_sub(80)..].join("\n");
        panic!(
            "{last}\n\n{}\nTORTURE_SEED={} after {} kills, {:?}; everything is kept in {}\nBROKEN:\n{}",
            self.summary(),
            self.seed,
            self.kills,
            self.elapsed(),
            self.path.parent().unwrap_or(&self.path).display(),
            what.join("\n"),
        );
    }

    /// Once a minute, where people look: a test's output is shown at its end otherwise.
    pub fn progress(&mut self) {
        if self.told.elapsed() >= Duration::from_mins(1) {
            self.told = Instant::now();
            self.say();
        }
    }

    pub fn say(&mut self) {
        let summary = self.summary();
        let _ = writeln!(std::io::stderr(), "{summary}");
    }

    pub fn summary(&self) -> String {
        let [closed, passed, standing, revisions, emails, payments] = self.reached;
        let commands: u64 = self.commands.values().flat_map(BTreeMap::values).sum();
        let mut statuses: BTreeMap<Option<i32>, u64> = BTreeMap::new();
        for (status, count) in self.commands.values().flatten() {
            *statuses.entry(*status).or_default() += count;
        }
        let statuses: Vec<String> = statuses
            .iter()
            .map(|(status, count)| match status {
                Some(status) => format!("{status}: {count}"),
                None => format!("killed: {count}"),
            })
            .collect();
        let known: Vec<String> = self
            .known
            .iter()
            .map(|(fault, (all, first))| {
                format!("\n  known fault {fault:?} × {}: {first}", all.len())
            })
            .collect();
        format!(
            "{:?} TORTURE_SEED={} {} min: {} kills, {} stops, troubles {:?}, {} steps, {} checks, {passed} months ({closed} closed), \
             {commands} commands and daemons ({}), {standing} invoices, {revisions} revisions, {emails} emails, {payments} payments{}",
            self.ledger,
            self.seed,
            self.elapsed().as_secs() / 60,
            self.kills,
            self.stops,
            self.troubles,
            self.steps,
            self.checks,
            statuses.join(", "),
            known.concat(),
        )
    }
}
