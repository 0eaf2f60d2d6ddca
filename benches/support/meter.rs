//! Seconds, CPU seconds and peak memory of each stage (proc(5)).

use std::fs;
use std::time::Instant;

/// The kernel counts CPU time in these, a second (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;

#[derive(Debug)]
pub struct Meter {
    since: Instant,
    cpu: f64,
    stages: Vec<Stage>,
}

#[derive(Debug)]
struct Stage {
    name: &'static str,
    seconds: f64,
    cpu: f64,
    peak: u64,
}

impl Meter {
    pub fn start() -> Self {
        reset_peak();
        Self { since: Instant::now(), cpu: cpu(), stages: Vec::new() }
    }

    /// Ends a stage, and begins the next.
    pub fn mark(&mut self, name: &'static str) {
        let (now, cpu) = (Instant::now(), cpu());
        let seconds = (now - self.since).as_secs_f64();
        self.stages.push(Stage { name, seconds, cpu: cpu - self.cpu, peak: peak() });
        (self.since, self.cpu) = (now, cpu);
        reset_peak();
    }

    pub fn seconds(&self, name: &str) -> f64 {
        self.stages.iter().filter(|stage| stage.name == name).map(|stage| stage.seconds).sum()
    }

    pub fn cpu_seconds(&self, name: &str) -> f64 {
        self.stages.iter().filter(|stage| stage.name == name).map(|stage| stage.cpu).sum()
    }

    /// The highest of all stages, in bytes.
    pub fn peak(&self) -> u64 {
        self.stages.iter().map(|stage| stage.peak).max().unwrap_or(0)
    }

    pub fn print(&self) {
        println!("| stage | seconds | CPU seconds | peak MB |");
        println!("|---|---:|---:|---:|");
        for Stage { name, seconds, cpu, peak } in &self.stages {
            println!("| {name} | {seconds:.2} | {cpu:.2} | {} |", peak >> 20);
        }
        let seconds: f64 = self.stages.iter().map(|stage| stage.seconds).sum();
        let cpu: f64 = self.stages.iter().map(|stage| stage.cpu).sum();
        println!("| all | {seconds:.2} | {cpu:.2} | {} |", self.peak() >> 20);
    }
}

/// Of all threads, user and system.
fn cpu() -> f64 {
    ticks_of(11)
}

/// Of the processes that this one started and waited for.
pub fn cpu_of_children() -> f64 {
    ticks_of(13)
}

/// The sum of two fields, in seconds.
fn ticks_of(field: usize) -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold blanks; the fields behind it do not.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(field).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// Peak resident memory since the last reset, in bytes.
pub fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0) * 1024
}

pub fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}
