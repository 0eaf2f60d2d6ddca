//! Why a close failed, in Portuguese, for the people that an alert calls. The words of a server or of a driver
//! stay as they are, between backticks.

use crate::actions::close::CloseError;
use crate::actions::group_bill::GroupBillError;
use crate::actions::handover::HandoverError;
use crate::actions::recount::RecountError;
use crate::actions::rerun::RerunError;
use crate::actions::simulate::SimulateError;
use crate::actions::task::TaskError;
use crate::document::NotPrintable;
use crate::ledger::{LedgerError, Missing};
use crate::messages::SourceError;
use fecha_core::price::money::grouped;
use fecha_core::price::table::NoPrice;

/// What kept a month from being closed.
#[must_use]
pub fn why(error: &CloseError) -> String {
    match error {
        CloseError::UnknownDealerships(_) => {
            "Foram pedidas concessionárias que não estão no cadastro.".to_owned()
        }
        CloseError::NotEnded { month, .. } => {
            format!("{} ainda não terminou em nenhum fuso.", month.in_words())
        }
        CloseError::NoPrice(error) => price(error),
        CloseError::Source(error) => source(error),
        CloseError::Ledger(error) | CloseError::Handover(HandoverError::Ledger(error)) => {
            ledger(error)
        }
        CloseError::GroupBill(error) => group_bill(error),
        CloseError::Handover(HandoverError::Template(error)) => format!(
            "Tudo foi emitido, mas o relatório ao financeiro não pôde ser escrito: `{error}`"
        ),
        CloseError::Handover(HandoverError::Compose(error)) => {
            format!("Tudo foi emitido, mas o relatório ao financeiro não pôde ser feito: `{error}`")
        }
    }
}

/// What kept a group from its page.
fn group_bill(error: &GroupBillError) -> String {
    match error {
        GroupBillError::Ledger(error) => ledger(error),
        GroupBillError::Render { group, cause } => format!(
            "As faturas foram emitidas, mas o resumo do grupo {group} não pôde ser feito: `{cause}`"
        ),
        GroupBillError::Template { group, cause } => format!(
            "As faturas foram emitidas, mas o e-mail ao grupo {group} não pôde ser escrito: `{cause}`"
        ),
    }
}

/// What kept a task from being carried out.
#[must_use]
pub fn why_not(error: &TaskError) -> String {
    match error {
        TaskError::Close(error) => why(error),
        TaskError::Recount(error) | TaskError::Rerun(RerunError::Recount(error)) => recount(error),
        TaskError::Rerun(RerunError::NotPrintable(error)) => not_printable("O motivo", error),
        TaskError::Rerun(RerunError::UnknownDealerships(unknown)) => {
            why(&CloseError::UnknownDealerships(unknown.clone()))
        }
        TaskError::Rerun(RerunError::Handover(HandoverError::Ledger(error)))
        | TaskError::Ledger(error)
        | TaskError::Simulate(SimulateError::Ledger(error)) => ledger(error),
        TaskError::Rerun(RerunError::Handover(error)) => {
            format!("Tudo foi emitido, mas o relatório ao financeiro não pôde ser feito: `{error}`")
        }
        TaskError::Rerun(RerunError::GroupBill(error)) => group_bill(error),
        TaskError::Simulate(SimulateError::NoPrice(error)) => not_simulated(error),
        TaskError::NoUpload => {
            "O arquivo enviado não está mais guardado: envie-o de novo.".to_owned()
        }
    }
}

/// Why a text that documents print was refused: `what` it is.
#[must_use]
pub fn not_printable(what: &str, error: &NotPrintable) -> String {
    let lacking: Vec<String> = error.lacking().iter().map(|c| format!("'{c}'")).collect();
    format!(
        "{what} contém {}, que a letra dos documentos não tem: escreva com letras latinas.",
        lacking.join(", ")
    )
}

/// Why months cannot be priced by a table that somebody typed.
#[must_use]
pub fn not_simulated(error: &NoPrice) -> String {
    let why = match error {
        NoPrice::Month { month } => {
            format!("a tabela digitada não vale em {}", month.in_words())
        }
        NoPrice::List { list, .. } | NoPrice::ListMonth { list, .. } => {
            format!("não há tabela da lista de preços {list}")
        }
        NoPrice::Package { package, .. } => format!(
            "a tabela digitada não tem o pacote de {} contatos, que há em faturas do período. Escreva o preço dele",
            grouped(*package)
        ),
        NoPrice::TooLarge { quantity, price } => {
            format!("{} × {} é grande demais", grouped(*quantity), price.brl())
        }
        NoPrice::NotToldApart { what, by_number: _ } => {
            format!("{what} não foi contada por categoria, e estes preços pedem isso")
        }
        NoPrice::Unproved | NoPrice::TooManyKinds => {
            "as mensagens por categoria não fecham com as contadas".to_owned()
        }
    };
    format!("Não dá para simular: {why}.")
}

