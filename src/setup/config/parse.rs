//! From the keys as written to domain types: each value parsed once, every problem collected.

use std::collections::BTreeSet;
use std::num::{NonZeroU8, NonZeroU32};
use std::path::Path;

use chrono::TimeDelta;

use super::check::{self, Check, missing};
use super::layouts;
use super::network::Network;
use super::nfse;
use super::prices::prices;
use super::source::Origin;
use super::url::{DatabaseUrl, Use};
use super::{
    Alerts, Approval, Close, Config, ConfigProblem, Counting, Email, Invoice, Messages,
    SingleSignOn, Transport, raw,
};
use crate::letters::mailbox;
use crate::messages::{CONNECTIONS, SentAt};
use crate::post::smtp::{SmtpSettings, Tls, is_loopback};
use crate::setup::input;
use fecha_core::account::reminder::Schedule;
use fecha_core::bill::hold::Limits;
use fecha_core::bill::invoice::FirstNumber;
use fecha_core::count::rules::CountingRules;
use fecha_core::count::status::StatusRules;
use fecha_core::party::register::Issuer;
use fecha_core::price::table::Prices;
use fecha_core::secret::Secret;

/// The whole configuration, or all its problems.
pub(super) fn config(
    raw: raw::Raw,
    file: &Path,
    origin: &Origin,
) -> Result<Config, Vec<ConfigProblem>> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut check = Check { origin, folder, problems: Vec::new() };
    match sections(&mut check, raw, file) {
        Some(config) if check.problems.is_empty() => Ok(config),
        _ => Err(check.problems),
    }
}

/// The price tables alone, or all their problems.
pub(super) fn prices_alone(raw: &raw::Raw, origin: &Origin) -> Result<Prices, Vec<ConfigProblem>> {
    let mut check = Check { origin, folder: Path::new("/"), problems: Vec::new() };
    match prices(&mut check, &raw.prices) {
        Some(prices) if check.problems.is_empty() => Ok(prices),
        _ => Err(check.problems),
    }
}

/// Every section is parsed before the first `?`, so that none of them hides another's problems.
fn sections(check: &mut Check<'_>, raw: raw::Raw, file: &Path) -> Option<Config> {
    let logo = raw.issuer.logo.as_ref().map(|logo| check.folder.join(logo));
    let issuer = issuer(check, &raw.issuer);
    let pix = check.optional("issuer.pix.key", raw.issuer.pix.key.as_deref(), str::parse);
    let ledger_url = raw.ledger.url.as_deref().unwrap_or("sqlite:fecha.db");
    let ledger_url = DatabaseUrl::resolve(ledger_url, Use::Ledger, check.folder);
    let ledger_url = check.parsed("ledger.url", ledger_url);
    let messages = sources(check, raw.messages);
    let counting = counting(check, &raw.counting);
    let prices = prices(check, &raw.prices);
    let invoice = invoice(check, &raw.invoice);
    let close = close(check, &raw.close);
    let email = email(check, &raw.email);
    let alerts = alerts(check, &raw.alerts);
    let service_windows = check.flag("statement.windows", raw.statement.windows.as_ref());
    let reminders = reminders(check, &raw.reminders);
    let listen = raw.console.listen.as_deref().unwrap_or("127.0.0.1:8080");
    let listen = check.parsed("console.listen", check::listen(listen));
    let public_url = raw.console.public_url.as_deref();
    let public_url = check.optional("console.public_url", public_url, check::public_url);
    let four_eyes = check.flag("console.four_eyes", raw.console.four_eyes.as_ref());
    let single_sign_on = single_sign_on(check, &raw.console);
    let erp = layouts::erp(check, &raw.erp);
    let layouts = layouts::layouts(check, &raw.layouts);
    let nfse = nfse::nfse(check, raw.nfse.as_ref(), issuer.as_ref());
    Some(Config {
        file: file.to_owned(),
        evidence_key: None,
        issuer: issuer?,
        pix: pix?,
        logo,
        ledger_url: ledger_url?,
        messages: messages?,
        counting: counting?,
        prices: prices?,
        invoice: invoice?,
        close: close?,
        email: email?,
        alerts: alerts?,
        service_windows: service_windows?,
        reminders: reminders?,
        listen: listen?,
        public_url: public_url?,
        four_eyes: four_eyes?,
        single_sign_on: single_sign_on?,
        erp: erp?,
        layouts: layouts?,
        nfse: nfse?,
    })
}

