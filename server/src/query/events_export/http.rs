//! The route of the export.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;
use http::{HeaderValue, header};
use trailmark_protocol::limits::NAME_CHARS;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{EventsExport, Format};
use crate::app::App;
use crate::gateway::problem::Problem;
use crate::gateway::refusals::ReadRefused;
use crate::query::http::Authorised;
use crate::query::parameters::RangeQuery;
use crate::query::params::Params;

/// Most names that are asked for at once: a query string of 8 KB holds no more of usual length.
const NAMES_MAX: usize = 200;

/// The route.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(export))
}

/// What of.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `Params`")]
struct ExportQuery {
    /// In what form.
    #[param(pattern = "^(parquet|ndjson)$", default = "parquet")]
    format: Option<String>,
    /// Those of this name; may be given several times. All where it is not given.
    #[param(style = Form, explode, max_items = 200)]
    event: Option<Vec<String>>,
}

/// Bytes, for the description.
struct ParquetFile;

impl ToSchema for ParquetFile {}

impl PartialSchema for ParquetFile {
    fn schema() -> RefOr<Schema> {
        let bytes = ObjectBuilder::new().schema_type(Type::String);
        let bytes = bytes.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        Schema::from(bytes.description(Some("A Parquet file.")).build()).into()
    }
}

/// The events of a stretch of time as a file.
///
/// It is streamed, and made in bounded memory. What is stored when it begins is in it once; what arrives meanwhile may or
/// may not be. A file without its end was broken off: a transfer that ends in order has all of it.
#[utoipa::path(get, path = "/api/v1/export", operation_id = "export", tag = "read",
    security(("secret_key" = []), ("session" = [])),
    params(ExportQuery, RangeQuery),
    responses(
        (status = 200, description = "The events, week by week as they were captured, and in a week by `timestamp`.", content(
            (ParquetFile = "application/vnd.apache.parquet"), (String = "application/x-ndjson"))),
        ReadRefused),
)]
async fn export(caller: Authorised, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["format", "event+", "from", "to"])?;
    let format = match params.word("format", &["parquet", "ndjson"])? {
        Some("ndjson") => Format::NdJson,
        _ => Format::Parquet,
    };
    let names = params.texts("event", NAME_CHARS, NAMES_MAX)?;
    let export = EventsExport::begin(caller.reader().clone(), format, params.time_range()?, &names).await?;
    let turns = caller.into_turns();
    let bytes = try_unfold((export, turns), |(mut export, turns)| async move {
        let bytes = export
            .next(&turns)
            .await
            .map_err(|problem| problem.detail().to_owned())?;
        Ok::<_, String>(bytes.map(|bytes| (bytes, (export, turns))))
    });
    let kind = HeaderValue::from_static(format.media_type());
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(bytes)).into_response())
}
