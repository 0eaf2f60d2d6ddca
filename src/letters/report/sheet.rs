//! A table on a sheet: header, rows, totals.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_xlsxwriter::{
    Color, ConditionalFormatCell, ConditionalFormatCellRule, Format, FormatAlign, FormatBorder,
    Formula, IntoExcelData, Worksheet, XlsxError,
};

use fecha_core::price::money::Money;

/// Longest text of a cell, in characters; ids and details come from outside, and a sheet refuses more
/// than 32,767.
const TEXT_LENGTH: usize = 1000;

/// What a cell holds.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Text(String),
    Count(u64),
    Money(Money),
    /// Reais for one, finer than a centavo where it is.
    Price(Decimal),
    Date(NaiveDate),
    /// Told in this zone.
    Instant(DateTime<Utc>, Tz),
    /// Tenths of a percent.
    Percent(i64),
    /// A formula and what it gives.
    Formula {
        text: String,
        result: Decimal,
    },
    Empty,
}

/// A column: its title, its width in characters, whether it has a total, what is marked in it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    title: String,
    width: f64,
    summed: bool,
    marked: Marked,
}

/// Which of a column's cells catch the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marked {
    Nothing,
    /// What should be zero and is not.
    Wrong,
    /// What went down and what went up.
    Changes,
}

/// A table; every row has a cell for each column.
#[derive(Debug)]
pub(super) struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

/// How cells look.
#[derive(Debug)]
pub(super) struct Formats {
    header: Format,
    number_header: Format,
    text: Format,
    count: Format,
    money: Format,
    price: Format,
    date: Format,
    instant: Format,
    percent: Format,
}

impl Default for Formats {
    fn default() -> Self {
        let plain = || Format::new().set_align(FormatAlign::Top);
        let header = Format::new()
            .set_bold()
            .set_text_wrap()
            .set_align(FormatAlign::VerticalCenter)
            .set_background_color(Color::RGB(0x00E3_ECE8))
            .set_border_bottom(FormatBorder::Thin);
        Self {
            number_header: header.clone().set_align(FormatAlign::Right),
            header: header.set_indent(1),
            // A text format, so that a name like `=A1` stays text when somebody edits its cell too.
            text: plain().set_num_format("@").set_align(FormatAlign::Left).set_indent(1),
            count: plain().set_num_format("#,##0"),
            money: plain().set_num_format("[$R$-416] #,##0.00"),
            price: plain().set_num_format("[$R$-416] #,##0.00##"),
            date: plain().set_num_format("dd/mm/yyyy"),
            instant: plain().set_num_format("dd/mm/yyyy hh:mm"),
            percent: plain().set_num_format("0.0%"),
        }
    }
}

impl Column {
    pub fn new(title: impl Into<String>, width: u8) -> Self {
        let title = title.into();
        Self { title, width: width.into(), summed: false, marked: Marked::Nothing }
    }

    /// A column whose numbers add up to a total.
    pub fn summed(title: impl Into<String>, width: u8) -> Self {
        Self { summed: true, ..Self::new(title, width) }
    }

    /// What is not zero is wrong, and stands out.
    pub fn must_be_zero(self) -> Self {
        Self { marked: Marked::Wrong, ..self }
    }

    /// What goes down and what goes up is told apart by colour, beside its sign.
    pub fn of_changes(self) -> Self {
        Self { marked: Marked::Changes, ..self }
    }
}

impl Cell {
    fn number(&self) -> Decimal {
        match self {
            Self::Count(count) => (*count).into(),
            Self::Money(money) => money.reais(),
            Self::Price(price) => *price,
            Self::Formula { result, .. } => *result,
            Self::Percent(tenths) => Decimal::new(*tenths, 3),
            Self::Text(_) | Self::Date(_) | Self::Instant(..) | Self::Empty => Decimal::ZERO,
        }
    }

    fn write(
        &self,
        sheet: &mut Worksheet,
        (row, column): (u32, u16),
        formats: &Formats,
    ) -> Result<(), XlsxError> {
        match self {
            Self::Text(text) => {
                let text: String = text.chars().take(TEXT_LENGTH).collect();
                sheet.write_string_with_format(row, column, text, &formats.text)?;
            }
            // A number of a sheet is a double by definition of the format: the crate turns the exact
            // decimal into the nearest one, here and nowhere else.
            Self::Count(_) => {
                self.number().write_with_format(sheet, row, column, &formats.count)?;
            }
            Self::Money(_) => {
                self.number().write_with_format(sheet, row, column, &formats.money)?;
            }
            Self::Price(_) => {
                self.number().write_with_format(sheet, row, column, &formats.price)?;
            }
            Self::Date(date) => {
                sheet.write_date_with_format(row, column, date, &formats.date)?;
            }
            Self::Percent(_) => {
                self.number().write_with_format(sheet, row, column, &formats.percent)?;
            }
            Self::Instant(instant, zone) => {
                let naive = instant.with_timezone(zone).naive_local();
                sheet.write_datetime_with_format(row, column, naive, &formats.instant)?;
            }
            Self::Formula { text, result } => {
                let formula = Formula::new(text).set_result(result.to_string());
                sheet.write_formula_with_format(row, column, formula, &formats.count)?;
            }
            Self::Empty => {}
        }
        Ok(())
    }
}

