//! `[nfse]`: what a DPS says of the issuer and its service.

use super::check::Check;
use super::raw;
use fecha_core::party::municipality::Municipality;
use fecha_core::party::register::Issuer;
use fecha_core::tax::codes::Percent;
use fecha_core::tax::profile::{Environment, IbsCbs, Profile, Regime, Service, Simples, Totals};

/// Series beyond are of the authority's own programs.
const SERIES: u32 = 49_999;

/// The section, where it is there; every value is parsed before the first `?`.
#[expect(clippy::option_option, reason = "left out is not the same as refused")]
pub(super) fn nfse(
    check: &mut Check<'_>,
    raw: Option<&raw::Nfse>,
    issuer: Option<&Issuer>,
) -> Option<Option<Profile>> {
    let Some(raw) = raw else { return Some(None) };
    let environment = raw.environment.as_deref();
    let environment: Option<Environment> =
        check.required("nfse.environment", environment, "restricted", str::parse);
    let municipality = raw.municipality.as_deref();
    let municipality =
        check.required("nfse.municipality", municipality, "4305108", |text| within(text, issuer));
    let registration = raw.municipal_registration.as_deref();
    let registration = check.optional("nfse.municipal_registration", registration, registered);
    let series = check.number("nfse.series", raw.series.as_ref(), 1, 1..=SERIES);
    let first_number = raw.first_number.as_ref();
    let first_number = check.number("nfse.first_number", first_number, 1, 1..=u32::MAX);
    let service = service(check, raw);
    let regime = regime(check, raw);
    let ibs_cbs = ibs_cbs(check, raw, regime);
    let iss_rate = check.optional("nfse.paliq", raw.paliq.as_deref(), iss_rate);
    let totals = totals(check, raw, regime);
    Some(Some(Profile {
        environment: environment?,
        municipality: municipality?,
        municipal_registration: registration?,
        series: series?,
        first_number: first_number?,
        service: service?,
        regime: regime?,
        ibs_cbs: ibs_cbs?,
        iss_rate: iss_rate?,
        totals: totals?,
    }))
}

fn within(text: &str, issuer: Option<&Issuer>) -> Result<Municipality, String> {
    let code: Municipality = text.parse().map_err(|error| format!("{error}"))?;
    match issuer {
        Some(issuer) => code.within(issuer.state).map_err(|error| error.to_string()),
        None => Ok(code),
    }
}

fn registered(text: &str) -> Result<String, &'static str> {
    let is_one =
        (1..=15).contains(&text.chars().count()) && text.chars().all(|c| c.is_ascii_graphic());
    is_one.then(|| text.to_owned()).ok_or("is 1 to 15 letters and digits, without blanks")
}

fn iss_rate(text: &str) -> Result<Percent, String> {
    let percent: Percent = text.parse().map_err(|error| format!("{error}"))?;
    let is_rate = percent.is_below(10);
    is_rate
        .then_some(percent)
        .ok_or_else(|| format!("'{text}' is no rate of the ISS: less than 10"))
}

fn service(check: &mut Check<'_>, raw: &raw::Nfse) -> Option<Service> {
    let national = check.required("nfse.ctribnac", raw.ctribnac.as_deref(), "010301", str::parse);
    let municipal = check.optional("nfse.ctribmun", raw.ctribmun.as_deref(), str::parse);
    let nbs = check.required("nfse.nbs", raw.nbs.as_deref(), "115022000", str::parse);
    Some(Service { national: national?, municipal: municipal?, nbs: nbs? })
}

