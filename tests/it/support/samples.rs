//! Sample documents for emails and reports, with names as bad as a register may have them.

use std::collections::BTreeMap;

use super::sample;
use chrono_tz::America;
use fecha_core::account::receivables::Balance;
use fecha_core::account::reminder::{Reminded, Reminder};
use fecha_core::bill::digest::{
    Digest, DigestRow, FailedDelivery, Mover, Overdue, Sum, Whole, Zone,
};
use fecha_core::bill::exception::{Excepted, Exception, Reason, Stake};
use fecha_core::bill::group_bill::{GroupBill, GroupRow};
use fecha_core::bill::hold::Held;
use fecha_core::bill::invoice::{Invoice, Number, Replacement, Usage};
use fecha_core::bill::package_use::{Outlook, PackageUse};
use fecha_core::calendar::month::Month;
use fecha_core::count::status::{StatusFound, StatusRules};
use fecha_core::count::tally::{Buckets, Window};
use fecha_core::letter::Alert;
use fecha_core::party::pix::{Receiver, br_code};
use fecha_core::party::register::Party;
use fecha_core::price::item::{Item, Line};
use fecha_core::price::money::{Money, UnitPrice};
use fecha_core::price::rates::Rates;

/// Markup, quotes, an emoji, right-to-left text and its override, line breaks.
pub const HOSTILE: &str =
    "<script>alert(\"1\")</script> 'São João' 🚗 سيارات \u{202e}gpj.exe\r\nBcc: evil@example.com";

pub fn number(sequence: u32) -> Number {
    Number { year: 2026, sequence }
}

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn line(item: Item, quantity: u64, unit_price: &str, amount: &str) -> Line {
    Line { item, quantity, unit_price: unit_price.parse().unwrap(), amount: money(amount) }
}

/// The usual invoice, with less in it.
pub fn invoice() -> Invoice {
    let sample = sample::invoice();
    Invoice {
        dealership: Party {
            name: "Auto Peças e Veículos São João da Serra Ltda".to_owned(),
            cnpj: "11.444.777/0001-61".parse().unwrap(),
            address: "Avenida Brasil, 1".to_owned(),
            city: "Porto Alegre".to_owned(),
            state: "RS".parse().unwrap(),
            ..sample.dealership
        },
        usage: Usage {
            hsm_by_template: BTreeMap::from([("revisao".to_owned(), 310)]),
            buckets: Buckets { counted: 15_000, ..Buckets::default() },
            ..sample.usage
        },
        evidence_sha256: "e".repeat(64),
        ..sample
    }
}

/// A revision to nothing, for a dealership with the worst of names.
pub fn revision() -> Invoice {
    let mut revision = invoice();
    revision.revision = 2;
    HOSTILE.clone_into(&mut revision.dealership.trade_name);
    revision.lines.push(line(
        Item::Adjustment { description: format!("Crédito {HOSTILE}") },
        1,
        "-1300.00",
        "-1300.00",
    ));
    revision.pix = None;
    revision.replaces = Some(Replacement {
        revision: 1,
        total: money("1192.27"),
        reason: format!("Contrato corrigido {HOSTILE}"),
        by: "Ana".to_owned(),
        paid: Money::ZERO,
    });
    revision
}

