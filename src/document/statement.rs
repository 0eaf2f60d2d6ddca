//! The statement (*extrato*): the detail behind an invoice.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::chart::{self, Part};
use super::font::Fonts;
use super::invoice::{contact_of_issuer, unit_price};
use super::layout::{Block, Column, Ink, Paper, Picture, WIDTH};
use super::letterhead::{self, Kind, Logo, day, labelled, section};
use super::text::{Style, Text};
use crate::billing::invoice::Invoice;
use crate::billing::money::{Money, grouped};
use crate::billing::price::Item;

/// Between sections.
const SPACE: f32 = 18.0;

/// The statement's pages.
pub(super) fn pages(fonts: &Fonts, logo: Option<Logo>, invoice: &Invoice) -> Vec<Picture> {
    let mut paper = Paper::new(fonts, letterhead::continuation(invoice, Kind::Statement));
    paper.add(letterhead::head(invoice, Kind::Statement, logo));
    paper.space(SPACE);
    paper.add(glance(invoice));
    paper.space(SPACE);
    let halves = [package(invoice), who_started(invoice)];
    let halves = halves.map(|half| (Column::Share(1.0), half));
    paper.add(Block::columns(28.0, halves.into()));
    paper.space(SPACE);
    paper.add(new_contacts(fonts, invoice));
    paper.space(SPACE);
    templates(&mut paper, invoice);
    paper.space(SPACE);
    paper.add(not_billed(invoice));
    paper.space(SPACE);
    paper.add(rules(invoice));
    paper.space(SPACE);
    paper.add(letterhead::evidence(invoice));
    paper.finish(|page, of| letterhead::foot(invoice, Kind::Statement, page, of))
}

/// The month in eight figures.
fn glance(invoice: &Invoice) -> Block {
    let usage = &invoice.usage;
    let figures = |figures: [(&str, String); 4]| {
        let cells = figures.map(|(label, value)| {
            let value = Text::new(value, Style::semi_bold(13.0, Ink::Strong)).within(1, 6.0);
            (Column::Share(1.0), labelled(label, value))
        });
        Block::columns(14.0, cells.into())
    };
    let content = Block::Stack(vec![
        figures([
            ("Total da fatura", invoice.total().brl()),
            ("Contatos únicos (UAM)", grouped(usage.uam)),
            ("UAM adicional", grouped(invoice.overage())),
            ("Custo por contato", cost_per_contact(invoice)),
        ]),
        Block::Gap(13.0),
        figures([
            ("Mensagens recebidas", grouped(usage.received)),
            ("Mensagens enviadas", grouped(usage.sent)),
            ("das quais HSM", grouped(usage.hsm)),
            ("Vencimento", day(invoice.due_on)),
        ]),
    ]);
    let title = format!(
        "Competência {}, {}, fuso horário {}",
        invoice.month.in_words(),
        letterhead::period(invoice),
        invoice.timezone
    );
    Block::Stack(vec![
        Block::Text(Text::new(title, Style::NOTE)),
        Block::Gap(5.0),
        Block::Panel {
            ink: Ink::Tint,
            edge: Some(Ink::Accent),
            padding: 14.0,
            content: Box::new(content),
        },
    ])
}

/// Total by contact, rounded to centavos; a dash where nobody was in contact.
fn cost_per_contact(invoice: &Invoice) -> String {
    let average = invoice.total().reais().checked_div(Decimal::from(invoice.usage.uam));
    average.and_then(Money::rounded).map_or_else(|| "–".to_owned(), Money::brl)
}

/// How much of the package was used.
fn package(invoice: &Invoice) -> Block {
    let (uam, package) = (invoice.usage.uam, invoice.package);
    let within = uam.min(package);
    let used = Part {
        amount: within,
        ink: Ink::Accent,
        legend: format!("{} de {} contatos do pacote usados", grouped(within), grouped(package)),
    };
    let rest = if uam > package {
        Part {
            amount: uam - package,
            ink: Ink::Strong,
            legend: format!("{} contatos adicionais, acima do pacote", grouped(uam - package)),
        }
    } else {
        Part {
            amount: package - uam,
            ink: Ink::Line,
            legend: format!("{} contatos não usados", grouped(package - uam)),
        }
    };
    Block::Stack(vec![section("Contatos e pacote"), chart::bar(vec![used, rest])])
}

fn who_started(invoice: &Invoice) -> Block {
    let usage = &invoice.usage;
    let by_dealership = usage.started_by_dealership.min(usage.uam);
    let by_contacts = usage.uam - by_dealership;
    let percent = percent(by_contacts, usage.uam);
    let part = |amount: u64, percent: u64, who: &str, ink| Part {
        amount,
        ink,
        legend: format!("{percent}% {who} ({})", grouped(amount)),
    };
    let chart = if usage.uam == 0 {
        Block::Text(Text::new("Não houve conversas neste mês.", Style::BODY))
    } else {
        let parts = vec![
            part(by_contacts, percent, "pelos contatos", Ink::Accent),
            part(by_dealership, 100 - percent, "pela concessionária", Ink::Pale),
        ];
        chart::bar(parts)
    };
    Block::Stack(vec![section("Quem iniciou as conversas"), chart])
}

/// `part` in whole percent of `whole`, half rounded up; 100 and 0 are said of all and none only.
fn percent(part: u64, whole: u64) -> u64 {
    match part {
        0 => 0,
        all if all == whole => 100,
        _ => ((part * 200 + whole) / (whole * 2)).clamp(1, 99),
    }
}

fn new_contacts(fonts: &Fonts, invoice: &Invoice) -> Block {
    let chart = if invoice.usage.uam == 0 {
        Block::Text(Text::new("Nenhum contato novo neste mês.", Style::BODY))
    } else {
        Block::Picture(chart::by_day(fonts, &all_days(invoice), WIDTH))
    };
    Block::Stack(vec![section("Novos contatos por dia"), chart])
}

