//! CNAB 400 return files of *cobrança*. Each bank has a layout of its own around cells that are common.

use super::cnab::{Cell, Figures, Paid, Reckoned, Record, pay, records};
use super::occurrence::{Bank, other_400, payments_400};
use super::statement::Reading;
use crate::price::money::Money;

/// Where a bank's details have what differs. The manuals are named in `occurrence.rs`.
struct Layout {
    /// The record type of a detail.
    detail: char,
    nosso_numero: Cell,
    /// The title as the company calls it; Sicredi has no such cell.
    of_company: Option<Cell>,
    fee: Cell,
    /// A second cell of interest: the fine.
    fine: Option<Cell>,
    payer_name: Option<Cell>,
    reckoned: Reckoned,
}

const SEU_NUMERO: Cell = (117, 126);
const FEE: Cell = (176, 188);
const FINE: Cell = (280, 292);

fn layout(bank: Bank) -> Layout {
    let common = Layout {
        detail: '1',
        nosso_numero: (63, 70),
        of_company: Some((38, 62)),
        fee: FEE,
        fine: None,
        payer_name: None,
        reckoned: Reckoned::WithInterest,
    };
    match bank {
        // "Valor lançado em conta corrente" (columns 254 to 266).
        Bank::Itau => {
            Layout { payer_name: Some((325, 354)), reckoned: Reckoned::AfterFee, ..common }
        }
        // "Neste campo será informado o valor total recebido."
        Bank::Bradesco => Layout { nosso_numero: (71, 82), ..common },
        // "Valor total recebido."
        Bank::Santander => Layout { payer_name: Some((302, 337)), ..common },
        // "Valor recebido", which is the "valor do lançamento" where the fee is taken another day.
        Bank::BancoDoBrasil => Layout {
            detail: '7',
            nosso_numero: (64, 80),
            of_company: Some((39, 63)),
            fee: (182, 188),
            ..common
        },
        // "Valor principal pago", "juros pago", "multa paga".
        Bank::Caixa => Layout {
            nosso_numero: (57, 73),
            of_company: Some((32, 56)),
            fine: Some(FINE),
            reckoned: Reckoned::WithoutInterest,
            ..common
        },
        // "Valor efetivamente pago", "juros de mora", "multa".
        Bank::Sicredi => {
            Layout { nosso_numero: (48, 62), of_company: None, fine: Some(FINE), ..common }
        }
    }
}

/// What was counted, to hold against the trailers.
#[derive(Default)]
struct Counted {
    details: u64,
    /// Occurrence 06, which Bradesco's trailer counts.
    normal: u64,
    /// Face values of all details, in centavos, which Itaú's trailer sums up.
    faces: i128,
    ended: bool,
}

pub(super) fn read(reading: &mut Reading, bytes: &[u8]) {
    let records = records(reading, bytes, 400);
    let Some(header) = records.first() else { return };
    let code = header.cell((77, 79));
    let Some(bank) = Bank::of(&code) else {
        return reading.bad(
            header.line,
            format!(
                "is of bank '{code}', whose CNAB 400 fecha does not know: of 001, 033, 104, 237, 341 \
                 and 748 it does. Export CNAB 240 or OFX"
            ),
        );
    };
    let layout = layout(bank);
    let mut counted = Counted::default();
    for (record, sequence) in records.iter().zip(1..) {
        if record.count((395, 400)) != Some(sequence) {
            let said = record.cell((395, 400));
            reading.bad(
                record.line,
                format!("has the sequence '{said}' and is line {sequence}: lines are missing"),
            );
            return;
        }
        match record.at(1) {
            _ if counted.ended => reading.bad(record.line, "stands behind the end of the file"),
            '0' if sequence == 1 => {}
            '9' => end_file(reading, &mut counted, record, bank),
            kind if kind == layout.detail => {
                if let Err(reason) = detail(reading, &mut counted, record, bank, &layout) {
                    reading.bad(record.line, reason);
                }
            }
            kind => {
                reading.leave_out(format!("record of type {kind}"));
            }
        }
    }
    if !counted.ended {
        reading.bad_file("is cut off: it has no trailer (type 9). Fetch it again");
    }
}

/// Counts that are about this file; those of all titles that a bank holds are not.
fn end_file(reading: &mut Reading, counted: &mut Counted, record: &Record, bank: Bank) {
    counted.ended = true;
    let mut hold = |what: &str, said: Option<u64>, is: i128| {
        if said.map(i128::from) != Some(is) {
            let said = said.map_or_else(|| "no number".to_owned(), |said| said.to_string());
            reading.bad(record.line, format!("says {what}: {said}, and it is {is}"));
        }
    };
    match bank {
        Bank::Itau => {
            hold("quantidade de detalhes", record.count((213, 220)), counted.details.into());
            hold("valor total informado, in centavos", record.count((221, 234)), counted.faces);
        }
        Bank::Bradesco => {
            hold("registros da ocorrência 06", record.count((87, 91)), counted.normal.into());
        }
        _ => {}
    }
}

fn detail(
    reading: &mut Reading,
    counted: &mut Counted,
    record: &Record,
    bank: Bank,
    layout: &Layout,
) -> Result<(), String> {
    let code = record.cell((109, 110));
    let face = record.money((153, 165))?;
    counted.details += 1;
    counted.normal += u64::from(code == "06");
    counted.faces += i128::from(face.centavos());
    let Some((_, meaning)) = payments_400(bank).iter().find(|(payment, _)| *payment == code) else {
        reading.leave_out(other_400(bank, &code));
        return Ok(());
    };
    let fine = layout.fine.map_or(Ok(Money::ZERO), |cell| record.money(cell))?;
    let figures = Figures {
        face,
        reductions: record.money((228, 240))? + record.money((241, 253))?,
        paid: record.money((254, 266))?,
        interest: record.money((267, 279))? + fine,
        fee: record.money(layout.fee)?,
    };
    if figures.paid == Money::ZERO {
        reading.leave_out(format!("{code} {meaning}, with nothing paid: look at it"));
        return Ok(());
    }
    let principal = figures.principal(layout.reckoned)?;
    let mut words = vec![format!("{code} {meaning}")];
    words.extend(layout.payer_name.map(|cell| record.text(cell)));
    if figures.reductions > Money::ZERO {
        words.push(format!("desconto e abatimento {}", figures.reductions.brl()));
    }
    let paid = Paid {
        line: record.line,
        on: record.day((111, 116))?.ok_or("has no day (data da ocorrência)")?,
        principal,
        interest: figures.interest,
        bank: bank_code(bank).to_owned(),
        title: record.text(layout.nosso_numero),
        ours: [
            record.text(SEU_NUMERO),
            layout.of_company.map(|cell| record.text(cell)).unwrap_or_default(),
        ],
        // The CNPJ in a detail is the company's own, not the payer's.
        cnpj: None,
        words,
    };
    pay(reading, paid);
    Ok(())
}

/// One code a bank, so that a title has one reference whichever code its file came with.
const fn bank_code(bank: Bank) -> &'static str {
    match bank {
        Bank::BancoDoBrasil => "001",
        Bank::Santander => "033",
        Bank::Caixa => "104",
        Bank::Bradesco => "237",
        Bank::Itau => "341",
        Bank::Sicredi => "748",
    }
}
