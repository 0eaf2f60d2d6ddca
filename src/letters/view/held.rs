use serde::Serialize;

use super::blocks::{Block, blocks};
use super::counted;
use super::digest::{headline, local, zone};
use super::month::MonthReport;
use crate::letters::compose::workbook_file;
use fecha_core::bill::hold::Held;
use fecha_core::letter::text::one_line;

/// What the email about a held close says.
#[derive(Debug, Serialize)]
pub struct HeldView {
    month: String,
    /// What it would issue, in the words of a report on top.
    headline: Vec<String>,
    /// Why, a sentence or two each.
    reasons: Vec<String>,
    /// `3 concessionárias`, whose month has not ended, where there are any.
    open: Option<String>,
    /// Where the console shows it.
    page: Option<String>,
    /// What to do, and with which commands.
    todo: Vec<Block>,
    month_report: MonthReport,
    workbook: String,
    made_at: String,
    issuer: String,
}

impl HeldView {
    pub fn of(held: &Held) -> Self {
        let digest = &held.digest;
        let month = digest.month;
        // Where some months have not ended, the plan is another one once they have.
        let (exactly, how) = match held.open {
            0 => (
                " exatamente o que está aqui (se algo mudar até lá, nada é emitido)",
                format!("--plan {}", held.plan),
            ),
            _ => ("", "--release".to_owned()),
        };
        let todo = format!(
            "1. Confira a planilha anexa e, se quiser, a prévia em PDF de uma concessionária (troque CÓDIGO pelo código dela; sem --dealership, a de todas): `fecha preview --month {month} --dealership CÓDIGO --pdf previa.pdf`\n\n\
             2. Se estiver certo, libere{exactly}, com o seu nome no lugar de NOME: `fecha close --month {month} {how} --by NOME`\n\n\
             3. Se algo estiver errado, corrija-o na origem e confira de novo, sem emitir nada: `fecha close --month {month} --dry-run`"
        );
        Self {
            month: month.in_words(),
            headline: headline(digest),
            reasons: held.reasons.iter().map(|reason| one_line(reason)).collect(),
            open: (held.open > 0).then(|| counted(held.open, "concessionária", "concessionárias")),
            page: held.page.clone(),
            todo: blocks(&todo),
            month_report: MonthReport::of(digest),
            workbook: workbook_file(digest),
            made_at: local(digest.made_at, zone(digest)),
            issuer: one_line(&digest.issuer),
        }
    }
}
