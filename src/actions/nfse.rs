//! The DPS of a month's invoices: which there are, which numbers they have, and what a person has to do about them.
//!
//! A number is given once to a revision of an invoice, in the transaction that keeps its file: whoever asks again gets
//! the same bytes. What register or configuration would make of it today is told, and made only where a person asks for
//! it by name, since fecha does not know whether that DPS was sent.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::ledger::dps::{KeptDps, NewDps, dps_of, insert_dps, last_dps, replace_dps};
use crate::ledger::{LedgerError, Transaction, audit};
use crate::setup::office::Office;
use crate::tax::xml;
use fecha_core::account::note::Note;
use fecha_core::bill::invoice::{Invoice, Number, label};
use fecha_core::calendar::month::Month;
use fecha_core::party::register::Dealership;
use fecha_core::party::tax_id::Cnpj;
use fecha_core::price::money::Money;
use fecha_core::tax::dps::{Asked, DpsNumber, Field, Lacking, Taker, numeric};
use fecha_core::tax::profile::Profile;
use fecha_core::tax::taxed::{NotOnInvoice, Taxed, from_payments};

/// No DPS were made.
#[derive(Debug, thiserror::Error)]
pub enum NfseError {
    /// There is no `[nfse]`.
    #[error(
        "the configuration has no [nfse]: write there what a DPS says of the issuer (municipality, codes of the service, regime, series). `fecha init` writes an example into a new folder, and docs/nfse.md says what each key is; ask your accountant for the codes"
    )]
    NotConfigured,
    /// The issuer's CNPJ has letters.
    #[error(
        "[issuer] cnpj {0} has letters, which layout 1.01 of the DPS does not take: no DPS can be made of it until there is a layout that does"
    )]
    Issuer(Cnpj),
    /// There is nothing of that month.
    #[error("no invoice of {0} stands: `fecha close --month {0}` issues them")]
    NoInvoices(Month),
    /// What is to be made anew is not there.
    #[error("there is no DPS of {0} in {1} to be made anew: run it without --again first")]
    NotMade(Number, Month),
    /// Ledger and document say other amounts.
    #[error("{0}: {1}. `fecha verify` says what differs; no DPS was made")]
    Account(Number, NotOnInvoice),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file could not be made.
    #[error("a DPS could not be written: {0}")]
    Xml(#[from] std::io::Error),
}

/// The invoice that something is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as in the lists of invoices")]
pub struct About {
    pub invoice: Number,
    pub revision: u32,
    pub dealership_id: String,
    pub name: String,
}

/// A DPS as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DpsFile {
    /// `dps-2026-000001.xml`, in the folder that was asked for.
    pub file: String,
    /// Of which invoice.
    #[serde(flatten)]
    pub about: About,
    /// Its number.
    #[serde(flatten)]
    pub number: DpsNumber,
    /// The price.
    pub service: Money,
    /// What it was reduced by.
    pub discount: Money,
    /// Its number was given now.
    pub new: bool,
    /// It was made anew, under the number that it had.
    pub again: bool,
    /// What it holds.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// A dealership of which the register lacks something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Missing {
    #[serde(flatten)]
    pub about: About,
    pub fields: Vec<Field>,
}

/// A dealership whose CNPJ the layout does not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct NotTaken {
    #[serde(flatten)]
    pub about: About,
    pub cnpj: Cnpj,
}

/// A DPS to which another one comes: the NFS-e of the first is to be replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct Replaced {
    #[serde(flatten)]
    pub about: About,
    #[serde(flatten)]
    pub number: DpsNumber,
    pub replaces: DpsNumber,
}

/// A DPS of what is not invoiced any more: its NFS-e is to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "said by their names")]
pub struct ToCancel {
    #[serde(flatten)]
    pub about: About,
    #[serde(flatten)]
    pub number: DpsNumber,
    /// The invoice is void; else a later revision has nothing to tax.
    pub void: bool,
}

/// The DPS of a month, and what a person has to do about them.
#[derive(Debug, Clone, Serialize)]
pub struct NfseMonth {
    /// Which month.
    pub month: Month,
    /// `production` or `restricted`.
    pub environment: &'static str,
    /// By invoice number.
    pub files: Vec<DpsFile>,
    /// None was made of these: the register lacks a field.
    pub missing: Vec<Missing>,
    /// None was made of these: their CNPJ has letters.
    pub not_taken: Vec<NotTaken>,
    /// There is nothing to tax.
    pub untaxed: Vec<About>,
    /// Each replaces an earlier one.
    pub replaced: Vec<Replaced>,
    /// These are of no invoice any more.
    pub to_cancel: Vec<ToCancel>,
    /// Register or configuration would make other ones today: what was made first is what was written.
    pub differing: Vec<DpsFile>,
}

