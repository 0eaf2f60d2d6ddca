//! How a telephone number is written for Brazilian readers.

/// `(54) 3000-0000` or `(54) 98888-7777` of a Brazilian number, with or without `+55`, however it is
/// spaced; any other text as it is.
#[must_use]
pub fn in_words(phone: &str) -> String {
    let phone = phone.trim();
    let spelled = phone.chars().all(|c| c.is_ascii_digit() || " +-.()\u{a0}".contains(c));
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let national = match digits.strip_prefix("55") {
        Some(national) if phone.starts_with('+') => national,
        _ if phone.starts_with('+') => return phone.to_owned(),
        _ => &digits,
    };
    let area_and_number = (national.len() == 10 || national.len() == 11)
        .then(|| national.split_at(2))
        .filter(|(area, number)| spelled && !area.contains('0') && !number.starts_with('0'));
    match area_and_number {
        Some((area, number)) => {
            let (head, tail) = number.split_at(number.len() - 4);
            format!("({area}) {head}-{tail}")
        }
        None => phone.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("+55 54 3000-0000", "(54) 3000-0000")]
    #[case("+5554988887777", "(54) 98888-7777")]
    #[case("(54) 3000-0000", "(54) 3000-0000")]
    #[case(" 54 3000 0000 ", "(54) 3000-0000")]
    #[case("0800 123 4567", "0800 123 4567")]
    #[case("+351 21 123 4567", "+351 21 123 4567")]
    #[case("3000-0000", "3000-0000")]
    #[case("54 3000-0000 ramal 12", "54 3000-0000 ramal 12")]
    #[case("", "")]
    fn numbers_are_written_as_they_are_dialled(#[case] phone: &str, #[case] expected: &str) {
        assert_eq!(in_words(phone), expected);
    }
}
