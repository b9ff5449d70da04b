//! Times in answers: `timestamptz` in, RFC 3339 in UTC out.

use serde::{Serialize, Serializer};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};
use trailmark_protocol::Timestamp;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type as SchemaType};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::store::PgTime;

/// A point in time that is read from a row and written as RFC 3339. ([`Timestamp`] itself serialises as a number, for
/// the journal.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(pub Timestamp);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl ToSchema for At {}

impl PartialSchema for At {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(SchemaType::String);
        let text = text.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        Schema::from(text.build()).into()
    }
}

impl Type<Postgres> for At {
    fn type_info() -> PgTypeInfo {
        PgTime::type_info()
    }
}

impl Decode<'_, Postgres> for At {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        PgTime::decode(value).map(|time| Self(time.0))
    }
}
