//! Makes what a group gets for a month: where the last of its dealerships is issued or excepted, a page that adds up their
//! invoices, with one Pix; another one in its place where other invoices stand later.

use std::collections::BTreeSet;

use crate::actions::patience::Patience;
use crate::document::RenderError;
use crate::ledger::account::lock_account;
use crate::ledger::audit::{Action, Deed};
use crate::ledger::group_bills::{
    GroupedMonth, LatestBill, grouped_month, hold_group_bills, insert_group_bill, next_group_txid,
    withdraw_group_bill,
};
use crate::ledger::outbox::queue;
use crate::ledger::{LedgerError, Transaction};
use crate::letters::address::recipients;
use crate::letters::compose::group_parts;
use crate::letters::template::TemplateError;
use crate::post::group::with_invoices;
use crate::setup::office::Office;
use fecha_core::bill::group_bill::{FEWEST, GroupBill, GroupRow, Invoices};
use fecha_core::calendar::month::Month;
use fecha_core::party::group::GroupName;
use fecha_core::party::pix::{Receiver, br_code};
use fecha_core::party::register::{Dealership, EmailAddress};
use fecha_core::price::money::Money;

/// What a group gets could not be made. The invoices stand; the next close makes it.
#[derive(Debug, thiserror::Error)]
pub enum GroupBillError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The page could not be drawn.
    #[error(
        "the page of the group '{group}' could not be drawn: {cause}. Its invoices are issued; run the close again"
    )]
    Render {
        /// Whose.
        group: GroupName,
        /// Why not.
        cause: RenderError,
    },
    /// The email could not be worded.
    #[error(
        "the email to the group '{group}' could not be written: {cause}. Its invoices are issued; run the close again"
    )]
    Template {
        /// Whose.
        group: GroupName,
        /// Why not.
        cause: TemplateError,
    },
}

/// How often the accounts of a group are locked anew where another dealership's invoice came in between.
const TRIES: usize = 5;

/// Which bills are made.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// Of every group, once none of its dealerships is still to be issued: what a close makes.
    All {
        /// Dealerships that a close could not issue: nobody waits for them.
        excepted: &'a BTreeSet<String>,
    },
    /// Only in place of one that a group has: a group that is made up later gets nothing of a month that is over, but by a
    /// close that somebody asks for.
    Replacements,
}

/// Makes the bills of a month that are due: of each group of which two or more invoices stand, and again, in place of the
/// one before, where others stand than in that. A group of which fewer stand gets none; what was not sent yet of the one
/// before is withdrawn.
///
/// Safe to run at any time, by any number of
/// processes: what is made for the same invoices is made once.
///
/// # Errors
/// [`GroupBillError`]; what was made before stays, the rest is made when it is run again.
pub async fn bill_groups(
    office: &Office,
    month: Month,
    wanted: Wanted<'_>,
    by: &str,
) -> Result<Vec<GroupBill>, GroupBillError> {
    if !office.ledger.knows_groups(month).await? {
        return Ok(Vec::new());
    }
    let GroupedMonth { standing, latest } = office.ledger.grouped_month(month).await?;
    let names: BTreeSet<&GroupName> = standing.keys().chain(latest.keys()).collect();
    let differs = |name: &&GroupName| {
        let rows = standing.get(*name).map(Vec::as_slice).unwrap_or_default();
        match latest.get(*name) {
            Some(latest) => latest.invoices != invoices(rows),
            None => matches!(wanted, Wanted::All { .. }) && rows.len() >= FEWEST,
        }
    };
    let due: Vec<&GroupName> = names.into_iter().filter(differs).collect();
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let register = office.ledger.dealerships().await?;
    let awaited = match wanted {
        Wanted::All { excepted } => awaited(office, month, &register, excepted).await?,
        Wanted::Replacements => BTreeSet::new(),
    };
    let mut made = Vec::new();
    for group in due {
        // Who has one already hears of each change of it, whoever else is still to come.
        if !latest.contains_key(group) && awaited.contains(group) {
            continue;
        }
        let mut patience = Patience::new();
        let bill = loop {
            match bill_group(office, month, group, &register, by).await {
                Err(GroupBillError::Ledger(error)) if patience.lasts(&error).await => {}
                bill => break bill?,
            }
        };
        made.extend(bill);
    }
    Ok(made)
}

/// Dealerships of a month that the latest close could not issue: nobody waits for them.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read.
pub async fn excepted(office: &Office, month: Month) -> Result<BTreeSet<String>, LedgerError> {
    let closing = office.ledger.closing(month).await?;
    let exceptions = closing.map(|closing| closing.exceptions).unwrap_or_default();
    Ok(exceptions.into_iter().filter_map(|exception| exception.dealership_id).collect())
}

/// The groups that have a dealership with a package whose invoice is still to come.
async fn awaited(
    office: &Office,
    month: Month,
    register: &[Dealership],
    excepted: &BTreeSet<String>,
) -> Result<BTreeSet<GroupName>, LedgerError> {
    let packages = office.ledger.packages_in(month).await?;
    // Whose invoice was cancelled is only closed again by who names it.
    let cancelled = office.ledger.cancelled(month).await?;
    let ids: BTreeSet<&str> = register.iter().map(|dealership| dealership.id.as_str()).collect();
    let issued = office.ledger.invoiced_among(month, &ids).await?;
    let is_awaited = |dealership: &&Dealership| {
        let id = &dealership.id;
        packages.contains_key(id)
            && !issued.contains_key(id)
            && !cancelled.contains(id)
            && !excepted.contains(id)
    };
    Ok(register.iter().filter(is_awaited).filter_map(|one| one.group.clone()).collect())
}

