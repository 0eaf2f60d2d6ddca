//! The forms of a dealership's page: address and emails, a contract, a credit or charge.

use std::collections::BTreeMap;

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::super::invoice::Ask;
use super::{known, page};
use crate::actions::adjust::{self, AdjustError, Asked};
use crate::actions::dealerships::Known;
use crate::actions::register::{self, ChangeError, Changed, ContractChanged};
use crate::console::address::{self, Whose};
use crate::console::words::register::{
    adjust_error, cell, change_error, column, reason, wrong_fields,
};
use crate::console::{Console, Done, Oops, Signed};
use crate::ledger::notes::NewNote;
use crate::setup::register::dealership_cells;
use crate::setup::register::{DEALERSHIP_COLUMNS, changes::ColumnChange};
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::{Money, grouped};
use fecha_core::price::typed;

/// What finance may change of a dealership's row.
const ADDRESS: [&str; 12] = [
    "address",
    "number",
    "complement",
    "district",
    "postal_code",
    "city",
    "state",
    "ibge_code",
    "municipal_registration",
    "email",
    "cc",
    "group",
];
const CONTRACT: [&str; 2] = ["from_month", "package"];
const CREDIT: [&str; 4] = ["kind", "amount", "month", "description"];

/// A form as it was typed, and what is wrong with it.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct FormState {
    pub values: BTreeMap<&'static str, String>,
    /// Why a field was not taken; empty where it is right.
    pub errors: BTreeMap<&'static str, String>,
    /// Why nothing was done, where that is about no field.
    pub problem: String,
    /// What is asked before it is done.
    pub asks: Vec<Ask>,
}

/// All forms of the page.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Typed {
    pub address: FormState,
    pub contract: FormState,
    pub credit: FormState,
    /// What the person was shown of the dealership.
    pub seen: String,
}