fn regime(check: &mut Check<'_>, raw: &raw::Nfse) -> Option<Regime> {
    let simples = match &raw.opsimpnac {
        Some(number) => check.number("nfse.opsimpnac", Some(number), 1, 1..=3),
        None => check.refuse(
            "nfse.opsimpnac",
            "is missing: write 1 (not in the Simples Nacional), 2 (MEI) or 3 (ME or EPP)",
        ),
    };
    let assessed = raw.regaptribsn.as_ref();
    let simples = match (simples?, assessed) {
        (3, Some(number)) => {
            let assessed = check.number("nfse.regaptribsn", Some(number), 1, 1..=3)?;
            Simples::Small(u8::try_from(assessed).ok()?)
        }
        (3, None) => {
            let reason = "is missing: with opsimpnac = 3 write 1 (all taxes by the Simples Nacional), 2 (the federal ones) or 3 (none)";
            return check.refuse("nfse.regaptribsn", reason);
        }
        (_, Some(_)) => {
            let reason = "is only for opsimpnac = 3: leave it out";
            return check.refuse("nfse.regaptribsn", reason);
        }
        (1, None) => Simples::No,
        (_, None) => Simples::Mei,
    };
    let special = check.number("nfse.regesptrib", raw.regesptrib.as_ref(), 0, 0..=9)?;
    if matches!(special, 7 | 8) {
        return check.refuse("nfse.regesptrib", format!("{special} is none of 0 to 6, 9"));
    }
    Some(Regime { simples, special: u8::try_from(special).ok()? })
}

/// All three or none, and none only for those in the Simples Nacional.
#[expect(clippy::option_option, reason = "left out is not the same as refused")]
fn ibs_cbs(
    check: &mut Check<'_>,
    raw: &raw::Nfse,
    regime: Option<Regime>,
) -> Option<Option<IbsCbs>> {
    let written = [&raw.cindop, &raw.cst, &raw.cclasstrib];
    let may_be_left_out = regime.is_some_and(|regime| regime.simples != Simples::No);
    if written.iter().all(|key| key.is_none()) && may_be_left_out {
        return Some(None);
    }
    let operation = check.required("nfse.cindop", raw.cindop.as_deref(), "100301", str::parse);
    let situation = check.required("nfse.cst", raw.cst.as_deref(), "000", str::parse);
    let class = check.required("nfse.cclasstrib", raw.cclasstrib.as_deref(), "000001", str::parse);
    Some(Some(IbsCbs { operation: operation?, situation: situation?, class: class? }))
}

/// A small business in the Simples Nacional must tell its percentage; others may tell three.
fn totals(check: &mut Check<'_>, raw: &raw::Nfse, regime: Option<Regime>) -> Option<Totals> {
    let is_small = matches!(regime?.simples, Simples::Small(_));
    let told =
        check.optional("nfse.ptottribsn", raw.ptottribsn.as_deref(), str::parse::<Percent>)?;
    match (is_small, told, &raw.ptottrib) {
        (true, Some(percent), None) if percent.is_below(100) => Some(Totals::Simples(percent)),
        (true, Some(_), None) => check.refuse("nfse.ptottribsn", "must be less than 100"),
        (true, None, None) => {
            let reason = "is missing: with opsimpnac = 3 a DPS tells what part of the price are taxes, for example ptottribsn = \"6.00\"";
            check.refuse("nfse.ptottribsn", reason)
        }
        (false, Some(_), _) => {
            check.refuse("nfse.ptottribsn", "is only for opsimpnac = 3: leave it out")
        }
        (true, _, Some(_)) => {
            check.refuse("nfse.ptottrib", "is not for opsimpnac = 3: write ptottribsn in its place")
        }
        (false, None, None) => Some(Totals::Unsaid),
        (false, None, Some(list)) => {
            let items = list.items();
            let parsed: Vec<Option<Percent>> =
                items.iter().map(|item| check.parsed("nfse.ptottrib", item.parse())).collect();
            let percents: Option<Vec<Percent>> = parsed.into_iter().collect();
            match percents?.try_into() {
                Ok(three) => Some(Totals::Percent(three)),
                Err(_) => check.refuse(
                    "nfse.ptottrib",
                    "has three percentages, federal, of the state, of the city, for example [\"13.45\", \"0.00\", \"2.00\"]",
                ),
            }
        }
    }
}
