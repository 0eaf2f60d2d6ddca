//! The page of a group (*resumo do grupo*): the invoices of its dealerships for a month, added up, with one Pix.

use super::RenderError;
use super::invoice::{contact, pay_with_pix};
use super::letterhead::{self, Logo, day, labelled};
use super::press::font::Fonts;
use super::press::layout::{Block, Column, Ink, Paper, Picture};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::group_bill::{GroupBill, GroupRow};
use fecha_core::price::money::{Money, grouped};

/// Between sections.
const SECTION: f32 = 17.0;
/// Above and below each row.
const AROUND: f32 = 5.0;
/// Inside panels.
const PADDING: f32 = 14.0;
/// The side of the QR code, with its white.
const QR: f32 = 116.0;

/// What the document is called.
pub(super) fn name(bill: &GroupBill) -> String {
    format!("Resumo do grupo {}", bill.txid)
}

/// The pages: as many as the group has rows for, the head of the table on each.
pub(super) fn pages(
    fonts: &Fonts,
    logo: Option<Logo>,
    bill: &GroupBill,
) -> Result<Vec<Picture>, RenderError> {
    let continuation = letterhead::continuation_of(&name(bill), bill.group.as_str());
    let mut paper = Paper::new(fonts, continuation);
    paper.add(head(bill, logo));
    paper.space(SECTION);
    paper.add(summary(bill));
    if let Some(before) = bill.replaces {
        paper.space(SECTION * 0.6);
        paper.add(replaced(&before.to_string()));
    }
    paper.space(SECTION);
    paper.table(table_header(), bill.rows.iter().map(row));
    paper.space(SECTION * 0.4);
    paper.add(sum(bill));
    paper.space(SECTION);
    paper.add(payment(bill)?);
    paper.space(SECTION * 0.8);
    paper.add(note(bill));
    Ok(paper.finish(|page, of| letterhead::foot_of(name(bill), page, of)))
}

fn head(bill: &GroupBill, logo: Option<Logo>) -> Block {
    let title = Text::new("Resumo do grupo", Style::semi_bold(20.0, Ink::Strong));
    let number = format!("Nº {}", bill.txid);
    let title = Block::Stack(vec![
        Block::Text(title.is(Role::Title).right()),
        Block::Text(Text::new(number, Style::semi_bold(10.5, Ink::Accent)).right()),
    ]);
    let masthead = vec![
        (Column::Share(1.0), letterhead::brand(&bill.issuer, logo)),
        (Column::Fixed(190.0), title),
    ];
    let of = format!("{} de {}", invoices(bill), bill.txid.month.in_words());
    let group = letterhead::party("Grupo", bill.group.as_str(), &[of]);
    let about =
        vec![(Column::Share(1.0), letterhead::issuer(&bill.issuer)), (Column::Share(1.0), group)];
    Block::Stack(vec![
        Block::columns(24.0, masthead),
        Block::Gap(11.0),
        Block::Rule(Ink::Line),
        Block::Gap(12.0),
        Block::columns(28.0, about),
    ])
}

/// `3 faturas`.
fn invoices(bill: &GroupBill) -> String {
    format!("{} faturas", grouped(bill.rows.len() as u64))
}

/// What a reader looks for: how much, until when, for which month.
fn summary(bill: &GroupBill) -> Block {
    let fact = |text: String| Text::new(text, Style::semi_bold(11.0, Ink::Strong)).within(1, 8.0);
    let note = |text: String| Block::Text(Text::new(text, Style::NOTE).within(1, 6.5));
    let amount =
        Text::new(bill.to_pay().brl(), Style::semi_bold(27.0, Ink::Strong)).within(1, 12.0);
    let made = format!("Emissão {}", day(bill.made_on));
    let due = match bill.due_on() {
        Some(due_on) => {
            let label = if is_due_together(bill) { "Vencimento" } else { "Primeiro vencimento" };
            Block::Stack(vec![labelled(label, fact(day(due_on))), note(made)])
        }
        None => labelled("Emissão", fact(day(bill.made_on))),
    };
    let month = Block::Stack(vec![
        labelled("Competência", fact(bill.txid.month.in_words())),
        note(invoices(bill)),
    ]);
    let columns = vec![
        (Column::Share(1.0), Block::Stack(vec![labelled("Total a pagar", amount)])),
        (Column::Fixed(110.0), due),
        (Column::Fixed(122.0), month),
    ];
    let content = Box::new(Block::columns(18.0, columns));
    Block::Panel { ink: Ink::Tint, edge: Some(Ink::Accent), padding: PADDING, content }
}

/// Whether all that is to be paid is due on one day.
fn is_due_together(bill: &GroupBill) -> bool {
    let due = bill.due_on();
    let mut owing = bill.rows.iter().filter(|row| row.to_pay > Money::ZERO);
    owing.all(|row| Some(row.due_on) == due)
}

fn replaced(before: &str) -> Block {
    let title = format!("Substitui o resumo {before}");
    let why = "As faturas do grupo mudaram. Desconsidere o resumo anterior; o que já foi pago está descontado.";
    let content = Box::new(Block::Stack(vec![
        Block::Text(Text::new(title, Style::NAME)),
        Block::Gap(2.0),
        Block::Text(Text::new(why, Style::BODY)),
    ]));
    Block::Panel { ink: Ink::Wash, edge: None, padding: 12.0, content }
}

