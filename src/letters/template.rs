//! The words of the emails: templates in `templates/email`, part of the program.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::email::Attachment;
use super::enclosure::Enclosure;
use super::view::{
    AlertView, CancellationView, DigestView, GroupView, HeldView, InvoiceSubject, InvoiceView,
    PackageUseView, ReminderView, TestView,
};
pub use super::view::{Enclosed, Test};
use fecha_core::account::reminder::Reminder;
use fecha_core::bill::digest::Digest;
use fecha_core::bill::group_bill::GroupBill;
use fecha_core::bill::hold::Held;
use fecha_core::bill::invoice::{Cancellation, Invoice};
use fecha_core::bill::package_use::PackageUse;
use fecha_core::letter::text::one_line;
use fecha_core::letter::{Alert, Part};

/// An email's words, all three from the same data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// A template is wrong. They are part of the program and rendered by its tests, so this is a defect.
#[derive(Debug, thiserror::Error)]
#[error("email template {name}: {source:#}")]
pub struct TemplateError {
    name: &'static str,
    source: minijinja::Error,
}

/// All templates, parsed once.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

const INVOICE_SUBJECT: &str = "invoice/subject.txt";

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../templates/email/", $name)))),+]
    };
}

const SOURCES: [(&str, &str); 32] = embedded![
    "layout.html",
    "parts.html",
    "month.html",
    "month.txt",
    "footer.html",
    "invoice/subject.txt",
    "invoice/body.txt",
    "invoice/body.html",
    "cancellation/subject.txt",
    "cancellation/body.txt",
    "cancellation/body.html",
    "digest/subject.txt",
    "digest/body.txt",
    "digest/body.html",
    "held/subject.txt",
    "held/body.txt",
    "held/body.html",
    "package_use/subject.txt",
    "package_use/body.txt",
    "package_use/body.html",
    "reminder/subject.txt",
    "reminder/body.txt",
    "reminder/body.html",
    "group/subject.txt",
    "group/body.txt",
    "group/body.html",
    "alert/subject.txt",
    "alert/body.txt",
    "alert/body.html",
    "test/subject.txt",
    "test/body.txt",
    "test/body.html",
];

impl Templates {
    /// Parses the templates.
    ///
    /// # Errors
    /// [`TemplateError`] where one does not parse.
    pub fn new() -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // What ends in `.html` is escaped by default. A block alone on its line leaves no empty line in the text.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|source| TemplateError { name: "syntax", source })?);
        for (name, source) in SOURCES {
            environment
                .add_template(name, source)
                .map_err(|source| TemplateError { name, source })?;
        }
        Ok(Self(environment))
    }

    /// The email to a dealership; `statement` and `evidence` are what it has of them.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn invoice(
        &self,
        invoice: &Invoice,
        statement: Option<&Attachment>,
        evidence: &Enclosure,
    ) -> Result<Rendered, TemplateError> {
        let names = [INVOICE_SUBJECT, "invoice/body.txt", "invoice/body.html"];
        self.render(names, &InvoiceView::of(invoice, statement, evidence))
    }

    /// The subject of [`Self::invoice`] alone: each issue needs it, and drawing the rest takes ten times as
    /// long.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn invoice_subject(&self, invoice: &Invoice) -> Result<String, TemplateError> {
        Ok(one_line(&self.part(INVOICE_SUBJECT, &InvoiceSubject::of(invoice))?))
    }

    /// The email to a dealership whose invoice is void; or the copy of it to finance, which also says whom it
    /// went to and who asked for it.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn cancellation(
        &self,
        invoice: &Invoice,
        cancellation: &Cancellation,
        is_copy: bool,
    ) -> Result<Rendered, TemplateError> {
        let names = ["cancellation/subject.txt", "cancellation/body.txt", "cancellation/body.html"];
        self.render(names, &CancellationView::of(invoice, cancellation, is_copy))
    }

    /// One of the emails to finance.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn digest(&self, digest: &Digest, part: &Part) -> Result<Rendered, TemplateError> {
        let names = ["digest/subject.txt", "digest/body.txt", "digest/body.html"];
        self.render(names, &DigestView::of(digest, part))
    }

    /// The email about a close that is held.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn held(&self, held: &Held) -> Result<Rendered, TemplateError> {
        let names = ["held/subject.txt", "held/body.txt", "held/body.html"];
        self.render(names, &HeldView::of(held))
    }

    /// The email to a dealership that has used so much of its package.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn package_use(&self, package_use: &PackageUse) -> Result<Rendered, TemplateError> {
        let names = ["package_use/subject.txt", "package_use/body.txt", "package_use/body.html"];
        self.render(names, &PackageUseView::of(package_use))
    }

    /// The email to a dealership about what it has open.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn reminder(&self, reminder: &Reminder) -> Result<Rendered, TemplateError> {
        let names = ["reminder/subject.txt", "reminder/body.txt", "reminder/body.html"];
        self.render(names, &ReminderView::of(reminder))
    }

    /// One of the emails to a group.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn group(
        &self,
        bill: &GroupBill,
        part: &Part,
        enclosed: Enclosed,
    ) -> Result<Rendered, TemplateError> {
        let names = ["group/subject.txt", "group/body.txt", "group/body.html"];
        self.render(names, &GroupView::of(bill, part, enclosed))
    }

    /// The email that calls a person.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn alert(&self, alert: &Alert) -> Result<Rendered, TemplateError> {
        let names = ["alert/subject.txt", "alert/body.txt", "alert/body.html"];
        self.render(names, &AlertView::of(alert))
    }

    /// The email that only shows that emails arrive.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn test(&self, test: &Test<'_>) -> Result<Rendered, TemplateError> {
        let names = ["test/subject.txt", "test/body.txt", "test/body.html"];
        self.render(names, &TestView::of(test))
    }

    fn render<V: Serialize>(
        &self,
        [subject, text, html]: [&'static str; 3],
        view: &V,
    ) -> Result<Rendered, TemplateError> {
        Ok(Rendered {
            subject: one_line(&self.part(subject, view)?),
            text: self.part(text, view)?,
            html: self.part(html, view)?,
        })
    }

    fn part<V: Serialize>(&self, name: &'static str, view: &V) -> Result<String, TemplateError> {
        self.0
            .get_template(name)
            .and_then(|template| template.render(Serde(view)))
            .map_err(|source| TemplateError { name, source })
    }
}
