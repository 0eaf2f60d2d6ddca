//! Tasks and causes in Portuguese.

use serde::Serialize;

use crate::actions::portuguese::not_printable;
use crate::actions::task::AskError;
use crate::console::Oops;
use crate::ledger::tasks::{Phase, Task, TaskState};
use fecha_core::bill::difference::Cause;
use fecha_core::price::money::grouped;

/// A task that is not finished, as a bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Running {
    /// Its name.
    pub id: String,
    /// What it is: `Liberação`.
    pub what: &'static str,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub asked_at: String,
    /// How far it is, in words.
    pub words: String,
    /// How far it is …
    pub done: u64,
    /// … of so many; zero where that is not known.
    pub of: u64,
    /// Why it waits to be tried again.
    pub error: Option<String>,
}

impl Running {
    /// A task as it stands.
    #[must_use]
    pub fn of(task: &Task) -> Self {
        let (done, of) = task.step.map_or((0, 0), |step| (step.done, step.of));
        Self {
            id: task.id.to_string(),
            what: kind(&task.kind),
            by: task.asked_by.clone(),
            asked_at: task.asked_at.to_rfc3339(),
            words: progress(task),
            done,
            of,
            error: task.error.clone(),
        }
    }
}

/// What a task is.
#[must_use]
pub fn kind(key: &str) -> &'static str {
    match key {
        "look" => "Contagem do que seria emitido",
        "release" => "Liberação",
        "compare" => "Recontagem e comparação",
        "rerun" => "Emissão de revisões",
        "preview" => "Prévia",
        "import" => "Importação do cadastro",
        "simulate" => "Simulação",
        _ => "Tarefa",
    }
}

/// How far a task is.
#[must_use]
pub fn progress(task: &Task) -> String {
    match (task.state, task.step) {
        (TaskState::Done, _) => "Concluída".to_owned(),
        (TaskState::Failed, _) => "Não foi possível".to_owned(),
        (TaskState::Waiting, _) if task.error.is_some() => {
            "Esperando para tentar de novo".to_owned()
        }
        (TaskState::Waiting, _) => "Na fila".to_owned(),
        (TaskState::Running, None) => "Começando".to_owned(),
        (TaskState::Running, Some(step)) => match step.phase {
            Phase::Counting => format!("Contando: {} mensagens", grouped(step.done)),
            Phase::Issuing => {
                format!("Emitindo: {} de {}", grouped(step.done), grouped(step.of))
            }
        },
    }
}

/// What a cause is called.
#[must_use]
pub fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Late => "Mensagens que chegaram depois",
        Cause::Loss => "Mensagens que sumiram da origem",
        Cause::Contract => "Contrato",
        Cause::Price => "Preço",
        Cause::Category => "Categoria de mensagens",
        Cause::Rules => "Regra de contagem",
        Cause::Register => "Dados do cadastro",
        Cause::Adjustment => "Crédito ou cobrança",
    }
}

/// Why nothing was asked for.
#[must_use]
pub fn not_asked(error: AskError) -> Oops {
    match error {
        AskError::NotPrintable(error) => Oops::Bad(not_printable("O motivo", &error)),
        AskError::NotHeld { month } => Oops::Bad(format!(
            "De {} nada espera por liberação: o que havia já foi emitido, ou ninguém contou ainda o que seria. Nada foi feito agora; abra a página do mês para ver como está.",
            month.in_words()
        )),
        AskError::AnotherPlan { month, .. } => Oops::Bad(format!(
            "{} já não é o que você leu: o plano mudou. Nada foi emitido; abra a página do mês e confira de novo.",
            month.in_words()
        )),
        AskError::FourEyes { name } => Oops::Bad(format!(
            "Este plano foi pedido por {name}. Quem pede não libera nem emite: outra pessoa confere e decide. Nada foi emitido."
        )),
        AskError::Another { by, .. } => Oops::Bad(format!(
            "{by} já pediu outra deste mês, que ainda não terminou. Nada foi pedido agora: espere que termine e confira o resultado."
        )),
        AskError::Ledger(error) => error.into(),
    }
}
