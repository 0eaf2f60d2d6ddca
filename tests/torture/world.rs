//! The world that fecha stands in: a reseller, a mail server, a ledger that can be cut off or fill its disk, a
//! clock that leaps, and processes that die.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::disk::Disk;
use super::jobs::{Ended, Event, Fate, Job};
use super::post::{A_WAIT, DOORS, Post, Taken, door};
use super::support::line::Line;
use super::tale::Tale;
use crate::support::postgres::Postgres;
use crate::support::reseller::{CONFIG, LedgerKind, Reseller};

pub const IDS: [&str; 8] = ["d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8"];
/// Two of them live an hour west of the others.
pub const WESTERN: [&str; 2] = ["d7", "d8"];
/// The run begins in this month; nothing before is ever closed.
pub const FIRST_MONTH: &str = "2027-01";

/// The ledger's server and the line to it.
pub struct Server {
    pub postgres: Postgres,
    pub line: Line,
}

/// Another program's lock on the ledger; it ends when this is dropped.
pub enum Lock {
    Sqlite(#[expect(dead_code, reason = "held")] rusqlite::Connection),
    Postgres(Child),
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Self::Postgres(psql) = self {
            let _ = psql.kill();
            let _ = psql.wait();
        }
    }
}

/// Something that happened to a process, or to all, for a time.
#[derive(Debug, Clone, Copy)]
struct Disturbance {
    by: Option<u64>,
    from: Instant,
    to: Instant,
}

/// Before its first word to the mail server a process has claimed the email; after the last answer it writes down
/// what became of it. How long before and after something may get between the two: what happens to processes,
/// and leaps of the clock, which are many.
const AROUND: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(4)];
const AROUND_LEAPS: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(700)];

pub struct World {
    pub reseller: Reseller,
    pub post: Post,
    pub server: Option<Server>,
    pub disk: Option<Disk>,
    /// Where the ledger is, by the direct way.
    pub url: String,
    pub random: ChaCha8Rng,
    pub tale: Tale,
    pub daemons: Vec<Job>,
    disturbances: Vec<Disturbance>,
    leaps: Vec<Instant>,
    /// How far the clock of all is from the machine's.
    offset: TimeDelta,
    serial: u64,
}

#[expect(clippy::disallowed_methods, reason = "the clock that is not faked")]
fn machine() -> DateTime<Utc> {
    Utc::now()
}

impl World {
    pub fn new(kind: LedgerKind, seed: u64) -> Self {
        let mut reseller = Reseller::new(LedgerKind::Sqlite);
        let post = Post::start(seed);
        configure(&reseller, post.port);
        let (server, disk, url) = ledger(kind, &reseller);
        let by_the_line = match &server {
            Some(server) => {
                let database = url.rsplit('/').next().unwrap_or_default();
                format!("postgres://postgres@127.0.0.1:{}/{database}", server.line.port)
            }
            None => url.clone(),
        };
        reseller.variables.push(("FECHA_LEDGER__URL".to_owned(), by_the_line));
        let tale = Tale::new(reseller.path("tale.txt"), kind, seed);
        let mut world = Self {
            reseller,
            post,
            server,
            disk,
            url,
            random: ChaCha8Rng::seed_from_u64(seed),
            tale,
            daemons: Vec::new(),
            disturbances: Vec::new(),
            leaps: Vec::new(),
            offset: TimeDelta::zero(),
            serial: 0,
        };
        world.set_clock("2027-01-02T15:00:00Z".parse().expect("an instant"));
        world
    }

    pub fn now(&self) -> DateTime<Utc> {
        machine() + self.offset
    }

    pub fn set_clock(&mut self, now: DateTime<Utc>) {
        self.offset = now - machine();
        // By renaming, so that no daemon reads half a line.
        let next = self.reseller.path("clock.next");
        std::fs::write(&next, format!("{:+}\n", self.offset.num_seconds())).expect("it is written");
        std::fs::rename(next, self.reseller.path("clock")).expect("it is renamed");
        self.leaps.push(Instant::now());
    }

