//! Numbers in JSON, which has no NaN and no infinity: these are written as `null`, and `null` is read as NaN.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// For `#[serde(with = "nullable::number")]` on an `f64`.
pub(super) mod number {
    use super::{Deserialize, Deserializer, Serialize, Serializer, finite};

    pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        finite(value).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
    }
}

/// For `#[serde(with = "nullable::list")]` on a `Vec<f64>`.
pub(super) mod list {
    use super::{Deserialize, Deserializer, Serializer, finite};

    pub(crate) fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(finite))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        let values = Vec::<Option<f64>>::deserialize(from)?;
        Ok(values
            .into_iter()
            .map(|value| value.unwrap_or(f64::NAN))
            .collect())
    }
}

/// For `#[serde(with = "nullable::pairs")]` on a `Vec<[f64; 2]>`.
pub(super) mod pairs {
    use super::{Deserialize, Deserializer, Serializer, finite};

    pub(crate) fn serialize<S: Serializer>(values: &[[f64; 2]], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(|pair| pair.each_ref().map(finite)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<[f64; 2]>, D::Error> {
        let values = Vec::<[Option<f64>; 2]>::deserialize(from)?;
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        Ok(values.into_iter().map(|pair| pair.map(number)).collect())
    }
}

fn finite(value: &f64) -> Option<f64> {
    Some(*value).filter(|value| value.is_finite())
}
