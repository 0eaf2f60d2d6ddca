//! A mail server's reply, read as bytes, in bounds, by its code (RFC 5321 §4.2, RFC 3463).
//!
//! Servers answer in Latin-1, with a code alone, in lines longer than RFC 5321 allows, or without end. Only
//! the code decides; the words are for people. A reply that is taken for a lost connection is an email that
//! is sent again, though the server has it.

use std::fmt;

use super::text::{decoded, one_line, shortened};

/// The most that a server may say in one reply, in bytes.
pub const MOST: usize = 64 * 1024;
/// How much of a line is kept, in bytes: RFC 5321 §4.5.3.1.5 allows 512.
const KEPT: usize = 1000;
/// How much of a reply is shown, in characters.
const SHOWN: usize = 400;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599, of the last line.
    code: u16,
    /// Of each line what stands behind the code, at most [`KEPT`] bytes of it.
    lines: Vec<String>,
}

/// What came is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoReply {
    /// A line that does not begin with a code.
    #[error("it does not answer as a mail server")]
    NoCode,
    /// More than [`MOST`] bytes.
    #[error("its answer does not end")]
    TooLong,
}

/// An enhanced status code, `class.subject.detail` (RFC 3463).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enhanced {
    /// 2, 4 or 5.
    pub class: u16,
    /// What it is about: 1 an address, 2 a mailbox, 3 the system, 4 the way, 5 the dialogue, 6 the
    /// message, 7 policy.
    pub subject: u16,
    /// What about it.
    pub detail: u16,
}

impl Reply {
    /// The code, as a number: 250.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Its first digit: 2 done, 3 go on, 4 not now, 5 no.
    #[must_use]
    pub fn class(&self) -> u16 {
        self.code / 100
    }

    /// What stands behind the code, line by line.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// The enhanced code of the last line that has one of the reply's class.
    #[must_use]
    pub fn enhanced(&self) -> Option<Enhanced> {
        let fits = |enhanced: &Enhanced| enhanced.class == self.class();
        self.lines().rev().find_map(|line| enhanced(line).filter(fits))
    }

    /// Whether it is the same answer, to somebody else: addresses, numbers and ids in it aside.
    #[must_use]
    pub fn resembles(&self, other: &Self) -> bool {
        self.code == other.code
            && self.enhanced() == other.enhanced()
            && self.words().eq(other.words())
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let is_particular = |c: char| c == '@' || c.is_ascii_digit();
        self.lines().flat_map(str::split_whitespace).filter(move |w| !w.contains(is_particular))
    }
}

/// On one line, for people: safe for a terminal, and not longer than a few of its lines.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        let text = shortened(&one_line(&self.lines.join(" ")), SHOWN);
        if text.is_empty() { Ok(()) } else { write!(f, " {text}") }
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// Puts a reply together from what arrives.
#[derive(Debug, Default)]
pub struct ReplyReader {
    /// How much came.
    read: usize,
    /// Of the line that has not ended.
    line: Vec<u8>,
    lines: Vec<String>,
}