/// The close of a month with everything that can be said of one.
pub fn digest() -> Digest {
    let second = Invoice { number: number(2), dealership_id: "=1+1".to_owned(), ..invoice() };
    let mut invoices =
        vec![DigestRow::of(&invoice(), "a".repeat(64)), DigestRow::of(&second, "b".repeat(64))];
    invoices[0].month_before = Some(money("1156.60"));
    invoices[1].month_before = Some(money("2000.00"));
    invoices[0].paid = Some(money("192.27"));
    invoices[1].paid = Some(Money::ZERO);
    "=HYPERLINK(\"http://example.com\")".clone_into(&mut invoices[1].dealership_name);
    let exception = |id: Option<&str>, reason, messages, detail: Option<&str>| Excepted {
        exception: Exception {
            dealership_id: id.map(str::to_owned),
            reason,
            messages,
            detail: detail.map(str::to_owned),
        },
        dealership_name: id.filter(|id| *id != HOSTILE).map(|id| format!("Loja {id} Ltda")),
        stake: match reason {
            Reason::NoPrice => Some(Stake::Before(money("2140.15"))),
            Reason::NoContract => Some(Stake::Before(money("1156.60"))),
            Reason::UnknownDealership => id.map(|_| Stake::AtLeast(money("1014.00"))),
            Reason::UnknownStatus => Some(Stake::AtMost(money("225.00"))),
            _ => None,
        },
    };
    let sao_paulo = Buckets {
        counted: 30_000,
        duplicate: 4,
        ignored_status: 6,
        group: 9,
        not_a_contact: 2,
        malformed: 0,
        no_contract: 12,
        unknown_dealership: 1,
    };
    let manaus = Buckets { counted: 1500, ..Buckets::default() };
    let mut messages = sao_paulo;
    messages += manaus;
    Digest {
        reported: None,
        month: "2026-10".parse().unwrap(),
        sequence: 1,
        made_at: "2026-11-01T04:00:10Z".parse().unwrap(),
        issuer: "Exemplo Tecnologia Ltda".to_owned(),
        timezone: Some(America::Sao_Paulo),
        invoices,
        whole: Some(whole()),
        exceptions: vec![
            exception(Some("d9"), Reason::NoPrice, 0, Some("the price table has no package")),
            exception(Some("d7"), Reason::NoContract, 12, None),
            exception(Some(HOSTILE), Reason::UnknownDealership, 1, None),
            exception(None, Reason::UnknownDealership, 3, None),
            exception(None, Reason::UnknownStatus, 300, Some("status 'UNDELIVERED'")),
            exception(None, Reason::Misdated, 17, Some("17 before 2009, 0 later than tomorrow")),
        ],
        messages,
        zones: vec![
            zone(&["America/Sao_Paulo", "America/Bahia"], America::Sao_Paulo, sao_paulo, 1400),
            zone(&["America/Manaus"], America::Manaus, manaus, 30_100),
        ],
        not_contacts: vec![("d1".to_owned(), 1), ("@d2".to_owned(), 1)],
        statuses: [("read", 29_000), ("UNDELIVERED", 300), ("failed", 6)]
            .into_iter()
            .map(|(status, messages)| StatusFound {
                status: Some(status.to_owned()),
                messages,
                meaning: StatusRules::default().meaning(Some(status.as_bytes())),
            })
            .collect(),
        failed_deliveries: vec![FailedDelivery {
            label: "2026-000001".to_owned(),
            recipient: fecha::letters::mailbox::address("contas@sao-joao.example.com").unwrap(),
            error: format!("550 5.1.1 no such user {HOSTILE}"),
        }],
        receivables: Some(Balance {
            open: money("48210.31"),
            overdue: money("3077.10"),
            waiting: money("120.00"),
        }),
        overdue: vec![
            overdue("2026-000007", "d8", "2077.10"),
            overdue("2026-000009-R1", HOSTILE, "1000.00"),
        ],
    }
}

fn mover(id: &str, total: &str) -> Mover {
    let (dealership_id, dealership_name) =
        (id.to_owned(), format!("Loja {id} Comércio de Veículos Ltda"));
    Mover { dealership_id, dealership_name, total: money(total) }
}

/// Two invoices after three: one came, one left, and one is left out by an exception.
fn whole() -> Whole {
    let sum = |invoices, total| Sum { invoices, total: money(total) };
    Whole {
        now: sum(2, "2384.54"),
        before: Some(sum(3, "3489.20")),
        entered: vec![mover("=1+1", "1192.27")],
        left: vec![mover("d9", "2140.15"), mover(HOSTILE, "192.45")],
    }
}

