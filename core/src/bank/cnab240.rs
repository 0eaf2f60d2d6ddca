//! CNAB 240 return files of *cobrança*: segments T (the title) and U (its money) of FEBRABAN's layout.

use super::cnab::{Cell, Figures, Paid, Reckoned, Record, pay, records};
use super::occurrence::{Bank, other_240, payments_240};
use super::statement::Reading;
use crate::party::tax_id::Cnpj;
use crate::price::money::Money;

/// Where segment T has what; U is the same at all banks.
struct Title {
    nosso_numero: Cell,
    seu_numero: Cell,
    face: Cell,
    of_company: Cell,
    payer_kind: usize,
    payer: Cell,
    payer_name: Cell,
    fee: Cell,
}

/// FEBRABAN, *Layout Padrão CNAB 240*, segment T.
const FEBRABAN: Title = Title {
    nosso_numero: (38, 57),
    seu_numero: (59, 73),
    face: (82, 96),
    of_company: (106, 130),
    payer_kind: 133,
    payer: (134, 148),
    payer_name: (149, 188),
    fee: (199, 213),
};

/// Santander, H7815 of April 2018: its account is shorter, so all that follows stands before.
const SANTANDER: Title = Title {
    nosso_numero: (41, 53),
    seu_numero: (55, 69),
    face: (78, 92),
    of_company: (101, 125),
    payer_kind: 128,
    payer: (129, 143),
    payer_name: (144, 183),
    fee: (194, 208),
};

/// The batch that is read.
#[derive(Default)]
struct Batch<'a> {
    open: bool,
    records: u64,
    /// A segment T whose U has not come.
    title: Option<&'a Record>,
}

/// What was counted, to hold against the trailers.
#[derive(Default)]
struct Counted {
    batches: u64,
    ended: bool,
}

pub(super) fn read(reading: &mut Reading, bytes: &[u8]) {
    let records = records(reading, bytes, 240);
    let Some(header) = records.first() else { return };
    if header.at(143) != '2' {
        return reading.bad(
            header.line,
            "is what was sent to the bank (remessa): read the return file (retorno)",
        );
    }
    let code = header.cell((1, 3));
    let (mut batch, mut counted) = (Batch::default(), Counted::default());
    for (index, record) in records.iter().enumerate() {
        if record.cell((1, 3)) != code {
            reading.bad(record.line, format!("is of another bank than the header ({code})"));
            continue;
        }
        if counted.ended {
            reading.bad(record.line, "stands behind the end of the file");
            continue;
        }
        batch.records += 1;
        match record.at(8) {
            '0' if index == 0 => {}
            '1' if !batch.open => {
                counted.batches += 1;
                batch = Batch { open: true, records: 1, title: None };
            }
            '2'..='4' if batch.open => detail(reading, &mut batch, record, &code),
            '5' if batch.open => end_batch(reading, &mut batch, record),
            '9' if !batch.open => end_file(reading, &mut counted, record, index as u64 + 1),
            kind => reading.bad(
                record.line,
                format!("is of type '{kind}', which has no place here: lines are missing"),
            ),
        }
    }
    if !counted.ended {
        reading.bad_file("is cut off: it has no trailer (type 9). Fetch it again");
    }
}

fn end_batch(reading: &mut Reading, batch: &mut Batch<'_>, record: &Record) {
    if let Some(title) = batch.title {
        reading.bad(title.line, "is a segment T without its U: lines are missing");
    }
    let said = record.count((18, 23));
    if said != Some(batch.records) {
        reading.bad(
            record.line,
            format!("says that its batch has {} lines and it has {}", shown(said), batch.records),
        );
    }
    *batch = Batch::default();
}

fn end_file(reading: &mut Reading, counted: &mut Counted, record: &Record, lines: u64) {
    counted.ended = true;
    let (batches, said) = (record.count((18, 23)), record.count((24, 29)));
    if batches != Some(counted.batches) {
        reading.bad(
            record.line,
            format!(
                "says that the file has {} batches and it has {}",
                shown(batches),
                counted.batches
            ),
        );
    }
    if said != Some(lines) {
        reading.bad(
            record.line,
            format!("says that the file has {} lines and it has {lines}", shown(said)),
        );
    }
}

fn shown(count: Option<u64>) -> String {
    count.map_or_else(|| "no number of".to_owned(), |count| count.to_string())
}

fn detail<'a>(reading: &mut Reading, batch: &mut Batch<'a>, record: &'a Record, code: &str) {
    let segment = record.at(14).to_ascii_uppercase();
    match (segment, batch.title) {
        ('T', Some(title)) => {
            reading.bad(title.line, "is a segment T without its U: lines are missing");
            batch.title = Some(record);
        }
        ('T', None) => batch.title = Some(record),
        ('U', Some(title)) => {
            batch.title = None;
            if let Err(reason) = occurrence(reading, title, record, code) {
                reading.bad(record.line, reason);
            }
        }
        ('U', None) => reading.bad(record.line, "is a segment U without its T: lines are missing"),
        // What else is said of a title, or of other services.
        _ => reading.leave_out(format!("segment {segment}")),
    }
}

fn occurrence(
    reading: &mut Reading,
    title: &Record,
    money: &Record,
    code: &str,
) -> Result<(), String> {
    let bank = Bank::of(code);
    let movement = title.cell((16, 17));
    if money.cell((16, 17)) != movement {
        return Err(format!(
            "has the code '{}' and its segment T '{}'",
            money.cell((16, 17)),
            movement
        ));
    }
    let Some((_, meaning)) = payments_240(bank).iter().find(|(code, _)| *code == movement) else {
        reading.leave_out(other_240(bank, &movement));
        return Ok(());
    };
    let at = if bank == Some(Bank::Santander) { SANTANDER } else { FEBRABAN };
    let (discount, allowance) = (money.money((33, 47))?, money.money((48, 62))?);
    let figures = Figures {
        face: title.money(at.face)?,
        reductions: discount + allowance,
        paid: money.money((78, 92))?,
        interest: money.money((18, 32))?,
        fee: title.money(at.fee)?,
    };
    // Itaú's manual has "valor lançado em conta corrente" where FEBRABAN has what the payer paid.
    let reckoned =
        if bank == Some(Bank::Itau) { Reckoned::AfterFee } else { Reckoned::WithInterest };
    if figures.paid == Money::ZERO {
        reading.leave_out(format!("{movement} {meaning}, with nothing paid: look at it"));
        return Ok(());
    }
    let principal = figures.principal(reckoned)?;
    let on = money.day((138, 145))?.or(money.day((146, 153))?);
    let mut words = vec![format!("{movement} {meaning}"), title.text(at.payer_name)];
    if figures.reductions > Money::ZERO {
        words.push(format!("desconto e abatimento {}", figures.reductions.brl()));
    }
    pay(
        reading,
        Paid {
            line: money.line,
            on: on.ok_or("has no day (data da ocorrência)")?,
            principal,
            interest: figures.interest,
            bank: code.to_owned(),
            title: title.text(at.nosso_numero),
            ours: [title.text(at.seu_numero), title.text(at.of_company)],
            cnpj: payer(title, &at),
            words,
        },
    );
    Ok(())
}

/// The payer's CNPJ, which stands behind zeros where the cell is longer.
fn payer(title: &Record, at: &Title) -> Option<Cnpj> {
    let cell = title.cell(at.payer);
    let last_14 = cell.get(cell.len().checked_sub(14)?..)?;
    (title.at(at.payer_kind) == '2').then(|| last_14.parse().ok()).flatten()
}
