//! What invoice and statement share: parties, dates, evidence, head and foot of the page.

use chrono::NaiveDate;

use super::press::layout::{Area, Block, Column, Ink, Mark, Picture};
use super::press::logo::Artwork;
use super::press::tags::Role;
use super::press::text::{Align, Style, Text};
use fecha_core::bill::invoice::Invoice;
use fecha_core::calendar::zone;
use fecha_core::party::phone;
use fecha_core::party::postal_code::PostalCode;
use fecha_core::party::register::{BrazilianState, Issuer};
use fecha_core::price::money::grouped;

/// Which document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Invoice,
    Statement,
    Cancellation,
    /// What a running month would be invoiced as: it has no number.
    Preview,
}

impl Kind {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Invoice => "Fatura",
            Self::Statement => "Extrato",
            Self::Cancellation => "Cancelamento",
            Self::Preview => "Prévia",
        }
    }

    /// What the document is called.
    pub(super) fn name(self, invoice: &Invoice) -> String {
        match self {
            Self::Preview => format!("PRÉVIA de {}", invoice.month.in_words()),
            _ => format!("{} {}", self.title(), invoice.label()),
        }
    }
}

/// The issuer's logo: its width divided by its height.
#[derive(Debug, Clone, Copy)]
pub(super) struct Logo {
    aspect: f32,
}

impl Logo {
    pub(super) fn of(artwork: &Artwork) -> Self {
        Self { aspect: artwork.aspect() }
    }
}

/// What is printed beside the name of a thing, one above the other.
pub(super) fn labelled(label: &str, value: Text) -> Block {
    let label = Block::Text(Text::new(label, Style::LABEL));
    Block::Stack(vec![label, Block::Gap(1.5), Block::Text(value)])
}

/// `31/10/2026`.
pub(super) fn day(date: NaiveDate) -> String {
    date.format("%d/%m/%Y").to_string()
}

/// The days of the invoiced period, with hours where it does not begin and end with its month (after
/// a change of zone).
pub(super) fn period(invoice: &Invoice) -> String {
    let Invoice { month, period, timezone, .. } = invoice;
    if *period == month.period_in(*timezone) {
        return format!("{} a {}", month.first_day().format("%d/%m"), day(month.last_day()));
    }
    let local = |instant: chrono::DateTime<chrono::Utc>| {
        instant.with_timezone(timezone).format("%d/%m/%Y %H:%M").to_string()
    };
    format!("{} a {}", local(period.start), local(period.end))
}

/// The head of the first page: who invoices whom, and which document this is.
pub(super) fn head(invoice: &Invoice, kind: Kind, logo: Option<Logo>) -> Block {
    let number = match kind {
        Kind::Invoice => format!("Nº {}", invoice.label()),
        Kind::Statement | Kind::Cancellation => format!("da fatura {}", invoice.label()),
        Kind::Preview => "não é uma fatura".to_owned(),
    };
    let title = Text::new(kind.title(), Style::semi_bold(20.0, Ink::Strong));
    let title = Block::Stack(vec![
        Block::Text(title.is(Role::Title).right()),
        Block::Text(Text::new(number, Style::semi_bold(10.5, Ink::Accent)).right()),
    ]);
    let masthead =
        vec![(Column::Share(1.0), brand(&invoice.issuer, logo)), (Column::Fixed(170.0), title)];
    let dealership = dealership(invoice, kind);
    let about = match kind {
        Kind::Invoice | Kind::Cancellation | Kind::Preview => [issuer(&invoice.issuer), dealership],
        Kind::Statement => [dealership, month(invoice)],
    };
    let about = about.map(|block| (Column::Share(1.0), block)).into();
    Block::Stack(vec![
        Block::columns(24.0, masthead),
        Block::Gap(11.0),
        Block::Rule(Ink::Line),
        Block::Gap(12.0),
        Block::columns(28.0, about),
    ])
}

/// The logo, at most 34 points high, or the name.
pub(super) fn brand(issuer: &Issuer, logo: Option<Logo>) -> Block {
    let Some(Logo { aspect }) = logo else {
        let name = Text::new(&issuer.name, Style::semi_bold(15.0, Ink::Accent));
        return Block::Stack(vec![Block::Gap(3.0), Block::Text(name.within(1, 12.0))]);
    };
    let width = (34.0 * aspect).min(200.0);
    let height = width / aspect;
    let area = Area { x: 0.0, y: 0.0, width, height };
    let logo = Picture { height, marks: vec![Mark::Logo(area)] };
    Block::Picture(logo).tagged(Role::Figure(issuer.name.clone()))
}

pub(super) fn issuer(issuer: &Issuer) -> Block {
    let lines = [
        format!("CNPJ {}", issuer.cnpj),
        joined(&[&issuer.address, &place(&issuer.city, issuer.state), &code(issuer.postal_code)]),
        joined(&[&issuer.email.to_string(), &phone::in_words(&issuer.phone)]),
    ];
    party("Emitente", &issuer.name, &lines)
}

