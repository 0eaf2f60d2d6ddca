//! A form as it came, whole.

use axum::RequestExt as _;
use axum::body::{Body, Bytes};
use axum::extract::{Form, Multipart, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use futures::StreamExt as _;
use sha2::{Digest as _, Sha256};

use crate::console::Oops;
use crate::setup::legible::is_text;

/// A browser that is answered before it has sent all shows no answer: of what is too large so many times as much
/// is read as may be sent, and thrown away.
const READ: usize = 4;

/// What was sent, in memory; a copy costs next to nothing.
#[derive(Clone)]
pub struct Letter {
    parts: Parts,
    body: Bytes,
}

impl Letter {
    /// Reads a form of so many bytes at most.
    ///
    /// # Errors
    /// [`Oops`] where it is larger, does not come to its end, or has what is no text in a field.
    pub async fn read(request: Request, most: usize) -> Result<Self, Oops> {
        let (parts, body) = request.into_parts();
        let (mut kept, mut came) = (Vec::new(), 0);
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| incomplete())?;
            came += chunk.len();
            if came <= most {
                kept.extend_from_slice(&chunk);
            } else if came > READ * most {
                break;
            } else {
                kept = Vec::new();
            }
        }
        if came > most {
            return Err(Oops::TooLarge { most, is_file: has_file(&parts.headers) });
        }
        // What a file holds is looked at by whoever reads it.
        if !has_file(&parts.headers) && !is_text(&kept) {
            return Err(Oops::Bad(NO_TEXT.to_owned()));
        }
        Ok(Self { parts, body: Bytes::from(kept) })
    }

    /// Hears out who sends a file that nobody takes: so many bytes at most, and keeps none.
    pub async fn pass_over(request: Request, most: usize) {
        let (mut chunks, mut came) = (request.into_body().into_data_stream(), 0);
        while let Some(Ok(chunk)) = chunks.next().await {
            came += chunk.len();
            if came > most {
                return;
            }
        }
    }

    /// The fields as they were typed, without passwords; `None` where it is not a form of fields alone.
    pub async fn fields(&self) -> Option<Vec<[String; 2]>> {
        let form = self.clone().request().extract::<Form<Vec<(String, String)>>, _>().await;
        let Form(fields) = form.ok()?;
        let shown = fields.into_iter().filter(|(name, _)| !name.contains("password"));
        Some(shown.map(|(name, value)| [name, value]).collect())
    }

    /// Where it was sent to.
    pub fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    /// The hash of what was typed and of the files: the same for the same form, however it was wrapped. Browsers
    /// put another separator between the fields each time.
    pub async fn content(&self) -> String {
        let mut hash = Sha256::new();
        if !has_file(&self.parts.headers) || self.hash_fields(&mut hash).await.is_none() {
            hash.update(&self.body);
        }
        hex::encode(hash.finalize())
    }

    async fn hash_fields(&self, hash: &mut Sha256) -> Option<()> {
        let mut fields = self.clone().request().extract::<Multipart, _>().await.ok()?;
        while let Some(mut field) = fields.next_field().await.ok()? {
            for name in [field.name(), field.file_name()] {
                hash.update(Sha256::digest(name.unwrap_or_default()));
            }
            let mut content = Sha256::new();
            while let Some(chunk) = field.chunk().await.ok()? {
                content.update(&chunk);
            }
            hash.update(content.finalize());
        }
        Some(())
    }

    /// The request, to be answered.
    pub fn request(self) -> Request {
        Request::from_parts(self.parts, Body::from(self.body))
    }
}

/// Whether a form may have a file.
pub fn has_file(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"))
}

const NO_TEXT: &str = "O que foi enviado tem sinais que não são texto. Nada foi alterado: volte, digite de novo o que foi colado e envie.";

fn incomplete() -> Oops {
    let words = "O que foi enviado não chegou inteiro. Nada foi alterado: volte e envie de novo.";
    Oops::Bad(words.to_owned())
}
