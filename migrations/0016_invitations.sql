-- One-time links: the one that makes the first owner, one that makes somebody a user, one that sets another password.

CREATE TABLE invitations (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text        NOT NULL CHECK (kind IN ('first', 'user', 'reset')),
    token_hash bytea       NOT NULL CHECK (length(token_hash) = 32),
    role       text        CHECK (role IN ('owner', 'admin', 'viewer')),
    email      text,
    user_id    uuid        REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    created_by uuid        REFERENCES users (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    CHECK ((kind = 'reset') = (user_id IS NOT NULL)),
    CHECK ((kind = 'reset') = (role IS NULL))
);
CREATE UNIQUE INDEX invitations_by_token ON invitations (token_hash);
CREATE UNIQUE INDEX invitations_first ON invitations (kind) WHERE kind = 'first';
CREATE UNIQUE INDEX invitations_by_user ON invitations (user_id) WHERE kind = 'reset';
CREATE INDEX invitations_by_creator ON invitations (created_by);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);
COMMENT ON TABLE  invitations            IS 'Links that work once. Whoever has one chooses a password; accepting it removes the row.';
COMMENT ON COLUMN invitations.id         IS 'Number of the invitation, for withdrawing it.';
COMMENT ON COLUMN invitations.kind       IS 'first: makes the first owner, and only while nobody can log in. user: makes a user. reset: sets another password of a user.';
COMMENT ON COLUMN invitations.token_hash IS 'SHA-256 of the token. A token is 256 random bits, so a slow hash would add nothing.';
COMMENT ON COLUMN invitations.role       IS 'What the new user may do; null for reset, where the user has a role already.';
COMMENT ON COLUMN invitations.email      IS 'Address of the new user, in lower case; null if whoever accepts says it.';
COMMENT ON COLUMN invitations.user_id    IS 'Whose password is reset; null for others.';
COMMENT ON COLUMN invitations.created_at IS 'When it was made.';
COMMENT ON COLUMN invitations.created_by IS 'The owner who made it, and with whom it goes; null if it was made on the server itself.';
COMMENT ON COLUMN invitations.expires_at IS 'When it stops working.';
COMMENT ON INDEX  invitations_pkey       IS 'Finds an invitation by its number.';
COMMENT ON INDEX  invitations_by_token   IS 'Finds an invitation by its token, and lets one of two who accept at once have it.';
COMMENT ON INDEX  invitations_first      IS 'At most one link makes the first owner: a new one ends the one before.';
COMMENT ON INDEX  invitations_by_user    IS 'At most one link resets a password: a new one ends the one before.';
COMMENT ON INDEX  invitations_by_creator IS 'Ends what an owner has made who is none any more.';
COMMENT ON INDEX  invitations_by_expiry  IS 'Removes those that have expired.';
