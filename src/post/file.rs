//! The file transport: one `.eml` file a message, for a first look and for parallel runs.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

use super::{MailError, NotTaken};
use crate::letters::email::Email;
use crate::letters::mailbox::Sender;

/// Writes emails into a folder.
#[derive(Debug)]
pub struct FileMailer {
    dir: PathBuf,
    sender: Sender,
}

impl FileMailer {
    /// Emails go into `dir`, which is made when it is first needed.
    #[must_use]
    pub fn new(dir: PathBuf, sender: Sender) -> Self {
        Self { dir, sender }
    }

    /// Writes one email, and gives the path of its file. The file is there in full or not at all; a retry, which has the same
    /// Message-ID, replaces the file of the attempt before, and no other.
    ///
    /// # Errors
    /// [`NotTaken::Unwritable`] or [`NotTaken::Folder`].
    pub async fn send(&self, email: &Email) -> Result<PathBuf, NotTaken> {
        let message = email.to_bytes(&self.sender)?;
        let path = self.dir.join(file_name(email));
        let file = path.clone();
        let written = self.in_folder(move |_| write(&file, &message)).await;
        written.map(|()| path).map_err(NotTaken::Folder)
    }

    /// Makes the folder and tries to write to it.
    ///
    /// # Errors
    /// [`MailError::Folder`].
    pub async fn check(&self) -> Result<String, MailError> {
        self.in_folder(|dir| AtomicWriteFile::open(dir.join("check.eml"))?.discard()).await?;
        Ok(format!("emails are written to '{}'", self.dir.display()))
    }

    /// Runs `work` where it may block.
    async fn in_folder<F>(&self, work: F) -> Result<(), MailError>
    where
        F: FnOnce(&Path) -> io::Result<()> + Send + 'static,
    {
        let dir = self.dir.clone();
        let work = move || std::fs::create_dir_all(&dir).and_then(|()| work(&dir));
        let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other);
        done.flatten().map_err(|source| MailError::Folder { path: self.dir.clone(), source })
    }
}

fn write(path: &Path, message: &[u8]) -> io::Result<()> {
    let mut file = AtomicWriteFile::open(path)?;
    file.write_all(message)?;
    file.commit()
}

/// `fatura-2026-000001-<unique part of the Message-ID>.eml`, whatever the two texts hold.
fn file_name(email: &Email) -> String {
    let id = email.message_id.trim_start_matches('<').split('@').next().unwrap_or_default();
    let name: String = format!("{}-{id}", email.file_stem)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .collect();
    format!("{name}.eml")
}
