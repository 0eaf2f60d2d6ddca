//! The statement (*extrato*): the detail behind an invoice.

use std::cmp::Reverse;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::annex;
use super::categories;
use super::comparison;
use super::invoice::contact_of_issuer;
use super::letterhead::{self, Kind, Logo, day, labelled, section};
use super::press::chart::{self, Share};
use super::press::font::Fonts;
use super::press::layout::{Block, Column, Ink, Paper, Picture, WIDTH};
use super::press::tags::Role;
use super::press::text::{Style, Text};
use super::templates;
use fecha_core::bill::invoice::Invoice;
use fecha_core::count::evidence::InvalidEvidence;
use fecha_core::price::item;
use fecha_core::price::money::{Money, grouped};
use fecha_core::price::table::PriceTable;

/// How much white a statement has.
#[derive(Debug, Clone, Copy)]
struct Spacing {
    /// Between sections.
    section: f32,
    /// Inside the panel.
    padding: f32,
}

/// As it looks best, and closer where it would be two pages otherwise.
const SPACINGS: [Spacing; 3] = [
    Spacing { section: 11.5, padding: 12.0 },
    Spacing { section: 9.0, padding: 10.0 },
    Spacing { section: 5.5, padding: 7.0 },
];

/// Between two parts of the page that stand side by side.
const GAP: f32 = 28.0;
/// The chart of the month, and what is left beside it for the chart of the months.
const GROWTH: f32 = 300.0;
const MONTHS: f32 = WIDTH - GAP - GROWTH;
/// The table of packages beside that of templates.
const PACKAGES: f32 = 214.0;
/// More templates than this take the whole width, and flow over pages.
const TEMPLATES_BESIDE: usize = 8;

/// The statement's pages: one for a usual dealership, and behind it the contacts of `annex`, an evidence
/// file.
///
/// # Errors
/// [`InvalidEvidence`] where the annex is no evidence file.
pub(super) fn pages(
    fonts: &Fonts,
    logo: Option<Logo>,
    invoice: &Invoice,
    annex: Option<&str>,
) -> Result<Vec<Picture>, InvalidEvidence> {
    let mut paper = front(fonts, logo, invoice, SPACINGS[0]);
    for spacing in &SPACINGS[1..] {
        if paper.pages() > 1 {
            let closer = front(fonts, logo, invoice, *spacing);
            paper = if closer.pages() < paper.pages() { closer } else { paper };
        }
    }
    if let Some(evidence) = annex {
        annex::add(&mut paper, invoice, evidence)?;
    }
    Ok(paper.finish(|page, of| letterhead::foot(invoice, Kind::Statement, page, of)))
}

/// All but the annex, with this much white between sections.
fn front<'a>(
    fonts: &'a Fonts,
    logo: Option<Logo>,
    invoice: &Invoice,
    spacing: Spacing,
) -> Paper<'a> {
    let Spacing { section: space, padding } = spacing;
    let mut paper = Paper::new(fonts, letterhead::continuation(invoice, Kind::Statement));
    paper.add(letterhead::head(invoice, Kind::Statement, logo));
    paper.space(space);
    paper.add(glance(invoice, padding));
    paper.space(space);
    paper.add(thirds([money(invoice), package(invoice), who_started(invoice)]));
    paper.space(space);
    let charts = vec![
        (Column::Fixed(GROWTH), growth(fonts, invoice)),
        (Column::Fixed(MONTHS), comparison::contacts(fonts, invoice, MONTHS)),
    ];
    paper.add(Block::columns(GAP, charts));
    paper.space(space);
    costs(&mut paper, invoice, space);
    paper.space(space);
    paper.add(rules(invoice));
    paper.space(space / 2.0);
    paper.add(letterhead::imprint(invoice));
    paper
}

fn thirds(cells: [Block; 3]) -> Block {
    Block::columns(22.0, cells.map(|cell| (Column::Share(1.0), cell)).into())
}

/// Where the money went: what was asked for, without credits, which are said beside it.
fn money(invoice: &Invoice) -> Block {
    let (mut amounts, granted) = (invoice.amounts(), invoice.granted());
    amounts.other += granted;
    let charged: Vec<(item::Column, Money)> =
        amounts.each().into_iter().filter(|(_, amount)| *amount > Money::ZERO).collect();
    let sum: Money = charged.iter().map(|(_, amount)| *amount).sum();
    let shares = shares(&charged.iter().map(|(_, amount)| centavos(*amount)).collect::<Vec<_>>());
    let parts = charged.iter().zip(shares).map(|((column, amount), share)| {
        let (name, ink) = match column {
            item::Column::Package => ("pacote", Ink::Accent),
            item::Column::Overage => ("contatos acima", Ink::Strong),
            item::Column::Hsm => ("modelos (HSM)", Ink::Pale),
            item::Column::Other => ("outras mensagens e licenças", Ink::Line),
            item::Column::Adjustments => ("outras cobranças", Ink::Muted),
        };
        let legend = format!("{} {name} ({share})", amount.brl());
        Share { amount: centavos(*amount), ink, legend }
    });
    let mut blocks = vec![section("Para onde foi o dinheiro"), chart::bar(parts.collect())];
    let off = [("desconto", -granted), ("créditos", amounts.adjustments)];
    let off = off.into_iter().filter(|(_, amount)| *amount < Money::ZERO);
    let off: Vec<String> =
        off.map(|(name, amount)| format!("{name}: {}", (-amount).brl())).collect();
    if !off.is_empty() {
        let credit = format!("De {}; {}", sum.brl(), off.join("; "));
        blocks.push(Block::Text(Text::new(credit, Style::NOTE)));
    }
    Block::Stack(blocks)
}

