//! The register: columns, why a row is refused, what an import does.

use crate::actions::adjust::AdjustError;
use crate::actions::portuguese::not_printable;
use crate::actions::register::ChangeError;
use crate::letters::mailbox::InvalidAddress;
use crate::setup::register::BadRow;
use crate::setup::register::changes::{Becomes, Key};
use crate::setup::register::reason::{Misfit, Place, Reason, Wish};
use fecha_core::account::note::NoteState;
use fecha_core::party::email::Refusal;
use fecha_core::party::municipality::InvalidMunicipality;
use fecha_core::party::numbers::InvalidNumber;
use fecha_core::party::postal_code::InvalidPostalCode;
use fecha_core::party::tax_id::InvalidCnpj;
use fecha_core::party::twins::Likeness;
use fecha_core::price::money::grouped;
use fecha_core::price::table::NoPrice;

const CSV_UTF_8: &str = "salve no Excel como \"CSV UTF-8 (Delimitado por vírgulas)\"";
const SPREADSHEET: &str = "a planilha arredondou um número longo e perdeu os últimos dígitos: formate a coluna como texto e escreva de novo";

/// What a column is called on a page.
#[must_use]
pub fn column(name: &str) -> &str {
    match name {
        "id" => "identificação",
        "name" => "razão social",
        "trade_name" => "nome fantasia",
        "cnpj" => "CNPJ",
        "address" => "endereço",
        "city" => "cidade",
        "state" => "UF",
        "email" => "e-mail",
        "cc" => "cópias",
        "timezone" => "fuso horário",
        "due_day" => "dia de vencimento",
        "evidence" => "comprovação",
        "package_use" => "aviso de uso do pacote",
        "reminders" => "lembretes",
        "group" => "grupo",
        "postal_code" => "CEP",
        "complement" => "complemento",
        "district" => "bairro",
        "ibge_code" => "código IBGE do município",
        "municipal_registration" => "inscrição municipal",
        "iss_withheld" => "retém o ISS",
        "dealership_id" => "concessionária",
        "from_month" => "a partir de",
        "package" => "pacote",
        "number" => "número",
        "to_month" => "até",
        other => other,
    }
}

/// A cell as people read it: the words of the files are English.
#[must_use]
pub fn cell(column: &str, value: &str) -> String {
    match (column, value) {
        (_, "") => "(vazio)".to_owned(),
        ("evidence", "yes") => "arquivo em cada e-mail".to_owned(),
        ("evidence", "annex") => "arquivo e anexo no extrato".to_owned(),
        ("evidence", "no") => "só o código na fatura".to_owned(),
        (_, "yes") => "sim".to_owned(),
        (_, "no") => "não".to_owned(),
        ("package", "none") => "sem contrato".to_owned(),
        ("package", package) => package.parse().map_or_else(|_| package.to_owned(), grouped),
        _ => value.to_owned(),
    }
}

/// What becomes of a row.
#[must_use]
pub fn becomes(change: Becomes) -> &'static str {
    match change {
        Becomes::Added => "novo",
        Becomes::Updated => "muda",
        Becomes::Removed => "sai",
    }
}

/// Which row.
#[must_use]
pub fn key(key: &Key) -> String {
    match key {
        Key::Dealership { dealership_id } => format!("Concessionária {dealership_id}"),
        Key::Contract { dealership_id, from_month } => {
            format!("Contrato de {dealership_id} a partir de {}", from_month.in_words())
        }
        Key::Number { number, from_month } => {
            format!("Número {number} a partir de {}", from_month.in_words())
        }
    }
}

