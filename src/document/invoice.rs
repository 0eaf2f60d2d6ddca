//! The invoice (*fatura*).

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::RenderError;
use super::bridge;
use super::letterhead::{self, Kind, Logo, day, labelled};
use super::press::font::Fonts;
use super::press::layout::{Block, Column, Ink, Paper, Picture};
use super::press::qr;
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::invoice::{Invoice, Replacement, label};
use fecha_core::calendar::zone;
use fecha_core::party::phone;
use fecha_core::party::register::Issuer;
use fecha_core::price::item::{Item, Line, Share};
use fecha_core::price::money::{Money, decimal_comma, grouped};
use fecha_core::price::monthly::Per;

/// How much white an invoice has.
#[derive(Debug, Clone, Copy)]
struct Spacing {
    /// Between sections.
    section: f32,
    /// Above and below each line.
    line: f32,
    /// Inside panels.
    padding: f32,
    /// The side of the QR code, with its white.
    qr: f32,
}

const USUAL: Spacing = Spacing { section: 17.0, line: 6.5, padding: 14.0, qr: 116.0 };
const CLOSER: [Spacing; 3] = [
    Spacing { section: 13.5, line: 5.5, padding: 12.0, qr: 112.0 },
    Spacing { section: 9.0, line: 3.5, padding: 9.0, qr: 106.0 },
    Spacing { section: 5.5, line: 2.0, padding: 6.5, qr: 100.0 },
];

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
    let Spacing { section, line: around, padding, .. } = spacing;
    let mut paper = Paper::new(fonts, letterhead::continuation(invoice, Kind::Invoice));
    paper.add(letterhead::head(invoice, Kind::Invoice, logo));
    paper.space(section);
    paper.add(summary(invoice, padding));
    if let Some(replaced) = &invoice.replaces {
        paper.space(section * 0.6);
        paper.add(revision(invoice, replaced, padding.min(12.0)));
    }
    paper.space(section);
    paper.table(table_header(), invoice.lines.iter().map(|line| row(invoice, line, around)));
    paper.space(section * 0.53);
    paper.add(total(invoice));
    paper.space(section * 0.6);
    paper.add(Block::Rule(Ink::Line));
    paper.space(section * 0.6);
    paper.add(bridge::why(fonts, invoice, around * 0.32));
    paper.space(section);
    paper.add(payment(invoice, spacing)?);
    paper.space(section * 0.8);
    paper.add(letterhead::evidence(invoice));
    Ok(paper.finish(|page, of| letterhead::foot(invoice, Kind::Invoice, page, of)))
}

/// What a reader looks for: how much, until when, for which month.
fn summary(invoice: &Invoice, padding: f32) -> Block {
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
        note(zone::in_words(invoice.timezone)),
    ]);
    let mut sum = vec![labelled(what_to_pay(invoice), amount)];
    if invoice.credit_left > Money::ZERO {
        let left = format!("Crédito para as próximas faturas: {}", invoice.credit_left.brl());
        sum.push(note(left));
    }
    let columns = vec![
        (Column::Share(1.0), Block::Stack(sum)),
        (Column::Fixed(92.0), due),
        (Column::Fixed(140.0), month),
    ];
    let content = Box::new(Block::columns(18.0, columns));
    Block::Panel { ink: Ink::Tint, edge: Some(Ink::Accent), padding, content }
}

fn what_to_pay(invoice: &Invoice) -> &'static str {
    match invoice.balance() {
        balance if balance < Money::ZERO => "Saldo a seu favor",
        _ if invoice.paid() > Money::ZERO => "A pagar",
        _ => "Total a pagar",
    }
}

/// What this revision replaces, why, by whom, and what it changes.
fn revision(invoice: &Invoice, replaced: &Replacement, padding: f32) -> Block {
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
    let why = Text::new(format!("Motivo: {}", replaced.reason), Style::BODY);
    blocks.push(Block::Text(why.then(format!("(solicitada por {})", replaced.by), Style::NOTE)));
    let content = Box::new(Block::Stack(blocks));
    Block::Panel { ink: Ink::Wash, edge: None, padding, content }
}