/// Every day of the month, and of the period where it reaches further, those without new contacts too.
fn all_days(invoice: &Invoice) -> Vec<(NaiveDate, u64)> {
    let counted = &invoice.usage.new_contacts_by_day;
    let dates = || counted.iter().map(|(date, _)| *date);
    let first = dates().chain([invoice.month.first_day()]).min();
    let last = dates().chain([invoice.month.last_day()]).max();
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    let count = |day| counted.iter().find(|(date, _)| *date == day).map_or(0, |(_, count)| *count);
    first.iter_days().take_while(|day| *day <= last).map(|day| (day, count(day))).collect()
}

/// HSM by template, the most used first.
fn templates(paper: &mut Paper<'_>, invoice: &Invoice) {
    let Some(line) = invoice.lines.iter().find(|line| line.item == Item::Hsm) else { return };
    paper.keep(90.0);
    let title = section("HSM por modelo");
    if invoice.usage.hsm_by_template.is_empty() {
        let none = Block::Text(Text::new("Nenhuma HSM foi enviada neste mês.", Style::BODY));
        paper.add(Block::Stack(vec![title, none]));
        return;
    }
    paper.add(title);
    let mut templates: Vec<_> = invoice.usage.hsm_by_template.iter().collect();
    templates.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), name.as_str()));
    let mut rows: Vec<Block> = templates
        .into_iter()
        .map(|(name, count)| {
            let name = if name.is_empty() { "(sem nome)" } else { name };
            let amount = Money::rounded(line.unit_price * Decimal::from(*count));
            template_row(name, *count, amount.unwrap_or_default(), Style::BODY)
        })
        .collect();
    let bold = Style::semi_bold(9.0, Ink::Strong);
    rows.push(template_row("Total", line.quantity, line.amount, bold));
    paper.table(template_header(line.unit_price), rows);
}

fn template_columns(cells: [Block; 3]) -> Block {
    let widths = [Column::Share(1.0), Column::Fixed(80.0), Column::Fixed(110.0)];
    Block::columns(10.0, widths.into_iter().zip(cells).collect())
}

fn template_header(price: Decimal) -> Block {
    let title = |text: &str| Text::new(text, Style::LABEL);
    Block::Stack(vec![
        template_columns([
            Block::Text(title("Modelo")),
            Block::Text(title("Quantidade").right()),
            Block::Text(title(&format!("Valor, a {}", unit_price(price))).right()),
        ]),
        Block::Gap(3.0),
        Block::Rule(Ink::Line),
    ])
}

fn template_row(name: &str, count: u64, amount: Money, style: Style) -> Block {
    let figure = |text: String| Block::Text(Text::new(text, style).right().within(1, 5.0));
    Block::Stack(vec![
        Block::Gap(2.5),
        template_columns([
            Block::Text(Text::new(name, style)),
            figure(grouped(count)),
            figure(amount.brl()),
        ]),
        Block::Gap(2.5),
        Block::Rule(Ink::Line),
    ])
}

/// Messages that count neither as contact nor as HSM, and why.
fn not_billed(invoice: &Invoice) -> Block {
    let buckets = &invoice.usage.buckets;
    let reasons = [
        ("Em fila ou com falha", "não chegaram a ninguém", buckets.ignored_status),
        ("De grupos ou de números inválidos", "não são contatos", buckets.not_a_contact),
        ("Sem direção ou tipo reconhecível", "o emitente foi avisado", buckets.malformed),
    ];
    let mut blocks = vec![section("Mensagens não cobradas")];
    for (what, why, count) in reasons.into_iter().filter(|(_, _, count)| *count > 0) {
        let count = Text::new(grouped(count), Style::BODY).right().within(1, 5.0);
        blocks.extend([
            Block::Rule(Ink::Line),
            Block::Gap(3.0),
            Block::columns(
                10.0,
                vec![
                    (
                        Column::Share(1.0),
                        Block::Text(Text::new(format!("{what}: {why}"), Style::BODY)),
                    ),
                    (Column::Fixed(80.0), Block::Text(count)),
                ],
            ),
            Block::Gap(3.0),
        ]);
    }
    if blocks.len() == 1 {
        let none = match buckets.counted {
            0 => "Não houve mensagens neste mês.",
            _ => "Todas as mensagens do mês foram contadas; nenhuma ficou de fora.",
        };
        blocks.push(Block::Text(Text::new(none, Style::BODY)));
    }
    Block::Stack(blocks)
}

fn rules(invoice: &Invoice) -> Block {
    let rules = "Cada contato com quem houve mensagem no mês conta uma vez, não importa quem \
                 escreveu primeiro nem quantas mensagens houve; cada HSM enviada é cobrada, mesmo \
                 dentro da janela de 24 horas. Contatos não usados não acumulam para o mês \
                 seguinte, e pacotes não se somam.";
    let ask = format!("Dúvidas? {}", contact_of_issuer(invoice));
    Block::Stack(vec![
        section("Regras"),
        Block::Text(Text::new(rules, Style::BODY)),
        Block::Gap(3.0),
        Block::Text(Text::new(ask, Style::BODY)),
    ])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 0, 0)]
    #[case(0, 7, 0)]
    #[case(7, 7, 100)]
    #[case(1, 3, 33)]
    #[case(2, 3, 67)]
    #[case(1, 8, 13)]
    #[case(1, 1000, 1)]
    #[case(999, 1000, 99)]
    fn percentages(#[case] part: u64, #[case] whole: u64, #[case] expected: u64) {
        assert_eq!(percent(part, whole), expected);
    }
}
