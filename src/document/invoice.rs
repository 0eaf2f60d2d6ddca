//! The invoice (*fatura*).

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::RenderError;
use super::letterhead::{self, Kind, Logo, day, labelled};
use super::press::font::Fonts;
use super::press::layout::{Block, Column, Ink, Paper, Picture};
use super::press::qr;
use super::press::tags::Role;
use super::press::text::{Align, Style, Text};
use fecha_core::bill::invoice::{Invoice, Replacement, label};
use fecha_core::price::item::{Item, Line};
use fecha_core::price::money::{Money, decimal_comma, grouped};

const QR_SIDE: f32 = 116.0;

/// How much white an invoice has.
#[derive(Debug, Clone, Copy)]
struct Spacing {
    /// Between sections.
    section: f32,
    /// Above and below each line.
    line: f32,
}

const USUAL: Spacing = Spacing { section: 17.0, line: 6.5 };
const CLOSER: [Spacing; 2] =
    [Spacing { section: 13.5, line: 5.5 }, Spacing { section: 9.0, line: 4.0 }];

/// The invoice's pages: one for nearly every invoice, closer set where it would be two otherwise.
pub(super) fn pages(
    fonts: &Fonts,
    logo: Option<Logo>,
    invoice: &Invoice,
) -> Result<Vec<Picture>, RenderError> {
    let mut pages = spaced(fonts, logo, invoice, USUAL)?;
    for spacing in CLOSER {
        if pages.len() > 1 {
            let closer = spaced(fonts, logo, invoice, spacing)?;
            pages = if closer.len() < pages.len() { closer } else { pages };
        }
    }
    Ok(pages)
}

fn spaced(
    fonts: &Fonts,
    logo: Option<Logo>,
    invoice: &Invoice,
    spacing: Spacing,
) -> Result<Vec<Picture>, RenderError> {
    let Spacing { section, line: around } = spacing;
    let mut paper = Paper::new(fonts, letterhead::continuation(invoice, Kind::Invoice));
    paper.add(letterhead::head(invoice, Kind::Invoice, logo));
    paper.space(section);
    paper.add(summary(invoice));
    if let Some(replaced) = &invoice.replaces {
        paper.space(section * 0.6);
        paper.add(revision(invoice, replaced));
    }
    paper.space(section);
    paper.table(table_header(), invoice.lines.iter().map(|line| row(invoice, line, around)));
    paper.space(section * 0.53);
    paper.add(total(invoice));
    paper.space(section);
    paper.add(payment(invoice)?);
    paper.space(section);
    paper.add(letterhead::evidence(invoice));
    Ok(paper.finish(|page, of| letterhead::foot(invoice, Kind::Invoice, page, of)))
}

/// What a reader looks for: how much, until when, for which month.
fn summary(invoice: &Invoice) -> Block {
    let total = invoice.balance();
    let shown = total.max(-total);
    let amount = Text::new(shown.brl(), Style::semi_bold(27.0, Ink::Strong)).within(1, 12.0);
    let fact = |text: String| Text::new(text, Style::semi_bold(11.0, Ink::Strong)).within(1, 8.0);
    let note = |text: String| Block::Text(Text::new(text, Style::NOTE).within(1, 6.5));
    let due = if invoice.to_pay() > Money::ZERO {
        Block::Stack(vec![
            labelled("Vencimento", fact(day(invoice.due_on))),
            note(format!("Emissão {}", day(invoice.issued_on))),
        ])
    } else {
        labelled("Emissão", fact(day(invoice.issued_on)))
    };
    let month = Block::Stack(vec![
        labelled("Competência", fact(invoice.month.in_words())),
        note(letterhead::period(invoice)),
        note(format!("Fuso horário {}", invoice.timezone)),
    ]);
    let columns = vec![
        (Column::Share(1.0), labelled(what_to_pay(total), amount)),
        (Column::Fixed(92.0), due),
        (Column::Fixed(140.0), month),
    ];
    let content = Box::new(Block::columns(18.0, columns));
    Block::Panel { ink: Ink::Tint, edge: Some(Ink::Accent), padding: 14.0, content }
}

fn what_to_pay(total: Money) -> &'static str {
    if total < Money::ZERO { "Saldo a seu favor" } else { "Total a pagar" }
}

