//! What must hold after every step, seen from outside: in the ledger's rows, in what fecha says, in the mail
//! server's book and in the accounts as the run knows them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Runtime;

use super::model::{Fact, Model, centavos};
use super::post::{Answer, Taken};
use super::snapshot::{self, Document, Key, Snapshot};
use super::tale::Fault;
use super::world::{FIRST_MONTH, IDS, World};

/// What was seen at earlier looks, and holds for ever.
pub struct Memory {
    runtime: Runtime,
    documents: BTreeMap<Key, Document>,
    known: BTreeSet<Key>,
    numbers: BTreeMap<String, String>,
    /// Who belongs to a number.
    owners: BTreeMap<String, (String, String)>,
    taken: BTreeMap<String, Vec<Taken>>,
    sent: BTreeSet<String>,
}

/// What was taken is recorded in less.
const A_MOMENT: Duration = Duration::from_secs(8);

impl Memory {
    pub fn new() -> Self {
        sqlx::any::install_default_drivers();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self {
            runtime: runtime.expect("a runtime"),
            documents: BTreeMap::new(),
            known: BTreeSet::new(),
            numbers: BTreeMap::new(),
            owners: BTreeMap::new(),
            taken: BTreeMap::new(),
            sent: BTreeSet::new(),
        }
    }

