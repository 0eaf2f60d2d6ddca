//! What a person types to find an invoice or a dealership: a number, a part of a name, a CNPJ.

use deunicode::deunicode;

use super::group::GroupName;
use super::register::Dealership;
use crate::bill::invoice::Number;

/// The least digits of a CNPJ that are looked for as one.
const LEAST_OF_CNPJ: usize = 8;

/// What was typed, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Each word, searchable.
    words: Vec<String>,
    /// Letters and digits alone, where they may be of a CNPJ.
    cnpj: Option<String>,
    /// The invoice numbers that it may name.
    numbers: Named,
}

/// Invoice numbers that a search names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// None.
    Nothing,
    /// This one: `2026-000123`, or `2026000123` as a Pix has it.
    One(Number),
    /// The one of any year: `123`.
    OfAnyYear(u32),
}

impl Search {
    /// Reads what was typed; `None` where that is nothing.
    #[must_use]
    pub fn of(typed: &str) -> Option<Self> {
        let words: Vec<String> =
            typed.split_whitespace().map(searchable).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return None;
        }
        let bare: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
        let marks = |c: char| matches!(c, '.' | '/' | '-') || c.is_whitespace();
        let may_be = bare.len() >= LEAST_OF_CNPJ
            && bare.bytes().filter(u8::is_ascii_digit).count() >= LEAST_OF_CNPJ / 2
            && typed.chars().all(|c| c.is_ascii_alphanumeric() || marks(c));
        let cnpj = may_be.then(|| bare.to_ascii_uppercase());
        Some(Self { words, cnpj, numbers: Named::of(typed.trim()) })
    }

    /// The invoices that it names.
    #[must_use]
    pub fn named(&self) -> Named {
        self.numbers
    }

    /// Whether a dealership is meant: by its id, its CNPJ (with or without points), or by every word in its
    /// legal name, the name on its sign or that of its group, whatever the case and the accents.
    #[must_use]
    pub fn finds(&self, dealership: &Dealership) -> bool {
        let Dealership { id, name, trade_name, cnpj, group, .. } = dealership;
        let group = group.as_ref().map_or("", GroupName::as_str);
        self.finds_one(&cnpj.to_string(), [id, name, trade_name, group])
    }

    /// The same of a dealership's CNPJ, id and names by themselves.
    #[must_use]
    pub fn finds_one(&self, cnpj: &str, names: [&str; 4]) -> bool {
        let bare = || cnpj.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        if self.cnpj.as_ref().is_some_and(|typed| bare().contains(typed.as_str())) {
            return true;
        }
        let all = searchable(&names.join(" "));
        self.words.iter().all(|word| all.contains(word.as_str()))
    }
}

impl Named {
    fn of(typed: &str) -> Self {
        if let Ok(number) = typed.parse() {
            return Self::One(number);
        }
        let digits = !typed.is_empty() && typed.bytes().all(|b| b.is_ascii_digit());
        match (digits, typed.len()) {
            (true, 10) => {
                let number = format!("{}-{}", &typed[..4], &typed[4..]);
                number.parse().map_or(Self::Nothing, Self::One)
            }
            (true, 1..=7) => match typed.parse() {
                Ok(sequence) if sequence > 0 => Self::OfAnyYear(sequence),
                _ => Self::Nothing,
            },
            _ => Self::Nothing,
        }
    }
}

/// Letters without case and accents, as names are searched and sorted.
#[must_use]
pub fn searchable(text: &str) -> String {
    deunicode(text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::party::register::{EmailAddress, EvidenceWish, TaxDetails};

    fn found(typed: &str) -> bool {
        let found = Dealership {
            id: "d17".to_owned(),
            name: "Comércio de Veículos São João Ltda".to_owned(),
            trade_name: "Auto Açaí".to_owned(),
            cnpj: "11.222.333/0001-81".parse().unwrap(),
            address: String::new(),
            city: String::new(),
            state: "RS".parse().unwrap(),
            email: EmailAddress::trusted("loja@example.com".to_owned()),
            cc: Vec::new(),
            timezone: None,
            due_day: None,
            evidence: EvidenceWish::default(),
            package_use: None,
            reminders: None,
            group: None,
            tax: TaxDetails::default(),
            postal_code: None,
        };
        Search::of(typed).is_some_and(|search| search.finds(&found))
    }

    #[rstest]
    #[case("sao joao", true)]
    #[case("JOÃO são", true)]
    #[case("acai", true)]
    #[case("veiculos auto", true)]
    #[case("d17", true)]
    #[case("11.222.333/0001-81", true)]
    #[case("11222333000181", true)]
    #[case("11.222.333", true)]
    #[case("222333", false)] // too little for a CNPJ, and no word of a name
    #[case("11222333000182", false)]
    #[case("joao pedro", false)]
    #[case("", false)]
    #[case("   ", false)]
    fn finds_by_name_id_and_cnpj(#[case] typed: &str, #[case] expected: bool) {
        assert_eq!(found(typed), expected);
    }

    #[rstest]
    #[case("2026-000123", Named::One(Number { year: 2026, sequence: 123 }))]
    #[case(" 2026000123 ", Named::One(Number { year: 2026, sequence: 123 }))]
    #[case("123", Named::OfAnyYear(123))]
    #[case("000123", Named::OfAnyYear(123))]
    #[case("0", Named::Nothing)]
    #[case("11222333000181", Named::Nothing)]
    #[case("auto 123", Named::Nothing)]
    fn names_invoices(#[case] typed: &str, #[case] expected: Named) {
        assert_eq!(Search::of(typed).unwrap().named(), expected);
    }
}
