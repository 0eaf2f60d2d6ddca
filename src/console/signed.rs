//! Who asks.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use fecha_core::party::person::Role;

use super::Oops;

/// A person who is signed in. Whoever takes one as an argument is served to nobody else.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The id of the person.
    pub person: String,
    /// As the audit log names the person.
    pub name: String,
    /// The address.
    pub email: String,
    /// What the person may.
    pub role: Role,
    /// A sentence about what was done by the form before, to be shown once.
    pub notice: Option<String>,
}

impl Signed {
    /// Whether the person may do what takes a role.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }
}

impl<S: Sync> FromRequestParts<S> for Signed {
    type Rejection = Oops;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Oops> {
        // Put there by whoever let the request in.
        parts.extensions.get::<Self>().cloned().ok_or(Oops::Forbidden)
    }
}
