//! The pro-forma (*prévia*): what a running month would be invoiced as. Nobody may take it for a bill.

use super::invoice::{row, table_header, total};
use super::letterhead::{self, Kind, Logo, labelled};
use super::press::font::Fonts;
use super::press::layout::{Block, Column, Ink, Paper, Picture};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::pro_forma::{Ahead, ProForma};
use fecha_core::calendar::zone;
use fecha_core::price::money::grouped;

const SPACE: f32 = 17.0;
/// White above and below a line of the table.
const AROUND: f32 = 6.5;

/// The document's pages.
pub(super) fn pages(fonts: &Fonts, logo: Option<Logo>, pro_forma: &ProForma) -> Vec<Picture> {
    let content = &pro_forma.content;
    let heading = Block::Stack(vec![banner(pro_forma), Block::Gap(14.0)]);
    let mut paper = Paper::new(fonts, heading.clone());
    paper.add(heading);
    paper.add(letterhead::head(content, Kind::Preview, logo));
    paper.space(SPACE);
    paper.add(summary(pro_forma));
    paper.space(SPACE);
    paper.table(table_header(), content.lines.iter().map(|line| row(content, line, AROUND)));
    paper.space(9.0);
    paper.add(total(content));
    paper.space(SPACE);
    paper.add(note(pro_forma));
    paper.finish(|page, of| letterhead::foot(content, Kind::Preview, page, of))
}

/// Stands at the top of every page.
fn banner(pro_forma: &ProForma) -> Block {
    let word = Text::new("PRÉVIA", Style::semi_bold(34.0, Ink::Accent));
    let words = Block::Stack(vec![
        Block::Gap(4.0),
        Block::Text(Text::new("Este documento não é uma fatura", Style::SECTION)),
        Block::Gap(2.0),
        Block::Text(Text::new(
            format!("Valores parciais, apurados até {}. Não há o que pagar.", as_of(pro_forma)),
            Style::BODY,
        )),
    ]);
    let columns = vec![(Column::Fixed(150.0), Block::Text(word)), (Column::Share(1.0), words)];
    let content = Box::new(Block::columns(18.0, columns));
    Block::Panel { ink: Ink::Wash, edge: Some(Ink::Accent), padding: 12.0, content }
}

/// `24/11/2026 às 08:00 (horário de Brasília)`.
fn as_of(pro_forma: &ProForma) -> String {
    let timezone = pro_forma.content.timezone;
    let local = pro_forma.as_of.with_timezone(&timezone);
    format!("{} ({})", local.format("%d/%m/%Y às %H:%M"), zone::in_words(timezone))
}

fn summary(pro_forma: &ProForma) -> Block {
    let content = &pro_forma.content;
    let fact = |text: String| Text::new(text, Style::semi_bold(11.0, Ink::Strong)).within(1, 8.0);
    let note = |text: String| Block::Text(Text::new(text, Style::NOTE).within(1, 6.5));
    let amount = Text::new(content.total().brl(), Style::semi_bold(27.0, Ink::Strong));
    let month = Block::Stack(vec![
        labelled("Competência", fact(content.month.in_words())),
        note(letterhead::period(content)),
        note(zone::in_words(content.timezone)),
    ]);
    let title = if pro_forma.ahead.is_some() { "Total até agora" } else { "Total do mês" };
    let columns = vec![
        (Column::Share(1.0), labelled(title, amount.within(1, 12.0))),
        (Column::Fixed(140.0), month),
    ];
    let content = Box::new(Block::columns(18.0, columns));
    Block::Panel { ink: Ink::Tint, edge: None, padding: 14.0, content }
}

/// Where it is heading, and what may still change.
fn note(pro_forma: &ProForma) -> Block {
    let body = |text: String| Block::Text(Text::new(text, Style::BODY));
    let title = |text| Block::Text(Text::new(text, Style::SECTION).is(Role::Heading));
    let mut blocks = Vec::new();
    if let Some(Ahead { uam, hsm, total }) = pro_forma.ahead {
        let ahead = format!(
            "No ritmo dos últimos dias, o mês terminaria com {} contatos únicos (UAM), {} mensagens HSM e total de {}.",
            grouped(uam),
            grouped(hsm),
            total.brl()
        );
        blocks.extend([title("Até o fim do mês"), Block::Gap(2.0), body(ahead), Block::Gap(8.0)]);
    }
    let caution = "Os valores mudam até o fechamento do mês, com novas mensagens, contratos e ajustes. Vale a fatura, com \
         número e vencimento, que é enviada depois do fechamento.";
    blocks.extend([title("O que falta"), Block::Gap(2.0), body(caution.to_owned())]);
    Block::Stack(blocks)
}