impl NfseMonth {
    /// Whether a person has to do something.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        let Self { missing, not_taken, replaced, to_cancel, differing, .. } = self;
        !(missing.is_empty()
            && not_taken.is_empty()
            && replaced.is_empty()
            && to_cancel.is_empty()
            && differing.is_empty())
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Of which month.
    pub month: Month,
    /// The invoices whose DPS is made anew, under its number, where it would be another one today.
    pub again: &'a [Number],
    /// Who asks.
    pub by: &'a str,
}

/// What the ledger knows, read while the numbers are held.
struct Known<'a> {
    profile: &'a Profile,
    cnpj: String,
    now: DateTime<Utc>,
    dealerships: BTreeMap<String, Dealership>,
    notes: BTreeMap<String, Vec<Note>>,
    kept: Vec<KeptDps>,
}

/// Makes the DPS of each invoice of a month that stands and has something to tax, and gives those that were made
/// before as they were.
///
/// # Errors
/// [`NfseError`]; no number was given then.
pub async fn nfse(office: &Office, wanted: Wanted<'_>) -> Result<NfseMonth, NfseError> {
    let profile = office.config.nfse.as_ref().ok_or(NfseError::NotConfigured)?;
    let issuer = &office.config.issuer.cnpj;
    let cnpj = numeric(issuer).ok_or_else(|| NfseError::Issuer(issuer.clone()))?;
    let mut transaction = office.ledger.begin_dps().await?;
    let kept = dps_of(&mut transaction, profile.environment, wanted.month).await?;
    let standing = office.ledger.standing_invoices(wanted.month).await?;
    if standing.is_empty() && kept.is_empty() {
        return Err(NfseError::NoInvoices(wanted.month));
    }
    let dealerships = office.ledger.dealerships().await?;
    let known = Known {
        profile,
        cnpj,
        now: office.clock.now(),
        dealerships: dealerships.into_iter().map(|one| (one.id.clone(), one)).collect(),
        notes: office.ledger.notes_by_dealership().await?,
        kept,
    };
    let last = last_dps(&mut transaction, profile.environment, profile.series).await?;
    let first = u64::from(profile.first_number).max(last + 1);
    let mut made = known.made(wanted, standing, first)?;
    must_be_made(&made, wanted)?;
    keep(&mut transaction, &known, wanted, &made).await?;
    transaction.commit().await.map_err(LedgerError::while_doing("keep the DPS"))?;
    made.to_cancel.extend(known.void());
    Ok(made)
}

/// Whoever names an invoice means a DPS that there is.
fn must_be_made(made: &NfseMonth, wanted: Wanted<'_>) -> Result<(), NfseError> {
    let is_made = |number: &&Number| {
        made.files.iter().any(|file| file.about.invoice == **number && !file.new)
    };
    let unmade = wanted.again.iter().find(|number| !is_made(number));
    unmade.map_or(Ok(()), |number| Err(NfseError::NotMade(*number, wanted.month)))
}

impl Known<'_> {
    fn made(
        &self,
        wanted: Wanted<'_>,
        standing: BTreeMap<String, Invoice>,
        first: u64,
    ) -> Result<NfseMonth, NfseError> {
        let mut made = NfseMonth {
            month: wanted.month,
            environment: self.profile.environment.key(),
            files: Vec::new(),
            missing: Vec::new(),
            not_taken: Vec::new(),
            untaxed: Vec::new(),
            replaced: Vec::new(),
            to_cancel: Vec::new(),
            differing: Vec::new(),
        };
        let mut invoices: Vec<Invoice> = standing.into_values().collect();
        invoices.sort_by_key(|invoice| invoice.number);
        let mut next = first;
        for invoice in &invoices {
            self.add(&mut made, invoice, wanted.again.contains(&invoice.number), &mut next)?;
        }
        Ok(made)
    }

    /// Puts an invoice where it belongs.
    fn add(
        &self,
        made: &mut NfseMonth,
        invoice: &Invoice,
        again: bool,
        next: &mut u64,
    ) -> Result<(), NfseError> {
        let notes = self.notes.get(&invoice.dealership_id).map(Vec::as_slice).unwrap_or_default();
        let taxed = Taxed::of(&invoice.lines, from_payments(notes, invoice.number))
            .map_err(|error| NfseError::Account(invoice.number, error))?;
        let its = self.kept.iter().filter(|kept| kept.invoice == invoice.number);
        let kept = its.clone().find(|kept| kept.revision == invoice.revision);
        let before = its.filter(|kept| kept.revision < invoice.revision);
        let before = before.max_by_key(|kept| kept.revision).map(|kept| kept.number);
        let about = about(invoice);
        if !taxed.is_taxed() {
            match kept.map(|kept| kept.number).or(before) {
                Some(number) => made.to_cancel.push(ToCancel { about, number, void: false }),
                None => made.untaxed.push(about),
            }
            return Ok(());
        }
        let Some(dealership) = self.dealerships.get(&invoice.dealership_id) else {
            return Ok(());
        };
        let asked = Taker::of(invoice, dealership).map(|taker| Asked {
            invoice,
            taker,
            taxed,
            replaces: before,
        });
        let file = match (kept, asked) {
            (Some(kept), asked) => {
                let today = asked.ok().map(|asked| self.file(&asked, kept.number, kept.made_at));
                let today = today.transpose()?.filter(|today| *today != kept.file);
                made_before(made, (about, taxed), kept, (today, again))
            }
            (None, Err(Lacking::Fields(fields))) => {
                made.missing.push(Missing { about, fields });
                return Ok(());
            }
            (None, Err(Lacking::Layout(cnpj))) => {
                made.not_taken.push(NotTaken { about, cnpj });
                return Ok(());
            }
            (None, Ok(asked)) => {
                let number = DpsNumber { series: self.profile.series, number: *next };
                *next += 1;
                let bytes = self.file(&asked, number, self.now)?;
                DpsFile { new: true, ..file(about, taxed, number, bytes) }
            }
        };
        if let Some(replaces) = before {
            let (about, number) = (file.about.clone(), file.number);
            made.replaced.push(Replaced { about, number, replaces });
        }
        made.files.push(file);
        Ok(())
    }

    fn file(
        &self,
        asked: &Asked<'_>,
        number: DpsNumber,
        made_at: DateTime<Utc>,
    ) -> Result<Vec<u8>, NfseError> {
        Ok(xml::write(&asked.numbered(self.profile, &self.cnpj, (number, made_at)))?)
    }

    /// The DPS of invoices that are void since.
    fn void(&self) -> impl Iterator<Item = ToCancel> {
        let void = self.kept.iter().filter(|kept| kept.is_void);
        void.map(|kept| {
            let dealership = self.dealerships.get(&kept.dealership_id);
            let about = About {
                invoice: kept.invoice,
                revision: kept.revision,
                dealership_id: kept.dealership_id.clone(),
                name: dealership.map(|one| one.name.clone()).unwrap_or_default(),
            };
            ToCancel { about, number: kept.number, void: true }
        })
    }
}