/// Why a row is refused, or is to be mended, and what to write.
#[must_use]
pub fn reason(reason: &Reason) -> String {
    let words = match reason {
        Reason::CodePage { .. }
        | Reason::Utf16
        | Reason::EmptyFile { .. }
        | Reason::NotSeparated { .. }
        | Reason::NoHeader { .. }
        | Reason::UnknownColumn { .. }
        | Reason::ColumnTwice(_)
        | Reason::ColumnMissing(_)
        | Reason::Width { .. } => of_a_file(reason),
        Reason::IdTwice { .. }
        | Reason::ContractTwice { .. }
        | Reason::NumberTwice { .. }
        | Reason::Box(_)
        | Reason::Hidden { .. }
        | Reason::NumberOfTwo { .. }
        | Reason::Twin { .. } => of_rows(reason),
        Reason::Control(_)
        | Reason::Blank
        | Reason::TooLong { .. }
        | Reason::Zone(_)
        | Reason::Day(_)
        | Reason::NeitherYesNorNo { .. }
        | Reason::UnknownDealership { .. }
        | Reason::Package(_)
        | Reason::EndsWithTerms
        | Reason::EndsBeforeItBegins { .. }
        | Reason::LastMonth(_) => of_a_cell(reason),
        Reason::Cnpj(_)
        | Reason::State(_)
        | Reason::Address(_)
        | Reason::Group(_)
        | Reason::PostalCode(_)
        | Reason::Municipality(_)
        | Reason::Evidence(_)
        | Reason::Month(_)
        | Reason::Number(_)
        | Reason::List(_)
        | Reason::Discount(_)
        | Reason::NoPrice(_) => value(reason),
    };
    words.unwrap_or_else(|| reason.to_string())
}

/// What is wrong with a file as a whole, or the width of a row.
fn of_a_file(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::CodePage { shown, more: 0 } => format!("'{shown}' não está em UTF-8: {CSV_UTF_8}"),
        Reason::CodePage { shown, more } => {
            format!("'{shown}' não está em UTF-8, nem outras {more} células: {CSV_UTF_8}")
        }
        Reason::Utf16 => format!("o arquivo está em UTF-16: {CSV_UTF_8}"),
        Reason::EmptyFile { columns } => {
            format!("o arquivo está vazio: a primeira linha tem as colunas {columns}")
        }
        Reason::NotSeparated { by } => format!(
            "as colunas não estão separadas por '{by}': salve como CSV, com vírgula ou ponto e vírgula entre as células"
        ),
        Reason::NoHeader { columns } => format!("falta o cabeçalho: escreva {columns}"),
        Reason::UnknownColumn { name, columns } => {
            format!("a coluna '{name}' não existe: as colunas são {columns}")
        }
        Reason::ColumnTwice(name) => format!("a coluna '{name}' aparece duas vezes"),
        Reason::ColumnMissing(name) => format!("falta a coluna '{name}'"),
        Reason::Width { found, expected, why } => {
            format!("a linha tem {found} colunas e o cabeçalho {expected}{}", misfit(*why))
        }
        _ => return None,
    })
}

/// What is wrong with a row beside others.
fn of_rows(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::IdTwice { id, first } => format!("'{id}' já está na linha {first}"),
        Reason::ContractTwice { id, month, first } => {
            format!("'{id}' já tem um contrato a partir de {} na linha {first}", month.in_words())
        }
        Reason::NumberTwice { number, month, first } => {
            format!("{number} já está a partir de {} na linha {first}", month.in_words())
        }
        Reason::Box(error) => {
            let lacking: Vec<String> = error.lacking().iter().map(|c| format!("'{c}'")).collect();
            format!(
                "contém {}, que a letra dos documentos não tem: escreva com letras latinas. Até lá aparece um quadrado no lugar",
                lacking.join(", ")
            )
        }
        Reason::Hidden { mark, seen } => format!(
            "contém U+{:04X}, que ninguém vê: as mensagens de '{seen}' não são desta",
            u32::from(*mark)
        ),
        Reason::NumberOfTwo { number, first, second, from, month, other } => format!(
            "{number} seria de '{first}' e de '{second}' em {} (a outra linha está {}): um número é de uma só concessionária em cada mês. Encerre a linha de '{first}' de {from} com to_month {}, ou corrija from_month",
            month.in_words(),
            place(*other),
            month.previous()
        ),
        Reason::Twin { new, like, place: at, likeness } => format!(
            "'{new}' pode ser '{like}', que está {}: {}. Duas receberiam duas faturas. Escreva a identificação como está lá, ou marque que são duas",
            place(*at),
            self::likeness(*likeness)
        ),
        _ => return None,
    })
}

