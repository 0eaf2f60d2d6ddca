//! Invented messages of three dealerships in three zones, and what they come to, counted without SQL.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::America::{Manaus, Noronha, Sao_Paulo};
use chrono_tz::Tz;
use fecha_core::calendar::month::Month;

/// The dealerships, as each system is made to know them, and their zones.
pub const DEALERSHIPS: [(&str, Tz); 3] = [("11", Sao_Paulo), ("12", Manaus), ("13", Noronha)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// By number.
    Person(u32),
    /// The same, but the message names another identity of the person, whose number the system knows.
    Hidden(u32),
    /// An identity whose number nobody knows.
    Unknown(u32),
    Group(u32),
    Broadcast,
    Newsletter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    In,
    Out,
    Template(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Queued,
    Failed,
    Sent,
    Read,
}

#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub id: usize,
    /// Index in [`DEALERSHIPS`].
    pub dealership: usize,
    pub contact: Contact,
    pub way: Way,
    /// Of what came in, `Read`.
    pub status: Status,
    pub at: DateTime<Utc>,
    /// Whether the system was told of it twice.
    pub twice: bool,
}

impl Event {
    pub fn dealership_id(&self) -> &'static str {
        DEALERSHIPS[self.dealership].0
    }

    pub fn is_out(&self) -> bool {
        self.way != Way::In
    }

    pub fn template(&self) -> Option<&'static str> {
        match self.way {
            Way::Template(name) => Some(name),
            _ => None,
        }
    }

    /// The contact as WhatsApp's own clients name it.
    pub fn jid(&self) -> String {
        match self.contact {
            Contact::Person(person) => format!("{}@s.whatsapp.net", number(person)),
            Contact::Hidden(person) | Contact::Unknown(person) => format!("{}@lid", lid(person)),
            Contact::Group(group) => format!("12036300000000{group}@g.us"),
            Contact::Broadcast => "status@broadcast".to_owned(),
            Contact::Newsletter => "120363000000009@newsletter".to_owned(),
        }
    }

    /// The number behind a hidden contact.
    pub fn hidden_number(&self) -> Option<String> {
        match self.contact {
            Contact::Hidden(person) => Some(number(person)),
            _ => None,
        }
    }

    /// The instant as text in UTC.
    pub fn utc(&self) -> String {
        self.at.format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The instant as text in Brasília.
    pub fn local(&self) -> String {
        self.at.with_timezone(&Sao_Paulo).format("%Y-%m-%d %H:%M:%S").to_string()
    }
}

/// `5548 9 9000 0001` and so on.
pub fn number(person: u32) -> String {
    format!("55489{:08}", 90_000_000 + person)
}

fn lid(person: u32) -> String {
    format!("9{:014}", 71_000_000 + person)
}

/// All that a system can be asked to hold.
pub fn events() -> Vec<Event> {
    let mut events = Vec::new();
    for (dealership, _) in DEALERSHIPS.iter().enumerate() {
        let period = "2026-10".parse::<Month>().unwrap().period_in(DEALERSHIPS[dealership].1);
        let mut add = |contact, way, status, at, twice| {
            let id = events.len() + 1;
            events.push(Event { id, dealership, contact, way, status, at, twice });
        };
        let base = u32::try_from(dealership).unwrap() * 1000;
        // The seconds on both sides of each end: contacts that no other message has.
        let second = TimeDelta::seconds(1);
        let edges = [period.start - second, period.start, period.end - second, period.end];
        for (person, at) in (base + 900..).zip(edges) {
            add(Contact::Person(person), Way::Template("lembrete"), Status::Read, at, false);
        }
        // Each whose other identity is seen below was once seen by number.
        for person in 0..9 {
            let at = period.start + TimeDelta::minutes(7 * i64::from(person) + 1);
            add(Contact::Person(base + person), Way::In, Status::Read, at, person % 3 == 0);
        }
        for index in 0..80_u32 {
            let contact = match index % 20 {
                13 | 14 => Contact::Hidden(base + index % 9),
                15 if index < 20 => Contact::Unknown(base + 700),
                16 | 17 => Contact::Group(index % 2),
                18 => Contact::Broadcast,
                19 => Contact::Newsletter,
                _ => Contact::Person(base + index * 7 % 23),
            };
            let is_person = matches!(contact, Contact::Person(_) | Contact::Hidden(_));
            let way = match index % 5 {
                0..=2 => Way::In,
                4 if is_person => Way::Template(["boas_vindas", "lembrete"][index as usize % 2]),
                _ => Way::Out,
            };
            let status = match index % 7 {
                0 if way != Way::In => Status::Queued,
                1 if way != Way::In => Status::Failed,
                2 | 3 if way != Way::In => Status::Sent,
                _ => Status::Read,
            };
            // Whom only a failed message was meant for is no contact.
            let contact = match status {
                Status::Queued | Status::Failed if is_person => Contact::Person(base + 500 + index),
                _ => contact,
            };
            let at = period.start + TimeDelta::minutes(500 * i64::from(index) + 60);
            add(contact, way, status, at, index % 6 == 0);
        }
    }
    events
}

/// Unique contacts and templates of each dealership in October.
pub fn expected(events: &[Event], knows_templates: bool) -> Vec<(String, u64, u64)> {
    let count = |(dealership, (id, zone)): (usize, &(&str, Tz))| {
        let period = "2026-10".parse::<Month>().unwrap().period_in(*zone);
        let mut contacts = BTreeSet::new();
        let mut templates = 0;
        for event in events.iter().filter(|event| event.dealership == dealership) {
            let (Contact::Person(person) | Contact::Hidden(person)) = event.contact else {
                continue;
            };
            let is_sent = !matches!(event.status, Status::Queued | Status::Failed);
            if is_sent && period.start <= event.at && event.at < period.end {
                contacts.insert(person);
                templates += u64::from(knows_templates && event.template().is_some());
            }
        }
        ((*id).to_owned(), contacts.len() as u64, templates)
    };
    DEALERSHIPS.iter().enumerate().map(count).collect()
}
