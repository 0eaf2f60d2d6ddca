//! PIX: the BR Code behind the QR code and the copy-and-paste text of an invoice.
//!
//! Source: Banco Central do Brasil, *Manual de Padrões para Iniciação do Pix* (EMV QRCPS-MPM).

use std::fmt;
use std::str::FromStr;

use crc::{CRC_16_IBM_3740, Crc};
use serde::{Deserialize, Serialize};

use crate::party::tax_id::Cnpj;
use crate::price::money::Money;

/// A PIX key: CNPJ, telephone, email or random key, in the form that banks look it up by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PixKey(String);

/// The text is no PIX key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no PIX key: a CNPJ, a telephone as +55DDDNUMBER, an email address, or a random key (UUID)"
)]
pub struct InvalidPixKey(pub String);

impl FromStr for PixKey {
    type Err = InvalidPixKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(cnpj) = text.parse::<Cnpj>() {
            return Ok(Self(cnpj.bare().to_owned()));
        }
        let telephone = text.strip_prefix("+55").is_some_and(|rest| {
            (10..=11).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit())
        });
        let random = text.len() == 36
            && text.bytes().enumerate().all(|(i, b)| match i {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_hexdigit(),
            });
        let email = text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && text.bytes().all(|b| b.is_ascii_graphic())
        });
        if text.len() <= 77 && (telephone || random || email) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidPixKey(text.to_owned()))
        }
    }
}

impl TryFrom<String> for PixKey {
    type Error = InvalidPixKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PixKey> for String {
    fn from(key: PixKey) -> Self {
        key.0
    }
}

impl fmt::Display for PixKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who is paid.
#[derive(Debug, Clone, Copy)]
pub struct Receiver<'a> {
    /// The receiver's key.
    pub key: &'a PixKey,
    /// Folded to letters, digits, `.`, `-` and `/`, and cut to 25 characters.
    pub name: &'a str,
    /// Folded likewise, and cut to 15 characters.
    pub city: &'a str,
}

/// The BR Code that asks for `amount`; `None` where nothing is to be paid.
///
/// `txid` are 1 to 25 letters or digits: the invoice number without its hyphen.
#[must_use]
pub fn br_code(receiver: Receiver<'_>, amount: Money, txid: &str) -> Option<String> {
    if amount <= Money::ZERO {
        return None;
    }
    let account = [field("00", "br.gov.bcb.pix"), field("01", &receiver.key.0)].concat();
    let payload = [
        field("00", "01"),
        field("26", &account),
        field("52", "0000"),
        field("53", "986"),
        field("54", &amount.to_string()),
        field("58", "BR"),
        field("59", &ascii(receiver.name, 25)),
        field("60", &ascii(receiver.city, 15)),
        field("62", &field("05", txid)),
        "6304".to_owned(),
    ]
    .concat();
    let checksum = Crc::<u16>::new(&CRC_16_IBM_3740).checksum(payload.as_bytes());
    Some(format!("{payload}{checksum:04X}"))
}

/// What a BR Code of ours asks for, and its txid; `None` where it is none, or asks for nothing.
#[must_use]
pub fn asked_by(code: &str) -> Option<(Money, String)> {
    let fields = fields(code)?;
    let of = |fields: &[(String, String)], id: &str| {
        fields.iter().find(|(own, _)| own == id).map(|(_, value)| value.clone())
    };
    let txid = of(&self::fields(&of(&fields, "62")?)?, "05")?;
    Some((of(&fields, "54")?.parse().ok()?, txid))
}

/// Ids and values: two digits each for id and length, then the value.
fn fields(mut code: &str) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    while !code.is_empty() {
        let length: usize = code.get(2..4)?.parse().ok()?;
        fields.push((code.get(..2)?.to_owned(), code.get(4..4 + length)?.to_owned()));
        code = code.get(4 + length..)?;
    }
    Some(fields)
}

