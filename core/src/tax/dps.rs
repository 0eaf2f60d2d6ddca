//! A DPS: the declaration of a service, from which the tax authority makes an NFS-e.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use deunicode::deunicode_char;
use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;

use super::profile::Profile;
use super::taxed::Taxed;
use crate::bill::invoice::Invoice;
use crate::calendar::month::Month;
use crate::party::municipality::Municipality;
use crate::party::postal_code::PostalCode;
use crate::party::register::Dealership;
use crate::party::tax_id::Cnpj;
use crate::price::item::{Item, Line};
use crate::price::money::{Money, grouped};
use crate::price::monthly::Per;

/// The number of a DPS; of one issuer and environment no two are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DpsNumber {
    /// Which series.
    pub series: u32,
    /// Counts up in it, without a gap.
    pub number: u64,
}

/// A field of the register that a DPS needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the columns of these names")]
pub enum Field {
    PostalCode,
    Number,
    District,
    IbgeCode,
}

impl Field {
    /// The column of `dealerships.csv`.
    #[must_use]
    pub fn column(self) -> &'static str {
        match self {
            Self::PostalCode => "postal_code",
            Self::Number => "number",
            Self::District => "district",
            Self::IbgeCode => "ibge_code",
        }
    }
}

/// Why there can be no DPS for a dealership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lacking {
    /// The register lacks these fields, at least one.
    Fields(Vec<Field>),
    /// The layout takes no CNPJ with letters yet.
    Layout(Cnpj),
}

/// Who takes the service: the dealership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taker {
    /// Digits alone.
    pub cnpj: String,
    /// As the invoice prints it.
    pub name: String,
    /// With its city.
    pub municipal_registration: Option<String>,
    /// Without number and complement.
    pub street: String,
    /// Of the house.
    pub number: String,
    /// Room or block.
    pub complement: Option<String>,
    /// Part of the city.
    pub district: String,
    /// Its city.
    pub municipality: Municipality,
    /// Of its address.
    pub postal_code: PostalCode,
    /// Whether it withholds the ISS.
    pub iss_withheld: bool,
}

impl Taker {
    /// Name and CNPJ are those of the invoice; the address is as the register has it now, since number and district
    /// are of that address and of no earlier one.
    ///
    /// # Errors
    /// [`Lacking`], with all fields at once.
    pub fn of(invoice: &Invoice, dealership: &Dealership) -> Result<Self, Lacking> {
        let tax = &dealership.tax;
        let cnpj = numeric(&invoice.dealership.cnpj);
        let (Some(postal_code), Some(number), Some(district), Some(municipality)) =
            (dealership.postal_code, &tax.number, &tax.district, tax.ibge_code)
        else {
            let there = [
                (Field::PostalCode, dealership.postal_code.is_some()),
                (Field::Number, tax.number.is_some()),
                (Field::District, tax.district.is_some()),
                (Field::IbgeCode, tax.ibge_code.is_some()),
            ];
            let lacking = there.into_iter().filter(|(_, is_there)| !is_there);
            return Err(Lacking::Fields(lacking.map(|(field, _)| field).collect()));
        };
        let Some(cnpj) = cnpj else {
            return Err(Lacking::Layout(invoice.dealership.cnpj.clone()));
        };
        Ok(Self {
            cnpj,
            name: invoice.dealership.name.chars().take(300).collect(),
            municipal_registration: tax.municipal_registration.clone(),
            street: latin(street(&dealership.address, number, tax.complement.as_deref()), 255),
            number: latin(number, 60),
            complement: tax.complement.as_deref().map(|text| latin(text, 156)),
            district: latin(district, 60),
            municipality,
            postal_code,
            iss_withheld: tax.iss_withheld == Some(true),
        })
    }
}

/// The digits of a CNPJ; `None` where it has letters.
#[must_use]
pub fn numeric(cnpj: &Cnpj) -> Option<String> {
    let bare = cnpj.bare();
    bare.bytes().all(|b| b.is_ascii_digit()).then(|| bare.to_owned())
}

/// An address without the number and complement that stand behind its street, as invoices print them.
fn street<'a>(address: &'a str, number: &str, complement: Option<&str>) -> &'a str {
    let without = |address: &'a str, end: &str| {
        let rest = address.strip_suffix(end)?.trim_end();
        let street = rest.strip_suffix([',', '-', '–'])?.trim_end();
        (!street.is_empty()).then_some(street)
    };
    let address = address.trim();
    let address = complement.and_then(|end| without(address, end)).unwrap_or(address);
    without(address, number).unwrap_or(address)
}

/// The layout takes the letters of Latin-1 alone: others become those that are like them. No blanks at its ends.
fn latin(text: &str, most: usize) -> String {
    let mut folded = String::new();
    for c in text.nfc() {
        match c {
            '\u{a0}' => folded.push(' '),
            '!'..='ÿ' | ' ' => folded.push(c),
            _ => folded.push_str(deunicode_char(c).unwrap_or("?")),
        }
    }
    let cut: String = folded.trim().chars().take(most).collect();
    cut.trim_end().to_owned()
}

