//! Whatever bytes stand in a file of the register: no panic, what is refused is named by its line in one line of
//! text, and what is read is written and read back equal.
#![no_main]

use fecha::setup::register::plan::{Alike, File, Files, Register, plan};
use fecha::setup::register::{
    BadRows, NumberRow, read_contracts, read_dealerships, read_numbers, write_contracts,
    write_dealerships, write_numbers,
};
use fecha_core::party::numbers::Numbers;
use fecha_core::price::table::{PriceTable, Prices};
use libfuzzer_sys::fuzz_target;

fn prices() -> Prices {
    let packages = [(5000, "1014.00"), (10_000, "1827.00")];
    let table = PriceTable {
        from: "2020-08".parse().unwrap(),
        overage: "0.29".parse().unwrap(),
        hsm: "0.46".parse().unwrap(),
        packages: packages.map(|(contacts, price)| (contacts, price.parse().unwrap())).into(),
        list: None,
        own_overage: [].into(),
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
    match read_contracts("file", bytes, &|id: &str| !id.starts_with('x'), &prices, &[]) {
        Ok(read) => {
            let written = write_contracts(&read);
            let again = read_contracts("file", written.as_bytes(), &|_: &str| true, &prices, &[]);
            assert_eq!(again.unwrap(), read, "{written}");
        }
        Err(bad) => must_be_named(&bad),
    }
    let is_known = |id: &str| !id.starts_with('x');
    match read_numbers("file", bytes, &is_known) {
        Ok(read) => {
            let entries: Vec<_> = read.iter().map(|row| row.entry().clone()).collect();
            let holds = entries.iter().cloned().map(NumberRow::Holds).collect::<Vec<_>>();
            let again = read_numbers("file", write_numbers(&entries).as_bytes(), &is_known);
            assert_eq!(again.unwrap(), holds);
        }
        Err(bad) => must_be_named(&bad),
    }
    must_import_once(bytes, &prices);
});

/// What a plan takes leaves a register that the same files change nothing of, and in which no number is of two.
fn must_import_once(bytes: &[u8], prices: &Prices) {
    let file = Some(File { name: "file", bytes });
    let known = Register::default();
    let files = [
        Files { dealerships: file, ..Files::default() },
        Files { contracts: file, ..Files::default() },
        Files { numbers: file, ..Files::default() },
    ];
    for files in files {
        match plan(&known, files, prices, Alike::Accept) {
            Ok(first) => {
                assert!(Numbers::new(first.written.numbers.clone()).is_ok());
                let again = plan(&first.written, files, prices, Alike::Refuse).unwrap();
                assert!(again.import.changes.is_empty(), "{:?}", again.import);
            }
            Err(bad) => must_be_named(&bad),
        }
    }
}
