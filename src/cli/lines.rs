//! The lines of an invoice, in words for admins.

use fecha_core::bill::invoice::Invoice;
use fecha_core::price::item::{Item, Line, Share};
use fecha_core::price::money::{decimal_comma, grouped};
use fecha_core::price::monthly::Per;

/// What a line charges.
pub(super) fn line_in_words(item: &Item) -> String {
    match item {
        Item::Package { contacts } => format!("package of {} contacts", grouped(*contacts)),
        Item::Overage => "contacts above the package".to_owned(),
        Item::Hsm => "template messages sent".to_owned(),
        Item::UnbilledHsm => "template messages that are not billed".to_owned(),
        Item::Messages { line, share, .. } => match share {
            Share::Charged { above: 0 } => line.clone(),
            Share::Charged { above } => format!("{line}, above {}", grouped(*above)),
            Share::Free => format!("{line}, free"),
            Share::Unbilled => format!("{line}, not billed"),
        },
        Item::Monthly { line, per: _ } => line.clone(),
        Item::Discount { percent } => format!("discount of {percent} %"),
        Item::Adjustment { description } => description.clone(),
    }
}

/// What one of it costs, as all money on a terminal is written; finer than a centavo where it is.
pub(super) fn price(line: &Line) -> String {
    let sign = if line.unit_price.is_sign_negative() { "-" } else { "" };
    format!("{sign}R$\u{a0}{}", decimal_comma(line.unit_price.abs()))
}

/// A line with how its amount comes about.
pub(super) fn line_row(invoice: &Invoice, line: &Line) -> Vec<String> {
    let quantity = grouped(line.quantity);
    let price = price(line);
    let how = match &line.item {
        Item::Package { .. } => format!("{quantity} × {price}, due in full whatever is used"),
        Item::Overage => format!(
            "{} unique − {} included = {quantity} × {price}",
            grouped(invoice.usage.uam),
            grouped(invoice.package)
        ),
        Item::Hsm | Item::UnbilledHsm | Item::Messages { .. } => format!("{quantity} × {price}"),
        Item::Monthly { per, .. } => {
            let each = match per {
                Per::Number => "numbers of the register",
                Per::Dealership => "a month",
            };
            format!("{quantity} × {price}, {each}, due without use")
        }
        Item::Discount { percent } => {
            format!("{percent} % of {}", invoice.before_discount().brl())
        }
        Item::Adjustment { .. } => "adjustment".to_owned(),
    };
    vec![line_in_words(&line.item), how, line.amount.brl()]
}