impl FormState {
    fn new(fields: &[&'static str]) -> Self {
        let empty = || fields.iter().map(|field| (*field, String::new())).collect();
        Self { values: empty(), errors: empty(), problem: String::new(), asks: Vec::new() }
    }

    /// As it was typed.
    fn typed(fields: &[&'static str], given: &Given) -> Self {
        let mut form = Self::new(fields);
        form.values = fields.iter().map(|field| (*field, given.text(field).to_owned())).collect();
        form
    }

    fn wrong(mut self, field: &'static str, why: String) -> Self {
        if self.errors.contains_key(field) {
            self.errors.insert(field, why);
        } else {
            self.problem = why;
        }
        self
    }
}

impl Default for Typed {
    fn default() -> Self {
        Self {
            address: FormState::new(&ADDRESS),
            contract: FormState::new(&CONTRACT),
            credit: FormState::new(&CREDIT),
            seen: String::new(),
        }
    }
}

impl Typed {
    /// Nothing was typed: what there is, and what is usual.
    pub fn of(console: &Console, known: &Known) -> Self {
        let mut typed = Self::default();
        let cells = DEALERSHIP_COLUMNS.into_iter().zip(dealership_cells(&known.dealership));
        typed.address.values = cells.filter(|(name, _)| ADDRESS.contains(name)).collect();
        let running = Month::last_ended(console.office.clock.now(), known.zone).next();
        typed.contract.values.insert("from_month", running.to_string());
        let package = known.package.map_or("none".to_owned(), |package| package.to_string());
        typed.contract.values.insert("package", package);
        typed.credit.values.insert("kind", "credit".to_owned());
        typed.credit.values.insert("month", running.to_string());
        typed.seen = register::seen(&known.dealership).to_string();
        typed
    }
}

/// What a form sent.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Given(BTreeMap<String, String>);

impl Given {
    fn text(&self, field: &str) -> &str {
        self.0.get(field).map(|text| text.trim()).unwrap_or_default()
    }
}

/// Address and emails: what is printed and mailed from then on.
pub(super) async fn address(
    State(console): State<Console>,
    signed: Signed,
    Path(Whose(id)): Path<Whose>,
    Form(given): Form<Given>,
) -> Result<Response, Oops> {
    let columns: Vec<(&str, &str)> =
        ADDRESS.iter().map(|field| (*field, given.text(field))).collect();
    let seen: Option<PlanHash> = given.text("seen").parse().ok();
    let by = &signed.name;
    let error = match register::change(&console.office, &id, &columns, seen.as_ref(), by).await {
        Ok(changed) => return Ok(done(&id, &changed_in_words(&changed))),
        Err(ChangeError::Ledger(error)) => return Err(error.into()),
        Err(error) => error,
    };
    let known = known(&console, &id).await?;
    let form = refused(FormState::typed(&ADDRESS, &given), &error);
    let typed = Typed { address: form, ..Typed::of(&console, &known) };
    Ok(page(&console, &signed, &known, typed).await?.refused().into_response())
}

/// A package from a month on, or the end of the contract.
pub(super) async fn contract(
    State(console): State<Console>,
    signed: Signed,
    Path(Whose(id)): Path<Whose>,
    Form(given): Form<Given>,
) -> Result<Response, Oops> {
    let entry = (given.text("from_month"), given.text("package"));
    let error = match register::contract(&console.office, &id, entry, &signed.name).await {
        Ok(changed) => return Ok(done(&id, &contract_in_words(&changed))),
        Err(ChangeError::Ledger(error)) => return Err(error.into()),
        Err(error) => error,
    };
    let known = known(&console, &id).await?;
    let form = refused(FormState::typed(&CONTRACT, &given), &error);
    let typed = Typed { contract: form, ..Typed::of(&console, &known) };
    Ok(page(&console, &signed, &known, typed).await?.refused().into_response())
}

/// A credit or charge on the next invoice.
pub(super) async fn credit(
    State(console): State<Console>,
    signed: Signed,
    Path(Whose(id)): Path<Whose>,
    Form(given): Form<Given>,
) -> Result<Response, Oops> {
    let mut form = FormState::typed(&CREDIT, &given);
    let amount = typed::money(given.text("amount")).ok().filter(|amount| *amount > Money::ZERO);
    if amount.is_none() {
        let why = format!("'{}' não é um valor: escreva como 120,00", given.text("amount"));
        form = form.wrong("amount", why);
    }
    let month = given.text("month").parse::<Month>().ok();
    if month.is_none() {
        let why = format!("'{}' não é um mês: escreva 2026-10", given.text("month"));
        form = form.wrong("month", why);
    }
    let description = given.text("description");
    if description.is_empty() {
        form = form.wrong("description", "Escreva o que a fatura vai dizer.".to_owned());
    }
    let beside: Option<i64> = given.text("beside").parse().ok();
    if let (Some(amount), Some(month), false) = (amount, month, description.is_empty()) {
        let amount = if given.text("kind") == "charge" { amount } else { -amount };
        let new = NewNote { dealership_id: &id, month, amount, description, by: &signed.name };
        match adjust::enter(&console.office, &new, Asked::Form { beside }).await {
            Ok(number) => return Ok(done(&id, &entered_in_words(&new, number))),
            Err(AdjustError::Ledger(error)) => return Err(error.into()),
            Err(error @ AdjustError::NotPrintable(_)) => {
                form = form.wrong("description", adjust_error(&error).unwrap_or_default());
            }
            Err(error) => {
                if let AdjustError::Equal(note) = &error {
                    form.asks = vec![one_more(note.id, note.amount)];
                }
                form.problem = adjust_error(&error).unwrap_or_default();
            }
        }
    }
    let known = known(&console, &id).await?;
    let typed = Typed { credit: form, ..Typed::of(&console, &known) };
    Ok(page(&console, &signed, &known, typed).await?.refused().into_response())
}

/// The box that says that a credit or charge is one more beside this note.
fn one_more(note: i64, amount: Money) -> Ask {
    let what = if amount < Money::ZERO {
        "É mais um crédito igual"
    } else {
        "É mais uma cobrança igual"
    };
    let (value, words) = (note.to_string(), what.to_owned());
    Ask { name: "beside", value, words, ticked: false }
}

/// Takes back what waits of a credit or charge.
pub(super) async fn undo(
    State(console): State<Console>,
    signed: Signed,
    Path((Whose(id), note)): Path<(Whose, i64)>,
) -> Result<Response, Oops> {
    // A number of another dealership's would be taken back unseen.
    let of_this = console.office.ledger.note(note).await?.filter(|note| note.dealership_id == id);
    if of_this.is_none() {
        return Err(Oops::NotFound(format!("O lançamento {note} não é desta concessionária.")));
    }
    match adjust::take_back(&console.office, note, &signed.name).await {
        Ok(amount) => Ok(done(&id, &format!("Retirado: {} do lançamento {note}.", amount.brl()))),
        Err(AdjustError::Ledger(error)) => Err(error.into()),
        Err(error) => Err(Oops::Bad(adjust_error(&error).unwrap_or_default())),
    }
}

fn done(id: &str, words: &str) -> Response {
    Done::see(&address::dealership(id), words).into_response()
}

/// The form with what is wrong beside each field.
fn refused(mut form: FormState, error: &ChangeError) -> FormState {
    form.problem = change_error(error).unwrap_or_default();
    if let ChangeError::Bad(rows) = error {
        for (field, why) in wrong_fields(&rows.first) {
            match DEALERSHIP_COLUMNS.into_iter().chain(CONTRACT).find(|known| *known == field) {
                Some(field) => form = form.wrong(field, why),
                None => form.problem = why,
            }
        }
    }
    form
}

fn changed_in_words(changed: &Changed) -> String {
    let one = |change: &ColumnChange| {
        let name = change.column;
        let (old, new) = (cell(name, &change.old), cell(name, &change.new));
        format!("{} de {old} para {new}", column(name))
    };
    let columns: Vec<String> = changed.change.columns.iter().map(one).collect();
    let warnings = changed.warnings.iter().map(|row| {
        format!(" Atenção: {} {}.", column(row.column.unwrap_or_default()), reason(&row.reason))
    });
    format!("Alterado: {}.{}", columns.join("; "), warnings.collect::<String>())
}

fn contract_in_words(changed: &ContractChanged) -> String {
    let package = |package: Option<u64>| {
        package.map_or("sem contrato".to_owned(), |n| format!("pacote de {} contatos", grouped(n)))
    };
    let mut words = format!(
        "A partir de {}: {} (antes: {}).",
        changed.from.in_words(),
        package(changed.now),
        package(changed.before)
    );
    if !changed.invoiced.is_empty() {
        let months: Vec<String> = changed.invoiced.iter().map(|month| month.in_words()).collect();
        words += &format!(
            " Já faturado: {}. Compare esses meses para emitir revisões.",
            months.join(", ")
        );
    }
    words
}

fn entered_in_words(new: &NewNote<'_>, number: i64) -> String {
    let (what, amount) = if new.amount < Money::ZERO {
        ("Crédito", -new.amount)
    } else {
        ("Cobrança", new.amount)
    };
    format!(
        "{what} de {} lançado (nº {number}): entra na próxima fatura a partir de {}.",
        amount.brl(),
        new.month.in_words()
    )
}
