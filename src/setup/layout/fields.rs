//! What an expression knows of an invoice: the keys of `fecha invoices --json`, and some more.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{DynObject, Object, ObjectRepr};
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};

use super::Rows;
use fecha_core::price::item::Amounts;

/// An amount: a text where it stands by itself, so that no operator makes a binary fraction of it, nor one
/// long text of two of them.
#[derive(Debug)]
struct Amount(String);

impl Object for Amount {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result
    where
        Self: Sized + 'static,
    {
        f.write_str(&self.0)
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some(decimal(&self.0)?.cmp(&decimal(&other.0)?))
    }
}

/// The fields of a row, as they are in JSON, for expressions.
#[must_use]
pub fn fields(row: &Json) -> Value {
    match row {
        Json::Object(object) => {
            let all = object.iter().map(|(key, value)| (key.clone(), field(key, value)));
            Value::from(all.collect::<BTreeMap<String, Value>>())
        }
        other => field("", other),
    }
}

fn field(key: &str, value: &Json) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::from(number.to_string()), Value::from)
        }
        Json::String(text) if is_amount(key) => Value::from_object(Amount(text.clone())),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => {
            Value::from(items.iter().map(|item| field("", item)).collect::<Vec<Value>>())
        }
        Json::Object(_) => fields(value),
    }
}

fn is_amount(key: &str) -> bool {
    ["total", "paid", "to_pay", "amount", "unit_price"].contains(&key) || key.ends_with("_amount")
}

/// The text as a decimal number, exactly.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str(text).ok()
}

/// The paths of all fields, `dealership.name` and `dealership` too.
pub(super) fn names(rows: Rows) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for example in examples(rows) {
        if let Json::Object(object) = &example {
            name_all(object, "", &mut names);
        }
    }
    names
}

fn name_all(object: &Map<String, Json>, before: &str, names: &mut BTreeSet<String>) {
    for (key, value) in object {
        let path = format!("{before}{key}");
        if let Json::Object(inner) = value {
            name_all(inner, &format!("{path}."), names);
        }
        names.insert(path);
    }
}

/// Rows of all kinds: a first issue and a revision, open, part paid and paid, each kind of line, with and without
/// what may be missing. An expression that fails on none of them fails on no row.
pub(super) fn examples(rows: Rows) -> Vec<Json> {
    let first = invoice();
    let mut revised = invoice();
    for (key, value) in [
        ("label", json!("2026-000001-R1")),
        ("revision", json!(1)),
        ("overage", json!(0)),
        ("reason", json!("mensagens atrasadas")),
        ("by", json!("ana")),
        ("paid", json!("500.00")),
        ("to_pay", json!("514.00")),
        ("payment", json!("part_paid")),
        ("overdue", json!(true)),
    ] {
        revised[key] = value;
    }
    let mut nothing = invoice();
    for (key, value) in [("total", json!("0.00")), ("payment", json!("paid"))] {
        nothing[key] = value;
    }
    nothing["dealership"]["postal_code"] = json!("");
    nothing["erp"] = json!({"category": "", "account": "", "cost_center": ""});
    let invoices = [first, revised, nothing];
    match rows {
        Rows::Invoice => invoices.into(),
        Rows::Line => invoices.iter().flat_map(with_lines).collect(),
    }
}

fn with_lines(invoice: &Json) -> Vec<Json> {
    let lines = [
        ("package", "Pacote de 5.000 contatos", 1, "1014.00", "1014.00"),
        ("overage", "Contatos acima do pacote (UAM adicional)", 123, "0.29", "35.67"),
        ("hsm", "Mensagens de modelo (HSM)", 310, "0.46", "142.60"),
        ("adjustment", "Desconto", 1, "-120.00", "-120.00"),
    ];
    let row = |(item, description, quantity, price, amount): (&str, &str, i64, &str, &str)| {
        let mut row = invoice.clone();
        row["line"] = json!({
            "item": item, "description": description, "quantity": quantity, "unit_price": price,
            "amount": amount
        });
        row
    };
    lines.into_iter().map(row).collect()
}

/// The keys of `fecha invoices --json`, the day of issue, the dealership as printed, and what `[erp]` says.
fn invoice() -> Json {
    let mut invoice = json!({
        "number": "2026-000001", "label": "2026-000001", "revision": 0, "state": "issued",
        "dealership_id": "d1", "month": "2026-10",
        "package": 5000, "uam": 5123, "overage": 123, "hsm": 310,
        "total": "1192.27", "due_date": "2026-11-10", "issued_at": "2026-11-01T03:00:01Z",
        "issued_on": "2026-11-01", "evidence_sha256": "00", "pdf_sha256": "00",
        "reason": null, "by": null,
        "paid": "0.00", "to_pay": "1192.27", "payment": "open", "overdue": false,
        "dealership": {
            "id": "d1", "name": "Concessionária Exemplo Ltda", "trade_name": "Exemplo",
            "cnpj": "11.222.333/0001-81", "address": "Rua Exemplo, 100", "city": "Recife",
            "state": "PE", "postal_code": "50010-000"
        },
        "erp": {"category": "Receita", "account": "Banco", "cost_center": "Matriz"}
    });
    // The amounts by their own type: a new column of it is a field at once.
    if let (Ok(Json::Object(amounts)), Json::Object(all)) =
        (serde_json::to_value(Amounts::default()), &mut invoice)
    {
        all.extend(amounts);
    }
    invoice
}
