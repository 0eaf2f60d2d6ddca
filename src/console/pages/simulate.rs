//! Simulação: what past months would have brought with other prices.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::actions::portuguese::not_simulated;
use crate::actions::simulate::{SimulateError, Simulated, simulate};

use crate::actions::task::{AskError, Asker, Eyes, Outcome, Wish, ask};
use crate::console::address;
use crate::console::ways::Ways;
use crate::console::{Console, Done, Oops, Page, Section, Signed};
use crate::ledger::tasks::{TaskId, TaskState};
use fecha_core::calendar::month::Month;
use fecha_core::party::person::Role;
use fecha_core::price::money::{Money, decimal_comma, grouped};
use fecha_core::price::table::PriceTable;
use fecha_core::price::typed;

/// So many stand on a page.
const ROWS: usize = 50;
/// What takes longer is a task.
const AT_ONCE: usize = 3;

/// The page and its form, which changes nothing.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/simulate", show).post("/simulate", Role::Finance, run)
}

type Given = BTreeMap<String, String>;

#[derive(Debug, Default, Serialize)]
struct View {
    from: String,
    to: String,
    overage: String,
    hsm: String,
    packages: Vec<PackageField>,
    /// Why a field was not taken, by its name.
    errors: BTreeMap<String, String>,
    problem: String,
    result: Option<Found>,
}

#[derive(Debug, Serialize)]
struct PackageField {
    name: String,
    label: String,
    price: String,
    error: String,
}

#[derive(Debug, Serialize)]
struct Found {
    from: Month,
    to: Month,
    invoices: usize,
    billed: Money,
    simulated: Money,
    difference: Money,
    percent: String,
    rows: Vec<Row>,
    total: usize,
    next: String,
    first: String,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    name: String,
    path: String,
    invoices: usize,
    billed: Money,
    simulated: Money,
    difference: Money,
}

/// What was typed, understood.
struct Asked {
    table: PriceTable,
    from: Month,
    to: Month,
}

async fn show(
    State(console): State<Console>,
    signed: Signed,
    Query(given): Query<Given>,
) -> Result<Page, Oops> {
    if let Some(id) = given.get("task") {
        return of_task(&console, &signed, id, &given).await;
    }
    let mut view = View::new(&console, &given);
    if given.contains_key("overage") {
        match view.asked() {
            Some(asked) if asked.months() <= AT_ONCE => {
                let prices = [asked.table.clone()].into_iter().collect();
                let ledger = &console.office.ledger;
                match simulate(ledger, &prices, asked.from, asked.to).await {
                    Ok(found) => {
                        view.result = Some(Found::of(asked.from, asked.to, found, &given));
                    }
                    Err(SimulateError::Ledger(error)) => return Err(error.into()),
                    Err(SimulateError::NoPrice(error)) => view.problem = not_simulated(&error),
                }
            }
            // Somebody wrote the address by hand: what takes long is asked for by the form.
            Some(_) => {
                "Envie o formulário: um período longo é uma tarefa.".clone_into(&mut view.problem);
            }
            None => {}
        }
    }
    let page = draw(&console, &signed, &view).await?;
    Ok(if view.is_refused() { page.refused() } else { page })
}

/// A long simulation that was carried out as a task.
async fn of_task(
    console: &Console,
    signed: &Signed,
    id: &str,
    given: &Given,
) -> Result<Page, Oops> {
    let task = console.office.ledger.task(&TaskId::from_outside(id)).await?;
    let nothing = || Oops::NotFound("Não há esta simulação.".to_owned());
    let task = task.filter(|task| task.kind == "simulate").ok_or_else(nothing)?;
    let Wish::Simulate { tables, from, to } = Wish::of(&task)? else { return Err(nothing()) };
    let mut given = given.clone();
    for table in &tables {
        given.extend(typed_as(table, from, to));
    }
    let mut view = View::new(console, &given);
    let outcome = task.outcome.as_deref().map(serde_json::from_str::<Outcome>);
    match outcome {
        Some(Ok(Outcome::Simulated(found))) => {
            let found = found.into_iter().map(|one| (one.dealership_id, one.simulated));
            view.result = Some(Found::of(from, to, found.collect(), &given));
        }
        _ if task.state == TaskState::Failed => {
            view.problem = task.error.unwrap_or_else(|| "Não foi possível simular.".to_owned());
        }
        _ => "A simulação ainda está em andamento.".clone_into(&mut view.problem),
    }
    draw(console, signed, &view).await
}

async fn draw(console: &Console, signed: &Signed, view: &View) -> Result<Page, Oops> {
    console.page(signed, Section::Simulate, "Simulação", "simulate.html", view).await
}

