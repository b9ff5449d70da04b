//! What each kind of route may refuse, for its description: one response for each status, which names its codes.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use super::problem::{Code, Problem};

/// Media type of a refusal (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $($code:ident)*;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(&[$(Code::$code,)*])
            }
        }
    )*};
}

refusals! {
    /// Of any route.
    AnyRefused = RateLimited Internal;
    /// Of a file.
    FileRefused = MalformedRequest NotFound SdkNotBuilt Internal;
    /// Of a route that takes events.
    EventsRefused = InvalidJson InvalidBatch InvalidEncoding InvalidBody MissingKey UnknownKey WrongKeyKind BodyTimeout
        BodyTooLarge TooManyEvents UnsupportedEncoding RateLimited JournalFull JournalUnavailable Overloaded
        KeyringUnavailable Internal;
    /// Of a route that reads.
    ReadRefused = InvalidParameter MissingKey UnknownKey InvalidSession WrongKeyKind NotPermitted CsrfFailed RateLimited KeyringUnavailable DatabaseUnavailable
        TooManyReads QueryTimeout Internal;
    /// Of a route that reads or changes one thing, which may not be there.
    OneRefused = InvalidParameter MissingKey UnknownKey InvalidSession WrongKeyKind NotPermitted CsrfFailed NotFound RateLimited KeyringUnavailable
        DatabaseUnavailable TooManyReads QueryTimeout Internal;
    /// Of a route that makes or changes one thing from a body.
    ChangeRefused = InvalidParameter InvalidBody MissingKey UnknownKey InvalidSession WrongKeyKind NotPermitted CsrfFailed NotFound InUse BodyTimeout BodyTooLarge
        RateLimited Overloaded KeyringUnavailable DatabaseUnavailable TooManyReads QueryTimeout Internal;
    /// Of a route that reads a question from a body.
    QuestionRefused = InvalidParameter InvalidBody MissingKey UnknownKey InvalidSession WrongKeyKind NotPermitted CsrfFailed BodyTimeout BodyTooLarge RateLimited
        Overloaded KeyringUnavailable DatabaseUnavailable TooManyReads QueryTimeout Internal;
    /// Of a login.
    LoginRefused = InvalidBody InvalidCredentials BodyTimeout BodyTooLarge RateLimited LockedOut Overloaded
        KeyringUnavailable UpstreamUnavailable BadGateway GatewayTimeout Internal;
    /// Of a route that says what a link is for.
    InvitationRefused = InvalidParameter MissingCredentials InvalidInvitation NotPermitted RateLimited LockedOut KeyringUnavailable
        Internal;
    /// Of a route that takes a link.
    AcceptRefused = InvalidParameter InvalidBody InvalidInvitation NotPermitted BodyTimeout BodyTooLarge RateLimited LockedOut
        Overloaded KeyringUnavailable Internal;
    /// Of a route that tells a logged-in user about the installation.
    InstallationRefused = InvalidParameter MissingCredentials InvalidSession NotPermitted RateLimited KeyringUnavailable
        DatabaseUnavailable Internal;
    /// Of a route that tells of projects, to a logged-in user or to a secret key.
    ProjectsRefused = InvalidParameter MissingCredentials UnknownKey InvalidSession WrongKeyKind NotPermitted RateLimited
        KeyringUnavailable DatabaseUnavailable Internal;
    /// Of a route with which a logged-in user changes the installation.
    InstallationChangeRefused = InvalidParameter InvalidBody MissingCredentials InvalidSession NotPermitted CsrfFailed NotFound
        LastOwner BodyTimeout BodyTooLarge RateLimited Overloaded KeyringUnavailable DatabaseUnavailable Internal;
    /// Of a route that ends a session.
    LogoutRefused = CsrfFailed RateLimited KeyringUnavailable Internal;
    /// Of a route that takes a session.
    SessionRefused = MissingCredentials InvalidSession CsrfFailed RateLimited KeyringUnavailable Internal;
    /// Of what a link shows.
    SharedRefused = InvalidParameter MissingCredentials InvalidToken RateLimited DatabaseUnavailable TooManyReads QueryTimeout
        Internal;
    /// Of a stream of what happens.
    LiveRefused = InvalidParameter MissingKey UnknownKey InvalidSession WrongKeyKind NotPermitted RateLimited TooManyListeners KeyringUnavailable
        LiveUnavailable Internal;
}

fn responses(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), response(status, &codes).into()))
        .collect()
}

fn response(status: u16, codes: &[Code]) -> Response {
    let described: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.as_str(), code.hint()))
        .collect();
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .build();
    let response = ResponseBuilder::new()
        .description(described.join("\n\n"))
        .content(PROBLEM_JSON, content);
    let tells_when = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
    if !tells_when.iter().any(|known| known.as_u16() == status) {
        return response.build();
    }
    let seconds = HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1))))
        .description(Some("Seconds after which to try again."));
    response.header("Retry-After", seconds.build()).build()
}

impl ToSchema for Problem {}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        let codes = Code::ALL.iter().map(|code| code.as_str());
        let fields = [
            ("type", text("Always `about:blank`.")),
            ("title", text("The status in words.")),
            ("status", Object::with_type(Type::Integer)),
            (
                "code",
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(codes))
                    .description(Some("What is wrong, for programs. Stable."))
                    .build(),
            ),
            ("detail", text("What exactly is wrong, for a person to read.")),
            ("hint", text("What the caller can do about it.")),
            ("request_id", text("The same as in `X-Request-Id`.")),
        ];
        let object = ObjectBuilder::new().description(Some("A refusal (RFC 9457)."));
        let add =
            |object: ObjectBuilder, (name, field): (&'static str, Object)| object.property(name, field).required(name);
        Schema::from(fields.into_iter().fold(object, add).build()).into()
    }
}

fn text(description: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .build()
}
