//! What needs a person.

use serde::Serialize;

use crate::actions::attention::{Attention, Matter};
use crate::console::address;
use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::letter::Kind;
use fecha_core::price::money::{Money, grouped};

/// A matter, and where something is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// What is the matter, in a line.
    pub title: String,
    /// What it means and what to do.
    pub advice: String,
    /// The money at stake, in a line; empty where there is none.
    pub stake: String,
    /// Whom it is about: the first, most money first.
    pub names: Vec<String>,
    /// How many more.
    pub more: u64,
    /// The page where it is decided.
    pub path: String,
    /// What that page is called.
    pub link: &'static str,
}

/// How many are named.
const NAMED: usize = 3;

/// A matter as the console shows it.
#[must_use]
pub fn shown(matter: &Matter) -> Shown {
    let number = matter.number();
    let (path, link) = place(matter.first());
    let mut names: Vec<String> = matter.whose().take(NAMED).map(str::to_owned).collect();
    if number == 1 {
        // Its id stands in the title.
        let name = |who: String| who.rsplit_once("' ").map(|(_, name)| name.to_owned());
        names = names.into_iter().filter_map(name).collect();
    }
    Shown {
        title: title(matter.first(), number),
        advice: advice(matter.first()),
        stake: stake(matter.first(), matter.amount),
        more: number.saturating_sub(names.len().max(1)) as u64 * u64::from(!names.is_empty()),
        names,
        path,
        link,
    }
}

/// `1 concessionária`, `1.200 concessionárias`.
fn count(number: usize, one: &str, several: &str) -> String {
    format!("{} {}", grouped(number as u64), if number == 1 { one } else { several })
}

fn title(attention: &Attention, number: usize) -> String {
    match attention {
        Attention::Behind(behind) => format!(
            "A fatura {} já foi enviada, mas a próxima seria {}: um livro antigo foi restaurado",
            behind.mailed, behind.next
        ),
        Attention::FirstMonthAhead { first } => {
            format!("Nada é fechado antes de {}: o relógio estava ou está errado", first.in_words())
        }
        Attention::ClosedEarly { month } => {
            format!(
                "{} foi fechado antes do fim: o relógio estava adiantado",
                capital(&month.in_words())
            )
        }
        Attention::Held { month, .. } => {
            format!("{} está retido e espera por uma pessoa", capital(&month.in_words()))
        }
        Attention::NotClosedBefore { month, .. } => {
            format!("{} terminou e não está fechado", capital(&month.in_words()))
        }
        Attention::NotClosed { month } if number == 1 => {
            format!("{} terminou e não está fechado", capital(&month.in_words()))
        }
        Attention::NotClosed { .. } => format!("{number} meses terminaram e não estão fechados"),
        Attention::Exception { month, exception, .. } => {
            format!("{}: {}", capital(&month.in_words()), fact(exception, number))
        }
        Attention::MoreExceptions { month, more } => {
            format!("{}: mais {more} exceções", capital(&month.in_words()))
        }
        Attention::Left(_) => format!(
            "{} sem contrato, com dinheiro ou crédito parado",
            count(number, "concessionária", "concessionárias")
        ),
        Attention::Refused(refusal) => format!(
            "O servidor de e-mail recusa tudo: {} na fila",
            count(usize::try_from(refusal.waiting).unwrap_or(usize::MAX), "e-mail", "e-mails")
        ),
        Attention::FailedEmail(email) => {
            let what = match email.kind {
                Kind::Invoice => "de fatura",
                Kind::Digest => "de relatório",
                Kind::Alert => "de aviso",
                Kind::PackageUse => "sobre o uso do pacote",
                Kind::Reminder => "de lembrete",
                Kind::Group => "de grupo",
            };
            match number {
                1 => format!("1 e-mail {what} não foi entregue a {}", email.to()),
                _ => format!("{} e-mails {what} não foram entregues", grouped(number as u64)),
            }
        }
    }
}

fn fact(exception: &Exception, number: usize) -> String {
    let id = exception.dealership_id.as_deref().filter(|id| !id.is_empty());
    let who = match id {
        Some(id) if number == 1 => format!("'{}'", crate::actions::words::plain(id)),
        Some(_) => count(number, "concessionária", "concessionárias"),
        None => "mensagens sem concessionária".to_owned(),
    };
    match exception.reason {
        Reason::NoContract => format!("{who} com mensagens e sem pacote"),
        Reason::UnknownDealership if id.is_none() => who,
        Reason::UnknownDealership => format!("{who} fora do cadastro"),
        Reason::Malformed => format!("{who} com mensagens que não se leem"),
        Reason::NoPrice => format!("{who} com um pacote que a tabela não tem"),
        Reason::UnknownStatus => "um status que a configuração não conhece".to_owned(),
        Reason::Misdated => "mensagens com data impossível".to_owned(),
        Reason::Failed => format!("{who} sem fatura por um erro"),
    }
}

