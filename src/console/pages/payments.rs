//! What is done with money on the page of an invoice: a payment, money of the account, one taken back.

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Response};

use super::invoice::{Ask, Forms, FromAccountTyped, PayTyped, UndoTyped, again, number};
use crate::actions::pay::{
    self, Asked, NewPayment, NotRecorded, PayError, Question, RecordedPayment, Refused, Seen,
    Stand, Target, Undone, Wish,
};
use crate::console::ways::Ways;
use crate::console::words::invoice::day;
use crate::console::words::money::{self, Why};
use crate::console::{Console, Done, Oops, Signed, typed};
use crate::setup::office::Office;
use fecha_core::account::payment::Kind;
use fecha_core::bill::invoice::Number;
use fecha_core::party::person::Role;
use fecha_core::price::money::Money;

/// These forms.
pub fn ways(ways: Ways) -> Ways {
    ways.post("/invoices/{number}/pay", Role::Finance, pay_it)
        .post("/invoices/{number}/from-account", Role::Finance, from_account)
        .post("/invoices/{number}/undo", Role::Finance, undo)
}

/// The payment that was typed.
///
/// # Errors
/// What to type instead.
fn payment(form: &PayTyped, target: Target) -> Result<NewPayment, String> {
    let kind = if form.kind.is_empty() { "money" } else { &form.kind };
    let kind: Kind = kind.parse().map_err(|_| "Escolha o tipo do pagamento.".to_owned())?;
    // All that is open is what the page showed, whatever happened since; of interest nobody knows how much.
    let amount = match (typed::amount(&form.amount)?, form.open.parse().ok()) {
        (None, Some(Money::ZERO)) if kind != Kind::Interest => {
            return Err("Esta fatura não tinha nada em aberto. Se entrou dinheiro mesmo assim, informe o valor.".to_owned());
        }
        (None, shown) if kind != Kind::Interest => shown,
        (typed, _) => typed,
    };
    Ok(NewPayment {
        place: None,
        target,
        on: typed::day(&form.on)?,
        amount,
        kind,
        reference: Some(form.reference.trim().to_owned()).filter(|text| !text.is_empty()),
        again: !form.again.is_empty(),
        asked: Asked::Form { waits: form.waits.parse().ok(), early: form.early.parse().ok() },
        why: None,
    })
}

/// Records the payment that was typed.
///
/// # Errors
/// Why not, and the form with what is asked about it; nothing was recorded then.
pub async fn paid(
    console: &Console,
    signed: &Signed,
    form: PayTyped,
    target: Target,
) -> Result<RecordedPayment, (Why, PayTyped)> {
    let new = match payment(&form, target) {
        Ok(new) => new,
        Err(words) => return Err((Why::Said(words), form)),
    };
    let meant = new.amount;
    match pay::record(&console.office, &[new], Wish::Record, &signed.name).await {
        Ok(mut recorded) => recorded.recorded.pop().ok_or_else(|| {
            // What is known already is refused to a form.
            tracing::error!("a payment of a form was not recorded");
            (
                Why::Said(
                    "O pagamento não foi registrado. Confira o que já está registrado.".to_owned(),
                ),
                form,
            )
        }),
        Err(error) => {
            let asks: Vec<Ask> = questions(&error).iter().map(ask).collect();
            // What is asked about is said: the page may show another amount as open by now.
            let amount = match meant.filter(|_| form.amount.trim().is_empty() && !asks.is_empty()) {
                Some(meant) => meant.to_string().replace('.', ","),
                None => form.amount,
            };
            Err((money::pay(error), PayTyped { amount, asks, ..form }))
        }
    }
}

/// What is asked about the one payment of a form.
fn questions(error: &PayError) -> &[Question] {
    match error {
        PayError::Refused(refused) => match refused.as_slice() {
            [Refused { why: NotRecorded::Unusual(questions), .. }] => questions,
            _ => &[],
        },
        PayError::Unreadable { .. } | PayError::BadLines(_) | PayError::Ledger(_) => &[],
    }
}

fn ask(question: &Question) -> Ask {
    match question {
        Question::More { waits, said, .. } => Ask {
            name: "waits",
            value: waits.to_string(),
            words: format!(
                "É mesmo mais que o que está em aberto: {} ficam à espera na conta",
                waits.brl()
            ),
            ticked: *said,
        },
        Question::Early { on, said, .. } => Ask {
            name: "early",
            value: on.to_string(),
            words: format!("Foi mesmo pago em {}, antes da emissão", day(*on)),
            ticked: *said,
        },
    }
}

