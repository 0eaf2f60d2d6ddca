//! Whatever bytes stand in a file of the register: no panic, what is refused is named by its line in one line of
//! text, and what is read is written and read back equal.
#![no_main]

use fecha::setup::register::{
    BadRows, read_contracts, read_dealerships, write_contracts, write_dealerships,
};
use fecha_core::price::table::{PriceTable, Prices};
use libfuzzer_sys::fuzz_target;

fn prices() -> Prices {
    let packages = [(5000, "1014.00"), (10_000, "1827.00")];
    let table = PriceTable {
        from: "2020-08".parse().unwrap(),
        overage: "0.29".parse().unwrap(),
        hsm: "0.46".parse().unwrap(),
        packages: packages.map(|(contacts, price)| (contacts, price.parse().unwrap())).into(),
    };
    std::iter::once(table).collect()
}

fn must_be_named(bad: &BadRows) {
    assert!(bad.total > 0 && !bad.first.is_empty() && bad.first.len() <= 100, "{bad}");
    for row in &bad.first {
        assert!(row.line > 0, "{row}");
    }
}

fuzz_target!(|bytes: &[u8]| {
    match read_dealerships("file", bytes) {
        Ok(read) => {
            let written = write_dealerships(&read);
            assert_eq!(read_dealerships("file", written.as_bytes()).unwrap(), read, "{written}");
        }
        Err(bad) => must_be_named(&bad),
    }
    let prices = prices();
    match read_contracts("file", bytes, &|id: &str| !id.starts_with('x'), &prices) {
        Ok(read) => {
            let written = write_contracts(&read);
            let again = read_contracts("file", written.as_bytes(), &|_: &str| true, &prices);
            assert_eq!(again.unwrap(), read, "{written}");
        }
        Err(bad) => must_be_named(&bad),
    }
});
