//! How the month compares: with the months before it, and with what other packages would have cost.

use super::letterhead::section;
use super::press::chart;
use super::press::font::Fonts;
use super::press::layout::{Block, Column, Ink};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::invoice::Invoice;
use fecha_core::calendar::month::Month;
use fecha_core::price::advice::{Advice, BreakEven, Choice};
use fecha_core::price::money::{Money, grouped};

/// The last six months as columns, and what changed since the month before.
pub(super) fn months(fonts: &Fonts, invoice: &Invoice, width: f32) -> Block {
    let past = invoice.history.iter().map(|past| (short(past.month), past.uam));
    let months: Vec<_> = past.chain([(short(invoice.month), invoice.usage.uam)]).collect();
    let past = invoice.history.iter().map(|past| (past.month, past.uam));
    let alt: Vec<String> = past
        .chain([(invoice.month, invoice.usage.uam)])
        .map(|(month, uam)| format!("{} {}", name(month), grouped(uam)))
        .collect();
    let alt = format!("Contatos por mês: {}", alt.join(", "));
    Block::Stack(vec![
        section("Contatos por mês"),
        Block::Picture(chart::months(fonts, &months, width)).tagged(Role::Figure(alt)),
        Block::Gap(3.0),
        Block::Text(Text::new(change(invoice), Style::NOTE)),
    ])
}

/// `out`; the year is said elsewhere.
fn short(month: Month) -> String {
    month.in_words().chars().take(3).collect()
}

/// `outubro`.
fn name(month: Month) -> String {
    let words = month.in_words();
    words.split(' ').next().unwrap_or(&words).to_owned()
}

fn change(invoice: &Invoice) -> String {
    let Some(before) = invoice.history.last() else {
        return "A comparação começa com a próxima fatura.".to_owned();
    };
    let contacts = match relative(invoice.usage.uam, before.uam) {
        None => format!("Em {} não houve contatos", name(before.month)),
        Some(_) if invoice.usage.uam == 0 => {
            format!("Nenhum contato; em {} foram {}", name(before.month), grouped(before.uam))
        }
        Some((permille, more)) if permille > 0 => {
            let how = if more { "a mais" } else { "a menos" };
            let (whole, tenth) = (grouped(permille / 10), permille % 10);
            format!("{whole},{tenth}% de contatos {how} que em {}", name(before.month))
        }
        Some(_) => format!("Tantos contatos quanto em {}", name(before.month)),
    };
    let difference = invoice.total() - before.total;
    let total = match difference.centavos() {
        0 => "o total não mudou".to_owned(),
        1.. => format!("total {} maior", difference.brl()),
        _ => format!("total {} menor", (-difference).brl()),
    };
    format!("{contacts}; {total}.")
}

/// The change in tenths of a percent, rounded half up, and whether it is upwards; `None` where there
/// was nothing before.
fn relative(now: u64, before: u64) -> Option<(u64, bool)> {
    let change = now.abs_diff(before).saturating_mul(2000).saturating_add(before);
    Some((change.checked_div(before.saturating_mul(2))?, now > before))
}

/// What each package would have cost, the cheapest marked, and from where on the next one pays; `None`
/// where there is nothing to choose from.
pub(super) fn packages(invoice: &Invoice) -> Option<Block> {
    let prices = invoice.prices.as_ref().filter(|prices| prices.packages.len() > 1)?;
    let before: Vec<u64> = invoice.history.iter().map(|past| past.uam).collect();
    // Amounts beyond all bounds have been refused when the month was priced.
    let advice = Advice::of(prices, invoice.usage.uam, &before).ok()?;
    let cheapest = [advice.cheapest(|c| c.month)?, advice.cheapest(|c| c.all_months)?];
    let mut blocks = vec![section("Quanto custaria cada pacote"), header(invoice)];
    blocks.extend(advice.choices.iter().map(|choice| row(invoice, choice, cheapest)));
    blocks.extend([
        Block::Gap(5.0),
        Block::Text(Text::new(verdict(invoice, &advice, cheapest), Style::BODY)),
    ]);
    let prices = format!("Pelos preços de {}, sem HSM.", name(invoice.month));
    let note = format!("{prices} {}", limits(&advice.break_evens));
    blocks.extend([Block::Gap(2.0), Block::Text(Text::new(note.trim_end(), Style::NOTE))]);
    Some(Block::Stack(blocks))
}

