//! How files are kept: compressed by zstd, documents beside one that is like them.
//!
//! Fonts, logo and frame are the same in nearly all documents of a kind, and are most of each. So some
//! documents are kept a second time, as dictionaries, in the ledger: nothing that a file is read with lies
//! elsewhere. Where documents become others, by another logo or by fonts of their own, the dictionaries that
//! there are help less, and another is made; never more than four of a kind in a month.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, io};

use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};
use zstd::bulk::{Compressor, Decompressor};

use super::documents::FileKind;
use super::{LedgerError, corrupt, to_text};
use fecha_core::count::evidence::sha256_hex;

/// How a row says that its file was packed here.
pub(super) const ZSTD: &str = "zstd";
/// Ids of contacts are random digits: a higher level gains next to nothing.
const LEVEL: i32 = 3;
/// For documents, whose pages are deflated: the level above takes half as long again for 40 bytes of each.
const LEVEL_BESIDE: i32 = 1;
/// So many dictionaries of a kind are made in a month at most, and so many are tried.
const MOST: usize = 4;
/// So many are at hand, of all kinds.
const AT_HAND: usize = 32;
/// What is larger makes no dictionary: most of it is its own.
const LARGEST: usize = 128 << 10;

thread_local! {
    /// What compresses small files by themselves: its memory is not had for nothing.
    static ALONE: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// What was made before, or is made now.
fn at_hand<T>(place: &mut Option<T>, make: impl FnOnce() -> io::Result<T>) -> io::Result<&mut T> {
    if place.is_none() {
        *place = Some(make()?);
    }
    place.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// A file as the ledger keeps it: compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    pub(super) bytes: Vec<u8>,
    /// Of the file itself.
    pub(super) size: usize,
    /// The id of what it was packed beside.
    pub(super) dictionary: Option<String>,
}

impl Packed {
    /// Compresses a file by itself.
    ///
    /// # Errors
    /// [`LedgerError`] where the library lacks memory.
    pub fn of(file: &[u8]) -> Result<Self, LedgerError> {
        let bytes = if file.len() > LARGEST {
            zstd::bulk::compress(file, LEVEL)
        } else {
            ALONE.with_borrow_mut(|one| at_hand(one, || Compressor::new(LEVEL))?.compress(file))
        };
        let bytes = bytes.map_err(corrupt)?;
        Ok(Self { bytes, size: file.len(), dictionary: None })
    }

    /// Whether the dictionary is like the file, so that another one would not do much better.
    fn is_small(&self) -> bool {
        self.bytes.len() <= self.size / 2
    }
}

/// A document that others are kept beside.
struct Dictionary {
    id: String,
    kind: FileKind,
    bytes: Vec<u8>,
    /// With the dictionary read into it, and memory of its own, as is what unpacks: to make either takes as long
    /// as to use it.
    packer: Mutex<Option<Compressor<'static>>>,
    unpacker: Mutex<Option<Decompressor<'static>>>,
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Dictionary {
    fn new(kind: FileKind, bytes: Vec<u8>) -> Arc<Self> {
        let (packer, unpacker) = (Mutex::default(), Mutex::default());
        Arc::new(Self { id: sha256_hex(&bytes), kind, bytes, packer, unpacker })
    }

    fn pack(&self, file: &[u8]) -> Result<Packed, LedgerError> {
        let mut packer = self.packer.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = at_hand(&mut packer, || Compressor::with_dictionary(LEVEL_BESIDE, &self.bytes))
            .and_then(|packer| packer.compress(file))
            .map_err(corrupt)?;
        Ok(Packed { bytes, size: file.len(), dictionary: Some(self.id.clone()) })
    }

    fn unpack(&self, packed: &[u8], size: usize) -> Result<Vec<u8>, LedgerError> {
        let mut unpacker = self.unpacker.lock().unwrap_or_else(PoisonError::into_inner);
        at_hand(&mut unpacker, || Decompressor::with_dictionary(&self.bytes))
            .and_then(|unpacker| unpacker.decompress(packed, size))
            .map_err(corrupt)
    }
}

/// The dictionaries that were used, the last one first; only such as are in the ledger for good.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Vec<Arc<Dictionary>>>);

impl Shelf {
    fn all(&self) -> MutexGuard<'_, Vec<Arc<Dictionary>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_kind(&self, kind: FileKind) -> Vec<Arc<Dictionary>> {
        self.all().iter().filter(|known| known.kind == kind).take(MOST).cloned().collect()
    }

    fn get(&self, id: &str) -> Option<Arc<Dictionary>> {
        self.all().iter().find(|known| known.id == id).cloned()
    }

    fn put_first(&self, dictionary: &Arc<Dictionary>) {
        let mut all = self.all();
        if all.first().is_none_or(|first| first.id != dictionary.id) {
            all.retain(|known| known.id != dictionary.id);
            all.insert(0, Arc::clone(dictionary));
            all.truncate(AT_HAND);
        }
    }

    /// A dictionary of the ledger.
    async fn load(
        &self,
        connection: &mut AnyConnection,
        kind: FileKind,
        id: &str,
    ) -> Result<Arc<Dictionary>, LedgerError> {
        if let Some(known) = self.get(id) {
            return Ok(known);
        }
        let row = sqlx::query("SELECT bytes FROM dictionary WHERE id = $1")
            .bind(id.to_owned())
            .fetch_optional(connection)
            .await
            .map_err(LedgerError::while_doing("read what documents are kept beside"))?;
        let bytes = row.map(|row| row.try_get(0)).transpose().map_err(corrupt)?;
        let dictionary = Dictionary::new(kind, bytes.unwrap_or_default());
        if dictionary.id != id {
            return Err(corrupt(format!(
                "what documents are kept beside, {id}, is missing or damaged"
            )));
        }
        self.put_first(&dictionary);
        Ok(dictionary)
    }

    /// Packs a document beside one that is like it; keeps this one for others where there is none.
    pub(super) async fn pack(
        &self,
        connection: &mut AnyConnection,
        kind: FileKind,
        file: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Packed, LedgerError> {
        let mut best = None;
        for dictionary in self.of_kind(kind) {
            if let Some(packed) = self.beside(&mut best, &dictionary, file)? {
                return Ok(packed);
            }
        }
        let latest = latest(connection, kind).await?;
        for (id, _) in &latest {
            let dictionary = self.load(connection, kind, id).await?;
            if let Some(packed) = self.beside(&mut best, &dictionary, file)? {
                return Ok(packed);
            }
        }
        let now = to_text(now);
        let this_month = |(_, made_at): &&(String, String)| made_at.get(..7) == now.get(..7);
        if file.len() > LARGEST || latest.iter().filter(this_month).count() >= MOST {
            let alone = Packed::of(file)?;
            return Ok(best.filter(|best| best.bytes.len() < alone.bytes.len()).unwrap_or(alone));
        }
        // Not on the shelf: this transaction may be rolled back.
        let dictionary = Dictionary::new(kind, file.to_vec());
        insert(connection, &dictionary, now).await?;
        dictionary.pack(file)
    }

    /// The file packed beside a dictionary, where no other can do much better; else the best so far is
    /// kept.
    fn beside(
        &self,
        best: &mut Option<Packed>,
        dictionary: &Arc<Dictionary>,
        file: &[u8],
    ) -> Result<Option<Packed>, LedgerError> {
        let packed = dictionary.pack(file)?;
        if packed.is_small() {
            self.put_first(dictionary);
            return Ok(Some(packed));
        }
        if best.as_ref().is_none_or(|best| packed.bytes.len() < best.bytes.len()) {
            *best = Some(packed);
        }
        Ok(None)
    }

    /// A file as it was before it was packed, of a row with `bytes`, `packing`, `size` and `dictionary`.
    pub(super) async fn unpack(
        &self,
        connection: &mut AnyConnection,
        kind: FileKind,
        row: &AnyRow,
    ) -> Result<Vec<u8>, LedgerError> {
        let bytes: Vec<u8> = row.try_get("bytes").map_err(corrupt)?;
        let packing: Option<String> = row.try_get("packing").map_err(corrupt)?;
        match (packing.as_deref(), kind) {
            (None, FileKind::Evidence) => zstd::decode_all(bytes.as_slice()).map_err(corrupt),
            (None, _) => Ok(bytes),
            (Some(ZSTD), _) => {
                let size: i64 = row.try_get("size").map_err(corrupt)?;
                let size = usize::try_from(size).map_err(corrupt)?;
                let id: Option<String> = row.try_get("dictionary").map_err(corrupt)?;
                let Some(id) = id else {
                    return zstd::bulk::decompress(&bytes, size).map_err(corrupt);
                };
                self.load(connection, kind, &id).await?.unpack(&bytes, size)
            }
            (Some(other), _) => Err(corrupt(format!("a file that is kept as '{other}'"))),
        }
    }
}

/// The latest dictionaries of a kind: id, and when they were made.
async fn latest(
    connection: &mut AnyConnection,
    kind: FileKind,
) -> Result<Vec<(String, String)>, LedgerError> {
    let most = i64::try_from(MOST).map_err(corrupt)?;
    let rows = sqlx::query(
        "SELECT id, made_at FROM dictionary WHERE kind = $1 ORDER BY made_at DESC, id LIMIT $2",
    )
    .bind(kind.key().to_owned())
    .bind(most)
    .fetch_all(connection)
    .await
    .map_err(LedgerError::while_doing("look for what documents are kept beside"))?;
    let made = |row: &AnyRow| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(made).collect::<Result<_, sqlx::Error>>().map_err(corrupt)
}

async fn insert(
    connection: &mut AnyConnection,
    dictionary: &Dictionary,
    made_at: String,
) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO dictionary (id, kind, made_at, bytes) VALUES ($1, $2, $3, $4)")
        .bind(dictionary.id.clone())
        .bind(dictionary.kind.key().to_owned())
        .bind(made_at)
        .bind(dictionary.bytes.clone())
        .execute(connection)
        .await
        .map_err(LedgerError::while_doing("keep what documents are kept beside"))?;
    Ok(())
}
