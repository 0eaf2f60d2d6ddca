use rstest::rstest;

use super::*;

fn first(value: &str, rows: Rows) -> String {
    let column = Column::new("Valor", value, rows).unwrap();
    column.cell(&fields(&fields::examples(rows)[0])).unwrap()
}

#[rstest]
#[case("total|comma", "1192,27")]
#[case("total", "1192.27")]
#[case("package_amount|plus('35.67')|minus(paid)|comma", "35,67")]
#[case("'1.1.2.01'", "1.1.2.01")]
#[case("due_date|date", "10/11/2026")]
#[case("due_date|date|digits", "10112026")]
#[case("month|last_day|date", "31/10/2026")]
#[case("month|date", "10/2026")]
#[case("dealership.cnpj|digits", "11222333000181")]
#[case("dealership.name|upper|cut(8)", "CONCESSI")]
#[case("'Fatura ' ~ number ~ ', ' ~ (month|date)", "Fatura 2026-000001, 10/2026")]
#[case("uam * 2", "10246")]
#[case("reason", "")]
#[case("'nada' if total is zero else 'algo'", "algo")]
#[case("'igual' if total == to_pay and paid < total else 'outro'", "igual")]
#[case("'=1+1'", "'=1+1")]
#[case("'-12,50'", "-12,50")]
#[case("'-12,50+1'", "'-12,50+1")]
fn an_expression_gives_a_cell(#[case] value: &str, #[case] cell: &str) {
    assert_eq!(first(value, Rows::Invoice), cell);
}

#[rstest]
#[case(
    "{'package': '3.1.1', 'overage': '3.1.2'}[line.item] if line.item in ['package', 'overage'] else '3.1.9'",
    "3.1.1"
)]
#[case("line.amount|abs|comma", "1014,00")]
#[case("'C' if line.amount is negative else 'D'", "D")]
fn a_line_has_fields_of_its_own(#[case] value: &str, #[case] cell: &str) {
    assert_eq!(first(value, Rows::Line), cell);
}

#[rstest]
#[case(
    "total|coma",
    "has an unknown filter (filter coma is unknown): there are abs, alnum, comma, cut"
)]
// Also where the first example does not come by.
#[case("total if revision == 0 else total|coma", "has an unknown filter")]
#[case("totl", "has no field 'totl': there are adjustments_amount, by, dealership, dealership_id")]
#[case("dealership.nme", "has no field 'dealership.nme': there are dealership.address")]
#[case("'x' if overdue else dealership.nme", "has no field 'dealership.nme'")]
#[case("dealership['nme']", "comes to nothing")]
#[case("line.amount", "has a line, which only rows = \"line\" has")]
#[case("total is tiny", "has an unknown test")]
#[case("total|", "is no expression: ")]
#[case("total + paid", "cannot be worked out: ")]
#[case("total * 2", "cannot be worked out: ")]
#[case("uam / 7", "comes to the binary fraction")]
#[case("1.5", "comes to the binary fraction")]
#[case("dealership.name|comma", "comma takes an amount, and 'Concessionária Exemplo Ltda' is none")]
#[case("issued_at|date", "the day of issue is issued_on")]
#[case("dealership.name|digits", "alnum keeps them")]
#[case("overdue", "comes to true or false")]
#[case("dealership", "comes to a map")]
#[case("total|float", "has an unknown filter")]
fn what_is_no_cell_is_refused(#[case] value: &str, #[case] reason: &str) {
    let error = Column::new("Valor", value, Rows::Invoice).unwrap_err().to_string();
    assert!(error.starts_with(&format!("'Valor' = \"{value}\" ")), "{error}");
    assert!(error.contains(reason), "{error}");
}