/// A header that nobody is believed to write would let nobody in, or everybody.
#[expect(clippy::option_option, reason = "left out is not the same as refused")]
fn single_sign_on(check: &mut Check<'_>, raw: &raw::Console) -> Option<Option<SingleSignOn>> {
    let items = raw.trusted_proxies.as_ref().map(raw::List::items).unwrap_or_default();
    let proxies: Vec<Option<Network>> = items
        .iter()
        .map(|item| check.parsed("console.trusted_proxies", item.parse::<Network>()))
        .collect();
    let proxies = proxies.into_iter().collect::<Option<Vec<_>>>();
    let header = check.optional("console.user_header", raw.user_header.as_deref(), check::header);
    match (header?, proxies?) {
        (None, _) => Some(None),
        (Some(_), proxies) if proxies.is_empty() => check.refuse(
            "console.user_header",
            "is believed only from addresses in trusted_proxies: write for example trusted_proxies = [\"127.0.0.1\"]",
        ),
        (Some(header), proxies) => Some(Some(SingleSignOn { header, proxies })),
    }
}

/// No further away than people plan.
fn reminders(check: &mut Check<'_>, raw: &raw::Reminders) -> Option<Schedule> {
    let before = check.numbers("reminders.before", raw.before.as_ref(), &(0..=60));
    let after = check.numbers("reminders.after", raw.after.as_ref(), &(1..=365));
    Some(Schedule { before: before?, after: after? })
}

fn issuer(check: &mut Check<'_>, raw: &raw::Issuer) -> Option<Issuer> {
    let name = "Exemplo Tecnologia Ltda";
    let name = check.required("issuer.name", raw.name.as_deref(), name, check::line);
    let cnpj = check.required("issuer.cnpj", raw.cnpj.as_deref(), "11.222.333/0001-81", str::parse);
    let address = raw.address.as_deref();
    let address = check.required("issuer.address", address, "Rua Exemplo, 100", check::line);
    let city = check.required("issuer.city", raw.city.as_deref(), "Caxias do Sul", check::line);
    let state = check.required("issuer.state", raw.state.as_deref(), "RS", str::parse);
    let postal_code = raw.postal_code.as_deref();
    let postal_code = check.optional("issuer.postal_code", postal_code, str::parse);
    let email = raw.email.as_deref();
    let email = check.required("issuer.email", email, "financeiro@example.com", mailbox::address);
    let phone = raw.phone.as_deref().filter(|phone| !phone.is_empty());
    let phone = check.optional("issuer.phone", phone, check::line);
    let timezone = raw.timezone.as_deref();
    let timezone = check.required("issuer.timezone", timezone, "America/Sao_Paulo", check::zone);
    Some(Issuer {
        name: name?,
        cnpj: cnpj?,
        address: address?,
        city: city?,
        state: state?,
        postal_code: postal_code?,
        email: email?,
        phone: phone?.unwrap_or_default(),
        timezone: timezone?,
    })
}

