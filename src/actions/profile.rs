//! What the values of a source are, over the last month and the running one, and what is to be fixed of
//! them before anything is billed.

use chrono::{DateTime, Utc};

use crate::messages::{Checked, Profiled, Source, SourceError};
use crate::setup::config::Config;
use fecha_core::calendar::month::{Month, Period};
use fecha_core::count::profile::{Finding, Judge, MonthProfile, Profiler, clock};

/// A source as `check` shows it.
#[derive(Debug)]
pub struct SourceProfile {
    /// Its name, where there are several.
    pub name: Option<String>,
    /// What the database says about itself.
    pub checked: Checked,
    /// The values.
    pub profiled: Profiled,
    /// What is to be said of the source itself.
    pub findings: Vec<Finding>,
}

impl SourceProfile {
    /// The newest message of the months that were looked at, be it in the future.
    #[must_use]
    pub fn newest(&self) -> Option<DateTime<Utc>> {
        self.profiled.months.iter().filter_map(MonthProfile::newest).max().or(self.profiled.newest)
    }
}

/// Profiles a source.
///
/// # Errors
/// As a count would give them.
pub async fn profile(
    config: &Config,
    source: &Source,
    now: DateTime<Utc>,
) -> Result<SourceProfile, SourceError> {
    let zone = config.issuer.timezone;
    let last = Month::last_ended(now, zone);
    let months: [(Month, Period); 2] =
        [last, last.next()].map(|month| (month, month.period_in(zone)));
    let checked = source.check().await?;
    let counting = &config.counting;
    let reader = Profiler::new(&months, counting.rules, &counting.statuses);
    let profiled = source.profile(reader, now).await?;
    let name = source.name().map(str::to_owned);
    let mut profile = SourceProfile { name, checked, profiled, findings: Vec::new() };
    profile.findings.extend(clock(profile.newest(), now));
    let misdated = profile.profiled.misdated;
    if misdated.messages() > 0 {
        let what = format!(
            "{} messages lie before 2009 and {} later than tomorrow, in no month that is closed: is sent_at read in the right unit (seconds as milliseconds, or the other way round)?",
            misdated.early, misdated.late
        );
        profile.findings.push(Finding { mend: true, what });
    }
    Ok(profile)
}

/// By what the months of a source are judged. `register`: the ids of the dealerships, where they are known.
#[must_use]
pub fn judge<'a>(
    config: &'a Config,
    profile: &SourceProfile,
    register: Option<&'a [String]>,
) -> Judge<'a> {
    Judge {
        statuses: &config.counting.statuses,
        rules: config.counting.rules,
        limits: config.close.limits,
        has_message_ids: profile.profiled.has_message_ids,
        register,
    }
}
