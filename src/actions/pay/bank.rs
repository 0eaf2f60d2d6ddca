//! A file of a bank, or of finance: which invoice each line pays, and what of it is certain.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::books::{Books, Done, Unlike};
use super::by_hand::ByHand;
use super::doubtful::Doubtful;
use super::group::{Groups, named as named_groups};
use super::{
    Asked, NewPayment, NotRecorded, PayError, Recorded, Target, Unmatched, Wish, numbers, record,
};
use crate::ledger::LedgerError;
use crate::setup::input;
use crate::setup::office::Office;
use fecha_core::account::payment::Payment;
use fecha_core::account::split::Share;
use fecha_core::bank::{
    BankLine, Format, MOST_BYTES, Matched, OpenInvoice, Statement, Sure, match_lines, read,
};
use fecha_core::bill::group_bill::GroupTxid;
use fecha_core::bill::invoice::Number;
use fecha_core::count::evidence::sha256_hex;
use fecha_core::party::tax_id::InvalidCnpj;
use fecha_core::price::money::Money;

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
    let Statement { format, lines, left_out } = read(&file, &bytes)?;
    let mut payments = Vec::new();
    let (mut known, mut unmatched) = (0, Vec::new());
    for Proposed { line, becomes, .. } in sorted(office, format, lines).await? {
        match becomes {
            Becomes::Certain { number, why } => payments.push(of_line(line, number, why)),
            Becomes::Group { txid, why, .. } => payments.push(of_line(line, txid, why)),
            Becomes::Known => known += 1,
            Becomes::Doubtful(why) => unmatched.push(for_a_person(line, &why)),
        }
    }
    let mut recorded = record(office, &payments, wish, by).await?;
    recorded.already_recorded += known;
    recorded.unmatched.extend(unmatched);
    recorded.left_out = left_out;
    Ok(recorded)
}

/// A bank's file as fecha understands it: what would be recorded, and what a person must decide on.
#[derive(Debug)]
pub struct Proposal {
    /// In the file's order.
    pub lines: Vec<Proposed>,
    /// What is no payment: what it is, and how many.
    pub left_out: BTreeMap<String, u64>,
    /// Binds what is recorded to what was seen: hexadecimal.
    pub hash: String,
}

/// A line, and what becomes of it.
#[derive(Debug)]
pub struct Proposed {
    /// As the bank says it.
    pub line: BankLine,
    /// What fecha makes of it.
    pub becomes: Becomes,
    /// How much that is: what the line says or, where it pays all that is open, that.
    pub amount: Option<Money>,
}

/// What becomes of a line.
#[derive(Debug)]
pub enum Becomes {
    /// It is recorded as a payment of this invoice.
    Certain {
        /// Its number.
        number: Number,
        /// Why.
        why: WhySure,
    },
    /// It is recorded as payments of the invoices of this group bill.
    Group {
        /// Its txid.
        txid: GroupTxid,
        /// Why.
        why: WhySure,
        /// Its parts, as the invoices stand now; empty before they are looked at.
        shares: Vec<Share>,
    },
    /// It is recorded already.
    Known,
    /// A person must say.
    Doubtful(Doubtful),
}

/// Why an invoice is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhySure {
    /// A person wrote it beside the line.
    Written,
    /// fecha found it out.
    Found(Sure),
}

impl From<Matched> for Becomes {
    fn from(matched: Matched) -> Self {
        match matched {
            Matched::Certain { number, why } => Self::Certain { number, why: WhySure::Found(why) },
            Matched::Group { txid, why } => {
                Self::Group { txid, why: WhySure::Found(why), shares: Vec::new() }
            }
            Matched::Proposed { numbers, of, why } => {
                Self::Doubtful(Doubtful::Maybe { numbers, of, why })
            }
            Matched::Unknown => Self::Doubtful(Doubtful::Unknown),
        }
    }
}