fn sources(check: &mut Check<'_>, raw: raw::Sources) -> Option<Vec<Messages>> {
    let several = match raw {
        raw::Sources::One(one) => return Some(vec![messages(check, "messages", *one)?]),
        raw::Sources::Several(several) => several,
    };
    if several.is_empty() {
        return check.refuse("messages", "is empty: write [[messages]] with url and relation");
    }
    let mut names = BTreeSet::new();
    let mut parsed = Vec::new();
    for (index, source) in several.into_iter().enumerate() {
        let key = format!("messages.{index}");
        let name = source.name.clone();
        let name = check.required(&format!("{key}.name"), name.as_deref(), "chatwoot", check::line);
        let is_new = name.is_none_or(|name| names.insert(name));
        if !is_new {
            let reason = "is the name of another [[messages]] already";
            check.refuse::<()>(&format!("{key}.name"), reason);
        }
        parsed.push(messages(check, &key, source));
    }
    parsed.into_iter().collect()
}

fn messages(check: &mut Check<'_>, section: &str, raw: raw::Messages) -> Option<Messages> {
    let key = |name: &str| format!("{section}.{name}");
    let url = raw.url.as_deref().unwrap_or("sqlite:messages.db");
    let url = DatabaseUrl::resolve(url, Use::Messages, check.folder);
    let url = check.parsed(&key("url"), url);
    let relation = relation(check, section, raw.relation, raw.relation_file.as_deref());
    let (unit, zone) = (raw.sent_at_unit.as_deref(), raw.sent_at_zone.as_deref());
    let sent_at = sent_at(check, section, unit, zone);
    let default = CONNECTIONS.get().into();
    let connections =
        check.number(&key("connections"), raw.connections.as_ref(), default, 1..=32)?;
    let connections = u8::try_from(connections).ok().and_then(NonZeroU8::new)?;
    let (name, aliases) = (raw.name, raw.aliases.filter(|aliases| !aliases.trim().is_empty()));
    Some(Messages { name, url: url?, relation: relation?, aliases, sent_at: sent_at?, connections })
}

fn sent_at(
    check: &mut Check<'_>,
    section: &str,
    unit: Option<&str>,
    zone: Option<&str>,
) -> Option<SentAt> {
    match (unit, zone) {
        (None, None) => Some(SentAt::Instant),
        (Some(unit), None) => {
            let words = [("s", SentAt::Seconds), ("ms", SentAt::Millis)];
            check.word(&format!("{section}.sent_at_unit"), unit, &words)
        }
        (None, Some(zone)) => {
            check.parsed(&format!("{section}.sent_at_zone"), check::zone(zone)).map(SentAt::Local)
        }
        (Some(_), Some(_)) => {
            let reason = "stands beside sent_at_unit: a number of seconds has no zone, leave one of them out";
            check.refuse(&format!("{section}.sent_at_zone"), reason)
        }
    }
}

fn counting(check: &mut Check<'_>, raw: &raw::Counting) -> Option<Counting> {
    let default = StatusRules::default();
    let items = |list: Option<&raw::List>, default| list.map_or(default, raw::List::items);
    let statuses = StatusRules {
        ignored: items(raw.ignored_statuses.as_ref(), default.ignored),
        counted: items(raw.counted_statuses.as_ref(), default.counted),
        priced: raw.priced_statuses.as_ref().map(raw::List::items),
    };
    // A word that stood on the default list only is ignored where the file says so; on two lists of the
    // file it is a contradiction.
    let both = statuses.ignored.iter().find(|word| statuses.counted.contains(word));
    if let Some(both) = both.filter(|_| raw.counted_statuses.is_some()) {
        let reason =
            format!("'{both}' stands in ignored_statuses too: a status counts or it does not");
        check.refuse::<()>("counting.counted_statuses", reason);
    }
    let priced = statuses.priced.iter().flatten();
    for word in priced.filter(|word| statuses.ignored.contains(word)) {
        let reason =
            format!("'{word}' stands in ignored_statuses: what does not count has no price");
        check.refuse::<()>("counting.priced_statuses", reason);
    }
    if statuses.priced.as_ref().is_some_and(Vec::is_empty) {
        let reason = "is empty, so that no message would have a price: leave it out";
        check.refuse::<()>("counting.priced_statuses", reason);
    }
    let lid = raw.lid.as_deref().unwrap_or("ignore");
    let lid = check.word("counting.lid", lid, &[("count", true), ("ignore", false)]);
    let national = raw.national.as_deref().unwrap_or("");
    let national = check.word("counting.national", national, &[("55", true), ("", false)]);
    let rules = CountingRules { count_lid: lid?, national: national?, ..CountingRules::default() };
    Some(Counting { statuses, rules })
}

