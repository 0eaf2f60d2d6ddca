//! The run: steps of trouble, each followed by a look at everything; at the end the world is healed.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use rand::RngExt as _;

use super::check::{Memory, nothing_is_lost};
use super::jobs::{Event, Fate, Job};
use super::model::{End, Model};
use super::orders::{Deed, Office, Order, Standing, ended, ended_months};
use super::snapshot::Snapshot;
use super::tale::Fault;
use super::traffic::Traffic;
use super::world::{FIRST_MONTH, IDS, Lock, WESTERN, World};
use crate::support::reseller::{DEALERSHIP_HEADER, LedgerKind, dealership};

/// What is done to the ledger in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    FullDisk,
    /// For one process: no file grows beyond a size.
    SmallFiles,
    Cut,
    Dead,
    Frozen,
    /// The ledger's files are away for a while, as where a volume is not mounted.
    Gone,
    /// Another program has the ledger locked.
    Locked,
    /// One or all backends are told to end.
    Terminated,
    /// A backend is killed: the server recovers, as after a crash.
    Crashed,
}

pub struct Run {
    world: World,
    memory: Memory,
    model: Model,
    office: Office,
    traffic: Traffic,
    standing: Vec<Standing>,
    /// The clock runs wrong by this since the step before.
    wrong_by: Option<TimeDelta>,
    /// Of another program on the ledger.
    lock: Option<Lock>,
}

impl Run {
    pub fn new(kind: LedgerKind, seed: u64) -> Self {
        let mut world = World::new(kind, seed);
        let mut people = DEALERSHIP_HEADER.to_owned();
        let mut contracts = "dealership_id,from_month,package\n".to_owned();
        for id in IDS {
            people += &dealership(id, if WESTERN.contains(&id) { "America/Manaus" } else { "" });
            contracts += &format!("{id},{FIRST_MONTH},5000\n");
        }
        world.reseller.write("dealerships.csv", &people);
        world.reseller.write("contracts.csv", &contracts);
        let files = ["import", "--dealerships", "dealerships.csv", "--contracts", "contracts.csv"];
        let imported = world.run(&files);
        assert_eq!(imported.status, Some(0), "{}", imported.err);
        let traffic = Traffic::since(world.now());
        Self {
            world,
            memory: Memory::new(),
            model: Model::default(),
            office: Office::default(),
            traffic,
            standing: Vec::new(),
            wrong_by: None,
            lock: None,
        }
    }

    /// Goes on for so long, then heals the world and looks at all of it.
    pub fn go_on(mut self, time: Duration) {
        let started = Instant::now();
        while started.elapsed() < time {
            self.step();
            self.world.tale.progress();
        }
        self.heal();
        self.world.tale.say();
        let misdeeds = self.world.post.book(|book| format!("{:?}", book.misdeeds));
        self.world.tale.tell(&misdeeds);
        println!(
            "{}\nmail server: {misdeeds}\nnothing doubled, nothing lost",
            self.world.tale.summary()
        );
    }

    fn step(&mut self) {
        self.world.tale.steps += 1;
        self.move_clock();
        self.traffic.go_on(&mut self.world);
        if self.world.chance(30) {
            let mood = *self.world.pick(&[0, 0, 0, 2, 5, 10, 25]);
            self.world.post.set_mood(mood);
        }
        let wanted = *self.world.pick(&[0, 1, 1, 1, 2]);
        while self.world.daemons.len() < wanted {
            self.world.start_daemon();
        }
        let trouble = self.trouble();
        let mut orders: Vec<Order> = (0..self.world.random.random_range(1..4))
            .map(|_| self.office.order(&mut self.world, &mut self.model, &self.standing))
            .collect();
        // An import may make a ledger.
        orders.retain(|order| trouble != Trouble::Gone || order.arguments[0] != "import");
        self.world.tale.tell(&format!(
            "step {}: {} {trouble:?}",
            self.world.tale.steps,
            self.world.now()
        ));
        self.carry_out(orders, trouble);
        self.after();
    }

