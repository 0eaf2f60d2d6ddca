//! Concessionárias: found by name, id or CNPJ, with and without a contract.

use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use crate::actions::dealerships::{Found, Wanted, WithContract, find};
use crate::console::address;
use crate::console::ways::Ways;
use crate::console::{Console, Oops, Page, Section, Signed};

/// So many stand on a page.
const ROWS: usize = 50;

/// This page.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/dealerships", list)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
    contract: String,
    after: String,
}

#[derive(Debug, Serialize)]
struct View {
    q: String,
    contract: String,
    contracts: [[&'static str; 2]; 3],
    total: usize,
    rows: Vec<Row>,
    next: String,
    first: String,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    path: String,
    name: String,
    trade_name: String,
    cnpj: String,
    place: String,
    package: Option<u64>,
}

async fn list(
    State(console): State<Console>,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Result<Page, Oops> {
    let contract = match asked.contract.as_str() {
        "yes" => WithContract::Yes,
        "no" => WithContract::No,
        _ => WithContract::All,
    };
    let wanted = Wanted { search: asked.q.trim(), contract, after: &asked.after };
    let page = find(&console.office, wanted, ROWS).await?;
    let filter =
        format!("q={}&contract={}", address::part(&asked.q), address::part(&asked.contract));
    let path = |after: &str| format!("/dealerships?{filter}&after={}", address::part(after));
    let view = View {
        total: page.total,
        next: page.next.as_deref().map(path).unwrap_or_default(),
        first: if asked.after.is_empty() {
            String::new()
        } else {
            format!("/dealerships?{filter}")
        },
        rows: page.found.into_iter().map(row).collect(),
        q: asked.q,
        contract: asked.contract,
        contracts: [["", "Todas"], ["yes", "Com contrato"], ["no", "Sem contrato"]],
    };
    let title = "Concessionárias";
    console.page(&signed, Section::Dealerships, title, "dealerships.html", &view).await
}

fn row(found: Found) -> Row {
    let Found { dealership, package } = found;
    Row {
        path: address::dealership(&dealership.id),
        place: format!("{}/{}", dealership.city, dealership.state),
        id: dealership.id,
        name: dealership.name,
        trade_name: dealership.trade_name,
        cnpj: dealership.cnpj,
        package,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;
    use crate::ledger::dealership::Brief;

    #[test]
    fn it_is_drawn_empty_and_long() {
        let empty = View {
            q: "<são>".to_owned(),
            contract: String::new(),
            contracts: [["", "Todas"], ["yes", "Com contrato"], ["no", "Sem contrato"]],
            total: 0,
            rows: Vec::new(),
            next: String::new(),
            first: String::new(),
        };
        let html = renders("dealerships.html", &empty);
        assert!(html.contains("&lt;são&gt;"), "{html}");
        let brief = Brief {
            id: "são/1".to_owned(),
            name: "x".repeat(300),
            trade_name: "Loja".to_owned(),
            group: None,
            cnpj: "11.222.333/0001-81".to_owned(),
            city: "Curitiba".to_owned(),
            state: "PR".to_owned(),
        };
        let of = |package| row(Found { dealership: brief.clone(), package });
        let rows = vec![of(Some(5000)), of(None)];
        let full = View { rows, total: 1500, next: "/dealerships?after=x".to_owned(), ..empty };
        let html = renders("dealerships.html", &full).replace("&#x2f;", "/");
        assert!(html.contains("/dealerships/s%C3%A3o%2F1"));
        assert!(html.contains("5.000") && html.contains("sem contrato"));
    }
}
