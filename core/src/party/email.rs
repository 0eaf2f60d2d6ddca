//! Which email addresses no server takes mail for, whoever has them: found here, a person can still fix them.

use std::fmt;

/// The most bytes of the name before the `@` (RFC 5321 §4.5.3.1.1).
const LONGEST_NAME: usize = 64;
/// The most bytes of an address: a path of 256 without its brackets (§4.5.3.1.3).
const LONGEST: usize = 254;
/// The most letters of a part of a domain (RFC 1035 §2.3.4).
const LONGEST_LABEL: usize = 63;

/// Why no server takes mail for an address; its words go on from "write it as name@example.com".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said by their words")]
pub enum Refusal {
    NoAddress,
    Accents,
    Quotes,
    Machine,
    TooLong,
    Name,
    Domain,
    NoEnding,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAddress => "",
            Self::Accents => ", without accents before the @, which mail servers refuse",
            Self::Quotes => ", without quotes, which mail servers refuse",
            Self::Machine => ", with the name of a domain: mail servers refuse the address of a machine",
            Self::TooLong => ": it is longer than mail servers take, 64 letters before the @ and 254 in all",
            Self::Name => "; before the @ stand letters, digits and signs such as . - _ +, no point first, last or twice",
            Self::Domain => "; a domain has letters, digits and hyphens between its points",
            Self::NoEnding => ": its domain has no ending such as .com.br",
        })
    }
}

/// Why an address `name@domain` would be refused at once; `None` where it can be tried.
///
/// RFC 5321 allows more, a quoted name and the address of a machine among it; what is refused here is what
/// providers refuse.
#[must_use]
pub fn refused_at_once(address: &str) -> Option<Refusal> {
    let Some((name, domain)) = address.rsplit_once('@') else { return Some(Refusal::NoAddress) };
    if !name.is_ascii() {
        return Some(Refusal::Accents);
    }
    let is_name = |part: &str| !part.is_empty() && part.bytes().all(is_atom);
    let reason = if name.starts_with('"') {
        Refusal::Quotes
    } else if domain.starts_with('[') || is_number(domain) {
        Refusal::Machine
    } else if name.len() > LONGEST_NAME || address.len() > LONGEST {
        Refusal::TooLong
    } else if !name.split('.').all(is_name) {
        Refusal::Name
    } else if !domain.split('.').all(is_label) {
        Refusal::Domain
    } else if !domain.contains('.') {
        Refusal::NoEnding
    } else {
        return None;
    };
    Some(reason)
}

/// What may stand in a name without quotes (RFC 5322 §3.2.3).
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_label(label: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether a domain ends in a number, as no domain does (RFC 3696 §2).
fn is_number(domain: &str) -> bool {
    domain
        .rsplit('.')
        .next()
        .is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("financeiro@example.com")]
    #[case("a.b+c_d-e@loja.example.com.br")]
    #[case("o'brien#1@example.com")]
    #[case("loja@xn--concessionria-mbb.com.br")]
    #[case("1@1.com")]
    fn can_be_tried(#[case] address: &str) {
        assert_eq!(refused_at_once(address), None);
    }

    #[rstest]
    #[case(r#""a b"@x.com"#, "without quotes")]
    #[case(r#""ab"@x.com"#, "without quotes")]
    #[case("a@[127.0.0.1]", "the address of a machine")]
    #[case("a@[IPv6:::1]", "the address of a machine")]
    #[case("a@127.0.0.1", "the address of a machine")]
    #[case("josé@x.com", "without accents")]
    #[case("a@josé.com", "letters, digits and hyphens")] // it stands as xn-- where it is read
    #[case("a..b@x.com", "no point first, last or twice")]
    #[case(".a@x.com", "no point first")]
    #[case("a.@x.com", "no point first")]
    #[case("a b@x.com", "before the @")]
    #[case("a(b)@x.com", "before the @")]
    #[case("a,b@x.com", "before the @")]
    #[case("a@b@x.com", "before the @")]
    #[case("a\u{7f}@x.com", "before the @")]
    #[case("@x.com", "before the @")]
    #[case("a@x_y.com", "letters, digits and hyphens")]
    #[case("a@-x.com", "letters, digits and hyphens")]
    #[case("a@x-.com", "letters, digits and hyphens")]
    #[case("a@x..com", "letters, digits and hyphens")]
    #[case("a@x.com.", "letters, digits and hyphens")]
    #[case("a@", "letters, digits and hyphens")]
    #[case("a@gmail", "no ending")]
    #[case("postmaster@localhost", "no ending")]
    #[case("a", "")]
    fn is_refused_at_once(#[case] address: &str, #[case] why: &str) {
        let reason = refused_at_once(address).unwrap().to_string();
        assert!(reason.contains(why), "{reason}");
    }

    #[test]
    fn no_longer_than_servers_take() {
        let of = |name: usize, label: usize| {
            format!("{}@{l}.{l}.{l}.com", "a".repeat(name), l = "b".repeat(label))
        };
        assert_eq!(refused_at_once(&of(64, 57)), None);
        assert_eq!(refused_at_once(&of(65, 20)), Some(Refusal::TooLong));
        assert_eq!(refused_at_once(&of(64, 63)), Some(Refusal::TooLong));
        assert_eq!(refused_at_once(&of(10, 64)), Some(Refusal::Domain));
    }
}
