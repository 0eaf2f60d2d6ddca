//! What a time zone is called by those who live in it.

use chrono_tz::Tz;

/// A zone as Brazilian readers call it, with nothing before it: `horário de Brasília`. States that keep the
/// legal time of the capital are said by the capital (Decree 2.784 of 1913 and Law 12.876 of 2013); a zone abroad
/// is said by its name in the tz database, since every other word could be misread.
#[must_use]
pub fn in_words(zone: Tz) -> String {
    use chrono_tz::America;
    let place = match zone {
        America::Sao_Paulo
        | America::Araguaina
        | America::Bahia
        | America::Belem
        | America::Fortaleza
        | America::Maceio
        | America::Recife
        | America::Santarem => "de Brasília",
        America::Campo_Grande => "de Campo Grande",
        America::Cuiaba => "de Cuiabá",
        America::Manaus => "de Manaus",
        America::Porto_Velho => "de Porto Velho",
        America::Boa_Vista => "de Boa Vista",
        America::Rio_Branco | America::Eirunepe => "do Acre",
        America::Noronha => "de Fernando de Noronha",
        Tz::UTC => return "horário UTC".to_owned(),
        other => return format!("fuso horário {other}"),
    };
    format!("horário {place}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("America/Sao_Paulo", "horário de Brasília")]
    #[case("America/Fortaleza", "horário de Brasília")]
    #[case("America/Cuiaba", "horário de Cuiabá")]
    #[case("America/Rio_Branco", "horário do Acre")]
    #[case("America/Noronha", "horário de Fernando de Noronha")]
    #[case("UTC", "horário UTC")]
    #[case("Europe/Lisbon", "fuso horário Europe/Lisbon")]
    fn zones_are_called_as_people_call_them(#[case] zone: &str, #[case] expected: &str) {
        assert_eq!(in_words(zone.parse().unwrap()), expected);
    }

    /// A state that changed its time would be called by a wrong name.
    #[test]
    fn zones_of_one_name_have_one_time() {
        use chrono::{Offset, TimeZone, Utc};
        let offset =
            |zone: Tz, at| Utc.timestamp_opt(at, 0).unwrap().with_timezone(&zone).offset().fix();
        for at in [1_577_836_800, 1_593_561_600, 1_893_456_000] {
            for zone in chrono_tz::TZ_VARIANTS {
                let capital = match in_words(zone).as_str() {
                    "horário de Brasília" => Tz::America__Sao_Paulo,
                    "horário do Acre" => Tz::America__Rio_Branco,
                    _ => zone,
                };
                assert_eq!(offset(zone, at), offset(capital, at), "{zone}");
            }
        }
    }
}
