//! The messages of the demo: seeded, so that a month always has the same ones.

use chrono::{Datelike, Weekday};
use chrono_tz::Tz;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use fecha_core::calendar::month::{Month, Period};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How a dealership uses its month.
pub(super) struct Traffic {
    pub dealership_id: &'static str,
    /// Of its town: most of its contacts live there.
    area_code: u8,
    /// Contacts that count: its UAM.
    contacts: u64,
    /// Conversations with each contact, at most.
    conversations: u32,
    /// Of 100 conversations so many begin with an HSM; the others begin with the contact.
    campaigns: u32,
}

const fn traffic(
    dealership_id: &'static str,
    area_code: u8,
    contacts: u64,
    conversations: u32,
    campaigns: u32,
) -> Traffic {
    Traffic { dealership_id, area_code, contacts, conversations, campaigns }
}

/// All traffic of the demo. `araucaria` is not here: a dealership with a package and no use.
pub(super) const TRAFFIC: [Traffic; 13] = [
    traffic("aurora", 54, 5000, 2, 35),     // exactly at its package
    traffic("serra-alta", 54, 5412, 2, 25), // above it
    traffic("ilha-norte", 48, 6840, 2, 55), // its new package is large enough, its old one was not
    traffic("paulista-sul", 11, 1310, 4, 40),
    traffic("tres-montanhas", 31, 1184, 3, 30),
    traffic("ipe-amarelo", 62, 872, 3, 60),
    traffic("pampa", 53, 655, 3, 20),
    traffic("igarape", 92, 641, 3, 45),
    traffic("duas-aguas", 92, 415, 3, 10),
    traffic("seringueira", 68, 380, 3, 30),
    traffic("golfinho", 81, 96, 3, 0),
    traffic("vale-antigo", 47, 52, 2, 0), // its contract has ended
    traffic(STRANGER, 41, 18, 2, 0),      // not in the register, and new in the last month
];

/// Whom nobody knows.
pub(super) const STRANGER: &str = "loja-7781";

/// The names of templates as a dealership would give them.
const TEMPLATES: [&str; 7] = [
    "boas_vindas",
    "lembrete_revisao",
    "confirmacao_test_drive",
    "oferta_seminovos",
    "pesquisa_satisfacao",
    "aviso_recall",
    "documentos_pendentes",
];

/// A row of the message database.
pub(super) struct Row {
    pub dealership_id: &'static str,
    pub contact: String,
    pub direction: &'static str,
    pub kind: &'static str,
    pub template: Option<&'static str>,
    pub status: Option<&'static str>,
    /// Unix milliseconds, UTC.
    pub sent_at: i64,
}

/// All messages of a dealership in `month`, so many months before the last one, and a few of the days before the
/// first month and behind the last: what lies about other months is in them.
pub(super) fn messages(traffic: &'static Traffic, month: Month, age: u32, zone: Tz) -> Vec<Row> {
    let period = month.period_in(zone);
    let mut scene = Scene::of(traffic, month, age, zone);
    for index in 0..scene.contacts {
        let contact = scene.contact(index);
        for _ in 0..scene.rng.random_range(1..=traffic.conversations) {
            scene.conversation(&contact);
        }
    }
    scene.unreachable();
    scene.groups();
    scene.ends(period);
    if age == OLDEST {
        scene.before(period);
    }
    if age == 0 {
        scene.after(period);
    }
    scene.rows
}

/// Messages of the month's last days that came when it was closed: contacts of their own, and HSM to them.
pub(super) fn late(traffic: &'static Traffic, month: Month, age: u32, zone: Tz) -> Vec<Row> {
    let end = month.period_in(zone).end.timestamp_millis();
    let mut scene = Scene::of(traffic, month, age, zone);
    for index in 0..14 {
        let contact = scene.contact(400_000 + index);
        let at = end - scene.rng.random_range(2 * HOUR..2 * DAY);
        scene.hsm(&contact, at, "delivered");
        scene.session(&contact, "in", at + 9 * MINUTE);
    }
    scene.rows
}

/// The first month of a demo is so many months before its last.
pub(super) const OLDEST: u32 = 5;

/// Of the contacts of the last month so many thousandths, by how many months it is before that: a reseller that
/// grows, with a weak month.
const GROWTH: [u64; 6] = [1000, 968, 915, 934, 862, 801];

