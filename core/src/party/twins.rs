//! Two ids that are one dealership to a person: a spreadsheet dropped zeros, somebody typed a capital. Each would
//! get invoices of its own, and one of them for no use.

use std::collections::HashMap;
use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::invisible::is_invisible;
use super::register::Dealership;

/// Why two ids may be one dealership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// The ids differ only by case, blanks, leading zeros or the form of their letters.
    Id,
    /// CNPJ and name are the same.
    CompanyAndName,
}

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => {
                "the ids differ only by case, blanks, leading zeros or the form of their letters"
            }
            Self::CompanyAndName => "it has the same CNPJ and name",
        })
    }
}

/// An id that is new to the register, and one that it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twin<'a> {
    /// The id that is new.
    pub new: &'a str,
    /// The other one: of the register, or one that stands before it in the file.
    pub like: &'a str,
    /// Why they may be one.
    pub likeness: Likeness,
}

/// What of an id does not tell two dealerships apart: letters in one case and form, without blanks, invisible
/// marks and zeros in front.
#[must_use]
pub fn folded(id: &str) -> String {
    let bare = |text: &str| -> String {
        text.nfkc().filter(|c| !c.is_whitespace() && !is_invisible(*c)).collect()
    };
    // Lower case is not always in the form that it was made from.
    let folded = bare(&bare(id).to_lowercase());
    let rest = folded.trim_start_matches('0');
    // Nothing but zeros is still an id.
    if rest.is_empty() && !folded.is_empty() { "0".to_owned() } else { rest.to_owned() }
}

/// The twins that come with `file`, in its order: ids that `register` lacks and that may be one that it has, or
/// one that stands before them. Ids that are in the register already were accepted once.
#[must_use]
pub fn twins<'a>(register: &'a [Dealership], file: &'a [Dealership]) -> Vec<Twin<'a>> {
    let company = |dealership: &Dealership| (dealership.cnpj.clone(), folded(&dealership.name));
    let mut by_id: HashMap<String, &str> = HashMap::new();
    let mut by_company = HashMap::new();
    for known in register {
        by_id.entry(folded(&known.id)).or_insert(&known.id);
        by_company.entry(company(known)).or_insert(known.id.as_str());
    }
    let mut twins = Vec::new();
    let is_known: std::collections::HashSet<&str> =
        register.iter().map(|known| known.id.as_str()).collect();
    for new in file.iter().filter(|new| !is_known.contains(new.id.as_str())) {
        let by_id = *by_id.entry(folded(&new.id)).or_insert(&new.id);
        let by_company = *by_company.entry(company(new)).or_insert(&new.id);
        let found = [(by_id, Likeness::Id), (by_company, Likeness::CompanyAndName)];
        let found = found.into_iter().find(|(like, _)| *like != new.id);
        twins.extend(found.map(|(like, likeness)| Twin { new: &new.id, like, likeness }));
    }
    twins
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::party::register::{EmailAddress, EvidenceWish, TaxDetails};

    #[rstest]
    #[case("001", "1")]
    #[case("000", "0")]
    #[case("D17", "d17")]
    #[case("d 17", "d17")]
    #[case(" d17\u{a0}", "d17")]
    #[case("d17\u{200b}", "d17")]
    #[case("conceic\u{327}a\u{303}o", "conceição")]
    #[case("ｄ１７", "d17")]
    #[case("ﬁat", "fiat")]
    #[case("İ", "i\u{307}")]
    #[case("00A", "a")]
    fn are_alike(#[case] one: &str, #[case] other: &str) {
        assert_eq!(folded(one), folded(other));
        assert_eq!(folded(&folded(one)), folded(one));
    }

    #[rstest]
    #[case("1", "10")]
    #[case("d1", "d01")] // a spreadsheet leaves these alone
    #[case("loja-1", "loja1")]
    #[case("são", "sao")]
    #[case("0", "")]
    fn are_not_alike(#[case] one: &str, #[case] other: &str) {
        assert_ne!(folded(one), folded(other));
    }

    fn dealership(id: &str, name: &str, cnpj: &str) -> Dealership {
        Dealership {
            id: id.to_owned(),
            name: name.to_owned(),
            trade_name: String::new(),
            cnpj: cnpj.parse().unwrap(),
            address: "Rua".to_owned(),
            city: "Recife".to_owned(),
            state: "PE".parse().unwrap(),
            email: EmailAddress::trusted("a@example.com".to_owned()),
            cc: Vec::new(),
            timezone: None,
            due_day: None,
            evidence: EvidenceWish::Hash,
            package_use: None,
            reminders: None,
            group: None,
            tax: TaxDetails::default(),
            postal_code: None,
        }
    }

    const AURORA: &str = "11.222.333/0001-81";
    const BRASIL: &str = "00.000.000/0001-91";

    fn said(register: &[Dealership], file: &[Dealership]) -> Vec<String> {
        let told = |twin: &Twin<'_>| format!("{} {} {:?}", twin.new, twin.like, twin.likeness);
        twins(register, file).iter().map(told).collect()
    }

    #[test]
    fn a_new_id_has_a_twin_in_the_register_or_before_it_in_the_file() {
        let register = [dealership("001", "Aurora", AURORA), dealership("7", "Brasil", BRASIL)];
        let file = [
            dealership("001", "Aurora Veículos", AURORA), // an update
            dealership("1", "Outra", BRASIL),
            dealership("x", "AURORA ", AURORA),
            dealership("D9", "Nova", AURORA),
            dealership("d9", "Novíssima", AURORA),
            dealership("branch", "Brasil", AURORA), // another company
        ];
        assert_eq!(said(&register, &file), ["1 001 Id", "x 001 CompanyAndName", "d9 D9 Id"]);
    }

    #[test]
    fn twins_of_the_register_were_accepted() {
        let both = [dealership("1", "Aurora", AURORA), dealership("01", "Aurora", AURORA)];
        assert_eq!(said(&both, &both), Vec::<String>::new());
        assert_eq!(said(&[], &both), ["01 1 Id"]);
        assert_eq!(said(&both, &[dealership("001", "Outra", AURORA)]), ["001 1 Id"]);
    }
}
