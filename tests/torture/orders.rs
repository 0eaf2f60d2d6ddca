//! What people ask of fecha, at random.

use chrono::{Datelike as _, NaiveDate, TimeDelta};
use rand::RngExt as _;
use serde_json::Value;

use super::model::{End, Fact, Model, Note, Payment, Refund, reais};
use super::world::{FIRST_MONTH, IDS, World};

/// A command, and what its end says about the accounts.
#[derive(Debug, Clone)]
pub struct Order {
    pub arguments: Vec<String>,
    pub deed: Deed,
}

#[derive(Debug, Clone)]
pub enum Deed {
    Other,
    Pay(Vec<String>),
    Undo(String),
    Refund(String),
    Note(String),
    TakeBack(String),
}

/// Commands that only look.
const READERS: [&str; 10] = [
    "status --json",
    "preview --json",
    "invoices --all-revisions --json",
    "audit --json",
    "outbox --state failed --json",
    "outbox --json",
    "receivables --json",
    "adjust --json",
    "check --json",
    "invoices --csv",
];

/// An invoice that stood at the last look: number, whose, month.
pub type Standing = (String, String, String);

fn order(words: &str, deed: Deed) -> Order {
    let arguments = words.split(' ').map(|word| word.replace('_', " ")).collect();
    Order { arguments, deed }
}

/// Months from the first of the run to the last that has ended, the latest first.
pub fn ended_months(today: NaiveDate) -> Vec<String> {
    let mut months = Vec::new();
    let (mut year, mut month) = (today.year(), today.month());
    loop {
        (year, month) = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
        let name = format!("{year}-{month:02}");
        if *name < *FIRST_MONTH {
            return months;
        }
        months.push(name);
    }
}

/// Asks for commands, and keeps count so that none equals another.
#[derive(Default)]
pub struct Office {
    pub count: u64,
    /// Files of payments that were written, and their lines by reference.
    files: Vec<(String, Vec<(String, Payment)>)>,
}

impl Office {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// A command of somebody who has `standing` before them.
    pub fn order(&mut self, world: &mut World, model: &mut Model, standing: &[Standing]) -> Order {
        let months = ended_months((world.now() - TimeDelta::hours(6)).date_naive());
        if months.is_empty() {
            return order("status --json", Deed::Other);
        }
        // Mostly the latest ones.
        let among = if world.chance(80) { months.len().min(3) } else { months.len() };
        let month = world.pick(&months[..among]).clone();
        let id = *world.pick(&IDS);
        let count = self.next();
        match world.random.random_range(0..100) {
            0..=13 => order(&format!("close --month {month} --release --json"), Deed::Other),
            14..=17 => order(
                &format!("close --month {month} --dealership {id} --release --json"),
                Deed::Other,
            ),
            18..=25 => {
                let accept = *world.pick(&["", " --accept loss,contract,price,register"]);
                let whom = if world.chance(50) {
                    "--all".to_owned()
                } else {
                    format!("--dealership {id}")
                };
                order(
                    &format!("rerun --month {month} {whom} --reason novo_{count}{accept} --json"),
                    Deed::Other,
                )
            }
            26..=30 => match one(world, standing) {
                Some((number, ..)) => {
                    order(&format!("cancel {number} --reason engano_{count} --json"), Deed::Other)
                }
                None => order("invoices --json", Deed::Other),
            },
            31..=38 => adjust(world, model, id, &month, count),
            39..=41 => take_back(world, model),
            42..=55 => pay(world, model, standing, count),
            56..=59 => self.file(world, model, standing, count),
            60..=63 => on_account(world, model, id, count),
            64..=66 => match one(world, standing) {
                Some((number, ..)) => {
                    order(&format!("pay {number} --from-account --json"), Deed::Other)
                }
                None => order("receivables --json", Deed::Other),
            },
            67..=71 => undo(world, model),
            72..=75 => refund(world, model, id, count),
            76..=78 => resend(world, standing, &month),
            79..=89 => order("deliver --json", Deed::Other),
            90..=92 => import(world, id, count),
            93 => order(&format!("verify --month {month} --json"), Deed::Other),
            _ => {
                let words = *world.pick(&READERS);
                order(words, Deed::Other)
            }
        }
    }

