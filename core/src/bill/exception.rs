//! What a close leaves to a person, by name.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::month::Month;
use crate::count::status::{Meaning, StatusFound};
use crate::count::tally::Tally;
use crate::price::money::Money;
use crate::price::table::PriceTable;

/// Why a dealership, or an id, needs a person (spec §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Messages, but no package in the month: not invoiced.
    NoContract,
    /// An id that the register lacks: not invoiced.
    UnknownDealership,
    /// Messages whose direction or kind is none: invoiced without them.
    Malformed,
    /// The price table lacks the package: not invoiced.
    NoPrice,
    /// A status that is on no list of the configuration: its messages are invoiced.
    UnknownStatus,
    /// Rows whose time is before 2009 or later than tomorrow: they are in no month that is closed.
    Misdated,
    /// An error kept the invoice from being issued: the next close tries again.
    Failed,
}

impl Reason {
    /// The key in JSON and in the ledger.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::NoContract => "no_contract",
            Self::UnknownDealership => "unknown_dealership",
            Self::Malformed => "malformed",
            Self::NoPrice => "no_price",
            Self::UnknownStatus => "unknown_status",
            Self::Misdated => "misdated",
            Self::Failed => "failed",
        }
    }

    /// What it means and what to do, in Portuguese, for the digest.
    #[must_use]
    pub fn advice_pt(self) -> &'static str {
        match self {
            Self::NoContract => {
                "Mensagens sem pacote contratado no mês: não faturado. Cadastre o contrato e rode o fechamento de novo."
            }
            Self::UnknownDealership => {
                "Código que não está no cadastro: não faturado. Cadastre a concessionária e rode o fechamento de novo; se as mensagens são de uma concessionária já faturada, corrija a origem e refaça a fatura dela."
            }
            Self::Malformed => {
                "Mensagens com direção ou tipo inválido: ficaram fora da fatura. Corrija a origem e refaça o mês."
            }
            Self::NoPrice => {
                "O pacote não existe na tabela de preços do mês: não faturado. Corrija o contrato ou a tabela."
            }
            Self::UnknownStatus => {
                "Status que a configuração não conhece: as mensagens foram cobradas. Diga na configuração se conta (counted_statuses) ou não (ignored_statuses); se não devia ser cobrada, refaça o mês."
            }
            Self::Misdated => {
                "Mensagens com data antes de 2009 ou no futuro: não entram em nenhum mês. Corrija a origem."
            }
            Self::Failed => "Erro ao emitir: não faturado. O próximo fechamento tenta de novo.",
        }
    }

    /// The command that takes it into the month once its cause is gone; `None` where none does.
    #[must_use]
    pub fn command(self, month: Month) -> Option<String> {
        match self {
            Self::NoContract | Self::UnknownDealership | Self::NoPrice | Self::Failed => {
                Some(format!("fecha close --month {month}"))
            }
            Self::Malformed | Self::UnknownStatus => {
                Some(format!("fecha rerun --month {month} --all --reason \"MOTIVO\" --by NOME"))
            }
            Self::Misdated => None,
        }
    }

    /// What is the matter with one, for admins at the command line.
    #[must_use]
    pub fn fact(self) -> &'static str {
        match self {
            Self::NoContract => "has messages but no package",
            Self::UnknownDealership => "is not in the register",
            Self::Malformed => "has messages whose direction or kind is none of the known",
            Self::NoPrice => "has a package that the price table lacks",
            Self::UnknownStatus => "is on no list",
            Self::Misdated => "lie before 2009 or later than tomorrow, in no month that is closed",
            Self::Failed => "could not be issued",
        }
    }

    /// What is the matter with several.
    #[must_use]
    pub fn facts(self) -> &'static str {
        match self {
            Self::NoContract => "have messages but no package",
            Self::UnknownDealership => "are not in the register",
            Self::Malformed => "have messages whose direction or kind is none of the known",
            Self::NoPrice => "have a package that the price table lacks",
            Self::UnknownStatus => "are on no list",
            Self::Misdated | Self::Failed => self.fact(),
        }
    }

    /// What to do, for admins at the command line.
    #[must_use]
    pub fn todo(self) -> &'static str {
        match self {
            Self::NoContract => "import the contract, then close again",
            Self::UnknownDealership => {
                "import the dealership, then close again; where the messages are those of a dealership that is invoiced already, fix the source and rerun that one"
            }
            Self::Malformed => {
                "they were not billed; fix the source, then rerun the month for it where it is invoiced"
            }
            Self::NoPrice => "fix the contract or [[prices]]",
            Self::UnknownStatus => {
                "the messages were billed; write it in [counting] counted_statuses or ignored_statuses, and rerun the month where they should not have been"
            }
            Self::Misdated => "fix the source",
            Self::Failed => "fix the cause, then close again",
        }
    }
}