fn about(invoice: &Invoice) -> About {
    About {
        invoice: invoice.number,
        revision: invoice.revision,
        dealership_id: invoice.dealership_id.clone(),
        name: invoice.dealership.name.clone(),
    }
}

fn file(about: About, taxed: Taxed, number: DpsNumber, bytes: Vec<u8>) -> DpsFile {
    DpsFile {
        file: format!("dps-{}.xml", label(about.invoice, about.revision)),
        about,
        number,
        service: taxed.service,
        discount: taxed.discount,
        new: false,
        again: false,
        bytes,
    }
}

/// A DPS that was made before: as it was, unless it is asked for again and `today` is another one.
fn made_before(
    made: &mut NfseMonth,
    (about, taxed): (About, Taxed),
    kept: &KeptDps,
    (today, again): (Option<Vec<u8>>, bool),
) -> DpsFile {
    let as_it_was = file(about, taxed, kept.number, kept.file.clone());
    match today {
        None => as_it_was,
        Some(bytes) if again => DpsFile { again: true, bytes, ..as_it_was },
        Some(_) => {
            made.differing.push(as_it_was.clone());
            as_it_was
        }
    }
}

/// Keeps what is new, and says so in the audit log.
async fn keep(
    transaction: &mut Transaction,
    known: &Known<'_>,
    wanted: Wanted<'_>,
    made: &NfseMonth,
) -> Result<(), NfseError> {
    let (environment, now) = (known.profile.environment, known.now);
    let deed = audit::Deed {
        at: now,
        actor: wanted.by,
        action: audit::Action::Nfse,
        month: Some(wanted.month),
        dealership_id: None,
        detail: "",
    };
    for file in made.files.iter().filter(|file| file.new || file.again) {
        let About { invoice, revision, dealership_id, .. } = &file.about;
        let DpsNumber { series, number } = file.number;
        let new = |made_at| NewDps {
            number: file.number,
            invoice: *invoice,
            revision: *revision,
            made_at,
            file: &file.bytes,
        };
        if file.new {
            insert_dps(transaction, environment, new(now)).await?;
            continue;
        }
        // It was made when it was made: the authority refuses no DPS for being older than a correction.
        let made_at = known.kept.iter().find(|kept| kept.number == file.number);
        let made_at = made_at.map_or(now, |kept| kept.made_at);
        replace_dps(transaction, environment, new(made_at)).await?;
        let of = label(*invoice, *revision);
        let detail = format!("DPS {number} of series {series} ({environment}) made anew for {of}");
        let whose = Some(dealership_id.as_str());
        audit::Deed { dealership_id: whose, detail: &detail, ..deed }.write(transaction).await?;
    }
    let mut given = made.files.iter().filter(|file| file.new).map(|file| file.number);
    if let Some(first) = given.next() {
        let (series, last) = (first.series, given.next_back().unwrap_or(first).number);
        let first = first.number;
        let detail = format!("DPS {first} to {last} of series {series} ({environment})");
        audit::Deed { detail: &detail, ..deed }.write(transaction).await?;
    }
    Ok(())
}