/// A short one is a page with an address of its own; a long one is asked for as a task.
async fn run(
    State(console): State<Console>,
    signed: Signed,
    Form(given): Form<Given>,
) -> Result<Response, Oops> {
    let mut view = View::new(&console, &given);
    let Some(asked) = view.asked() else {
        return Ok(draw(&console, &signed, &view).await?.refused().into_response());
    };
    if asked.months() <= AT_ONCE {
        let given = typed_as(&asked.table, asked.from, asked.to);
        return Ok(Done::see(&path(&given), "").into_response());
    }
    let Asked { table, from, to } = asked;
    let wish = Wish::Simulate { tables: vec![table], from, to };
    let by = Asker { person: Some(&signed.person), name: &signed.name };
    let asked = match ask(&console.office, &wish, by, Eyes::Two).await {
        Ok(asked) => asked,
        Err(AskError::Ledger(error)) => return Err(error.into()),
        Err(_) => return Err(Oops::Bad("Outra simulação está em andamento.".to_owned())),
    };
    console.bell.tasks.notify_one();
    Ok(Done::see(&format!("/tasks/{}", asked.id()), "").into_response())
}

fn path(given: &Given) -> String {
    let parts = given.iter().map(|(name, value)| format!("{name}={}", address::part(value)));
    format!("/simulate?{}", parts.collect::<Vec<_>>().join("&"))
}

fn field(package: u64) -> String {
    format!("package_{package}")
}

/// A table as the form has it.
fn typed_as(table: &PriceTable, from: Month, to: Month) -> Given {
    let prices = [
        ("from", from.to_string()),
        ("to", to.to_string()),
        ("overage", decimal_comma(table.overage.reais())),
        ("hsm", decimal_comma(table.hsm.reais())),
    ];
    let prices = prices.into_iter().map(|(name, value)| (name.to_owned(), value));
    let packages =
        table.packages.iter().map(|(package, price)| (field(*package), price.brl_bare()));
    prices.chain(packages).collect()
}

impl Asked {
    fn months(&self) -> usize {
        let months = std::iter::successors(Some(self.from), |month| Some(month.next()));
        months.take_while(|month| *month <= self.to).count()
    }
}

impl View {
    /// What was typed, and where nothing was the prices in force.
    fn new(console: &Console, given: &Given) -> Self {
        let config = &console.office.config;
        let last = Month::last_ended(console.office.clock.now(), config.issuer.timezone);
        let sizes: BTreeSet<u64> =
            config.prices.tables().flat_map(|table| table.packages.keys().copied()).collect();
        let current = config.prices.table_for(last).or(config.prices.table_for(last.next())).ok();
        let mut usual = current.map(|table| typed_as(table, last, last)).unwrap_or_default();
        let is_typed = given.contains_key("overage");
        let mut value = |name: &str| {
            let usual = usual.remove(name).unwrap_or_default();
            let typed = given.get(name).map(|text| text.trim().to_owned());
            if is_typed { typed.unwrap_or_default() } else { typed.unwrap_or(usual) }
        };
        Self {
            from: value("from"),
            to: value("to"),
            overage: value("overage"),
            hsm: value("hsm"),
            packages: sizes
                .into_iter()
                .map(|package| PackageField {
                    label: format!("Pacote de {} contatos", grouped(package)),
                    price: value(&field(package)),
                    name: field(package),
                    error: String::new(),
                })
                .collect(),
            errors: ["from", "to", "overage", "hsm"]
                .map(|name| (name.to_owned(), String::new()))
                .into(),
            ..Self::default()
        }
    }

    fn wrong(&mut self, name: &str, why: &str) {
        self.errors.insert(name.to_owned(), why.to_owned());
    }

    fn is_refused(&self) -> bool {
        !self.problem.is_empty()
            || self.errors.values().any(|why| !why.is_empty())
            || self.packages.iter().any(|field| !field.error.is_empty())
    }

    /// What is asked for; `None` where something was typed wrong, which is noted beside the field.
    fn asked(&mut self) -> Option<Asked> {
        const MONTH: &str = "Escreva o mês como 2026-10.";
        const PRICE: &str = "Escreva o preço como 0,29.";
        let from = self.from.parse::<Month>().ok();
        let to = self.to.parse::<Month>().ok();
        let overage = typed::unit_price(&self.overage).ok();
        let hsm = typed::unit_price(&self.hsm).ok();
        for (name, is_wrong, why) in [
            ("from", from.is_none(), MONTH),
            ("to", to.is_none(), MONTH),
            ("overage", overage.is_none(), PRICE),
            ("hsm", hsm.is_none(), PRICE),
        ] {
            if is_wrong {
                self.wrong(name, why);
            }
        }
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            self.wrong("to", "Vem antes do primeiro mês.");
        }
        let mut packages = BTreeMap::new();
        // A package without a price is not sold by this table.
        for field in self.packages.iter_mut().filter(|field| !field.price.is_empty()) {
            let size = field.name.rsplit('_').next().and_then(|size| size.parse().ok());
            match typed::money(&field.price).ok().filter(|price| *price >= Money::ZERO).zip(size) {
                Some((price, size)) => drop(packages.insert(size, price)),
                None => "Escreva o preço como 1.014,00.".clone_into(&mut field.error),
            }
        }
        if self.is_refused() {
            return None;
        }
        let (from, to) = (from?, to?);
        let table = PriceTable {
            from,
            list: None,
            overage: overage?,
            hsm: hsm?,
            packages,
            own_overage: BTreeMap::new(),
            messages: Vec::new(),
            monthly: Vec::new(),
        };
        Some(Asked { table, from, to })
    }
}

