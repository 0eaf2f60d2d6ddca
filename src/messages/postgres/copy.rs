//! PostgreSQL's `COPY … TO STDOUT (FORMAT binary)`, taken apart.
//!
//! The format: <https://www.postgresql.org/docs/15/sql-copy.html>, *Binary Format*.

use crate::messages::columns::{Texts, message};
use crate::messages::sent_at::{SentAt, Times};
use fecha_core::count::tally::Message;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// 2000-01-01T00:00:00Z, where PostgreSQL's time begins, in Unix microseconds.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// The stream is not what the query asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's binary COPY stream is malformed: {0}")]
pub(super) struct Malformed(&'static str);

/// Takes the stream chunk by chunk, however it is cut, and keeps no more than one unfinished row.
#[derive(Debug)]
pub(super) struct CopyReader {
    /// Where each column of the query stands in a row's [`Texts`].
    places: Vec<usize>,
    times: Times,
    /// Where the column's own time begins, counted in its own units since 1970.
    epoch: i64,
    has_header: bool,
    has_trailer: bool,
    unfinished: Vec<u8>,
}

impl CopyReader {
    /// For a query of these texts, `sent_at` and perhaps a count.
    pub(super) fn new(places: Vec<usize>, sent_at: SentAt) -> Self {
        let epoch = if sent_at.is_number() { 0 } else { POSTGRES_EPOCH };
        let (times, unfinished) = (sent_at.times(), Vec::new());
        Self { places, times, epoch, has_header: false, has_trailer: false, unfinished }
    }

    /// Hands each row that `chunk` completes to `add`.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes are no rows of its texts, an instant and perhaps a count.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        add: impl FnMut(&Message<'_>, u64),
    ) -> Result<(), Malformed> {
        if self.unfinished.is_empty() {
            let taken = self.take(chunk, add)?; // the usual case, without a copy: one row a chunk
            self.unfinished.extend_from_slice(&chunk[taken..]);
        } else {
            let mut bytes = std::mem::take(&mut self.unfinished);
            bytes.extend_from_slice(chunk);
            let taken = self.take(&bytes, add)?;
            bytes.drain(..taken);
            self.unfinished = bytes;
        }
        Ok(())
    }

    /// # Errors
    /// [`Malformed`] where the stream ended before its trailer.
    pub(super) fn finish(self) -> Result<(), Malformed> {
        if self.has_trailer { Ok(()) } else { Err(Malformed("it ends before its trailer")) }
    }

    /// Reads what is complete; how many bytes that was.
    fn take(
        &mut self,
        bytes: &[u8],
        mut add: impl FnMut(&Message<'_>, u64),
    ) -> Result<usize, Malformed> {
        let mut cursor = Cursor { bytes, at: 0 };
        if !self.has_header {
            let Some(()) = cursor.header()? else { return Ok(0) };
            self.has_header = true;
        }
        loop {
            let row_starts = cursor.at;
            if self.has_trailer {
                let is_end = row_starts == bytes.len();
                return if is_end {
                    Ok(row_starts)
                } else {
                    Err(Malformed("it goes on behind its trailer"))
                };
            }
            let (times, epoch) = (&mut self.times, self.epoch);
            let time = |value: i64| times.millis(value.saturating_add(epoch));
            match cursor.row(&self.places, time)? {
                Row::Messages(message, count) => add(&message, count),
                Row::Trailer => self.has_trailer = true,
                Row::Unfinished => return Ok(row_starts),
            }
        }
    }
}

enum Row<'a> {
    /// One message, or so many that are alike.
    Messages(Message<'a>, u64),
    Trailer,
    Unfinished,
}

/// `None` everywhere: not all of it has come yet.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn header(&mut self) -> Result<Option<()>, Malformed> {
        let Some(signature) = self.bytes(SIGNATURE.len()) else { return Ok(None) };
        if signature != SIGNATURE {
            return Err(Malformed("it has no signature"));
        }
        let (Some(_flags), Some(extension)) = (self.int32(), self.int32()) else { return Ok(None) };
        let length = usize::try_from(extension).map_err(|_| Malformed("its header is broken"))?;
        Ok(self.bytes(length).map(|_| ()))
    }

    /// `time` makes a value of `sent_at` Unix milliseconds.
    fn row(
        &mut self,
        places: &[usize],
        mut time: impl FnMut(i64) -> i64,
    ) -> Result<Row<'a>, Malformed> {
        let Some(&fields) = self.bytes(2).and_then(|bytes| bytes.first_chunk()) else {
            return Ok(Row::Unfinished);
        };
        let is_counted = match i16::from_be_bytes(fields) {
            -1 => return Ok(Row::Trailer),
            fields if usize::try_from(fields) == Ok(places.len() + 1) => false,
            fields if usize::try_from(fields) == Ok(places.len() + 2) => true,
            _ => return Err(Malformed("a row has another number of columns")),
        };
        let mut texts: Texts<&[u8]> = [None; _];
        for place in places {
            let Some(field) = self.field()? else { return Ok(Row::Unfinished) };
            texts[*place] = field;
        }
        let Some(instant) = self.field()? else { return Ok(Row::Unfinished) };
        let value = int64(instant).ok_or(Malformed("sent_at is no instant"))?;
        let messages = if is_counted {
            let Some(count) = self.field()? else { return Ok(Row::Unfinished) };
            int64(count).ok_or(Malformed("a count is no number"))?.unsigned_abs()
        } else {
            1
        };
        Ok(Row::Messages(message(&texts, time(value)), messages))
    }

    /// One column: `Some(None)` is null.
    #[expect(clippy::option_option, reason = "outer: has it come yet; inner: is it null")]
    fn field(&mut self) -> Result<Option<Option<&'a [u8]>>, Malformed> {
        match self.int32() {
            None => Ok(None),
            Some(-1) => Ok(Some(None)),
            Some(length) => {
                let length =
                    usize::try_from(length).map_err(|_| Malformed("a length is negative"))?;
                Ok(self.bytes(length).map(Some))
            }
        }
    }

    fn int32(&mut self) -> Option<i32> {
        self.bytes(4)?.first_chunk().map(|bytes| i32::from_be_bytes(*bytes))
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }
}

