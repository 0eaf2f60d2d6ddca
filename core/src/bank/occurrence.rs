//! What the codes of return files mean. The same code is not the same thing at each bank: 06 is a payment
//! everywhere but at Caixa's CNAB 400, where it is a change of a title's words.
//!
//! Sources: FEBRABAN, *Layout Padrão CNAB 240*, note C044; the banks' manuals of *cobrança*: Itaú (CNAB 400
//! July 2021, CNAB 240 January 2017), Bradesco (CNAB 400 and 240), Banco do Brasil (CBR643; CNAB 240 August
//! 2017), Caixa (CNAB 400 and 240, SIGCB), Santander (H7800, H7815, April 2018), Sicredi (August 2019).

/// Whose codes they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bank {
    BancoDoBrasil,
    Santander,
    Caixa,
    Bradesco,
    Itau,
    Sicredi,
}

impl Bank {
    /// The bank with this code of compensation; 353 is Santander's old one.
    pub(super) fn of(code: &str) -> Option<Self> {
        Some(match code {
            "001" => Self::BancoDoBrasil,
            "033" | "353" => Self::Santander,
            "104" => Self::Caixa,
            "237" => Self::Bradesco,
            "341" => Self::Itau,
            "748" => Self::Sicredi,
            _ => return None,
        })
    }
}

/// A bank's word for a code that is a payment.
type Payments = &'static [(&'static str, &'static str)];

const NORMAL: (&str, &str) = ("06", "liquidação normal");
const NOT_REGISTERED: (&str, &str) = ("17", "liquidação após baixa ou de título não registrado");
const BY_NOTARY: (&str, &str) = ("15", "liquidação em cartório");

/// The payments among the codes of a CNAB 240; of a bank that is not known, FEBRABAN's.
pub(super) fn payments_240(bank: Option<Bank>) -> Payments {
    match bank {
        // Its 17 is a rejected change, its 10 a title taken back because it was paid elsewhere.
        Some(Bank::Itau) => &[NORMAL, ("08", "liquidação em cartório")],
        Some(Bank::Caixa) => &[NORMAL, NOT_REGISTERED, ("46", "liquidação on-line")],
        _ => &[NORMAL, NOT_REGISTERED],
    }
}

/// The payments among the codes of a CNAB 400.
pub(super) fn payments_400(bank: Bank) -> Payments {
    match bank {
        Bank::BancoDoBrasil => &[
            ("05", "liquidado sem registro"),
            NORMAL,
            ("07", "liquidação por conta (parcial)"),
            ("08", "liquidação por saldo"),
            BY_NOTARY,
        ],
        Bank::Santander => &[
            NORMAL,
            ("07", "liquidação por conta"),
            ("08", "liquidação por saldo"),
            ("17", "liquidado em cartório"),
        ],
        Bank::Caixa => &[("21", "liquidação"), ("22", "liquidação em cartório")],
        Bank::Bradesco | Bank::Sicredi => &[NORMAL, BY_NOTARY, NOT_REGISTERED],
        Bank::Itau => &[NORMAL, ("07", "liquidação parcial"), ("08", "liquidação em cartório")],
    }
}

/// What a code of a CNAB 240 that is no payment means.
pub(super) fn other_240(bank: Option<Bank>, code: &str) -> String {
    let own = match (bank, code) {
        (Some(Bank::Itau), "04") => Some("alteração de dados"),
        (Some(Bank::Itau), "10") => Some("baixa por ter sido liquidado: look at it"),
        (Some(Bank::Itau), "15" | "16" | "17" | "18") => Some("rejeição"),
        (Some(Bank::Caixa), "44" | "47") => Some("estorno de liquidação: look at it"),
        (Some(Bank::Bradesco), "44") => Some("pago com cheque devolvido: look at it"),
        _ => None,
    };
    let febraban = || match code {
        "02" => Some("entrada confirmada"),
        "03" => Some("entrada rejeitada"),
        "04" => Some("transferência de carteira, entrada"),
        "05" => Some("transferência de carteira, baixa"),
        "07" | "08" => Some("desconto"),
        "09" => Some("baixa"),
        "11" => Some("título em ser"),
        "12" => Some("abatimento concedido"),
        "13" => Some("abatimento cancelado"),
        "14" => Some("vencimento alterado"),
        "15" => Some("franco de pagamento"),
        "19" => Some("instrução de protesto confirmada"),
        "20" => Some("sustação de protesto confirmada"),
        "23" => Some("remessa a cartório"),
        "24" => Some("retirada de cartório"),
        "25" => Some("protestado e baixado"),
        "26" => Some("instrução rejeitada"),
        "27" => Some("alteração confirmada"),
        "28" => Some("tarifa"),
        "30" => Some("alteração rejeitada"),
        _ => None,
    };
    coded(code, own.or_else(febraban))
}

/// What a code of a CNAB 400 that is no payment means.
pub(super) fn other_400(bank: Bank, code: &str) -> String {
    let own = match (bank, code) {
        (Bank::Caixa, "01") => Some("entrada confirmada"),
        (Bank::Caixa, "02") => Some("baixa confirmada"),
        (Bank::Caixa, "06") => Some("uso da empresa alterado"),
        (Bank::Caixa, "20") => Some("título em ser"),
        (Bank::Caixa, "23" | "24" | "25") => Some("baixa"),
        (Bank::Caixa, "33") => Some("estorno de baixa ou liquidação: look at it"),
        (Bank::Caixa, "99")
        | (Bank::Itau, "15" | "16" | "17" | "18" | "60")
        | (Bank::Bradesco | Bank::Sicredi, "24" | "27" | "30" | "32") => Some("rejeição"),
        (Bank::BancoDoBrasil, "03") => Some("comando recusado"),
        (Bank::BancoDoBrasil, "44") => Some("pago com cheque devolvido: look at it"),
        (Bank::BancoDoBrasil, "46") => Some("pago com cheque, aguardando compensação"),
        (Bank::Itau, "10") => Some("baixa por ter sido liquidado: look at it"),
        (Bank::Itau, "59") => Some("baixa por crédito em conta (Sispag): look at it"),
        (Bank::Itau, "69") => Some("cheque devolvido: look at it"),
        (Bank::Bradesco, "16") => Some("pago em cheque, vinculado"),
        (Bank::Bradesco, "22") => Some("pagamento cancelado: look at it"),
        (Bank::Bradesco, "40") => Some("estorno de pagamento: look at it"),
        (Bank::Santander, "16") => Some("título já baixado ou liquidado: look at it"),
        _ => None,
    };
    let common = || match code {
        "02" => Some("entrada confirmada"),
        "03" => Some("entrada rejeitada"),
        "09" | "10" => Some("baixa"),
        "11" => Some("título em ser"),
        "12" => Some("abatimento concedido"),
        "13" => Some("abatimento cancelado"),
        "14" => Some("vencimento alterado"),
        "28" if matches!(bank, Bank::Bradesco | Bank::Sicredi) => Some("tarifa"),
        _ => None,
    };
    // Caixa's codes are all its own.
    coded(code, if bank == Bank::Caixa { own } else { own.or_else(common) })
}

/// A kind of line that was left out: the bank's code, and what it means where that is known.
fn coded(code: &str, meaning: Option<&str>) -> String {
    format!("{code} {}", meaning.unwrap_or("another occurrence of the bank"))
}
