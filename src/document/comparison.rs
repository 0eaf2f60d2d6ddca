//! How the month compares: with the months before it, and with what other packages would have cost.

use super::letterhead::section;
use super::press::chart;
use super::press::font::Fonts;
use super::press::layout::{Block, Column, Ink};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use fecha_core::bill::invoice::Invoice;
use fecha_core::calendar::month::Month;
use fecha_core::price::advice::{Advice, Choice, Verdict, is_repriced};
use fecha_core::price::money::{Money, grouped};

/// The contacts of the last six months as columns against their packages, and what changed since the month
/// before.
pub(super) fn contacts(fonts: &Fonts, invoice: &Invoice, width: f32) -> Block {
    let past = invoice.history.iter().map(|past| (past.month, past.uam, past.package));
    let all: Vec<_> = past.chain([(invoice.month, invoice.usage.uam, invoice.package)]).collect();
    let said = all.iter().map(|(month, uam, package)| {
        format!("{} {} de {}", month.name(), grouped(*uam), grouped(*package))
    });
    let said: Vec<String> = said.collect();
    let alt = format!("Contatos por mês e contatos incluídos no pacote: {}", said.join(", "));
    let columns = all.iter().map(|(month, uam, package)| chart::Month {
        name: short(*month),
        figure: grouped(*uam),
        height: *uam,
        limit: Some(*package),
    });
    let columns: Vec<chart::Month> = columns.collect();
    Block::Stack(vec![
        section("Contatos por mês"),
        Block::Picture(chart::months(fonts, &columns, width)).tagged(Role::Figure(alt)),
        Block::Gap(3.0),
        Block::Text(Text::new(format!("Traço: pacote do mês. {}", change(invoice)), Style::NOTE)),
    ])
}

/// The totals of the last six months as columns.
pub(super) fn totals(fonts: &Fonts, invoice: &Invoice, width: f32) -> Block {
    let past = invoice.history.iter().map(|past| (past.month, past.total));
    let all: Vec<_> = past.chain([(invoice.month, invoice.total())]).collect();
    let said: Vec<String> =
        all.iter().map(|(month, total)| format!("{} {}", month.name(), total.brl())).collect();
    let alt = format!("Total por mês: {}", said.join(", "));
    let columns = all.iter().map(|(month, total)| chart::Month {
        name: short(*month),
        figure: whole_reais(*total),
        height: u64::try_from(total.centavos()).unwrap_or_default(),
        limit: None,
    });
    let columns: Vec<chart::Month> = columns.collect();
    Block::Stack(vec![
        section("Total por mês, em reais"),
        Block::Picture(chart::months(fonts, &columns, width)).tagged(Role::Figure(alt)),
    ])
}

/// `1.192` of R$ 1.192,27, rounded half up; `1,23 mi` from a million on.
fn whole_reais(total: Money) -> String {
    let centavos = u64::try_from(total.centavos()).unwrap_or_default();
    let reais = (centavos + 50) / 100;
    if reais < 1_000_000 {
        return grouped(reais);
    }
    let hundredths = (reais + 5000) / 10_000;
    format!("{},{:02}\u{a0}mi", grouped(hundredths / 100), hundredths % 100)
}

/// `out`; the year is said elsewhere.
fn short(month: Month) -> String {
    month.name().chars().take(3).collect()
}

fn change(invoice: &Invoice) -> String {
    let Some(before) = invoice.history.last() else {
        return "A comparação começa com o próximo mês.".to_owned();
    };
    match relative(invoice.usage.uam, before.uam) {
        None => format!("Em {} não houve contatos.", before.month.name()),
        Some(_) if invoice.usage.uam == 0 => {
            format!("Nenhum contato; em {} foram {}.", before.month.name(), grouped(before.uam))
        }
        Some((permille, more)) if permille > 0 => {
            let how = if more { "a mais" } else { "a menos" };
            let (whole, tenth) = (grouped(permille / 10), permille % 10);
            format!("{whole},{tenth}% de contatos {how} que em {}.", before.month.name())
        }
        Some(_) if invoice.usage.uam == before.uam => {
            format!("O mesmo número de contatos que em {}.", before.month.name())
        }
        Some(_) => format!("Quase o mesmo número de contatos que em {}.", before.month.name()),
    }
}

