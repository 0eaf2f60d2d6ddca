//! Why money was not recorded, taken back or paid back, and why emails were not queued.

use crate::actions::cancel::CancelError;
use crate::actions::invoices::ShowError;
use crate::actions::pay::{
    AccountError, Already, Doubtful, NotRecorded, PayError, Question, Refused,
};
use crate::actions::portuguese::not_printable;
use crate::actions::reminders::{NotReminded, ReminderError};
use crate::actions::resend::ResendError;
use crate::console::Oops;
use fecha_core::account::entry::Objection;
use fecha_core::account::reference::{BadReference, MOST_LETTERS};
use fecha_core::bank::{BadLine, Doubt, Sure};
use fecha_core::bill::invoice::Number;
use fecha_core::price::money::Money;

use super::bank;
use super::invoice::{day, kind};

/// Why a form was not carried out: words for the person beside it, or what stands instead of the page.
#[derive(Debug)]
pub enum Why {
    /// What to do about it; nothing was changed.
    Said(String),
    /// It is not about what was typed.
    Oops(Oops),
}

impl From<Oops> for Why {
    fn from(oops: Oops) -> Self {
        Self::Oops(oops)
    }
}

fn said(words: impl Into<String>) -> Why {
    Why::Said(words.into())
}

fn no_invoice(number: Number) -> String {
    format!("Não há fatura {number}. Confira o número na lista de faturas.")
}

/// Why a payment was not recorded.
#[must_use]
pub fn pay(error: PayError) -> Why {
    match error {
        PayError::Unreadable { file, cause } => {
            said(format!("O arquivo {file} não pôde ser lido: {cause}"))
        }
        PayError::BadLines(bad) => said(bad_lines(&bad.first, bad.total)),
        PayError::Refused(refused) => said(all_refused(&refused)),
        PayError::Ledger(error) => Why::Oops(error.into()),
    }
}

/// As many reasons as are told at once.
const MOST: usize = 20;

fn all_refused(refused: &[Refused]) -> String {
    let one = |refused: &Refused| match &refused.place {
        Some(place) => format!("{}: {}", bank::place(place), not_recorded(&refused.why)),
        None => not_recorded(&refused.why),
    };
    let mut words: Vec<String> = refused.iter().take(MOST).map(one).collect();
    if refused.len() > MOST {
        words.push(format!("E mais {}.", refused.len() - MOST));
    }
    words.join(" ")
}

fn bad_lines(first: &[BadLine], total: u64) -> String {
    let one = |bad: &BadLine| format!("{}: {}", bank::place(&bad.place), bank::reason(&bad.reason));
    let mut words: Vec<String> = first.iter().take(MOST).map(one).collect();
    let told = words.len() as u64;
    if total > told {
        words.push(format!("E mais {} linhas que não podem ser lidas.", total - told));
    }
    words.push("Nada foi registrado.".to_owned());
    words.join(" ")
}

/// Why one payment is not recorded.
#[must_use]
pub fn not_recorded(why: &NotRecorded) -> String {
    match why {
        NotRecorded::NoInvoice(number) => no_invoice(*number),
        NotRecorded::Void { target, dealership_id, .. } => format!(
            "{target} está cancelada. Registre o dinheiro na conta de '{dealership_id}' (em Recebimentos): a próxima fatura o aproveita."
        ),
        NotRecorded::NoGroup(txid) => format!("O grupo {txid} não existe: confira o código."),
        NotRecorded::VoidGroup { txid, .. } => format!(
            "Todas as faturas de {txid} estão canceladas. Registre o dinheiro na conta de uma das concessionárias (em Recebimentos)."
        ),
        NotRecorded::OnlyMoney { txid, .. } => format!(
            "Só dinheiro se divide entre as faturas de {txid}: registre retenção, desconto ou juros na fatura de que são."
        ),
        NotRecorded::UnknownDealership(unknown) => no_dealership(&unknown.0),
        NotRecorded::Objection(objection) => self::objection(objection),
        NotRecorded::Unusual(questions) => {
            let asked: Vec<String> = questions.iter().map(question).collect();
            format!("{} Nada foi registrado: corrija, ou confirme abaixo.", asked.join(" "))
        }
        NotRecorded::Already(already) => self::already(already),
    }
}

