//! The sources of messages: their values as a table, and what of them is to be fixed.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::actions::profile::{SourceProfile, judge};
use crate::cli::output::plain;
use crate::cli::page::{Page, figure, name, text, word};
use crate::messages::Checked;
use crate::setup::config::Config;
use fecha_core::calendar::month::Month;
use fecha_core::count::misdated::Misdated;
use fecha_core::count::profile::{Column, Finding, Judge, MonthProfile, Way, about};
use fecha_core::price::money::grouped;

/// The columns whose values are shown, in order.
const SHOWN: [Column; 7] = [
    Column::Direction,
    Column::Kind,
    Column::Status,
    Column::Category,
    Column::Billable,
    Column::Template,
    Column::DealershipId,
];

/// A terminal shows so many values of a column; `--json` has more.
const VALUES: usize = 12;

/// `--json` has so many.
const VALUES_FOR_SCRIPTS: usize = 200;

/// A source, as scripts get it.
#[derive(Serialize)]
pub struct SourceJson<'a> {
    name: Option<&'a str>,
    #[serde(flatten)]
    checked: &'a Checked,
    newest: Option<DateTime<Utc>>,
    message_ids: bool,
    misdated: Misdated,
    findings: Vec<Finding>,
    months: Vec<MonthJson>,
}

#[derive(Serialize)]
struct MonthJson {
    month: Month,
    messages: u64,
    oldest: Option<DateTime<Utc>>,
    newest: Option<DateTime<Utc>>,
    values: Vec<ValueJson>,
    nulls: Vec<NullsJson>,
    hsm: u64,
    hsm_repeated: u64,
    findings: Vec<Finding>,
}

/// How many messages have a value, and what fecha makes of them.
#[derive(Serialize)]
struct ValueJson {
    column: &'static str,
    value: String,
    messages: u64,
    treatment: &'static str,
}

/// Nulls of a column among the messages of one direction.
#[derive(Serialize)]
struct NullsJson {
    column: &'static str,
    direction: Way,
    nulls: u64,
    of: u64,
}

/// All of a source.
pub fn json<'a>(
    config: &Config,
    profile: &'a SourceProfile,
    register: Option<&[String]>,
) -> SourceJson<'a> {
    let judge = judge(config, profile, register);
    SourceJson {
        name: profile.name.as_deref(),
        checked: &profile.checked,
        newest: profile.newest(),
        message_ids: profile.profiled.has_message_ids,
        misdated: profile.profiled.misdated,
        findings: profile.findings.clone(),
        months: profile.profiled.months.iter().map(|month| MonthJson::of(month, &judge)).collect(),
    }
}

impl MonthJson {
    fn of(month: &MonthProfile, judge: &Judge<'_>) -> Self {
        Self {
            month: month.month,
            messages: month.messages,
            oldest: month.oldest(),
            newest: month.newest(),
            values: values(month, judge, VALUES_FOR_SCRIPTS),
            nulls: nulls(month),
            hsm: month.alike.hsm,
            hsm_repeated: month.alike.repeated,
            findings: judge.findings(month),
        }
    }
}