/// One exception of a close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The id as the message database spells it; `None` for messages without one.
    pub dealership_id: Option<String>,
    /// Why.
    pub reason: Reason,
    /// How many messages it concerns.
    pub messages: u64,
    /// What exactly went wrong, where the reason alone does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// An exception as finance is told of it: with the dealership's name, and with money where that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excepted {
    /// What a close left to a person.
    #[serde(flatten)]
    pub exception: Exception,
    /// The dealership's name; `None` of an id that the register lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dealership_name: Option<String>,
    /// What it is about in reais; `None` where nobody can say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stake: Option<Stake>,
}

/// What an exception is about in reais.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stake {
    /// The invoice that could not be issued came to so much.
    Total(Money),
    /// The dealership was invoiced so much in the month before.
    Before(Money),
    /// The smallest package costs so much: should the id be a dealership, it would owe at least that.
    AtLeast(Money),
    /// Each of the messages, had it been an HSM to a contact above the package, would come to so much.
    AtMost(Money),
}

impl Stake {
    /// How much, however well it is known.
    #[must_use]
    pub fn amount(self) -> Money {
        match self {
            Self::Total(amount)
            | Self::Before(amount)
            | Self::AtLeast(amount)
            | Self::AtMost(amount) => amount,
        }
    }
}

/// What exceptions are worth is found from.
#[derive(Debug, Clone, Copy)]
pub struct Worth<'a> {
    /// The prices of the month.
    pub prices: &'a PriceTable,
    /// The dealerships of the register: their names, by id.
    pub names: &'a BTreeMap<String, String>,
    /// What the month's invoices came to, those that could not be issued too, by dealership.
    pub charged: &'a BTreeMap<String, Money>,
    /// What those of the month before came to.
    pub before: &'a BTreeMap<String, Money>,
}

impl Worth<'_> {
    /// Exceptions with names and money, the most money first.
    #[must_use]
    pub fn excepted(self, exceptions: &[Exception]) -> Vec<Excepted> {
        let mut excepted: Vec<Excepted> = exceptions.iter().map(|one| self.of(one)).collect();
        let amount = |one: &Excepted| one.stake.map_or(Money::ZERO, Stake::amount);
        excepted.sort_by_key(|one| (Reverse(amount(one)), Reverse(one.exception.messages)));
        excepted
    }

    fn of(self, exception: &Exception) -> Excepted {
        let id = exception.dealership_id.as_deref();
        Excepted {
            exception: exception.clone(),
            dealership_name: id.and_then(|id| self.names.get(id)).cloned(),
            stake: self.stake(exception, id),
        }
    }

    fn stake(self, exception: &Exception, id: Option<&str>) -> Option<Stake> {
        let of = |amounts: &BTreeMap<String, Money>| amounts.get(id?).copied();
        // Messages of an empty id are nobody's.
        let id = id.filter(|id| !id.trim().is_empty());
        let smallest = self.prices.packages.values().min().copied();
        match exception.reason {
            Reason::Failed => of(self.charged).map(Stake::Total),
            Reason::NoContract => {
                of(self.before).map(Stake::Before).or_else(|| smallest.map(Stake::AtLeast))
            }
            Reason::NoPrice => of(self.before).map(Stake::Before),
            Reason::UnknownDealership => id.and(smallest).map(Stake::AtLeast),
            Reason::Malformed | Reason::UnknownStatus => {
                let PriceTable { hsm, overage, .. } = self.prices;
                let each = [hsm, overage].map(|price| price.times(exception.messages));
                Some(Stake::AtMost(each[0]? + each[1]?))
            }
            Reason::Misdated => None,
        }
    }
}