fn alerts(check: &mut Check<'_>, raw: &raw::Alerts) -> Option<Alerts> {
    let package_use = check.flag("alerts.package_use", raw.package_use.as_ref());
    let look_back = check.number("alerts.look_back", raw.look_back.as_ref(), 12, 0..=120);
    Some(Alerts { package_use: package_use?, look_back: look_back? })
}

/// The relation, or the text of the file that has it.
fn relation(
    check: &mut Check<'_>,
    section: &str,
    relation: Option<String>,
    file: Option<&str>,
) -> Option<String> {
    let keys = ["relation", "relation_file"].map(|name| format!("{section}.{name}"));
    let [of_text, of_file] = keys.each_ref().map(String::as_str);
    let (key, relation) = match (relation, file) {
        (None, None) => return Some("message".to_owned()),
        (Some(relation), None) => (of_text, relation),
        (None, Some(file)) => {
            let path = check.folder.join(file);
            let text = input::read_text(&path, input::RELATION);
            let unread = |error| format!("{} cannot be read: {error}", path.display());
            let text = text.map_err(unread);
            (of_file, check.parsed(of_file, text)?)
        }
        (Some(_), Some(_)) => {
            let reason = "stands beside relation: leave one of them out";
            return check.refuse(of_file, reason);
        }
    };
    if relation.trim().is_empty() {
        let reason = "is empty: write a table, a view, or a SELECT in parentheses";
        return check.refuse(key, reason);
    }
    Some(relation)
}

/// A whole number as in 0.1, or a number of a year, which is a floor.
fn first_number(check: &mut Check<'_>, raw: Option<&raw::Number>) -> Option<FirstNumber> {
    const KEY: &str = "invoice.first_number";
    if let Some(raw::Number::Text(text)) = raw
        && text.contains('-')
    {
        let floor = text.trim().parse().ok();
        return floor.or_else(|| {
            let words = "is no invoice number: write 123, or \"2026-000123\" for that year";
            check.refuse(KEY, format!("'{text}' {words}"))
        });
    }
    // A number has six digits or more; PIX takes up to 25 characters, so the bound is only that of u32.
    check.number(KEY, raw, 1, 1..=u32::MAX).map(FirstNumber::OfTheFirstYear)
}

fn invoice(check: &mut Check<'_>, raw: &raw::Invoice) -> Option<Invoice> {
    let due_day = check.number("invoice.due_day", raw.due_day.as_ref(), 10, 1..=31);
    let first_number = first_number(check, raw.first_number.as_ref());
    let late_fee = raw.late_fee.as_deref().filter(|text| !text.trim().is_empty());
    let late_fee = check.optional("invoice.late_fee", late_fee, check::line);
    Some(Invoice { due_day: due_day?, first_number: first_number?, late_fee: late_fee? })
}

fn close(check: &mut Check<'_>, raw: &raw::Close) -> Option<Close> {
    let within = raw.newest_message_within.as_deref().unwrap_or("24h");
    let within = check.parsed("close.newest_message_within", check::duration(within));
    let percent = raw.at_least_percent.as_ref();
    let percent = check.number("close.at_least_percent", percent, 50, 0..=100);
    let mut most = |key: &str, percent: Option<&raw::Number>, default| {
        check.number(&format!("close.at_most_{key}_percent"), percent, default, 0..=100)
    };
    let unread = most("unread", raw.at_most_unread_percent.as_ref(), 5);
    let alike = most("alike", raw.at_most_alike_percent.as_ref(), 5);
    let silent = most("silent", raw.at_most_silent_percent.as_ref(), 10);
    let approval = raw.approval.as_deref().unwrap_or("automatic");
    let words = [("automatic", Approval::Automatic), ("manual", Approval::Manual)];
    let approval = check.word("close.approval", approval, &words);
    let settle = raw.settle.as_deref().unwrap_or("2m");
    let settle = check.parsed("close.settle", check::duration(settle));
    let limits = Limits {
        // No duration is longer than a year, so nothing is cut off.
        newest_message_within: TimeDelta::from_std(within?).unwrap_or(TimeDelta::MAX),
        at_least_percent: u64::from(percent?),
        at_most_unread_percent: u64::from(unread?),
        at_most_alike_percent: u64::from(alike?),
        at_most_silent_percent: u64::from(silent?),
    };
    Some(Close { limits, approval: approval?, settle: settle? })
}