fn int64(field: Option<&[u8]>) -> Option<i64> {
    Some(i64::from_be_bytes(field?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Texts = [Option<Vec<u8>>; 6];

    fn encode(rows: &[(Texts, i64)]) -> Vec<u8> {
        let mut bytes = [SIGNATURE, &[0; 4], &3_i32.to_be_bytes(), b"ext"].concat();
        for (texts, micros) in rows {
            bytes.extend(7_i16.to_be_bytes());
            for text in texts {
                match text {
                    None => bytes.extend((-1_i32).to_be_bytes()),
                    Some(text) => {
                        bytes.extend(i32::try_from(text.len()).unwrap().to_be_bytes());
                        bytes.extend(text);
                    }
                }
            }
            bytes.extend(8_i32.to_be_bytes());
            bytes.extend(micros.to_be_bytes());
        }
        bytes.extend((-1_i16).to_be_bytes());
        bytes
    }

    fn decode(chunks: &[&[u8]]) -> Result<Vec<(Texts, i64)>, Malformed> {
        let mut reader = CopyReader::new((0..6).collect(), SentAt::Instant);
        let mut rows = Vec::new();
        for chunk in chunks {
            reader.feed(chunk, |m, _| {
                let texts = [m.dealership_id, m.contact, m.direction, m.kind, m.template, m.status];
                rows.push((texts.map(|text| text.map(<[u8]>::to_vec)), m.sent_at));
            })?;
        }
        reader.finish()?;
        Ok(rows)
    }

    proptest! {
        #[test]
        fn rows_come_out_as_they_went_in_however_the_stream_is_cut(
            rows in proptest::collection::vec((any::<Texts>(), -1_000_000_000_000_i64..1_000_000_000_000_000), 0..6),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..9),
        ) {
            let bytes = encode(&rows);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                chunks.push(&bytes[from..cut]);
                from = cut;
            }
            let expected: Vec<(Texts, i64)> = rows
                .into_iter()
                .map(|(texts, micros)| (texts, (micros + POSTGRES_EPOCH).div_euclid(1000)))
                .collect();
            prop_assert_eq!(decode(&chunks), Ok(expected));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            let stream = [&encode(&[])[..22], &bytes].concat();
            prop_assert!(decode(&[&stream]).is_ok() == (bytes == [0xff, 0xff]));
        }
    }

    #[test]
    fn finer_time_is_cut_off() {
        let rows = [(Texts::default(), 999_999), (Texts::default(), -1)];
        let instants: Vec<i64> =
            decode(&[&encode(&rows)]).unwrap().iter().map(|(_, sent_at)| *sent_at).collect();
        assert_eq!(instants, [946_684_800_999, 946_684_799_999]);
    }

    #[test]
    fn a_stream_that_was_cut_off_is_no_result() {
        let bytes = encode(&[(Texts::default(), 0)]);
        assert!(decode(&[&bytes[..bytes.len() - 2]]).is_err());
        assert!(decode(&[]).is_err());
    }
}
