//! One dealership: twelve months of contacts against the package, contracts, account, advice, and what can be changed.

mod forms;
mod view;

use axum::extract::{Path, State};

use self::forms::Typed;
use self::view::View;
use crate::actions::dealerships::{Known, look};
use crate::console::address::Whose;
use crate::console::ways::Ways;
use crate::console::{Console, Oops, Page, Section, Signed};
use fecha_core::party::person::Role;

/// The page and its forms.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/dealerships/{id}", show)
        .post("/dealerships/{id}/address", Role::Finance, forms::address)
        .post("/dealerships/{id}/contract", Role::Admin, forms::contract)
        .post("/dealerships/{id}/credit", Role::Finance, forms::credit)
        .post("/dealerships/{id}/credit/{note}/undo", Role::Finance, forms::undo)
}

async fn show(
    State(console): State<Console>,
    signed: Signed,
    Path(Whose(id)): Path<Whose>,
) -> Result<Page, Oops> {
    let known = known(&console, &id).await?;
    page(&console, &signed, &known, Typed::of(&console, &known)).await
}

async fn known(console: &Console, id: &str) -> Result<Known, Oops> {
    let known = look(&console.office, id).await?;
    known.ok_or_else(|| Oops::NotFound(format!("A concessionária '{id}' não está no cadastro.")))
}

/// The page with what was typed into its forms.
async fn page(
    console: &Console,
    signed: &Signed,
    known: &Known,
    typed: Typed,
) -> Result<Page, Oops> {
    let view = View::of(&console.office, known, typed);
    let title = &known.dealership.name;
    console.page(signed, Section::Dealerships, title, "dealership.html", &view).await
}
