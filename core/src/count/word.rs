//! Values of a source that are shown to people, though they may be anything.

/// Longer than any word that a system has for a status, a direction or a kind.
const LONGEST: usize = 40;

/// As many digits in a row may be a telephone number.
const NUMBER: usize = 8;

/// A value as it may stand in a ledger or an email: a SELECT that reads the wrong column gives texts and
/// numbers of people where a word should be. What is longer than a word is cut, and digits that may be a
/// number are masked but for the last two.
pub(super) fn shown(value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value);
    let mut letters: Vec<char> = value.chars().take(LONGEST + 1).collect();
    let is_cut = letters.len() > LONGEST;
    letters.truncate(LONGEST);
    let mut start = 0;
    while start < letters.len() {
        let digits = letters[start..].iter().take_while(|letter| letter.is_ascii_digit()).count();
        if digits >= NUMBER {
            letters[start..start + digits - 2].fill('•');
        }
        start += digits.max(1);
    }
    letters.into_iter().chain(is_cut.then_some('…')).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("FAILED", "FAILED")]
    #[case("failed ", "failed ")]
    #[case("3", "3")]
    #[case("error 1234567", "error 1234567")]
    #[case("5548999990820", "•••••••••••20")]
    #[case("to 5548999990820: no", "to •••••••••••20: no")]
    #[case(
        "Bom dia! O seu carro está pronto, pode vir buscar",
        "Bom dia! O seu carro está pronto, pode v…"
    )]
    fn a_word_stays_and_what_is_of_people_does_not(#[case] value: &str, #[case] expected: &str) {
        assert_eq!(shown(value.as_bytes()), expected);
    }
}
