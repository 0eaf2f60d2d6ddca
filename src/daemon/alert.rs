//! Calls a person by email: what is wrong is asked of the ledger each time, so that no alert is lost
//! with the process that would have sent it.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::Daemon;
use super::wrong_clock::WrongClock;
use crate::ledger::closing::{Closing, MonthState};
use crate::ledger::refusals::Refusal;
use crate::ledger::schedule::{FailedEmail, FailedEmails};
use crate::ledger::{Ledger, LedgerError};
use crate::post::round::ADVICE;
use fecha_core::bill::exception::Reason;
use fecha_core::calendar::due::Due;
use fecha_core::calendar::zone;
use fecha_core::letter::Alert;

/// A month that is not closed so long after its end is late.
const LATE_AFTER: TimeDelta = TimeDelta::hours(1);
/// A message database that is away for so long needs a person.
const AWAY_AFTER: TimeDelta = TimeDelta::minutes(30);
/// What goes on is told again after so long.
const REMINDER: TimeDelta = TimeDelta::days(1);

/// What keeps months from being closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// When it was met first.
    pub since: DateTime<Utc>,
    /// The message database cannot be reached or read.
    pub source_fails: bool,
    /// In words, for the log.
    pub cause: String,
    /// In Portuguese, for admins.
    pub why: String,
}

/// One reason to call a person.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    /// What makes it the same call as an earlier one.
    cause: String,
    alert: Alert,
    /// When the same is said again; `None` is never.
    reminder: Option<TimeDelta>,
}

/// What there is to look at.
struct Situation<'a> {
    now: DateTime<Utc>,
    settle: TimeDelta,
    zone: Tz,
    issuer: &'a str,
    closings: &'a [Closing],
    late: &'a [Due],
    trouble: Option<&'a Trouble>,
    failed: &'a FailedEmails,
    refusal: Option<&'a Refusal>,
    clock: &'a [WrongClock],
}

/// Queues an alert for everything that needs a person, unless it was told; whether one was queued.
pub async fn call(
    daemon: &Daemon,
    ledger: &Ledger,
    late: &[Due],
    trouble: Option<&Trouble>,
    clock: &[WrongClock],
) -> Result<bool, LedgerError> {
    let office = &daemon.office;
    if office.config.email.admins.is_empty() {
        return Ok(false);
    }
    let now = office.clock.now();
    let refusal = ledger.refusal().await?;
    let situation = Situation {
        now,
        settle: TimeDelta::from_std(office.config.close.settle).unwrap_or(TimeDelta::MAX),
        zone: office.config.issuer.timezone,
        issuer: &office.config.issuer.name,
        closings: &ledger.closings_in_need().await?,
        late,
        trouble,
        failed: &ledger.failed_emails().await?,
        refusal: refusal.as_ref(),
        clock,
    };
    let mut queued = remind_of_holds(daemon, ledger, situation.closings).await?;
    for call in situation.calls() {
        let admins = office.config.email.admins.clone();
        let letters = match office.addresser.alert(call.cause.clone(), call.alert, admins, now) {
            Ok(letters) => letters,
            Err(error) => {
                tracing::error!(%error, "an alert cannot be written");
                continue;
            }
        };
        if ledger.alert(letters, call.reminder, now).await? {
            tracing::warn!(cause = call.cause, "a person was called");
            queued = true;
        }
    }
    Ok(queued)
}

/// The close itself tells of a month that it holds; the admins are reminded of it each day.
async fn remind_of_holds(
    daemon: &Daemon,
    ledger: &Ledger,
    closings: &[Closing],
) -> Result<bool, LedgerError> {
    let office = &daemon.office;
    let now = office.clock.now();
    let mut queued = false;
    for closing in closings.iter().filter(|closing| closing.state == MonthState::Held) {
        let Some(last) = ledger.last_hold(closing.month).await? else { continue };
        let held = ledger.held(closing.month, last.sequence).await?;
        let admins = office.config.email.admins.clone();
        match office.addresser.held(&held, last.sequence, admins, now) {
            Ok(letters) => queued |= ledger.alert(letters, Some(REMINDER), now).await?,
            Err(error) => tracing::error!(%error, "a reminder of a held close cannot be written"),
        }
    }
    Ok(queued)
}

