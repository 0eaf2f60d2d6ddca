//! What the run knows of the accounts by itself: what it asked for, and what was acknowledged.
//!
//! A command that was killed, or that lost the ledger, may or may not have done its work: what it did is read
//! once, when it is over, and holds from then on. What was acknowledged holds at once.

use std::collections::BTreeMap;

use serde_json::Value;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Exit status 0 or 1: what it says it did is done.
    Done,
    /// Exit status 2: nothing is done.
    Refused,
    /// Killed, or the ledger was away: all or nothing.
    Unknown,
}

/// Whether something is in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// A command that may do it runs, or its end is not known.
    Maybe,
    Holds,
    /// It was refused: it must not be there.
    Never,
}

impl Fact {
    fn after(end: End) -> Self {
        match end {
            End::Done => Self::Holds,
            End::Refused => Self::Never,
            End::Unknown => Self::Maybe,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Payment {
    pub whose: String,
    pub number: Option<String>,
    pub amount: i64,
    pub kind: &'static str,
    pub is: Fact,
    pub undone: Fact,
    /// Once it is known.
    pub id: Option<String>,
    /// The file that it came with: all of a file are there, or none.
    pub file: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub whose: String,
    pub amount: i64,
    pub is: Fact,
    pub undone: Fact,
    pub id: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Note {
    pub whose: String,
    pub amount: i64,
    pub is: Fact,
    pub id: Option<i64>,
    /// What was taken back of it; `None` where that is to be read.
    pub taken_back: Option<i64>,
}

/// By what names them: reference, reason, description.
#[derive(Debug, Default)]
pub struct Model {
    pub payments: BTreeMap<String, Payment>,
    pub refunds: BTreeMap<String, Refund>,
    pub notes: BTreeMap<String, Note>,
}

/// What the ledger has of all that.
#[derive(Debug, Default)]
pub struct Rows {
    pub payments: Vec<PaymentRow>,
    /// Reason, id, whose, sum of its parts.
    pub refunds: Vec<(String, String, String, i64)>,
    /// Description, id, whose, amount, taken back.
    pub notes: Vec<(String, i64, String, i64, i64)>,
}

#[derive(Debug)]
pub struct PaymentRow {
    pub reference: String,
    pub id: String,
    pub whose: String,
    pub number: Option<String>,
    pub amount: i64,
    pub kind: String,
    pub undone: bool,
    /// Its invoice is void or was revised: what was withheld may be undone with it.
    pub unsettled: bool,
}

pub fn centavos(amount: &Value) -> i64 {
    amount.as_str().and_then(|text| text.replace('.', "").parse().ok()).unwrap_or(i64::MIN)
}

pub fn reais(centavos: i64) -> String {
    let sign = if centavos < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", centavos.abs() / 100, centavos.abs() % 100)
}

impl Model {
    /// The end of a command that should record these payments.
    pub fn paid(&mut self, references: &[String], end: End, answer: &Value) {
        let recorded = answer["recorded"].as_array().cloned().unwrap_or_default();
        for reference in references {
            let Some(payment) = self.payments.get_mut(reference) else { continue };
            if payment.is == Fact::Holds {
                continue; // its file was read again
            }
            let own = recorded.iter().find(|one| one["reference"] == **reference);
            payment.is = match (end, own) {
                (End::Done, None) => Fact::Maybe, // left for a person, or recorded before
                (end, _) => Fact::after(end),
            };
            if let (End::Done, Some(own)) = (end, own) {
                payment.amount = centavos(&own["amount"]);
                payment.id = own["id"].as_str().map(str::to_owned);
                own["dealership_id"].as_str().unwrap_or_default().clone_into(&mut payment.whose);
            }
        }
    }

    pub fn undo_ended(&mut self, name: &str, end: End) {
        let undone = match end {
            End::Done => Fact::Holds,
            End::Refused => Fact::Never,
            End::Unknown => Fact::Maybe,
        };
        if let Some(payment) = self.payments.get_mut(name) {
            payment.undone = undone;
        } else if let Some(refund) = self.refunds.get_mut(name) {
            refund.undone = undone;
        }
    }

    pub fn refunded(&mut self, reason: &str, end: End, answer: &Value) {
        if let Some(refund) = self.refunds.get_mut(reason) {
            refund.is = Fact::after(end);
            refund.id = answer["id"].as_str().map(str::to_owned);
        }
    }

    pub fn noted(&mut self, description: &str, end: End, answer: &Value) {
        if let Some(note) = self.notes.get_mut(description) {
            note.is = Fact::after(end);
            note.id = answer["id"].as_i64();
        }
    }

    pub fn taken_back(&mut self, description: &str, end: End, answer: &Value) {
        if let Some(note) = self.notes.get_mut(description) {
            note.taken_back = match end {
                End::Done => Some(centavos(&answer["amount"])),
                End::Refused => Some(0),
                End::Unknown => None,
            };
        }
    }

    /// Holds the ledger's rows against what is known, and learns what was not. No command runs meanwhile.
    /// What contradicts, in words.
    pub fn settle(&mut self, rows: &Rows) -> Vec<String> {
        let mut wrong = Vec::new();
        self.settle_payments(rows, &mut wrong);
        self.settle_refunds(rows, &mut wrong);
        self.settle_notes(rows, &mut wrong);
        wrong
    }

    fn settle_payments(&mut self, rows: &Rows, wrong: &mut Vec<String>) {
        let mut by_reference: BTreeMap<&str, &PaymentRow> = BTreeMap::new();
        for row in &rows.payments {
            if by_reference.insert(&row.reference, row).is_some() {
                wrong.push(format!("payment {} is recorded twice", row.reference));
            }
            if !self.payments.contains_key(&row.reference) {
                wrong.push(format!("nobody made the payment {row:?}"));
            }
        }
        let mut files: BTreeMap<u64, [u32; 2]> = BTreeMap::new();
        for (reference, payment) in &mut self.payments {
            let row = by_reference.get(&**reference);
            if let (Some(file), Fact::Maybe) = (payment.file, payment.is) {
                files.entry(file).or_default()[usize::from(row.is_some())] += 1;
            }
            let told = match (payment.is, row) {
                (Fact::Holds, None) => Some("was acknowledged and is lost"),
                (Fact::Never, Some(_)) => Some("was refused and is recorded"),
                _ => None,
            };
            wrong.extend(told.map(|told| format!("payment {reference} {told}: {payment:?}")));
            if let Some(row) = row {
                payment.learn(row, wrong);
            } else if payment.is == Fact::Maybe {
                payment.is = Fact::Never;
            }
        }
        let halves = files.iter().filter(|(_, [absent, present])| *absent > 0 && *present > 0);
        wrong.extend(halves.map(|(file, _)| format!("half of the file {file} is recorded")));
        self.payments.retain(|_, payment| payment.is != Fact::Never);
    }

    fn settle_refunds(&mut self, rows: &Rows, wrong: &mut Vec<String>) {
        let mut by_reason = BTreeMap::new();
        for (reason, id, whose, sum) in &rows.refunds {
            if by_reason.insert(&**reason, (id, whose, *sum)).is_some() {
                wrong.push(format!("refund {reason} is recorded twice"));
            }
            if !self.refunds.contains_key(reason) {
                wrong.push(format!("nobody made the refund {reason}"));
            }
        }
        for (reason, refund) in &mut self.refunds {
            match (refund.is, by_reason.get(&**reason)) {
                (Fact::Holds, None) => {
                    wrong.push(format!("refund {reason} was acknowledged and is lost"));
                }
                (Fact::Never, Some(_)) => {
                    wrong.push(format!("refund {reason} was refused and is recorded"));
                }
                (_, None) => refund.is = Fact::Never,
                (_, Some((id, whose, sum))) => {
                    refund.is = Fact::Holds;
                    refund.id = Some((*id).clone());
                    let is_undone = *sum == 0;
                    let right = match refund.undone {
                        Fact::Maybe => is_undone || *sum == refund.amount,
                        Fact::Holds => is_undone,
                        Fact::Never => *sum == refund.amount,
                    };
                    if !right || refund.whose != **whose {
                        wrong.push(format!("refund {reason} is {sum} of {whose}, not {refund:?}"));
                    }
                    refund.undone = if is_undone { Fact::Holds } else { Fact::Never };
                }
            }
        }
        self.refunds.retain(|_, refund| refund.is != Fact::Never);
    }

    fn settle_notes(&mut self, rows: &Rows, wrong: &mut Vec<String>) {
        let mut by_description = BTreeMap::new();
        for (description, id, whose, amount, taken_back) in &rows.notes {
            if by_description.insert(&**description, (*id, whose, *amount, *taken_back)).is_some() {
                wrong.push(format!("note {description} is entered twice"));
            }
            if !self.notes.contains_key(description) {
                wrong.push(format!("nobody entered the note {description}"));
            }
        }
        for (description, note) in &mut self.notes {
            match (note.is, by_description.get(&**description)) {
                (Fact::Holds, None) => {
                    wrong.push(format!("note {description} was acknowledged and is lost"));
                }
                (Fact::Never, Some(_)) => {
                    wrong.push(format!("note {description} was refused and is entered"));
                }
                (_, None) => note.is = Fact::Never,
                (_, Some((id, whose, amount, taken_back))) => {
                    let back = note.taken_back.unwrap_or(*taken_back);
                    if (&note.whose, note.amount, back) != (*whose, *amount, *taken_back) {
                        wrong.push(format!(
                            "note {description} is {amount} of {whose}, {taken_back} of it taken back, not {note:?}"
                        ));
                    }
                    (note.is, note.id) = (Fact::Holds, Some(*id));
                    note.taken_back = Some(*taken_back);
                }
            }
        }
        self.notes.retain(|_, note| note.is != Fact::Never);
    }
}

impl Payment {
    fn learn(&mut self, row: &PaymentRow, wrong: &mut Vec<String>) {
        // All that is open was asked for: how much that is, is learned.
        let amount = if self.amount == 0 { row.amount } else { self.amount };
        let same = (&*self.whose, amount, self.kind) == (&*row.whose, row.amount, &*row.kind)
            && self.number == row.number;
        if !same {
            wrong.push(format!("a payment is {row:?}, not {self:?}"));
        }
        let withheld = !["money", "interest"].contains(&self.kind);
        let undone = match self.undone {
            Fact::Maybe => row.undone,
            Fact::Holds => true,
            Fact::Never => false,
        };
        if row.undone != undone && !(row.undone && withheld && row.unsettled) {
            wrong.push(format!("a payment is {row:?}, not {self:?}: undone"));
        }
        (self.is, self.amount, self.id) = (Fact::Holds, row.amount, Some(row.id.clone()));
        self.undone = if row.undone { Fact::Holds } else { Fact::Never };
    }
}
