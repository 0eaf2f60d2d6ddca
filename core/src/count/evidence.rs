//! The frozen set of contacts that an invoice counted, as a file that proves it without naming anybody.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::count::contact::Identity;
use crate::count::contacts::ContactUse;
use crate::count::sending::{Billing, Sending};
use crate::count::tally::{Direction, Tally, instant};

/// The secret behind the ids of the evidence: without it nobody can try numbers against a file.
#[derive(Clone, PartialEq, Eq)]
pub struct EvidenceKey([u8; 32]);

impl EvidenceKey {
    /// A key from its 32 bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key from 64 hexadecimal digits; `None` where the text is anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The key as 64 hexadecimal digits, as `evidence.key` holds it.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Tells keys apart without giving them away; the ledger keeps it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::new_with_prefix(b"fecha evidence key\0").chain_update(self.0).finalize();
        hex::encode(&hash[..16])
    }

    /// Whether the key was written by a person: few different bytes, bytes in steps, or letters. Whoever
    /// guesses the key can try numbers against a file. Of random keys one in 10¹³ looks so.
    #[must_use]
    pub fn is_guessable(&self) -> bool {
        let bytes = &self.0;
        let different: std::collections::BTreeSet<u8> = bytes.iter().copied().collect();
        let step = bytes[1].wrapping_sub(bytes[0]);
        different.len() < 16
            || bytes.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step)
            || bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
    }

    /// What makes the ids of a dealership's evidence.
    #[must_use]
    pub fn ids(&self, version: IdVersion, dealership_id: &str) -> Ids {
        // HMAC pads its key with zeros to the block of 64 bytes; done here, it cannot fail.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        match version {
            IdVersion::One => {}
            IdVersion::Two => {
                // With its length before it, no id of a dealership and a contact reads as another pair.
                mac.update(b"fecha evidence 2\0");
                mac.update(&(dealership_id.len() as u64).to_be_bytes());
                mac.update(dealership_id.as_bytes());
            }
        }
        Ids(mac)
    }
}

/// How the ids of evidence are made; an invoice keeps it, and is compared under its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum IdVersion {
    /// Of the contact alone, as in 0.1: files of two dealerships that know one contact can be joined.
    #[default]
    One,
    /// Of the dealership and the contact: the same in each of the dealership's months, and in no other file.
    Two,
}

impl IdVersion {
    /// What new evidence is made with.
    pub const NEWEST: Self = Self::Two;

    /// Whether it is that of an invoice that keeps none.
    #[must_use]
    pub fn is_first(&self) -> bool {
        *self == Self::One
    }
}

/// A later fecha made the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ids of its evidence are of version {0}, which this fecha does not know")]
pub struct UnknownIdVersion(u8);

impl TryFrom<u8> for IdVersion {
    type Error = UnknownIdVersion;

    fn try_from(version: u8) -> Result<Self, Self::Error> {
        match version {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            other => Err(UnknownIdVersion(other)),
        }
    }
}

impl From<IdVersion> for u8 {
    fn from(version: IdVersion) -> Self {
        match version {
            IdVersion::One => 1,
            IdVersion::Two => 2,
        }
    }
}

/// Makes the ids of one dealership's evidence.
pub struct Ids(Hmac<Sha256>);

impl Ids {
    /// HMAC-SHA-256, 16 bytes, hexadecimal.
    fn of(&self, identity: &Identity) -> String {
        let mut mac = self.0.clone();
        mac.update(identity.to_string().as_bytes());
        hex::encode(&mac.finalize().into_bytes()[..16])
    }
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids(…)")
    }
}

impl std::fmt::Debug for EvidenceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EvidenceKey(…)")
    }
}

/// The columns that each evidence file has.
pub const HEADER: &str = "id,contact,first_at,first_direction,received,sent,hsm";