impl Situation<'_> {
    fn calls(&self) -> Vec<Call> {
        let unissued = self.closings.iter().filter_map(|closing| self.unissued(closing));
        let late = self.late.iter().filter_map(|due| self.is_late(due));
        let away = self.trouble.and_then(|trouble| self.away(trouble));
        let clock = self.clock.iter().map(|trace| self.wrong_clock(*trace));
        let refused = self.refusal.map(|refusal| self.refused(refusal));
        let mail = self.failed_emails().into_iter().chain(refused);
        unissued.chain(late).chain(away).chain(mail).chain(clock).collect()
    }

    fn unissued(&self, closing: &Closing) -> Option<Call> {
        let is_failed = |reason| reason == Reason::Failed;
        let failed = closing.exceptions.iter().filter(|exception| is_failed(exception.reason));
        let lines: Vec<String> =
            failed.map(|exception| exception.dealership_id.clone().unwrap_or_default()).collect();
        let month = closing.month;
        (!lines.is_empty()).then(|| Call {
            cause: format!("failed {month}"),
            alert: self.alert(
                format!("faturas de {} não emitidas por erro", month.in_words()),
                format!("As demais foram emitidas. Sem fatura:\n\n{}", shortened(&lines)),
                format!(
                    "Veja o erro de cada uma, palavra por palavra: `fecha status`\n\nCorrija a causa. O fecha tenta de novo sozinho, no mais tardar de hora em hora; para não esperar: `fecha close --month {month}`"
                ),
            ),
            reminder: None,
        })
    }

    fn is_late(&self, due: &Due) -> Option<Call> {
        let Due { month, since } = *due;
        let ready = since + self.settle;
        (self.now - ready >= LATE_AFTER).then(|| {
            let why = self.trouble.map_or("O fechamento ainda não terminou.", |trouble| {
                trouble.why.as_str()
            });
            Call {
                cause: format!("late {month}"),
                alert: self.alert(
                    format!("fechamento de {} em atraso", month.in_words()),
                    format!("O mês terminou em {} e não foi fechado.\n\n{why}", self.local(since)),
                    format!(
                        "O fecha continua tentando sozinho. Veja o estado com: `fecha status`\n\nPara fechar à mão: `fecha close --month {month}`"
                    ),
                ),
                reminder: Some(REMINDER),
            }
        })
    }

    fn away(&self, trouble: &Trouble) -> Option<Call> {
        let is_called = trouble.source_fails && self.now - trouble.since >= AWAY_AFTER;
        is_called.then(|| Call {
            cause: "message database away".to_owned(),
            alert: self.alert(
                "banco de mensagens não pode ser lido".to_owned(),
                format!(
                    "Desde {} o banco de mensagens não pode ser lido, e por isso nenhum mês pode ser fechado.\n\n{}",
                    self.local(trouble.since),
                    trouble.why
                ),
                "O fechamento é feito sozinho assim que o banco puder ser lido. Verifique o servidor e `[messages]` no `fecha.toml`; o que falta diz: `fecha check`"
                    .to_owned(),
            ),
            reminder: Some(REMINDER),
        })
    }

    fn wrong_clock(&self, trace: WrongClock) -> Call {
        let (cause, happened, todo) = match trace {
            WrongClock::FirstMonthMended { wrong, right } => (
                format!("clock {wrong}"),
                format!(
                    "Na primeira partida do fecha daemon o relógio da máquina estava errado: o primeiro mês a fechar seria {}. Agora é {}.",
                    wrong.in_words(),
                    right.in_words()
                ),
                "Acerte o relógio (chrony, systemd-timesyncd). Meses anteriores são fechados à mão: `fecha close --month AAAA-MM`".to_owned(),
            ),
            WrongClock::FirstMonthAhead { first } => (
                format!("clock first {first}"),
                format!(
                    "Nenhum mês é fechado antes de {}, que foi o mês em que o fecha daemon partiu pela primeira vez, segundo o relógio de então. Esse relógio estava errado, ou está errado o de agora.",
                    first.in_words()
                ),
                "Acerte o relógio (chrony, systemd-timesyncd). Se o de agora está certo, um novo `fecha import` diz isso ao fecha. Até lá, feche os meses à mão: `fecha close --month AAAA-MM`".to_owned(),
            ),
            WrongClock::LookForgotten { month, looked_at } => (
                format!("clock {month}"),
                format!(
                    "Em {} segundo o relógio de então, que estava adiantado, o fecha examinou o fechamento de {}, que ainda não terminou. Esse exame não vale mais.",
                    self.local(looked_at),
                    month.in_words()
                ),
                "Acerte o relógio (chrony, systemd-timesyncd). O mês é fechado sozinho quando terminar.".to_owned(),
            ),
            WrongClock::ClosedEarly { month, looked_at } => (
                format!("clock closed {month}"),
                format!(
                    "{} foi fechado em {}, mas segundo o relógio de agora o mês ainda não terminou. Esse relógio estava adiantado, ou o de agora está atrasado.",
                    month.in_words(),
                    self.local(looked_at)
                ),
                format!(
                    "Acerte o relógio (chrony, systemd-timesyncd). Se estava adiantado, depois do fim do mês rode: `fecha close --month {month}`\n\nE em seguida: `fecha rerun --month {month} --all --reason \"relógio adiantado\" --by NOME`"
                ),
            ),
        };
        let alert = self.alert("o relógio da máquina esteve errado".to_owned(), happened, todo);
        Call { cause, alert, reminder: Some(REMINDER) }
    }

    fn failed_emails(&self) -> Option<Call> {
        let FailedEmails { count, latest } = self.failed;
        let line = |FailedEmail { to, subject, error }: &FailedEmail| {
            format!("{to}: {subject} (`{}`)", error.replace('`', "'"))
        };
        let lines: Vec<String> = latest.iter().map(line).collect();
        let (subject, verb) = match count {
            0 => return None,
            1 => ("um e-mail não pôde ser entregue".to_owned(), "foi recusado"),
            count => (format!("{count} e-mails não puderam ser entregues"), "foram recusados"),
        };
        Some(Call {
            cause: "emails failed".to_owned(),
            alert: self.alert(
                subject,
                format!("Os mais recentes que {verb} de vez:\n\n{}", lines.join("\n\n")),
                "Veja todos com: `fecha outbox --state failed`\n\nCorrija o endereço no cadastro e reenvie com: `fecha resend --failed`"
                    .to_owned(),
            ),
            reminder: None,
        })
    }

    fn refused(&self, refusal: &Refusal) -> Call {
        let Refusal { at, error, waiting } = refusal;
        let answer = error.strip_suffix(ADVICE).unwrap_or(error).replace('`', "'");
        Call {
            cause: "emails refused".to_owned(),
            alert: self.alert(
                "o servidor de e-mail recusa todos os envios".to_owned(),
                format!(
                    "Em {} o servidor de e-mail recusou o remetente, e não um destinatário. {waiting} e-mails esperam; nenhum se perdeu. A resposta dele:\n\n`{answer}`",
                    self.local(*at)
                ),
                "Veja a conta no provedor (limite diário, bloqueio, senha) e `[email]` no `fecha.toml`. Se o servidor aceita a conta, diz: `fecha check`\n\nO fecha continua tentando sozinho. Para enviar logo: `fecha deliver`"
                    .to_owned(),
            ),
            reminder: Some(REMINDER),
        }
    }

    fn alert(&self, subject: String, happened: String, todo: String) -> Alert {
        Alert { subject, happened, todo, issuer: self.issuer.to_owned() }
    }

    fn local(&self, instant: DateTime<Utc>) -> String {
        let local = instant.with_timezone(&self.zone).format("%d/%m/%Y %H:%M");
        format!("{local} ({})", zone::in_words(self.zone))
    }
}

