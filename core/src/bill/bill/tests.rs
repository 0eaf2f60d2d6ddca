//! One month, put together: what it comes to for each who asks.

use chrono_tz::America::Sao_Paulo;

use super::*;
use crate::account::note::Taking;
use crate::account::note::tests::note;
use crate::bill::case::{MonthBook, PackageOf};
use crate::count::contact::Identity;
use crate::count::contacts::ContactUse;
use crate::count::evidence::IdVersion;
use crate::count::rules::CountingRules;
use crate::count::tally::Direction;
use crate::party::numbers::Numbers;
use crate::party::register::{Dealership, EmailAddress, EvidenceWish, TaxDetails};
use crate::price::contract::ContractEntry;
use crate::price::discount::Discount;
use crate::price::table::tests::table;

fn dealership() -> Dealership {
    Dealership {
        id: "d1".to_owned(),
        name: "São João Veículos Ltda".to_owned(),
        trade_name: "São João".to_owned(),
        cnpj: "11.222.333/0001-81".parse().unwrap(),
        address: "Rua A, 1".to_owned(),
        city: "Caxias do Sul".to_owned(),
        state: "RS".parse().unwrap(),
        email: EmailAddress::trusted("loja@example.com".to_owned()),
        cc: Vec::new(),
        timezone: None,
        due_day: None,
        evidence: EvidenceWish::Hash,
        package_use: None,
        reminders: None,
        group: None,
        tax: TaxDetails::default(),
        postal_code: None,
    }
}

fn issuer() -> Issuer {
    Issuer {
        name: "Exemplo Tecnologia Ltda".to_owned(),
        cnpj: "11.222.333/0001-81".parse().unwrap(),
        address: "Rua Exemplo, 100".to_owned(),
        city: "Caxias do Sul".to_owned(),
        state: "RS".parse().unwrap(),
        postal_code: None,
        email: EmailAddress::trusted("financeiro@example.com".to_owned()),
        phone: String::new(),
        timezone: Sao_Paulo,
    }
}

fn credit(amount: &str, taken: &[(Number, &str)]) -> Note {
    let taking = |(number, amount): &(Number, &str)| Taking {
        number: *number,
        amount: amount.parse().unwrap(),
        words: "Desconto combinado".to_owned(),
    };
    Note {
        description: "Desconto combinado".to_owned(),
        taken: taken.iter().map(taking).collect(),
        ..note(1, "2026-10", amount)
    }
}

fn book(packages: &[(&str, u64)]) -> MonthBook {
    let entry = |(from, package): &(&str, u64)| ContractEntry {
        dealership_id: "d1".to_owned(),
        from_month: from.parse().unwrap(),
        package: Some(*package),
        list: None,
        discount: Discount::NONE,
    };
    MonthBook {
        month: "2026-10".parse().unwrap(),
        issuer_zone: Sao_Paulo,
        rules: CountingRules::default(),
        dealerships: vec![dealership()],
        contracts: packages.iter().map(entry).collect(),
        numbers: Numbers::default(),
        standing: [].into(),
        before: [].into(),
        after: [].into(),
        history: [].into(),
        notes: [].into(),
        payments: [].into(),
    }
}

fn tally(contacts: u64) -> Tally {
    let mut tally = Tally::default();
    for contact in 0..contacts {
        let at: DateTime<Utc> = "2026-10-05T12:00:00Z".parse().unwrap();
        let used = ContactUse {
            first_at: at.timestamp_millis(),
            first_direction: Direction::In,
            received: 1,
            sent: 0,
            hsm: 0,
        };
        let number = format!("55489999{contact:05}");
        tally.contacts.add(Identity::parse(number.as_bytes()).unwrap(), used);
    }
    tally
}

const N1: Number = Number { year: 2026, sequence: 1 };

