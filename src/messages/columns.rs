//! Which columns of the relation are read.

use fecha_core::count::profile::Column;
use fecha_core::count::tally::Message;

/// Those that every relation has, `sent_at` apart.
pub(super) const TEXT_COLUMNS: [&str; 6] =
    ["dealership_id", "contact", "direction", "kind", "template", "status"];

/// Those that it may have.
pub(super) const OPTIONAL_COLUMNS: [&str; 4] = ["message_id", "category", "number", "billable"];

/// All of them.
const MOST: usize = TEXT_COLUMNS.len() + OPTIONAL_COLUMNS.len();

/// The values of a row, in the order of [`TEXT_COLUMNS`], then [`OPTIONAL_COLUMNS`]; those that are not
/// read are null.
pub(super) type Texts<T> = [Option<T>; MOST];

/// Which of the optional columns there are, or are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Optional([bool; OPTIONAL_COLUMNS.len()]);

impl Optional {
    /// What a count needs: always who says that they are one message, and which are not billed.
    pub(super) fn to_count(with_category: bool, with_number: bool) -> Self {
        Self([true, with_category, with_number, true])
    }

    /// Those that a relation has, by the names of its columns.
    pub(super) fn among(names: &[String]) -> Self {
        let is_there = |column: &str| names.iter().any(|name| name.eq_ignore_ascii_case(column));
        Self(OPTIONAL_COLUMNS.map(is_there))
    }

    /// Those of both.
    pub(super) fn and(self, other: Self) -> Self {
        let mut both = self;
        both.0.iter_mut().zip(other.0).for_each(|(own, other)| *own &= other);
        both
    }

    /// What a profile calls them.
    pub(super) fn named(self) -> Vec<Column> {
        let columns = [Column::MessageId, Column::Category, Column::Number, Column::Billable];
        let there = columns.into_iter().zip(self.0).filter(|(_, is_there)| *is_there);
        there.map(|(column, _)| column).collect()
    }

    /// Whether a message says which one it is.
    pub(super) fn has_message_ids(self) -> bool {
        self.0[0]
    }

    /// The columns that are read, and where each stands in a row's [`Texts`].
    pub(super) fn columns(self) -> impl Iterator<Item = (usize, &'static str)> + Clone {
        let there = OPTIONAL_COLUMNS.into_iter().zip(self.0).enumerate();
        let optional = there
            .filter(|(_, (_, is_there))| *is_there)
            .map(|(place, (column, _))| (TEXT_COLUMNS.len() + place, column));
        TEXT_COLUMNS.into_iter().enumerate().chain(optional)
    }

    /// Where each column that is read stands in a row's [`Texts`].
    pub(super) fn places(self) -> Vec<usize> {
        self.columns().map(|(place, _)| place).collect()
    }

    /// The columns that are read, as a list in SQL.
    pub(super) fn list(self) -> String {
        self.columns().map(|(_, column)| column).collect::<Vec<_>>().join(", ")
    }
}

/// A row as a message.
pub(super) fn message<'a>(texts: &Texts<&'a [u8]>, sent_at: i64) -> Message<'a> {
    let [
        dealership_id,
        contact,
        direction,
        kind,
        template,
        status,
        message_id,
        category,
        number,
        billable,
    ] = *texts;
    Message {
        dealership_id,
        contact,
        direction,
        kind,
        template,
        status,
        message_id,
        category,
        number,
        billable,
        sent_at,
    }
}