/// A paragraph each; what is too much for an email is in `fecha status`.
fn shortened(lines: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = lines.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n\n");
    if lines.len() > SHOWN {
        text += &format!("\n\nE mais {}.", lines.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::Sao_Paulo;
    use rstest::rstest;

    use super::*;
    use fecha_core::bill::exception::Exception;
    use fecha_core::count::tally::Buckets;
    use fecha_core::party::register::EmailAddress;

    const END: &str = "2026-11-01T03:00:00Z";

    fn closing(state: MonthState, held: Option<&str>, exceptions: Vec<Exception>) -> Closing {
        Closing {
            month: "2026-10".parse().unwrap(),
            state,
            held: held.map(str::to_owned),
            exceptions,
            messages: Buckets::default(),
            looked_at: END.parse().unwrap(),
        }
    }

    fn causes(
        now: &str,
        closings: &[Closing],
        late: &[Due],
        trouble: Option<&Trouble>,
        failed: &FailedEmails,
    ) -> Vec<String> {
        let (now, settle) = (now.parse().unwrap(), TimeDelta::minutes(2));
        let (zone, issuer) = (Sao_Paulo, "Exemplo");
        let situation = Situation {
            now,
            settle,
            zone,
            issuer,
            closings,
            late,
            trouble,
            failed,
            refusal: None,
            clock: &[],
        };
        situation.calls().into_iter().map(|call| call.cause).collect()
    }

    #[rstest]
    #[case("2026-11-01T04:01:59Z", &[])]
    #[case("2026-11-01T04:02:00Z", &["late 2026-10"])] // an hour after it settled
    fn a_close_is_late_after_an_hour(#[case] now: &str, #[case] expected: &[&str]) {
        let due = Due { month: "2026-10".parse().unwrap(), since: END.parse().unwrap() };
        assert_eq!(causes(now, &[], &[due], None, &FailedEmails::default()), expected);
    }

    #[rstest]
    #[case("2026-11-01T03:29:59Z", true, &[])]
    #[case("2026-11-01T03:30:00Z", true, &["message database away"])]
    #[case("2026-11-01T03:30:00Z", false, &[])] // another trouble: told when the close is late
    fn a_message_database_that_stays_away(
        #[case] now: &str,
        #[case] source_fails: bool,
        #[case] expected: &[&str],
    ) {
        let since = END.parse().unwrap();
        let trouble = Trouble {
            since,
            source_fails,
            cause: "refused".to_owned(),
            why: "recusado".to_owned(),
        };
        assert_eq!(causes(now, &[], &[], Some(&trouble), &FailedEmails::default()), expected);
    }

    #[test]
    fn what_the_ledger_knows_needs_no_process_that_saw_it() {
        let exception = |reason| Exception {
            dealership_id: Some("d1".to_owned()),
            reason,
            messages: 1,
            detail: None,
        };
        let closings = [
            // Told by the close itself, which knows what it would issue.
            closing(MonthState::Held, Some("the newest message is old"), Vec::new()),
            closing(MonthState::Closed, None, vec![exception(Reason::Failed)]),
            // Finance reads of these in the digest.
            closing(MonthState::Closed, None, vec![exception(Reason::NoContract)]),
            // Released since.
            closing(MonthState::Closed, Some("the newest message is old"), Vec::new()),
        ];
        let latest = vec![FailedEmail {
            to: EmailAddress::trusted("a@example.com".to_owned()),
            subject: "Fatura".to_owned(),
            error: "550 no".to_owned(),
        }];
        let failed = FailedEmails { count: 1, latest };
        let expected = ["failed 2026-10", "emails failed"];
        assert_eq!(causes(END, &closings, &[], None, &failed), expected);
    }
}