/// What this revision replaces, why, by whom, and what it changes.
fn revision(invoice: &Invoice, replaced: &Replacement) -> Block {
    let before = label(invoice.number, replaced.revision);
    let difference = invoice.total() - replaced.total;
    let change = match difference.centavos() {
        0 => "o total não muda".to_owned(),
        1.. => format!("{} a mais", difference.brl()),
        _ => format!("{} a menos", (-difference).brl()),
    };
    let title = format!("Revisão {}: substitui a fatura {before}", invoice.revision);
    let totals = format!(
        "Total anterior {}, novo total {}: {change}.",
        replaced.total.brl(),
        invoice.total().brl(),
    );
    let body = |text: String| Block::Text(Text::new(text, Style::BODY));
    let mut blocks =
        vec![Block::Text(Text::new(title, Style::NAME)), Block::Gap(2.0), body(totals)];
    blocks.extend(paid(invoice).map(body));
    blocks.push(body(format!("Motivo: {}", replaced.reason)));
    let by = format!("Solicitada por {}", replaced.by);
    blocks.push(Block::Text(Text::new(by, Style::NOTE)));
    let content = Box::new(Block::Stack(blocks));
    Block::Panel { ink: Ink::Wash, edge: None, padding: 12.0, content }
}

/// What was paid of an earlier revision, and what is left.
fn paid(invoice: &Invoice) -> Option<String> {
    let left = match invoice.credit() {
        Money::ZERO => format!("a pagar {}", invoice.to_pay().brl()),
        credit => format!("crédito de {} para a próxima fatura", credit.brl()),
    };
    let paid = invoice.paid();
    (paid > Money::ZERO).then(|| format!("Já pago {}: {left}.", paid.brl()))
}

/// The columns of the table: what, how many, for how much each, how much.
fn columns(cells: [Block; 4]) -> Block {
    let widths =
        [Column::Share(1.0), Column::Fixed(70.0), Column::Fixed(90.0), Column::Fixed(100.0)];
    Block::columns(10.0, widths.into_iter().zip(cells).collect())
}

pub(super) fn table_header() -> Block {
    let title = |text: &str| Text::new(text, Style::LABEL).is(Role::HeaderCell);
    let row = Block::Stack(vec![
        columns([
            Block::Text(title("Descrição")),
            Block::Text(title("Quantidade").right()),
            Block::Text(title("Preço unitário").right()),
            Block::Text(title("Valor").right()),
        ]),
        Block::Gap(5.0),
        Block::Rule(Ink::Line),
    ]);
    row.tagged(Role::Row)
}

/// A line of the table, with this much white above and below.
pub(super) fn row(invoice: &Invoice, line: &Line, around: f32) -> Block {
    let figure = |text: String| {
        Block::Text(Text::new(text, Style::BODY).right().within(1, 5.0).is(Role::Cell))
    };
    let (what, explanation) = description(invoice, &line.item);
    let what = Text::new(what, Style::semi_bold(9.0, Ink::Strong)).within(3, 7.0);
    let mut cell = vec![Block::Text(what)];
    cell.extend(explanation.map(|text| Block::Text(Text::new(text, Style::NOTE))));
    let row = Block::Stack(vec![
        Block::Gap(around),
        columns([
            Block::Stack(cell).tagged(Role::RowHeaderCell),
            figure(grouped(line.quantity)),
            figure(unit_price(line.unit_price)),
            figure(line.amount.brl()),
        ]),
        Block::Gap(around),
        Block::Rule(Ink::Line),
    ]);
    row.tagged(Role::Row)
}

fn description(invoice: &Invoice, item: &Item) -> (String, Option<String>) {
    match item {
        Item::Package { contacts } => (
            format!("Pacote mensal, {} contatos", grouped(*contacts)),
            Some(format!(
                "{} de {} contatos usados",
                grouped(invoice.usage.uam),
                grouped(*contacts)
            )),
        ),
        Item::Overage => {
            ("UAM adicional".to_owned(), Some("Contatos únicos acima do pacote".to_owned()))
        }
        Item::Hsm => {
            ("HSM".to_owned(), Some("Mensagens enviadas a partir de modelos aprovados".to_owned()))
        }
        Item::Adjustment { description } => (description.clone(), None),
    }
}

/// `R$ 0,29`; the sign of a credit stands before `R$`, as in amounts.
pub(super) fn unit_price(reais: Decimal) -> String {
    let sign = if reais < Decimal::ZERO { "-" } else { "" };
    format!("{sign}R$\u{a0}{}", decimal_comma(reais.abs()))
}

