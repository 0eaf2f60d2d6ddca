//! Auditoria: who did what, when and why, the newest first.

use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use crate::console::address;
use crate::console::ways::Ways;
use crate::console::words::audit::{deed, detail};
use crate::console::words::sought::sought;
use crate::console::{Console, Oops, Page, Section, Signed};
use crate::ledger::audit::{Action, Logged, WantedDeeds};
use fecha_core::calendar::month::Month;

/// So many stand on a page.
const ROWS: usize = 50;
/// What no index serves is looked for in so many entries at a time.
const REACH: u32 = 20_000;

/// This page.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/audit", log)
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Asked {
    who: String,
    action: String,
    month: String,
    dealership: String,
    text: String,
    #[serde(skip_serializing)]
    before: String,
}

#[derive(Debug, Serialize)]
struct View {
    asked: Asked,
    /// Why what was asked for is not understood.
    problem: String,
    actions: Vec<[&'static str; 2]>,
    rows: Vec<Row>,
    next: String,
    first: String,
    is_filtered: bool,
    /// What was looked for may stand in older entries: where to go on.
    older: String,
}

#[derive(Debug, Serialize)]
struct Row {
    at: String,
    who: String,
    what: &'static str,
    month: Option<String>,
    dealership: Option<String>,
    path: String,
    detail: String,
}

async fn log(
    State(console): State<Console>,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Result<Page, Oops> {
    let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let [who, month, dealership, text, before] =
        [&asked.who, &asked.month, &asked.dealership, &asked.text, &asked.before]
            .map(|text| filled(text));
    let parsed = month.as_deref().map(str::parse::<Month>).transpose();
    let action = Action::ALL.into_iter().find(|action| action.key() == asked.action);
    let mut view = View {
        is_filtered: [&who, &month, &dealership, &text].iter().any(|one| one.is_some())
            || action.is_some(),
        problem: String::new(),
        actions: actions(),
        rows: Vec::new(),
        next: String::new(),
        older: String::new(),
        first: if before.is_some() { path(&asked, "") } else { String::new() },
        asked,
    };
    let Ok(month) = parsed else {
        "O mês se escreve como 2026-10.".clone_into(&mut view.problem);
        return Ok(draw(&console, &signed, &view).await?.refused());
    };
    let has_index = month.is_some() || dealership.is_some() || !view.is_filtered;
    let reach = if has_index {
        None
    } else {
        console.office.ledger.deed_behind(before.as_deref(), REACH).await?
    };
    let terms = text
        .as_deref()
        .map(|text| sought(text, console.office.config.issuer.timezone))
        .unwrap_or_default();
    let wanted = WantedDeeds {
        actor: who.as_deref(),
        action,
        month,
        dealership_id: dealership.as_deref(),
        terms: &terms,
        before: before.as_deref(),
        after: None,
        down_to: reach.as_deref(),
    };
    // One more than is shown says whether there are more.
    let most = u32::try_from(ROWS + 1).unwrap_or(u32::MAX);
    let mut deeds = console.office.ledger.deeds(wanted, most).await?;
    if deeds.len() > ROWS {
        deeds.truncate(ROWS);
        view.next = deeds.last().map(|last| path(&view.asked, &last.id)).unwrap_or_default();
    } else if let Some(reach) = reach {
        view.older = path(&view.asked, &reach);
    }
    view.rows = deeds.into_iter().map(row).collect();
    draw(&console, &signed, &view).await
}

async fn draw(console: &Console, signed: &Signed, view: &View) -> Result<Page, Oops> {
    console.page(signed, Section::Audit, "Auditoria", "audit.html", view).await
}

/// The list with the same conditions, behind an entry.
fn path(asked: &Asked, before: &str) -> String {
    let parts = [
        ("who", asked.who.as_str()),
        ("action", &asked.action),
        ("month", &asked.month),
        ("dealership", &asked.dealership),
        ("text", &asked.text),
        ("before", before),
    ];
    address::with("/audit", &parts)
}

fn actions() -> Vec<[&'static str; 2]> {
    let named = Action::ALL.into_iter().map(|action| [action.key(), deed(action)]);
    [["", "Tudo"]].into_iter().chain(named).collect()
}

fn row(logged: Logged) -> Row {
    let id = logged.dealership_id.as_deref().unwrap_or_default();
    Row {
        path: address::dealership(id),
        at: logged.at,
        who: logged.actor,
        what: deed(logged.action),
        month: logged.month,
        dealership: logged.dealership_id,
        detail: detail(logged.action, &logged.detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    #[test]
    fn it_is_drawn_empty_full_and_wrong() {
        let empty = View {
            asked: Asked::default(),
            problem: String::new(),
            actions: actions(),
            rows: Vec::new(),
            next: String::new(),
            first: String::new(),
            is_filtered: false,
            older: String::new(),
        };
        assert!(renders("audit.html", &empty).contains("Nada foi registrado ainda"));
        let logged = Logged {
            id: "0199".to_owned(),
            at: "2026-11-01T03:00:01.000Z".to_owned(),
            actor: "Ana <b>".to_owned(),
            action: Action::Import,
            month: Some("2026-10".to_owned()),
            dealership_id: Some("são/1".to_owned()),
            detail: "x".repeat(300),
        };
        let other = Logged { month: None, dealership_id: None, ..logged.clone() };
        let asked = Asked { text: "a&b".to_owned(), ..Asked::default() };
        let full = View {
            problem: "O mês se escreve como 2026-10.".to_owned(),
            next: path(&asked, "0199"),
            rows: vec![row(logged), row(other)],
            asked,
            is_filtered: true,
            older: "/audit?before=0100".to_owned(),
            ..empty
        };
        let html = renders("audit.html", &full).replace("&#x2f;", "/");
        assert!(html.contains("01/11/2026 00:00") && html.contains("text=a%26b"), "{html}");
    }
}