/// What is wrong with a cell.
fn of_a_cell(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::Control(control) => format!("contém {}: apague", control_in_words(*control)),
        Reason::Blank => "está vazio".to_owned(),
        Reason::TooLong { most } => {
            format!("tem mais de {most} letras, e a nota fiscal não aceita mais")
        }
        Reason::Zone(text) => format!(
            "'{text}' não é um fuso horário: um nome como America/Manaus, ou nada para o fuso do emitente"
        ),
        Reason::Day(text) => {
            format!("'{text}' não é um dia do mês: de 1 a 31, ou nada para o dia da configuração")
        }
        Reason::NeitherYesNorNo { text, wish } => {
            format!("'{text}' não é yes nem no: {}", wished(*wish))
        }
        Reason::UnknownDealership { id, .. } => {
            let zeros = if id.bytes().all(|b| b.is_ascii_digit()) {
                " (planilhas apagam zeros à esquerda)"
            } else {
                ""
            };
            format!("'{id}' não está no cadastro{zeros}: importe a concessionária antes ou junto")
        }
        Reason::Package(text) => format!(
            "'{text}' não é um pacote: um número de contatos sem pontos, como 5000, ou none para encerrar"
        ),
        Reason::EndsWithTerms => {
            "none encerra o contrato: deixe list e discount_percent vazios".to_owned()
        }
        Reason::EndsBeforeItBegins { last, from } => format!(
            "{} vem antes de {}: escreva o último mês, ou none se a linha foi um engano",
            last.in_words(),
            from.in_words()
        ),
        Reason::LastMonth(error) => {
            format!("{}; ou nada enquanto vale, ou none se a linha foi um engano", month(&error.0))
        }
        _ => return None,
    })
}

fn wished(wish: Wish) -> &'static str {
    match wish {
        Wish::PackageUse => {
            "yes para um e-mail aos 80 % e aos 100 % do pacote, ou nada para o que está na configuração"
        }
        Wish::Reminders => {
            "no para não receber lembretes do que está em aberto, ou nada para o que está na configuração"
        }
        Wish::IssWithheld => "yes se retém o ISS do serviço, ou nada para não",
    }
}

/// The reasons that a value of the core gives.
fn value(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::Cnpj(error) => cnpj(error),
        Reason::State(error) => {
            format!("'{}' não é uma UF: duas letras, como RS", error.0)
        }
        Reason::Address(error) => address(error),
        Reason::PostalCode(InvalidPostalCode::LostZero(text)) => format!(
            "'{text}' não é um CEP: com sete dígitos, pode ter perdido o zero à esquerda: 0{text}?"
        ),
        Reason::PostalCode(InvalidPostalCode::NotOne(text)) => {
            format!("'{text}' não é um CEP: oito dígitos, como 95010-000")
        }
        Reason::Municipality(error) => municipality(error),
        Reason::Evidence(error) => format!(
            "'{}' não vale aqui: yes (o arquivo em cada e-mail), annex (e os contatos no extrato) ou no",
            error.0
        ),
        Reason::Month(error) => month(&error.0),
        Reason::Number(InvalidNumber::Shape(text)) => format!(
            "'{text}' não é um número: de 8 a 15 dígitos com o código do país, como 5548999990820"
        ),
        Reason::Number(InvalidNumber::Rounded(text)) => format!("'{text}': {SPREADSHEET}"),
        Reason::Group(error) => format!(
            "'{}' não é o nome de um grupo: de 1 a 60 letras, sem espaço no começo ou no fim",
            error.0
        ),
        Reason::List(error) => format!(
            "'{}' não é o nome de uma lista de preços: de 1 a 60 letras, sem espaço no começo ou no fim",
            error.0
        ),
        Reason::Discount(error) => format!(
            "'{}' não é um desconto: de 0 a 100, com ponto e até dois decimais, como 12.5",
            error.0
        ),
        Reason::NoPrice(error) => no_price(error),
        _ => return None,
    })
}

