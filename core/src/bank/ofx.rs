//! OFX statements: 1.x in SGML and 2.x in XML (*Open Financial Exchange*, versions 1.6 and 2.2, §11).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::Kind;
use super::amount::{amount, calendar_day, shown};
use super::found;
use super::statement::{BankLine, Reading};
use super::tags::{Tag, tags};
use crate::price::money::Money;

/// Parts of a transaction that have leaves of their own, which are not the transaction's.
const PARTS: [&str; 5] = ["PAYEE", "CURRENCY", "ORIGCURRENCY", "BANKACCTTO", "CCACCTTO"];

/// The leaves that can stand but once: twice is two transactions in one.
const SINGLE: [&str; 4] = ["TRNTYPE", "DTPOSTED", "TRNAMT", "FITID"];

/// A transaction while its leaves come.
struct Transaction {
    line: u64,
    leaves: BTreeMap<String, String>,
    /// The part whose leaves come.
    part: Option<String>,
    twice: Option<String>,
}

/// What of the statement counts for its transactions.
#[derive(Default)]
struct Account {
    bank: String,
    number: String,
    list_open: bool,
    complete: bool,
    transaction: Option<Transaction>,
}

pub(super) fn read(reading: &mut Reading, bytes: &[u8]) {
    let text = match decoded(bytes) {
        Ok(text) => text,
        Err(reason) => return reading.bad_file(reason),
    };
    let mut account = Account::default();
    for tag in tags(&text) {
        take(reading, &mut account, tag);
    }
    finish_transaction(reading, &mut account);
    if account.list_open || !account.complete {
        reading.bad_file("is cut off: it has no end (</OFX>). Export it again");
    }
}

/// The text in the encoding that the header names. What is valid UTF-8 is UTF-8 whatever it says: banks
/// forget the header when they change, and text in 1252 is never valid UTF-8 by chance where it has accents.
fn decoded(bytes: &[u8]) -> Result<String, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_uppercase();
    let encoding = encoding(&head)?;
    let (text, _, malformed) = encoding.decode(bytes);
    if malformed {
        return Err(format!("is not in {}, which its header names", encoding.name()));
    }
    Ok(text.into_owned())
}

fn encoding(head: &str) -> Result<&'static Encoding, String> {
    let named = |key: &str, ends: &[char]| {
        let after = head.split_once(key)?.1;
        Some(after.split(ends).next().unwrap_or_default().trim().to_owned())
    };
    if head.contains("<?XML") || head.contains("<?OFX") {
        let Some(label) = named("ENCODING=\"", &['"']).or_else(|| named("ENCODING='", &['\'']))
        else {
            return Ok(UTF_8);
        };
        return Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            format!("is in '{}', which is not known: export it as UTF-8", shown(&label))
        });
    }
    let charset = named("CHARSET:", &['\r', '\n', ' ', '<']).unwrap_or_default();
    // Some banks write the whole header in one line: the value ends where the next key begins.
    match charset.split("COMPRESSION").next().unwrap_or_default() {
        "" | "NONE" | "1252" | "CP1252" | "WINDOWS-1252" | "8859-1" | "ISO-8859-1"
        | "ISO8859-1" | "LATIN1" | "UNICODE" => Ok(WINDOWS_1252),
        "UTF-8" | "UTF8" | "65001" => Ok(UTF_8),
        other => Encoding::for_label(other.as_bytes())
            .or_else(|| Encoding::for_label(format!("windows-{other}").as_bytes()))
            .ok_or_else(|| {
                format!("is in '{}', which is not known: export it as UTF-8", shown(other))
            }),
    }
}

fn take(reading: &mut Reading, account: &mut Account, tag: Tag<'_>) {
    if account.transaction.is_some() && take_leaf(account, &tag) {
        return;
    }
    match (tag.name.as_str(), tag.closes) {
        ("STMTTRN", _) | ("BANKTRANLIST" | "OFX", true) => {
            finish_transaction(reading, account);
            if tag.name == "BANKTRANLIST" {
                account.list_open = false;
            } else if tag.name == "OFX" {
                account.complete = true;
            } else if !tag.closes && account.list_open {
                account.transaction = Some(Transaction {
                    line: tag.line,
                    leaves: BTreeMap::new(),
                    part: None,
                    twice: None,
                });
            } else if !tag.closes {
                reading.leave_out("of an investment account");
            }
        }
        ("STMTTRNP", false) => reading.leave_out("not posted yet"),
        ("BANKTRANLIST", false) => account.list_open = true,
        ("STMTRS" | "CCSTMTRS", false) => {
            account.bank.clear();
            account.number.clear();
        }
        ("BANKID", false) => account.bank = tag.text.into_owned(),
        ("ACCTID", false) => account.number = tag.text.into_owned(),
        ("CURDEF", false) if !tag.text.eq_ignore_ascii_case("BRL") => {
            reading.bad(tag.line, format!("is in {}: fecha bills in BRL", shown(&tag.text)));
        }
        ("SEVERITY", false) if tag.text.eq_ignore_ascii_case("ERROR") => {
            reading.bad(tag.line, "is a bank's error and no statement: export it again");
        }
        _ => {}
    }
}