/// The spellings of one contact: one, or the two that a ninth digit (or Mexico's 1) makes.
struct Contact {
    spelling: String,
    other: Option<String>,
}

struct Scene {
    traffic: &'static Traffic,
    /// Contacts that count.
    contacts: u64,
    /// In a conversation, at most: earlier months tell less, so that a demo is soon made.
    exchanges: u32,
    calendar: Calendar,
    rng: ChaCha8Rng,
    rows: Vec<Row>,
}

impl Scene {
    fn of(traffic: &'static Traffic, month: Month, age: u32, zone: Tz) -> Self {
        // The id seeds it, so that a dealership keeps its messages when another one is added.
        let id = traffic.dealership_id.bytes();
        let seed = id.fold(8 + u64::from(age), |seed, byte| {
            seed.wrapping_mul(0x100_0000_01B3).wrapping_add(u64::from(byte))
        });
        // Not all grow alike.
        let own = if age == 0 { 30 } else { seed % 61 };
        let share = GROWTH[age as usize % GROWTH.len()] + own - 30;
        Self {
            traffic,
            contacts: traffic.contacts * share / 1000,
            exchanges: if age == 0 { 4 } else { 1 },
            calendar: Calendar::of(month, month.period_in(zone)),
            rng: ChaCha8Rng::seed_from_u64(seed),
            rows: Vec::new(),
        }
    }

    /// Contact number `index`, another identity for each. Mobile numbers begin with `90` where they
    /// can, a range that is not in use; those with two spellings cannot.
    fn contact(&self, index: u64) -> Contact {
        // A step without common factor with the range gives every number once, well mixed.
        let digits = (index * 7_368_787 + u64::from(self.traffic.area_code) * 104_729) % 10_000_000;
        let area = self.traffic.area_code;
        let one = |spelling| Contact { spelling, other: None };
        match index % 97 {
            1 => one(format!("55{area}3{digits:07}")),
            2 => Contact {
                spelling: format!("521550{digits:07}"),
                other: Some(format!("52550{digits:07}")),
            },
            3 => one(format!("549110{digits:07}")),
            4 => one(format!("BR.13{digits:07}{:08}", digits * 7 % 100_000_000)),
            _ => match index % 10 {
                5 => Contact {
                    spelling: format!("55{area}96{digits:07}"),
                    other: Some(format!("55{area}6{digits:07}")),
                },
                6 => one(format!("55{area}6{digits:07}")),
                7 => one(format!("+55 {area} 90{:03}-{:04}", digits / 10_000, digits % 10_000)),
                8 => one(format!("55{area}90{digits:07}@s.whatsapp.net")),
                _ => one(format!("55{area}90{digits:07}")),
            },
        }
    }

    /// One conversation at a time of day and week at which people write.
    fn conversation(&mut self, contact: &Contact) {
        let position = self.rng.random_range(0..POSITIONS);
        let mut at = self.calendar.instant(position);
        if self.rng.random_ratio(self.traffic.campaigns, 100) {
            if self.rng.random_ratio(1, 60) {
                let status = if self.rng.random_ratio(1, 3) { "queued" } else { "failed" };
                self.hsm(contact, at - 40 * SECOND, status);
            }
            self.hsm(contact, at, "delivered");
            if self.rng.random_ratio(1, 3) {
                return;
            }
            at += self.pause();
        }
        for _ in 0..self.rng.random_range(1..=self.exchanges) {
            self.session(contact, "in", at);
            at += self.pause();
            self.session(contact, "out", at);
            at += self.pause();
        }
    }

    /// Short enough that a conversation that begins in the evening ends before midnight.
    fn pause(&mut self) -> i64 {
        self.rng.random_range(15 * SECOND..8 * MINUTE)
    }

    fn hsm(&mut self, contact: &Contact, sent_at: i64, status: &'static str) {
        let template = TEMPLATES[self.rng.random_range(0..TEMPLATES.len())];
        self.push(contact, "out", "hsm", Some(template), Some(status), sent_at);
    }

    fn session(&mut self, contact: &Contact, direction: &'static str, sent_at: i64) {
        let status = match direction {
            "out" if self.rng.random_ratio(3, 4) => Some("read"),
            "out" => Some("delivered"),
            _ => None,
        };
        self.push(contact, direction, "session", None, status, sent_at);
    }