impl ReplyReader {
    /// Takes in what arrived; how much of it belongs to the reply, and the reply once it is whole.
    ///
    /// # Errors
    /// [`NoReply`]; nothing that comes afterwards means anything.
    pub fn take(&mut self, arrived: &[u8]) -> Result<(usize, Option<Reply>), NoReply> {
        let mut used = 0;
        for piece in arrived.split_inclusive(|byte| *byte == b'\n') {
            used += piece.len();
            self.read += piece.len();
            if self.read > MOST {
                return Err(NoReply::TooLong);
            }
            let room = (KEPT + CODE_AND_ENDS).saturating_sub(self.line.len());
            self.line.extend_from_slice(piece.get(..room).unwrap_or(piece));
            if !piece.ends_with(b"\n") {
                // Whatever it is, it is no reply: told before the rest of it has come.
                if self.line.len() >= 3 {
                    code(&self.line)?;
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let (code, goes_on) = code(&line)?;
            let text = line.get(4..).unwrap_or_default();
            let text = text.get(..KEPT).unwrap_or(text);
            self.lines.push(decoded(text).trim_end().to_owned());
            if !goes_on {
                let lines = std::mem::take(&mut self.lines);
                *self = Self::default();
                return Ok((used, Some(Reply { code, lines })));
            }
        }
        Ok((used, None))
    }
}

/// A code, what stands behind it, and the end of the line.
const CODE_AND_ENDS: usize = 6;

/// The code at the beginning of a line, and whether another line follows.
fn code(line: &[u8]) -> Result<(u16, bool), NoReply> {
    let (digits, rest) = line.split_at_checked(3).ok_or(NoReply::NoCode)?;
    if !matches!(digits, [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9']) {
        return Err(NoReply::NoCode);
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.first() {
        Some(b'-') => Ok((code, true)),
        // A code alone ends a reply, as RFC 5321 §4.2 allows.
        None | Some(b' ' | b'\t' | b'\r' | b'\n') => Ok((code, false)),
        Some(_) => Err(NoReply::NoCode),
    }
}

fn enhanced(line: &str) -> Option<Enhanced> {
    let word = line.split_whitespace().next()?;
    let mut numbers = word
        .split('.')
        .map(|part| (1..=3).contains(&part.len()).then(|| part.parse().ok()).flatten());
    let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
    (numbers.next().is_none() && matches!(class, 2 | 4 | 5)).then_some(Enhanced {
        class,
        subject,
        detail,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Reply>, NoReply> {
        ReplyReader::default().take(bytes).map(|(_, reply)| reply)
    }

    #[rstest]
    #[case(b"250 2.0.0 Ok: queued as 4F2\r\n", "250 2.0.0 Ok: queued as 4F2")]
    #[case(b"250\r\n", "250")]
    #[case(b"250\n", "250")]
    #[case(b"250 \r\n", "250")]
    #[case(b"250-test\r\n250-STARTTLS\r\n250 SIZE 1\r\n", "250 test STARTTLS SIZE 1")]
    // Exchange in Portuguese, in Latin-1; and in UTF-8.
    #[case(b"550 5.1.1 Usu\xe1rio desconhecido\r\n", "550 5.1.1 Usuário desconhecido")]
    #[case("550 5.1.1 Usuário desconhecido\r\n".as_bytes(), "550 5.1.1 Usuário desconhecido")]
    #[case(b"220 servi\xe7o pronto\r\n", "220 serviço pronto")]
    #[case(b"250 a\x1b[31m\x00b\r\n", "250 a [31m b")]
    // The last line's code stands.
    #[case(b"250-one\r\n550 two\r\n", "550 one two")]
    fn is_read(#[case] bytes: &[u8], #[case] expected: &str) {
        assert_eq!(read(bytes).unwrap().unwrap().to_string(), expected);
    }

    #[rstest]
    #[case(b"hello\r\n", NoReply::NoCode)]
    #[case(b"\r\n", NoReply::NoCode)]
    #[case(b"25\r\n", NoReply::NoCode)]
    #[case(b"2500 ok\r\n", NoReply::NoCode)]
    #[case(b"650 ok\r\n", NoReply::NoCode)]
    #[case(b"HTTP/1.1 400 Bad Request", NoReply::NoCode)] // before its line ends
    fn is_no_reply(#[case] bytes: &[u8], #[case] expected: NoReply) {
        assert_eq!(read(bytes), Err(expected));
    }

    #[test]
    fn a_long_line_is_cut_and_an_endless_one_given_up() {
        let long = [b"250 ".to_vec(), vec![b'a'; 20_000], b"\r\n".to_vec()].concat();
        let reply = read(&long).unwrap().unwrap();
        assert_eq!((reply.code(), reply.lines().next().unwrap().len()), (250, KEPT));
        let mut reader = ReplyReader::default();
        assert_eq!(reader.take(b"220 "), Ok((4, None)));
        let piece = [b'a'; 1024];
        let ended = (0..100).find(|_| reader.take(&piece) == Err(NoReply::TooLong));
        assert_eq!(ended, Some(63));
        assert!(reader.line.len() <= KEPT + CODE_AND_ENDS);
        let lines = b"250-a\r\n".repeat(MOST / 7 + 1);
        assert_eq!(read(&lines), Err(NoReply::TooLong));
    }

    #[test]
    fn what_follows_a_reply_is_left() {
        let mut reader = ReplyReader::default();
        let (used, reply) = reader.take(b"220 go\r\n250 forged\r\n").unwrap();
        assert_eq!((used, reply.unwrap().code()), (8, 220));
    }

    #[rstest]
    #[case("550 5.1.1 no", Some((5, 1, 1)))]
    #[case("550 no", None)]
    #[case("550 5.1 no", None)]
    #[case("550 192.168.0.1 is blocked", None)]
    #[case("550 5.1.1.1 no", None)]
    #[case("550 4.1.1 no", None)] // of another class: not to be believed
    #[case("550-5.4.5 Daily user sending\r\n550 5.4.5 limit exceeded", Some((5, 4, 5)))]
    #[case("550-5.4.5 Daily user sending\r\n550 limit exceeded", Some((5, 4, 5)))]
    fn enhanced_codes(#[case] text: &str, #[case] expected: Option<(u16, u16, u16)>) {
        let reply = read(format!("{text}\r\n").as_bytes()).unwrap().unwrap();
        let found = reply.enhanced().map(|e| (e.class, e.subject, e.detail));
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case("550 <a@x.com>: unknown user", "550 <b@y.com>: unknown user", true)]
    #[case("550 limit reached d12sm1-x - gsmtp", "550 limit reached e77sm9-x - gsmtp", true)]
    #[case("550 no", "554 no", false)]
    #[case("550 unknown user", "550 limit reached", false)]
    fn the_same_answer(#[case] one: &str, #[case] other: &str, #[case] expected: bool) {
        let reply = |text: &str| read(format!("{text}\r\n").as_bytes()).unwrap().unwrap();
        assert_eq!(reply(one).resembles(&reply(other)), expected);
    }

    proptest! {
        /// However it arrives, it is the same reply.
        #[test]
        fn pieces_do_not_matter(
            bytes in "([1-5][0-9]{2}[- ][ -ÿ]{0,20}\r?\n){1,5}",
            at in any::<prop::sample::Index>(),
        ) {
            let bytes = bytes.as_bytes();
            let (first, second) = bytes.split_at(at.index(bytes.len()));
            let mut reader = ReplyReader::default();
            let in_two = match reader.take(first) {
                Ok((_, None)) => reader.take(second).map(|(_, reply)| reply),
                done => done.map(|(_, reply)| reply),
            };
            prop_assert_eq!(in_two, read(bytes));
        }
    }
}
