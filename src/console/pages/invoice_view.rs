//! What the page of an invoice shows.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::invoice::{Forms, files};
use crate::actions::timeline::{Event, Explained, Revised, What};
use crate::console::Oops;
use crate::console::words::email;
use crate::console::words::invoice::{Badge, day, how, kind, signed, standing};
use crate::ledger::documents::FileKind;
use crate::ledger::listing::Listed;
use crate::ledger::outbox::ListedEmail;
use crate::ledger::timeline::PaymentAbout;
use fecha_core::account::payment::{Kind, Payment};
use fecha_core::account::receivables::days_late;
use fecha_core::bill::difference::{Change, FieldChange, LineChange};
use fecha_core::bill::invoice::{Invoice, InvoiceState, Number, label};
use fecha_core::calendar::month::Month;
use fecha_core::letter::LetterState;
use fecha_core::price::money::{Money, grouped};

/// All of it.
#[derive(Debug, Serialize)]
pub struct InvoiceView {
    pub number: Number,
    pub label: String,
    pub state: Badge,
    pub is_void: bool,
    pub dealership_id: String,
    pub name: String,
    pub cnpj: String,
    pub month: Month,
    pub period: String,
    pub issued_on: NaiveDate,
    pub due_on: NaiveDate,
    /// Days since it was to be paid; zero where nothing is overdue.
    pub days_late: i64,
    pub total: Money,
    pub paid: Money,
    pub open: Money,
    pub lines: Vec<LineShown>,
    /// `9.321 mensagens = 9.300 contadas (…) + 21 de status ignorado`.
    pub messages: String,
    pub evidence_sha256: String,
    pub revisions: Vec<RevisionShown>,
    pub events: Vec<EventShown>,
    pub payments: Vec<PaymentShown>,
    /// Those that may be taken back: id and words.
    pub undoable: Vec<[String; 2]>,
    /// What waits on the account.
    pub waiting: Money,
    pub has_waiting: bool,
    /// As much of it as the invoice can take.
    pub at_most: Money,
    pub failed_emails: usize,
    pub kinds: Vec<[&'static str; 2]>,
    pub today: NaiveDate,
    pub forms: Forms,
}

#[derive(Debug, Serialize)]
pub struct LineShown {
    pub what: String,
    pub how: String,
    pub amount: Money,
}

#[derive(Debug, Serialize)]
pub struct RevisionShown {
    pub label: String,
    pub state: Badge,
    pub total: Money,
    pub issued_at: DateTime<Utc>,
    /// Name and what it is.
    pub files: Vec<[String; 2]>,
}

#[derive(Debug, Serialize)]
pub struct EventShown {
    pub at: DateTime<Utc>,
    /// `good`, `bad`, `warn` or empty.
    pub kind: &'static str,
    pub title: String,
    pub details: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct PaymentShown {
    pub id: String,
    pub on: NaiveDate,
    pub amount: Money,
    pub what: &'static str,
    pub reference: String,
    /// What of it settles this invoice.
    pub settles: Money,
    pub by: String,
    pub undone: String,
}

/// What forms offer as kinds of payment.
#[must_use]
pub fn kinds() -> Vec<[&'static str; 2]> {
    Kind::ALL.into_iter().map(|of| [of.key(), kind(of)]).collect()
}

/// The view of an explained invoice.
///
/// # Errors
/// [`Oops`] where the ledger has no revision of it.
pub fn of(explained: &Explained, number: Number, forms: Forms) -> Result<InvoiceView, Oops> {
    let missing = || Oops::NotFound(format!("Não há fatura {number}."));
    let latest = &explained.revisions.last().ok_or_else(missing)?.invoice;
    let listed = explained.listed.last().ok_or_else(missing)?;
    let (account, today) = (listed.account(), explained.today);
    let is_void = listed.state == InvoiceState::Cancelled;
    let overdue = !is_void && account.is_overdue(today);
    let timeline = &explained.timeline;
    let failed = timeline.emails.iter().filter(|email| email.state == LetterState::Failed);
    Ok(InvoiceView {
        number,
        label: listed.label(),
        state: standing(listed, today),
        is_void,
        dealership_id: listed.dealership_id.clone(),
        name: latest.dealership.name.clone(),
        cnpj: latest.dealership.cnpj.to_string(),
        month: listed.month,
        period: period(latest),
        issued_on: listed.figures.issued_on,
        due_on: listed.figures.due_on,
        days_late: if overdue { days_late(listed.figures.due_on, today) } else { 0 },
        total: account.total,
        paid: account.paid,
        open: if is_void { Money::ZERO } else { account.open() },
        lines: lines(latest),
        messages: messages(latest),
        evidence_sha256: latest.evidence_sha256.clone(),
        revisions: explained.listed.iter().rev().map(|one| revision(one, today)).collect(),
        events: timeline.events.iter().map(|event| shown(event, number)).collect(),
        payments: timeline.payments.iter().map(|about| payment(about, number)).collect(),
        undoable: timeline.payments.iter().filter_map(undoable).collect(),
        waiting: explained.waiting,
        has_waiting: explained.waiting > Money::ZERO && account.open() > Money::ZERO,
        at_most: explained.waiting.min(account.open()),
        failed_emails: failed.count(),
        kinds: kinds(),
        today,
        forms,
    })
}

fn lines(invoice: &Invoice) -> Vec<LineShown> {
    let line = |line: &fecha_core::price::item::Line| LineShown {
        what: line.item.in_portuguese(),
        how: how(invoice, line),
        amount: line.amount,
    };
    invoice.lines.iter().map(line).collect()
}

/// `01/10/2026 00:00 a 01/11/2026 00:00 (America/Sao_Paulo)`.
fn period(invoice: &Invoice) -> String {
    let local = |instant: DateTime<Utc>| {
        instant.with_timezone(&invoice.timezone).format("%d/%m/%Y %H:%M").to_string()
    };
    let (start, end) = (local(invoice.period.start), local(invoice.period.end));
    format!("{start} a {end} ({})", invoice.timezone.name())
}

fn messages(invoice: &Invoice) -> String {
    let (usage, buckets) = (&invoice.usage, &invoice.usage.buckets);
    let rest = [
        (buckets.duplicate, "repetidas"),
        (buckets.ignored_status, "de status ignorado"),
        (buckets.group, "de grupos"),
        (buckets.not_a_contact, "sem contato"),
        (buckets.malformed, "malformadas"),
    ];
    let rest = rest.into_iter().filter(|(messages, _)| *messages > 0);
    let rest: String =
        rest.map(|(messages, what)| format!(" + {} {what}", grouped(messages))).collect();
    format!(
        "{} mensagens = {} contadas ({} recebidas, {} enviadas){rest}",
        grouped(buckets.total()),
        grouped(buckets.counted),
        grouped(usage.received),
        grouped(usage.sent)
    )
}

fn revision(listed: &Listed, today: NaiveDate) -> RevisionShown {
    let is_void = listed.state == InvoiceState::Cancelled;
    let of = |(kind, name, _): (FileKind, String, &'static str)| {
        let what = match kind {
            FileKind::Invoice => "Fatura (PDF)",
            FileKind::Statement => "Extrato (PDF)",
            FileKind::Evidence => "Comprovação (CSV)",
            FileKind::Cancellation if is_void => "Cancelamento (PDF)",
            FileKind::Cancellation => return None,
        };
        Some([name, what.to_owned()])
    };
    RevisionShown {
        label: listed.label(),
        state: standing(listed, today),
        total: listed.figures.total,
        issued_at: listed.issued_at,
        files: files(&label(listed.number, listed.revision)).into_iter().filter_map(of).collect(),
    }
}

fn undoable(about: &PaymentAbout) -> Option<[String; 2]> {
    let payment = &about.payment;
    (!payment.undone).then(|| [payment.id.clone(), in_words(payment)])
}

/// `Pagamento de R$ 1.014,00 em 10/11/2026`.
#[must_use]
pub fn in_words(payment: &Payment) -> String {
    format!("{} de {} em {}", kind(payment.kind), payment.amount.brl(), day(payment.on))
}

fn payment(about: &PaymentAbout, number: Number) -> PaymentShown {
    let PaymentAbout { payment, undone } = about;
    let undone =
        undone.as_ref().map(|undone| format!("desfeito por {}: {}", undone.by, undone.why));
    PaymentShown {
        id: payment.id.clone(),
        on: payment.on,
        amount: payment.amount,
        what: kind(payment.kind),
        reference: payment.reference.clone().unwrap_or_default(),
        settles: payment.settles(number),
        by: payment.entered_by.clone(),
        undone: undone.unwrap_or_default(),
    }
}

fn shown(event: &Event, number: Number) -> EventShown {
    let (kind, title, details) = match &event.what {
        What::Issued { total, paid } => {
            let paid = (*paid > Money::ZERO)
                .then(|| format!("{} já esperavam na conta e abatem do total.", paid.brl()));
            ("", format!("Emitida: {}", total.brl()), paid.into_iter().collect())
        }
        What::Revised(revised) => revised_shown(revised, number),
        What::Emailed(email) => emailed(email),
        What::Resent { by } => ("", format!("Reenvio pedido por {by}"), Vec::new()),
        What::Paid(payment) => paid(payment, number),
        What::FromAccount { amount, by } => (
            "good",
            format!("{} da conta usados para quitar", amount.brl()),
            vec![format!("Por {by}.")],
        ),
        What::Undone(payment, undone) => (
            "warn",
            format!("{} de {} desfeito", self::kind(payment.kind), payment.amount.brl()),
            vec![format!("Por {}: {}", undone.by, undone.why)],
        ),
        What::Cancelled(cancellation) => (
            "bad",
            "Cancelada".to_owned(),
            vec![format!("Por {}: {}", cancellation.by, cancellation.reason)],
        ),
    };
    EventShown { at: event.at, kind, title, details }
}

type Told = (&'static str, String, Vec<String>);

fn paid(payment: &Payment, number: Number) -> Told {
    let title = format!("{}: {} em {}", kind(payment.kind), payment.amount.brl(), day(payment.on));
    let mut details = vec![format!("Registrado por {}.", payment.entered_by)];
    details.extend(payment.reference.as_ref().map(|reference| format!("Referência: {reference}")));
    let settles = payment.settles(number);
    if !payment.undone && payment.kind != Kind::Interest && settles < payment.amount {
        details.push(format!("Quita {} desta fatura.", settles.brl()));
    }
    (if payment.undone { "" } else { "good" }, title, details)
}

fn emailed(sent: &ListedEmail) -> Told {
    let badge = email::state(sent.state);
    let to = match &sent.redirected_to {
        None => sent.recipient.to_string(),
        Some(other) => format!("{} (desviado para {other})", sent.recipient),
    };
    let title = format!("E-mail para {to}: {}", badge.words.to_lowercase());
    let mut details = vec![sent.subject.clone()];
    let waited = sent.sent_at.map(|at| (at - sent.queued_at).num_minutes());
    details.extend(waited.filter(|minutes| *minutes > 0).map(|minutes| match minutes {
        1..=119 => format!("Entregue ao servidor {minutes} min depois."),
        _ => format!("Entregue ao servidor {} horas depois.", minutes / 60),
    }));
    let error = sent.last_error.as_deref().filter(|_| sent.state != LetterState::Sent);
    details.extend(
        error.filter(|_| sent.state == LetterState::Failed).map(|e| email::why(e).to_owned()),
    );
    details.extend(error.map(|error| format!("Resposta do servidor: {error}")));
    let kind = match sent.state {
        LetterState::Sent => "good",
        LetterState::Failed => "bad",
        LetterState::Pending | LetterState::Sending | LetterState::Withdrawn => "",
    };
    (kind, title, details)
}

fn revised_shown(revised: &Revised, number: Number) -> Told {
    let Change { before, now } = revised.total;
    let title = format!(
        "Revisão {}: {} → {} ({})",
        label(number, revised.revision),
        before.brl(),
        now.brl(),
        signed(now - before)
    );
    let mut details = vec![format!("Por {}: {}", revised.by, revised.reason)];
    for (what, change) in [("UAM", revised.uam), ("HSM", revised.hsm)] {
        if change.differs() {
            details.push(format!("{what}: {} → {}", grouped(change.before), grouped(change.now)));
        }
    }
    details.extend(revised.lines.iter().map(line_change));
    details.extend(revised.register.iter().map(field_change));
    ("warn", title, details)
}

fn line_change(change: &LineChange) -> String {
    let amount = |line: &Option<fecha_core::price::item::Line>| {
        line.as_ref().map_or(Money::ZERO, |line| line.amount)
    };
    let name = change.now.as_ref().or(change.before.as_ref()).map(|line| line.item.in_portuguese());
    let (before, now) = (amount(&change.before), amount(&change.now));
    format!(
        "{}: {} → {} ({})",
        name.unwrap_or_default(),
        before.brl(),
        now.brl(),
        signed(now - before)
    )
}

fn field_change(change: &FieldChange) -> String {
    let field = match change.field {
        "name" => "Razão social",
        "trade_name" => "Nome fantasia",
        "cnpj" => "CNPJ",
        "address" => "Endereço",
        "city" => "Cidade",
        "state" => "Estado",
        other => other,
    };
    format!("{field}: “{}” → “{}”", change.before, change.now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;
    use crate::console::pages::invoice::{CancelTyped, PayTyped};

    fn sample() -> InvoiceView {
        let badge = Badge { words: "Vencida", kind: "bad" };
        let at: DateTime<Utc> = "2026-11-01T03:00:01Z".parse().unwrap();
        let money = Money::from_centavos;
        let files = files("2026-000001").map(|(_, name, _)| [name, "Fatura (PDF)".to_owned()]);
        InvoiceView {
            number: "2026-000001".parse().unwrap(),
            label: "2026-000001".to_owned(),
            state: badge,
            is_void: false,
            dealership_id: "d 1/ã".to_owned(),
            name: "<i>".repeat(100),
            cnpj: "11.222.333/0001-81".to_owned(),
            month: "2026-10".parse().unwrap(),
            period: "01/10/2026 00:00 a 01/11/2026 00:00".to_owned(),
            issued_on: "2026-11-01".parse().unwrap(),
            due_on: "2026-11-10".parse().unwrap(),
            days_late: 1,
            total: money(101_400),
            paid: money(0),
            open: money(101_400),
            lines: vec![LineShown {
                what: "x".repeat(300),
                how: "1 × R$ 1.014,00".to_owned(),
                amount: money(101_400),
            }],
            messages: "3 mensagens = 3 contadas".to_owned(),
            evidence_sha256: "ab".repeat(32),
            revisions: vec![RevisionShown {
                label: "2026-000001".to_owned(),
                state: badge,
                total: money(101_400),
                issued_at: at,
                files: files.into(),
            }],
            events: vec![EventShown {
                at,
                kind: "bad",
                title: "<script>".to_owned(),
                details: vec!["x".repeat(500)],
            }],
            payments: vec![PaymentShown {
                id: "p1".to_owned(),
                on: "2026-11-10".parse().unwrap(),
                amount: money(1),
                what: "Pagamento",
                reference: String::new(),
                settles: money(0),
                by: "ana".to_owned(),
                undone: "desfeito por ana: x".to_owned(),
            }],
            undoable: vec![["p1".to_owned(), "Pagamento de R$ 0,01".to_owned()]],
            waiting: money(5),
            has_waiting: true,
            at_most: Money::from_centavos(1),
            failed_emails: 2,
            kinds: kinds(),
            today: "2026-11-11".parse().unwrap(),
            forms: Forms::default(),
        }
    }

    #[test]
    fn it_is_drawn_standing_void_and_wrong() {
        let html = renders("invoice.html", &sample());
        assert!(html.contains("pay?once=") && !html.contains("<b><script>"));
        assert!(html.contains("d%201%2F%C3%A3"), "{html}");
        let void = InvoiceView {
            is_void: true,
            payments: Vec::new(),
            undoable: Vec::new(),
            failed_emails: 0,
            days_late: 0,
            ..sample()
        };
        assert!(!renders("invoice.html", &void).contains("pay?once="));
        let forms = Forms {
            pay: PayTyped {
                on: "ontem".to_owned(),
                error: "Não.".to_owned(),
                ..PayTyped::default()
            },
            cancel: CancelTyped { error: "Também não.".to_owned(), ..CancelTyped::default() },
            ..Forms::default()
        };
        let wrong = renders("invoice.html", &InvoiceView { forms, ..sample() });
        assert!(wrong.contains("Não.") && wrong.contains("value=\"ontem\""));
    }
}