/// The invoice has the address too.
fn dealership(invoice: &Invoice, kind: Kind) -> Block {
    let dealership = &invoice.dealership;
    let mut lines = vec![joined(&[&dealership.trade_name, &format!("CNPJ {}", dealership.cnpj)])];
    if kind != Kind::Statement {
        let place = place(&dealership.city, dealership.state);
        lines.push(joined(&[&dealership.address, &place, &code(dealership.postal_code)]));
    }
    party("Concessionária", &dealership.name, &lines)
}

fn place(city: &str, state: BrazilianState) -> String {
    format!("{city}/{state}")
}

/// Nothing where it is not known.
fn code(postal_code: Option<PostalCode>) -> String {
    postal_code.map(|code| code.to_string()).unwrap_or_default()
}

/// What there is of these, on one line: `Rua Exemplo, 100 · Caxias do Sul/RS`.
pub(super) fn joined(parts: &[&str]) -> String {
    let filled: Vec<&str> =
        parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
    filled.join(" · ")
}

/// Which month it is about, exactly.
fn month(invoice: &Invoice) -> Block {
    let lines = [period(invoice), zone::in_words(invoice.timezone)];
    party("Competência", &invoice.month.in_words(), &lines)
}

pub(super) fn party(role: &str, name: &str, lines: &[String]) -> Block {
    let mut blocks =
        vec![labelled(role, Text::new(name, Style::NAME).within(3, 7.0)), Block::Gap(1.0)];
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    blocks.extend(filled.map(|line| Block::Text(Text::new(line, Style::NOTE).within(3, 6.5))));
    Block::Stack(blocks)
}

/// A heading inside the document.
pub(super) fn section(title: &str) -> Block {
    let title = Text::new(title, Style::SECTION).is(Role::Heading);
    Block::Stack(vec![Block::Text(title), Block::Gap(5.0)])
}

/// The head of every page after the first.
pub(super) fn continuation(invoice: &Invoice, kind: Kind) -> Block {
    continuation_of(&kind.name(invoice), &invoice.dealership.name)
}

/// The same of any document, which is called `what` and is for `whom`.
pub(super) fn continuation_of(what: &str, whom: &str) -> Block {
    let what = format!("{what} (continuação)");
    let style = Style::regular(9.5, Ink::Muted);
    let who = Text::new(shortened(whom), style).right().within(2, 6.0);
    Block::Stack(vec![
        Block::columns(
            24.0,
            vec![
                (Column::Fixed(210.0), Block::Text(Text::new(what, Style::NAME))),
                (Column::Share(1.0), Block::Text(who)),
            ],
        ),
        Block::Gap(8.0),
        Block::Rule(Ink::Line),
        Block::Gap(14.0),
    ])
}

/// At most 100 characters of a name that page 1 shows in full.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// The foot of every page.
pub(super) fn foot(invoice: &Invoice, kind: Kind, page: usize, pages: usize) -> Block {
    foot_of(kind.name(invoice), page, pages)
}

/// The same of any document, which is called `which`.
pub(super) fn foot_of(which: String, page: usize, pages: usize) -> Block {
    let third = |text: String, align| {
        (Column::Share(1.0), Block::Text(Text::new(text, Style::SMALL).align(align)))
    };
    Block::Stack(vec![
        Block::Rule(Ink::Line),
        Block::Gap(5.0),
        Block::columns(
            10.0,
            vec![
                third("Documento sem valor fiscal".to_owned(), Align::Left),
                third(which, Align::Center),
                third(format!("Página {page} de {pages}"), Align::Right),
            ],
        ),
    ])
}

/// How whoever wants can check the count, in plain words, and the hash of the evidence in small print.
pub(super) fn evidence(invoice: &Invoice) -> Block {
    let issuer = &invoice.issuer;
    let ask = joined_by_or(&phone::in_words(&issuer.phone), &issuer.email.to_string());
    let list = match invoice.usage.uam {
        0 => "Não houve contatos neste mês.".to_owned(),
        1 => "O contato considerado (número mascarado) está no anexo do extrato ou no arquivo de comprovação."
            .to_owned(),
        uam => format!(
            "A lista dos {} contatos considerados (números mascarados) vem no anexo do extrato ou no arquivo de \
             comprovação; se não a recebeu, peça.",
            grouped(uam)
        ),
    };
    let words = Text::new(format!("{list} Dúvidas: {ask}."), Style::NOTE);
    let hash = format!("Código de comprovação (SHA-256): {}", invoice.evidence_sha256);
    Block::Stack(vec![
        Block::Text(words.led_by("Confira você mesmo.", Style::semi_bold(8.0, Ink::Strong))),
        Block::Gap(1.5),
        Block::Text(Text::new(hash, Style::SMALL)),
    ])
}

fn joined_by_or(one: &str, other: &str) -> String {
    if one.trim().is_empty() { other.to_owned() } else { format!("{one} ou {other}") }
}

/// Who issued a statement, and how the evidence is checked.
pub(super) fn imprint(invoice: &Invoice) -> Block {
    let issuer = format!("Emitente: {}, CNPJ {}", invoice.issuer.name, invoice.issuer.cnpj);
    let evidence = format!("Comprovação (sha256sum do arquivo): {}", invoice.evidence_sha256);
    Block::Stack(vec![
        Block::Text(Text::new(issuer, Style::SMALL)),
        Block::Text(Text::new(evidence, Style::SMALL)),
    ])
}