    pub fn pass(&mut self, time: TimeDelta) {
        self.set_clock(self.now() + time);
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.random.random_range(0..of.len())]
    }

    pub fn millis(&mut self, of: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.random_range(of))
    }

    /// A process, or all, cannot be held to what it did from so long ago until now.
    pub fn disturb(&mut self, by: Option<u64>, since: Duration) {
        let to = Instant::now();
        let from = to.checked_sub(since).unwrap_or(to);
        self.disturbances.push(Disturbance { by, from, to });
    }

    /// Whether something happened to this process, or to all, around that time.
    pub fn is_disturbed(&self, taken: &Taken, began: Instant) -> bool {
        let Taken { by, at, was_calm, .. } = *taken;
        let around = |[before, after]: [Duration; 2]| {
            (began.checked_sub(before).unwrap_or(began), at + after)
        };
        // It may have been claimed long before its first word where the server let wait.
        let [before, after] = AROUND_LEAPS;
        let (from, to) = around([if was_calm { before } else { A_WAIT }, after]);
        let leapt =
            self.leaps.iter().rev().take_while(|leap| **leap >= from).any(|leap| *leap <= to);
        let (from, to) = around(AROUND);
        let own = |one: &&Disturbance| one.by.is_none_or(|process| process == by);
        let mut others = self.disturbances.iter().rev().filter(own);
        leapt || others.any(|one| one.from <= to && one.to >= from)
    }

    /// Starts a command by the common clock.
    pub fn start(&mut self, arguments: &[&str], fate: Option<Fate>) -> Job {
        let now = self.now().format("%Y-%m-%d %H:%M:%S").to_string();
        self.reseller.at(&now);
        let command = self.reseller.command(arguments);
        self.launch(command, arguments.join(" "), fate)
    }

    /// The same where no file may grow beyond so many kilobytes: without the signal, that is an error.
    pub fn start_with_room(&mut self, arguments: &[&str], kilobytes: u64) -> Job {
        let now = self.now().format("%Y-%m-%d %H:%M:%S").to_string();
        self.reseller.at(&now);
        let command = self.reseller.command(arguments);
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kilobytes * 2);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).arg(command.get_program()).args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let what = format!("{} (files up to {kilobytes} KB)", arguments.join(" "));
        self.launch(shell, what, None)
    }

    pub fn start_daemon(&mut self) {
        let mut command = self.reseller.command(&["daemon"]);
        command.env_remove("FAKETIME").env("FAKETIME_TIMESTAMP_FILE", self.reseller.path("clock"));
        // Read anew once a second: its reader is not safe between threads.
        command.env("FAKETIME_CACHE_DURATION", "1").env("FECHA_CONSOLE__LISTEN", "127.0.0.1:0");
        let daemon = self.launch(command, "daemon".to_owned(), None);
        self.daemons.push(daemon);
        self.tale.daemons += 1;
    }

    fn launch(&mut self, mut command: Command, what: String, fate: Option<Fate>) -> Job {
        self.serial += 1;
        let door_number = self.free_door();
        self.post.assign(door_number, self.serial);
        command.env("FECHA_EMAIL__SMTP__HOST", door(door_number));
        self.tale.tell(&format!("{} starts: {what} {fate:?}", self.serial));
        let folder = self.reseller.path("");
        Job::start(command, (self.serial, door_number, what), &folder, fate)
    }

    /// The one that was free longest, but for those of daemons.
    fn free_door(&self) -> usize {
        let is_taken = |door: usize| self.daemons.iter().any(|daemon| daemon.door == door);
        let first = usize::try_from(self.serial).unwrap_or_default();
        let mut all = (0..DOORS).map(|number| (first + number) % DOORS);
        all.find(|door| !is_taken(*door)).unwrap_or_default()
    }

    /// Runs a command to its end, undisturbed.
    pub fn run(&mut self, arguments: &[&str]) -> Ended {
        let mut job = self.start(arguments, None);
        while job.look() != Event::Ended {
            self.look_at_daemons();
            self.must_end(&job);
            std::thread::sleep(Duration::from_millis(3));
        }
        self.over(job)
    }

    /// A command that runs for minutes hangs.
    pub fn must_end(&mut self, job: &Job) {
        if job.age() > Duration::from_mins(3) {
            let stack = Command::new("gdb")
                .args(["-p", &job.id().to_string(), "-batch", "-ex", "thread apply all bt 12"])
                .output();
            let stack = stack.map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
            let told =
                format!("{} does not end: {}\n{}", job.serial, job.what, stack.unwrap_or_default());
            self.tale.broken(&[told]);
        }
    }

    /// Takes the end of a process down: it must not have panicked, and have one of the exit statuses.
    pub fn over(&mut self, job: Job) -> Ended {
        let (serial, what, killed) = (job.serial, job.what.clone(), job.killed);
        let age = job.age();
        let ended = job.end();
        let name = what.split(' ').next().unwrap_or_default().to_owned();
        self.tale.ended(&name, if killed { None } else { ended.status }, age);
        let status = ended.status.map_or("killed".to_owned(), |status| status.to_string());
        let said = ended.err.lines().last().unwrap_or_default();
        let said: String = said.chars().take(300).collect();
        self.tale.tell(&format!("{serial} ends {status}: {what}: {said}"));
        let is_usual = killed || ended.status.is_some_and(|status| (0..=3).contains(&status));
        if !is_usual || ended.err.contains("panicked") {
            self.tale.broken(&[format!("{serial} {what} ended {status}:\n{}", ended.err)]);
        }
        ended
    }

    /// Notes what happens to a process.
    pub fn happened(&mut self, job: &Job, event: Event) {
        match event {
            Event::Killed => {
                self.tale.kills += 1;
                self.tale.tell(&format!("{} is killed: {}", job.serial, job.what));
                self.disturb(Some(job.serial), Duration::ZERO);
            }
            Event::Stopped => {
                self.tale.stops += 1;
                self.tale.tell(&format!("{} is stopped: {}", job.serial, job.what));
            }
            Event::GoesOn => {
                self.tale.tell(&format!("{} goes on: {}", job.serial, job.what));
                // Who stood still may have kept others from their ledger.
                self.disturb(None, job.last_rest);
            }
            Event::Nothing | Event::Ended => {}
        }
    }

    pub fn look_at_daemons(&mut self) {
        let mut all = std::mem::take(&mut self.daemons);
        let mut index = 0;
        while index < all.len() {
            let event = all[index].look();
            self.happened(&all[index], event);
            if matches!(event, Event::Ended | Event::Killed) {
                let daemon = all.swap_remove(index);
                self.over(daemon);
            } else {
                index += 1;
            }
        }
        self.daemons = all;
    }

    pub fn kill_daemon(&mut self, index: usize) {
        let mut daemon = self.daemons.swap_remove(index);
        daemon.go_on();
        daemon.kill();
        self.happened(&daemon, Event::Killed);
        self.over(daemon);
    }

    pub fn kill_daemons(&mut self) {
        while !self.daemons.is_empty() {
            self.kill_daemon(0);
        }
    }

    /// What a killed process had sent to PostgreSQL is done, or never will be.
    pub fn settle_server(&self) {
        let Some(server) = &self.server else { return };
        let busy = "SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND query ILIKE 'commit%'";
        for _ in 0..200 {
            if server.postgres.try_sql("postgres", busy).is_some_and(|count| count == "0") {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    /// Locks what every command writes.
    pub fn lock_ledger(&mut self) -> Option<Lock> {
        let table = *self.pick(&["outbox", "counter", "payment", "closing", "lease"]);
        let Some(server) = &self.server else {
            let ledger = rusqlite::Connection::open(self.reseller.path("disk/fecha.db")).ok()?;
            ledger.execute_batch("BEGIN IMMEDIATE").ok()?;
            return Some(Lock::Sqlite(ledger));
        };
        let sql = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(2)");
        Some(Lock::Postgres(server.postgres.start_sql("ledger", &sql)))
    }

    /// Takes the files of a SQLite ledger away.
    pub fn hide_ledger(&self) {
        let folder = self.reseller.path("disk");
        let away = folder.join("away");
        std::fs::create_dir(&away).expect("a folder");
        for name in ["fecha.db", "fecha.db-wal", "fecha.db-shm"] {
            let _ = std::fs::rename(folder.join(name), away.join(name));
        }
    }

    /// Puts them back: nobody may have made others meanwhile.
    pub fn show_ledger(&mut self) {
        let folder = self.reseller.path("disk");
        let away = folder.join("away");
        if folder.join("fecha.db").exists() {
            let told = "a ledger was made anew while the ledger was away".to_owned();
            self.tale.broken(&[told]);
        }
        for name in ["fecha.db", "fecha.db-wal", "fecha.db-shm"] {
            let _ = std::fs::rename(away.join(name), folder.join(name));
        }
        let _ = std::fs::remove_dir_all(away);
    }

    /// The processes of the server that work on the ledger.
    pub fn backends(&self) -> Vec<String> {
        let Some(server) = &self.server else { return Vec::new() };
        let sql = "SELECT pid FROM pg_stat_activity WHERE datname LIKE 'ledger%'";
        let pids = server.postgres.try_sql("postgres", sql).unwrap_or_default();
        pids.lines().map(str::to_owned).collect()
    }
}

fn configure(reseller: &Reseller, port: u16) {
    let smtp = format!(
        "transport = \"smtp\"\nadmins = [\"ti@example.com\"]\n[email.smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n"
    );
    // The table of the server comes last in its section.
    let config = CONFIG.replace("transport = \"file\"\n", "").replace("dir = \"mail\"\n", "");
    let config = format!("{config}{smtp}[reminders]\nbefore = [3]\nafter = [1, 7]\n");
    reseller.write("fecha.toml", &config);
    reseller
        .messages()
        .execute_batch("CREATE INDEX message_sent ON message (sent_at)")
        .expect("an index");
}

fn ledger(kind: LedgerKind, reseller: &Reseller) -> (Option<Server>, Option<Disk>, String) {
    match kind {
        LedgerKind::Sqlite => {
            let folder = reseller.path("disk");
            std::fs::create_dir(&folder).expect("a folder");
            let url = format!("sqlite:{}", folder.join("fecha.db").display());
            (None, Disk::mount(folder, None), url)
        }
        LedgerKind::Postgres => {
            let postgres = Postgres::start();
            let line = Line::to(postgres.port());
            let folder: PathBuf = postgres.data().with_file_name("small");
            std::fs::create_dir(&folder).expect("a folder");
            let disk = Disk::mount(folder.clone(), Some("postgres"));
            let place = if disk.is_some() {
                let sql = format!("CREATE TABLESPACE small LOCATION '{}'", folder.display());
                postgres.sql("postgres", &sql);
                " TABLESPACE small"
            } else {
                ""
            };
            postgres.sql("postgres", &format!("CREATE DATABASE ledger{place}"));
            // As careful owners have it: who waits for a lock gives up.
            postgres.sql("postgres", "ALTER DATABASE ledger SET lock_timeout = '1s'");
            let url = postgres.url("ledger");
            (Some(Server { postgres, line }), disk, url)
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.daemons.clear();
        if std::thread::panicking() {
            self.reseller.keep();
            self.keep_ledger();
        }
        // Before its folder is deleted.
        self.disk = None;
    }
}

impl World {
    /// A copy of the ledger beside the tale.
    fn keep_ledger(&self) {
        let kept = self.reseller.path("kept");
        let _ = std::fs::create_dir(&kept);
        if self.server.is_none() {
            let from = self.reseller.path("disk");
            let _ = Command::new("cp").arg("-a").arg(from).arg(&kept).status();
        } else if let Ok(file) = std::fs::File::create(kept.join("ledger.sql")) {
            let _ = Command::new("pg_dump").arg(&self.url).stdout(file).status();
        }
    }
}