    /// Reads the ledger, which may take a moment to be back.
    pub fn read(&self, world: &mut World) -> Snapshot {
        let started = Instant::now();
        loop {
            match self.runtime.block_on(snapshot::read(&world.url, &self.known)) {
                Ok(snapshot) => return snapshot,
                Err(error) if started.elapsed() > Duration::from_mins(2) => {
                    world.tale.broken(&[format!("the ledger cannot be read: {error}")]);
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// Everything that holds at any instant.
    pub fn check(&mut self, world: &mut World, model: &mut Model) -> Snapshot {
        world.settle_server();
        let mut now = self.read(world);
        let mut wrong = Vec::new();
        for (key, document) in std::mem::take(&mut now.documents) {
            wrong.extend(fresh(&key, &document, &now, world));
            self.known.insert(key.clone());
            self.documents.insert(key, document);
        }
        self.numbers(&now, &mut wrong);
        self.revisions(&now, &mut wrong);
        self.files(world, &mut wrong);
        self.emails(world, &now, &mut wrong);
        wrong.extend(model.settle(&now.rows));
        allocations(&now, &mut wrong);
        world.tale.checks += 1;
        let standing = now.invoices.values().filter(|invoice| !invoice.is_void).count();
        let over = now.emails.iter().filter(|email| email.state != "pending").count();
        let closed = now.closings.values().filter(|(state, _)| state == "closed").count();
        let passed = super::orders::ended_months(world.now().date_naive()).len();
        world.tale.reached =
            [closed, passed, standing, now.revisions.len(), over, now.rows.payments.len()];
        if !wrong.is_empty() {
            world.tale.broken(&wrong);
        }
        now
    }

    /// One standing invoice a dealership and month; numbers ascend without a gap; a number stays whose it is.
    fn numbers(&mut self, now: &Snapshot, wrong: &mut Vec<String>) {
        let mut standing = BTreeMap::new();
        let mut years: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (number, invoice) in &now.invoices {
            let whose = (invoice.whose.clone(), invoice.month.clone());
            if !invoice.is_void
                && let Some(other) = standing.insert(whose.clone(), number)
            {
                wrong.push(format!("{whose:?} has two invoices: {other} and {number}"));
            }
            years.entry(&number[..4]).or_default().push(number);
            let owner = self.owners.entry(number.clone()).or_insert_with(|| whose.clone());
            if *owner != whose {
                wrong.push(format!("{number} was of {owner:?} and is of {whose:?}"));
            }
            if *invoice.month < *FIRST_MONTH {
                wrong.push(format!("{number} is of {}", invoice.month));
            }
        }
        wrong.extend(
            self.owners
                .keys()
                .filter(|number| !now.invoices.contains_key(*number))
                .map(|number| format!("{number} is gone")),
        );
        for (year, numbers) in years {
            let expected: Vec<String> =
                (1..=numbers.len()).map(|index| format!("{year}-{index:06}")).collect();
            if numbers != expected {
                wrong.push(format!("the numbers of {year} have a gap: {numbers:?}"));
            }
            let next = year.parse().ok().and_then(|year: i64| now.counters.get(&year)).copied();
            if next != i64::try_from(numbers.len()).ok().map(|count| count + 1) {
                wrong.push(format!("after {} numbers of {year} comes {next:?}", numbers.len()));
            }
            let last = numbers.last().copied().unwrap_or_default();
            let before = self.numbers.insert(year.to_owned(), last.to_owned());
            if before.is_some_and(|before| *before > *last) {
                wrong.push(format!("the last number of {year} was above {last}"));
            }
        }
    }

    /// What was issued stays as it was issued, and the chain of a number has one end.
    fn revisions(&self, now: &Snapshot, wrong: &mut Vec<String>) {
        for (key, document) in &self.documents {
            match now.revisions.get(key) {
                None => wrong.push(format!("{key:?} was issued and is gone")),
                Some(revision)
                    if revision.sha256 != document.sha256 || revision.total != document.total =>
                {
                    wrong.push(format!("{key:?} was issued as {document:?} and is {revision:?}"));
                }
                Some(_) => {}
            }
        }
        for (number, invoice) in &now.invoices {
            let chain: Vec<_> =
                now.revisions.range((number.clone(), 0)..=(number.clone(), i64::MAX)).collect();
            let counted = (0..).zip(&chain).all(|(index, ((_, revision), _))| *revision == index);
            let stand = chain.iter().filter(|(_, revision)| revision.stands).count();
            let last_stands = chain.last().is_some_and(|(_, revision)| revision.stands);
            let right = if invoice.is_void { stand == 0 } else { stand == 1 && last_stands };
            if chain.is_empty() || !counted || !right {
                wrong.push(format!("the revisions of {number} are no chain: {chain:?}"));
            }
        }
    }

    /// A few files, drawn by lot, are byte for byte what they were; of one, what fecha gives out is what it
    /// says that it issued.
    fn files(&self, world: &mut World, wrong: &mut Vec<String>) {
        let keys: Vec<&Key> = self.documents.keys().collect();
        if keys.is_empty() {
            return;
        }
        let drawn: Vec<&Key> = (0..3).map(|_| *world.pick(&keys)).collect();
        for key in drawn {
            let found = self.runtime.block_on(read_files(&world.url, key));
            if found.as_ref().is_ok_and(|found| *found != self.documents[key].files) {
                wrong.push(format!(
                    "the files of {key:?} changed: {found:?}, {:?}",
                    self.documents[key]
                ));
            }
        }
        let key = (*world.pick(&keys)).clone();
        wrong.extend(self.given_out(world, &key));
    }

    /// The documents that `fecha invoice` writes have the SHA-256 that was issued.
    pub fn given_out(&self, world: &mut World, (number, revision): &Key) -> Option<String> {
        let revision = revision.to_string();
        let words =
            ["invoice", number, "--revision", &revision, "--pdf", "i.pdf", "--statement", "s.pdf"];
        let ended = world.run(&words);
        let document = &self.documents[&(number.clone(), revision.parse().ok()?)];
        let found = ["i.pdf", "s.pdf"].map(|name| {
            let bytes = std::fs::read(world.reseller.path(name)).unwrap_or_default();
            let _ = std::fs::remove_file(world.reseller.path(name));
            snapshot::sha256(&bytes)
        });
        (ended.status != Some(0) || found[..] != document.sha256[..2])
            .then(|| format!("{words:?} gives {found:?}, issued was {document:?}: {}", ended.err))
    }

    /// Each revision has its emails; what is sent was taken; what was taken is sent; nothing is taken twice
    /// without a cause.
    fn emails(&mut self, world: &mut World, now: &Snapshot, wrong: &mut Vec<String>) {
        let causes: BTreeSet<&str> = now
            .emails
            .iter()
            .filter(|email| email.kind == "invoice")
            .map(|email| &*email.cause)
            .collect();
        for (number, revision) in now.revisions.keys() {
            let label =
                if *revision == 0 { number.clone() } else { format!("{number}-R{revision}") };
            if !causes.contains(&*label) {
                wrong.push(format!("{label} has no email"));
            }
        }
        let new = world.post.book(|book| std::mem::take(&mut book.taken));
        for taken in new {
            let before = self.taken.entry(taken.message_id.clone()).or_default();
            before.push(taken);
            if let [.., before, again] = before.as_slice() {
                wrong.extend(twice(world, before, again));
            }
        }
        for email in &now.emails {
            let taken = self.taken.get(&email.message_id).map_or(&[][..], Vec::as_slice);
            wrong.extend(mailed(world, email, taken));
            if email.state == "sent" {
                self.sent.insert(email.message_id.clone());
            } else if self.sent.contains(&email.message_id) {
                wrong.push(format!("{email:?} was sent once"));
            }
        }
    }

    /// The equalities of the accounts: from lines of documents, payments that were acknowledged, and what
    /// fecha says is open and waits. Nothing else may run.
    pub fn accounts(&mut self, world: &mut World, model: &mut Model) {
        let now = self.check(world, model);
        let open = world.run(&["receivables", "--json"]).json();
        let notes = world.run(&["adjust", "--json"]).json();
        let mut wrong = Vec::new();
        for id in IDS {
            let stands = |key: &&Key| {
                now.revisions.get(*key).is_some_and(|revision| revision.stands)
                    && now.invoices[&key.0].whose == id
            };
            let standing: Vec<&Document> =
                self.documents.keys().filter(stands).map(|key| &self.documents[key]).collect();
            wrong.extend(money(id, &standing, model, &open));
            wrong.extend(credits(id, &standing, model, &notes));
        }
        if !wrong.is_empty() {
            world.tale.broken(&wrong);
        }
    }

    pub fn keys(&self) -> Vec<Key> {
        self.documents.keys().cloned().collect()
    }

    pub fn document(&self, key: &Key) -> &Document {
        &self.documents[key]
    }
}

/// After all is healed: every email is over, and for a reason.
pub fn nothing_is_lost(world: &mut World, now: &Snapshot) {
    let mut wrong = Vec::new();
    for email in &now.emails {
        let right = match &*email.state {
            "sent" | "withdrawn" => true,
            "failed" => email.last_error.is_some(),
            _ => false,
        };
        if !right {
            wrong.push(format!("{email:?} is not over"));
        }
    }
    closings(world, now, &mut wrong);
    if !wrong.is_empty() {
        world.tale.broken(&wrong);
    }
}

async fn read_files(url: &str, (number, revision): &Key) -> Result<[String; 2], sqlx::Error> {
    use sqlx::Connection as _;
    let mut ledger = sqlx::AnyConnection::connect(url).await?;
    let invoice = snapshot::file(&mut ledger, number, *revision, "invoice").await?;
    let statement = snapshot::file(&mut ledger, number, *revision, "statement").await?;
    ledger.close().await?;
    Ok([invoice, statement])
}

/// A document that was not there before.
fn fresh(key: &Key, document: &Document, now: &Snapshot, world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    if document.files.iter().any(|file| file == "none") || !document.buckets_add_up {
        wrong.push(format!("{key:?} is not whole: {document:?}"));
    }
    if document.total < 0 || document.total != now.revisions[key].total {
        wrong.push(format!("{key:?} comes to {document:?}, lists say {:?}", now.revisions[key]));
    }
    // Messages are only ever added.
    let invoice = &now.invoices[&key.0];
    let (uam, hsm) = super::traffic::used(world, &invoice.whose, &invoice.month);
    if document.uam > uam || document.hsm > hsm || document.uam < 0 {
        wrong.push(format!("{key:?} counts {document:?}, there are {uam} and {hsm}"));
    }
    wrong
}

/// Why an email may have been taken twice, or that there is no reason.
fn twice(world: &mut World, before: &Taken, again: &Taken) -> Option<String> {
    let began = before.began.min(again.began);
    let told = || format!("{before:?} was taken again: {again:?}");
    match before.answer {
        _ if world.is_disturbed(before, began) || world.is_disturbed(again, began) => None,
        Answer::Lost => None,
        Answer::Odd => world.tale.fault(Fault::OddAnswerIsLost, &before.message_id, &told()),
        Answer::Plain => Some(told()),
    }
}

/// An email against the book of the mail server.
fn mailed(world: &mut World, email: &snapshot::Email, taken: &[Taken]) -> Option<String> {
    let told = || format!("{email:?}: {taken:?}");
    // A reminder says what is open when it goes out.
    let is_other = taken.windows(2).any(|two| two[0].sha256 != two[1].sha256);
    if is_other && email.kind != "reminder" {
        return Some(format!("other bytes: {}", told()));
    }
    if email.state == "sent" && taken.is_empty() {
        return world.tale.fault(Fault::SentButNotTaken, &email.message_id, &told());
    }
    if taken.len() > 1 && email.maybe_twice == 0 && email.state != "sending" {
        return world.tale.fault(Fault::DoubleIsNotRecorded, &email.message_id, &told());
    }
    let error = email.last_error.as_deref().unwrap_or_default();
    if email.state == "failed" && error.starts_with("MAIL FROM") {
        return world.tale.fault(Fault::SenderFails, &email.message_id, &told());
    }
    // Taken, the answer heard, and time enough to write it down.
    let sure = |taken: &&Taken| {
        taken.answer == Answer::Plain
            && taken.at.elapsed() > A_MOMENT
            && !world.is_disturbed(taken, taken.began)
    };
    (email.state != "sent" && taken.iter().any(|taken| sure(&taken))).then(told)
}

/// Each joins a payment and a standing invoice of one dealership, and none is above either.
fn allocations(now: &Snapshot, wrong: &mut Vec<String>) {
    let payments: BTreeMap<&str, _> = now.rows.payments.iter().map(|row| (&*row.id, row)).collect();
    let mut of_invoice: BTreeMap<&str, i64> = BTreeMap::new();
    let mut of_payment: BTreeMap<&str, i64> = BTreeMap::new();
    for (id, number, amount) in &now.allocations {
        let (payment, invoice) = (payments.get(&**id), now.invoices.get(number));
        let joins = payment.zip(invoice).is_some_and(|(payment, invoice)| {
            payment.whose == invoice.whose && !invoice.is_void && !payment.undone
        });
        if !joins || *amount <= 0 {
            wrong.push(format!("{amount} of {payment:?} settle {number}: {invoice:?}"));
        }
        *of_invoice.entry(number).or_default() += amount;
        *of_payment.entry(id).or_default() += amount;
    }
    for (id, sum) in of_payment {
        let amount = payments.get(id).map_or(0, |payment| payment.amount);
        if sum > amount {
            wrong.push(format!("{sum} of {amount} of the payment {id} settle invoices"));
        }
    }
    for ((number, _), revision) in now.revisions.iter().filter(|(_, revision)| revision.stands) {
        let sum = of_invoice.get(&**number).copied().unwrap_or_default();
        if sum > revision.total {
            wrong.push(format!("{sum} settle {number}, which is {revision:?}"));
        }
    }
}

/// No dealership failed for what passed: a month that had one was tried again.
fn closings(world: &mut World, now: &Snapshot, wrong: &mut Vec<String>) {
    for (month, (state, exceptions)) in &now.closings {
        let all = exceptions.as_array().into_iter().flatten();
        for one in all.filter(|one| one["reason"] == "failed") {
            let told = format!("{month} is {state} with {one}");
            wrong.extend(world.tale.fault(Fault::PassingErrorFails, month, &told));
        }
    }
}

/// (1): totals of standing invoices + refunds = payments + to pay − waiting.
fn money(id: &str, standing: &[&Document], model: &Model, open: &Value) -> Option<String> {
    let debtors = open["dealerships"].as_array().into_iter().flatten();
    let own: Vec<_> = debtors.filter(|debtor| debtor["dealership_id"] == id).collect();
    let said = |key: &str| own.iter().map(|debtor| centavos(&debtor[key])).sum::<i64>();
    let (to_pay, waiting) = (said("open"), said("waiting"));
    let totals: i64 = standing.iter().map(|document| document.total).sum();
    let counts = |one: &&super::model::Payment| {
        one.whose == id && one.undone != Fact::Holds && one.kind != "interest"
    };
    let payments: i64 = model.payments.values().filter(counts).map(|one| one.amount).sum();
    let refunds = model.refunds.values().filter(|one| one.whose == id && one.undone != Fact::Holds);
    let refunds: i64 = refunds.map(|one| one.amount).sum();
    (totals + refunds != payments + to_pay - waiting).then(|| {
        format!(
            "the account of {id}: {totals} + {refunds} are not {payments} + {to_pay} - {waiting}"
        )
    })
}

/// (2) and (3): notes − taken back = what lines of standing invoices say + what waits.
fn credits(id: &str, standing: &[&Document], model: &Model, notes: &Value) -> Option<String> {
    let own = notes.as_array().into_iter().flatten().filter(|note| note["dealership_id"] == id);
    let waiting: i64 = own.map(|note| centavos(&note["waiting"])).sum();
    let lines: i64 = standing.iter().map(|document| document.adjustments).sum();
    let entered = model.notes.values().filter(|note| note.whose == id);
    let entered: i64 = entered.map(|note| note.amount - note.taken_back.unwrap_or_default()).sum();
    (entered != lines + waiting)
        .then(|| format!("the notes of {id}: {entered} are not {lines} on invoices + {waiting}"))
}