fn question(question: &Question) -> String {
    match question {
        Question::More { number, open, .. } if *open <= Money::ZERO => {
            format!("A fatura {number} não tem nada em aberto.")
        }
        Question::More { number, open, amount, .. } => {
            format!("{} é mais que os {} em aberto da fatura {number}.", amount.brl(), open.brl())
        }
        Question::Early { number, on, issued_on, .. } => format!(
            "O dia {} é anterior à emissão da fatura {number}, em {}.",
            day(*on),
            day(*issued_on)
        ),
    }
}

fn already(already: &Already) -> String {
    match already {
        Already::Reference(reference) => format!(
            "Este pagamento já está registrado, com a referência {reference}. Se é outro pagamento, informe a referência dele."
        ),
        Already::Unnamed { amount, on } => format!(
            "Um pagamento de {} em {} já está registrado, sem referência. Se o mesmo valor foi pago mais uma vez, marque “É mais um pagamento igual a outro”.",
            amount.brl(),
            day(*on)
        ),
        Already::NothingOpen(number) => format!(
            "A fatura {number} não tem nada em aberto. Se entrou dinheiro mesmo assim, informe o valor."
        ),
    }
}

fn no_dealership(ids: &[String]) -> String {
    format!("'{}' não está no cadastro de concessionárias.", ids.join("', '"))
}

fn objection(objection: &Objection) -> String {
    match objection {
        Objection::InFuture(on) => format!("O dia {} ainda não chegou.", day(*on)),
        Objection::BelowZero(amount) => format!("{} é menor que zero.", amount.brl()),
        Objection::Zero => "Um valor de zero não paga nada.".to_owned(),
        Objection::MoreThanOpen { number, kind: of, amount, open } => format!(
            "{} de {} é mais que os {} em aberto da fatura {number}: retenções e descontos só quitam a própria fatura.",
            kind(*of),
            amount.brl(),
            open.brl()
        ),
        Objection::TooMuch(amount) => format!("{} é um valor grande demais.", amount.brl()),
        Objection::TooLongAgo(on) => format!("O dia {} é anterior ao ano 2000.", day(*on)),
        Objection::HowMuchInterest => "Informe o valor dos juros.".to_owned(),
        Objection::OtherReference { reference, id } => format!(
            "A referência {reference} já é de outro pagamento ({id}), com outro dia ou valor."
        ),
        Objection::Equal { amount, on, .. } => format!(
            "Um pagamento de {} em {} já está registrado. Se o mesmo valor foi pago mais uma vez, marque “É mais um pagamento igual a outro”.",
            amount.brl(),
            day(*on)
        ),
        Objection::NotOnAccount(of) => {
            format!("{} quita uma fatura: registre na página dela.", kind(*of))
        }
        Objection::NoAmount => "Informe o valor.".to_owned(),
        Objection::Reference(why) => bad_reference(*why),
    }
}

fn bad_reference(why: BadReference) -> String {
    match why {
        BadReference::Empty => "A referência está vazia.".to_owned(),
        BadReference::TooLong(letters) => format!(
            "A referência tem {letters} letras: são no máximo {MOST_LETTERS}. Use a que o banco dá ao lançamento."
        ),
        BadReference::Unprintable(_) => {
            "A referência tem quebra de linha ou um sinal invisível: digite-a em uma linha só, com letras, números e sinais.".to_owned()
        }
    }
}