    /// Some lines in a file, or a file that was there.
    fn file(
        &mut self,
        world: &mut World,
        model: &mut Model,
        standing: &[Standing],
        count: u64,
    ) -> Order {
        if !self.files.is_empty() && world.chance(40) {
            let (name, lines) = world.pick(&self.files).clone();
            let references = lines.iter().map(|(reference, _)| reference.clone()).collect();
            for (reference, payment) in lines {
                model.payments.entry(reference).or_insert(payment);
            }
            return order(&format!("pay --file {name} --json"), Deed::Pay(references));
        }
        let mut text = "number,on,amount,kind,reference\n".to_owned();
        let (mut references, mut lines) = (Vec::new(), Vec::new());
        for line in 0..world.random.random_range(2..7) {
            let Some((number, whose, _)) = one(world, standing) else { break };
            let amount = world.random.random_range(1..90_000);
            let reference = format!("F{count}-{line}");
            text += &format!("{number},{},{},money,{reference}\n", day(world), reais(amount));
            let payment = new_payment(whose, Some(number), amount, "money", Some(count));
            model.payments.insert(reference.clone(), payment.clone());
            lines.push((reference.clone(), payment));
            references.push(reference);
        }
        let name = format!("pay-{count}.csv");
        world.reseller.write(&name, &text);
        self.files.push((name.clone(), lines));
        order(&format!("pay --file {name} --json"), Deed::Pay(references))
    }
}

/// One of those that stand.
fn one(world: &mut World, standing: &[Standing]) -> Option<Standing> {
    // Mostly one of the latest.
    let from = if world.chance(80) { standing.len().saturating_sub(20) } else { 0 };
    let among = &standing[from..];
    (!among.is_empty()).then(|| world.pick(among).clone())
}

fn pay(world: &mut World, model: &mut Model, standing: &[Standing], count: u64) -> Order {
    let Some((number, whose, _)) = one(world, standing) else {
        return order("receivables --json", Deed::Other);
    };
    let kind = *world.pick(&["money", "money", "money", "money", "iss", "discount", "interest"]);
    let is_all = kind == "money" && world.chance(30);
    let amount = if is_all { 0 } else { world.random.random_range(1..140_000) };
    let reference = format!("T{count}");
    let on = day(world);
    let words = if is_all { String::new() } else { format!(" --amount {}", reais(amount)) };
    let words =
        format!("pay {number} --on {on}{words} --kind {kind} --reference {reference} --json");
    model.payments.insert(reference.clone(), new_payment(whose, Some(number), amount, kind, None));
    order(&words, Deed::Pay(vec![reference]))
}

/// The accounts learn how a command ended.
pub fn ended(model: &mut Model, deed: &Deed, end: End, answer: &Value) {
    match deed {
        Deed::Other => {}
        Deed::Pay(references) => model.paid(references, end, answer),
        Deed::Undo(name) => model.undo_ended(name, end),
        Deed::Refund(reason) => model.refunded(reason, end, answer),
        Deed::Note(description) => model.noted(description, end, answer),
        Deed::TakeBack(description) => model.taken_back(description, end, answer),
    }
}

fn new_payment(
    whose: String,
    number: Option<String>,
    amount: i64,
    kind: &'static str,
    file: Option<u64>,
) -> Payment {
    Payment { whose, number, amount, kind, is: Fact::Maybe, undone: Fact::Never, id: None, file }
}

/// An invoice's emails, a month's report, or all that failed.
fn resend(world: &mut World, standing: &[Standing], month: &str) -> Order {
    let number = one(world, standing).map(|(number, ..)| number).unwrap_or_default();
    let words = match world.random.random_range(0..4) {
        0 => format!("resend {month} --json"),
        1 => "resend --failed --json".to_owned(),
        2 => format!("digest --month {month} --dir digest --json"),
        _ => format!("resend {number} --json"),
    };
    order(&words, Deed::Other)
}

/// A day that is over.
fn day(world: &mut World) -> NaiveDate {
    let days = world.random.random_range(1..20);
    (world.now() - TimeDelta::days(days) - TimeDelta::hours(6)).date_naive()
}

