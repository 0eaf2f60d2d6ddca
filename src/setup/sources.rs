//! Ready-made SELECTs for known systems (`docs/sources/`), for `fecha init --source NAME`.
//!
//! What a configuration needs beside the SELECT stands in the head of its file, as comments `-- key: value`.

/// The SELECT of one system, or what makes its relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// By which it is asked for: the file's name without its ending.
    pub name: &'static str,
    /// The file's name.
    pub file: &'static str,
    /// The whole file.
    pub text: &'static str,
}

macro_rules! recipes {
    ($($name:literal . $ending:literal),* $(,)?) => {
        /// All of them, by name.
        pub const RECIPES: &[Recipe] = &[$(Recipe {
            name: $name,
            file: concat!($name, ".", $ending),
            text: include_str!(concat!("../../docs/sources/", $name, ".", $ending)),
        }),*];
    };
}

recipes!(
    "chatwoot"."sql",
    "cloud-webhook-postgresql"."sql",
    "cloud-webhook-postgresql-matview"."sql",
    "cloud-webhook-sqlite"."sql",
    "csv-export-to-sqlite"."sh",
    "evolution-mysql"."sql",
    "evolution-mysql-indexed"."sql",
    "evolution-postgresql"."sql",
    "frappe-whatsapp-mariadb"."sql",
    "glific"."sql",
    "gowa-sqlite"."sql",
    "rapidpro"."sql",
    "ticketz-postgresql"."sql",
    "waha-noweb-sqlite"."sql",
    "whaticket-mysql"."sql",
    "whatomate"."sql",
);

/// There is no recipe of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no SELECT for '{name}': the known ones are {}. For another system: docs/sources/write-your-own.md",
    RECIPES.iter().map(|recipe| recipe.name).collect::<Vec<_>>().join(", ")
)]
pub struct UnknownRecipe {
    name: String,
}

impl Recipe {
    /// # Errors
    /// [`UnknownRecipe`], which names all.
    pub fn named(name: &str) -> Result<Self, UnknownRecipe> {
        let known = RECIPES.iter().find(|recipe| recipe.name == name || recipe.file == name);
        known.copied().ok_or_else(|| UnknownRecipe { name: name.to_owned() })
    }

    /// Where the messages are, with an invented host.
    #[must_use]
    pub fn url(&self) -> &'static str {
        self.value("url").unwrap_or_default()
    }

    /// The table or view that the file makes; `None` where the file itself is the relation.
    #[must_use]
    pub fn relation(&self) -> Option<&'static str> {
        self.value("relation")
    }

    /// The key, and its value, that says what `sent_at` is; `None` where it is an instant.
    #[must_use]
    pub fn sent_at(&self) -> Option<(&'static str, &'static str)> {
        let keys = ["sent_at_unit", "sent_at_zone"];
        keys.into_iter().find_map(|key| Some((key, self.value(key)?)))
    }

    /// The system's words for what is not to be counted.
    #[must_use]
    pub fn ignored_statuses(&self) -> Vec<&'static str> {
        self.list("ignored_statuses")
    }

    /// The system's words for what is.
    #[must_use]
    pub fn counted_statuses(&self) -> Vec<&'static str> {
        self.list("counted_statuses")
    }

    /// What the owner of the database runs once, so that the month is found; empty where nothing helps, or
    /// nothing is needed.
    #[must_use]
    pub fn index(&self) -> String {
        self.values("index").map(|line| format!("{line}\n")).collect()
    }

    fn list(&self, key: &str) -> Vec<&'static str> {
        let words = self.value(key).unwrap_or_default().split(',').map(str::trim);
        words.filter(|word| !word.is_empty()).collect()
    }

    fn value(&self, key: &str) -> Option<&'static str> {
        self.values(key).next()
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &'static str> {
        let head = self.text.lines().skip_while(|line| line.starts_with("#!"));
        let head = head.map_while(|line| line.strip_prefix("-- ").or(line.strip_prefix("# ")));
        head.filter_map(move |line| {
            let value = line.strip_prefix(key)?.strip_prefix(':')?;
            Some(value.strip_prefix(' ').unwrap_or(value))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sources")
    }

    #[test]
    fn every_file_of_the_folder_is_one() {
        let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
        let names: BTreeSet<String> = names
            .map(|name| name.into_string().unwrap())
            .filter(|name| name.rsplit_once('.').is_none_or(|(_, kind)| kind != "md"))
            .collect();
        let known: BTreeSet<String> = RECIPES.iter().map(|recipe| recipe.file.to_owned()).collect();
        assert_eq!(names, known);
    }

    #[test]
    fn every_head_says_all_that_is_needed_and_nothing_else() {
        const KEYS: [&str; 9] = [
            "system",
            "read",
            "engine",
            "dealership_id",
            "url",
            "ignored_statuses",
            "counted_statuses",
            "index",
            "trap",
        ];
        for recipe in RECIPES {
            for key in KEYS.iter().filter(|key| **key != "index") {
                assert!(recipe.value(key).is_some(), "{}: {key}", recipe.file);
            }
            for line in recipe.text.lines().filter_map(|line| line.strip_prefix("-- ")) {
                let key = line.split(':').next().unwrap();
                let is_known = KEYS.contains(&key)
                    || ["relation", "sent_at_unit", "sent_at_zone"].contains(&key);
                assert!(is_known, "{}: {line}", recipe.file);
            }
            assert!(fecha_core::database::Scheme::of(recipe.url()).is_some(), "{}", recipe.file);
        }
    }

    #[test]
    fn the_table_of_the_page_names_each() {
        let page = fs::read_to_string(folder().join("README.md")).unwrap();
        for recipe in RECIPES {
            let link = format!("| [{}]({}) |", recipe.name, recipe.file);
            assert!(page.contains(&link), "{link}");
        }
    }
}
