//! What would be issued of a month, for whoever reads it and then lets it go out: of a held month, and of one that somebody
//! looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::forms::Refused;
use super::{
    Asked, Bridge, Exceptions, First, Head, MoverShown, ROWS, Residual, Sum, eyes, standing_beside,
};
use crate::actions::task::{Eyes, latest_look};
use crate::console::{Console, Oops, Signed};
use crate::ledger::listing::Listed;
use crate::letters::report::{id_pt, reason_pt};
use fecha_core::bill::digest::{Digest, DigestRow};
use fecha_core::bill::exception::Excepted;
use fecha_core::bill::hold::Held;
use fecha_core::bill::plan::PlanHash;
use fecha_core::party::person::Role;
use fecha_core::price::money::Money;

/// A plan, and what this person may do with it.
#[derive(Debug, Serialize)]
pub(super) struct Plan {
    /// Of a held month; the others were looked at.
    held: bool,
    reasons: Vec<String>,
    made_at: String,
    hash: String,
    /// How many dealerships' month has not ended.
    open: u64,
    /// How many would be issued, and what they come to.
    invoices: usize,
    total: Money,
    /// How many stand already, and stay as they are.
    standing: usize,
    standing_total: Money,
    /// Of the whole month, what stands included.
    bridge: Bridge,
    messages: u64,
    exceptions: Exceptions,
    silent: First<Silent>,
    entered: First<MoverShown>,
    left: First<MoverShown>,
    residual: Residual,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
    changed: Option<Changed>,
    release: Release,
    reason: String,
    pub(super) error: String,
}

/// An invoice that would be issued.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    name: String,
    package: u64,
    uam: u64,
    hsm: u64,
    total: Money,
    before: Option<Money>,
    due_on: String,
}

/// A dealership that has no use and had it.
#[derive(Debug, Serialize)]
struct Silent {
    id: String,
    name: String,
    uam_before: u64,
    hsm_before: u64,
    total: Money,
    before: Money,
}

/// Who may release, and who may not.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Release {
    /// This person.
    Yes,
    /// Not by the role.
    NotByRole,
    /// This person asked for the plan.
    Asked {
        /// When.
        at: String,
    },
    /// It is being released.
    Running,
}

/// What is another one than in the plan before.
#[derive(Debug, Serialize)]
struct Changed {
    made_at: String,
    before: Money,
    now: Money,
    /// Messages that were counted.
    messages: [u64; 2],
    rows: First<ChangedRow>,
    came: Vec<String>,
    went: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ChangedRow {
    id: String,
    name: String,
    before: Option<Money>,
    now: Option<Money>,
}

impl Release {
    /// Whether this person may release the plan; the first who could and opens it asks for it.
    pub(super) async fn of(
        console: &Console,
        signed: &Signed,
        head: &Head,
        plan: &PlanHash,
    ) -> Result<Self, Oops> {
        if head.tasks.iter().any(|task| task.what == "Liberação") {
            return Ok(Self::Running);
        }
        if !signed.may(Role::Finance) {
            return Ok(Self::NotByRole);
        }
        if eyes(console) == Eyes::Two {
            return Ok(Self::Yes);
        }
        let (ledger, now) = (&console.office.ledger, console.office.clock.now());
        let review =
            ledger.ask_for_plan(head.month, plan, &signed.person, &signed.name, now).await?;
        Ok(if review.person == signed.person {
            Self::Asked { at: review.asked_at.to_rfc3339() }
        } else {
            Self::Yes
        })
    }
}

/// What a plan is held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'a> {
    /// What was read before.
    pub(super) last: Option<&'a Held>,
    /// The invoices of the month before.
    pub(super) before: &'a [Listed],
    /// Those of the month that stand.
    pub(super) stands: &'a [Listed],
}

impl Plan {
    /// What somebody looked at last of a month that is not held; `None` where nobody did, or all of it was issued.
    pub(super) async fn looked_at(
        console: &Console,
        signed: &Signed,
        head: &Head,
        asked: &Asked,
        refused: Option<Refused>,
    ) -> Result<Option<Self>, Oops> {
        let month = head.month;
        let Some(mut look) = latest_look(&console.office.ledger, month).await? else {
            return Ok(None);
        };
        let release = Release::of(console, signed, head, &look.plan.plan).await?;
        let (stands, before) = standing_beside(console, month).await?;
        look.plan.digest.invoices = look.left().cloned().collect();
        let beside = Beside { last: look.before.as_ref(), before: &before, stands: &stands };
        let asked = Asked {
            after: asked.plan_after.clone(),
            exceptions: asked.plan_exceptions,
            ..Asked::default()
        };
        let plan = Self::of(head, &look.plan, beside, &asked, release, refused);
        Ok(Some(Self { held: false, ..plan }))
    }

