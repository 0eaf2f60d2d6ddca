//! A file of a bank, or of finance: which invoice each line pays, and what of it is certain.

use std::collections::BTreeMap;
use std::path::Path;

use super::{NewPayment, PayError, Recorded, Target, Unmatched, Wish, record};
use crate::ledger::LedgerError;
use crate::setup::input;
use crate::setup::office::Office;
use fecha_core::account::payment::Payment;
use fecha_core::bank::{
    BankLine, Format, MOST_BYTES, Matched, OpenInvoice, Sure, match_lines, read,
};
use fecha_core::bill::invoice::Number;
use fecha_core::party::tax_id::{Cnpj, InvalidCnpj};

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
    let bytes = input::read(path, MOST_BYTES as u64)
        .map_err(|cause| PayError::Unreadable { file: file.clone(), cause })?;
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
        let mut by_hand = ByHand::read(office, &lines).await?;
        let mut new = Vec::new();
        for line in lines {
            match recorded(office, &line).await? {
                Some(payment) if payment.undone => {
                    let why = format!("it was recorded as {}, and taken back", payment.id);
                    sorted.for_a_person(line, why);
                }
                Some(_) => sorted.known += 1,
                None => match line.number.filter(|number| by_hand.takes(*number, &line)) {
                    Some(number) => sorted.certain.push(of_line(line, number, None)),
                    None => new.push(line),
                },
            }
        }
        let open = open_invoices(office).await?;
        let matched = match_lines(&new, &open);
        for (line, matched) in new.into_iter().zip(matched) {
            let Matched::Certain { number, why } = matched else {
                sorted.for_a_person(line, matched.to_string());
                continue;
            };
            let whose = open.iter().find(|invoice| invoice.number == number);
            match whose.and_then(|invoice| by_hand.like(&line, invoice, why)) {
                Some(payment) => {
                    let why = format!(
                        "perhaps {number}: {why}; but payment {} of the same day and amount was entered without a reference",
                        payment.id
                    );
                    sorted.for_a_person(line, why);
                }
                None => sorted.certain.push(of_line(line, number, Some(why.to_string()))),
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

/// The payment that a line was recorded as, by its reference: one that stands before one that does not.
async fn recorded(office: &Office, line: &BankLine) -> Result<Option<Payment>, LedgerError> {
    let Some(reference) = &line.reference else { return Ok(None) };
    let mut known = office.ledger.payments_named(reference).await?;
    known.retain(|payment| payment.kind == line.kind);
    known.sort_by_key(|payment| payment.undone);
    Ok(known.into_iter().next())
}

/// Payments that a person entered without the bank's reference: a line of the bank may be one of them.
struct ByHand {
    payments: Vec<Payment>,
    /// Which dealerships have a CNPJ.
    cnpjs: BTreeMap<String, Cnpj>,
}

impl ByHand {
    /// Those since the first day of the lines.
    async fn read(office: &Office, lines: &[BankLine]) -> Result<Self, LedgerError> {
        let Some(first) = lines.iter().map(|line| line.on).min() else {
            return Ok(Self { payments: Vec::new(), cnpjs: BTreeMap::new() });
        };
        let payments = office.ledger.payments_without_reference(first).await?;
        let register = office.ledger.dealerships().await?;
        let cnpjs = register.into_iter().map(|one| (one.id, one.cnpj)).collect();
        Ok(Self { payments, cnpjs })
    }

    /// Whether one of this invoice says the same; it is then no other line's.
    fn takes(&mut self, number: Number, line: &BankLine) -> bool {
        let same =
            |payment: &Payment| payment.number == Some(number) && says_the_same(payment, line);
        match self.payments.iter().position(same) {
            Some(index) => {
                self.payments.swap_remove(index);
                true
            }
            None => false,
        }
    }

    /// One that says the same, of whoever may have paid the line: where it names its invoice, money on that
    /// dealership's account; else anything of its CNPJ.
    fn like(&self, line: &BankLine, invoice: &OpenInvoice, why: Sure) -> Option<&Payment> {
        self.payments.iter().find(|payment| {
            let may_be = match why {
                Sure::ByNumber | Sure::ByTxid => {
                    payment.number.is_none() && payment.dealership_id == invoice.dealership_id
                }
                Sure::ByAmountAndCnpj => {
                    self.cnpjs.get(&payment.dealership_id) == Some(&invoice.cnpj)
                }
            };
            may_be && says_the_same(payment, line)
        })
    }
}

fn says_the_same(payment: &Payment, line: &BankLine) -> bool {
    (payment.on, payment.kind) == (line.on, line.kind) && line.amount == Some(payment.amount)
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
