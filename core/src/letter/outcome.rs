//! Whose trouble it is where an email was not taken (spec §3.5): the email's own, or everybody's.
//!
//! A refusal of the sender, of a quota or of the server means nothing about the email that met it: it would
//! meet every other one as well. So it stops the round and calls a person, and every email stays pending.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::reply::{Enhanced, Reply};

/// How far the dialogue with the server was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// TCP, TLS, greeting and EHLO.
    Connect,
    /// STARTTLS and what follows it.
    Encrypt,
    /// AUTH.
    Login,
    /// `MAIL FROM`, the first command of an email.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA` and the message, its end not yet written.
    Message,
    /// The end of the message is written: the server may have taken it.
    Answer,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The server said no, or what means neither yes nor no.
    #[error("{0}")]
    Refused(Reply),
    /// The line was lost, or either side does not speak as it should.
    #[error("{0}")]
    Broken(String),
    /// The server went silent.
    #[error("no answer within {} seconds", .0.as_secs())]
    Silent(Duration),
}

/// An email was not taken: how far it came, and why it got no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How far.
    pub phase: Phase,
    /// Why.
    pub fault: Fault,
}

/// What is known of the same answer, from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// The two recipients just before, others than this one, got it too.
    SameToTwoOthers,
    /// The server refused this email before as if it were everybody's trouble, and took others since.
    OthersTaken,
}

/// Whose trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The email's own: it has failed.
    Email,
    /// Passing, and of this email alone as far as one knows: it is tried again later.
    Passing,
    /// As [`Trouble::Passing`], and the server may have the email already.
    Unanswered,
    /// The server is not there for anybody now.
    Away,
    /// The server refuses the sender, or has refused all mail for long: a person must see to it.
    Everybodys,
}

/// Whose trouble a problem is.
#[must_use]
pub fn whose(problem: &Problem, before: Before) -> Trouble {
    match &problem.fault {
        Fault::Refused(reply) => of_answer(problem.phase, reply.code(), reply.enhanced(), before),
        Fault::Broken(_) | Fault::Silent(_) => match problem.phase {
            Phase::Connect | Phase::Encrypt | Phase::Login => Trouble::Away,
            Phase::Sender | Phase::Recipient | Phase::Message => Trouble::Passing,
            Phase::Answer => Trouble::Unanswered,
        },
    }
}

/// Whose trouble an answer is that is no yes. The first that fits:
///
/// | answer | |
/// |---|---|
/// | 4xx before `MAIL FROM`, 421 at it | the server is away |
/// | other 4xx, 5.2.1 (switched off), 5.2.2 (full) behind `MAIL FROM` | tried again |
/// | 5xx at `MAIL FROM` or before; 5.1.7, 5.1.8 (the sender's address) | everybody's |
/// | 5.1.x | the email's |
/// | 5.2.0, 5.3.x, 5.4.5 (quota), 5.7.x (policy) | everybody's; where others were taken since: 5.3.4 (too large) the email's, else tried again |
/// | any other 5xx | the email's; everybody's where it is the third in a row |
/// | neither 4xx nor 5xx: no yes, no no | tried again; behind the message it may have been taken |
fn of_answer(phase: Phase, code: u16, enhanced: Option<Enhanced>, before: Before) -> Trouble {
    let enhanced = enhanced.map(|e| (e.subject, e.detail));
    match (code / 100, enhanced) {
        (4, _) if phase < Phase::Sender => Trouble::Away,
        (4, _) if phase == Phase::Sender && code == 421 => Trouble::Away,
        (4, _) | (5, Some((2, 1 | 2))) if phase > Phase::Sender || code / 100 == 4 => {
            Trouble::Passing
        }
        (5, _) if phase <= Phase::Sender => Trouble::Everybodys,
        (5, Some((1, 7 | 8))) => Trouble::Everybodys,
        (5, Some((1, _))) => Trouble::Email,
        (5, Some((2, 0) | (3 | 7, _) | (4, 5))) => match (before, enhanced) {
            (Before::OthersTaken, Some((3, 4))) => Trouble::Email,
            (Before::OthersTaken, _) => Trouble::Passing,
            (Before::Nothing | Before::SameToTwoOthers, _) => Trouble::Everybodys,
        },
        (5, _) if before == Before::SameToTwoOthers => Trouble::Everybodys,
        (5, _) => Trouble::Email,
        (_, _) if phase < Phase::Sender => Trouble::Away,
        (_, _) if phase == Phase::Answer => Trouble::Unanswered,
        (_, _) => Trouble::Passing,
    }
}

