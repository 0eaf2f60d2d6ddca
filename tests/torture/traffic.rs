//! Messages that are written as time goes by, and some that come late.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;
use rusqlite::params;

use super::world::{IDS, WESTERN, World};

/// About so many a month.
const A_MONTH: i64 = 140;

#[derive(Debug)]
pub struct Traffic {
    /// Up to here all is written.
    until: DateTime<Utc>,
}

impl Traffic {
    pub fn since(until: DateTime<Utc>) -> Self {
        Self { until }
    }

    /// Writes what is due by now.
    pub fn go_on(&mut self, world: &mut World) {
        let now = world.now();
        if now <= self.until {
            return;
        }
        let pause = TimeDelta::days(30) / i32::try_from(A_MONTH).expect("it is small");
        let count = (now - self.until).num_seconds() * A_MONTH / TimeDelta::days(30).num_seconds();
        let mut instants = Vec::new();
        for _ in 0..count {
            self.until += pause;
            instants.push(self.until);
        }
        // Of a month that is over, perhaps closed.
        if world.chance(6) {
            let days = world.random.random_range(20..80);
            instants
                .extend((0..3).map(|hour| now - TimeDelta::days(days) + TimeDelta::hours(hour)));
        }
        write(world, &instants);
    }
}

fn write(world: &mut World, instants: &[DateTime<Utc>]) {
    let mut database = world.reseller.messages();
    database.busy_timeout(std::time::Duration::from_mins(1)).expect("it takes a time");
    let transaction = database.transaction().expect("nobody keeps it");
    for instant in instants {
        let whose = match world.random.random_range(0..200) {
            0 => None,
            1 => Some("nobody"),
            _ => Some(*world.pick(&IDS)),
        };
        let contact = format!("55489{:08}", 90_000_000 + world.random.random_range(0..4000));
        let (direction, kind, template) = *world.pick(&[
            ("in", "session", None),
            ("out", "session", None),
            ("out", "hsm", Some("promo")),
        ]);
        let status = *world.pick(&[None, None, Some("read"), Some("sent"), Some("failed")]);
        transaction
            .execute(
                "INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    whose,
                    contact,
                    direction,
                    kind,
                    template,
                    status,
                    instant.timestamp_millis()
                ],
            )
            .expect("it is written");
    }
    transaction.commit().expect("it is kept");
}

/// What a dealership used in a month, counted by ourselves: UAM and HSM.
pub fn used(world: &World, whose: &str, month: &str) -> (i64, i64) {
    let hours = if WESTERN.contains(&whose) { 4 } else { 3 };
    let first: chrono::NaiveDate = format!("{month}-01").parse().expect("a month");
    let next = first + chrono::Months::new(1);
    let instant = |day: chrono::NaiveDate| {
        let midnight = day.and_hms_opt(hours, 0, 0).expect("an hour");
        midnight.and_utc().timestamp_millis()
    };
    let sql = "SELECT COUNT(DISTINCT contact), COALESCE(SUM(direction = 'out' AND kind = 'hsm'), 0) FROM message
               WHERE dealership_id = ?1 AND sent_at >= ?2 AND sent_at < ?3
                   AND (status IS NULL OR status NOT IN ('queued', 'failed'))";
    let values = params![whose, instant(first), instant(next)];
    world
        .reseller
        .messages()
        .query_row(sql, values, |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("it can be read")
}