/// Issues October of `d1` with a credit of R$ 120,00, as a close would; the book knows it then.
fn issued(book: &mut MonthBook) -> Invoice {
    book.notes.insert("d1".to_owned(), vec![credit("-120.00", &[])]);
    let case = book.cases(PackageOf::TheInvoice).remove(0);
    let issuer = issuer();
    let terms = Terms { issuer: &issuer, pix: None, due_day: 10, late_fee: None };
    let heading = Heading {
        number: N1,
        replaces: None,
        evidence_sha256: String::new(),
        evidence_ids: IdVersion::NEWEST,
        issued_at: "2026-11-01T03:00:00Z".parse().unwrap(),
    };
    let prices: Prices = [table()].into_iter().collect();
    let invoice = bill(case, tally(3), &prices).unwrap().invoice(terms, heading);
    book.notes.insert("d1".to_owned(), vec![credit("-120.00", &[(N1, "-120.00")])]);
    book.standing.insert("d1".to_owned(), invoice.clone());
    invoice
}

#[test]
fn a_month_that_is_invoiced_comes_to_what_its_invoice_says() {
    let mut book = book(&[("2026-01", 5000)]);
    let invoice = issued(&mut book);
    assert_eq!(invoice.total().to_string(), "894.00");
    let prices: Prices = [table()].into_iter().collect();
    for package in [PackageOf::TheInvoice, PackageOf::TheContract] {
        let case = book.cases(package).remove(0);
        let again = bill(case, tally(3), &prices).unwrap();
        assert_eq!(again.charge.total(), invoice.total(), "the credit that it took stays taken");
        assert!(again.difference(Changes::default()).unwrap().is_none());
        let now = "2026-11-05T12:00:00Z".parse().unwrap();
        assert_eq!(again.pro_forma(&issuer(), now).content.lines, invoice.lines);
        assert_eq!(again.ahead(now).unwrap().total, invoice.total());
    }
}

#[test]
fn its_package_is_that_of_the_invoice_or_of_the_contract_of_today() {
    let mut book = book(&[("2026-01", 5000)]);
    issued(&mut book);
    book.contracts = [ContractEntry {
        dealership_id: "d1".to_owned(),
        from_month: "2026-10".parse().unwrap(),
        package: Some(10_000),
        list: None,
        discount: Discount::NONE,
    }]
    .into_iter()
    .collect();
    let prices: Prices = [table()].into_iter().collect();
    let total = |package| {
        let case = book.cases(package).remove(0);
        bill(case, tally(3), &prices).unwrap().charge.total().to_string()
    };
    assert_eq!(total(PackageOf::TheInvoice), "894.00");
    assert_eq!(total(PackageOf::TheContract), "1707.00");
}

#[test]
fn without_a_package_or_a_price_there_is_no_bill() {
    let prices: Prices = [table()].into_iter().collect();
    let case = book(&[]).cases(PackageOf::TheInvoice).remove(0);
    let unbilled = bill(case, tally(1), &prices).unwrap_err();
    assert_eq!(unbilled.why, NoCharge::NoPackage);
    let case = book(&[("2026-01", 7000)]).cases(PackageOf::TheInvoice).remove(0);
    let unbilled = bill(case, tally(1), &prices).unwrap_err();
    assert!(matches!(unbilled.why, NoCharge::NoPrice(NoPrice::Package { package: 7000, .. })));
    assert_eq!(unbilled.tally.uam(), 1, "nothing of what was counted is lost");
}

#[test]
fn a_change_of_zone_leaves_no_gap() {
    let mut book = book(&[("2026-01", 5000)]);
    let before = Invoice { month: book.month.previous(), ..issued(&mut book) };
    book.standing.clear();
    let end = "2026-10-01T04:00:00Z".parse().unwrap();
    let period = crate::calendar::month::Period { end, ..before.period };
    book.before.insert("d1".to_owned(), Invoice { period, ..before });
    let case = book.cases(PackageOf::TheInvoice).remove(0);
    assert_eq!(case.period.start, end);
}