/// Whole percent of all, which add up to 100: what is left over goes to who loses most by rounding down.
fn shares(amounts: &[u64]) -> Vec<String> {
    let whole = u128::from(amounts.iter().sum::<u64>()).max(1);
    let parts = amounts.iter().map(|amount| u128::from(*amount) * 100);
    let (mut percents, mut rests): (Vec<u128>, Vec<(u128, usize)>) = (Vec::new(), Vec::new());
    for (index, part) in parts.enumerate() {
        percents.push(part / whole);
        rests.push((part % whole, index));
    }
    rests.sort_by_key(|(rest, index)| (Reverse(*rest), *index));
    let left = 100_u128.saturating_sub(percents.iter().sum());
    for ((_, index), _) in rests.into_iter().zip(0..left) {
        percents[index] += 1;
    }
    let said = |(percent, amount): (u128, &u64)| match (percent, amount) {
        (0, 1..) => "menos de 1%".to_owned(),
        _ => format!("{percent}%"),
    };
    percents.into_iter().zip(amounts).map(said).collect()
}

fn centavos(amount: Money) -> u64 {
    u64::try_from(amount.centavos()).unwrap_or_default()
}

/// Where the money went, template by template, and what other packages would have cost; side by side
/// where there are few templates.
fn costs(paper: &mut Paper<'_>, invoice: &Invoice, space: f32) {
    if let Some((header, rows)) = categories::table(invoice) {
        paper.keep(90.0);
        paper.add(categories::title());
        paper.table(header, rows);
        paper.space(space);
    }
    let packages = comparison::packages(invoice);
    if invoice.usage.hsm_by_template.len() <= TEMPLATES_BESIDE {
        let mut templates = vec![section("Mensagens de modelo (HSM)"), templates::header(invoice)];
        templates.extend(templates::rows(invoice));
        templates.extend(templates::avoidable(invoice));
        let templates = Block::Stack(templates);
        paper.add(match packages {
            // Names of templates are long, and are not shrunk.
            Some(packages) => Block::columns(
                GAP,
                vec![(Column::Fixed(PACKAGES), packages), (Column::Share(1.0), templates)],
            ),
            None => templates,
        });
        return;
    }
    if let Some(packages) = packages {
        paper.add(packages);
        paper.space(space);
    }
    paper.keep(90.0);
    paper.add(section("Mensagens de modelo (HSM)"));
    paper.table(templates::header(invoice), templates::rows(invoice));
    if let Some(avoidable) = templates::avoidable(invoice) {
        paper.add(avoidable);
    }
}

/// The month in eight figures.
fn glance(invoice: &Invoice, padding: f32) -> Block {
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
            ("Contatos no mês (UAM)", grouped(usage.uam)),
            ("Acima do pacote", grouped(invoice.overage())),
            ("Custo por contato", cost_per_contact(invoice)),
        ]),
        Block::Gap(10.0),
        figures([
            ("Mensagens recebidas", grouped(usage.received)),
            ("Mensagens enviadas", grouped(usage.sent)),
            ("das quais de modelo (HSM)", grouped(usage.hsm)),
            ("Vencimento", due(invoice)),
        ]),
    ]);
    Block::Panel { ink: Ink::Tint, edge: Some(Ink::Accent), padding, content: Box::new(content) }
}

/// A dash where there is nothing to pay.
fn due(invoice: &Invoice) -> String {
    if invoice.to_pay() > Money::ZERO { day(invoice.due_on) } else { "–".to_owned() }
}

/// `1 contato`, `5.000 contatos`.
fn contacts(count: u64) -> String {
    format!("{} {}", grouped(count), if count == 1 { "contato" } else { "contatos" })
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
    let used = Share {
        amount: within,
        ink: Ink::Accent,
        legend: format!("{} de {} usados", grouped(within), contacts(package)),
    };
    let rest = if uam > package {
        Share {
            amount: uam - package,
            ink: Ink::Strong,
            legend: format!("{} acima do pacote", contacts(uam - package)),
        }
    } else {
        Share {
            amount: package - uam,
            ink: Ink::Line,
            legend: format!("{} sem uso", contacts(package - uam)),
        }
    };
    Block::Stack(vec![section("Contatos e pacote"), chart::bar(vec![used, rest])])
}