impl Problem {
    /// Whether nothing more can be said over this connection: it is broken, either side does not
    /// speak as it should, or the server has announced its end (421).
    #[must_use]
    pub fn ends_connection(&self) -> bool {
        match &self.fault {
            Fault::Refused(reply) => reply.code() == 421 || !matches!(reply.class(), 4 | 5),
            Fault::Broken(_) | Fault::Silent(_) => true,
        }
    }

    /// Whether a connection that had been idle was found closed, before the server heard of this email.
    #[must_use]
    pub fn is_stale_connection(&self) -> bool {
        self.phase == Phase::Sender && self.ends_connection()
    }

    /// The server's no, where it said one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Reply> {
        match &self.fault {
            Fault::Refused(reply) => Some(reply),
            Fault::Broken(_) | Fault::Silent(_) => None,
        }
    }
}

/// `RCPT TO: 550 5.1.1 unknown`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doing = match self.phase {
            Phase::Connect => "cannot connect",
            Phase::Encrypt => "cannot encrypt by STARTTLS",
            Phase::Login => "cannot log in",
            Phase::Sender => "MAIL FROM",
            Phase::Recipient => "RCPT TO",
            Phase::Message => "DATA",
            Phase::Answer => "end of message",
        };
        write!(f, "{doing}: {}", self.fault)
    }
}

/// What came before in a round: one answer to three recipients in a row is about none of them.
#[derive(Debug, Default)]
pub struct Streak {
    /// The answer, and the emails that met it.
    seen: Option<(Reply, Vec<Met>)>,
    /// How many of these are known not to have failed.
    put_back: usize,
}

/// An email that met an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// Its id.
    pub id: String,
    /// To whom it was to go.
    pub recipient: String,
}

/// Whose trouble it turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Of the email that met it last.
    pub trouble: Trouble,
    /// The ids of emails just before, taken to have failed, which it was not the trouble of after all.
    pub innocent: Vec<String>,
}

impl Streak {
    /// The server took an email.
    pub fn taken(&mut self) {
        *self = Self::default();
    }

    /// Judges what `email` met; `others_taken` since the server refused it before.
    pub fn judge(&mut self, problem: &Problem, email: Met, others_taken: bool) -> Judgement {
        let before = if others_taken { Before::OthersTaken } else { Before::Nothing };
        let alone = Judgement { trouble: whose(problem, before), innocent: Vec::new() };
        let counts = |reply: &&Reply| reply.enhanced().is_none_or(|e| e.subject != 1);
        let answer = match problem.refusal().filter(counts) {
            Some(answer) if alone.trouble == Trouble::Email && !others_taken => answer,
            _ => {
                *self = Self::default();
                return alone;
            }
        };
        if !self.seen.as_ref().is_some_and(|(before, _)| before.resembles(answer)) {
            *self = Self { seen: Some((answer.clone(), Vec::new())), put_back: 0 };
        }
        let Some((_, seen)) = &mut self.seen else { return alone };
        let others = seen.iter().map(|other| &other.recipient).filter(|r| **r != email.recipient);
        let in_a_row = others.collect::<BTreeSet<_>>().len();
        let innocent = seen.iter().skip(self.put_back).map(|other| other.id.clone()).collect();
        seen.push(email);
        if in_a_row < 2 {
            return alone;
        }
        // Whoever meets it next meets the same, until one is taken.
        self.put_back = seen.len();
        Judgement { trouble: whose(problem, Before::SameToTwoOthers), innocent }
    }
}

#[cfg(test)]
mod tests;
