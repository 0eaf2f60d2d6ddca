//! Rows on their way to the counter, batch by batch: reading and counting go on side by side.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Pass, TEXT_COLUMNS};
use crate::billing::tally::{Count, Message};

/// How many rows go over at once: some 400 KB, which stay in a core's cache.
const ROWS: usize = 4096;

/// How many batches may wait, so that a fast reader fills no memory.
const WAITING: usize = 4;

/// Stands for the length of a text that is null.
const NULL: u32 = u32::MAX;

/// The counter at work, on a thread of its own.
pub(super) struct Counting<P>(JoinHandle<Pass<P>>);

/// Where a reader puts its rows; one for each connection.
pub(super) struct Feed {
    to_counter: mpsc::Sender<Batch>,
    batch: Batch,
}

/// The counter's thread has ended before its time: it panicked.
#[derive(Debug, thiserror::Error)]
#[error("the thread that counts has stopped")]
pub(super) struct Stopped;

#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    /// The texts of all rows, one after the other.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Row {
    lengths: [u32; TEXT_COLUMNS.len()],
    sent_at: i64,
    messages: u64,
}

impl<P: Fn(u64) + Send + 'static> Counting<P> {
    /// Starts to count what the feed, and clones of it, will bring. The thread ends when the last of
    /// them is gone.
    pub(super) fn start(mut pass: Pass<P>) -> (Self, Feed) {
        let (to_counter, mut batches) = mpsc::channel::<Batch>(WAITING);
        let counting = tokio::task::spawn_blocking(move || {
            while let Some(batch) = batches.blocking_recv() {
                batch.for_each(|message, messages| pass.add(message, messages));
            }
            pass
        });
        (Self(counting), Feed { to_counter, batch: Batch::default() })
    }

    /// What was counted, once every feed is gone.
    pub(super) async fn finish(self) -> Result<Count, Stopped> {
        self.0.await.map(Pass::finish).map_err(|_| Stopped)
    }
}

impl Feed {
    /// A feed for one more reader.
    pub(super) fn another(&self) -> Self {
        Self { to_counter: self.to_counter.clone(), batch: Batch::default() }
    }

    /// Puts one row, which stands for `messages` of them; whether it is time to send.
    pub(super) fn put(&mut self, message: &Message<'_>, messages: u64) -> bool {
        self.batch.put(message, messages);
        self.batch.rows.len() >= ROWS
    }

    /// Sends what was put; waits while the counter is behind.
    pub(super) async fn send(&mut self) -> Result<(), Stopped> {
        let batch = std::mem::take(&mut self.batch);
        self.to_counter.send(batch).await.map_err(|_| Stopped)
    }

    /// [`Feed::send`], on a thread that may block.
    pub(super) fn send_blocking(&mut self) -> Result<(), Stopped> {
        let batch = std::mem::take(&mut self.batch);
        self.to_counter.blocking_send(batch).map_err(|_| Stopped)
    }
}

impl Batch {
    fn put(&mut self, message: &Message<'_>, messages: u64) {
        let texts = [
            message.dealership_id,
            message.contact,
            message.direction,
            message.kind,
            message.template,
            message.status,
        ];
        let lengths = texts.map(|text| {
            text.map_or(NULL, |text| {
                // No database has a value of 4 GB; were it cut, it would be no contact as well.
                let length = u32::try_from(text.len()).unwrap_or(NULL - 1);
                self.bytes.extend_from_slice(&text[..length as usize]);
                length
            })
        });
        self.rows.push(Row { lengths, sent_at: message.sent_at, messages });
    }

    fn for_each(&self, mut add: impl FnMut(&Message<'_>, u64)) {
        let mut rest = self.bytes.as_slice();
        for row in &self.rows {
            let [dealership_id, contact, direction, kind, template, status] =
                row.lengths.map(|length| {
                    (length != NULL).then(|| {
                        let (text, behind) = rest.split_at(length as usize);
                        rest = behind;
                        text
                    })
                });
            let sent_at = row.sent_at;
            let message =
                Message { dealership_id, contact, direction, kind, template, status, sent_at };
            add(&message, row.messages);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_come_out_as_they_went_in(
            rows in proptest::collection::vec((any::<[Option<Vec<u8>>; 6]>(), any::<i64>(), any::<u64>()), 0..9),
        ) {
            let mut batch = Batch::default();
            for (texts, sent_at, messages) in &rows {
                let [dealership_id, contact, direction, kind, template, status] =
                    texts.each_ref().map(Option::as_deref);
                let sent_at = *sent_at;
                let message =
                    Message { dealership_id, contact, direction, kind, template, status, sent_at };
                batch.put(&message, *messages);
            }
            let mut found = Vec::new();
            batch.for_each(|m, messages| {
                let texts = [m.dealership_id, m.contact, m.direction, m.kind, m.template, m.status];
                found.push((texts.map(|text| text.map(<[u8]>::to_vec)), m.sent_at, messages));
            });
            prop_assert_eq!(found, rows);
        }
    }
}