    /// Some hours or days; sometimes back, and sometimes wrong by a month for a step.
    fn move_clock(&mut self) {
        if let Some(wrong_by) = self.wrong_by.take() {
            self.world.pass(-wrong_by);
        }
        let hours = match self.world.random.random_range(0..100) {
            0..40 => self.world.random.random_range(1..12),
            40..78 => self.world.random.random_range(24..24 * 6),
            78..92 => self.world.random.random_range(24 * 6..24 * 20),
            92..97 => self.world.random.random_range(24 * 20..24 * 32),
            _ => -self.world.random.random_range(1..8),
        };
        self.world.pass(TimeDelta::hours(hours));
        if self.world.chance(1) {
            let wrong_by = TimeDelta::days(self.world.random.random_range(-40..40));
            self.world.pass(wrong_by);
            self.wrong_by = Some(wrong_by);
        }
    }

    fn trouble(&mut self) -> Trouble {
        let of_file = [Trouble::FullDisk, Trouble::SmallFiles, Trouble::Gone, Trouble::Locked];
        let of_server = [
            Trouble::Cut,
            Trouble::Cut,
            Trouble::Dead,
            Trouble::Frozen,
            Trouble::Terminated,
            Trouble::Terminated,
            Trouble::Crashed,
            Trouble::FullDisk,
            Trouble::Locked,
        ];
        let trouble = match self.world.random.random_range(0..100) {
            0..12 if self.world.server.is_none() => *self.world.pick(&of_file),
            0..30 if self.world.server.is_some() => *self.world.pick(&of_server),
            _ => return Trouble::None,
        };
        let has_no_disk = trouble == Trouble::FullDisk && self.world.disk.is_none();
        if has_no_disk || trouble == Trouble::Gone && Fault::LedgerMadeAnew.is_known() {
            return Trouble::None;
        }
        let name: &'static str = match trouble {
            Trouble::None => "none",
            Trouble::FullDisk => "full disk",
            Trouble::SmallFiles => "small files",
            Trouble::Cut => "cut",
            Trouble::Dead => "dead line",
            Trouble::Frozen => "frozen line",
            Trouble::Gone => "ledger gone",
            Trouble::Locked => "locked",
            Trouble::Terminated => "terminated",
            Trouble::Crashed => "crashed",
        };
        *self.world.tale.troubles.entry(name).or_default() += 1;
        trouble
    }

    /// All at once, or nearly; each may be killed or stopped on its way.
    fn carry_out(&mut self, orders: Vec<Order>, trouble: Trouble) {
        let mut waiting: Vec<(Instant, Order)> = orders
            .into_iter()
            .map(|order| (Instant::now() + self.world.millis(0..150), order))
            .collect();
        let mut jobs: Vec<(Job, Deed)> = Vec::new();
        let begins = Instant::now() + self.world.millis(0..400);
        let ends = begins + self.world.millis(100..1500);
        let (mut begun, mut over) = (false, trouble == Trouble::None);
        while !waiting.is_empty() || !jobs.is_empty() || !over {
            if !begun && !over && Instant::now() >= begins {
                begun = true;
                self.begin(trouble);
            }
            if begun && !over && Instant::now() >= ends {
                over = true;
                self.end(trouble);
            }
            let (due, later) = waiting.into_iter().partition(|(at, _)| *at <= Instant::now());
            waiting = later;
            for (_, order) in due {
                let job = self.start(&order, trouble);
                jobs.push((job, order.deed));
            }
            self.world.look_at_daemons();
            self.look_at(&mut jobs);
            std::thread::sleep(Duration::from_millis(2));
        }
        if trouble != Trouble::None {
            let all = begins.elapsed() + Duration::from_secs(1);
            self.world.disturb(None, all);
        }
    }

    fn start(&mut self, order: &Order, trouble: Trouble) -> Job {
        let arguments: Vec<&str> = order.arguments.iter().map(String::as_str).collect();
        if trouble == Trouble::SmallFiles {
            let kilobytes = self.world.random.random_range(1..3000);
            return self.world.start_with_room(&arguments, kilobytes);
        }
        let life = self.world.tale.lives.get(arguments[0]).copied();
        let life = life.unwrap_or(Duration::from_millis(400)).mul_f64(1.1);
        let at = life.mul_f64(self.world.random.random_range(0.05..1.0));
        let fate = match self.world.random.random_range(0..100) {
            0..55 => Some(Fate::Kill(at)),
            55..62 => Some(Fate::Stop(at, self.world.millis(50..2500))),
            _ => None,
        };
        self.world.start(&arguments, fate)
    }

    fn look_at(&mut self, jobs: &mut Vec<(Job, Deed)>) {
        let mut index = 0;
        while index < jobs.len() {
            let event = jobs[index].0.look();
            self.world.happened(&jobs[index].0, event);
            if event == Event::Stopped && self.world.chance(40) {
                // Longer than any lease, by the clock of all.
                self.world.pass(TimeDelta::minutes(50));
            }
            if !matches!(event, Event::Ended | Event::Killed) {
                self.world.must_end(&jobs[index].0);
                index += 1;
                continue;
            }
            let (job, deed) = jobs.swap_remove(index);
            let killed = job.killed;
            let done = self.world.over(job);
            let end = match done.status {
                Some(0 | 1) if !killed => End::Done,
                Some(2) if !killed => End::Refused,
                _ => End::Unknown,
            };
            ended(&mut self.model, &deed, end, &done.json());
        }
    }

    fn begin(&mut self, trouble: Trouble) {
        let room = self.world.random.random_range(0..400);
        if let (Trouble::FullDisk, Some(disk)) = (trouble, &self.world.disk) {
            disk.fill(room);
        }
        match trouble {
            Trouble::Gone => self.world.hide_ledger(),
            Trouble::Locked => self.lock = self.world.lock_ledger(),
            _ => {}
        }
        let backends = self.world.backends();
        let Some(server) = &self.world.server else { return };
        match trouble {
            Trouble::Cut => server.line.cut(),
            Trouble::Dead => server.line.set_dead(true),
            Trouble::Frozen => server.line.set_frozen(true),
            Trouble::Terminated => {
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'ledger%'";
                let _ = server.postgres.try_sql("postgres", sql);
            }
            Trouble::Crashed => {
                if let Some(pid) = backends.first() {
                    let _ = std::process::Command::new("kill").args(["-9", pid]).status();
                }
            }
            Trouble::None
            | Trouble::FullDisk
            | Trouble::SmallFiles
            | Trouble::Gone
            | Trouble::Locked => {}
        }
    }

    fn end(&mut self, trouble: Trouble) {
        if let (Trouble::FullDisk, Some(disk)) = (trouble, &self.world.disk) {
            disk.make_room();
        }
        self.lock = None;
        if trouble == Trouble::Gone {
            self.world.show_ledger();
        }
        let Some(server) = &self.world.server else { return };
        match trouble {
            Trouble::Dead => server.line.set_dead(false),
            Trouble::Frozen => server.line.set_frozen(false),
            _ => {}
        }
    }

    /// Daemons die or live, and everything is looked at.
    fn after(&mut self) {
        if self.world.chance(15) {
            // Time to work in peace.
            let peace = self.world.millis(200..2500);
            let until = Instant::now() + peace;
            while Instant::now() < until {
                self.world.look_at_daemons();
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let mut index = 0;
        while index < self.world.daemons.len() {
            match self.world.random.random_range(0..100) {
                0..60 => self.world.kill_daemon(index),
                60..64 => {
                    let pause = self.world.millis(500..6000);
                    self.stop_daemon(index, pause);
                    index += 1;
                }
                // Longer than a lease on PostgreSQL, which is of real time.
                64..66 => {
                    let pause = self.world.millis(22_000..28_000);
                    self.stop_daemon(index, pause);
                    index += 1;
                }
                66..69 => {
                    self.world.daemons[index].signal("-TERM");
                    index += 1;
                }
                _ => index += 1,
            }
        }
        if self.world.daemons.is_empty() && self.world.chance(50) {
            self.memory.accounts(&mut self.world, &mut self.model);
            if self.world.chance(30) {
                self.verify();
            }
        }
        let now = self.memory.check(&mut self.world, &mut self.model);
        self.standing = standing(&now);
    }

    fn stop_daemon(&mut self, index: usize, pause: Duration) {
        // On SQLite one that stands within a transaction keeps all others waiting: not for long.
        let pause =
            if self.world.server.is_some() { pause } else { pause.min(Duration::from_secs(6)) };
        let daemon = &mut self.world.daemons[index];
        if daemon.stopped.is_none() {
            daemon.fate = Some(Fate::Stop(Duration::ZERO, pause));
        }
    }

    /// What fecha finds wrong with itself: nothing.
    fn verify(&mut self) {
        let months = ended_months(self.world.now().date_naive());
        if months.is_empty() {
            return;
        }
        let month = self.world.pick(&months).clone();
        let ended = self.world.run(&["verify", "--month", &month, "--json"]);
        let found = ended.json();
        if found["problems"].as_array().is_none_or(|problems| !problems.is_empty()) {
            self.world.tale.broken(&[format!("verify {month}: {found} {}", ended.err)]);
        }
    }

    /// All is well again: whatever waits is done, and nothing was lost.
    fn heal(&mut self) {
        self.world.kill_daemons();
        self.world.post.set_mood(0);
        self.end(Trouble::FullDisk);
        self.end(Trouble::Dead);
        self.end(Trouble::Frozen);
        self.world.tale.tell("all is well from here on");
        let mut months = ended_months((self.world.now() - TimeDelta::hours(8)).date_naive());
        months.reverse();
        for month in &months {
            self.calmly(&["close", "--month", month, "--release"]);
            let ids = IDS.iter().flat_map(|id| ["--dealership", id]);
            let words: Vec<&str> =
                ["close", "--month", month, "--release"].into_iter().chain(ids).collect();
            self.calmly(&words);
            let accept = "loss,contract,price,register";
            self.calmly(&[
                "rerun", "--month", month, "--all", "--reason", "fim", "--accept", accept,
            ]);
        }
        let mut now = self.memory.check(&mut self.world, &mut self.model);
        for _ in 0..80 {
            if now.emails.iter().all(|email| !["pending", "sending"].contains(&&*email.state)) {
                break;
            }
            self.calmly(&["deliver"]);
            self.world.pass(TimeDelta::hours(2));
            now = self.memory.check(&mut self.world, &mut self.model);
        }
        nothing_is_lost(&mut self.world, &now);
        self.memory.accounts(&mut self.world, &mut self.model);
        self.whole(&months, &now);
    }

    /// A command that has no excuse any more.
    fn calmly(&mut self, words: &[&str]) {
        let ended = self.world.run(words);
        if ended.status.is_none_or(|status| status > 1) {
            self.world.tale.broken(&[format!("{words:?}: {:?} {}", ended.status, ended.err)]);
        }
        self.world.tale.progress();
    }

    /// Every dealership has its invoice of every month, with what we count ourselves; fecha agrees, and gives
    /// out what it issued.
    fn whole(&mut self, months: &[String], now: &Snapshot) {
        let mut wrong = Vec::new();
        for month in months {
            for id in IDS {
                let own = |(_, invoice): &(&String, &super::snapshot::Invoice)| {
                    !invoice.is_void && invoice.whose == id && invoice.month == *month
                };
                let Some((number, _)) = now.invoices.iter().find(own) else {
                    wrong.push(format!("{id} has no invoice of {month}"));
                    continue;
                };
                let chain = now.revisions.range((number.clone(), 0)..=(number.clone(), i64::MAX));
                let Some((key, _)) = chain.last() else { continue };
                let used = super::traffic::used(&self.world, id, month);
                let document = self.memory.document(key);
                if (document.uam, document.hsm) != used {
                    wrong.push(format!(
                        "{key:?} of {id}, {month}: {used:?} were used, not {document:?}"
                    ));
                }
            }
            let ended = self.world.run(&["verify", "--month", month, "--json"]);
            if ended.status != Some(0) {
                wrong.push(format!("verify {month}: {} {}", ended.out, ended.err));
            }
        }
        let keys = self.memory.keys();
        for _ in 0..keys.len().min(200) {
            let key = self.world.pick(&keys).clone();
            wrong.extend(self.memory.given_out(&mut self.world, &key));
        }
        if !wrong.is_empty() {
            self.world.tale.broken(&wrong);
        }
    }
}

/// The invoices that stand, by number.
fn standing(now: &Snapshot) -> Vec<Standing> {
    let stand = now.invoices.iter().filter(|(_, invoice)| !invoice.is_void);
    stand
        .map(|(number, invoice)| (number.clone(), invoice.whose.clone(), invoice.month.clone()))
        .collect()
}
