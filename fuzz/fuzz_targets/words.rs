//! Whatever text stands where a month, an amount, a price, a number or a tax id should: no panic, and what is taken
//! is written so that it reads back equal.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use fecha_core::bill::invoice::{FirstNumber, Number};
use fecha_core::calendar::month::Month;
use fecha_core::party::pix::PixKey;
use fecha_core::party::tax_id::Cnpj;
use fecha_core::price::money::{Money, UnitPrice};
use libfuzzer_sys::fuzz_target;

/// Reads back equal.
fn same<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    let Ok(value) = text.parse::<T>() else { return };
    let written = value.to_string();
    assert!(written.parse::<T>().is_ok_and(|again| again == value), "{text:?} is {written:?}");
}

fuzz_target!(|text: &str| {
    same::<Month>(text);
    same::<Money>(text);
    same::<UnitPrice>(text);
    same::<Number>(text);
    same::<Cnpj>(text);
    same::<PixKey>(text);
    let _ = text.parse::<FirstNumber>();
    if let Ok(amount) = text.parse::<Money>() {
        assert!(amount.brl().contains(','), "{text:?}");
    }
    if let Ok(price) = text.parse::<UnitPrice>() {
        let _ = price.times(u64::MAX);
    }
    if let Ok(month) = text.parse::<Month>() {
        let _ = (month.next(), month.first_day(), month.last_day());
    }
});
