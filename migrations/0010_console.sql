-- The agents' desk: who may log in, what they did there, and what they wrote about calls.

CREATE TABLE accounts (
    name TEXT PRIMARY KEY,
    -- agent, supervisor, administrator
    role TEXT NOT NULL,
    -- the agent of the configuration who they are
    agent TEXT,
    -- argon2id, in its own words (PHC); NULL until they have set one
    password TEXT,
    made_ms INTEGER NOT NULL
);

-- Links by which a password may be set, once: their SHA-256, never they themselves.
CREATE TABLE invitations (
    digest BLOB PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    until_ms INTEGER NOT NULL
);

-- Who did what. Names calls and accounts, no caller.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    account TEXT NOT NULL,
    did TEXT NOT NULL,
    about TEXT NOT NULL
);

CREATE TABLE wrap_ups (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    agent TEXT NOT NULL,
    disposition TEXT,
    notes BLOB NOT NULL,
    made_ms INTEGER NOT NULL,
    PRIMARY KEY (call, agent)
);