/// What, this month, and all months where there are others.
fn columns(invoice: &Invoice, [what, month, all]: [Block; 3]) -> Block {
    let mut cells = vec![(Column::Share(1.0), what), (Column::Fixed(68.0), month)];
    if !invoice.history.is_empty() {
        cells.push((Column::Fixed(74.0), all));
    }
    Block::columns(8.0, cells)
}

fn header(invoice: &Invoice) -> Block {
    let title = |text: String| Text::new(text, Style::LABEL).is(Role::HeaderCell);
    let months = invoice.history.len() + 1;
    let row = Block::Stack(vec![
        columns(
            invoice,
            [
                Block::Text(title("Contatos".to_owned())),
                Block::Text(title(name(invoice.month)).right()),
                Block::Text(title(format!("{months} meses")).right()),
            ],
        ),
        Block::Gap(3.0),
        Block::Rule(Ink::Line),
    ]);
    row.tagged(Role::Row)
}

fn row(invoice: &Invoice, choice: &Choice, [of_month, of_all]: [Choice; 2]) -> Block {
    let amount = |amount: Money, is_cheapest: bool| {
        let style = if is_cheapest { Style::semi_bold(9.0, Ink::Accent) } else { Style::BODY };
        let amount = Text::new(amount.brl(), style).right().within(1, 5.0);
        Block::Text(amount.is(Role::Cell))
    };
    let is_current = choice.package == invoice.package;
    let note = if is_current { " (atual)" } else { "" };
    let style = if is_current { Style::semi_bold(9.0, Ink::Strong) } else { Style::BODY };
    let what = format!("{}{note}", grouped(choice.package));
    let row = Block::Stack(vec![
        Block::Gap(1.5),
        columns(
            invoice,
            [
                Block::Text(Text::new(what, style).is(Role::RowHeaderCell)),
                amount(choice.month, choice.package == of_month.package),
                amount(choice.all_months, choice.package == of_all.package),
            ],
        ),
        Block::Gap(1.5),
        Block::Rule(Ink::Line),
    ]);
    row.tagged(Role::Row)
}

/// Whether another package would have been cheaper, over all months that are known.
fn verdict(invoice: &Invoice, advice: &Advice, [_, cheapest]: [Choice; 2]) -> String {
    let over = match invoice.history.len() {
        0 => format!("Em {}", name(invoice.month)),
        past => format!("Nos {} meses", past + 1),
    };
    let current = advice.choices.iter().find(|choice| choice.package == invoice.package);
    let saved = current.map(|current| current.all_months - cheapest.all_months);
    match saved {
        Some(saved) if saved > Money::ZERO => format!(
            "{over}, o pacote de {} teria custado {} a menos que o atual.",
            grouped(cheapest.package),
            saved.brl()
        ),
        _ => format!("{over}, o pacote atual foi o de menor custo."),
    }
}

/// `Mudar compensa: 5.000 → 10.000 a partir de 7.804; … contatos.`
fn limits(limits: &[BreakEven]) -> String {
    if limits.is_empty() {
        return String::new();
    }
    let one = |limit: &BreakEven| {
        let (from, to) = (grouped(limit.from), grouped(limit.to));
        format!("{from}\u{a0}→\u{a0}{to} a partir de\u{a0}{}", grouped(limit.contacts))
    };
    let limits: Vec<String> = limits.iter().map(one).collect();
    format!("Mudar compensa: {} contatos.", limits.join("; "))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(5123, 4964, Some((32, true)))]
    #[case(4964, 5123, Some((31, false)))]
    #[case(100, 100, Some((0, false)))]
    #[case(0, 7, Some((1000, false)))]
    #[case(7, 0, None)]
    #[case(3, 1, Some((2000, true)))]
    fn changes_in_tenths_of_a_percent(
        #[case] now: u64,
        #[case] before: u64,
        #[case] expected: Option<(u64, bool)>,
    ) {
        assert_eq!(relative(now, before), expected);
    }
}
