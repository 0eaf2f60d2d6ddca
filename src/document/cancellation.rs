//! The document of a cancellation (*cancelamento*): one page that voids an invoice.

use super::letterhead::{self, Kind, Logo, day};
use super::press::font::Fonts;
use super::press::layout::{Block, Ink, Paper, Picture};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::invoice::{Cancellation, Invoice};
use fecha_core::price::money::Money;

const SPACE: f32 = 17.0;

/// The document's pages.
pub(super) fn pages(
    fonts: &Fonts,
    logo: Option<Logo>,
    invoice: &Invoice,
    cancellation: &Cancellation,
) -> Vec<Picture> {
    let mut paper = Paper::new(fonts, letterhead::continuation(invoice, Kind::Cancellation));
    paper.add(letterhead::head(invoice, Kind::Cancellation, logo));
    paper.space(SPACE);
    paper.add(words(invoice, cancellation));
    paper.space(SPACE);
    paper.add(letterhead::evidence(invoice));
    paper.finish(|page, of| letterhead::foot(invoice, Kind::Cancellation, page, of))
}

fn words(invoice: &Invoice, cancellation: &Cancellation) -> Block {
    let body = |text: String| Block::Text(Text::new(text, Style::BODY));
    let title = format!("A fatura {} está cancelada", invoice.label());
    let what = format!(
        "Competência {}, total {}, emitida em {} e cancelada em {}.",
        invoice.month.in_words(),
        invoice.total().brl(),
        day(invoice.issued_on),
        day(cancellation.on)
    );
    let mut blocks = vec![
        Block::Text(Text::new(title, Style::semi_bold(15.0, Ink::Strong)).is(Role::Heading)),
        Block::Gap(6.0),
        body(what),
        body(format!("Motivo: {}", cancellation.reason)),
        Block::Text(Text::new(format!("Solicitado por {}", cancellation.by), Style::NOTE)),
        Block::Gap(6.0),
        body("Desconsidere a fatura e não a pague.".to_owned()),
    ];
    if cancellation.paid > Money::ZERO {
        let paid = cancellation.paid.brl();
        blocks
            .push(body(format!("O valor já pago, {paid}, será creditado em uma próxima fatura.")));
    }
    Block::Panel {
        ink: Ink::Wash,
        edge: None,
        padding: 14.0,
        content: Box::new(Block::Stack(blocks)),
    }
}