/// Why money was not taken from an account, paid back or taken back.
#[must_use]
pub fn account(error: AccountError) -> Why {
    said(match error {
        AccountError::NotStanding(number) => format!("A fatura {number} não existe ou está cancelada."),
        AccountError::NothingOpen { number } => format!("A fatura {number} não tem nada em aberto."),
        AccountError::NothingWaits(id) => format!("A conta de '{id}' não tem dinheiro à espera."),
        AccountError::MoreThanWaits { amount, waits, .. } => {
            format!("{} é mais que os {} que esperam na conta.", amount.brl(), waits.brl())
        }
        AccountError::MoreThanOpen { number, amount, open } => {
            format!("{} é mais que os {} em aberto da fatura {number}.", amount.brl(), open.brl())
        }
        AccountError::Changed { number, now } => format!(
            "Algo mudou desde que a página foi aberta: agora {} da fatura {number} estão em aberto, e {} esperam na conta. Nada foi registrado: confira e confirme de novo.",
            now.open.brl(),
            now.waits.brl()
        ),
        AccountError::EqualRefund { amount, on } => format!(
            "Uma devolução de {} em {} já está registrada. Se o mesmo valor foi devolvido mais uma vez, marque “É mais uma devolução igual”.",
            amount.brl(),
            day(on)
        ),
        AccountError::NoAmount => "Informe um valor acima de zero.".to_owned(),
        AccountError::InFuture(on) => format!("O dia {} ainda não chegou.", day(on)),
        AccountError::UnknownDealership(unknown) => no_dealership(&unknown.0),
        AccountError::Unknown(_) => {
            "Este pagamento não existe. Atualize a página e escolha na lista.".to_owned()
        }
        AccountError::AlreadyUndone(_) => "Este lançamento já foi desfeito.".to_owned(),
        AccountError::Refunded(_) => {
            "Uma parte deste pagamento foi devolvida: desfaça primeiro a devolução.".to_owned()
        }
        AccountError::Converted(_) => {
            "Uma versão antiga do fecha fez um crédito de parte deste pagamento, e uma fatura o aproveitou: lance uma cobrança desse valor na página da concessionária.".to_owned()
        }
        AccountError::Ledger(error) => return Why::Oops(error.into()),
    })
}

/// Why emails were not queued again.
#[must_use]
pub fn resend(error: ResendError) -> Why {
    said(match error {
        ResendError::Unknown(number) => no_invoice(number),
        ResendError::UnknownGroup(txid) => format!("O resumo de grupo {txid} não existe."),
        ResendError::Replaced(txid, later) => {
            format!("O resumo {txid} foi substituído por {later}: envie esse.")
        }
        ResendError::NoReport(month) => {
            format!("Ainda não há relatório de {}: ele vem com o fechamento.", month.in_words())
        }
        ResendError::NoWords(number) => format!(
            "A fatura {number} foi cancelada por uma versão antiga do fecha, que não guardou o texto do e-mail. Baixe o documento de cancelamento nesta página e envie-o por fora."
        ),
        ResendError::NotFailed => {
            "Este e-mail já não está entre os que falharam: foi enviado, está na fila de novo ou foi retirado.".to_owned()
        }
        ResendError::Template(_) | ResendError::Compose(_) | ResendError::Handover(_) => {
            tracing::error!(%error, "emails cannot be queued again");
            "O e-mail não pôde ser montado. O registro (log) do serviço diz por quê. Nada foi enviado.".to_owned()
        }
        ResendError::Ledger(error) => return Why::Oops(error.into()),
    })
}

/// Why an invoice was not cancelled.
#[must_use]
pub fn cancel(error: CancelError) -> Why {
    said(match error {
        CancelError::NotPrintable(error) => not_printable("O motivo", &error),
        CancelError::NotStanding(number) => {
            format!("A fatura {number} não existe ou já está cancelada.")
        }
        CancelError::Render(_) | CancelError::Template(_) => {
            tracing::error!(%error, "an invoice cannot be cancelled");
            "O documento de cancelamento não pôde ser montado. O registro (log) do serviço diz por quê. A fatura continua como estava.".to_owned()
        }
        CancelError::Ledger(error) => return Why::Oops(error.into()),
    })
}

/// Why nobody was reminded.
#[must_use]
pub fn remind(error: NotReminded) -> Why {
    said(match error {
        NotReminded::UnknownDealership(unknown) => no_dealership(&unknown.0),
        NotReminded::NothingOpen(_) => "Nada está em aberto: não há o que lembrar.".to_owned(),
        NotReminded::AsMuchWaits(_) => {
            "Na conta espera tanto dinheiro quanto está em aberto. Use-o para quitar as faturas em vez de cobrar.".to_owned()
        }
        NotReminded::Unwanted(_) => {
            "Esta concessionária não recebe lembretes (reminders = no no cadastro).".to_owned()
        }
        NotReminded::Today(_) => {
            "Um lembrete já foi enviado hoje: é um por dia, no máximo.".to_owned()
        }
        NotReminded::Failed(ReminderError::Ledger(error)) => return Why::Oops(error.into()),
        NotReminded::Failed(ReminderError::Template(error)) => {
            tracing::error!(%error, "a reminder cannot be written");
            "O lembrete não pôde ser montado. O registro (log) do serviço diz por quê.".to_owned()
        }
    })
}