fn who_started(invoice: &Invoice) -> Block {
    let usage = &invoice.usage;
    let by_dealership = usage.started_by_dealership.min(usage.uam);
    let by_contacts = usage.uam - by_dealership;
    let percent = percent(by_contacts, usage.uam);
    let part = |amount: u64, percent: u64, who: &str, ink| Share {
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

/// The contacts day by day, summed up, against the package.
fn growth(fonts: &Fonts, invoice: &Invoice) -> Block {
    let title = section("Contatos ao longo do mês");
    if invoice.usage.uam == 0 {
        let none = Text::new("Não houve contatos neste mês.", Style::BODY);
        return Block::Stack(vec![title, Block::Text(none)]);
    }
    let mut sum = 0;
    let sums: Vec<(NaiveDate, u64)> = all_days(invoice)
        .into_iter()
        .map(|(day, count)| {
            sum += count;
            (day, sum)
        })
        .collect();
    let package = format!("Pacote: {}", contacts(invoice.package));
    let limit = chart::Limit { contacts: invoice.package, name: &package };
    let reached = sums.iter().find(|(_, sum)| *sum >= invoice.package);
    let note = match reached {
        Some((on, _)) => format!("O pacote foi alcançado no dia {}.", on.format("%d/%m")),
        None => format!("Até o pacote faltou: {}.", contacts(invoice.package - sum)),
    };
    let alt = format!("Contatos acumulados dia a dia, {} no fim do mês", grouped(sum));
    Block::Stack(vec![
        title,
        Block::Picture(chart::growth(fonts, &sums, limit, GROWTH)).tagged(Role::Figure(alt)),
        Block::Gap(3.0),
        Block::Text(Text::new(note, Style::NOTE)),
    ])
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

/// How counting works, what was left out of it, and whom to ask.
fn rules(invoice: &Invoice) -> Block {
    let by_category = invoice.prices.as_ref().is_some_and(PriceTable::is_by_category);
    let messages = if by_category {
        "cada mensagem enviada é cobrada pelo preço da sua categoria, depois das gratuitas do mês, que não acumulam"
    } else {
        "cada mensagem de modelo (HSM) enviada é cobrada, mesmo com a janela de 24 horas aberta"
    };
    let rules = format!(
        "Cada contato com quem houve mensagem no mês conta uma vez, não importa quem escreveu primeiro; {messages}. \
         Contatos não usados não acumulam, e pacotes não se somam."
    );
    let mut blocks =
        vec![section("Como contamos"), Block::Text(Text::new(rules, Style::NOTE)), Block::Gap(3.0)];
    let notes = not_billed(invoice).into_iter().chain(outside_of_windows(invoice));
    blocks.extend(notes.map(|text| Block::Text(Text::new(text, Style::NOTE))));
    let ask = format!("Dúvidas? {}", contact_of_issuer(invoice));
    blocks.extend([Block::Gap(3.0), Block::Text(Text::new(ask, Style::NOTE))]);
    Block::Stack(blocks)
}

/// What was sent while a contact's window of 24 hours was closed; `None` where that was nothing, or nobody
/// asked for it.
fn outside_of_windows(invoice: &Invoice) -> Option<String> {
    match invoice.usage.windows?.sessions_outside {
        0 => None,
        1 => Some("1 mensagem comum consta como enviada fora da janela de 24 horas, o que o WhatsApp recusa: o emitente deve conferir a origem.".to_owned()),
        outside => Some(format!(
            "{} mensagens comuns constam como enviadas fora da janela de 24 horas, o que o WhatsApp recusa: o emitente deve conferir a origem.",
            grouped(outside)
        )),
    }
}

/// Messages that count neither as contact nor as HSM, and why; `None` in a month without messages.
fn not_billed(invoice: &Invoice) -> Option<String> {
    let buckets = &invoice.usage.buckets;
    let reasons = [
        ("repetidas pela origem", buckets.duplicate),
        ("em fila ou com falha", buckets.ignored_status),
        ("de grupos e listas", buckets.group),
        ("de números inválidos", buckets.not_a_contact),
        ("sem direção ou tipo reconhecível (o emitente foi avisado)", buckets.malformed),
    ];
    let left_out: Vec<String> = reasons
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(why, count)| format!("{} {why}", grouped(count)))
        .collect();
    match (left_out.is_empty(), buckets.counted) {
        (false, _) => Some(format!("Mensagens não cobradas: {}.", left_out.join("; "))),
        (true, 0) => None,
        (true, _) => {
            Some("Todas as mensagens do mês foram contadas; nenhuma ficou de fora.".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[101_400, 783, 86_342], &["54%", "menos de 1%", "46%"])]
    #[case(&[1, 1, 1], &["34%", "33%", "33%"])]
    #[case(&[101_400, 0], &["100%", "0%"])]
    #[case(&[], &[])]
    fn shares_add_up(#[case] amounts: &[u64], #[case] expected: &[&str]) {
        assert_eq!(shares(amounts), expected);
    }

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