async fn pay_it(
    State(console): State<Console>,
    signed: Signed,
    Path(text): Path<String>,
    Form(form): Form<PayTyped>,
) -> Result<Response, Oops> {
    let number = number(&text)?;
    match paid(&console, &signed, form, Target::Invoice(number)).await {
        Ok(payment) => {
            let words = paid_in_words(&payment, number);
            Ok(Done::see(&format!("/invoices/{number}"), &words).into_response())
        }
        Err((why, form)) => {
            let forms = |error| Forms { pay: PayTyped { error, ..form }, ..Forms::default() };
            again(&console, &signed, number, why, forms).await
        }
    }
}

fn paid_in_words(payment: &RecordedPayment, number: Number) -> String {
    let waits = if payment.waiting > Money::ZERO {
        format!(
            " {} são mais que o que estava em aberto: esperam na conta, e a próxima fatura os aproveita.",
            payment.waiting.brl()
        )
    } else {
        String::new()
    };
    format!("Pagamento registrado: {} em {number}.{waits}", payment.amount.brl())
}

/// What the page showed that has the form.
fn shown(form: &FromAccountTyped) -> Option<Stand> {
    Some(Stand { open: form.open.parse().ok()?, waits: form.waiting.parse().ok()? })
}

async fn from_account(
    State(console): State<Console>,
    signed: Signed,
    Path(text): Path<String>,
    Form(form): Form<FromAccountTyped>,
) -> Result<Response, Oops> {
    let number = number(&text)?;
    let taken = match typed::amount(&form.amount) {
        Err(words) => Err(Why::Said(words)),
        Ok(amount) => {
            let seen = Seen::Page(shown(&form));
            let taken = pay::from_account(&console.office, number, amount, seen, &signed.name);
            taken.await.map_err(money::account)
        }
    };
    match taken {
        Ok(taken) => {
            let words = format!("{} da conta quitam a fatura {number}.", taken.brl());
            Ok(Done::see(&format!("/invoices/{number}"), &words).into_response())
        }
        Err(why) => {
            let forms = |error| Forms {
                from_account: FromAccountTyped { error, ..form },
                ..Forms::default()
            };
            again(&console, &signed, number, why, forms).await
        }
    }
}

/// Takes back what was named, of the invoice or account whose page has the form; what to say about it.
///
/// # Errors
/// [`Why`]; nothing was changed then.
pub async fn take_back(
    console: &Console,
    signed: &Signed,
    form: &UndoTyped,
    of: &Target,
) -> Result<&'static str, Why> {
    if form.payment.is_empty() {
        return Err(Why::Said("Escolha o lançamento a desfazer.".to_owned()));
    }
    if !is_of(&console.office, &form.payment, of).await? {
        let words = "Este lançamento não é desta página. Atualize-a e escolha na lista.";
        return Err(Why::Said(words.to_owned()));
    }
    let reason = typed::reason(&form.reason).map_err(Why::Said)?;
    let undone = pay::undo(&console.office, &form.payment, &reason, &signed.name);
    Ok(match undone.await.map_err(money::account)? {
        Undone::Payment => "Pagamento desfeito: o que ele quitava está em aberto de novo.",
        Undone::Refund => "Devolução desfeita: o dinheiro espera na conta de novo.",
    })
}

/// Whether a payment or a refund is of this invoice or account; one that is nobody's is said to be so later.
async fn is_of(office: &Office, id: &str, of: &Target) -> Result<bool, Oops> {
    let Some(payment) = office.ledger.payment(id).await? else {
        let Target::Account(dealership) = of else { return Ok(false) };
        let refunds = office.ledger.refunds(Some(dealership)).await?;
        return Ok(refunds.iter().any(|refund| refund.id == id));
    };
    Ok(match of {
        Target::Account(dealership) => payment.dealership_id == *dealership,
        Target::Invoice(number) => {
            payment.number == Some(*number) || payment.settles(*number) > Money::ZERO
        }
        // No page is a group's: its payments stand on those of its invoices.
        Target::Group(_) => false,
    })
}

async fn undo(
    State(console): State<Console>,
    signed: Signed,
    Path(text): Path<String>,
    Form(form): Form<UndoTyped>,
) -> Result<Response, Oops> {
    let number = number(&text)?;
    match take_back(&console, &signed, &form, &Target::Invoice(number)).await {
        Ok(words) => Ok(Done::see(&format!("/invoices/{number}"), words).into_response()),
        Err(why) => {
            let forms = |error| Forms { undo: UndoTyped { error, ..form }, ..Forms::default() };
            again(&console, &signed, number, why, forms).await
        }
    }
}
