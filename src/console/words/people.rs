//! Why somebody is not let in, invited or changed.

use chrono::{DateTime, Utc};

use crate::actions::login::LoginError;
use crate::actions::people::PeopleError;
use crate::actions::tokens::{DAYS, TokenError};
use fecha_core::party::person::{
    LONGEST_PASSWORD, Role, SHORTEST_PASSWORD, Standing, WeakPassword,
};

const AWAY: &str = "O banco de dados do fecha não responde. Nada foi alterado.";
const BUSY: &str =
    "Muitas pessoas estão entrando ao mesmo tempo. Tente de novo em alguns segundos.";

/// Why nobody is logged in.
#[must_use]
pub fn login(error: &LoginError, now: DateTime<Utc>) -> String {
    match error {
        LoginError::Wrong => "E-mail ou senha incorretos.".to_owned(),
        LoginError::Locked { until } => {
            let minutes = ((*until - now).num_seconds().max(1) + 59) / 60;
            let unit = if minutes == 1 { "minuto" } else { "minutos" };
            format!("Muitas senhas erradas. Tente de novo em {minutes} {unit}.")
        }
        LoginError::Busy(_) => BUSY.to_owned(),
        LoginError::Ledger(_) => AWAY.to_owned(),
    }
}

/// Why a person is as they were.
#[must_use]
pub fn people(error: &PeopleError) -> String {
    match error {
        PeopleError::Address(error) if error.0.is_empty() => {
            "Escreva o e-mail da pessoa.".to_owned()
        }
        PeopleError::Address(error) => {
            format!("“{}” não é um endereço de e-mail. Escreva como nome@example.com.br.", error.0)
        }
        PeopleError::NotPrintable(_) => {
            "O nome tem sinais que os documentos não imprimem.".to_owned()
        }
        PeopleError::Name(name) => {
            format!("“{name}” não diz de quem é. Escreva o nome da pessoa, com até 80 letras.")
        }
        PeopleError::Known(email) => {
            format!("{email} já está na lista: abaixo você pode enviar um novo convite.")
        }
        PeopleError::NameTaken(name) => format!(
            "“{name}” já é o nome de outra pessoa, e a auditoria distingue as pessoas pelo nome. Acrescente um sobrenome."
        ),
        PeopleError::Unknown(email) => format!("Ninguém entra com o e-mail {email}."),
        PeopleError::Disabled(email) => {
            format!("O acesso de {email} está desativado. Reative-o primeiro.")
        }
        PeopleError::LastAdmin(email) => format!(
            "{email} é a última pessoa da administração que consegue entrar. Dê antes esse papel a mais alguém."
        ),
        PeopleError::Void => {
            "O convite já foi usado, venceu ou não existe. Peça um novo a quem administra o fecha."
                .to_owned()
        }
        PeopleError::Weak(error) => weak(*error),
        PeopleError::Busy(_) => BUSY.to_owned(),
        PeopleError::Ledger(_) => AWAY.to_owned(),
    }
}

fn weak(error: WeakPassword) -> String {
    match error {
        WeakPassword::Short => format!(
            "A senha precisa de pelo menos {SHORTEST_PASSWORD} letras, por exemplo quatro palavras."
        ),
        WeakPassword::Long => format!("A senha pode ter no máximo {LONGEST_PASSWORD} bytes."),
        WeakPassword::Known => {
            "A senha não pode ser o seu e-mail ou o seu nome, nem feita deles.".to_owned()
        }
        WeakPassword::Monotonous => {
            "A senha repete poucas letras e seria adivinhada logo. Escolha outra.".to_owned()
        }
    }
}

/// Why a token is as it was.
#[must_use]
pub fn token(error: &TokenError) -> String {
    match error {
        TokenError::Name => "Escreva para que serve o token, com até 80 letras.".to_owned(),
        TokenError::NotPrintable(_) => "O nome tem sinais que as páginas não mostram.".to_owned(),
        TokenError::Days { .. } => {
            format!("Um token vale de {} a {} dias.", DAYS.start(), DAYS.end())
        }
        TokenError::Unknown(_) => "Este token já não vale.".to_owned(),
        TokenError::Ledger(_) => AWAY.to_owned(),
    }
}

/// What a role is called.
#[must_use]
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "Consulta",
        Role::Finance => "Financeiro",
        Role::Admin => "Administração",
    }
}

/// What a standing is called.
#[must_use]
pub fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Invited => "Convidado",
        Standing::Active => "Ativo",
        Standing::Disabled => "Desativado",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letters::mailbox::InvalidAddress;

    #[test]
    fn who_typed_no_address_is_asked_for_one() {
        let said = |typed: &str| people(&PeopleError::Address(InvalidAddress(typed.to_owned())));
        assert_eq!(said(""), "Escreva o e-mail da pessoa.");
        assert!(said("ana").contains("“ana” não é um endereço"), "{}", said("ana"));
    }
}