/// The change in tenths of a percent, rounded half up, and whether it is upwards; `None` where there
/// was nothing before.
fn relative(now: u64, before: u64) -> Option<(u64, bool)> {
    let change = now.abs_diff(before).saturating_mul(2000).saturating_add(before);
    Some((change.checked_div(before.saturating_mul(2))?, now > before))
}

/// The packages that there are to choose from, priced; `None` where there is no choice.
fn advice(invoice: &Invoice) -> Option<Advice> {
    let rates = invoice.rates().filter(|rates| rates.table.packages.len() > 1)?;
    let before: Vec<u64> = invoice.history.iter().map(|past| past.uam).collect();
    // Amounts beyond all bounds have been refused when the month was priced.
    Advice::of(rates, invoice.usage.uam, &before).ok()
}

/// Whether the package is the cheapest, and from how many contacts on the next one pays; `None` where there is
/// nothing to choose from.
pub(super) fn verdict(invoice: &Invoice) -> Option<String> {
    let advice = advice(invoice)?;
    let choices = advice.choices.len();
    let over = match invoice.history.len() {
        0 => format!("em {}", invoice.month.name()),
        past if is_without_gap(invoice) => format!("nos últimos {} meses", past + 1),
        past => format!("nos {} meses faturados", past + 1),
    };
    let cheapest = advice.cheapest(|choice| choice.all_months)?;
    let Invoice { package, usage, history, .. } = invoice;
    let rates = invoice.rates()?;
    let verdict = match advice.verdict(rates, *package, usage.uam, history)? {
        Verdict::Cheaper { package, saved } => {
            let (package, saved) = (grouped(package), saved.brl());
            format!("O pacote de {package} teria custado {saved} a menos {over}.")
        }
        Verdict::Cheapest => format!("Seu pacote foi o mais barato dos {choices} {over}."),
        Verdict::NoneAlone => format!("Nenhum pacote único teria custado menos {over}."),
    };
    // All months are compared by the prices of this one.
    let verdict = if is_repriced(rates, history) {
        let (first, rest) = verdict.split_at(1);
        format!("Pelos preços de {}, {}{rest}", invoice.month.name(), first.to_lowercase())
    } else {
        verdict
    };
    Some(match next(cheapest, &advice) {
        Some(next) => format!("{verdict} {next}"),
        None => verdict,
    })
}

/// Whether every month from the first that is known was invoiced.
fn is_without_gap(invoice: &Invoice) -> bool {
    let months: Vec<Month> =
        invoice.history.iter().map(|past| past.month).chain([invoice.month]).collect();
    months.windows(2).all(|pair| pair[0].next() == pair[1])
}

/// From where on the package after the cheapest pays: `O de 10.000 compensa a partir de 7.804 contatos por
/// mês.`
fn next(cheapest: Choice, advice: &Advice) -> Option<String> {
    let next = advice.break_evens.iter().find(|limit| limit.from == cheapest.package)?;
    Some(format!(
        "O de {} compensa a partir de {} contatos por mês.",
        grouped(next.to),
        grouped(next.contacts)
    ))
}

/// What each package would have cost, the cheapest marked, and from where on the next one pays; `None`
/// where there is nothing to choose from.
pub(super) fn packages(invoice: &Invoice) -> Option<Block> {
    let advice = advice(invoice)?;
    let cheapest = [advice.cheapest(|c| c.month)?, advice.cheapest(|c| c.all_months)?];
    let mut blocks = vec![section("Quanto custaria cada pacote"), header(invoice)];
    blocks.extend(advice.choices.iter().map(|choice| row(invoice, choice, cheapest)));
    blocks.extend([
        Block::Gap(5.0),
        Block::Text(Text::new(verdict(invoice)?, Style::BODY)),
        Block::Gap(1.0),
    ]);
    let discount = if invoice.discount().is_none() { "" } else { " e com o desconto" };
    let prices = format!("Pelos preços de {}{discount}, sem HSM.", invoice.month.name());
    blocks.push(Block::Text(Text::new(prices, Style::NOTE)));
    Some(Block::Stack(blocks))
}

/// What, this month, and all months where there are others.
fn columns(invoice: &Invoice, [what, month, all]: [Block; 3]) -> Block {
    let mut cells = vec![(Column::Share(1.0), what), (Column::Fixed(64.0), month)];
    if !invoice.history.is_empty() {
        cells.push((Column::Fixed(68.0), all));
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
                Block::Text(title(invoice.month.name().to_owned()).right()),
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