fn email(check: &mut Check<'_>, raw: &raw::Email) -> Option<Email> {
    let from = "Faturamento <faturas@example.com>";
    let from = check.required("email.from", raw.from.as_deref(), from, check::mailbox);
    let reply_to = check.optional("email.reply_to", raw.reply_to.as_deref(), mailbox::address);
    let mut finance = check.addresses("email.finance", raw.finance.as_ref());
    if finance.as_ref().is_some_and(Vec::is_empty) {
        let reason = missing("email.finance", "[\"financeiro@example.com\"]");
        finance = check.refuse("email.finance", reason);
    }
    let admins = check.addresses("email.admins", raw.admins.as_ref());
    let redirect = check.optional("email.redirect", raw.redirect.as_deref(), mailbox::address);
    let transport = transport(check, raw);
    let per_minute = check.number("email.per_minute", raw.per_minute.as_ref(), 0, 0..=100_000);
    Some(Email {
        transport: transport?,
        from: from?,
        reply_to: reply_to?,
        finance: finance?,
        admins: admins?,
        redirect: redirect?,
        per_minute: per_minute.map(NonZeroU32::new)?,
    })
}

fn transport(check: &mut Check<'_>, raw: &raw::Email) -> Option<Transport> {
    let words = [("smtp", true), ("file", false)];
    if check.word("email.transport", raw.transport.as_deref().unwrap_or("smtp"), &words)? {
        smtp(check, &raw.smtp).map(Transport::Smtp)
    } else {
        let dir = check.folder.join(raw.dir.as_deref().unwrap_or("mail"));
        Some(Transport::File { dir })
    }
}

fn smtp(check: &mut Check<'_>, raw: &raw::Smtp) -> Option<SmtpSettings> {
    let host = raw.host.as_deref();
    let host = check.required("email.smtp.host", host, "smtp.example.com", check::line);
    let words = [("starttls", Tls::StartTls), ("tls", Tls::Tls), ("none", Tls::None)];
    let tls = raw.tls.as_deref().unwrap_or("starttls");
    let tls = check.word("email.smtp.tls", tls, &words);
    let usual_port = if tls == Some(Tls::Tls) { 465 } else { 587 };
    let port = check.number("email.smtp.port", raw.port.as_ref(), usual_port, 1..=65_535);
    if let (Some(Tls::None), Some(host)) = (tls, &host)
        && !is_loopback(host)
    {
        let reason = format!(
            "\"none\" would send invoices and the password in the clear to {host}: only this machine can be reached so, else write \"starttls\" or \"tls\""
        );
        check.refuse::<()>("email.smtp.tls", reason);
    }
    let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
    let username = raw.username.as_ref().and_then(filled);
    let password = raw.password.as_ref().and_then(|raw::Password::Text(text)| filled(text));
    if password.is_some() && username.is_none() {
        check.refuse::<()>("email.smtp.username", missing("email.smtp.username", "\"faturas\""));
    }
    Some(SmtpSettings {
        host: host?,
        port: u16::try_from(port?).ok()?,
        tls: tls?,
        username,
        password: password.map(Secret::new),
        ca_file: raw.ca_file.as_ref().map(|file| check.folder.join(file)),
    })
}