/// Everything that a DPS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dps<'a> {
    /// The issuer's part.
    pub profile: &'a Profile,
    /// The issuer's, digits alone.
    pub cnpj: &'a str,
    /// Which it is.
    pub number: DpsNumber,
    /// When it was made.
    pub made_at: DateTime<Tz>,
    /// In which month the service was given.
    pub month: Month,
    /// Who takes the service.
    pub taker: Taker,
    /// What the service was.
    pub description: String,
    /// Which invoice it is of, and which DPS it replaces.
    pub note: String,
    /// Its price.
    pub taxed: Taxed,
}

/// What is made of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The revision that stands.
    pub invoice: &'a Invoice,
    /// Its dealership.
    pub taker: Taker,
    /// What of it is taxed.
    pub taxed: Taxed,
    /// The DPS of an earlier revision that this one replaces.
    pub replaces: Option<DpsNumber>,
}

impl Asked<'_> {
    /// The DPS of this number, made at this instant.
    #[must_use]
    pub fn numbered<'a>(
        &self,
        profile: &'a Profile,
        cnpj: &'a str,
        (number, made_at): (DpsNumber, DateTime<Utc>),
    ) -> Dps<'a> {
        let month = self.invoice.month;
        let mut note = format!("Fatura {}, {}.", self.invoice.label(), month.in_words());
        if let Some(DpsNumber { series, number }) = self.replaces {
            note +=
                &format!(" No lugar da DPS de série {series} e número {number}, da mesma fatura.");
        }
        Dps {
            profile,
            cnpj,
            number,
            made_at: made_at.with_timezone(&self.invoice.issuer.timezone),
            month,
            taker: self.taker.clone(),
            description: description(month, &self.invoice.lines),
            note: latin(&note, 2000),
            taxed: self.taxed,
        }
    }
}

impl Dps<'_> {
    /// `DPS`, the municipality, 2 for a CNPJ, the CNPJ, series and number.
    #[must_use]
    pub fn id(&self) -> String {
        let DpsNumber { series, number } = self.number;
        format!("DPS{}2{}{series:05}{number:015}", self.profile.municipality, self.cnpj)
    }
}

/// What was given for the price, line by line. Credits stand as a discount elsewhere; what costs nothing is left out.
fn description(month: Month, lines: &[Line]) -> String {
    let lines: Vec<String> = lines.iter().filter_map(words).collect();
    let text =
        format!("Uso da API do WhatsApp Business em {}: {}", month.in_words(), lines.join("; "));
    latin(&text, 2000)
}

fn words(line: &Line) -> Option<String> {
    if line.amount == Money::ZERO {
        return None;
    }
    let quantity = grouped(line.quantity);
    let what = match &line.item {
        Item::Package { contacts } => format!("pacote de {} contatos", grouped(*contacts)),
        Item::Overage => format!("{quantity} contatos adicionais"),
        Item::Hsm => format!("{quantity} mensagens HSM"),
        Item::Messages { line, share, .. } => {
            format!("{quantity} mensagens ({})", share.in_portuguese(line))
        }
        Item::Monthly { line, per: Per::Number } => format!("{line}, {quantity} números"),
        Item::Monthly { line, per: Per::Dealership } => line.clone(),
        // At nothing.
        Item::UnbilledHsm | Item::Discount { .. } => return None,
        Item::Adjustment { .. } if line.amount < Money::ZERO => return None,
        Item::Adjustment { description } => description.clone(),
    };
    Some(format!("{what}, {}", line.amount.brl()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Rua das Videiras, 1200", "1200", None, "Rua das Videiras")]
    #[case("Rua das Videiras, 1200", "12", None, "Rua das Videiras, 1200")]
    #[case("Rodovia da Enseada, km 7", "km 7", None, "Rodovia da Enseada")]
    #[case("Avenida do Sul, 9000, bloco B", "9000", Some("bloco B"), "Avenida do Sul")]
    #[case("Avenida do Sul, 9000 - bloco B", "9000", Some("bloco B"), "Avenida do Sul")]
    #[case("Avenida do Sul, 9000", "9000", Some("bloco B"), "Avenida do Sul")]
    #[case("Avenida do Sul", "9000", None, "Avenida do Sul")]
    #[case("Avenida 15", "15", None, "Avenida 15")]
    #[case(", 15", "15", None, ", 15")]
    fn a_street_stands_without_its_number(
        #[case] address: &str,
        #[case] number: &str,
        #[case] complement: Option<&str>,
        #[case] expected: &str,
    ) {
        assert_eq!(street(address, number, complement), expected);
    }

    #[rstest]
    #[case("Praça da Estação – “Velha”", "Praça da Estação - \"Velha\"")]
    #[case("Sa\u{303}o João", "São João")]
    #[case("R$\u{a0}1,00", "R$ 1,00")]
    #[case("Łódź", "Lódz")]
    #[case(" a ", "a")]
    fn letters_are_those_of_the_layout(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(latin(text, 60), expected);
    }

    #[test]
    fn a_long_text_is_cut_and_ends_in_no_blank() {
        assert_eq!(latin("Rua do Porto", 6), "Rua do");
        assert_eq!(latin("Rua do Porto", 4), "Rua");
    }
}