    fn push(
        &mut self,
        contact: &Contact,
        direction: &'static str,
        kind: &'static str,
        template: Option<&'static str>,
        status: Option<&'static str>,
        sent_at: i64,
    ) {
        let spelling = match &contact.other {
            Some(other) if self.rng.random_bool(0.5) => other,
            _ => &contact.spelling,
        };
        let (dealership_id, contact) = (self.traffic.dealership_id, spelling.clone());
        self.rows.push(Row { dealership_id, contact, direction, kind, template, status, sent_at });
    }

    /// Numbers that no HSM reaches: they cost nothing.
    fn unreachable(&mut self) {
        if self.traffic.campaigns == 0 {
            return;
        }
        for index in 0..self.contacts / 80 {
            let contact = self.contact(100_000 + index);
            let position = self.rng.random_range(0..POSITIONS);
            self.hsm(&contact, self.calendar.instant(position), "failed");
        }
    }

    /// Groups, and a message without contact: reported, not billed.
    fn groups(&mut self) {
        if self.traffic.contacts < 600 {
            return;
        }
        for index in 0..self.contacts / 100 {
            let spelling = format!("12036304{:010}@g.us", index % 3);
            let group = Contact { spelling, other: None };
            let position = self.rng.random_range(0..POSITIONS);
            self.session(&group, "in", self.calendar.instant(position));
        }
        let nobody = Contact { spelling: String::new(), other: None };
        let position = self.rng.random_range(0..POSITIONS);
        self.session(&nobody, "in", self.calendar.instant(position));
    }

    /// The first and the last millisecond of the month.
    fn ends(&mut self, Period { start, end }: Period) {
        let (start, end) = (start.timestamp_millis(), end.timestamp_millis());
        let regular = self.contact(0);
        self.session(&regular, "in", start);
        self.session(&regular, "in", end - 4 * MINUTE);
        self.session(&regular, "out", end - 1);
    }

    /// What lies just before the month: contacts of their own, who would be counted if its bound were wrong.
    fn before(&mut self, Period { start, .. }: Period) {
        for index in 0..10 + self.contacts / 40 {
            let before = self.contact(200_000 + index);
            let at = if index == 0 { 1 } else { self.rng.random_range(1..2 * DAY) };
            self.session(&before, "in", start.timestamp_millis() - at);
        }
    }

    /// What lies just behind it, likewise.
    fn after(&mut self, Period { end, .. }: Period) {
        for index in 0..10 + self.contacts / 40 {
            let after = self.contact(300_000 + index);
            let at = if index == 0 { 0 } else { self.rng.random_range(0..2 * HOUR) };
            self.session(&after, "in", end.timestamp_millis() + at);
        }
    }
}

/// Positions in a month, from its first busy hour to its last.
const POSITIONS: u64 = 1 << 30;

/// How busy each hour from 7 to 21 is.
const HOURS: [u64; 14] = [2, 6, 11, 13, 11, 7, 8, 12, 13, 12, 10, 7, 4, 2];

/// The busy hours of a month, each with what came before it.
struct Calendar {
    /// Start of the hour, its weight, and the sum of the weights before.
    hours: Vec<(i64, u64, u64)>,
    total: u64,
}

impl Calendar {
    fn of(month: Month, period: Period) -> Self {
        let mut calendar = Self { hours: Vec::new(), total: 0 };
        let days = month.first_day().iter_days().take_while(|day| *day <= month.last_day());
        for (day, date) in (0..).zip(days) {
            let busy = match date.weekday() {
                Weekday::Sun => 1,
                Weekday::Sat => 6,
                Weekday::Mon => 11,
                _ => 10,
            };
            for (hour, weight) in (7..).zip(HOURS) {
                let start = period.start.timestamp_millis() + day * DAY + hour * HOUR;
                calendar.hours.push((start, busy * weight, calendar.total));
                calendar.total += busy * weight;
            }
        }
        calendar
    }

    /// The instant of a position, Unix milliseconds; a later position is never an earlier instant.
    fn instant(&self, position: u64) -> i64 {
        let target = position * self.total / POSITIONS;
        let after = self.hours.partition_point(|(_, _, before)| *before <= target);
        let (start, weight, before) = self.hours[after - 1];
        let rest = position * self.total - before * POSITIONS;
        let within = rest / weight * 3_600_000 / POSITIONS;
        start + i64::try_from(within).unwrap_or_default()
    }
}
