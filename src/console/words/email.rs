//! Emails: what they are, where they stand, why one was not taken.

use super::invoice::Badge;
use fecha_core::letter::{Kind, LetterState};

/// Where an email stands.
#[must_use]
pub fn state(state: LetterState) -> Badge {
    let (words, kind) = match state {
        LetterState::Pending => ("Na fila", "quiet"),
        LetterState::Sending => ("Enviando", "quiet"),
        LetterState::Sent => ("Enviado", "good"),
        LetterState::Failed => ("Não entregue", "bad"),
        LetterState::Withdrawn => ("Retirado", "quiet"),
    };
    Badge { words, kind }
}

/// What an email is.
#[must_use]
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Invoice => "Fatura",
        Kind::Digest => "Relatório",
        Kind::Alert => "Alerta",
        Kind::PackageUse => "Uso do pacote",
        Kind::Reminder => "Lembrete",
        Kind::Group => "Grupo",
    }
}

/// Why an email failed and what to do, from what was recorded of its last attempt: the server's own words may stand
/// in any language, its codes do not.
#[must_use]
pub fn why(error: &str) -> &'static str {
    let given_up = error.starts_with("given up");
    match enhanced(error) {
        Some((1, 2)) => {
            "O domínio do endereço (o que vem depois do @) não existe. Confira se foi digitado certo e envie para o endereço correto."
        }
        Some((1, 3)) => {
            "O endereço está escrito de um modo que o servidor não aceita. Corrija e envie de novo."
        }
        Some((1, 6)) => {
            "O destinatário mudou de endereço. Peça o novo à concessionária e envie para ele."
        }
        Some((1, _)) => {
            "O endereço não existe no servidor do destinatário. Confira se foi digitado certo ou peça outro à concessionária, e envie para ele."
        }
        Some((2, 1)) => {
            "A caixa postal do destinatário está desativada. Peça outro endereço à concessionária."
        }
        Some((2, 2)) => {
            "A caixa postal do destinatário ficou cheia por quatro dias. Avise a concessionária, depois envie de novo ou para outro endereço."
        }
        Some((2, 3) | (3, 4)) => {
            "A mensagem é grande demais para o servidor do destinatário. Envie para outro endereço ou entregue os arquivos por outro caminho."
        }
        Some((4, _)) => {
            "O servidor do destinatário não foi alcançado. Confira o endereço; se estiver certo, envie de novo mais tarde."
        }
        Some((7, _)) => {
            "O servidor do destinatário recusou a mensagem por regra própria (antispam ou política). Peça à concessionária que libere o remetente, depois envie de novo."
        }
        _ if error.contains("RCPT TO") && refused_for_good(error) => {
            "O servidor não aceita este destinatário. Confira o endereço ou peça outro à concessionária, e envie para ele."
        }
        _ if given_up => {
            "O servidor do destinatário não aceitou a mensagem durante quatro dias. Confira o endereço; se estiver certo, envie de novo."
        }
        _ if refused_for_good(error) => {
            "O servidor recusou a mensagem. Confira o endereço e envie de novo; se acontecer outra vez, mostre a resposta do servidor a quem cuida do e-mail."
        }
        _ => {
            "O e-mail não pôde ser montado ou entregue. Envie de novo; se acontecer outra vez, mostre a mensagem técnica a quem administra o fecha."
        }
    }
}

/// Whether a reply of 500 to 599 stands in it.
fn refused_for_good(error: &str) -> bool {
    error.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').any(|word| {
        word.len() == 3 && word.starts_with('5') && word.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Subject and detail of the enhanced status code (RFC 3463).
fn enhanced(error: &str) -> Option<(u16, u16)> {
    error.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        let [class @ ("4" | "5"), subject, detail] = parts.as_slice() else { return None };
        let _ = class;
        Some((subject.parse().ok()?, detail.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("mx.example.com:25: RCPT TO: 550 5.1.1 no such user", "não existe no servidor")]
    #[case("RCPT TO: 550 unknown", "não aceita este destinatário")]
    #[case("550 5.1.1 no such user", "não existe no servidor")]
    #[case("end of message: 552 5.3.4 too large", "grande demais")]
    #[case("given up after 4 days: RCPT TO: 452 4.2.2 mailbox full", "cheia por quatro dias")]
    #[case("given up after 4 days: no answer within 300 seconds", "durante quatro dias")]
    #[case("RCPT TO: 550 5.7.1 blocked", "regra própria")]
    #[case("the ledger lacks a file of 2026-000001", "não pôde ser montado")]
    fn says_why_and_what_to_do(#[case] error: &str, #[case] expected: &str) {
        assert!(why(error).contains(expected), "{}", why(error));
    }
}
