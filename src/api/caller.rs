//! Who asks: a program with a token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use fecha_core::party::person::Role;

use super::{Api, Kind, Problem};
use crate::actions::task::Asker;
use crate::ledger::requests::Claim;
use crate::ledger::tokens::Token;
use crate::setup::office::Office;

/// The program that asks. Whoever takes one as an argument is served to nobody else.
#[derive(Debug, Clone)]
pub struct Caller {
    /// By id, as what is asked for keeps it: no person's.
    pub id: String,
    /// As the audit log names it.
    pub name: String,
    role: Role,
}

impl Caller {
    /// Whoever shows this token.
    #[must_use]
    pub fn of(token: &Token) -> Self {
        let (id, name) = (format!("token {}", token.id), format!("token {}", token.name));
        Self { id, name, role: token.role }
    }

    /// Whether the program may do what takes a role.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Put there by the gate.
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(Kind::Unauthorized, "no token was shown"))
    }
}

/// Who changes something, with an office whose ledger keeps that it was done for this request.
#[derive(Debug, Clone)]
pub struct Doer {
    /// What is written with it is done for this request alone.
    pub office: Office,
    /// Who asks.
    pub caller: Caller,
}

impl Doer {
    /// As tasks name it.
    #[must_use]
    pub fn asker(&self) -> Asker<'_> {
        Asker { person: Some(&self.caller.id), name: &self.caller.name }
    }
}

impl FromRequestParts<Api> for Doer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, api).await?;
        // Put there by whoever sees to it that a request is carried out once.
        let claim = parts.extensions.get::<Claim>();
        let claim = claim.ok_or_else(|| Problem::new(Kind::NoKey, "send an Idempotency-Key"))?;
        let ledger = api.office.ledger.for_request(claim);
        let office = api.office.on_behalf(&caller.name, ledger);
        Ok(Self { office, caller })
    }
}