/// The columns of the table: which invoice, whose, when due, and the three amounts.
fn columns(cells: [Block; 6]) -> Block {
    let widths = [
        Column::Fixed(82.0),
        Column::Share(1.0),
        Column::Fixed(54.0),
        Column::Fixed(70.0),
        Column::Fixed(66.0),
        Column::Fixed(72.0),
    ];
    Block::columns(8.0, widths.into_iter().zip(cells).collect())
}

fn table_header() -> Block {
    let title = |text: &str| Text::new(text, Style::LABEL).is(Role::HeaderCell);
    let row = Block::Stack(vec![
        columns([
            Block::Text(title("Fatura")),
            Block::Text(title("Concessionária")),
            Block::Text(title("Vencimento")),
            Block::Text(title("Total").right()),
            Block::Text(title("Já pago").right()),
            Block::Text(title("A pagar").right()),
        ]),
        Block::Gap(5.0),
        Block::Rule(Ink::Line),
    ]);
    row.tagged(Role::Row)
}

fn row(row: &GroupRow) -> Block {
    let cell =
        |text: String, style| Block::Text(Text::new(text, style).within(1, 5.0).is(Role::Cell));
    let figure = |text: String, style| {
        Block::Text(Text::new(text, style).right().within(1, 5.0).is(Role::Cell))
    };
    let paid = if row.paid == Money::ZERO { "–".to_owned() } else { row.paid.brl() };
    let strong = Style::semi_bold(9.0, Ink::Strong);
    let who = Block::Stack(vec![
        Block::Text(Text::new(row.called(), strong).within(2, 7.0)),
        Block::Text(Text::new(format!("CNPJ {}", row.cnpj), Style::NOTE).within(1, 6.0)),
    ]);
    let cells = columns([
        Block::Text(Text::new(row.label(), strong).within(1, 6.5).is(Role::RowHeaderCell)),
        who.tagged(Role::Cell),
        cell(day(row.due_on), Style::BODY),
        figure(row.total.brl(), Style::BODY),
        figure(paid, Style::BODY),
        figure(row.to_pay.brl(), strong),
    ]);
    Block::Stack(vec![Block::Gap(AROUND), cells, Block::Gap(AROUND), Block::Rule(Ink::Line)])
        .tagged(Role::Row)
}

/// What the rows add up to.
fn sum(bill: &GroupBill) -> Block {
    let row = |name: &str, amount: Money, style: Style| {
        let name = Block::Text(Text::new(name, style));
        let amount = Block::Text(Text::new(amount.brl(), style).right().within(1, 6.0));
        Block::columns(10.0, vec![(Column::Share(1.0), name), (Column::Fixed(200.0), amount)])
    };
    let strong = Style::semi_bold(11.5, Ink::Strong);
    if bill.paid() == Money::ZERO {
        return row("Total a pagar", bill.to_pay(), strong);
    }
    Block::Stack(vec![
        row("Total das faturas", bill.total(), Style::semi_bold(10.0, Ink::Strong)),
        Block::Gap(3.0),
        row("Já pago", -bill.paid(), Style::BODY),
        Block::Gap(3.0),
        row("Total a pagar", bill.to_pay(), strong),
    ])
}

/// How to pay all of it.
fn payment(bill: &GroupBill) -> Result<Block, RenderError> {
    let content = match (&bill.pix, bill.due_on()) {
        (Some(code), Some(due_on)) => {
            let amount = if is_due_together(bill) {
                format!("{} até {}", bill.to_pay().brl(), day(due_on))
            } else {
                let first = day(due_on);
                format!("{}: a primeira fatura vence em {first}", bill.to_pay().brl())
            };
            let one_way = "Um só Pix paga todas as faturas acima. Cada fatura também tem o seu próprio Pix: use só um dos dois caminhos.";
            let notes = vec![Block::Gap(4.0), Block::Text(Text::new(one_way, Style::BODY))];
            let how = "Aponte a câmera do aplicativo do seu banco para o código, ou copie a linha abaixo em \
                       “Pix copia e cola”. No celular: copie do e-mail que trouxe este resumo.";
            pay_with_pix(&bill.issuer, code, QR, amount, notes, how)?
        }
        (None, Some(_)) => {
            let ask = contact(&bill.issuer);
            plain("Como pagar", &format!("Combine a forma de pagamento com o emitente. {ask}"))
        }
        (_, None) => plain("Nada a pagar", "Todas as faturas acima já estão pagas."),
    };
    Ok(Block::Panel { ink: Ink::Tint, edge: None, padding: PADDING, content: Box::new(content) })
}

fn plain(title: &str, text: &str) -> Block {
    Block::Stack(vec![
        Block::Text(Text::new(title, Style::SECTION).is(Role::Heading)),
        Block::Gap(2.0),
        Block::Text(Text::new(text, Style::BODY)),
    ])
}

/// What the page is, and is not.
fn note(bill: &GroupBill) -> Block {
    let ask = contact(&bill.issuer);
    let text = format!(
        "Este resumo soma as faturas do grupo como estavam em {}; o que vale é cada fatura. Um pagamento pelo Pix do \
         grupo quita as faturas na ordem dos números. Dúvidas? {ask}",
        day(bill.made_on)
    );
    Block::Text(Text::new(text, Style::NOTE))
}