    /// Of a held month.
    pub(super) fn of(
        head: &Head,
        waiting: &Held,
        beside: Beside<'_>,
        asked: &Asked,
        release: Release,
        refused: Option<Refused>,
    ) -> Self {
        let Beside { last, before, stands } = beside;
        let digest = &waiting.digest;
        let past: BTreeMap<&str, &Listed> =
            before.iter().map(|one| (one.dealership_id.as_str(), one)).collect();
        let issued: BTreeSet<&str> = stands.iter().map(|one| one.dealership_id.as_str()).collect();
        let amounts = digest.invoices.iter().map(|row| row.amounts);
        let now = Sum::of(amounts.chain(stands.iter().map(|one| one.figures.amounts)));
        let sum_before = Sum::of(before.iter().map(|one| one.figures.amounts));
        let after = asked.after.as_deref().unwrap_or_default();
        let mut rows = digest
            .invoices
            .iter()
            .filter(|row| row.dealership_id.as_str() > after || after.is_empty());
        let shown: Vec<Row> = rows.by_ref().take(ROWS).map(row).collect();
        let next = rows.next().and_then(|_| shown.last().map(|row| row.id.clone()));
        let whole = digest.whole.clone().unwrap_or_default();
        let (reason, error) = refused.map_or_else(Default::default, |one| (one.reason, one.error));
        Self {
            held: true,
            reasons: waiting.reasons.clone(),
            made_at: digest.made_at.to_rfc3339(),
            hash: waiting.plan.to_string(),
            open: waiting.open,
            invoices: digest.invoices.len(),
            total: digest.total(),
            standing: stands.len(),
            standing_total: stands.iter().map(|one| one.figures.total).sum(),
            bridge: Bridge::between(head.month, sum_before, now),
            messages: digest.messages.total(),
            exceptions: Exceptions::from(&digest.exceptions, asked.exceptions.unwrap_or_default()),
            silent: First::of(silent(digest, &past)),
            entered: First::of(whole.entered.iter().map(Into::into).collect()),
            left: First::of(whole.left.iter().map(Into::into).collect()),
            residual: Residual::of(&digest.messages, digest.proved()),
            rows: shown,
            next,
            first: after.is_empty(),
            changed: last
                .filter(|last| last.plan != waiting.plan)
                .map(|last| changed(&last.digest, digest, &issued)),
            release,
            reason,
            error,
        }
    }
}

fn row(row: &DigestRow) -> Row {
    Row {
        id: row.dealership_id.clone(),
        name: row.dealership_name.clone(),
        package: row.package,
        uam: row.uam,
        hsm: row.hsm,
        total: row.total,
        before: row.month_before,
        due_on: row.due_on.to_string(),
    }
}

/// Who has nothing and had it, the most money first.
fn silent(digest: &Digest, past: &BTreeMap<&str, &Listed>) -> Vec<Silent> {
    let one = |row: &DigestRow| {
        let before = past.get(row.dealership_id.as_str())?;
        let had = before.figures.uam + before.figures.hsm > 0;
        (had && row.uam + row.hsm == 0).then(|| Silent {
            id: row.dealership_id.clone(),
            name: row.dealership_name.clone(),
            uam_before: before.figures.uam,
            hsm_before: before.figures.hsm,
            total: row.total,
            before: before.figures.total,
        })
    };
    let mut silent: Vec<Silent> = digest.invoices.iter().filter_map(one).collect();
    silent.sort_by_key(|one| std::cmp::Reverse(one.before));
    silent
}

/// What changed between two plans. What was issued meanwhile, by a release that broke off, is no change.
fn changed(before: &Digest, now: &Digest, issued: &BTreeSet<&str>) -> Changed {
    let totals = |digest: &Digest| -> BTreeMap<String, (String, Money, (u64, u64))> {
        let one = |row: &DigestRow| {
            let what = (row.dealership_name.clone(), row.total, (row.uam, row.hsm));
            (row.dealership_id.clone(), what)
        };
        let is_open = |row: &&DigestRow| !issued.contains(row.dealership_id.as_str());
        digest.invoices.iter().filter(is_open).map(one).collect()
    };
    let (then, today) = (totals(before), totals(now));
    let ids = then.keys().chain(today.keys().filter(|id| !then.contains_key(*id)));
    let mut rows: Vec<ChangedRow> = ids
        .filter(|id| then.get(*id) != today.get(*id))
        .map(|id| {
            let (old, new) = (then.get(id), today.get(id));
            let name = new.or(old).map(|(name, _, _)| name.clone()).unwrap_or_default();
            let total = |one: Option<&(String, Money, _)>| one.map(|(_, total, _)| *total);
            ChangedRow { id: id.clone(), name, before: total(old), now: total(new) }
        })
        .collect();
    let size = |row: &ChangedRow| {
        let change = row.now.unwrap_or_default() - row.before.unwrap_or_default();
        std::cmp::Reverse(change.centavos().abs())
    };
    rows.sort_by_key(size);
    Changed {
        made_at: before.made_at.to_rfc3339(),
        before: then.values().map(|(_, total, _)| *total).sum(),
        now: today.values().map(|(_, total, _)| *total).sum(),
        messages: [before.messages.total(), now.messages.total()],
        rows: First::of(rows),
        came: only(&now.exceptions, &before.exceptions),
        went: only(&before.exceptions, &now.exceptions),
    }
}

