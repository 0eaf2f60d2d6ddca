use proptest::prelude::*;
use rstest::rstest;

use super::*;

const ALL: [Scheme; 3] = [Scheme::Sqlite, Scheme::Postgres, Scheme::Mysql];

fn sql(text: &str, scheme: Scheme) -> Option<String> {
    Relation::parse(text, scheme).ok().map(|relation| relation.sql('"'))
}

#[rstest]
#[case("message", r#""message""#)]
#[case(" message ", r#""message""#)]
#[case("wa.message", r#""wa"."message""#)]
#[case("wa.mensagens-2026", r#""wa"."mensagens-2026""#)]
#[case("Mensagem", r#""Mensagem""#)]
#[case("order", r#""order""#)]
#[case(r#""my schema"."a.b""#, r#""my schema"."a.b""#)]
#[case("`wa`.message", r#""wa"."message""#)]
#[case("(SELECT * FROM message)", "(SELECT * FROM message)")]
#[case("(with m as (select 1) select * from m)", "(with m as (select 1) select * from m)")]
#[case("( SELECT ')' AS kind FROM m)", "( SELECT ')' AS kind FROM m)")]
#[case("(SELECT 'it''s)' FROM m)", "(SELECT 'it''s)' FROM m)")]
#[case("((SELECT 1) UNION ALL (SELECT 2))", "((SELECT 1) UNION ALL (SELECT 2))")]
#[case("(SELECT ';', ')' -- ; )\n FROM m)", "(SELECT ';', ')' -- ; )\n FROM m)")]
#[case("(SELECT 1 /* it's ) ; */ FROM m)", "(SELECT 1 /* it's ) ; */ FROM m)")]
#[case("-- one ) ; '\n/* two ' */ (SELECT 1); -- three '\n", "(SELECT 1)")]
#[case("\u{feff}-- a file of Windows\r\n(SELECT 1\r\n);\r\n", "(SELECT 1\r\n)")]
fn what_stands_behind_from(#[case] text: &str, #[case] expected: &str) {
    for scheme in ALL {
        assert_eq!(sql(text, scheme), Some(format!("{expected} AS fecha_messages")), "{scheme:?}");
    }
}

#[rstest]
#[case("")]
#[case(".message")]
#[case("wa.")]
#[case("message m")]
#[case("message, other")]
#[case("message;")]
#[case("message; DROP TABLE message")]
#[case("message\"")]
#[case("\"message")]
#[case("\"a`b\"")]
#[case("\"message\"x")]
#[case("message -- ")]
#[case("SELECT * FROM message")]
#[case("-- a comment\nSELECT * FROM message")]
#[case("(message)")]
#[case("(DELETE FROM message RETURNING *)")]
#[case("(SELECT 1; DELETE FROM message)")]
#[case("(SELECT 1); DELETE FROM message")]
#[case("(SELECT 1);;")]
#[case("(SELECT 1) UNION (SELECT 2)")]
#[case("(SELECT 1) AS m, (SELECT 2)")]
#[case("(SELECT 1) 'm'")]
#[case("(SELECT 1")]
#[case("(SELECT 1))")]
#[case("()")]
#[case("(SELECT ')")]
#[case("(SELECT \")")]
#[case("(SELECT * FROM message -- )")]
#[case("(SELECT * FROM message /*)")]
#[case("(SELECT 1) /*")]
#[case("(SELECT 1) -- \n)")]
#[case("(SELECT 1\0)")]
#[case("(SELECT '\0')")]
fn refuses_what_is_no_relation(#[case] text: &str) {
    for scheme in ALL {
        let error = Relation::parse(text, scheme).unwrap_err();
        assert!(matches!(error, SourceError::BadRelation { .. }), "{error}");
    }
}

/// Which of SQLite, PostgreSQL and MySQL read a text as one `SELECT`.
#[rstest]
#[case(r"(SELECT '\')", [true, true, false])]
#[case(r"(SELECT 'it\'s')", [false, false, true])]
#[case(r"(SELECT '\\')", [true, true, true])]
#[case(r"(SELECT E'it\'s)')", [false, true, true])]
#[case(r"(SELECT e'it\\')", [true, true, true])]
#[case("(SELECT E'a' -- ' )\n  'b\\')')", [false, true, true])] // a continuation; in MySQL an escape
#[case("(SELECT nameE'\\')", [true, true, false])]
#[case("(SELECT 1E'\\'')", [false, true, true])]
#[case("(SELECT $$it's)$$)", [false, true, false])]
#[case("(SELECT $a$ $$ ) $b$ ' $a$)", [false, true, false])]
#[case("(SELECT $a$ $A$)", [false, false, false])]
#[case("(SELECT a$b$ FROM m)", [true, true, true])]
#[case("(SELECT $1 FROM m)", [false, true, true])]
#[case("(SELECT @a(') ') FROM m)", [false, true, true])]
#[case("(SELECT :a FROM m)", [false, true, true])]
#[case("(SELECT ? FROM m)", [false, true, true])]
#[case("(SELECT [a)b] FROM m)", [true, false, false])]
#[case("(SELECT [it's] FROM m)", [true, false, false])]
#[case("(SELECT x[1] FROM m)", [true, true, false])]
#[case("(SELECT `a)` FROM m)", [true, false, true])]
#[case("(SELECT `it's` FROM m)", [true, false, true])]
#[case("(SELECT 5--1)", [false, false, true])]
#[case("(SELECT 5 --1)\n)", [true, true, false])]
#[case("(SELECT 5 --\n)", [true, true, true])]
#[case("(SELECT 5 # )\n)", [false, false, true])]
#[case("(SELECT j #> '{a}' FROM m)", [false, true, false])]
#[case("(SELECT 1 /* /* ) */ ) */)", [false, true, false])]
#[case("(SELECT 1 /* /* */)", [true, false, true])]
#[case("(SELECT 1 /*/ ) */)", [true, true, true])]
#[case("(SELECT 1 -- )\r)", [false, true, false])]
#[case("(SELECT 1 /*! ) */)", [true, true, false])]
#[case("(SELECT 1 /*M!100 ) */)", [true, true, false])]
#[case("(SELECT 1 /*+ ) */)", [true, true, true])]
#[case("(SELECT \"a\\\")", [true, true, false])]
fn quotes_and_comments_are_read_as_the_engine_does(#[case] text: &str, #[case] is_read: [bool; 3]) {
    let reads = |scheme| {
        let relation = Relation::parse(text, scheme);
        relation.is_ok_and(|relation| {
            relation.must_hold_in(Mode::of("")).is_ok() || scheme != Scheme::Mysql
        })
    };
    assert_eq!(ALL.map(reads), is_read);
}