/// The evidence file: CSV, one line a contact, sorted by id. The same contacts give the same bytes.
///
/// `first_at` is RFC 3339 UTC with milliseconds; `contact` is masked; `received` and `sent` are
/// counted messages, HSM included in `sent`. Where messages are priced by category, columns of what was sent of
/// each follow: `hsm:marketing`, `session:service`, `hsm:utility:unbilled`, and `hsm:` where a message has none.
#[must_use]
pub fn csv(tally: &Tally, ids: &Ids) -> String {
    let line = |(identity, contact): (Identity, &ContactUse)| line(&identity, contact, tally, ids);
    let mut lines: Vec<String> = tally.contacts.iter().map(line).collect();
    lines.sort_unstable();
    let mut csv = String::with_capacity(HEADER.len() + 1 + lines.len() * 96);
    csv.push_str(HEADER);
    for column in &tally.columns {
        csv.push(',');
        csv.push_str(&column_name(column));
    }
    csv.push('\n');
    for line in &lines {
        csv.push_str(line);
    }
    csv
}

/// What a column says of the messages in it.
fn column_name(sending: &Sending) -> String {
    let Sending { kind, category, number: _, billing } = sending;
    let category = category.as_ref().map(crate::price::category::Category::name);
    let unbilled = match billing {
        Billing::Billed => "",
        Billing::Unbilled => ":unbilled",
    };
    format!("{}:{}{unbilled}", kind.key(), category.unwrap_or_default())
}

fn line(identity: &Identity, contact: &ContactUse, tally: &Tally, ids: &Ids) -> String {
    let mut line = ids.of(identity);
    let direction = match contact.first_direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    // Writing to a String cannot fail.
    let _ = write!(
        line,
        ",{},{},{direction},{},{},{}",
        identity.masked(),
        instant(contact.first_at).to_rfc3339_opts(SecondsFormat::Millis, true),
        contact.received,
        contact.sent,
        contact.hsm,
    );
    for (place, _) in (0..).zip(&tally.columns) {
        let _ = write!(line, ",{}", tally.contacts.apart(identity, place));
    }
    line.push('\n');
    line
}

/// One contact of an evidence file. Two files of one key, dealership and version name the same contact by
/// the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of the file")]
pub struct EvidenceRow<'a> {
    pub id: &'a str,
    pub contact: &'a str,
    pub first_at: &'a str,
    pub first_direction: &'a str,
    pub received: u64,
    pub sent: u64,
    pub hsm: u64,
    /// What was sent of each category, in the order of [`Evidence::columns`].
    pub by_category: &'a str,
}

impl EvidenceRow<'_> {
    /// Whether the contact's use is the same, categories aside.
    #[must_use]
    pub fn is_same_use(&self, other: &Self) -> bool {
        let without = |row: &Self| Self { by_category: "", ..*row };
        without(self) == without(other)
    }

    /// What was sent of the category in this place; of none nothing.
    #[must_use]
    pub fn of(&self, place: Option<usize>) -> u64 {
        let count = place.and_then(|place| self.by_category.split(',').nth(place));
        count.and_then(|count| count.parse().ok()).unwrap_or_default()
    }
}

/// An evidence file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence<'a> {
    /// The columns by category; empty where the prices did not ask, and in files of fecha 0.1.
    pub columns: Vec<&'a str>,
    /// By id.
    pub rows: Vec<EvidenceRow<'a>>,
}

/// Where two files have a column by category; `None` where one lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnPlaces {
    /// In the earlier one.
    pub before: Option<usize>,
    /// In the later one.
    pub now: Option<usize>,
}

impl Evidence<'_> {
    /// The columns by category of both files, each once; `None` where one of them knows none.
    #[must_use]
    pub fn shared_columns(&self, now: &Self) -> Option<Vec<ColumnPlaces>> {
        if self.columns.is_empty() || now.columns.is_empty() {
            return None;
        }
        let place = |of: &Self, name: &str| of.columns.iter().position(|column| *column == name);
        let new = now.columns.iter().filter(|name| !self.columns.contains(name));
        let all = self.columns.iter().chain(new);
        let places =
            |name: &&str| ColumnPlaces { before: place(self, name), now: place(now, name) };
        Some(all.map(places).collect())
    }
}

/// The text is no evidence file as [`csv()`] writes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {0} of the evidence is not as fecha writes it")]
pub struct InvalidEvidence(pub usize);

