//! Invoices for tests: a usual month, which a test changes where it must.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeZone, Utc};
use chrono_tz::America;
use fecha_core::bill::bill::Use;
use fecha_core::bill::invoice::{Invoice, Number, Usage};
use fecha_core::calendar::month::Month;
use fecha_core::count::evidence::IdVersion;
use fecha_core::count::tally::Buckets;
use fecha_core::party::pix::{Receiver, br_code};
use fecha_core::party::register::{EmailAddress, Issuer, Party};
use fecha_core::price::advice::PastMonth;
use fecha_core::price::item::Amounts;
use fecha_core::price::money::Money;
use fecha_core::price::table::PriceTable;

/// The example of spec §3.4: package 5,000, 5,123 contacts, 310 HSM, R$ 1.192,27.
pub fn invoice() -> Invoice {
    let month: Month = "2026-10".parse().unwrap();
    let timezone = America::Sao_Paulo;
    let mut invoice = Invoice {
        number: Number { year: 2026, sequence: 1 },
        revision: 0,
        issuer: issuer(),
        dealership_id: "d1".to_owned(),
        dealership: dealership(),
        month,
        period: month.period_in(timezone),
        timezone,
        package: 5000,
        numbers: Vec::new(),
        usage: usage(month),
        lines: prices().lines(Use::plain(5000, 5123, 310)).unwrap(),
        issued_at: Utc.with_ymd_and_hms(2026, 11, 1, 3, 0, 1).unwrap(),
        issued_on: NaiveDate::from_ymd_opt(2026, 11, 1).unwrap(),
        due_on: NaiveDate::from_ymd_opt(2026, 11, 10).unwrap(),
        evidence_sha256: "9f2c1e7ab4d85630e1f7c2a98b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f"
            .to_owned(),
        evidence_ids: IdVersion::NEWEST,
        rules: fecha_core::count::rules::CountingRules::default(),
        pix: None,
        late_fee: Some("Após o vencimento: multa de 2% e juros de 1% ao mês.".to_owned()),
        prices: Some(prices()),
        history: history(),
        already_paid: Money::ZERO,
        credit_left: Money::ZERO,
        replaces: None,
    };
    invoice.pix = pix(&invoice);
    invoice
}

/// The BR Code for what the invoice asks for; make it again after a change of lines.
pub fn pix(invoice: &Invoice) -> Option<String> {
    let key = "11222333000181".parse().unwrap();
    let receiver = Receiver { key: &key, name: &invoice.issuer.name, city: &invoice.issuer.city };
    br_code(receiver, invoice.to_pay(), &invoice.number.txid())
}

/// The price table of spec §2.
pub fn prices() -> PriceTable {
    let packages =
        [(5000, "1014.00"), (10_000, "1827.00"), (25_000, "3920.00"), (50_000, "7380.00")];
    PriceTable {
        from: "2020-08".parse().unwrap(),
        overage: "0.29".parse().unwrap(),
        hsm: "0.46".parse().unwrap(),
        packages: packages.map(|(contacts, price)| (contacts, price.parse().unwrap())).into(),
        list: None,
        own_overage: BTreeMap::new(),
        messages: Vec::new(),
        monthly: Vec::new(),
    }
}

/// A dealership that grows into its package and beyond it.
fn history() -> Vec<PastMonth> {
    let months = [
        ("2026-05", 3180, 205),
        ("2026-06", 3722, 286),
        ("2026-07", 3415, 256),
        ("2026-08", 4286, 304),
        ("2026-09", 4807, 280),
    ];
    let past = months.map(|(month, uam, hsm)| {
        let amounts = Amounts::of(&prices().lines(Use::plain(5000, uam, hsm)).unwrap());
        PastMonth {
            month: month.parse().unwrap(),
            package: 5000,
            uam,
            hsm,
            total: amounts.total(),
            amounts: Some(amounts),
        }
    });
    past.into()
}

fn issuer() -> Issuer {
    Issuer {
        name: "Exemplo Tecnologia Ltda".to_owned(),
        cnpj: "11.222.333/0001-81".parse().unwrap(),
        address: "Rua Exemplo, 100".to_owned(),
        city: "Caxias do Sul".to_owned(),
        state: "RS".parse().unwrap(),
        postal_code: Some("95010-000".parse().unwrap()),
        email: EmailAddress::trusted("financeiro@example.com".to_owned()),
        phone: "+55 54 3000-0000".to_owned(),
        timezone: America::Sao_Paulo,
    }
}

fn dealership() -> Party {
    Party {
        name: "Comércio de Automóveis São João Ltda".to_owned(),
        trade_name: "São João Veículos".to_owned(),
        cnpj: "12.ABC.345/01DE-35".parse().unwrap(),
        address: "Avenida Júlio de Castilhos, 1.250, Bairro Nossa Senhora de Lourdes".to_owned(),
        city: "Florianópolis".to_owned(),
        state: "SC".parse().unwrap(),
        postal_code: Some("88015-200".parse().unwrap()),
    }
}

fn usage(month: Month) -> Usage {
    let templates = [
        ("lembrete_revisao_10_mil_km", 121),
        ("confirmacao_test_drive", 84),
        ("proposta_seminovos_v2", 52),
        ("pesquisa_pos_venda", 41),
        ("aniversario_cliente", 9),
        ("", 3),
    ];
    Usage {
        sent_as: fecha_core::count::sending::Sent::NONE,
        uam: 5123,
        hsm: 310,
        received: 48_210,
        sent: 51_377,
        started_by_dealership: 1741,
        hsm_by_template: templates.map(|(name, count)| (name.to_owned(), count)).into(),
        new_contacts_by_day: contacts_by_day(month, 5123),
        buckets: Buckets {
            counted: 99_587,
            ignored_status: 212,
            not_a_contact: 37,
            ..Buckets::default()
        },
        windows: None,
    }
}

/// Many new contacts at the month's start, few on Sundays; together `total`.
fn contacts_by_day(month: Month, total: u64) -> Vec<(NaiveDate, u64)> {
    use chrono::{Datelike, Weekday};
    let days: Vec<NaiveDate> =
        month.first_day().iter_days().take_while(|day| *day <= month.last_day()).collect();
    let weight = |day: &NaiveDate| {
        let fresh = 60 - u64::from(day.day());
        match day.weekday() {
            Weekday::Sun => fresh / 5,
            Weekday::Sat => fresh / 2,
            _ => fresh + u64::from(day.day() * 7 % 11),
        }
    };
    let whole: u64 = days.iter().map(weight).sum();
    let mut counts: BTreeMap<NaiveDate, u64> =
        days.iter().map(|day| (*day, weight(day) * total / whole)).collect();
    let rest = total - counts.values().sum::<u64>();
    *counts.get_mut(&month.first_day()).unwrap() += rest;
    counts.into_iter().collect()
}