/// Why a use has no price.
#[must_use]
pub fn no_price(error: &NoPrice) -> String {
    match error {
        NoPrice::Month { month } => {
            format!("não há tabela de preços para {}: peça uma na configuração", month.in_words())
        }
        NoPrice::List { list, .. } => {
            format!("não há uma lista de preços '{list}': corrija o contrato ou a configuração")
        }
        NoPrice::ListMonth { list, month } => format!(
            "a lista de preços '{list}' não tem tabela para {}: peça uma na configuração",
            month.in_words()
        ),
        NoPrice::Package { list: Some(list), table, package, known } => format!(
            "a tabela de preços '{list}' a partir de {} não tem o pacote de {} contatos (tem {known})",
            table.in_words(),
            grouped(*package)
        ),
        NoPrice::Package { list: None, table, package, known } => format!(
            "a tabela de preços a partir de {} não tem o pacote de {} contatos (tem {known})",
            table.in_words(),
            grouped(*package)
        ),
        NoPrice::TooLarge { quantity, price } => {
            format!("{} × {} é grande demais", grouped(*quantity), price.brl())
        }
        NoPrice::NotToldApart { .. } | NoPrice::Unproved => {
            "as mensagens por categoria não fecham com as contadas: conte de novo".to_owned()
        }
        NoPrice::TooManyKinds => {
            "as mensagens têm mais de mil categorias e números diferentes: confira a origem"
                .to_owned()
        }
    }
}

fn month(text: &str) -> String {
    format!("'{text}' não é um mês: escreva 2026-10 ou 10/2026")
}

fn municipality(error: &InvalidMunicipality) -> String {
    match error {
        InvalidMunicipality::NotOne(text) => format!(
            "'{text}' não é o código IBGE de um município: sete dígitos, como 4305108 de Caxias do Sul"
        ),
        InvalidMunicipality::CheckDigit(text, expected) => format!(
            "'{text}' não é o código IBGE de um município: o último dígito seria {expected}. Há um erro de digitação?"
        ),
        InvalidMunicipality::OtherState(code, its, state) => {
            format!("{code} é o código IBGE de um município de {its}, e a UF é {state}")
        }
    }
}

fn cnpj(error: &InvalidCnpj) -> String {
    match error {
        InvalidCnpj::Shape(text) => format!(
            "'{text}' não é um CNPJ: 12 letras ou dígitos e 2 dígitos verificadores, como 11.222.333/0001-81"
        ),
        InvalidCnpj::LostZeros { text, meant } => format!(
            "o CNPJ '{text}' perdeu os zeros à esquerda na planilha: {meant} serviria. Formate a coluna como texto"
        ),
        InvalidCnpj::Rounded(text) => format!("CNPJ '{text}': {SPREADSHEET}"),
        InvalidCnpj::CheckDigits { text, expected } => {
            format!("os dígitos verificadores do CNPJ '{text}' não conferem: {expected} serviria")
        }
    }
}

