//! Whose number a user id or a LID stands for, where the message database knows it.

use hashbrown::HashMap;

use super::contact::{Identity, Spelt};
use super::rules::CountingRules;

/// The alias relation of a source: one person by number and by user id is one contact (spec §2
/// *Contact identity*, §3.1).
#[derive(Debug, Clone, Default)]
pub struct Aliases(HashMap<Box<str>, Identity>);

impl Aliases {
    /// Keeps that `alias` (a user id, or a LID with or without its `@lid`) stands for the number
    /// `contact`. What is no alias or no number is left out: then the alias stays a contact of its own.
    /// Of two numbers of one alias the smaller stands, whichever comes first.
    pub fn add(&mut self, alias: &[u8], contact: &[u8], rules: CountingRules) {
        // WhatsApp's own tables have LIDs as bare digits.
        let is_bare = !alias.is_empty() && alias.iter().all(u8::is_ascii_digit);
        let suffixed = if is_bare { [alias, b"@lid"].concat() } else { alias.to_vec() };
        let Spelt::Contact(Identity::UserId(alias)) = rules.read(&suffixed) else { return };
        let Spelt::Contact(number @ Identity::Number(_)) = rules.read(contact) else { return };
        let known = self.0.entry(alias).or_insert_with(|| number.clone());
        if number < *known {
            *known = number;
        }
    }

    /// How many aliases are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number behind a user id or LID; else the identity as it is.
    pub(super) fn resolve(&self, identity: Identity) -> Identity {
        match &identity {
            Identity::UserId(id) => self.0.get(id).cloned().unwrap_or(identity),
            Identity::Number(_) => identity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_stands_for_its_number() {
        let mut aliases = Aliases::default();
        let rules = CountingRules::default();
        for (alias, contact) in [
            ("BR.1349", "+55 48 9999-0820"),
            ("235085806727321", "5548999990821"),
            ("99@lid", "5548999990823"),
            ("99@lid", "5548999990822@s.whatsapp.net"),
            ("5548", "5548999990825"),
            ("", "5548999990820"),
            ("US.7", "BR.1349"),
        ] {
            aliases.add(alias.as_bytes(), contact.as_bytes(), rules);
        }
        let of = |spelling: &str| {
            aliases.resolve(Identity::parse(spelling.as_bytes()).unwrap()).to_string()
        };
        assert_eq!(aliases.len(), 4);
        assert_eq!(of("5548@lid"), "5548999990825");
        assert_eq!(of("BR.1349"), "5548999990820");
        assert_eq!(of("235085806727321:4@lid"), "5548999990821");
        assert_eq!(of("99@lid"), "5548999990822");
        assert_eq!(of("US.7"), "US.7");
        assert_eq!(of("5548999990820"), "5548999990820");
    }
}