/// Whether the tag belongs to the transaction that is open.
fn take_leaf(account: &mut Account, tag: &Tag<'_>) -> bool {
    let Some(transaction) = &mut account.transaction else { return false };
    if matches!(tag.name.as_str(), "STMTTRN" | "BANKTRANLIST" | "OFX") {
        return false;
    }
    if PARTS.contains(&tag.name.as_str()) {
        transaction.part = (!tag.closes).then(|| tag.name.clone());
        return true;
    }
    if tag.closes {
        return true;
    }
    let key = match &transaction.part {
        Some(part) => format!("{part} {}", tag.name),
        None => tag.name.clone(),
    };
    if let Some(before) = transaction.leaves.get_mut(&key) {
        if SINGLE.contains(&key.as_str()) {
            transaction.twice = Some(key);
        } else {
            before.push(' ');
            before.push_str(&tag.text);
        }
        return true;
    }
    transaction.leaves.insert(key, tag.text.to_string());
    true
}

fn finish_transaction(reading: &mut Reading, account: &mut Account) {
    let Some(transaction) = account.transaction.take() else { return };
    match credit(&transaction) {
        Ok(Read::Credit(on, money)) => {
            let line = bank_line(reading, account, &transaction, on, money);
            reading.pay(line);
        }
        Ok(Read::Other(what)) => reading.leave_out(what),
        Err(reason) => reading.bad(transaction.line, reason),
    }
}

enum Read {
    Credit(NaiveDate, Money),
    Other(&'static str),
}

fn credit(transaction: &Transaction) -> Result<Read, String> {
    if let Some(key) = &transaction.twice {
        return Err(format!("has {key} twice: two transactions run into one"));
    }
    let leaf = |key: &str| transaction.leaves.get(key).map(String::as_str);
    let needed = |key| leaf(key).ok_or_else(|| format!("has no {key}: the file may be cut off"));
    let money = amount(needed("TRNAMT")?)?;
    let posted = needed("DTPOSTED")?;
    let on = day(posted).ok_or_else(|| format!("'{}' is no day (DTPOSTED)", shown(posted)))?;
    for currency in ["CURRENCY CURSYM", "ORIGCURRENCY CURSYM"] {
        if let Some(currency) = leaf(currency).filter(|name| !name.eq_ignore_ascii_case("BRL")) {
            return Err(format!("is in {}: fecha bills in BRL", shown(currency)));
        }
    }
    let is_debit = leaf("TRNTYPE").is_some_and(|kind| {
        ["DEBIT", "PAYMENT", "CHECK", "FEE", "SRVCHG", "DIRECTDEBIT", "REPEATPMT"]
            .iter()
            .any(|debit| kind.eq_ignore_ascii_case(debit))
    });
    Ok(if money < Money::ZERO {
        Read::Other("debit")
    } else if money == Money::ZERO {
        Read::Other("nothing moved")
    } else if is_debit {
        // The sign decides in OFX; but a bank that leaves it out must not turn what was spent into income.
        Read::Other("debit by its TRNTYPE, without a minus: look at it")
    } else {
        Read::Credit(on, money)
    })
}

/// `20261110`, `20261110120000`, `20261110120000.000[-3:BRT]`: the day as the bank wrote it, in its own zone.
fn day(posted: &str) -> Option<NaiveDate> {
    let digits = posted.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &posted[digits..];
    let ends = rest.is_empty() || rest.starts_with(['.', '[', ' ']);
    if !matches!(digits, 8 | 10 | 12 | 14) || !ends {
        return None;
    }
    calendar_day(&posted[..4], &posted[4..6], &posted[6..8])
}

fn bank_line(
    reading: &mut Reading,
    account: &Account,
    transaction: &Transaction,
    on: NaiveDate,
    money: Money,
) -> BankLine {
    let leaf = |key: &str| transaction.leaves.get(key).map_or("", |text| text.trim());
    let said: Vec<&str> = ["NAME", "PAYEE NAME", "MEMO", "CHECKNUM", "REFNUM"]
        .into_iter()
        .map(leaf)
        .filter(|text| !text.is_empty())
        .collect();
    let words = found::words(&said.join(" | "));
    let named = found::only(&found::numbers(&words));
    let fitid = found::words(leaf("FITID"));
    let reference = match found::end_to_end(&fitid).or_else(|| found::end_to_end(&words)) {
        Some(end_to_end) => Some(reading.of_pix(end_to_end, on, money)),
        None if fitid.is_empty() => None,
        // Banks count FITIDs anew each day, or have none: the day and the amount tell most apart.
        None => {
            let owner = found::words(&format!("{}/{}", account.bank, account.number));
            Some(reading.told_apart(format!("ofx:{owner}/{fitid}/{on}/{money}")))
        }
    };
    BankLine {
        place: reading.place(transaction.line),
        on,
        amount: Some(money),
        kind: Kind::Money,
        reference,
        number: named.map(|named| named.number),
        txid: named.filter(|named| named.as_txid).map(|named| named.number.txid()),
        group: found::group(&words),
        cnpj: found::cnpjs(&words).into_iter().next(),
        words,
    }
}
