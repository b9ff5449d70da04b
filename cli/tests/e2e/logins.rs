//! Users made on the command line log in over real HTTP.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Request, Response, Server, Setup, until};

const PASSWORD: &str = "correct horse battery staple";

fn log_in(server: &Server, email: &str, password: &str) -> Response {
    let body = json!({"email": email, "password": password}).to_string();
    server.send(&Request::post("/api/auth/login", body).header("content-type", "application/json"))
}

/// What a browser has after a login: the cookie, and what its page sends.
struct Session {
    cookie: String,
    csrf: String,
}

impl Session {
    fn of(answer: &Response) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        Self {
            cookie: cookie(answer),
            csrf: answer.json()["csrf_token"].as_str().unwrap().to_owned(),
        }
    }

    fn post(&self, server: &Server, path: &str) -> Response {
        let request = Request::post(path, "")
            .header("cookie", &self.cookie)
            .header("x-csrf-token", &self.csrf);
        server.send(&request)
    }

    fn me(&self, server: &Server) -> Response {
        server.send(&Request::get("/api/auth/me").header("cookie", &self.cookie))
    }
}

fn cookie(answer: &Response) -> String {
    let set = answer.header("set-cookie").expect("a cookie");
    set.split(';').next().unwrap().to_owned()
}

/// `trailmark user create --password-stdin`.
fn create(server: &Server, email: &str, password: &str) -> (bool, String) {
    let mut command = server.command(&["user", "create", "--email", email, "--password-stdin"]);
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn a_session_is_opened_replaced_and_closed_and_the_log_gives_nothing_away() {
    let server = Setup::default().text("log.level", "debug").start();
    let user = server.run(&["user", "create", "--email", "Ann@Example.com", "--role", "owner"]);
    let password = user["password"].as_str().unwrap();
    assert_eq!(password.len(), 24, "made up");
    let answer = log_in(&server, "ann@example.com", password);
    let first = Session::of(&answer);
    assert_eq!(
        answer.json()["user"],
        json!({"id": user["id"], "email": "ann@example.com", "role": "owner"})
    );
    assert_eq!(first.me(&server).json()["csrf_token"], json!(first.csrf));

    let forged = server.send(&Request::post("/api/auth/refresh", "").header("cookie", &first.cookie));
    assert_eq!((forged.status, forged.code().as_str()), (403, "csrf_failed"));
    let second = Session {
        cookie: cookie(&first.post(&server, "/api/auth/refresh")),
        csrf: first.csrf.clone(),
    };
    assert_eq!(second.me(&server).status, 200);
    let replayed = until("the end of the grace for a replaced token", || {
        let answer = first.post(&server, "/api/auth/refresh");
        (answer.status != 200).then_some(answer)
    });
    assert_eq!(replayed.code(), "invalid_session");
    assert_eq!(
        second.post(&server, "/api/auth/refresh").code(),
        "invalid_session",
        "the whole family"
    );

    let third = Session::of(&log_in(&server, "ann@example.com", password));
    let out = third.post(&server, "/api/auth/logout");
    assert_eq!((out.status, cookie(&out).as_str()), (204, "__Host-sid="));
    assert_eq!(third.me(&server).status, 401);
    let log = server.log();
    assert!(
        log.contains("logged in") && log.contains("a replaced session token was presented"),
        "{log}"
    );
    for session in [&first, &second, &third] {
        let token = session.cookie.split_once('=').unwrap().1;
        assert!(!log.contains(token) && !log.contains(&session.csrf));
    }
    assert!(!log.contains(password) && !log.contains("argon2id"));
    server.assert_sound();
}

#[test]
fn five_wrong_passwords_lock_until_an_operator_unlocks() {
    let server = Server::shared();
    let email = format!("{}@example.com", uuid::Uuid::new_v4());
    let (done, said) = create(server, &email, PASSWORD);
    assert!(done, "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    let stranger = format!("{}@example.com", uuid::Uuid::new_v4());
    for email in [&email, &stranger] {
        let codes = [(); 6].map(|()| log_in(server, email, "wrong").code());
        assert!(codes[..5].iter().all(|code| code == "invalid_credentials"), "{codes:?}");
        assert_eq!(codes[5], "locked_out");
    }
    let locked = log_in(server, &email, PASSWORD);
    assert!(locked.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(server.run(&["user", "unlock", "--email", &email])["unlocked"], true);
    assert_eq!(log_in(server, &email, PASSWORD).status, 200);
}

#[test]
fn what_an_operator_changes_reaches_a_running_server() {
    let server = Server::shared();
    let email = format!("{}@example.com", uuid::Uuid::new_v4());
    create(server, &email, PASSWORD);
    let user = |verb: &str, more: &[&str]| server.run(&[&["user", verb, "--email", &email], more].concat());
    let session = Session::of(&log_in(server, &email, PASSWORD));
    assert_eq!(session.me(server).json()["user"]["role"], "viewer");
    assert_eq!(user("set-role", &["--role", "admin"])["role"], "admin");
    let role = |answer: &Response| answer.json()["user"]["role"].clone();
    until("the new role", || {
        (role(&session.me(server)) == json!("admin")).then_some(())
    });
    assert!(user("disable", &[])["disabled_at"].is_string());
    until("the end of the session", || {
        (session.me(server).status == 401).then_some(())
    });
    assert_eq!(log_in(server, &email, PASSWORD).code(), "invalid_credentials");
    assert_eq!(user("enable", &[])["disabled_at"], Value::Null);
    let new = user("set-password", &[])["password"].as_str().unwrap().to_owned();
    assert_eq!(log_in(server, &email, PASSWORD).status, 401);
    assert_eq!(log_in(server, &email, &new).status, 200);
    let listed = server.run(&["user", "list"]);
    assert!(
        listed["users"]
            .as_array()
            .unwrap()
            .iter()
            .any(|user| user["email"] == json!(email))
    );
    assert_eq!(user("erase", &[])["erased"], true);
    assert_eq!(log_in(server, &email, &new).status, 401);
}

#[test]
fn what_cannot_be_a_user_is_refused_in_words() {
    let server = Server::shared();
    let email = format!("{}@example.com", uuid::Uuid::new_v4());
    for (email, password, words) in [
        (email.as_str(), "short", "at least 15 characters"),
        (email.as_str(), "", "no password on standard input"),
        ("nobody", PASSWORD, "is no e-mail address"),
    ] {
        let (done, said) = create(server, email, password);
        assert!(!done && said.contains(words), "{said}");
    }
    assert!(create(server, &email, PASSWORD).0);
    let (done, said) = create(server, &email.to_uppercase(), PASSWORD);
    assert!(!done && said.contains("is a user already"), "{said}");
}

/// The token behind the `#` of a link.
fn token(link: &str) -> &str {
    link.split_once("/welcome#").expect(link).1
}

fn accept(server: &Server, token: &str, email: &str) -> Response {
    let body = json!({"invitation": token, "email": email, "password": PASSWORD}).to_string();
    server.send(&Request::post("/api/auth/accept", body).header("content-type", "application/json"))
}

/// The links that `serve` has said in all its starts.
fn first_links(server: &Server) -> Vec<String> {
    let log = server.log();
    let said = log.lines().filter_map(|line| line.strip_prefix("open      "));
    said.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn the_link_that_serve_prints_makes_the_owner_and_each_start_makes_another_until_then() {
    let server = Setup::default().text("log.level", "debug").start();
    let old = until("the first link", || first_links(&server).pop());
    assert!(old.starts_with(&server.url()), "{old}");
    server.stop();
    server.start();
    let new = until("the second link", || first_links(&server).into_iter().nth(1));
    let ended = accept(&server, token(&old), "eve@example.com");
    assert_eq!((ended.status, ended.code().as_str()), (401, "invalid_invitation"));
    let ann = Session::of(&accept(&server, token(&new), "ann@example.com"));
    assert_eq!(ann.me(&server).json()["user"]["role"], "owner");
    server.stop();
    server.start();
    until("a listening server", || {
        (server.log().matches("listening on").count() == 3).then_some(())
    });
    assert_eq!(first_links(&server).len(), 2, "there is an owner");

    let invited = server.run(&["user", "invite", "--role", "admin", "--email", "Bob@example.com"]);
    let invited = accept(&server, token(invited["link"].as_str().unwrap()), "bob@example.com");
    let bob = Session::of(&invited);
    assert_eq!(bob.me(&server).json()["user"]["role"], "admin");
    let reset = server.run(&["user", "link", "bob@example.com"]);
    let reset = token(reset["link"].as_str().unwrap()).to_owned();
    assert_eq!(accept(&server, &reset, "bob@example.com").status, 200);
    assert_eq!(bob.me(&server).status, 401, "the session of the password before");
    let log = server.log();
    assert!(log.contains("accepted an invitation") && !log.contains(&reset) && !log.contains(PASSWORD));
    server.assert_sound();
}

#[test]
fn a_link_leads_to_the_public_url() {
    let server = Setup::default()
        .text("http.public_url", "https://t.example.com/")
        .start();
    let link = until("the link", || first_links(&server).pop());
    assert!(link.starts_with("https://t.example.com/welcome#tm_in_"), "{link}");
}