/// Exceptions that only the first list has.
fn only(of: &[Excepted], others: &[Excepted]) -> Vec<String> {
    let is_new = |one: &&Excepted| !others.iter().any(|other| other.exception == one.exception);
    let words = |one: &Excepted| {
        let id = id_pt(one.exception.dealership_id.as_deref());
        format!("{id}: {}", reason_pt(one.exception.reason).to_lowercase())
    };
    of.iter().filter(is_new).take(ROWS).map(words).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::console::page::tests::renders;
    use crate::console::pages::month::tests::head;

    fn digest(uam: u64, total: &str) -> Digest {
        let row = serde_json::json!({
            "dealership_id": "d1/ü", "dealership_name": "L".repeat(300), "cnpj": "11.222.333/0001-81",
            "package": 5000, "uam": uam, "overage": 0, "hsm": 0, "package_amount": total, "overage_amount": "0.00",
            "hsm_amount": "0.00", "adjustments_amount": "0.00", "total": total, "due_on": "2026-11-10",
        });
        let exception = serde_json::json!({
            "dealership_id": "loja-7781", "reason": "unknown_dealership", "messages": 137, "stake": {"at_least": "1014.00"},
        });
        let digest = serde_json::json!({
            "month": "2026-10", "sequence": 0, "made_at": "2026-11-01T03:05:00Z", "issuer": "Exemplo",
            "invoices": [row], "exceptions": if uam > 0 { vec![exception] } else { Vec::new() },
            "messages": fecha_core::count::tally::Buckets { counted: 179_092, ..Default::default() },
            "zones": [], "not_contacts": [],
        });
        serde_json::from_value(digest).unwrap()
    }

    /// A month that is held, or was looked at.
    pub fn held(uam: u64, total: &str, plan: char) -> Held {
        Held {
            reasons: vec!["Todo fechamento espera por uma pessoa.".to_owned()],
            open: 2,
            digest: digest(uam, total),
            plan: plan.to_string().repeat(64).parse().unwrap(),
            page: None,
        }
    }

    /// The same where nothing holds it.
    pub fn looked(head: &Head, now: &Held, last: Option<&Held>) -> Plan {
        let beside = Beside { last, before: &[], stands: &[] };
        let plan = Plan::of(head, now, beside, &Asked::default(), Release::Yes, None);
        Plan { held: false, ..plan }
    }

    #[test]
    fn it_shows_the_plan_and_what_changed() {
        let (now, before) = (held(3, "1014.00", 'a'), held(0, "1020.00", 'b'));
        let asked = Asked::default();
        let show = |last, release, refused| {
            let head = head("held");
            let beside = Beside { last, before: &[], stands: &[] };
            let plan = Plan::of(&head, &now, beside, &asked, release, refused);
            renders("month_held.html", &serde_json::json!({ "head": head, "plan": plan }))
        };
        let page = show(None, Release::Yes, None);
        assert!(page.contains("Liberar e emitir 1 fatura · R$\u{a0}1.014,00"), "{page}");
        assert!(page.contains("/months/2026-10/pro-forma/d1%2F%C3%BC"), "{page}");
        assert!(page.contains(&"a".repeat(64)) && !page.contains("O que mudou"));
        let refused = Refused { reason: "<x>".to_owned(), error: "Escreva por quê".to_owned() };
        let page = show(Some(&before), Release::Yes, Some(refused));
        assert!(page.contains("O que mudou") && page.contains("&lt;x&gt;"), "{page}");
        assert!(page.contains("Exceções novas: loja-7781: fora do cadastro"), "{page}");
        let at = "2026-11-01T03:05:00Z".to_owned();
        let page = show(None, Release::Asked { at }, None);
        assert!(page.contains("Quem pede não libera"), "{page}");
        assert!(show(None, Release::NotByRole, None).contains("Liberar é do financeiro"));
        show(None, Release::Running, None);
    }

    #[test]
    fn what_was_issued_meanwhile_is_no_change() {
        let (now, before) = (digest(3, "1014.00"), digest(0, "1020.00"));
        let open = changed(&before, &now, &BTreeSet::new());
        assert_eq!((open.rows.rows.len(), open.before.to_string()), (1, "1020.00".to_owned()));
        let issued = changed(&before, &now, &BTreeSet::from(["d1/ü"]));
        assert_eq!(
            (issued.rows.rows.len(), issued.before, issued.now),
            (0, Money::ZERO, Money::ZERO)
        );
    }
}
