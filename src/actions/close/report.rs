//! What a close did, or would do, for whoever asked for it.

use fecha_core::bill::bill::Bill;
use fecha_core::bill::difference::Difference;
use fecha_core::bill::exception::Exception;
use fecha_core::bill::group_bill::GroupBill;
use fecha_core::bill::hold::Held;
use fecha_core::bill::invoice::{Invoice, Number};
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::count::status::StatusFound;
use fecha_core::count::tally::Buckets;
use fecha_core::price::money::Money;

/// What a close did, or would do.
#[derive(Debug, Clone)]
pub struct CloseReport {
    /// The month.
    pub month: Month,
    /// The dealerships that were named; `None` where it is about everyone.
    pub named: Option<Vec<String>>,
    /// What was issued, by number; in a dry run what would be, by dealership.
    pub issued: Vec<Charged>,
    /// How many of the dealerships had their invoice already.
    pub already_issued: usize,
    /// Why nothing was issued.
    pub held: Option<String>,
    /// Whether that is because the month comes to another plan than the one that was released.
    pub is_another_plan: bool,
    /// What the month comes to, of a dry run and of a close that is held.
    pub plan: Option<PlanHash>,
    /// What would be issued, for whoever reads it first: where nothing was written of a plan that is to be read, or is
    /// another one than the one that was released.
    pub look: Option<Box<Held>>,
    /// What would be issued, by dealership: in a dry run.
    pub foreseen: Vec<Invoice>,
    /// Dealerships whose month has not ended.
    pub open: Vec<String>,
    /// What needs a person.
    pub exceptions: Vec<Exception>,
    /// All messages by bucket.
    pub messages: Buckets,
    /// Issued invoices that would be others today: a close does not change them, a rerun does.
    pub would_differ: Vec<WouldDiffer>,
    /// What groups got, now that the last of their dealerships is issued or excepted.
    pub group_bills: Vec<GroupBill>,
    /// The statuses that were met.
    pub statuses: Vec<StatusFound>,
    /// Nothing was written.
    pub dry_run: bool,
}

/// An issued invoice that would be another one today.
#[derive(Debug, Clone)]
pub struct WouldDiffer {
    /// The number.
    pub number: Number,
    /// Who is invoiced.
    pub dealership_id: String,
    /// What changed.
    pub difference: Difference,
}

/// One dealership's bill in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The number; none in a dry run.
    pub number: Option<Number>,
    /// Who is invoiced.
    pub dealership_id: String,
    /// Contacts included.
    pub package: u64,
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages.
    pub hsm: u64,
    /// What is to be paid.
    pub total: Money,
}

impl CloseReport {
    /// Nothing was issued: the month comes to another plan than the one that was released.
    pub(super) fn of_another_plan(mut self, plan: &PlanHash) -> Self {
        self.held = Some(format!(
            "the month comes to another plan than the one that was released: it is {plan} now"
        ));
        self.is_another_plan = true;
        self
    }

    /// The sum of what was issued.
    #[must_use]
    pub fn total(&self) -> Money {
        self.issued.iter().map(|charged| charged.total).sum()
    }

    /// Whether a person must look: the exit status 1.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        self.held.is_some() || !self.exceptions.is_empty() || !self.would_differ.is_empty()
    }

    pub(super) fn add(&mut self, exceptions: &[Exception]) {
        self.exceptions.extend_from_slice(exceptions);
        Exception::sort(&mut self.exceptions);
    }
}

impl Charged {
    /// What would be issued, in a dry run.
    pub(super) fn foreseen(bill: &Bill<'_>) -> Self {
        Self {
            number: None,
            dealership_id: bill.case.id().to_owned(),
            package: bill.charge.package,
            uam: bill.tally.uam(),
            hsm: bill.tally.hsm(),
            total: bill.charge.total(),
        }
    }

    pub(super) fn of(invoice: &Invoice) -> Self {
        Self {
            number: Some(invoice.number),
            dealership_id: invoice.dealership_id.clone(),
            package: invoice.package,
            uam: invoice.usage.uam,
            hsm: invoice.usage.hsm,
            total: invoice.total(),
        }
    }
}
