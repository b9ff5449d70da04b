//! `users`: who may log in, and who somebody is. The gateway asks it at each login (`/users/validate`) and makes the token.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::caller::Caller;
use super::refused;

/// Who is there at the start: e-mail address, password, role. They are `u_1` and `u_2`.
pub const KNOWN: [(&str, &str, &str); 2] = [
    ("ann@shop.example", "green tea, no sugar", "admin"),
    ("bob@shop.example", "black coffee, two", "customer"),
];

/// A user. This shop forgets everybody when it ends, and so may keep passwords as they are; a real one keeps hashes.
#[derive(Debug, Clone, Serialize)]
struct User {
    id: String,
    email: String,
    role: String,
    #[serde(skip)]
    password: String,
}

#[derive(Debug, Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

type Users = Arc<Mutex<Vec<User>>>;

/// Its routes.
pub fn router() -> Router {
    let users: Vec<_> = (1..).zip(KNOWN).map(|(number, known)| user(number, known)).collect();
    Router::new()
        .route("/users/validate", post(validate))
        .route("/users/register", post(register))
        .route("/users/me", get(me))
        .route("/users/{id}", get(one))
        .with_state(Arc::new(Mutex::new(users)))
}

fn user(number: usize, (email, password, role): (&str, &str, &str)) -> User {
    User {
        id: format!("u_{number}"),
        email: email.to_owned(),
        role: role.to_owned(),
        password: password.to_owned(),
    }
}

async fn validate(State(users): State<Users>, Json(asked): Json<Credentials>) -> Response {
    let is_asked = |user: &User| user.email == asked.email && user.password == asked.password;
    match find(&users, is_asked) {
        Some(user) => Json(user).into_response(),
        None => refused(StatusCode::UNAUTHORIZED, "Invalid credentials"),
    }
}

async fn register(State(users): State<Users>, Json(asked): Json<Credentials>) -> Response {
    let mut users = users.lock().unwrap_or_else(PoisonError::into_inner);
    if users.iter().any(|user| user.email == asked.email) {
        return refused(StatusCode::CONFLICT, "There is a user of this address");
    }
    let new = user(users.len() + 1, (&asked.email, &asked.password, "customer"));
    users.push(new.clone());
    (StatusCode::CREATED, Json(new)).into_response()
}

/// What the gateway says of the caller, so that one can see it.
async fn me(caller: Caller) -> Json<serde_json::Value> {
    Json(json!({ "you": caller }))
}

async fn one(State(users): State<Users>, Path(id): Path<String>, caller: Caller) -> Response {
    if id != caller.id && !caller.is("admin") {
        return refused(StatusCode::FORBIDDEN, "This is somebody else");
    }
    match find(&users, |user| user.id == id) {
        Some(user) => Json(user).into_response(),
        None => refused(StatusCode::NOT_FOUND, "There is no such user"),
    }
}

fn find(users: &Users, is_it: impl Fn(&User) -> bool) -> Option<User> {
    let users = users.lock().unwrap_or_else(PoisonError::into_inner);
    users.iter().find(|user| is_it(user)).cloned()
}