/// Why an invoice, or one of its files, is not there.
#[must_use]
pub fn show(error: ShowError) -> Oops {
    match error {
        ShowError::Unknown(number) => Oops::NotFound(no_invoice(number)),
        ShowError::NoRevision { number, wanted, .. } => {
            Oops::NotFound(format!("A fatura {number} não tem a revisão {wanted}."))
        }
        ShowError::NotCancelled(label) => {
            Oops::NotFound(format!("A fatura {label} não está cancelada."))
        }
        ShowError::FileMissing(label) => Oops::Failed(format!(
            "Falta um arquivo da fatura {label}: restaure o livro do fecha de uma cópia."
        )),
        ShowError::Ledger(error) => error.into(),
    }
}

/// Why a line of a bank is an invoice's.
#[must_use]
pub fn sure(why: Sure) -> &'static str {
    match why {
        Sure::ByNumber => "o banco informa o número",
        Sure::ByTxid => "o banco informa o código do Pix (txid)",
        Sure::ByAmountAndCnpj => "única fatura em aberto deste CNPJ com este valor",
    }
}

/// Why a line of a bank needs a person.
#[must_use]
pub fn doubtful(why: &Doubtful) -> String {
    match why {
        Doubtful::TakenBack(_) => {
            "Já foi registrado, e alguém desfez. Escolha a fatura se vale de novo.".to_owned()
        }
        Doubtful::Differs(_) => {
            "A referência já é de um pagamento com outro dia ou valor.".to_owned()
        }
        Doubtful::ByHand { number, why, .. } => format!(
            "Parece da fatura {number} ({}), mas um pagamento do mesmo dia e valor foi digitado sem referência. Escolha a fatura só se é outro pagamento.",
            sure(*why)
        ),
        Doubtful::GroupByHand { txid, .. } => format!(
            "Parece do grupo {txid}, mas um pagamento de uma das faturas dele foi digitado nesse dia sem referência. Escreva {txid} só se é outro dinheiro."
        ),
        Doubtful::Maybe { of, why, .. } => match why {
            Doubt::NotOpen => {
                "O banco informa uma fatura que não está em aberto: paga, cancelada ou nunca emitida.".to_owned()
            }
            Doubt::SeveralNumbers => "O banco informa várias faturas.".to_owned(),
            Doubt::TxidAlone => {
                "Dez dígitos são de um Pix nosso, mas nem o valor nem o pagador são daquela fatura.".to_owned()
            }
            Doubt::PaidTwice => "Outra linha deste arquivo já paga esta fatura.".to_owned(),
            Doubt::AmountAndCnpj => {
                format!("{of} faturas em aberto deste CNPJ têm este valor.")
            }
            Doubt::AllOfCnpj => "O valor é a soma de tudo o que este CNPJ tem em aberto.".to_owned(),
            Doubt::CnpjAlone => "Este CNPJ tem faturas em aberto, de outros valores.".to_owned(),
            Doubt::AmountAlone if *of == 1 => "Uma fatura em aberto tem este valor.".to_owned(),
            Doubt::AmountAlone => format!("{of} faturas em aberto têm este valor."),
            Doubt::OfWhichInvoice => {
                "O banco informa um grupo: só dinheiro se divide entre as faturas dele. Escolha a fatura.".to_owned()
            }
        },
        Doubtful::Unnamed(why) => format!(
            "{} Registre o pagamento na página da fatura, com uma referência curta.",
            bad_reference(*why)
        ),
        Doubtful::Unknown => {
            "Nenhuma fatura em aberto tem este número, pagador ou valor.".to_owned()
        }
        Doubtful::Refused(why) => not_recorded(why),
    }
}
