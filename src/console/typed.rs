//! What people type into forms: amounts, days and addresses as Brazilians write them.

use crate::letters::mailbox;
use chrono::NaiveDate;
use fecha_core::bank::{read_amount, read_day};
use fecha_core::party::register::EmailAddress;
use fecha_core::price::money::Money;

/// An amount in reais; `None` where nothing was typed.
///
/// # Errors
/// What to type instead.
pub fn amount(text: &str) -> Result<Option<Money>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let refused = |_| format!("“{}” não é um valor em reais: escreva como 1.014,00.", text.trim());
    read_amount(text).map(Some).map_err(refused)
}

/// A day.
///
/// # Errors
/// What to type instead.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    let refused = |_| match text.trim() {
        "" => "Informe o dia.".to_owned(),
        text => format!("“{text}” não é um dia: escreva como 10/11/2026."),
    };
    read_day(text).map_err(refused)
}

/// Why something is done: one line, never empty.
///
/// # Errors
/// What to type.
pub fn reason(text: &str) -> Result<String, String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return Err("Escreva o motivo: ele fica na auditoria.".to_owned());
    }
    if line.chars().count() > 500 {
        return Err("O motivo tem no máximo 500 letras.".to_owned());
    }
    Ok(line)
}

/// An email address; `None` where nothing was typed.
///
/// # Errors
/// What to type instead.
pub fn address(text: &str) -> Result<Option<EmailAddress>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let refused = |_| {
        format!(
            "“{text}” não é um endereço que servidores aceitem: escreva como nome@exemplo.com.br."
        )
    };
    mailbox::address(text).map(Some).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_days_are_read_as_they_are_written_here() {
        assert_eq!(amount(" R$ 1.014,00 ").unwrap(), Some(Money::from_centavos(101_400)));
        assert_eq!(amount("1014.00").unwrap(), Some(Money::from_centavos(101_400)));
        assert_eq!(amount("  ").unwrap(), None);
        assert!(amount("7.380").unwrap_err().contains("“7.380”"));
        assert_eq!(day("10/11/2026").unwrap().to_string(), "2026-11-10");
        assert_eq!(day("2026-11-10").unwrap().to_string(), "2026-11-10");
        assert!(day("31/02/2026").is_err());
        assert_eq!(reason("  a \n b ").unwrap(), "a b");
        assert!(reason(" \n").is_err());
        assert_eq!(address(" loja@example.com ").unwrap().unwrap().as_str(), "loja@example.com");
        assert!(address("loja").is_err());
    }
}
