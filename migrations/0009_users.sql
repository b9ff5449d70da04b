-- The people who log in here, and their sessions. They are the team's own: end users of a product are persons, not users.

CREATE TABLE users (
    id            uuid        PRIMARY KEY,
    email         text        NOT NULL,
    password_hash text        NOT NULL,
    role          text        NOT NULL CHECK (role IN ('owner', 'admin', 'viewer')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);
CREATE UNIQUE INDEX users_by_email ON users (lower(email));
COMMENT ON TABLE  users               IS 'Who may log in with an e-mail address and a password. They belong to the installation and to no project.';
COMMENT ON COLUMN users.id            IS 'UUIDv7: what tokens and services know the user by, for ever.';
COMMENT ON COLUMN users.email         IS 'Address, in lower case; what people log in with.';
COMMENT ON COLUMN users.password_hash IS 'argon2id in PHC form: $argon2id$v=19$m=…,t=…,p=…$salt$hash.';
COMMENT ON COLUMN users.role          IS 'owner may do what an admin may, an admin what a viewer may.';
COMMENT ON COLUMN users.created_at    IS 'When it was made.';
COMMENT ON COLUMN users.disabled_at   IS 'When it was shut out; null while it may log in.';
COMMENT ON INDEX  users_pkey          IS 'Finds the user of a session.';
COMMENT ON INDEX  users_by_email      IS 'Login, and no address twice, however it is capitalised.';

CREATE TABLE sessions (
    id            uuid        PRIMARY KEY,
    user_id       uuid        REFERENCES users (id) ON DELETE CASCADE,
    outside_id    text,
    outside_email text,
    outside_role  text,
    csrf          text        NOT NULL,
    created_at    timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    CHECK ((user_id IS NULL) <> (outside_id IS NULL))
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
COMMENT ON TABLE  sessions               IS 'Logins. All tokens that a session ever had are one family: they end together.';
COMMENT ON COLUMN sessions.id            IS 'UUIDv7 of the login.';
COMMENT ON COLUMN sessions.user_id       IS 'Whose it is; null if another service said that the password was right.';
COMMENT ON COLUMN sessions.outside_id    IS 'What that service calls the user.';
COMMENT ON COLUMN sessions.outside_email IS 'The address that it gave.';
COMMENT ON COLUMN sessions.outside_role  IS 'The role that it gave, as of the login.';
COMMENT ON COLUMN sessions.csrf          IS 'What the page must send in X-Csrf-Token. Worth nothing without the session''s token, so it is kept as it is and shown again to the page.';
COMMENT ON COLUMN sessions.created_at    IS 'When the user logged in.';
COMMENT ON COLUMN sessions.last_seen_at  IS 'About when it was last used, to the minute: it ends when it has been idle for too long.';
COMMENT ON COLUMN sessions.expires_at    IS 'When it ends, however much it is used.';
COMMENT ON COLUMN sessions.revoked_at    IS 'When it was ended: logged out, the user disabled, or a replaced token was presented; null while it lives.';
COMMENT ON INDEX  sessions_pkey          IS 'Finds the session of a token.';
COMMENT ON INDEX  sessions_by_user       IS 'Ends the sessions of a user.';
COMMENT ON INDEX  sessions_by_expiry     IS 'Removes those that have ended.';

CREATE TABLE session_tokens (
    token_hash  bytea       PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id  uuid        NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at  timestamptz NOT NULL,
    replaced_at timestamptz
);
CREATE INDEX session_tokens_by_session ON session_tokens (session_id, created_at);
COMMENT ON TABLE  session_tokens             IS 'What opens a session: the newest token, and those that it replaced, so that a stolen one is recognised.';
COMMENT ON COLUMN session_tokens.token_hash  IS 'SHA-256 of the token. A token is 256 random bits, so a slow hash would add nothing.';
COMMENT ON COLUMN session_tokens.session_id  IS 'The session.';
COMMENT ON COLUMN session_tokens.created_at  IS 'When it was given out.';
COMMENT ON COLUMN session_tokens.replaced_at IS 'When a refresh replaced it; null while it opens. Presented later than a moment after that, it ends the session.';
COMMENT ON INDEX  session_tokens_pkey        IS 'Looks a token up by its hash.';
COMMENT ON INDEX  session_tokens_by_session  IS 'The tokens of a session, oldest first: forgets the oldest.';

CREATE TABLE login_failures (
    account_hash bytea       PRIMARY KEY CHECK (length(account_hash) = 32),
    failures     integer     NOT NULL,
    since        timestamptz NOT NULL,
    locks        integer     NOT NULL,
    locked_until timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX login_failures_by_age ON login_failures (updated_at);
COMMENT ON TABLE  login_failures              IS 'Failed logins by e-mail address, whether or not it is a user''s. In the database, so that all servers count together and a restart forgets nothing.';
COMMENT ON COLUMN login_failures.account_hash IS 'SHA-256 of the address in lower case: what strangers typed is not kept.';
COMMENT ON COLUMN login_failures.failures     IS 'Failures since then, up to the next lock.';
COMMENT ON COLUMN login_failures.since        IS 'When they began to be counted.';
COMMENT ON COLUMN login_failures.locks        IS 'Locks in a row; each is twice as long as the one before.';
COMMENT ON COLUMN login_failures.locked_until IS 'When the last of them ends.';
COMMENT ON COLUMN login_failures.updated_at   IS 'When it last changed.';
COMMENT ON INDEX  login_failures_pkey         IS 'One row per address.';
COMMENT ON INDEX  login_failures_by_age       IS 'Forgets the oldest.';
