//! What finance gets: the words of the close report (digest), its workbook and its archive of invoices.

pub mod archive;
mod sheet;
mod summary;
pub mod workbook;

use chrono_tz::Tz;

use fecha_core::bill::digest::Zone;
use fecha_core::bill::exception::{Exception, Reason, Stake};
use fecha_core::calendar::zone;
use fecha_core::count::tally::Buckets;

/// The buckets under their Portuguese names, in the order of spec §2 from what was billed to what was not.
#[must_use]
pub fn buckets_pt(buckets: &Buckets) -> [(&'static str, u64); 8] {
    [
        ("Contadas", buckets.counted),
        ("Repetidas", buckets.duplicate),
        ("Status ignorado", buckets.ignored_status),
        ("De grupos e listas", buckets.group),
        ("Não é contato", buckets.not_a_contact),
        ("Direção ou tipo inválido", buckets.malformed),
        ("Sem contrato", buckets.no_contract),
        ("Fora do cadastro", buckets.unknown_dealership),
    ]
}

/// A reason's name in Portuguese; [`Reason::advice_pt`] says what to do.
#[must_use]
pub fn reason_pt(reason: Reason) -> &'static str {
    match reason {
        Reason::NoContract => "Sem contrato",
        Reason::UnknownDealership => "Fora do cadastro",
        Reason::Malformed => "Direção ou tipo inválido",
        Reason::NoPrice => "Sem preço",
        Reason::UnknownStatus => "Status desconhecido",
        Reason::Misdated => "Data impossível",
        Reason::Failed => "Erro ao emitir",
    }
}

/// A dealership's id for people; messages may have none.
#[must_use]
pub fn id_pt(dealership_id: Option<&str>) -> &str {
    match dealership_id {
        None | Some("") => "(sem código)",
        Some(id) => id,
    }
}

/// What the amount of an exception is, in Portuguese; it stands behind the amount.
#[must_use]
pub fn stake_pt(stake: Stake) -> &'static str {
    match stake {
        Stake::Total(_) => "não faturados",
        Stake::Before(_) => "faturados no mês anterior",
        Stake::AtLeast(_) => "ao menos, o menor pacote",
        Stake::AtMost(_) => "no máximo",
    }
}

/// What exactly went wrong, as far as it can be said to whoever does not know the program; the rest stays in its
/// own words.
#[must_use]
pub fn detail_pt(exception: &Exception) -> Option<String> {
    let detail = exception.detail.as_deref()?;
    Some(match exception.reason {
        Reason::Misdated => detail
            .replace("before 2009", "antes de 2009")
            .replace("later than tomorrow", "no futuro"),
        _ => detail.to_owned(),
    })
}

/// Zones of one span as readers call them, each once.
#[must_use]
pub fn zones_pt(names: &[String]) -> String {
    let mut words: Vec<String> = Vec::new();
    for name in names {
        let word = name.parse::<Tz>().map_or_else(|_| name.clone(), zone::in_words);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

/// In which the span of a proof is told: all of its zones have the same time in it.
#[must_use]
pub fn window_zone(zone: &Zone) -> Tz {
    zone.names.iter().find_map(|name| name.parse().ok()).unwrap_or(Tz::UTC)
}