fn field(id: &str, value: &str) -> String {
    format!("{id}{:02}{value}", value.len())
}

/// Folds to ASCII, since banks disagree on how to count other characters, and leaves out what some of
/// them refuse in a name: `&` is said as the word, other signs are none or a blank. Never empty.
fn ascii(text: &str, most: usize) -> String {
    let folded: String = deunicode::deunicode(text)
        .replace('&', " e ")
        .chars()
        .map(|c| if matches!(c, ',' | ';') { ' ' } else { c })
        .filter(|c| c.is_ascii_alphanumeric() || " .-/".contains(*c))
        .collect();
    // A second space would not survive being copied from a page.
    let folded = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    let folded = folded.get(..most).unwrap_or(&folded).trim_end();
    let says_nothing = !folded.contains(|c: char| c.is_ascii_alphanumeric());
    if says_nothing { "NAO INFORMADO".to_owned() } else { folded.to_owned() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // Banco Central's own example (Manual de Padrões para Iniciação do Pix): its CRC is 1D3D.
    #[test]
    fn the_checksum_is_that_of_the_manual() {
        let payload = "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***6304";
        assert_eq!(Crc::<u16>::new(&CRC_16_IBM_3740).checksum(payload.as_bytes()), 0x1D3D);
    }

    #[test]
    fn a_code_has_receiver_amount_and_number() {
        let key = "11.222.333/0001-81".parse().unwrap();
        let receiver = Receiver {
            key: &key,
            name: "Inovação & Tração Comércio Ltda",
            city: "São José dos Campos",
        };
        let code = br_code(receiver, "1192.27".parse().unwrap(), "2026000001").unwrap();
        insta::assert_snapshot!(code);
        assert_eq!(asked_by(&code), Some(("1192.27".parse().unwrap(), "2026000001".to_owned())));
        assert_eq!(asked_by(&code[..code.len() - 1]), None);
        assert_eq!(asked_by("é"), None);
    }

    #[rstest]
    #[case("Inovação & Tração Comércio", "Inovacao e Tracao Comerci")]
    #[case("A&B, Filhos", "A e B Filhos")]
    #[case("O'Brien Veículos S/A.", "OBrien Veiculos S/A.")]
    #[case("  Santa   Bárbara d’Oeste ", "Santa Barbara dOeste")]
    #[case("Auto-Peças (Matriz); \"Zé\"", "Auto-Pecas Matriz Ze")]
    #[case("&,'", "e")]
    #[case("—…", "NAO INFORMADO")]
    #[case("Comércio de Automóveis AB, Cia", "Comercio de Automoveis AB")]
    fn names_have_only_what_every_bank_takes(#[case] name: &str, #[case] folded: &str) {
        assert_eq!(ascii(name, 25), folded);
    }

    #[test]
    fn nothing_to_pay_has_no_code() {
        let key = "11222333000181".parse().unwrap();
        let receiver = Receiver { key: &key, name: "A", city: "B" };
        assert_eq!(br_code(receiver, Money::ZERO, "2026000001"), None);
        assert_eq!(br_code(receiver, Money::from_centavos(-1), "2026000001"), None);
    }

    #[rstest]
    #[case("11.222.333/0001-81", "11222333000181")]
    #[case("+5554999990820", "+5554999990820")]
    #[case("Financeiro@example.com", "financeiro@example.com")]
    #[case("123e4567-e12b-12d1-a456-426655440000", "123e4567-e12b-12d1-a456-426655440000")]
    fn takes_every_kind_of_key(#[case] text: &str, #[case] key: &str) {
        assert_eq!(text.parse::<PixKey>().unwrap().to_string(), key);
    }

    #[rstest]
    #[case("")]
    #[case("11222333000182")]
    #[case("54999990820")]
    #[case("a@b")]
    fn refuses_other_texts(#[case] text: &str) {
        assert_eq!(text.parse::<PixKey>(), Err(InvalidPixKey(text.to_owned())));
    }
}