fn on_account(world: &mut World, model: &mut Model, id: &str, count: u64) -> Order {
    let amount = world.random.random_range(1..90_000);
    let reference = format!("T{count}");
    let on = day(world);
    let words = format!(
        "pay --dealership {id} --on {on} --amount {} --reference {reference} --json",
        reais(amount)
    );
    model
        .payments
        .insert(reference.clone(), new_payment(id.to_owned(), None, amount, "money", None));
    order(&words, Deed::Pay(vec![reference]))
}

fn adjust(world: &mut World, model: &mut Model, id: &str, month: &str, count: u64) -> Order {
    let amount = *world.pick(&[-250_000, -12_000, -1, 7550, 40_000]);
    let description = format!("Ajuste {count}");
    let note =
        Note { whose: id.to_owned(), amount, is: Fact::Maybe, id: None, taken_back: Some(0) };
    model.notes.insert(description.clone(), note);
    let words = format!(
        "adjust --dealership {id} --month {month} --amount {} --description Ajuste_{count} --json",
        reais(amount)
    );
    order(&words, Deed::Note(description))
}

fn take_back(world: &mut World, model: &mut Model) -> Order {
    let may_be = |note: &Note| note.is == Fact::Holds && note.taken_back == Some(0);
    let all: Vec<_> = model.notes.iter().filter(|(_, note)| may_be(note)).collect();
    let Some((description, note)) = all.last().copied().filter(|_| world.chance(90)) else {
        return order("adjust --json", Deed::Other);
    };
    let (description, id) = (description.clone(), note.id.unwrap_or_default());
    // Until its end is known, nobody asks again.
    if let Some(note) = model.notes.get_mut(&description) {
        note.taken_back = None;
    }
    order(&format!("adjust --cancel {id} --json"), Deed::TakeBack(description))
}

fn undo(world: &mut World, model: &mut Model) -> Order {
    let payments =
        model.payments.iter().filter(|(_, p)| p.is == Fact::Holds && p.undone == Fact::Never);
    let payments = payments.map(|(name, payment)| (name.clone(), payment.id.clone()));
    let refunds =
        model.refunds.iter().filter(|(_, r)| r.is == Fact::Holds && r.undone == Fact::Never);
    let refunds = refunds.map(|(name, refund)| (name.clone(), refund.id.clone()));
    let all: Vec<_> = payments.chain(refunds).collect();
    if all.is_empty() {
        return order("receivables --json", Deed::Other);
    }
    let (name, id) = world.pick(&all).clone();
    if let Some(payment) = model.payments.get_mut(&name) {
        payment.undone = Fact::Maybe;
    } else if let Some(refund) = model.refunds.get_mut(&name) {
        refund.undone = Fact::Maybe;
    }
    let words = format!("pay --undo {} --reason engano --json", id.unwrap_or_default());
    order(&words, Deed::Undo(name))
}

fn refund(world: &mut World, model: &mut Model, id: &str, count: u64) -> Order {
    let amount = world.random.random_range(1..30_000);
    let reason = format!("devolvido {count}");
    let refund =
        Refund { whose: id.to_owned(), amount, is: Fact::Maybe, undone: Fact::Never, id: None };
    model.refunds.insert(reason.clone(), refund);
    let on = day(world);
    let words = format!(
        "pay --refund {} --dealership {id} --on {on} --reason devolvido_{count} --json",
        reais(amount)
    );
    order(&words, Deed::Refund(reason))
}

/// Another package from this month on, or another address.
fn import(world: &mut World, id: &str, count: u64) -> Order {
    if world.chance(50) {
        let month = world.now().format("%Y-%m");
        let package = *world.pick(&[5000, 10_000]);
        let name = format!("contracts-{count}.csv");
        world
            .reseller
            .write(&name, &format!("dealership_id,from_month,package\n{id},{month},{package}\n"));
        return order(&format!("import --contracts {name} --json"), Deed::Other);
    }
    let name = format!("dealerships-{count}.csv");
    let zone = if super::world::WESTERN.contains(&id) { "America/Manaus" } else { "" };
    let line = crate::support::reseller::dealership(id, zone);
    let line =
        line.replacen(&format!("{id}@example.com"), &format!("{id}-{}@example.com", count % 5), 1);
    let text = format!("{}{line}", crate::support::reseller::DEALERSHIP_HEADER);
    world.reseller.write(&name, &text);
    order(&format!("import --dealerships {name} --json"), Deed::Other)
}
