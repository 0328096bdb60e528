-- Callers who are to be called back, and messages for those who will. BLOB columns hold personal data and pass through
-- records::disk::seal. Times: `*_ms` are Unix ms (UTC), but for a message's `from_ms` and `to_ms`, which are ms of the call.
CREATE TABLE callbacks (
    call TEXT PRIMARY KEY REFERENCES calls (id) ON DELETE CASCADE,
    queue TEXT NOT NULL,
    agreed_ms INTEGER NOT NULL,
    -- given up then
    until_ms INTEGER NOT NULL,
    -- how often the number was called
    attempts INTEGER NOT NULL DEFAULT 0,
    -- waiting, reached, not_reached, too_late or cancelled
    state TEXT NOT NULL,
    promise BLOB NOT NULL
);
CREATE INDEX callbacks_waiting ON callbacks (agreed_ms) WHERE state = 'waiting';

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    queue TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    message BLOB NOT NULL
);
CREATE INDEX messages_call ON messages (call);
