//! Whole emails: the words of a template and the files that go with them.

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::email::{Attachment, Email};
use super::enclosure::Enclosure;
use super::template::{Rendered, TemplateError, Templates};
use super::view::{Enclosed, Test};
use crate::letters::report::archive::{
    ArchiveError, File, MESSAGE_LIMIT, archive, attached, partition,
};
use crate::letters::report::workbook::{WorkbookError, workbook};
use fecha_core::account::reminder::Reminder;
use fecha_core::bill::digest::Digest;
use fecha_core::bill::group_bill::{GroupBill, GroupTxid};
use fecha_core::bill::hold::Held;
use fecha_core::bill::invoice::Invoice;
use fecha_core::bill::package_use::PackageUse;
use fecha_core::letter::{Alert, Part};
use fecha_core::party::register::EmailAddress;

const PDF: &str = "application/pdf";
const ZIP: &str = "application/zip";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What the words, the headers and the boundaries of an email take at most, in bytes as sent.
const WORDS: usize = 512 * 1024;

/// What the outbox knows of an email besides its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// With angle brackets.
    pub message_id: String,
    /// The one recipient.
    pub to: EmailAddress,
    /// The `Date` header: when it was queued, so that every attempt sends the same bytes.
    pub date: DateTime<Utc>,
}

/// An email cannot be made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each names its source")]
pub enum ComposeError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Workbook(#[from] WorkbookError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// `fatura-2026-000001.pdf`, for an invoice's label.
#[must_use]
pub fn invoice_file(label: &str) -> String {
    format!("fatura-{label}.pdf")
}

/// `extrato-2026-000001.pdf`, for an invoice's label.
#[must_use]
pub fn statement_file(label: &str) -> String {
    format!("extrato-{label}.pdf")
}

/// `cancelamento-2026-000001.pdf`, for an invoice's label.
#[must_use]
pub fn cancellation_file(label: &str) -> String {
    format!("cancelamento-{label}.pdf")
}

/// `grupo-G2026100001.pdf`.
#[must_use]
pub fn group_file(txid: GroupTxid) -> String {
    format!("grupo-{txid}.pdf")
}

/// `fechamento-2026-10.xlsx`.
#[must_use]
pub fn workbook_file(digest: &Digest) -> String {
    format!("fechamento-{}.xlsx", digest.file_label())
}

/// `faturas-2026-10.zip`, or `faturas-2026-10-parte-1-de-3.zip`.
#[must_use]
pub fn archive_file(digest: &Digest, part: &Part) -> String {
    format!("faturas-{}{}.zip", digest.file_label(), suffix(part))
}

fn suffix(part: &Part) -> String {
    match part.of {
        1 => String::new(),
        of => format!("-parte-{}-de-{of}", part.number),
    }
}

/// The files of an invoice, as issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceFiles {
    /// The invoice PDF.
    pub invoice: Vec<u8>,
    /// The statement PDF.
    pub statement: Vec<u8>,
    /// The evidence CSV, where the dealership wishes for it.
    pub evidence: Option<Vec<u8>>,
}

/// The email to a dealership: the two PDF files and, where it is wished for, the evidence. Where it would be
/// larger than [`MESSAGE_LIMIT`] as sent, the evidence is compressed, then left out; the statement is left out
/// only where there is no room for it even so, since its annex may name more contacts than an email can carry.
/// What is left out, the email says where to ask for.
///
/// # Errors
/// [`ComposeError::Template`].
pub fn invoice(
    templates: &Templates,
    envelope: Envelope,
    invoice: &Invoice,
    files: InvoiceFiles,
) -> Result<Email, ComposeError> {
    let label = invoice.label();
    let room = MESSAGE_LIMIT.saturating_sub(WORDS + attached(files.invoice.len()));
    let pdf = |file_name, bytes| Attachment { file_name, content_type: PDF, bytes };
    let statement = (attached(files.statement.len()) <= room)
        .then(|| pdf(statement_file(&label), files.statement));
    let room = room - statement.as_ref().map_or(0, |file| attached(file.bytes.len()));
    let evidence = files.evidence.map_or(Enclosure::None, |csv| Enclosure::of(&label, csv, room));
    let words = templates.invoice(invoice, statement.as_ref(), &evidence)?;
    let mut attachments = vec![pdf(invoice_file(&label), files.invoice)];
    attachments.extend(statement);
    attachments.extend(evidence.attachment().cloned());
    Ok(email(envelope, format!("fatura-{label}"), words, attachments))
}

