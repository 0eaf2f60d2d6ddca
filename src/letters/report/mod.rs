//! What finance gets: the words of the close report (digest), its workbook and its archive of invoices.

pub mod archive;
mod sheet;
pub mod workbook;

use fecha_core::bill::exception::Reason;
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