fn recount(error: &RecountError) -> String {
    match error {
        RecountError::NoPrice(error) => price(error),
        RecountError::Source(error) => source(error),
        RecountError::Ledger(error) => ledger(error),
    }
}

fn price(error: &NoPrice) -> String {
    match error {
        NoPrice::Month { month } => format!(
            "Nenhuma tabela de preços vale para {}: acrescente em `[[prices]]` uma cujo `from` não seja depois desse mês.",
            month.in_words()
        ),
        NoPrice::List { list, known: _ } => format!(
            "Não há lista de preços `{list}`: acrescente `list = \"{list}\"` a uma tabela de `[[prices]]` ou corrija o contrato."
        ),
        NoPrice::ListMonth { list, month } => format!(
            "A lista de preços `{list}` não tem tabela para {}: acrescente em `[[prices]]` uma com `list = \"{list}\"` cujo `from` não seja depois desse mês.",
            month.in_words()
        ),
        NoPrice::Package { list: Some(list), package, known, .. } => format!(
            "A tabela da lista de preços `{list}` não tem pacote de {package} contatos (tem: {known}): acrescente-o em `[[prices]]` ou corrija o contrato."
        ),
        NoPrice::Package { list: None, package, known, .. } => format!(
            "A tabela de preços não tem pacote de {package} contatos (tem: {known}): acrescente-o em `[[prices]]` ou corrija o contrato."
        ),
        NoPrice::TooLarge { quantity, price } => {
            format!("O valor de {quantity} × {} é grande demais.", price.brl())
        }
        NoPrice::NotToldApart { .. } | NoPrice::Unproved => {
            "As mensagens por categoria não fecham com as contadas: conte de novo e nos avise.".to_owned()
        }
        NoPrice::TooManyKinds => "As mensagens têm mais de mil categorias e números diferentes: confira as colunas `category` e `number` da origem.".to_owned(),
    }
}

fn source(error: &SourceError) -> String {
    match error {
        SourceError::UnknownScheme { database } => format!(
            "O endereço do banco de mensagens, `{database}`, não começa com sqlite:, postgres:// nem mysql://: corrija `[messages] url`."
        ),
        SourceError::BadUrl { database, cause } => format!(
            "O endereço do banco de mensagens, `{database}`, não pode ser lido (`{cause}`): corrija `[messages] url`."
        ),
        SourceError::BadRelation { relation, .. } => format!(
            "A relação `{relation}` de `[messages] relation` não é um nome de tabela nem um SELECT entre parênteses."
        ),
        SourceError::Unreachable { database, cause } => format!(
            "O banco de mensagens `{database}` não responde: `{cause}`. Verifique se o servidor está no ar e se host e porta em `[messages] url` estão certos."
        ),
        SourceError::NotNow { database, cause } => format!(
            "O banco de mensagens `{database}` não pode ser lido agora: `{cause}`. Se outro programa o bloqueia por mais de um minuto, ele precisa terminar antes as suas transações."
        ),
        SourceError::AccessDenied { place, cause } => format!(
            "O acesso a {} foi recusado: `{cause}`. Verifique usuário e senha em `[messages] url` e dê a esse usuário o direito de leitura (GRANT SELECT).",
            at(&place.relation, &place.database)
        ),
        SourceError::RowSecurity { place, cause } => format!(
            "A segurança por linha esconderia linhas de {} desse usuário (`{cause}`), e as concessionárias delas seriam faturadas sem uso: use o dono da tabela ou um papel com BYPASSRLS.",
            at(&place.relation, &place.database)
        ),
        SourceError::NoSuchDatabase { database, cause } => format!(
            "O banco de mensagens `{database}` não existe: `{cause}`. Corrija `[messages] url`."
        ),
        SourceError::NoSuchRelation { place, cause } => format!(
            "{} não existe: `{cause}`. Corrija `[messages] relation`; maiúsculas e minúsculas são diferentes.",
            at(&place.relation, &place.database)
        ),
        SourceError::MissingColumns { place, columns } => format!(
            "Faltam colunas em {}: `{}`.",
            at(&place.relation, &place.database),
            columns.join(", ")
        ),
        SourceError::WrongType { place, found, expected } => format!(
            "A coluna `sent_at` de {} é `{found}`, mas tem de ser `{expected}`.",
            at(&place.relation, &place.database)
        ),
        SourceError::NullSentAt { place, messages, incoming } => format!(
            "{messages} mensagens de {} não têm `sent_at`, {incoming} delas recebidas: não são de nenhum mês e ficariam de fora. Dê a elas a hora de outra coluna (COALESCE).",
            at(&place.relation, &place.database)
        ),
        SourceError::Residual { place, .. } => format!(
            "A conferência de {} não fecha: os grupos não somam a contagem do banco. Nada foi emitido. Se acontecer de novo, verifique se a relação dá as mesmas linhas duas vezes seguidas.",
            at(&place.relation, &place.database)
        ),
        SourceError::Other { place, cause, .. } => {
            format!("A leitura de {} falhou: `{cause}`", at(&place.relation, &place.database))
        }
    }
}