impl Exception {
    /// What a count of a dealership's messages leaves to a person.
    #[must_use]
    pub fn of_tally(dealership_id: &str, tally: &Tally) -> Vec<Self> {
        let buckets = tally.buckets;
        let misread: Vec<String> =
            tally.misread.iter().map(|(value, messages)| format!("{value} ({messages})")).collect();
        let found =
            [(Reason::NoContract, buckets.no_contract), (Reason::Malformed, buckets.malformed)];
        found
            .into_iter()
            .filter(|(_, messages)| *messages > 0)
            .map(|(reason, messages)| Self {
                detail: (reason == Reason::Malformed).then(|| misread.join(", ")),
                ..Self::counted(Some(dealership_id), reason, messages)
            })
            .collect()
    }

    /// The statuses that a person should put on a list.
    #[must_use]
    pub fn of_statuses(statuses: &[StatusFound]) -> Vec<Self> {
        let unknown = statuses.iter().filter(|found| found.meaning == Meaning::Unknown);
        unknown
            .map(|found| Self {
                detail: found
                    .status
                    .as_ref()
                    .map(|status| format!("status '{}'", status.escape_debug())),
                ..Self::counted(None, Reason::UnknownStatus, found.messages)
            })
            .collect()
    }

    /// What it leaves of messages of ids that the register lacks, by id; `None` for those without one.
    #[must_use]
    pub fn of_unknown(unknown: &BTreeMap<Option<String>, u64>) -> Vec<Self> {
        unknown
            .iter()
            .filter(|(_, messages)| **messages > 0)
            .map(|(id, messages)| {
                Self::counted(id.as_deref(), Reason::UnknownDealership, *messages)
            })
            .collect()
    }

    fn counted(id: Option<&str>, reason: Reason, messages: u64) -> Self {
        Self { dealership_id: id.map(str::to_owned), reason, messages, detail: None }
    }

    /// Exceptions in the order in which people read them: by dealership, then reason.
    pub fn sort(exceptions: &mut [Self]) {
        exceptions.sort_by(|a, b| {
            (&a.dealership_id, a.reason, &a.detail).cmp(&(&b.dealership_id, b.reason, &b.detail))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::table::tests::table;

    #[test]
    fn exceptions_come_by_money() {
        let money = |text: &str| text.parse::<Money>().unwrap();
        let exception = |id: &str, reason, messages| Exception {
            dealership_id: Some(id.to_owned()),
            reason,
            messages,
            detail: None,
        };
        let exceptions = [
            exception("d1", Reason::Malformed, 4),
            exception("d2", Reason::NoContract, 9),
            exception("d3", Reason::NoContract, 1),
            exception("d4", Reason::Failed, 7),
            exception("x", Reason::UnknownDealership, 2),
            exception(" ", Reason::UnknownDealership, 800),
        ];
        let prices = table();
        let names = [("d4".to_owned(), "Loja".to_owned())].into();
        let charged = [("d4".to_owned(), money("1500.00"))].into();
        let before = [("d2".to_owned(), money("7380.00"))].into();
        let worth = Worth { prices: &prices, names: &names, charged: &charged, before: &before };
        let found: Vec<_> = worth
            .excepted(&exceptions)
            .into_iter()
            .map(|one| (one.exception.dealership_id.unwrap(), one.stake))
            .collect();
        let expected = [
            ("d2", Some(Stake::Before(money("7380.00")))),
            ("d4", Some(Stake::Total(money("1500.00")))),
            ("x", Some(Stake::AtLeast(money("1014.00")))),
            ("d3", Some(Stake::AtLeast(money("1014.00")))),
            ("d1", Some(Stake::AtMost(money("3.00")))), // 4 × (0.46 + 0.29)
            (" ", None),
        ];
        assert_eq!(found, expected.map(|(id, stake)| (id.to_owned(), stake)));
        assert_eq!(worth.excepted(&exceptions)[1].dealership_name.as_deref(), Some("Loja"));
    }
}