/// What a file would be recorded as, line by line; records nothing.
///
/// # Errors
/// [`PayError`] where the file cannot be read as one of a bank, or the ledger cannot be.
pub async fn propose(office: &Office, file_name: &str, bytes: &[u8]) -> Result<Proposal, PayError> {
    let Statement { format, lines, left_out } = read(file_name, bytes)?;
    let mut lines = sorted(office, format, lines).await?;
    let payments: Vec<NewPayment> = lines.iter().filter_map(Proposed::payment).collect();
    let numbers = numbers(&payments, &Groups::new());
    let whose = async { office.ledger.dealerships_of(&numbers).await.map_err(PayError::from) };
    let (whose, mut books) = tokio::try_join!(whose, Books::as_they_stand(office, &payments))?;
    for proposed in &mut lines {
        let Some(payment) = proposed.payment() else { continue };
        let decided = match payment.target {
            Target::Invoice(number) if !whose.contains_key(&number) => {
                Err(NotRecorded::NoInvoice(number))
            }
            Target::Invoice(number) => books.decide(&payment, &whose[&number], &office.actor),
            Target::Group(_) | Target::Account(_) => books.decide(&payment, "", &office.actor),
        };
        proposed.becomes = match decided {
            Ok(Done::Recorded(payment)) => {
                proposed.amount = Some(payment.amount);
                continue;
            }
            Ok(Done::RecordedGroup { parts, .. }) => {
                proposed.amount = Some(parts.iter().map(|part| part.amount).sum());
                proposed.split_into(&parts);
                continue;
            }
            Ok(Done::Known | Done::KnownNow { .. }) => Becomes::Known,
            Ok(Done::Unmatched(Unlike::TakenBack { id })) => {
                Becomes::Doubtful(Doubtful::TakenBack(id))
            }
            Ok(Done::Unmatched(Unlike::Differs { id })) => Becomes::Doubtful(Doubtful::Differs(id)),
            Ok(Done::Unmatched(Unlike::Unnamed { why })) => {
                Becomes::Doubtful(Doubtful::Unnamed(why))
            }
            Err(why) => Becomes::Doubtful(Doubtful::Refused(why)),
        };
    }
    let hash = hash(&lines);
    Ok(Proposal { lines, left_out, hash })
}

/// What of a proposal is the same for who has seen it: each line, and what becomes of it.
fn hash(lines: &[Proposed]) -> String {
    let mut all = String::new();
    for Proposed { line, becomes, amount } in lines {
        let becomes = match becomes {
            Becomes::Certain { number, .. } => number.to_string(),
            Becomes::Group { txid, shares, .. } => format!("{txid} {shares:?}"),
            Becomes::Known => "known".to_owned(),
            Becomes::Doubtful(why) => why.to_string(),
        };
        let _ = writeln!(all, "{} {} {amount:?} {} {becomes}", line.place, line.on, line.kind);
    }
    sha256_hex(all.as_bytes())
}

/// What a person makes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// It pays this invoice.
    Invoice(Number),
    /// It pays the invoices of this group bill.
    Group(GroupTxid),
    /// It is not recorded.
    Left,
}

/// Records what is certain of a file, and what a person chose, by the line's place in the proposal (from 0): all of
/// it in one transaction. `None` where it is not what was seen any more, by its `hash`.
///
/// # Errors
/// [`PayError`]; nothing was recorded then.
pub async fn record_proposed(
    office: &Office,
    (file_name, bytes): (&str, &[u8]),
    hash: &str,
    chosen: &BTreeMap<usize, Chosen>,
    by: &str,
) -> Result<Option<Recorded>, PayError> {
    let proposal = propose(office, file_name, bytes).await?;
    if proposal.hash != hash {
        return Ok(None);
    }
    let mut payments = Vec::new();
    let (mut known, mut unmatched) = (0, Vec::new());
    for (index, Proposed { line, becomes, .. }) in proposal.lines.into_iter().enumerate() {
        match (chosen.get(&index), becomes) {
            // Those without a reference are told apart by how many there are before them.
            (_, Becomes::Known) => match named(&line).filter(|_| line.reference.is_none()) {
                Some(target) => payments.push(of_line(line, target, WhySure::Written)),
                None => known += 1,
            },
            (Some(Chosen::Left), Becomes::Certain { .. } | Becomes::Group { .. }) => {}
            (Some(Chosen::Left) | None, Becomes::Doubtful(why)) => {
                unmatched.push(for_a_person(line, &why));
            }
            (Some(chosen), becomes) => {
                let again = matches!(
                    becomes,
                    Becomes::Doubtful(
                        Doubtful::TakenBack(_)
                            | Doubtful::ByHand { .. }
                            | Doubtful::GroupByHand { .. }
                    )
                );
                let Some(target) = chosen.target() else { continue };
                let line = of_line(line, target, WhySure::Written);
                payments.push(NewPayment { again, ..line });
            }
            (None, Becomes::Certain { number, why }) => payments.push(of_line(line, number, why)),
            (None, Becomes::Group { txid, why, .. }) => payments.push(of_line(line, txid, why)),
        }
    }
    let mut recorded = record(office, &payments, Wish::Record, by).await?;
    recorded.already_recorded += known;
    recorded.unmatched.extend(unmatched);
    recorded.left_out = proposal.left_out;
    Ok(Some(recorded))
}

/// What becomes of the lines of a file, in its order: in a table a person wrote each line's invoice beside it.
async fn sorted(
    office: &Office,
    format: Format,
    lines: Vec<BankLine>,
) -> Result<Vec<Proposed>, LedgerError> {
    let by_number = |line: BankLine| {
        let becomes = match line.number {
            Some(number) => Becomes::Certain { number, why: WhySure::Written },
            None => line.group.map_or(Becomes::Doubtful(Doubtful::Unknown), |txid| {
                Becomes::Group { txid, why: WhySure::Written, shares: Vec::new() }
            }),
        };
        Proposed { amount: line.amount, line, becomes }
    };
    match format {
        Format::Csv => Ok(lines.into_iter().map(by_number).collect()),
        Format::Ofx1 | Format::Ofx2 | Format::Cnab240 | Format::Cnab400 => {
            of_bank(office, lines).await
        }
    }
}