fn advice(attention: &Attention) -> String {
    match attention {
        Attention::Behind(behind) => format!(
            "Restaure o backup mais novo. Se não houver, ponha [invoice] first_number = \"{}\" na configuração e compare cada mês fechado de novo com o que foi enviado.",
            behind.mailed.next()
        ),
        Attention::FirstMonthAhead { .. } => {
            "Acerte o relógio do servidor; se está certo, importe o cadastro de novo, e o fecha volta a fechar."
                .to_owned()
        }
        Attention::ClosedEarly { .. } => {
            "Acerte o relógio do servidor. Depois do fim do mês, feche o que falta e compare o mês.".to_owned()
        }
        Attention::Held { .. } => {
            "Nada foi emitido. Confira o total, as exceções e quem ficou sem uso; depois libere.".to_owned()
        }
        Attention::NotClosed { .. } => {
            "O serviço fecha sozinho e continua tentando. Se demora, “Verificar agora”, em Sistema, diz o que impede.".to_owned()
        }
        Attention::NotClosedBefore { month, first } => format!(
            "O serviço só fecha sozinho a partir de {}. Feche {} na página do mês; se já foi faturado de outra forma, deixe como está: este aviso some quando {} fechar.",
            first.in_words(),
            month.in_words(),
            first.in_words()
        ),
        Attention::Exception { exception, invoiced, .. } => {
            let invoiced = if *invoiced { " Já tem fatura: corrija e compare o mês." } else { "" };
            format!("{}{invoiced}", exception.reason.advice_pt())
        }
        Attention::MoreExceptions { .. } => "A página do mês mostra todas.".to_owned(),
        Attention::Left(left) => match (left.money > Money::ZERO, left.credit > Money::ZERO) {
            (true, false) => "Nenhuma fatura futura vai usar este dinheiro: devolva.".to_owned(),
            (false, _) => "Nenhuma fatura futura vai usar este crédito: retire.".to_owned(),
            (true, true) => "Nenhuma fatura futura vai usar isto: devolva o dinheiro e retire o crédito.".to_owned(),
        },
        Attention::Refused(refusal) => format!(
            "Nada se perde: o fecha continua tentando e envia tudo quando o servidor aceitar. O servidor diz: {}",
            crate::actions::words::plain(&refusal.error)
        ),
        Attention::FailedEmail(_) => "Veja o motivo, corrija o endereço e envie de novo.".to_owned(),
    }
}

fn stake(attention: &Attention, amount: Money) -> String {
    if amount == Money::ZERO {
        return String::new();
    }
    let amount = amount.brl();
    match attention {
        Attention::Exception { invoiced: true, .. } => format!("{amount} faturados"),
        Attention::Exception { .. }
        | Attention::NotClosed { .. }
        | Attention::NotClosedBefore { .. }
        | Attention::Held { .. } => {
            format!("{amount} no mês anterior")
        }
        Attention::FailedEmail(_) => format!("{amount} nas faturas"),
        _ => amount,
    }
}

fn place(attention: &Attention) -> (String, &'static str) {
    match attention {
        Attention::Behind(_) | Attention::FirstMonthAhead { .. } => {
            ("/system".to_owned(), "Abrir o sistema")
        }
        Attention::Held { month, .. } => (format!("/months/{month}"), "Revisar e liberar"),
        Attention::Exception { month, invoiced: true, .. } => {
            (format!("/months/{month}/differences"), "Comparar o mês")
        }
        Attention::ClosedEarly { month }
        | Attention::NotClosed { month }
        | Attention::NotClosedBefore { month, .. }
        | Attention::MoreExceptions { month, .. }
        | Attention::Exception { month, .. } => (format!("/months/{month}"), "Abrir o mês"),
        Attention::Left(left) => (address::dealership(&left.dealership_id), "Abrir a conta"),
        Attention::Refused(_) => ("/emails".to_owned(), "Abrir os e-mails"),
        Attention::FailedEmail(_) => ("/emails?state=failed".to_owned(), "Ver e reenviar"),
    }
}

/// With a capital letter, as a sentence begins.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// With a small letter, as within a sentence.
#[must_use]
pub fn small(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
