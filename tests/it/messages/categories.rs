//! Category, number and flag, as each engine spells them.

use fecha_core::count::sending::{Billing, Kind, Sending};
use rstest::rstest;

use super::{Apart, Counted, Counter, CountingRules, Engine, Maria, Pg, Sqlite, StatusRules};
use super::{MessageDb, now, october, start};

/// With categories in an enum where the engine has those, as owners write them.
fn database(engine: Engine, with_ids: bool) -> MessageDb {
    let database = MessageDb::without_table(engine);
    let category =
        if engine == Maria { "ENUM('MARKETING', 'UTILITY', 'SERVICE')" } else { "VARCHAR(20)" };
    let (flag, sent_at) = (if engine == Sqlite { "INTEGER" } else { "BOOLEAN" }, engine.sent_at());
    let id = if with_ids { "message_id VARCHAR(20), " } else { "" };
    database.sql(&format!(
        "CREATE TABLE message ({id}dealership_id VARCHAR(60), contact VARCHAR(60), direction VARCHAR(20),
             kind VARCHAR(20), template VARCHAR(60), status VARCHAR(20), category {category},
             number VARCHAR(20), billable {flag}, sent_at {sent_at})"
    ));
    let at = database.instant(start() + 86_400_000);
    let (yes, no) = if engine == Sqlite { ("1", "0") } else { ("TRUE", "FALSE") };
    let rows = [
        ("a", "5548999990001", "hsm", "'MARKETING'", "'+55 48 9999-0820'", yes),
        ("b", "5548999990001", "hsm", "'UTILITY'", "'5548999990820'", no),
        ("c", "5548999990002", "hsm", "NULL", "NULL", "NULL"),
        ("d", "5548999990002", "session", "'SERVICE'", "'5548999990820'", yes),
        ("d", "5548999990002", "session", "'SERVICE'", "'5548999990820'", yes),
    ];
    for (id, contact, kind, category, number, billable) in rows {
        let id = if with_ids { format!("'{id}', ") } else { String::new() };
        database.sql(&format!(
            "INSERT INTO message VALUES ({id}'d1', '{contact}', 'out', '{kind}', 'oferta', 'sent', {category},
             {number}, {billable}, {at})"
        ));
    }
    database
}

#[rstest]
#[tokio::test]
async fn what_prices_ask_for_is_read(
    #[values(Sqlite, Pg, Maria)] engine: Engine,
    #[values(false, true)] with_ids: bool,
) {
    let database = database(engine, with_ids);
    let numbers = vec!["5548999990820".parse().unwrap()];
    let d1 = Counted {
        dealership_id: "d1".to_owned(),
        period: october(),
        has_package: true,
        in_scope: true,
        rules: CountingRules::default(),
        beside: None,
        apart: Apart::ByCategory { sessions: true, numbers },
    };
    let counter = Counter::new(vec![d1], None, &StatusRules::default());
    let source = database.source("message");
    let count = source.count(counter, now(), |_| {}).await.unwrap().count;
    let told: Vec<_> = count.tallies["d1"].sent.iter().map(|(of, n)| (of.clone(), n)).collect();
    let sending = |kind, category: &str, with_number: bool, billing| Sending {
        kind,
        category: category.parse().ok(),
        number: with_number.then(|| "5548999990820".parse().unwrap()),
        billing,
    };
    // Where there is an id, the repeated one is one message.
    let service = if with_ids { 1 } else { 2 };
    assert_eq!(
        told,
        [
            (sending(Kind::Hsm, "", false, Billing::Billed), 1),
            (sending(Kind::Hsm, "marketing", true, Billing::Billed), 1),
            (sending(Kind::Hsm, "utility", true, Billing::Unbilled), 1),
            (sending(Kind::Session, "service", true, Billing::Billed), service),
        ]
    );
    assert_eq!(count.buckets().duplicate, 2 - service);
}