/// The email about an invoice that is void, with the document that says so.
#[must_use]
pub fn cancellation(
    envelope: Envelope,
    invoice: &Invoice,
    words: Rendered,
    bytes: Vec<u8>,
) -> Email {
    let label = invoice.label();
    let file_name = cancellation_file(&label);
    let attachments = vec![Attachment { file_name, content_type: PDF, bytes }];
    email(envelope, format!("cancelamento-{label}"), words, attachments)
}

/// Over which emails a close report goes, so that none is larger than [`MESSAGE_LIMIT`] as sent, for
/// invoice PDFs of these sizes, in the digest's order. Keep them: they depend on every size.
///
/// # Errors
/// [`ComposeError::Workbook`].
pub fn digest_parts(digest: &Digest, pdf_sizes: &[usize]) -> Result<Vec<Part>, ComposeError> {
    let first = WORDS + attached(workbook(digest)?.len());
    let ranges = partition(pdf_sizes, first, WORDS, MESSAGE_LIMIT);
    let of = ranges.len();
    let part = |(number, invoices)| Part { number, of, invoices };
    Ok((1..).zip(ranges).map(part).collect())
}

/// One of the emails to finance; `pdfs` are those of the part's invoices, in the digest's order.
///
/// # Errors
/// [`ComposeError`].
pub fn digest(
    templates: &Templates,
    envelope: Envelope,
    digest: &Digest,
    part: &Part,
    pdfs: Vec<Vec<u8>>,
) -> Result<Email, ComposeError> {
    let attachments = digest_attachments(digest, part, pdfs)?;
    let words = templates.digest(digest, part)?;
    let file_stem = format!("fechamento-{}{}", digest.file_label(), suffix(part));
    Ok(email(envelope, file_stem, words, attachments))
}

/// All that a close report consists of, as files: its words as text and HTML, the workbook, and one archive
/// of the invoice PDFs, which are given in the digest's order.
///
/// # Errors
/// [`ComposeError`].
pub fn digest_files(
    templates: &Templates,
    digest: &Digest,
    pdfs: Vec<Vec<u8>>,
) -> Result<Vec<File>, ComposeError> {
    let whole = Part { number: 1, of: 1, invoices: 0..digest.invoices.len() };
    let words = templates.digest(digest, &whole)?;
    let stem = format!("fechamento-{}", digest.file_label());
    let mut files = vec![
        File { name: format!("{stem}.txt"), bytes: words.text.into_bytes() },
        File { name: format!("{stem}.html"), bytes: words.html.into_bytes() },
    ];
    let attached = digest_attachments(digest, &whole, pdfs)?;
    files.extend(attached.into_iter().map(|a| File { name: a.file_name, bytes: a.bytes }));
    Ok(files)
}

/// The email about a close that is held, with the workbook of what it would issue.
///
/// # Errors
/// [`ComposeError`].
pub fn held(templates: &Templates, envelope: Envelope, held: &Held) -> Result<Email, ComposeError> {
    let words = templates.held(held)?;
    let workbook = digest_workbook(&held.digest)?;
    let file_stem = format!("fechamento-{}", held.digest.file_label());
    Ok(email(envelope, file_stem, words, vec![workbook]))
}

fn digest_workbook(digest: &Digest) -> Result<Attachment, ComposeError> {
    let bytes = workbook(digest)?;
    Ok(Attachment { file_name: workbook_file(digest), content_type: XLSX, bytes })
}

fn digest_attachments(
    digest: &Digest,
    part: &Part,
    pdfs: Vec<Vec<u8>>,
) -> Result<Vec<Attachment>, ComposeError> {
    let mut attachments = Vec::new();
    if part.number == 1 {
        attachments.push(digest_workbook(digest)?);
    }
    let files = files(digest, part.invoices.clone(), pdfs);
    if !files.is_empty() {
        let bytes = archive(&files)?;
        let file_name = archive_file(digest, part);
        attachments.push(Attachment { file_name, content_type: ZIP, bytes });
    }
    Ok(attachments)
}

fn files(digest: &Digest, range: Range<usize>, pdfs: Vec<Vec<u8>>) -> Vec<File> {
    let entries = digest.invoices.get(range).unwrap_or_default();
    let file = |(entry, bytes): (&fecha_core::bill::digest::DigestRow, _)| File {
        name: invoice_file(&entry.label()),
        bytes,
    };
    entries.iter().zip(pdfs).map(file).collect()
}

/// So many files go with an email to a group by themselves: those of a dozen dealerships.
const MOST_LOOSE: usize = 24;

