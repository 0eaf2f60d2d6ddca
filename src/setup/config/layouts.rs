//! `[erp]` and `[layouts.NAME]`: what tables for an ERP need.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{self, Check, missing};
use super::{Erp, raw};
use crate::setup::layout::{Column, Encoding, Layout, Rows};

/// Layouts that fecha has by itself.
pub(super) const TAKEN: [&str; 3] = ["plain", "conta-azul", "omie"];

pub(super) fn erp(check: &mut Check<'_>, raw: &raw::Erp) -> Option<Erp> {
    let mut name = |key: &str, text: Option<&String>| {
        let text = text.map(String::as_str).filter(|text| !text.trim().is_empty());
        check.optional(&format!("erp.{key}"), text, check::line)
    };
    let category = name("category", raw.category.as_ref());
    let account = name("account", raw.account.as_ref());
    let cost_center = name("cost_center", raw.cost_center.as_ref());
    Some(Erp { category: category?, account: account?, cost_center: cost_center? })
}

pub(super) fn layouts(
    check: &mut Check<'_>,
    raw: &BTreeMap<String, raw::Layout>,
) -> Option<BTreeMap<String, Layout>> {
    let parsed: Vec<Option<Layout>> =
        raw.iter().map(|(name, raw)| layout(check, name, raw)).collect();
    let named = |layout: Layout| (layout.name.clone(), layout);
    parsed.into_iter().map(|layout| layout.map(named)).collect()
}

fn layout(check: &mut Check<'_>, name: &str, raw: &raw::Layout) -> Option<Layout> {
    let key = |key: &str| format!("layouts.{name}.{key}");
    if let Some(reason) = no_name(name) {
        return check.refuse(&format!("layouts.{name}"), reason);
    }
    let words = [("invoice", Rows::Invoice), ("line", Rows::Line)];
    let rows = check.word(&key("rows"), raw.rows.as_deref().unwrap_or("invoice"), &words);
    let words = [(";", b';'), (",", b','), ("\t", b'\t'), ("|", b'|')];
    let delimiter = raw.delimiter.as_deref().unwrap_or(";");
    let delimiter = check.word(&key("delimiter"), delimiter, &words);
    let header = raw.header.as_ref();
    let header = header.map_or(Some(true), |flag| check.flag(&key("header"), Some(flag)));
    let words = [
        ("utf-8-bom", Encoding::Utf8WithMark),
        ("utf-8", Encoding::Utf8),
        ("windows-1252", Encoding::Windows1252),
    ];
    let encoding = raw.encoding.as_deref().unwrap_or("utf-8-bom");
    let encoding = check.word(&key("encoding"), encoding, &words);
    // What a column may say hangs on what a row is.
    let columns = columns(check, &key("columns"), &raw.columns, rows?);
    Some(Layout {
        name: name.to_owned(),
        rows: rows?,
        delimiter: delimiter?,
        header: header?,
        encoding: encoding?,
        columns: columns?,
    })
}

/// Why a layout cannot be called so: its name stands on the command line and in addresses.
fn no_name(name: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(is_plain) {
        let words = "is no name of a layout: letters a to z, digits, - and _, for example";
        return Some(format!("'{name}' {words} [layouts.contabilidade]"));
    }
    TAKEN
        .contains(&name)
        .then(|| format!("is a layout of fecha itself ({}): take another name", TAKEN.join(", ")))
}

fn columns(
    check: &mut Check<'_>,
    key: &str,
    raw: &[raw::LayoutColumn],
    rows: Rows,
) -> Option<Vec<Column>> {
    if raw.is_empty() {
        let example = "[{ name = \"Valor\", value = \"total|comma\" }]";
        return check.refuse(key, missing(key, example));
    }
    let mut headings = BTreeSet::new();
    let mut parsed = Vec::new();
    for (index, column) in raw.iter().enumerate() {
        let key = |part: &str| format!("{key}.{index}.{part}");
        let place = format!("column {} ", index + 1);
        let lacks = |part: &str, example: &str| {
            format!("{place}lacks its {part}: write for example {part} = \"{example}\"")
        };
        let Some(name) = column.name.as_deref().map(str::trim).filter(|name| !name.is_empty())
        else {
            parsed.push(check.refuse(&key("name"), lacks("name", "Valor")));
            continue;
        };
        if !headings.insert(name) {
            check
                .refuse::<()>(&key("name"), format!("{place}is called '{name}' as another one is"));
        }
        let Some(value) = column.value.as_deref().filter(|value| !value.trim().is_empty()) else {
            parsed.push(check.refuse(&key("value"), lacks("value", "total|comma")));
            continue;
        };
        parsed.push(check.parsed(&key("value"), Column::new(name, value, rows)));
    }
    parsed.into_iter().collect()
}