fn overdue(label: &str, id: &str, open: &str) -> Overdue {
    Overdue {
        label: label.to_owned(),
        month: "2026-09".parse().unwrap(),
        dealership_id: id.to_owned(),
        dealership_name: format!("Loja {id} Ltda"),
        due_on: "2026-10-13".parse().unwrap(),
        open: money(open),
    }
}

/// A close that would issue the same, held for reasons that name the worst of names.
pub fn held() -> Held {
    let mut digest = Digest { sequence: 0, receivables: None, overdue: Vec::new(), ..digest() };
    digest.failed_deliveries.clear();
    for row in &mut digest.invoices {
        (row.issued, row.paid) = (None, None);
    }
    let reasons = [
        "Só 4.000 mensagens contam, menos de 50\u{a0}% das 10.000 do mês anterior.".to_owned(),
        format!(
            "Sem nenhuma mensagem neste mês: {HOSTILE} (d9). No mês anterior tinham 1.200 das 10.000 mensagens, mais de 10\u{a0}%, e faturas de R$\u{a0}2.140,15."
        ),
    ];
    Held {
        reasons: reasons.into(),
        open: 3,
        digest,
        plan: "3f".repeat(32).parse().unwrap(),
        page: None,
    }
}

/// A month of a reseller as large as one is, with the figures of its report on one line.
pub fn large() -> Digest {
    let row = |sequence: u32| {
        let invoice = Invoice {
            number: number(sequence),
            dealership_id: format!("d{sequence:04}"),
            ..invoice()
        };
        DigestRow {
            total: money("1023.01"),
            month_before: Some(money("1026.09")),
            ..DigestRow::of(&invoice, "a".repeat(64))
        }
    };
    let movers = |count: u32, first: u32| -> Vec<Mover> {
        (0..count).map(|index| mover(&format!("d{:04}", first + index), "1014.00")).collect()
    };
    let mut invoices: Vec<DigestRow> = (1..=1475).map(row).collect();
    let rest = invoices.iter().skip(1).map(|row| row.total).sum();
    invoices[0].total = money("1508943.54") - rest;
    Digest {
        invoices,
        whole: Some(Whole {
            now: Sum { invoices: 1475, total: money("1508943.54") },
            before: Some(Sum { invoices: 1480, total: money("1513484.00") }),
            entered: movers(20, 1456),
            left: movers(25, 2000),
        }),
        exceptions: Vec::new(),
        failed_deliveries: Vec::new(),
        ..digest()
    }
}

fn zone(names: &[&str], zone: chrono_tz::Tz, buckets: Buckets, elsewhere: u64) -> Zone {
    let month: Month = "2026-10".parse().unwrap();
    Zone {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        window: Window {
            period: month.period_in(zone),
            rows: buckets.total() + elsewhere,
            buckets,
            elsewhere,
        },
    }
}

/// A rerun that changed one invoice.
pub fn supplement() -> Digest {
    Digest {
        sequence: 2,
        invoices: vec![DigestRow::of(&revision(), "c".repeat(64))],
        exceptions: Vec::new(),
        zones: Vec::new(),
        not_contacts: Vec::new(),
        statuses: Vec::new(),
        failed_deliveries: Vec::new(),
        ..digest()
    }
}

/// A dealership that has used so many contacts of 5,000.
pub fn package_use(uam: u64) -> PackageUse {
    let Invoice { issuer, dealership, package, .. } = invoice();
    let price: UnitPrice = "0.29".parse().unwrap();
    PackageUse {
        issuer,
        dealership,
        month: "2026-11".parse().unwrap(),
        threshold: if uam < package { 80 } else { 100 },
        uam,
        package,
        overage_price: price,
        overage_amount: price.times(uam.saturating_sub(package)).unwrap(),
        as_of: "2026-11-24T11:00:00Z".parse().unwrap(),
        on: "2026-11-24".parse().unwrap(),
        outlook: Outlook::of(Rates::without_discount(&sample::prices()), package, uam + uam / 4),
    }
}

/// The same for the worst of names.
pub fn package_use_of_the_worst() -> PackageUse {
    PackageUse { dealership: revision().dealership, ..package_use(5012) }
}

