//! What changed between an invoice and its month of today, for people and as JSON.

use serde_json::{Value, json};

use super::lines::{line_in_words, price};
use super::output::plain;
use super::page::{Page, figure, text};
use crate::actions::words::count;
use fecha_core::bill::difference::{Change, Difference, LineChange};
use fecha_core::price::item::{Item, Line};
use fecha_core::price::money::{Money, grouped};

/// A change as `{"invoiced":…,"now":…}`, or under other names.
pub fn pair<T: serde::Serialize + Copy>(change: Change<T>, [before, now]: [&str; 2]) -> Value {
    json!({before: change.before, now: change.now})
}

/// What the counts and the total alone do not say: contacts, package, register, lines, causes.
pub fn details(difference: &Difference) -> Value {
    let line = |line: &Option<Line>| json!(line);
    let lines: Vec<Value> = difference
        .lines
        .iter()
        .map(|change| json!({"invoiced": line(&change.before), "now": line(&change.now)}))
        .collect();
    json!({
        "causes": difference.causes(),
        "contacts": difference.contacts,
        "package": pair(difference.package, ["invoiced", "now"]),
        "register": difference.register,
        "lines": lines,
    })
}

/// Line by line in R$, under a title.
pub fn in_words(page: Page, difference: &Difference) -> String {
    let mut words = String::new();
    let contacts = &difference.contacts;
    let parts: Vec<String> = [
        (contacts.new, "new"),
        (contacts.gone, "gone"),
        (contacts.more, "with more messages"),
        (contacts.fewer, "with fewer messages"),
        (contacts.recategorised, "with messages of another category"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| {
        format!("{} {what}", count(usize::try_from(number).unwrap_or(usize::MAX), "contact"))
    })
    .collect();
    if !parts.is_empty() {
        words += &format!("  {}\n", parts.join(", "));
    }
    for (name, change) in [("UAM", difference.uam), ("HSM", difference.hsm)] {
        if change.differs() {
            words += &format!("  {name} {} → {}\n", grouped(change.before), grouped(change.now));
        }
    }
    if difference.package.differs() {
        let package = |package: Option<u64>| package.map_or("none".to_owned(), grouped);
        let Change { before, now } = difference.package;
        words += &format!("  package {} → {}\n", package(before), package(now));
    }
    for field in &difference.register {
        let (before, now) = (plain(&field.before), plain(&field.now));
        words += &format!("  {} '{before}' → '{now}'\n", field.field);
    }
    words + &lines(page, difference)
}

fn lines(page: Page, difference: &Difference) -> String {
    let Change { before: Some(before), now: Some(now) } = difference.total else {
        return String::new();
    };
    let mut rows: Vec<Vec<String>> = difference.lines.iter().map(line_row).collect();
    let (none, total) = (String::new, now - before);
    rows.push(vec!["total".to_owned(), none(), none(), before.brl(), now.brl(), signed(total)]);
    let mut columns = vec![
        text("line"),
        figure("quantity").spare(2),
        figure("price").spare(1),
        figure("invoiced"),
        figure("now"),
        figure("difference"),
    ];
    if !difference.lines.iter().any(has_another_price) {
        columns.remove(PRICE);
        for row in &mut rows {
            row.remove(PRICE);
        }
    }
    let table = page.beside(2).table(&columns, rows);
    table.lines().map(|line| format!("  {line}\n")).collect()
}

/// Where the price of one stands.
const PRICE: usize = 2;

/// Of what is charged by the piece; a package's price is its amount.
fn has_another_price(change: &LineChange) -> bool {
    let LineChange { before: Some(before), now: Some(now) } = change else { return false };
    !matches!(now.item, Item::Package { .. }) && before.unit_price != now.unit_price
}

fn line_row(change: &LineChange) -> Vec<String> {
    let LineChange { before, now, .. } = change;
    let shown = |line: &Option<Line>, of: &dyn Fn(&Line) -> String| {
        line.as_ref().map_or_else(|| "–".to_owned(), of)
    };
    let change = |of: &dyn Fn(&Line) -> String| {
        let (before, now) = (shown(before, of), shown(now, of));
        if before == now { now } else { format!("{before} → {now}") }
    };
    let amount = |line: &Option<Line>| line.as_ref().map_or(Money::ZERO, |line| line.amount);
    let name = now.as_ref().or(before.as_ref()).map(|line| line_in_words(&line.item));
    vec![
        name.unwrap_or_default(),
        change(&|line| grouped(line.quantity)),
        change(&price),
        shown(before, &|line| line.amount.brl()),
        shown(now, &|line| line.amount.brl()),
        signed(amount(now) - amount(before)),
    ]
}

/// `+R$ 0,29`: a difference always has its sign.
pub fn signed(amount: Money) -> String {
    let sign = if amount > Money::ZERO { "+" } else { "" };
    format!("{sign}{}", amount.brl())
}