/// Why a text is no address that mail can go to.
#[must_use]
pub fn address(error: &InvalidAddress) -> String {
    let hint = match error.refusal() {
        None | Some(Refusal::NoAddress) => "",
        Some(Refusal::Accents) => ", sem acentos antes do @, que os servidores recusam",
        Some(Refusal::Quotes) => ", sem aspas, que os servidores recusam",
        Some(Refusal::Machine) => {
            ", com o nome de um domínio: os servidores recusam o endereço de uma máquina"
        }
        Some(Refusal::TooLong) => {
            ": é mais longo do que os servidores aceitam, 64 letras antes do @ e 254 ao todo"
        }
        Some(Refusal::Name) => {
            "; antes do @ vão letras, dígitos e sinais como . - _ +, sem ponto no começo, no fim ou dobrado"
        }
        Some(Refusal::Domain) => "; um domínio tem letras, dígitos e hifens entre os pontos",
        Some(Refusal::NoEnding) => ": falta o fim do domínio, como .com.br",
    };
    format!("'{}' não é um e-mail: escreva como nome@example.com{hint}", error.0)
}

fn likeness(likeness: Likeness) -> &'static str {
    match likeness {
        Likeness::Id => {
            "as identificações só diferem em maiúsculas, espaços, zeros à esquerda ou na forma das letras"
        }
        Likeness::CompanyAndName => "CNPJ e nome são os mesmos",
    }
}

fn place(place: Place) -> String {
    match place {
        Place::OnLine(line) => format!("na linha {line}"),
        Place::InRegister => "no cadastro".to_owned(),
    }
}

fn misfit(why: Misfit) -> &'static str {
    match why {
        Misfit::Unknown => "",
        Misfit::OpenQuote => ": há aspas que não foram fechadas?",
        Misfit::UnquotedSemicolon => {
            ": uma célula com ';', como cópias com dois endereços, fica entre aspas"
        }
        Misfit::CutOff => ": o arquivo foi cortado?",
    }
}

fn control_in_words(control: char) -> String {
    match control {
        '\n' | '\r' => "uma quebra de linha".to_owned(),
        '\t' => "uma tabulação".to_owned(),
        other => format!("o caractere de controle U+{:04X}", u32::from(other)),
    }
}

/// Why a dealership was not changed, where that is about no field.
#[must_use]
pub fn change_error(error: &ChangeError) -> Option<String> {
    match error {
        ChangeError::Unknown(_) => Some("Esta concessionária não está no cadastro.".to_owned()),
        ChangeError::Other => Some(
            "Alguém alterou esta concessionária enquanto a página estava aberta. Nada foi alterado: confira e envie de novo."
                .to_owned(),
        ),
        ChangeError::Same => Some("Já está assim: nada foi alterado.".to_owned()),
        ChangeError::Bad(_) | ChangeError::Ledger(_) => None,
    }
}

/// What is wrong with the fields of a form: the column, and why.
#[must_use]
pub fn wrong_fields(rows: &[BadRow]) -> Vec<(&'static str, String)> {
    rows.iter().map(|row| (row.column.unwrap_or_default(), reason(&row.reason))).collect()
}

/// Why a credit or charge was not entered or taken back; `None` where the ledger failed.
#[must_use]
pub fn adjust_error(error: &AdjustError) -> Option<String> {
    match error {
        AdjustError::Zero => Some("O valor não pode ser zero.".to_owned()),
        AdjustError::NotPrintable(error) => Some(not_printable("A descrição", error)),
        AdjustError::UnknownDealership(_) => {
            Some("Esta concessionária não está no cadastro.".to_owned())
        }
        AdjustError::Equal(note) => Some(format!(
            "Já está lançado o mesmo para {}: nº {}, “{}”, {}, por {}. Nada foi lançado: se é mais um, confirme abaixo.",
            note.month.in_words(),
            note.id,
            note.description,
            note.amount.brl(),
            note.entered_by
        )),
        AdjustError::Unknown(id) => Some(format!("O lançamento {id} não existe.")),
        AdjustError::NotWaiting { id, state } => Some(format!(
            "O lançamento {id} {}: lance um de valor contrário.",
            match state {
                NoteState::Waiting => "ainda espera".to_owned(),
                NoteState::Taken(number) => format!("já está na fatura {number}"),
                NoteState::TakenBack => "já foi retirado".to_owned(),
            }
        )),
        AdjustError::Ledger(_) => None,
    }
}