/// Of two invoices, one of them paid in part and overdue on the day; a code for each.
pub fn reminder(on: &str) -> Reminder {
    let Invoice { issuer, dealership, .. } = invoice();
    let key = "11222333000181".parse().unwrap();
    let pix = |number: Number, amount| {
        let receiver = Receiver { key: &key, name: &issuer.name, city: &issuer.city };
        br_code(receiver, amount, &number.txid())
    };
    let reminded = |sequence, month: &str, due_on: &str, to_pay: &str| Reminded {
        number: number(sequence),
        revision: 0,
        month: month.parse().unwrap(),
        due_on: due_on.parse().unwrap(),
        total: money("1192.27"),
        to_pay: money(to_pay),
        pix: pix(number(sequence), money(to_pay)),
    };
    Reminder {
        issuer: issuer.clone(),
        dealership_id: "d1".to_owned(),
        dealership,
        on: on.parse().unwrap(),
        invoices: vec![
            reminded(1, "2026-10", "2026-11-10", "1000.00"),
            reminded(2, "2026-11", "2026-12-10", "1192.27"),
        ],
        waiting: Money::ZERO,
    }
}

/// Of so many dealerships, one of which has paid a part; the last one is due later.
pub fn group_bill(count: u32) -> GroupBill {
    let Invoice { issuer, .. } = invoice();
    let row = |sequence: u32| {
        let paid = if sequence == 2 { money("192.27") } else { Money::ZERO };
        GroupRow {
            number: number(sequence),
            revision: u32::from(sequence == 3),
            dealership_id: format!("d{sequence}"),
            name: format!("Comércio de Automóveis São João {sequence} Ltda"),
            trade_name: format!("São João {sequence}"),
            cnpj: "11.444.777/0001-61".parse().unwrap(),
            due_on: if sequence == count { "2026-11-20" } else { "2026-11-10" }.parse().unwrap(),
            total: money("1192.27"),
            paid,
            to_pay: money("1192.27") - paid,
        }
    };
    let mut bill = GroupBill {
        txid: "G2026100001".parse().unwrap(),
        group: "Grupo São João".parse().unwrap(),
        replaces: None,
        made_at: "2026-11-01T03:00:05Z".parse().unwrap(),
        made_on: "2026-11-01".parse().unwrap(),
        issuer,
        rows: (1..=count).map(row).collect(),
        pix: None,
    };
    let key = "11222333000181".parse().unwrap();
    let receiver = Receiver { key: &key, name: &bill.issuer.name, city: &bill.issuer.city };
    bill.pix = br_code(receiver, bill.to_pay(), &bill.txid.to_string());
    bill
}

/// The worst of names, nothing to pay, in place of another.
pub fn group_bill_of_the_worst() -> GroupBill {
    let mut bill = group_bill(2);
    bill.txid = "G2026100002".parse().unwrap();
    bill.replaces = Some("G2026100001".parse().unwrap());
    bill.group = "<b>Grupo</b> \"Zé\" & Irmãos 🚗".parse().unwrap();
    for row in &mut bill.rows {
        HOSTILE.clone_into(&mut row.trade_name);
        row.paid = row.total;
        row.to_pay = Money::ZERO;
    }
    bill.pix = None;
    bill
}

/// Delivery failed.
pub fn alert() -> Alert {
    Alert {
        subject: format!("3 e-mails não foram entregues {HOSTILE}"),
        happened: "O servidor recusou três e-mails.\n\nO primeiro foi a fatura 2026-000001 (`RCPT TO: 550 5.1.1 no such user`)."
            .to_owned(),
        todo: "Corrija o endereço no cadastro e rode:\n\n`fecha resend 2026-000001`.\n\nVeja a diferença e simule a correção: `fecha rerun --month 2026-10 --all --reason \"MOTIVO\" --by NOME --dry-run`".to_owned(),
        issuer: "Exemplo Tecnologia Ltda".to_owned(),
    }
}