/// The files of a group bill, as issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupFiles {
    /// The page that adds up.
    pub page: Vec<u8>,
    /// For each row the invoice and the statement.
    pub invoices: Vec<File>,
}

impl GroupFiles {
    fn sizes(&self) -> Vec<usize> {
        self.invoices.iter().map(|file| file.bytes.len()).collect()
    }

    /// By themselves, where they are few enough and fit into one email.
    fn enclosed(&self) -> Enclosed {
        let attached: usize = self.sizes().into_iter().chain([self.page.len()]).map(attached).sum();
        if self.invoices.len() <= MOST_LOOSE && WORDS + attached <= MESSAGE_LIMIT {
            Enclosed::Loose
        } else {
            Enclosed::Archive
        }
    }
}

/// Over which emails a group bill goes, so that none is larger than [`MESSAGE_LIMIT`] as sent: the files by themselves in
/// one, else in archives, in as many as it takes. Keep them: they depend on every size.
#[must_use]
pub fn group_parts(files: &GroupFiles) -> Vec<Part> {
    let all = 0..files.invoices.len();
    let ranges = match files.enclosed() {
        Enclosed::Loose => vec![all],
        Enclosed::Archive => {
            let first = WORDS + attached(files.page.len());
            partition(&files.sizes(), first, WORDS, MESSAGE_LIMIT)
        }
    };
    let of = ranges.len();
    (1..).zip(ranges).map(|(number, invoices)| Part { number, of, invoices }).collect()
}

/// One of the emails to a group.
///
/// # Errors
/// [`ComposeError`].
pub fn group(
    templates: &Templates,
    envelope: Envelope,
    bill: &GroupBill,
    part: &Part,
    files: GroupFiles,
) -> Result<Email, ComposeError> {
    let enclosed = files.enclosed();
    let words = templates.group(bill, part, enclosed)?;
    let pdf = |file_name, bytes| Attachment { file_name, content_type: PDF, bytes };
    let mut attachments = Vec::new();
    if part.number == 1 {
        attachments.push(pdf(group_file(bill.txid), files.page));
    }
    let own = files.invoices.get(part.invoices.clone()).unwrap_or_default();
    match enclosed {
        Enclosed::Loose => {
            attachments.extend(own.iter().map(|file| pdf(file.name.clone(), file.bytes.clone())));
        }
        Enclosed::Archive if own.is_empty() => {}
        Enclosed::Archive => attachments.push(Attachment {
            file_name: format!("faturas-{}{}.zip", bill.txid, suffix(part)),
            content_type: ZIP,
            bytes: archive(own)?,
        }),
    }
    Ok(email(envelope, format!("grupo-{}{}", bill.txid, suffix(part)), words, attachments))
}

/// The email to a dealership that has used so much of its package.
///
/// # Errors
/// [`ComposeError::Template`].
pub fn package_use(
    templates: &Templates,
    envelope: Envelope,
    package_use: &PackageUse,
) -> Result<Email, ComposeError> {
    let file_stem = format!("pacote-{}-{}", package_use.month, package_use.threshold);
    Ok(email(envelope, file_stem, templates.package_use(package_use)?, Vec::new()))
}

/// The email to a dealership about what it has open.
///
/// # Errors
/// [`ComposeError::Template`].
pub fn reminder(
    templates: &Templates,
    envelope: Envelope,
    reminder: &Reminder,
) -> Result<Email, ComposeError> {
    let file_stem = format!("lembrete-{}", reminder.on);
    Ok(email(envelope, file_stem, templates.reminder(reminder)?, Vec::new()))
}

/// The email that calls a person.
///
/// # Errors
/// [`ComposeError::Template`].
pub fn alert(
    templates: &Templates,
    envelope: Envelope,
    alert: &Alert,
) -> Result<Email, ComposeError> {
    Ok(email(envelope, "aviso".to_owned(), templates.alert(alert)?, Vec::new()))
}

/// The email that only shows that emails arrive.
///
/// # Errors
/// [`ComposeError::Template`].
pub fn test(
    templates: &Templates,
    envelope: Envelope,
    test: &Test<'_>,
) -> Result<Email, ComposeError> {
    Ok(email(envelope, "teste".to_owned(), templates.test(test)?, Vec::new()))
}

fn email(
    envelope: Envelope,
    file_stem: String,
    words: Rendered,
    attachments: Vec<Attachment>,
) -> Email {
    let Envelope { message_id, to, date } = envelope;
    let Rendered { subject, text, html } = words;
    Email { message_id, file_stem, to, subject, text, html, attachments, date }
}
