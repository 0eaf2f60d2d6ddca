//! What is sent: JSON, each text of which can be meant.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Kind, Problem};
use crate::setup::legible::can_be_meant;
use fecha_core::price::money::Money;

/// A body that was read.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Sync + Send, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(value) = Json::<Value>::from_request(request, state).await?;
        if !is_text(&value) {
            return Err(Problem::new(Kind::Invalid, "a text has signs that are no text"));
        }
        let read = serde_json::from_value(value);
        read.map(Self).map_err(|error| Problem::new(Kind::Invalid, error))
    }
}

fn is_text(value: &Value) -> bool {
    match value {
        Value::String(text) => can_be_meant(text),
        Value::Array(all) => all.iter().all(is_text),
        Value::Object(all) => all.iter().all(|(key, value)| can_be_meant(key) && is_text(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Why something is done: one line.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 500, pattern = r"^[^\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]*$", examples("the source was corrected"))]
pub struct Reason(pub String);

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.chars().count() {
            0 => Err("say why: it stands in the audit log"),
            1..=500 => Ok(Self(line)),
            _ => Err("a reason has at most 500 letters"),
        }
    }
}

/// An amount that came in.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(value_type = String, pattern = r"^[0-9]{1,10}\.[0-9]{2}$", examples("1192.27"))]
pub struct Amount(pub Money);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let amount: Money = text.parse().map_err(serde::de::Error::custom)?;
        let is_plain = text.split_once('.').is_some_and(|(reais, centavos)| {
            let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
            (1..=10).contains(&reais.len())
                && centavos.len() == 2
                && digits(reais)
                && digits(centavos)
        });
        let refused = || serde::de::Error::custom(format!("'{text}' is no amount: write 1192.27"));
        is_plain.then_some(Self(amount)).ok_or_else(refused)
    }
}

/// So many: a whole number, however JSON writes it.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "serde_json::Number")]
#[schema(value_type = u64)]
pub struct Whole(pub u64);

impl TryFrom<serde_json::Number> for Whole {
    type Error = String;

    fn try_from(number: serde_json::Number) -> Result<Self, String> {
        // 5000.0 is 5000 to JSON.
        let text = number.to_string();
        let whole = text.strip_suffix(".0").unwrap_or(&text);
        whole.parse().map(Self).map_err(|_| format!("{text} is no whole number from 0 on"))
    }
}

/// A day.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[schema(as = DayGiven, value_type = String, format = Date, examples("2026-11-10"))]
pub struct Day(pub NaiveDate);

/// What is asked for in the query of an address.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<S: Sync + Send, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(asked) = Query::from_request_parts(parts, state).await?;
        Ok(Self(asked))
    }
}

/// What the path of an address names.
#[derive(Debug)]
pub struct Named<T>(pub T);

impl<S: Sync + Send, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(named) = Path::from_request_parts(parts, state).await?;
        Ok(Self(named))
    }
}
