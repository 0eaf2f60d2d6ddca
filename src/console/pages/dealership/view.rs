//! What the page of a dealership shows.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::forms::Typed;
use crate::actions::dealerships::{Advised, Known};
use crate::console::address;
use crate::console::words::email;
use crate::console::words::invoice::Badge;
use crate::document::svg;
use crate::ledger::listing::Listed;
use crate::ledger::outbox::ListedEmail;
use crate::setup::office::Office;
use fecha_core::account::note::{Note, NoteState};
use fecha_core::account::receivables::Balance;
use fecha_core::account::settled::PaymentState;
use fecha_core::calendar::month::Month;
use fecha_core::letter::LetterState;
use fecha_core::party::register::EmailAddress;
use fecha_core::price::advice::Verdict;
use fecha_core::price::contract::{ContractEntry, Contracts};
use fecha_core::price::money::{Money, grouped};

#[derive(Debug, Serialize)]
pub(super) struct View {
    id: String,
    path: String,
    /// The id in a query.
    query: String,
    name: String,
    trade_name: String,
    cnpj: String,
    facts: Vec<[String; 2]>,
    package: Option<u64>,
    chart: String,
    months: Vec<MonthRow>,
    contracts: Vec<ContractRow>,
    numbers: Vec<String>,
    balance: Balance,
    open: Vec<MonthRow>,
    notes: Vec<NoteRow>,
    advice: Option<Advice>,
    emails: Vec<EmailRow>,
    packages: Vec<[String; 2]>,
    kinds: [[&'static str; 2]; 2],
    typed: Typed,
}

#[derive(Debug, Serialize)]
struct MonthRow {
    number: String,
    month: Month,
    package: u64,
    uam: u64,
    overage: u64,
    hsm: u64,
    total: Money,
    due_on: NaiveDate,
    open: Money,
    state: &'static str,
    kind: &'static str,
}

#[derive(Debug, Serialize)]
struct ContractRow {
    from: Month,
    package: Option<u64>,
    terms: String,
    price: Option<Money>,
    is_current: bool,
}

#[derive(Debug, Serialize)]
struct NoteRow {
    id: i64,
    description: String,
    amount: Money,
    month: Month,
    by: String,
    state: String,
    waits: bool,
}

#[derive(Debug, Serialize)]
struct Advice {
    month: Month,
    months: usize,
    rows: Vec<ChoiceRow>,
    verdict: String,
    next: String,
    is_repriced: bool,
}

#[derive(Debug, Serialize)]
struct ChoiceRow {
    package: u64,
    is_current: bool,
    month: Money,
    all_months: Money,
    is_cheapest: bool,
}

#[derive(Debug, Serialize)]
struct EmailRow {
    at: DateTime<Utc>,
    to: String,
    subject: String,
    number: String,
    badge: Badge,
    /// Why it was not delivered, and what to do.
    error: &'static str,
}

impl View {
    pub fn of(office: &Office, known: &Known, typed: Typed) -> Self {
        let dealership = &known.dealership;
        let row = |listed: &Listed| MonthRow::of(listed, known.today);
        Self {
            id: dealership.id.clone(),
            path: address::dealership(&dealership.id),
            query: address::part(&dealership.id),
            name: dealership.name.clone(),
            trade_name: dealership.trade_name.clone(),
            cnpj: dealership.cnpj.to_string(),
            facts: facts(known),
            package: known.package,
            chart: chart(&known.months),
            months: known.months.iter().rev().map(row).collect(),
            contracts: contracts(office, known),
            numbers: known.numbers.iter().map(|entry| entry.number.to_string()).collect(),
            balance: known.balance,
            open: known.open.iter().map(row).collect(),
            notes: known.notes.iter().map(NoteRow::of).collect(),
            advice: known.advice.as_ref().map(|advised| Advice::of(advised, known)),
            emails: known.emails.iter().map(EmailRow::of).collect(),
            packages: packages(office, known),
            kinds: [
                ["credit", "Crédito: a fatura fica menor"],
                ["charge", "Cobrança: a fatura fica maior"],
            ],
            typed,
        }
    }
}

/// What the register says beyond the name.
fn facts(known: &Known) -> Vec<[String; 2]> {
    let dealership = &known.dealership;
    let postal_code =
        dealership.postal_code.map(|code| format!(", CEP {code}")).unwrap_or_default();
    let place =
        format!("{}, {}/{}{postal_code}", dealership.address, dealership.city, dealership.state);
    let cc: Vec<&str> = dealership.cc.iter().map(EmailAddress::as_str).collect();
    let told = |told: Option<bool>| match told {
        None => "como na configuração",
        Some(true) => "sim",
        Some(false) => "não",
    };
    let fact = |name: &str, value: String| [name.to_owned(), value];
    let mut facts = vec![fact("Endereço", place), fact("E-mail", dealership.email.to_string())];
    if !cc.is_empty() {
        facts.push(fact("Cópias", cc.join(", ")));
    }
    if let Some(group) = &dealership.group {
        facts.push(fact("Grupo", group.to_string()));
    }
    if let Some(day) = dealership.due_day {
        facts.push(fact("Vencimento", format!("dia {day}")));
    }
    facts.push(fact("Fuso horário", known.zone.name().to_owned()));
    if dealership.reminders.is_some() {
        facts.push(fact("Lembretes", told(dealership.reminders).to_owned()));
    }
    if dealership.package_use.is_some() {
        facts.push(fact("Aviso de uso do pacote", told(dealership.package_use).to_owned()));
    }
    facts
}

fn chart(months: &[Listed]) -> String {
    if months.is_empty() {
        return String::new();
    }
    let said = months.iter().map(|listed| {
        let figures = &listed.figures;
        let (uam, package) = (grouped(figures.uam), grouped(figures.package));
        format!("{} {uam} de {package}", listed.month.in_words())
    });
    let said: Vec<String> = said.collect();
    let alt = format!("Contatos por mês e contatos incluídos no pacote: {}", said.join(", "));
    let named = months.iter().map(|listed| svg::Named {
        name: listed.month.abbreviated(),
        contacts: listed.figures.uam,
        package: listed.figures.package,
    });
    svg::months(&named.collect::<Vec<_>>(), &alt)
}

impl MonthRow {
    fn of(listed: &Listed, today: NaiveDate) -> Self {
        let (figures, account) = (&listed.figures, listed.account());
        let (state, kind) = match account.payment() {
            _ if account.is_overdue(today) => ("Vencida", "bad"),
            PaymentState::Open => ("Em aberto", "quiet"),
            PaymentState::PartPaid => ("Paga em parte", "warn"),
            PaymentState::Paid => ("Paga", "good"),
        };
        Self {
            number: listed.number.to_string(),
            month: listed.month,
            package: figures.package,
            uam: figures.uam,
            overage: figures.overage(),
            hsm: figures.hsm,
            total: figures.total,
            due_on: figures.due_on,
            open: account.open(),
            state,
            kind,
        }
    }
}

/// The newest first, each with the price of its package in its first month.
fn contracts(office: &Office, known: &Known) -> Vec<ContractRow> {
    let running = Month::last_ended(office.clock.now(), known.zone).next();
    let current = known.contracts.iter().rposition(|entry| entry.from_month <= running);
    let price = |entry: &ContractEntry| {
        let month = entry.from_month.max(running);
        let table = office.config.prices.table_of(entry.list.as_ref(), month).ok()?;
        table.package_price(entry.package?).ok()
    };
    let row = |(index, entry): (usize, &ContractEntry)| ContractRow {
        from: entry.from_month,
        package: entry.package,
        terms: terms(entry),
        price: price(entry),
        is_current: Some(index) == current,
    };
    known.contracts.iter().enumerate().rev().map(row).collect()
}

/// The price list and the discount of a contract; empty where it has neither.
fn terms(entry: &ContractEntry) -> String {
    let list = entry.list.as_ref().map(|list| format!("lista {list}"));
    let discount = (!entry.discount.is_none())
        .then(|| format!("desconto de {}", entry.discount.in_portuguese()));
    list.into_iter().chain(discount).collect::<Vec<_>>().join(", ")
}

/// What a contract may be of, with its price by the list of today in the running month.
fn packages(office: &Office, known: &Known) -> Vec<[String; 2]> {
    let running = Month::last_ended(office.clock.now(), known.zone).next();
    let mut packages = Vec::new();
    let contracts: Contracts = known.contracts.iter().cloned().collect();
    let agreed = contracts.agreed_in(&known.dealership.id, running);
    let list = agreed.and_then(|agreed| agreed.list.as_ref());
    if let Ok(table) = office.config.prices.table_of(list, running) {
        packages.extend(table.packages.iter().map(|(contacts, price)| {
            [contacts.to_string(), format!("{} contatos · {}", grouped(*contacts), price.brl())]
        }));
    }
    packages.push(["none".to_owned(), "Nenhum: o contrato termina".to_owned()]);
    packages
}

impl NoteRow {
    fn of(note: &Note) -> Self {
        let waiting = note.waiting();
        let state = match note.state() {
            NoteState::Waiting if waiting == note.amount => "Espera a próxima fatura".to_owned(),
            NoteState::Waiting => format!("Restam {}", waiting.brl()),
            NoteState::Taken(number) => format!("Na fatura {number}"),
            NoteState::TakenBack => "Retirado".to_owned(),
        };
        Self {
            id: note.id,
            description: note.description.clone(),
            amount: note.amount,
            month: note.month,
            by: note.entered_by.clone(),
            state,
            waits: waiting != Money::ZERO,
        }
    }
}

impl Advice {
    fn of(advised: &Advised, known: &Known) -> Self {
        let Advised { month, months, advice, verdict, is_repriced } = advised;
        let over = match months {
            1 => format!("em {}", month.in_words()),
            _ => format!("nos {months} meses faturados até {}", month.in_words()),
        };
        let verdict = match verdict {
            Some(Verdict::Cheaper { package, saved }) => format!(
                "O pacote de {} teria custado {} a menos {over}.",
                grouped(*package),
                saved.brl()
            ),
            Some(Verdict::Cheapest) => format!("O pacote atual foi o mais barato {over}."),
            Some(Verdict::NoneAlone) => {
                format!("Nenhum pacote único teria custado menos {over}.")
            }
            None => String::new(),
        };
        let cheapest = advice.cheapest(|choice| choice.all_months).map(|choice| choice.package);
        let next = advice.break_evens.iter().find(|limit| Some(limit.from) == cheapest);
        let next = next.map(|limit| {
            let (to, contacts) = (grouped(limit.to), grouped(limit.contacts));
            format!("O de {to} compensa a partir de {contacts} contatos por mês.")
        });
        let current = known.months.last().map(|listed| listed.figures.package);
        let rows = advice.choices.iter().map(|choice| ChoiceRow {
            package: choice.package,
            is_current: Some(choice.package) == current,
            month: choice.month,
            all_months: choice.all_months,
            is_cheapest: Some(choice.package) == cheapest,
        });
        Self {
            month: *month,
            months: *months,
            rows: rows.collect(),
            verdict,
            next: next.unwrap_or_default(),
            is_repriced: *is_repriced,
        }
    }
}

impl EmailRow {
    fn of(listed: &ListedEmail) -> Self {
        Self {
            at: listed.sent_at.unwrap_or(listed.queued_at),
            to: listed.to().to_string(),
            subject: listed.subject.clone(),
            number: listed.number.map(|number| number.to_string()).unwrap_or_default(),
            badge: email::state(listed.state),
            error: match (listed.state, &listed.last_error) {
                (LetterState::Failed, Some(error)) => email::why(error),
                _ => "",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    fn month(month: &str, uam: u64) -> MonthRow {
        MonthRow {
            number: "2026-000001".to_owned(),
            month: month.parse().unwrap(),
            package: 5000,
            uam,
            overage: uam.saturating_sub(5000),
            hsm: 310,
            total: Money::from_centavos(119_227),
            due_on: "2026-11-10".parse().unwrap(),
            open: Money::from_centavos(119_227),
            state: "Vencida",
            kind: "bad",
        }
    }

    fn empty() -> View {
        View {
            id: "d1".to_owned(),
            path: "/dealerships/d1".to_owned(),
            query: "d1".to_owned(),
            name: "Aurora".to_owned(),
            trade_name: String::new(),
            cnpj: "11.222.333/0001-81".to_owned(),
            facts: Vec::new(),
            package: None,
            chart: String::new(),
            months: Vec::new(),
            contracts: Vec::new(),
            numbers: Vec::new(),
            balance: Balance::default(),
            open: Vec::new(),
            notes: Vec::new(),
            advice: None,
            emails: Vec::new(),
            packages: Vec::new(),
            kinds: [["credit", "Crédito"], ["charge", "Cobrança"]],
            typed: Typed::default(),
        }
    }

    #[test]
    fn it_is_drawn_without_anything() {
        let html = renders("dealership.html", &empty());
        assert!(html.contains("Nenhum mês foi faturado ainda"), "{html}");
        assert!(html.contains("sem contrato neste mês"));
    }

    #[test]
    fn it_is_drawn_full_long_and_wrong() {
        let named =
            |name: &str, contacts| svg::Named { name: name.to_owned(), contacts, package: 5000 };
        let mut typed = Typed::default();
        typed.address.problem = "Alguém alterou esta concessionária".to_owned();
        typed.address.errors.insert("email", "'x' não é um e-mail".to_owned());
        let advice = Advice {
            month: "2026-10".parse().unwrap(),
            months: 6,
            rows: vec![ChoiceRow {
                package: 5000,
                is_current: true,
                month: Money::from_centavos(1),
                all_months: Money::from_centavos(2),
                is_cheapest: true,
            }],
            verdict: "O pacote atual foi o mais barato.".to_owned(),
            next: String::new(),
            is_repriced: true,
        };
        let note = NoteRow {
            id: 3,
            description: "x".repeat(300),
            amount: Money::from_centavos(-12_000),
            month: "2026-10".parse().unwrap(),
            by: "Ana".to_owned(),
            state: "Espera a próxima fatura".to_owned(),
            waits: true,
        };
        let email = EmailRow {
            at: "2026-11-01T03:00:01Z".parse().unwrap(),
            to: "a@example.com".to_owned(),
            subject: "Fatura".to_owned(),
            number: "2026-000001".to_owned(),
            badge: email::state(LetterState::Failed),
            error: email::why("550 5.1.1 no such user"),
        };
        let contract = |package| ContractRow {
            from: "2026-08".parse().unwrap(),
            package,
            terms: "lista Rede Sul, desconto de 12,5\u{a0}%".to_owned(),
            price: package.map(|_| Money::from_centavos(101_400)),
            is_current: package.is_some(),
        };
        let full = View {
            name: "Concessionária ".repeat(20),
            trade_name: "Aurora <b>".to_owned(),
            facts: vec![["E-mail".to_owned(), "a@example.com".to_owned()]],
            package: Some(5000),
            chart: svg::months(&[named("set/26", 0), named("out/26", 5123)], "Contatos"),
            months: vec![month("2026-10", 5123), month("2026-09", 0)],
            contracts: vec![contract(None), contract(Some(5000))],
            numbers: vec!["5548999990820".to_owned()],
            open: vec![month("2026-10", 5123)],
            notes: vec![note],
            advice: Some(advice),
            emails: vec![email],
            packages: vec![["5000".to_owned(), "5.000 contatos".to_owned()]],
            typed,
            ..empty()
        };
        let html = renders("dealership.html", &full);
        for part in
            ["<svg class=\"chart\"", "5.123", "não é um e-mail", "O endereço não existe", "Retirar"]
        {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("Aurora <b>"), "names are no markup");
    }
}