/// What is to be fixed, in one text; `None` where nothing is.
pub fn to_mend(
    config: &Config,
    profile: &SourceProfile,
    register: Option<&[String]>,
) -> Option<String> {
    let judge = judge(config, profile, register);
    let of_source = profile.findings.iter().cloned();
    let of_months = profile.profiled.months.iter().flat_map(|month| {
        let found = judge.findings(month).into_iter();
        found.map(|finding| Finding {
            what: format!("{}: {}", month.month, finding.what),
            ..finding
        })
    });
    let lines: Vec<String> = of_source
        .chain(of_months)
        .filter(|finding| finding.mend)
        .map(|finding| finding.what)
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The database and its newest message, in one line, then what would be better.
pub fn in_a_line(profile: &SourceProfile, now: DateTime<Utc>) -> String {
    let Checked { engine, relation, database, advice, .. } = &profile.checked;
    let newest = profile.newest().map_or_else(
        || "no message yet".to_owned(),
        |instant| {
            let (span, when) = (now - instant, instant.format("%Y-%m-%d %H:%M UTC"));
            let ago = if span < chrono::TimeDelta::zero() { "in the future" } else { "ago" };
            format!("newest message {when} ({} {ago})", about(span))
        },
    );
    let name = profile.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    let advice = advice.iter().map(|advice| format!("\n{advice}")).collect::<String>();
    format!("{name}{engine}, {relation} in {database}, {newest}{advice}")
}

/// The values of each month as a table, then what is worth knowing of it.
pub fn in_words(
    page: Page,
    config: &Config,
    profile: &SourceProfile,
    register: Option<&[String]>,
) -> String {
    let judge = judge(config, profile, register);
    let mut text = String::new();
    for month in &profile.profiled.months {
        let name = profile.name.as_ref().map(|name| format!("{}, ", plain(name)));
        let name = name.unwrap_or_default();
        let Some((oldest, newest)) = month.oldest().zip(month.newest()) else {
            text += &format!("\n{name}{}: no message\n", month.month);
            continue;
        };
        let minute = |instant: DateTime<Utc>| instant.format("%Y-%m-%d %H:%M").to_string();
        text += &format!(
            "\n{name}{}: {} messages, from {} to {} UTC\n",
            month.month,
            grouped(month.messages),
            minute(oldest),
            minute(newest)
        );
        text += &rows(page, month, &judge);
        text += "\n";
        let notes = judge.findings(month).into_iter().filter(|finding| !finding.mend);
        text += &notes.map(|note| format!("  note: {}\n", plain(&note.what))).collect::<String>();
    }
    let notes = profile.findings.iter().filter(|finding| !finding.mend);
    text + &notes.map(|note| format!("  note: {}\n", plain(&note.what))).collect::<String>()
}

fn rows(page: Page, month: &MonthProfile, judge: &Judge<'_>) -> String {
    let share = |messages: u64| {
        let thousandths = u128::from(messages) * 1_000 / u128::from(month.messages.max(1));
        format!("{},{} %", thousandths / 10, thousandths % 10)
    };
    let mut last = "";
    let value = |value: ValueJson| {
        let column = if value.column == last { "" } else { value.column };
        last = value.column;
        vec![
            column.to_owned(),
            value.value,
            grouped(value.messages),
            share(value.messages),
            value.treatment.to_owned(),
        ]
    };
    let mut rows: Vec<Vec<String>> = values(month, judge, VALUES).into_iter().map(value).collect();
    rows.extend(nulls(month).into_iter().map(|nulls| {
        let direction = match nulls.direction {
            Way::In => "in",
            Way::Out => "out",
            Way::Neither => "of no direction",
        };
        vec![
            nulls.column.to_owned(),
            format!("null, {direction}"),
            format!("{} of {}", grouped(nulls.nulls), grouped(nulls.of)),
            share(nulls.nulls),
            String::new(),
        ]
    }));
    let columns = [
        word("column"),
        name("value"),
        figure("messages"),
        figure("share").spare(1),
        text("what fecha makes of it"),
    ];
    page.table(&columns, rows)
}

/// The most frequent values of each column, then the shapes of contacts.
fn values(month: &MonthProfile, judge: &Judge<'_>, most: usize) -> Vec<ValueJson> {
    let mut rows = Vec::new();
    for column in SHOWN {
        let Some(values) = month.values(column) else { continue };
        let all = values.sorted();
        let beyond: u64 = all.iter().skip(most).map(|(_, messages)| messages).sum();
        rows.extend(all.iter().take(most).map(|(value, messages)| ValueJson {
            column: column.name(),
            value: value.clone(),
            messages: *messages,
            treatment: judge.treatment(column, value),
        }));
        let others = beyond + values.others;
        if others > 0 {
            let count = all.len().saturating_sub(most);
            let plus = if values.others > 0 { "+" } else { "" };
            let value = format!("({count}{plus} others)");
            rows.push(ValueJson { column: column.name(), value, messages: others, treatment: "" });
        }
    }
    rows.extend(month.contacts.iter().map(|(pattern, messages)| ValueJson {
        column: Column::Contact.name(),
        value: pattern.shown().to_owned(),
        messages: *messages,
        treatment: judge.treatment_of(*pattern),
    }));
    rows
}

fn nulls(month: &MonthProfile) -> Vec<NullsJson> {
    let of = |((column, way), nulls): (&(Column, Way), &u64)| NullsJson {
        column: column.name(),
        direction: *way,
        nulls: *nulls,
        of: month.ways.get(way).copied().unwrap_or_default(),
    };
    month.nulls.iter().map(of).collect()
}