/// Where it was.
fn at(relation: &str, database: &str) -> String {
    format!("`{relation}` em `{database}`")
}

/// What the ledger could not do.
#[must_use]
pub fn ledger(error: &LedgerError) -> String {
    match error {
        LedgerError::UnknownEngine(url) => format!(
            "O endereço do ledger, `{url}`, não começa com sqlite: nem postgres://: corrija `[ledger] url`."
        ),
        LedgerError::Unreachable { ledger, cause } => {
            format!("O ledger `{ledger}` não responde: `{cause}`. Nada ficou pela metade.")
        }
        LedgerError::Busy { cause, .. } => {
            format!("O ledger está ocupado: `{cause}`. Nada ficou pela metade.")
        }
        LedgerError::NotWritable { cause, .. } => format!(
            "O ledger pode ser lido, mas não escrito: `{cause}`. Nada ficou pela metade; verifique o disco e os direitos."
        ),
        LedgerError::Missing { ledger, missing } => {
            let missing = match missing {
                Missing::NoFile => "o arquivo não está lá",
                Missing::EmptyFile => "o arquivo está vazio",
                Missing::NoTables => "o banco não tem as tabelas do fecha",
            };
            format!("Não há ledger em `{ledger}`: {missing}.")
        }
        LedgerError::Replaced { file } => format!(
            "O arquivo do ledger, `{file}`, foi apagado ou trocado durante o uso: nada mais é escrito. Restaure-o e reinicie o fecha."
        ),
        LedgerError::BadUrl { ledger, cause } => format!(
            "O endereço do ledger, `{ledger}`, não pode ser lido (`{cause}`): corrija `[ledger] url`."
        ),
        LedgerError::AccessDenied { ledger, cause } => format!(
            "O acesso ao ledger `{ledger}` foi recusado: `{cause}`. Verifique usuário e senha em `[ledger] url`."
        ),
        LedgerError::NoSuchDatabase { ledger, cause } => {
            format!("O ledger `{ledger}` não existe: `{cause}`. Corrija `[ledger] url`.")
        }
        LedgerError::CannotOpen { ledger, cause } => {
            format!("O ledger `{ledger}` não abre: `{cause}`")
        }
        LedgerError::Newer(ledger) => format!(
            "O ledger `{ledger}` é de um fecha mais novo: instale a versão que o escreveu, ou uma posterior."
        ),
        LedgerError::OtherKey { .. } => {
            "A chave da comprovação não é a deste ledger: ponha de volta o `evidence.key` que estava ao lado da configuração.".to_owned()
        }
        LedgerError::Corrupt(what) => format!(
            "O ledger contém o que o fecha não escreveu: `{what}`. Restaure-o de uma cópia; nada foi mudado."
        ),
        LedgerError::Damaged { label, .. } => format!(
            "Um documento de {label} não é o que foi emitido. Não é enviado; restaure o ledger de uma cópia."
        ),
        LedgerError::Deposed => "Outro fecha daemon assumiu.".to_owned(),
        LedgerError::TakenOver => "O pedido demorou demais e outro o assumiu.".to_owned(),
        LedgerError::Database { source, .. } => format!("O ledger recusou uma operação: `{source}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_stay_as_they_are() {
        let (database, cause) = ("postgres://db/whats".to_owned(), "connection refused".to_owned());
        let away = CloseError::Source(SourceError::Unreachable { database, cause });
        insta::assert_snapshot!(why(&away), @"O banco de mensagens `postgres://db/whats` não responde: `connection refused`. Verifique se o servidor está no ar e se host e porta em `[messages] url` estão certos.");
        let (ledger, missing) = ("sqlite:fecha.db".to_owned(), Missing::NoFile);
        let gone = CloseError::Ledger(LedgerError::Missing { ledger, missing });
        insta::assert_snapshot!(why(&gone), @"Não há ledger em `sqlite:fecha.db`: o arquivo não está lá.");
    }
}