/// Reads what [`csv()`] wrote, in its order: by id.
///
/// # Errors
/// [`InvalidEvidence`], which names the first line that is wrong.
pub fn parse(csv: &str) -> Result<Evidence<'_>, InvalidEvidence> {
    let mut lines = csv.lines().zip(1..);
    let header = lines.next().and_then(|(line, _)| line.strip_prefix(HEADER));
    let columns: Vec<&str> = match header {
        Some("") => Vec::new(),
        Some(rest) => rest.strip_prefix(',').ok_or(InvalidEvidence(1))?.split(',').collect(),
        None => return Err(InvalidEvidence(1)),
    };
    let mut entries: Vec<EvidenceRow<'_>> = Vec::new();
    for (line, number) in lines {
        let entry = entry(line, columns.len()).ok_or(InvalidEvidence(number))?;
        if entries.last().is_some_and(|before| before.id >= entry.id) {
            return Err(InvalidEvidence(number));
        }
        entries.push(entry);
    }
    Ok(Evidence { columns, rows: entries })
}

fn entry(line: &str, columns: usize) -> Option<EvidenceRow<'_>> {
    let mut fields = line.splitn(8, ',');
    let entry = EvidenceRow {
        id: fields.next()?,
        contact: fields.next()?,
        first_at: fields.next()?,
        first_direction: fields.next()?,
        received: fields.next()?.parse().ok()?,
        sent: fields.next()?.parse().ok()?,
        hsm: fields.next()?.parse().ok()?,
        by_category: fields.next().unwrap_or_default(),
    };
    let counts = entry.by_category.split(',').filter(|count| !count.is_empty());
    let are_numbers = counts.clone().all(|count| count.bytes().all(|byte| byte.is_ascii_digit()));
    (are_numbers && counts.count() == columns).then_some(entry)
}