fn invoices(rows: &[GroupRow]) -> Invoices {
    rows.iter().map(|row| (row.number, row.revision)).collect()
}

/// Makes the bill of one group, in one transaction with its emails; `None` where it is there already, or too few stand.
async fn bill_group(
    office: &Office,
    month: Month,
    group: &GroupName,
    register: &[Dealership],
    by: &str,
) -> Result<Option<GroupBill>, GroupBillError> {
    let (mut transaction, rows, before) = held(office, month, group).await?;
    if before.as_ref().is_some_and(|before| before.invoices == invoices(&rows)) {
        return Ok(None);
    }
    let failed = LedgerError::while_doing("write a group bill");
    if let Some(before) = &before {
        withdraw_group_bill(&mut transaction, before.txid).await?;
    }
    if rows.len() < FEWEST {
        transaction.commit().await.map_err(failed)?;
        return Ok(None);
    }
    let txid = next_group_txid(&mut transaction, month).await?;
    let now = office.clock.now();
    let issuer = office.config.issuer.clone();
    let to_pay: Money = rows.iter().map(|row| row.to_pay).sum();
    let pix = office.config.pix.as_ref().and_then(|key| {
        let receiver = Receiver { key, name: &issuer.name, city: &issuer.city };
        br_code(receiver, to_pay, &txid.to_string())
    });
    let bill = GroupBill {
        txid,
        group: group.clone(),
        replaces: before.map(|before| before.txid),
        made_at: now,
        made_on: now.with_timezone(&issuer.timezone).date_naive(),
        issuer,
        rows,
        pix,
    };
    let drawn = office.renderer.group_bill(&bill);
    let page = drawn.map_err(|cause| GroupBillError::Render { group: group.clone(), cause })?;
    insert_group_bill(&mut transaction, &bill, &page).await?;
    let files = with_invoices(&office.ledger, &bill, page).await?;
    let to = addresses(&bill, register);
    let letters = office.addresser.group(&bill, &group_parts(&files), &to, now);
    let letters =
        letters.map_err(|cause| GroupBillError::Template { group: group.clone(), cause })?;
    for letter in &letters {
        queue(&mut transaction, letter, now).await?;
    }
    let detail = in_words(&bill);
    let action = Action::Issue;
    Deed { at: now, actor: by, action, month: Some(month), dealership_id: None, detail: &detail }
        .write(&mut transaction)
        .await?;
    transaction.commit().await.map_err(failed)?;
    tracing::info!(%txid, "made the bill of a group");
    Ok(Some(bill))
}

/// `G2026100002 2206.27 of 2 invoices, in place of G2026100001: Grupo Sul`.
fn in_words(bill: &GroupBill) -> String {
    let replaces = bill.replaces.map(|before| format!(", in place of {before}"));
    let replaces = replaces.unwrap_or_default();
    let (txid, to_pay, count, group) = (bill.txid, bill.to_pay(), bill.rows.len(), &bill.group);
    format!("{txid} {to_pay} of {count} invoices{replaces}: {group}")
}

/// A transaction that holds the accounts of a group and the counter, with what stands then.
async fn held(
    office: &Office,
    month: Month,
    group: &GroupName,
) -> Result<(Transaction, Vec<GroupRow>, Option<LatestBill>), LedgerError> {
    let ids = |rows: &[GroupRow]| -> BTreeSet<String> {
        rows.iter().map(|row| row.dealership_id.clone()).collect()
    };
    let mut seen = office.ledger.grouped_month(month).await?;
    for _ in 0..TRIES {
        let locked = ids(&seen.standing.remove(group).unwrap_or_default());
        let mut transaction = office.ledger.begin().await?;
        // By id: who locks in this order never waits for who waits for it.
        for id in &locked {
            lock_account(&mut transaction, id).await?;
        }
        hold_group_bills(&mut transaction).await?;
        seen = grouped_month(&mut transaction, month).await?;
        let rows = seen.standing.get(group).cloned().unwrap_or_default();
        if ids(&rows).is_subset(&locked) {
            return Ok((transaction, rows, seen.latest.remove(group)));
        }
    }
    let cause = format!("the invoices of the group '{group}' change while they are added up");
    Err(LedgerError::Busy { action: "write a group bill", cause })
}

/// Whoever gets the letters of a dealership that the bill is about, each address once.
#[must_use]
pub fn addresses(bill: &GroupBill, register: &[Dealership]) -> Vec<EmailAddress> {
    let ids: BTreeSet<&str> = bill.rows.iter().map(|row| row.dealership_id.as_str()).collect();
    let mut to: Vec<EmailAddress> = Vec::new();
    for dealership in register.iter().filter(|dealership| ids.contains(dealership.id.as_str())) {
        for address in recipients(dealership) {
            if !to.contains(&address) {
                to.push(address);
            }
        }
    }
    to
}
