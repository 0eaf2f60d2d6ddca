//! A file of a bank, or of finance: which invoice each line pays, and what of it is certain.

use std::path::Path;

use super::{NewPayment, PayError, Recorded, Target, Unmatched, Wish, record};
use crate::ledger::LedgerError;
use crate::setup::office::Office;
use fecha_core::account::payment::Payment;
use fecha_core::bank::{BankLine, Format, Matched, OpenInvoice, match_lines, read};
use fecha_core::bill::invoice::Number;
use fecha_core::party::tax_id::InvalidCnpj;

/// Reads a file and records what is certain of it: a table names its invoices; of a bank's lines those that
/// name an invoice or can be of only one. What is recorded already is not recorded twice.
///
/// # Errors
/// [`PayError`]; nothing was recorded then.
pub async fn record_file(
    office: &Office,
    path: &Path,
    wish: Wish,
    by: &str,
) -> Result<Recorded, PayError> {
    let file = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|cause| PayError::Unreadable { file: file.clone(), cause })?;
    let statement = read(&file, &bytes)?;
    let sorted = match statement.format {
        Format::Csv => Sorted::by_number(statement.lines),
        Format::Ofx1 | Format::Ofx2 | Format::Cnab240 | Format::Cnab400 => {
            Sorted::of_bank(office, statement.lines).await?
        }
    };
    let mut recorded = record(office, &sorted.certain, wish, by).await?;
    recorded.already_recorded += sorted.known;
    recorded.unmatched.extend(sorted.unmatched);
    recorded.left_out = statement.left_out;
    Ok(recorded)
}

/// The lines of a file, by what becomes of them.
#[derive(Default)]
struct Sorted {
    certain: Vec<NewPayment>,
    known: usize,
    unmatched: Vec<Unmatched>,
}

impl Sorted {
    /// A person wrote each line's invoice beside it.
    fn by_number(lines: Vec<BankLine>) -> Self {
        let mut sorted = Self::default();
        for line in lines {
            match line.number {
                Some(number) => sorted.certain.push(of_line(line, number, None)),
                None => sorted.for_a_person(line, Matched::Unknown.to_string()),
            }
        }
        sorted
    }

    /// A bank knows no invoices: what each line pays is found.
    async fn of_bank(office: &Office, lines: Vec<BankLine>) -> Result<Self, LedgerError> {
        let mut sorted = Self::default();
        let mut new = Vec::new();
        for line in lines {
            match Found::of(office, &line).await? {
                Found::Nothing => new.push(line),
                Found::Recorded => sorted.known += 1,
                Found::Unnamed(number) => sorted.certain.push(of_line(line, number, None)),
                Found::TakenBack(id) => {
                    sorted.for_a_person(line, format!("it was recorded as {id}, and taken back"));
                }
            }
        }
        let open = open_invoices(office).await?;
        let matched = match_lines(&new, &open);
        for (line, matched) in new.into_iter().zip(matched) {
            match matched {
                Matched::Certain { number, why } => {
                    sorted.certain.push(of_line(line, number, Some(why.to_string())));
                }
                Matched::Proposed { .. } | Matched::Unknown => {
                    sorted.for_a_person(line, matched.to_string());
                }
            }
        }
        Ok(sorted)
    }

    fn for_a_person(&mut self, line: BankLine, why: String) {
        let BankLine { place, on, amount, number, reference, words, .. } = line;
        let on = Some(on);
        self.unmatched.push(Unmatched { place, number, on, amount, reference, words, why });
    }
}

fn of_line(line: BankLine, number: Number, why: Option<String>) -> NewPayment {
    NewPayment {
        place: Some(line.place),
        target: Target::Invoice(number),
        on: line.on,
        amount: line.amount,
        kind: line.kind,
        reference: line.reference,
        again: false,
        why,
    }
}

/// What the ledger knows of a line of a bank.
enum Found {
    /// Nothing.
    Nothing,
    /// It is recorded, by its reference.
    Recorded,
    /// A payment without a reference, of the invoice that the line names, says the same.
    Unnamed(Number),
    /// It was recorded as this payment, which a person took back.
    TakenBack(String),
}

impl Found {
    async fn of(office: &Office, line: &BankLine) -> Result<Self, LedgerError> {
        if let Some(reference) = &line.reference {
            let mut known = office.ledger.payments_named(reference).await?;
            known.retain(|payment| payment.kind == line.kind);
            if known.iter().any(|payment| !payment.undone) {
                return Ok(Self::Recorded);
            }
            if let Some(undone) = known.pop() {
                return Ok(Self::TakenBack(undone.id));
            }
        }
        let Some(number) = line.number else { return Ok(Self::Nothing) };
        let Some(id) = office.ledger.dealership_of(number).await? else { return Ok(Self::Nothing) };
        let payments = office.ledger.payments_of(&id).await?;
        let same = |payment: &Payment| {
            payment.number == Some(number)
                && !payment.undone
                && payment.reference.is_none()
                && (payment.on, payment.kind) == (line.on, line.kind)
                && line.amount.is_none_or(|amount| amount == payment.amount)
        };
        Ok(if payments.iter().any(same) { Self::Unnamed(number) } else { Self::Nothing })
    }
}

async fn open_invoices(office: &Office) -> Result<Vec<OpenInvoice>, LedgerError> {
    let listed = office.ledger.open_invoices(None).await?;
    let mut open = Vec::with_capacity(listed.len());
    for invoice in listed {
        let cnpj = invoice
            .figures
            .cnpj
            .parse()
            .map_err(|error: InvalidCnpj| LedgerError::Corrupt(error.to_string()))?;
        open.push(OpenInvoice {
            number: invoice.number,
            dealership_id: invoice.dealership_id,
            cnpj,
            to_pay: invoice.figures.total - invoice.paid,
            due_on: invoice.figures.due_on,
            month: invoice.month,
        });
    }
    Ok(open)
}