#[rstest]
#[case(r"(SELECT '\')", "STRICT_TRANS_TABLES", false)]
#[case(r"(SELECT '\')", "STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES", true)]
#[case(r"(SELECT 'it\'s')", "", true)]
#[case(r"(SELECT 'it\'s')", "NO_BACKSLASH_ESCAPES", false)]
#[case("(SELECT \"\\\" )\")", "", true)]
#[case("(SELECT \"\\\" )\")", "REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,ANSI", false)]
fn the_mode_of_a_mysql_server_decides_where_a_quote_ends(
    #[case] text: &str,
    #[case] sql_mode: &str,
    #[case] holds: bool,
) {
    let relation = Relation::parse(text, Scheme::Mysql).unwrap();
    assert_eq!(relation.must_hold_in(Mode::of(sql_mode)).is_ok(), holds);
}

#[test]
fn a_fault_says_its_line() {
    let said = |text| Relation::parse(text, Scheme::Sqlite).unwrap_err().to_string();
    insta::assert_snapshot!(said("-- mine\n(SELECT a,\n  'b\n FROM m)"), @"[messages] relation '(SELECT a, 'b FROM m)' has a quote that does not close (line 3): write the name of a table or view (schema.name is allowed) or one SELECT in parentheses");
    insta::assert_snapshot!(said("SELECT * FROM message"), @"[messages] relation 'SELECT * FROM message' has no parentheses around its SELECT: write the name of a table or view (schema.name is allowed) or one SELECT in parentheses");
    insta::assert_snapshot!(said("(SELECT 1) x"), @"[messages] relation '(SELECT 1) x' goes on behind its parenthesis: write the name of a table or view (schema.name is allowed) or one SELECT in parentheses");
}

#[rstest]
#[case("message", "message")]
#[case(
    "-- Chatwoot.\n# it's\n/* ( */\n(SELECT m.account_id\r\n   AS dealership_id)",
    "(SELECT m.account_id AS dealership_id)"
)]
#[case("-- nothing else", "-- nothing else")]
#[case(
    "(SELECT m.account_id AS dealership_id, COALESCE(ci.source_id, ct.phone_number) AS contact FROM messages m)",
    "(SELECT m.account_id AS dealership_id, COALESCE(ci.source_id…"
)]
#[case("(SELECT '\u{1b}[31m')", "(SELECT ' [31m')")]
fn a_relation_is_named_by_its_first_words(#[case] relation: &str, #[case] words: &str) {
    assert_eq!(first_words(relation), words);
}

/// Pieces that mean something to one lexer or another.
fn pieces() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "'", "''", "\"", "`", "\\", "--", "-- ", "\n", "\r", "#", "/*", "*/", "/", "*", "/*!",
        "$$", "$a$", "$", "E", "e'", "[", "]", "(", ")", "a", " ", "1", ",", ";", "@", ":", "?",
        "é", "SELECT ", "x'", "-",
    ]);
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// What SQLite reads of a query ends with fecha's own condition: else it would not miss its column.
    #[test]
    fn nothing_that_is_taken_swallows_what_fecha_writes(inner in pieces(), behind in pieces()) {
        let text = format!("(SELECT 1 {inner}) {behind}");
        if let Some(relation) = sql(&text, Scheme::Sqlite) {
            let database = rusqlite::Connection::open_in_memory().unwrap();
            let query = format!("SELECT COUNT(*) FROM {relation} WHERE column_of_fecha");
            prop_assert!(database.prepare(&query).is_err(), "{query}");
        }
    }

    #[test]
    fn no_text_makes_it_panic_and_what_is_taken_is_taken_again(text in pieces(), any in any::<String>()) {
        for text in [format!("({text}"), format!("(SELECT {text})"), any] {
            for scheme in ALL {
                if let Ok(Relation::Select(select)) = Relation::parse(&text, scheme) {
                    let again = Relation::parse(&select, scheme);
                    prop_assert_eq!(again.ok(), Some(Relation::Select(select)));
                }
            }
        }
    }
}