/// What words outside of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// What the whole sheet is about.
    Title,
    /// What stands in a line.
    Line,
    /// What stands in a column of figures.
    Head,
    /// What must not be overlooked.
    Warning,
}

/// Writes words outside of a table.
pub(super) fn words(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    text: &str,
    what: Words,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let format = match what {
        Words::Title => &Format::new().set_bold().set_font_size(14),
        Words::Line => &formats.text,
        Words::Head => &formats.number_header,
        Words::Warning => &wrong().set_align(FormatAlign::Right),
    };
    sheet.write_string_with_format(row, column, text, format)?;
    Ok(())
}

/// How it looks that something should be zero and is not.
fn wrong() -> Format {
    Format::new()
        .set_bold()
        .set_font_color(Color::RGB(0x009C_0006))
        .set_background_color(Color::RGB(0x00FF_C7CE))
}

/// Writes one cell outside of a table.
pub(super) fn value(
    sheet: &mut Worksheet,
    at: (u32, u16),
    cell: &Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    cell.write(sheet, at, formats)
}

impl Table {
    /// Writes the table from row `first` (from 0) on and gives the first row behind it. The table in
    /// row 0 sets the column widths, and filters by its header.
    pub fn write(
        &self,
        sheet: &mut Worksheet,
        first: u32,
        formats: &Formats,
    ) -> Result<u32, XlsxError> {
        for (column, index) in self.columns.iter().zip(0_u16..) {
            let mut cells = self.rows.iter().filter_map(|cells| cells.get(usize::from(index)));
            let cell = cells.find(|cell| !matches!(cell, Cell::Empty));
            let is_text = matches!(cell, None | Some(Cell::Text(_)));
            let header = if is_text { &formats.header } else { &formats.number_header };
            sheet.write_string_with_format(first, index, &column.title, header)?;
            if first == 0 {
                sheet.set_column_width(index, column.width)?;
            }
        }
        let mut next = first + 1;
        for cells in &self.rows {
            for (cell, column) in cells.iter().zip(0_u16..) {
                cell.write(sheet, (next, column), formats)?;
            }
            next += 1;
        }
        if first == 0 {
            self.set_up_page(sheet, next)?;
        }
        if self.rows.is_empty() {
            return Ok(next);
        }
        self.mark(sheet, first, next)?;
        self.write_totals(sheet, first, next, formats)?;
        Ok(next + 1)
    }

    fn set_up_page(&self, sheet: &mut Worksheet, end: u32) -> Result<(), XlsxError> {
        let last_column = u16::try_from(self.columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
        sheet.autofilter(0, 0, end - 1, last_column)?;
        sheet.set_row_height(0, 32)?;
        sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
        sheet.set_repeat_rows(0, 0)?;
        Ok(())
    }

    /// Marks cells by what they hold, so that a cell that somebody corrects is marked no longer; in totals too.
    fn mark(&self, sheet: &mut Worksheet, first: u32, total: u32) -> Result<(), XlsxError> {
        let wrong = wrong();
        let down = Format::new().set_font_color(Color::RGB(0x009C_0006));
        let up = Format::new().set_font_color(Color::RGB(0x0000_6100));
        for (column, index) in self.columns.iter().zip(0_u16..) {
            let rules = match column.marked {
                Marked::Nothing => vec![],
                Marked::Wrong => vec![(ConditionalFormatCellRule::NotEqualTo(0), &wrong)],
                Marked::Changes => vec![
                    (ConditionalFormatCellRule::LessThan(0), &down),
                    (ConditionalFormatCellRule::GreaterThan(0), &up),
                ],
            };
            for (rule, format) in rules {
                let format = ConditionalFormatCell::new().set_rule(rule).set_format(format);
                sheet.add_conditional_format(first + 1, index, total, index, &format)?;
            }
        }
        Ok(())
    }

    /// Totals of what the filter shows (`SUBTOTAL(109, …)`); without a filter, of everything.
    fn write_totals(
        &self,
        sheet: &mut Worksheet,
        first: u32,
        row: u32,
        formats: &Formats,
    ) -> Result<(), XlsxError> {
        let total = |format: &Format| format.clone().set_bold().set_border_top(FormatBorder::Thin);
        for (column, index) in self.columns.iter().zip(0_u16..) {
            let cells = || self.rows.iter().filter_map(|row| row.get(usize::from(index)));
            if !column.summed {
                let title = if index == 0 { "Total" } else { "" };
                sheet.write_string_with_format(row, index, title, &total(&formats.text))?;
                continue;
            }
            let is_money = cells().any(|cell| matches!(cell, Cell::Money(_)));
            let format = total(if is_money { &formats.money } else { &formats.count });
            let letter = rust_xlsxwriter::utility::column_number_to_name(index);
            let formula = format!("=SUBTOTAL(109,{letter}{}:{letter}{row})", first + 2);
            let result: Decimal = cells().map(Cell::number).sum();
            let formula = Formula::new(formula).set_result(result.to_string());
            sheet.write_formula_with_format(row, index, formula, &format)?;
        }
        Ok(())
    }
}
