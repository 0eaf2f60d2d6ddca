//! That nothing is given away twice, kept by the database itself: what waits of a payment or of a credit note
//! never falls below zero, whoever writes, in whatever order (spec §2 *Account*).

use super::Engine;

/// That more of a payment `p` is used than there is, or anything of one that does not count.
const PAYMENT: &str = "p.amount - p.converted
         - COALESCE((SELECT SUM(a.amount) FROM allocation a WHERE a.payment = p.id), 0)
         - COALESCE((SELECT SUM(x.amount) FROM refund_part x WHERE x.payment = p.id), 0) < 0
     OR EXISTS (SELECT 1 FROM allocation a WHERE a.payment = p.id
         AND (a.amount <= 0 OR p.undone_at IS NOT NULL OR p.kind = 'interest'))
     OR EXISTS (SELECT 1 FROM refund_part x WHERE x.payment = p.id
         AND (x.amount <= 0 OR p.undone_at IS NOT NULL OR p.kind <> 'money'))";

/// That more of a note `n` is taken than there is, or anything with another sign.
const NOTE: &str = "(n.amount - n.taken_back - COALESCE((SELECT SUM(t.amount) FROM taking t WHERE t.note = n.id), 0))
         * n.amount < 0
     OR n.taken_back * n.amount < 0
     OR EXISTS (SELECT 1 FROM taking t WHERE t.note = n.id AND t.amount * n.amount <= 0)";

/// A check behind an event: of which row of what, and its condition.
struct Check {
    name: &'static str,
    event: &'static str,
    on: &'static str,
    /// The column of the new row that names the payment or note.
    key: &'static str,
    of: Of,
}

#[derive(Clone, Copy)]
enum Of {
    Payment,
    Note,
}

const CHECKS: [Check; 7] = [
    Check { name: "allocated", event: "INSERT", on: "allocation", key: "payment", of: Of::Payment },
    Check { name: "moved", event: "UPDATE", on: "allocation", key: "payment", of: Of::Payment },
    Check { name: "refunded", event: "INSERT", on: "refund_part", key: "payment", of: Of::Payment },
    Check { name: "repaid", event: "UPDATE", on: "refund_part", key: "payment", of: Of::Payment },
    Check { name: "paid", event: "UPDATE", on: "payment", key: "id", of: Of::Payment },
    Check { name: "taken", event: "INSERT", on: "taking", key: "note", of: Of::Note },
    Check { name: "noted", event: "UPDATE", on: "adjustment", key: "id", of: Of::Note },
];

/// The tables that have such checks, as PostgreSQL's catalogue names them.
pub(super) const TABLES: &str = "'allocation'::regclass, 'refund_part'::regclass, 'payment'::regclass, 'taking'::regclass, 'adjustment'::regclass";

/// Only on PostgreSQL: the functions of the triggers.
pub(super) fn functions() -> String {
    let function = |name: &str, table: &str, alias: &str, condition: &str, what: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF EXISTS (SELECT 1 FROM {table} {alias}
                 WHERE CAST({alias}.id AS TEXT) = to_jsonb(NEW) ->> TG_ARGV[0] AND ({condition}))
             THEN RAISE EXCEPTION '{what}'; END IF; RETURN NULL; END $$;"
        )
    };
    [
        function("fecha_payment_has", "payment", "p", PAYMENT, TOO_MUCH_MONEY),
        function("fecha_note_has", "adjustment", "n", NOTE, TOO_MUCH_CREDIT),
    ]
    .concat()
}

const TOO_MUCH_MONEY: &str = "more than there is of a payment";
const TOO_MUCH_CREDIT: &str = "more than there is of a credit or charge";

/// Name and SQL of each trigger.
pub(super) fn triggers(engine: Engine) -> Vec<(String, String)> {
    CHECKS.iter().map(|check| check.trigger(engine)).collect()
}

impl Check {
    fn trigger(&self, engine: Engine) -> (String, String) {
        let Self { name, event, on, key, of } = self;
        let name = format!("fecha_keeps_{name}");
        let (table, alias, condition, what, function) = match of {
            Of::Payment => ("payment", "p", PAYMENT, TOO_MUCH_MONEY, "fecha_payment_has"),
            Of::Note => ("adjustment", "n", NOTE, TOO_MUCH_CREDIT, "fecha_note_has"),
        };
        let sql = match engine {
            Engine::Sqlite => format!(
                "CREATE TRIGGER IF NOT EXISTS {name} AFTER {event} ON {on}
                 BEGIN SELECT RAISE(ABORT, '{what}') FROM {table} {alias}
                 WHERE {alias}.id = NEW.{key} AND ({condition}); END"
            ),
            Engine::Postgres => format!(
                "CREATE TRIGGER {name} AFTER {event} ON {on}
                 FOR EACH ROW EXECUTE FUNCTION {function}('{key}')"
            ),
        };
        (name, sql)
    }
}