/// SHA-256 of bytes, hexadecimal: what `sha256sum` prints.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::sending::Kind;
    use crate::price::category::Category;

    fn tally(contacts: &[(&str, i64)]) -> Tally {
        let mut tally = Tally::default();
        for &(number, first_at) in contacts {
            let contact = ContactUse {
                first_at,
                first_direction: Direction::In,
                received: 2,
                sent: 3,
                hsm: 1,
            };
            tally.contacts.add(Identity::parse(number.as_bytes()).unwrap(), contact);
        }
        tally
    }

    const CONTACTS: [(&str, i64); 2] =
        [("5548999990820", 1_790_824_500_123), ("BR.13491208655", 0)];

    /// What was sent to each of them of two categories.
    fn by_category() -> Tally {
        let sending = |category: &str, billing| Sending {
            kind: Kind::Hsm,
            category: Category::of(category.as_bytes()),
            number: None,
            billing,
        };
        let mut tally = tally(&CONTACTS);
        tally.columns = vec![sending("", Billing::Billed), sending("marketing", Billing::Unbilled)];
        for (number, place, messages) in
            [(CONTACTS[0].0, 1, 2), (CONTACTS[1].0, 0, 1), (CONTACTS[0].0, 1, 1)]
        {
            let identity = Identity::parse(number.as_bytes()).unwrap();
            tally.contacts.add_apart(&identity, place, messages);
        }
        tally
    }

    #[test]
    fn a_line_a_contact_sorted_by_id_and_masked() {
        let ids = EvidenceKey::new([7; 32]).ids(IdVersion::One, "d1");
        let forward = csv(&tally(&CONTACTS), &ids);
        let backward = csv(&tally(&[CONTACTS[1], CONTACTS[0]]), &ids);
        assert_eq!(forward, backward);
        insta::assert_snapshot!(forward);
        assert!(!forward.contains("5548999990820"));
    }

    #[test]
    fn what_was_written_is_read() {
        let ids = EvidenceKey::new([7; 32]).ids(IdVersion::NEWEST, "d1");
        let csv = csv(&tally(&CONTACTS), &ids);
        let Evidence { columns, rows: entries } = parse(&csv).unwrap();
        assert_eq!((entries.len(), columns.len()), (2, 0));
        assert!(entries.iter().all(|e| (e.received, e.sent, e.hsm) == (2, 3, 1)));
        assert!(entries.iter().any(|e| e.first_at == "1970-01-01T00:00:00.000Z"));
        let second = format!("{HEADER}\nb,x,t,in,1,0,0\na,x,t,in,1,0,0\n");
        assert_eq!(parse(&second), Err(InvalidEvidence(3)));
        assert_eq!(parse(&format!("{HEADER}\na,x,t,in,1,0\n")), Err(InvalidEvidence(2)));
        assert_eq!(parse(""), Err(InvalidEvidence(1)));
        assert_eq!(parse(&format!("{HEADER}\na,x,t,in,1,0,0,1\n")), Err(InvalidEvidence(2)));
        assert_eq!(parse(&format!("{HEADER}s\n")), Err(InvalidEvidence(1)));
        let short = format!("{HEADER},hsm:,hsm:marketing\na,x,t,in,1,0,0,1\n");
        assert_eq!(parse(&short), Err(InvalidEvidence(2)));
    }

    #[test]
    fn what_was_sent_of_each_category_stands_behind() {
        let ids = EvidenceKey::new([7; 32]).ids(IdVersion::One, "d1");
        let csv = csv(&by_category(), &ids);
        let head = csv.lines().next().unwrap();
        assert_eq!(head, format!("{HEADER},hsm:,hsm:marketing:unbilled"));
        let evidence = parse(&csv).unwrap();
        let of = |row: &EvidenceRow<'_>| {
            (row.contact.to_owned(), [row.of(Some(0)), row.of(Some(1)), row.of(None)])
        };
        let mut counts: Vec<_> = evidence.rows.iter().map(of).collect();
        counts.sort();
        assert_eq!(counts[0].1, [0, 3, 0], "{counts:?}");
        assert_eq!(counts[1].1, [1, 0, 0]);
        let other = Evidence { columns: vec!["hsm:utility", "hsm:"], rows: Vec::new() };
        let places = |before, now| ColumnPlaces { before, now };
        assert_eq!(
            evidence.shared_columns(&other).unwrap(),
            [places(Some(0), Some(1)), places(Some(1), None), places(None, Some(0))]
        );
        let of_0_1 = Evidence { columns: Vec::new(), rows: Vec::new() };
        assert_eq!(evidence.shared_columns(&of_0_1), None);
    }

    #[test]
    fn ids_depend_on_the_key() {
        let identity = Identity::parse(b"5548999990820").unwrap();
        let (one, other) = (EvidenceKey::new([1; 32]), EvidenceKey::new([2; 32]));
        let id = |key: &EvidenceKey| key.ids(IdVersion::NEWEST, "d1").of(&identity);
        assert_ne!(id(&one), id(&other));
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_eq!(EvidenceKey::from_hex(&one.to_hex()), Some(one));
        assert_eq!(EvidenceKey::from_hex("abc"), None);
    }

    // The ids computed by Python's hmac, too.
    #[test]
    fn ids_of_two_dealerships_cannot_be_joined() {
        let identity = Identity::parse(b"5548999990820").unwrap();
        let key = EvidenceKey::new([7; 32]);
        let id = |version, dealership| key.ids(version, dealership).of(&identity);
        assert_eq!(id(IdVersion::One, "d1"), "aedb6aa8da08c54edcd6ec9f568a6590");
        assert_eq!(id(IdVersion::Two, "d1"), "f37588967b3b03fd991af78f5c64efaf");
        assert_eq!(id(IdVersion::One, "d1"), id(IdVersion::One, "d2"));
        assert_ne!(id(IdVersion::Two, "d1"), id(IdVersion::Two, "d2"));
        assert_ne!(id(IdVersion::Two, "d"), id(IdVersion::Two, "d1"));
    }

    #[test]
    fn a_key_that_a_person_wrote_is_told() {
        let key = |text: &str| EvidenceKey::from_hex(&text.repeat(64 / text.len())).unwrap();
        for text in ["0", "f", "7", "01", "0123456789abcdef", "deadbeef", "1234567890abcdef"] {
            assert!(key(text).is_guessable(), "{text}");
        }
        let mut steps = [0; 32];
        (0..).zip(&mut steps).for_each(|(index, byte)| *byte = index * 3);
        assert!(EvidenceKey::new(steps).is_guessable());
        assert!(EvidenceKey::new(*b"the quick brown fox jumps over a").is_guessable());
        for seed in 0..2000_u32 {
            let random = Sha256::digest(seed.to_be_bytes());
            assert!(!EvidenceKey::new(random.into()).is_guessable(), "{seed}");
        }
    }

    // FIPS 180-4's example, and what `printf abc | sha256sum` prints.
    #[test]
    fn sha256_is_what_sha256sum_prints() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