/// The total and, where something was paid before the issue, what is left to pay.
pub(super) fn total(invoice: &Invoice) -> Block {
    let row = |name: &str, amount: Money, style: Style| {
        let name = Block::Text(Text::new(name, style));
        let amount = Block::Text(Text::new(amount.brl(), style).right().within(1, 6.0));
        Block::columns(10.0, vec![(Column::Share(1.0), name), (Column::Fixed(200.0), amount)])
    };
    let strong = Style::semi_bold(11.5, Ink::Strong);
    if invoice.paid() == Money::ZERO {
        return row("Total", invoice.total(), strong);
    }
    let left = match invoice.credit() {
        Money::ZERO => row("A pagar", invoice.to_pay(), strong),
        credit => row("Saldo a seu favor", credit, strong),
    };
    Block::Stack(vec![
        row("Total", invoice.total(), Style::semi_bold(10.0, Ink::Strong)),
        Block::Gap(3.0),
        row("Já pago", -invoice.paid(), Style::BODY),
        Block::Gap(3.0),
        left,
    ])
}

/// How to pay: by PIX, by asking, or not at all.
fn payment(invoice: &Invoice) -> Result<Block, RenderError> {
    let content = match &invoice.pix {
        Some(code) => pix(invoice, code)?,
        None => without_pix(invoice),
    };
    Ok(Block::Panel { ink: Ink::Tint, edge: None, padding: 14.0, content: Box::new(content) })
}

fn pix(invoice: &Invoice, code: &str) -> Result<Block, RenderError> {
    let picture = qr::picture(code, QR_SIDE).map_err(|_| RenderError::PixTooLong)?;
    let issuer = &invoice.issuer;
    let receiver = format!("Recebedor: {}, CNPJ {}", issuer.name, issuer.cnpj);
    let amount = format!("{} até {}", invoice.to_pay().brl(), day(invoice.due_on));
    let how = "Aponte a câmera do aplicativo do seu banco para o código, ou copie a linha abaixo em “Pix copia e cola”.";
    let mut text = vec![
        Block::Text(Text::new("Pague com Pix", Style::SECTION).is(Role::Heading)),
        Block::Gap(3.0),
        Block::Text(Text::new(amount, Style::BODY)),
        Block::Text(Text::new(receiver, Style::NOTE).within(2, 6.5)),
    ];
    text.extend(late_fee(invoice));
    text.extend([Block::Gap(6.5), Block::Text(Text::new(how, Style::NOTE))]);
    let text = Block::Stack(text);
    let picture = Block::Picture(picture).tagged(Role::Figure("QR code do Pix".to_owned()));
    let columns = vec![(Column::Fixed(QR_SIDE), picture), (Column::Share(1.0), text)];
    // In one line across the panel: where it breaks, programs that copy it put the line's end in.
    let line = Text::new(code, Style::regular(6.0, Ink::Strong)).unbroken(5.0);
    let line = Block::Text(line.align(Align::Center));
    Ok(Block::Stack(vec![Block::columns(18.0, columns), Block::Gap(8.0), line]))
}

/// What is asked of who pays late, where the issuer has words for it.
fn late_fee(invoice: &Invoice) -> Option<Block> {
    let text = invoice.late_fee.as_ref()?;
    Some(Block::Text(Text::new(text, Style::NOTE)))
}

fn without_pix(invoice: &Invoice) -> Block {
    let total = invoice.balance();
    let ask = contact_of_issuer(invoice);
    let (title, text) = match total.cmp(&Money::ZERO) {
        Ordering::Equal if invoice.paid() > Money::ZERO => {
            ("Nada a pagar", "Esta fatura já está paga.".to_owned())
        }
        Ordering::Equal => ("Nada a pagar", "O total desta fatura é zero.".to_owned()),
        Ordering::Less => (
            "Nada a pagar",
            format!(
                "Esta fatura tem um saldo de {} a seu favor, que descontamos da próxima. {ask}",
                (-total).brl()
            ),
        ),
        Ordering::Greater => {
            ("Como pagar", format!("Combine a forma de pagamento com o emitente. {ask}"))
        }
    };
    let mut blocks = vec![
        Block::Text(Text::new(title, Style::SECTION).is(Role::Heading)),
        Block::Gap(2.0),
        Block::Text(Text::new(text, Style::BODY)),
    ];
    blocks.extend(late_fee(invoice).filter(|_| total > Money::ZERO));
    Block::Stack(blocks)
}

/// Whom to write to or call.
pub(super) fn contact_of_issuer(invoice: &Invoice) -> String {
    let issuer = &invoice.issuer;
    if issuer.phone.trim().is_empty() {
        format!("Escreva para {}.", issuer.email)
    } else {
        format!("Escreva para {} ou ligue para {}.", issuer.email, issuer.phone)
    }
}
