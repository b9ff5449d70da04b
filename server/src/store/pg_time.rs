//! [`Timestamp`] as Postgres' `timestamptz`: both count microseconds, Postgres from the year 2000.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};
use trailmark_protocol::Timestamp;

/// From 1970-01-01 to 2000-01-01, in microseconds: 10,957 days.
const EPOCH_2000_MICROS: i64 = 10_957 * 86_400 * 1_000_000;

/// A point in time that sqlx can bind and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PgTime(pub Timestamp);

impl PgTime {
    /// Microseconds since 2000-01-01T00:00:00Z, as in Postgres' binary format. The extremes, which would read as
    /// ±infinity there, are unreachable: validation bounds the year by 0000 and 9999.
    #[must_use]
    pub const fn micros_since_2000(self) -> i64 {
        self.0.micros().saturating_sub(EPOCH_2000_MICROS)
    }
}

impl Type<Postgres> for PgTime {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl PgHasArrayType for PgTime {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_timestamptz")
    }
}

impl Encode<'_, Postgres> for PgTime {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.micros_since_2000(), buffer)
    }
}

impl Decode<'_, Postgres> for PgTime {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() == PgValueFormat::Text {
            return Err("a timestamp in the text format: use a prepared statement".into());
        }
        let micros = <i64 as Decode<Postgres>>::decode(value)?;
        Ok(Self(Timestamp::from_micros(micros.saturating_add(EPOCH_2000_MICROS))))
    }
}