/// A bank knows no invoices: what each line pays is found.
async fn of_bank(office: &Office, lines: Vec<BankLine>) -> Result<Vec<Proposed>, LedgerError> {
    // At once: a page waits for the slowest of them.
    let (mut by_hand, named, open) = tokio::try_join!(
        ByHand::read(office, &lines),
        with_references(office, &lines),
        open_invoices(office)
    )?;
    let (groups, open_groups) = named_groups(office, &lines, &open).await?;
    let mut becomes: Vec<Option<Becomes>> = Vec::with_capacity(lines.len());
    let mut new = Vec::new();
    for line in &lines {
        becomes.push(match recorded(&named, line) {
            Some(payment) if payment.undone => {
                Some(Becomes::Doubtful(Doubtful::TakenBack(payment.id.clone())))
            }
            Some(_) => Some(Becomes::Known),
            None => {
                let number = line.number.filter(|number| by_hand.takes(*number, line));
                if number.is_none() {
                    new.push(line.clone());
                }
                number.map(|number| Becomes::Certain { number, why: WhySure::Written })
            }
        });
    }
    let mut matched = new.iter().zip(match_lines(&new, &open, &open_groups));
    let open: BTreeMap<Number, &OpenInvoice> =
        open.iter().map(|invoice| (invoice.number, invoice)).collect();
    let proposed = lines.into_iter().zip(becomes).map(|(line, becomes)| {
        let becomes = becomes.or_else(|| {
            let (line, matched) = matched.next()?;
            Some(by_hand.doubts(line, &open, &groups, matched))
        });
        let becomes = becomes.unwrap_or(Becomes::Doubtful(Doubtful::Unknown));
        Proposed { amount: line.amount, line, becomes }
    });
    Ok(proposed.collect())
}

fn for_a_person(line: BankLine, why: &Doubtful) -> Unmatched {
    let BankLine { place, on, amount, number, reference, words, .. } = line;
    Unmatched { place, number, on: Some(on), amount, reference, words, why: why.to_string() }
}

/// What a line names: an invoice, or a group.
fn named(line: &BankLine) -> Option<Target> {
    line.number.map(Target::Invoice).or(line.group.map(Target::Group))
}

impl Chosen {
    /// `None` where it is left.
    fn target(self) -> Option<Target> {
        match self {
            Self::Invoice(number) => Some(number.into()),
            Self::Group(txid) => Some(txid.into()),
            Self::Left => None,
        }
    }
}

impl Proposed {
    /// The payment that it would be recorded as.
    fn payment(&self) -> Option<NewPayment> {
        let (target, why) = match self.becomes {
            Becomes::Certain { number, why } => (number.into(), why),
            Becomes::Group { txid, why, .. } => (Target::Group(txid), why),
            Becomes::Known | Becomes::Doubtful(_) => return None,
        };
        Some(of_line(self.line.clone(), target, why))
    }

    fn split_into(&mut self, parts: &[Payment]) {
        if let Becomes::Group { shares, .. } = &mut self.becomes {
            let share =
                |part: &Payment| part.number.map(|number| Share { number, amount: part.amount });
            *shares = parts.iter().filter_map(share).collect();
        }
    }
}

fn of_line(line: BankLine, target: impl Into<Target>, why: WhySure) -> NewPayment {
    let why = match why {
        WhySure::Written => None,
        WhySure::Found(sure) => Some(sure.to_string()),
    };
    NewPayment {
        place: Some(line.place),
        target: target.into(),
        on: line.on,
        amount: line.amount,
        kind: line.kind,
        reference: line.reference,
        again: false,
        asked: Asked::Nobody,
        why,
    }
}

/// The payments with a reference of one of the lines, by it: those that stand before those that do not.
async fn with_references(
    office: &Office,
    lines: &[BankLine],
) -> Result<BTreeMap<String, Vec<Payment>>, LedgerError> {
    let references: Vec<&str> = lines.iter().filter_map(|line| line.reference.as_deref()).collect();
    let mut payments = office.ledger.payments_named(&references).await?;
    payments.sort_by_key(|payment| payment.undone);
    let mut named: BTreeMap<String, Vec<Payment>> = BTreeMap::new();
    for payment in payments {
        named.entry(payment.reference.clone().unwrap_or_default()).or_default().push(payment);
    }
    Ok(named)
}

/// The payment that a line was recorded as, by its reference.
fn recorded<'a>(named: &'a BTreeMap<String, Vec<Payment>>, line: &BankLine) -> Option<&'a Payment> {
    let payments = named.get(line.reference.as_ref()?)?;
    payments.iter().find(|payment| payment.kind == line.kind)
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
