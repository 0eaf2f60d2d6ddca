//! A closed month that is not what was billed any more, in words for finance and admins.

use std::collections::BTreeSet;

use crate::actions::verify::{Differing, Verified};
use fecha_core::bill::contact_changes::ContactChanges;
use fecha_core::bill::difference::{Cause, Difference};
use fecha_core::letter::Alert;
use fecha_core::price::money::{Money, grouped};

/// An email lists this many invoices; `fecha verify` has them all.
const LISTED: usize = 20;

/// What to tell of a verification; `None` where the month is as billed.
///
/// A credit that waits for the next invoice, or an address that changed, is no drift: somebody entered
/// it, and what was billed is still right. So is what only newer rules of counting make of the same messages.
pub fn alert(verified: &Verified, issuer: &str) -> Option<Alert> {
    let drifted: Vec<&Differing> = verified.differs.iter().filter(|d| has_drifted(d)).collect();
    let (month, words) = (verified.month, verified.month.in_words());
    let (subject, mut happened, mut todo) = match drifted.as_slice() {
        [] if verified.problems.is_empty() => return None,
        [] => (format!("verificação de {words}: problema no ledger"), Vec::new(), Vec::new()),
        drifted => {
            let who = counted(drifted.len(), "concessionária", "concessionárias");
            let subject = format!("{words} mudou depois do fechamento: {who}");
            (subject, story(verified, drifted), commands(verified, drifted))
        }
    };
    if !verified.problems.is_empty() {
        let problems = counted(verified.problems.len(), "problema", "problemas");
        happened.push(format!("O próprio ledger não está íntegro: {problems}."));
        todo.push(format!("Veja o que o ledger tem com: `fecha verify --month {month}`"));
    }
    Some(Alert {
        subject,
        happened: happened.join("\n\n"),
        todo: todo.join("\n\n"),
        issuer: issuer.to_owned(),
    })
}

fn has_drifted(differing: &Differing) -> bool {
    let is_drift =
        |cause: &Cause| !matches!(cause, Cause::Register | Cause::Adjustment | Cause::Rules);
    differing.difference.causes().iter().any(is_drift)
}

/// How many, which contacts, how much money; then invoice by invoice.
fn story(verified: &Verified, drifted: &[&Differing]) -> Vec<String> {
    let all = verified.agrees + verified.differs.len() + verified.purged.len();
    let of_all = format!("{} de {}", grouped(drifted.len() as u64), invoices(all));
    let would = if drifted.len() == 1 { "seria diferente" } else { "seriam diferentes" };
    let mut story =
        vec![format!("O mês foi recontado: {of_all} {would}. Nenhuma fatura foi alterada.")];
    let mut sum = ContactChanges::default();
    for differing in drifted {
        sum += differing.difference.contacts;
    }
    story.extend(contacts(&sum).map(|contacts| format!("Ao todo: {contacts}.")));
    story.push(effect(drifted));
    story.extend(drifted.iter().take(LISTED).map(|differing| line(differing)));
    if drifted.len() > LISTED {
        story.push(format!("E mais {}.", invoices(drifted.len() - LISTED)));
    }
    story
}

fn effect(drifted: &[&Differing]) -> String {
    let difference = |differing: &&Differing| by(&differing.difference);
    let known: Vec<Money> = drifted.iter().filter_map(difference).collect();
    let sum: Money = known.iter().copied().sum();
    let words = match sum.centavos() {
        0 => "Efeito no total: nenhum".to_owned(),
        _ => format!("Efeito no total: {}", signed(sum)),
    };
    match drifted.len() - known.len() {
        0 => format!("{words}."),
        unknown => format!("{words}, sem contar {} sem preço hoje.", invoices(unknown)),
    }
}

fn line(differing: &Differing) -> String {
    let difference = &differing.difference;
    let causes: Vec<&str> = difference.causes().into_iter().map(cause_pt).collect();
    let mut parts = vec![causes.join(", ")];
    parts.extend(contacts(&difference.contacts));
    for (name, change) in [("UAM", difference.uam), ("HSM", difference.hsm)] {
        if change.differs() {
            parts.push(format!("{name} {} → {}", grouped(change.before), grouped(change.now)));
        }
    }
    parts.push(match by(difference) {
        None => "sem preço hoje".to_owned(),
        Some(Money::ZERO) => "mesmo total".to_owned(),
        Some(by) => signed(by),
    });
    format!("{} ({}): {}", differing.number, differing.dealership_id, parts.join("; "))
}

/// What to run next, word for word.
fn commands(verified: &Verified, drifted: &[&Differing]) -> Vec<String> {
    let month = verified.month;
    let causes = drifted.iter().flat_map(|differing| differing.difference.causes());
    let accept: BTreeSet<Cause> = causes.filter(|cause| !cause.goes_by_itself()).collect();
    let mut commands = vec![
        format!("Veja a diferença, linha por linha: `fecha verify --month {month}`"),
        format!(
            "Simule a correção, sem emitir nada: `fecha rerun --month {month} --all --reason \"MOTIVO\" --dry-run`"
        ),
        "Se estiver certo, rode o mesmo comando sem `--dry-run` e com `--by NOME`: cada fatura que muda ganha uma revisão, com vencimento novo se preciso. Se não for corrigir, não é preciso fazer nada."
            .to_owned(),
    ];
    if !accept.is_empty() {
        let names: Vec<&str> = accept.iter().map(|cause| cause.key()).collect();
        commands.push(format!(
            "Só mensagens atrasadas são aceitas sem mais. Confira a causa antes de aceitar o resto com: `--accept {}`",
            names.join(",")
        ));
    }
    commands
}

fn by(difference: &Difference) -> Option<Money> {
    Some(difference.total.now? - difference.total.before?)
}

fn cause_pt(cause: Cause) -> &'static str {
    match cause {
        Cause::Late => "mensagens que chegaram depois do fechamento",
        Cause::Loss => "mensagens contadas que não estão mais no banco",
        Cause::Contract => "outro contrato (pacote, lista, desconto ou números)",
        Cause::Price => "outro preço",
        Cause::Category => "mensagens de outra categoria, ou cobradas de outro modo",
        Cause::Rules => "regras de contagem mais novas que as da fatura",
        Cause::Register => "cadastro alterado",
        Cause::Adjustment => "crédito ou cobrança lançada depois",
    }
}

/// `1.200 contatos novos, 3 com mais mensagens`; `None` where no contact differs.
fn contacts(contacts: &ContactChanges) -> Option<String> {
    let ContactChanges { new, gone, more, fewer, recategorised, lost: _ } = *contacts;
    let parts: Vec<String> = [
        (new, "contato novo", "contatos novos"),
        (gone, "contato a menos", "contatos a menos"),
        (more, "contato com mais mensagens", "contatos com mais mensagens"),
        (fewer, "contato com menos mensagens", "contatos com menos mensagens"),
        (
            recategorised,
            "contato com mensagens de outra categoria",
            "contatos com mensagens de outra categoria",
        ),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, one, many)| {
        format!("{} {}", grouped(number), if number == 1 { one } else { many })
    })
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn invoices(number: usize) -> String {
    counted(number, "fatura", "faturas")
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u64), if number == 1 { one } else { many })
}

fn signed(difference: Money) -> String {
    let sign = if difference > Money::ZERO { "+" } else { "" };
    format!("{sign}{}", difference.brl())
}