/// The columns of the table: what, how many, for how much each, how much.
fn columns(cells: [Block; 4]) -> Block {
    let widths =
        [Column::Share(1.0), Column::Fixed(60.0), Column::Fixed(84.0), Column::Fixed(90.0)];
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
    let Description { what, term, note } = description(invoice, &line.item);
    let mut what = Text::new(what, Style::semi_bold(9.0, Ink::Strong)).within(3, 7.0);
    if let Some(term) = term {
        what = what.then(format!("({term})"), Style::NOTE);
    }
    let mut cell = vec![Block::Text(what)];
    cell.extend(note.map(|text| Block::Text(Text::new(text, Style::NOTE))));
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

/// What a line is about, for those who do not know the words of the trade.
struct Description {
    /// What it means.
    what: String,
    /// The word of the trade.
    term: Option<&'static str>,
    note: Option<String>,
}

fn description(invoice: &Invoice, item: &Item) -> Description {
    match item {
        Item::Package { contacts } => Description {
            what: format!("Pacote mensal, {} contatos", grouped(*contacts)),
            term: None,
            note: Some(of_package(invoice.usage.uam, *contacts)),
        },
        Item::Overage => Description {
            what: "Contatos acima do pacote".to_owned(),
            term: Some("UAM adicional"),
            note: None,
        },
        Item::Hsm => {
            Description { what: "Mensagens de modelo".to_owned(), term: Some("HSM"), note: None }
        }
        Item::UnbilledHsm => Description {
            what: "Mensagens de modelo sem cobrança".to_owned(),
            term: Some("HSM"),
            note: Some("Não cobradas na origem ou não entregues".to_owned()),
        },
        Item::Messages { line, share, .. } => Description {
            what: share.in_portuguese(line),
            term: None,
            note: match share {
                Share::Charged { .. } | Share::Free => None,
                Share::Unbilled => Some("Não cobradas na origem ou não entregues".to_owned()),
            },
        },
        Item::Monthly { line, per } => Description {
            what: line.clone(),
            term: None,
            note: match per {
                Per::Number => Some("por número de WhatsApp da concessionária".to_owned()),
                Per::Dealership => None,
            },
        },
        Item::Discount { percent } => Description {
            what: format!("Desconto de {}", percent.in_portuguese()),
            term: None,
            note: Some(format!("sobre {}", invoice.before_discount().brl())),
        },
        Item::Adjustment { description } => {
            Description { what: description.clone(), term: None, note: None }
        }
    }
}

/// `5.412 contatos no mês: 5.000 incluídos, 412 acima`.
fn of_package(uam: u64, included: u64) -> String {
    let contacts = if uam == 1 { "contato" } else { "contatos" };
    match uam.checked_sub(included) {
        None | Some(0) if uam == 0 => "Nenhum contato no mês".to_owned(),
        None => format!("{} {contacts} no mês, dentro do pacote", grouped(uam)),
        Some(0) => format!("{} {contacts} no mês: o pacote inteiro", grouped(uam)),
        Some(above) => format!(
            "{} {contacts} no mês: {} incluídos, {} acima",
            grouped(uam),
            grouped(included),
            grouped(above)
        ),
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
fn payment(invoice: &Invoice, spacing: Spacing) -> Result<Block, RenderError> {
    let content = match &invoice.pix {
        Some(code) => pix(invoice, code, spacing.qr)?,
        None => without_pix(invoice),
    };
    let padding = spacing.padding;
    Ok(Block::Panel { ink: Ink::Tint, edge: None, padding, content: Box::new(content) })
}

fn pix(invoice: &Invoice, code: &str, side: f32) -> Result<Block, RenderError> {
    let amount = format!("{} até {}", invoice.to_pay().brl(), day(invoice.due_on));
    let how = "Aponte a câmera do aplicativo do seu banco para o código, ou copie a linha abaixo em \
               “Pix copia e cola”. No celular: copie do e-mail que trouxe esta fatura.";
    let notes = late_fee(invoice).into_iter().collect();
    pay_with_pix(&invoice.issuer, code, side, amount, notes, how)
}

/// The QR code of a Pix with what it asks for, how it is used, and its text in one line below.
pub(super) fn pay_with_pix(
    issuer: &Issuer,
    code: &str,
    side: f32,
    amount: String,
    notes: Vec<Block>,
    how: &str,
) -> Result<Block, RenderError> {
    let picture = qr::picture(code, side).map_err(|_| RenderError::PixTooLong)?;
    let receiver = format!("Recebedor: {}, CNPJ {}", issuer.name, issuer.cnpj);
    let mut text = vec![
        Block::Text(Text::new("Pague com Pix", Style::SECTION).is(Role::Heading)),
        Block::Gap(3.0),
        Block::Text(Text::new(amount, Style::BODY)),
        Block::Text(Text::new(receiver, Style::NOTE).within(2, 6.5)),
    ];
    text.extend(notes);
    text.extend([Block::Gap(6.5), Block::Text(Text::new(how, Style::NOTE))]);
    let text = Block::Stack(text);
    let side = picture.height;
    let picture = Block::Picture(picture).tagged(Role::Figure("QR code do Pix".to_owned()));
    let columns = vec![(Column::Fixed(side), picture), (Column::Share(1.0), text)];
    // In one line across the panel: where it breaks, programs that copy it put the line's end in.
    let line = Text::new(code, Style::regular(6.0, Ink::Strong)).unbroken(5.0);
    Ok(Block::Stack(vec![Block::columns(18.0, columns), Block::Gap(7.0), Block::Text(line)]))
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
    contact(&invoice.issuer)
}

/// The same of any document's issuer.
pub(super) fn contact(issuer: &Issuer) -> String {
    if issuer.phone.trim().is_empty() {
        format!("Escreva para {}.", issuer.email)
    } else {
        format!("Escreva para {} ou ligue para {}.", issuer.email, phone::in_words(&issuer.phone))
    }
}