impl Found {
    fn of(from: Month, to: Month, found: BTreeMap<String, Simulated>, given: &Given) -> Self {
        let sum = |of: fn(&Simulated) -> Money| found.values().map(of).sum::<Money>();
        let (billed, simulated) = (sum(|one| one.billed), sum(|one| one.simulated));
        let invoices = found.values().map(|one| one.invoices).sum();
        let mut rows: Vec<(String, Simulated)> = found.into_iter().collect();
        // Who would feel it most stands first.
        rows.sort_by_key(|(_, one)| std::cmp::Reverse(one.difference().centavos().abs()));
        let total = rows.len();
        let page: usize = given.get("page").and_then(|page| page.parse().ok()).unwrap_or_default();
        let at = |page: usize| {
            let mut given = given.clone();
            given.insert("page".to_owned(), page.to_string());
            if given.contains_key("task") {
                given.retain(|name, _| name == "task" || name == "page");
            }
            path(&given)
        };
        let row = |(id, one): (String, Simulated)| Row {
            path: address::dealership(&id),
            invoices: one.invoices,
            billed: one.billed,
            simulated: one.simulated,
            difference: one.difference(),
            name: one.name,
            id,
        };
        Self {
            from,
            to,
            invoices,
            billed,
            simulated,
            difference: simulated - billed,
            percent: super::months::percent(billed, simulated),
            next: if total > page.saturating_add(1).saturating_mul(ROWS) {
                at(page + 1)
            } else {
                String::new()
            },
            first: if page > 0 { at(0) } else { String::new() },
            rows: rows.into_iter().skip(page.saturating_mul(ROWS)).take(ROWS).map(row).collect(),
            total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    fn typed(overage: &str) -> View {
        let mut view = View {
            from: "2026-08".to_owned(),
            to: "2026-10".to_owned(),
            overage: overage.to_owned(),
            hsm: "0,46".to_owned(),
            packages: vec![PackageField {
                name: field(5000),
                label: "Pacote de 5.000 contatos".to_owned(),
                price: "1.014,00".to_owned(),
                error: String::new(),
            }],
            ..View::default()
        };
        for name in ["from", "to", "overage", "hsm"] {
            view.errors.insert(name.to_owned(), String::new());
        }
        view
    }

    #[test]
    fn a_table_is_typed_as_it_is_shown() {
        let asked = typed("0,2895").asked().unwrap();
        assert_eq!((asked.months(), asked.table.overage.to_string()), (3, "0.2895".to_owned()));
        let shown = typed_as(&asked.table, asked.from, asked.to);
        assert_eq!(
            (shown["overage"].as_str(), shown["package_5000"].as_str()),
            ("0,2895", "1.014,00")
        );
        let mut wrong = typed("zero");
        assert!(wrong.asked().is_none());
        assert!(renders("simulate.html", &wrong).contains("Escreva o preço como 0,29"));
    }

    #[test]
    fn it_is_drawn_with_and_without_a_result() {
        assert!(renders("simulate.html", &typed("0,29")).contains("Simular"));
        let of = |simulated| Simulated {
            name: "x".repeat(300),
            invoices: 3,
            billed: Money::from_centavos(300_000),
            simulated: Money::from_centavos(simulated),
        };
        let all = (0..60).map(|id| (format!("d{id}"), of(300_000 + id)));
        let (from, to) = ("2026-08".parse().unwrap(), "2026-10".parse().unwrap());
        let found = Found::of(from, to, all.collect(), &Given::new());
        assert_eq!((found.rows.len(), found.rows[0].id.as_str()), (50, "d59"));
        assert_eq!(found.next, "/simulate?page=1");
        let html = renders("simulate.html", &View { result: Some(found), ..typed("0,29") });
        assert!(html.contains("60 concessionárias"), "{html}");
        let none = Found::of(from, to, BTreeMap::new(), &Given::new());
        let html = renders("simulate.html", &View { result: Some(none), ..typed("0,29") });
        assert!(html.contains("Nenhuma fatura"));
    }
}
