//! `fecha --version`

use std::sync::LazyLock;

use crate::ledger;

/// What a person is asked who reports a fault, a fact a line. `-V` is the first line alone.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{version}\ncommit      {commit}\nledger      schema {schema}\ntime zones  IANA {zones}",
        version = env!("CARGO_PKG_VERSION"),
        commit = env!("SOURCE_COMMIT"),
        schema = ledger::newest_schema(),
        zones = chrono_tz::IANA_TZDB_VERSION,
    )
});
