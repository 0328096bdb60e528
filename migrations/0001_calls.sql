-- Calls and what was written down about them.
-- BLOB columns hold personal data and pass through records::disk::seal; the other columns are what lists are
-- filtered by and hold none. Times: `started_ms`, `ended_ms` are Unix ms (UTC), `at_ms` is ms of the call.

-- A flow as it was when calls ran through it, kept once however many calls did.
CREATE TABLE flows (
    hash TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    flow BLOB NOT NULL
);

CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    line TEXT NOT NULL,
    flow TEXT NOT NULL REFERENCES flows (hash),
    -- NULL while the call is open
    cause TEXT,
    outcome TEXT,
    language TEXT,
    caller BLOB NOT NULL,
    summary BLOB,
    -- the summary as a language model put it
    reworded BLOB,
    -- entries and log lines that a full queue dropped
    lost INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX calls_started ON calls (started_ms);
CREATE INDEX calls_open ON calls (id) WHERE cause IS NULL;

CREATE TABLE timeline (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    event TEXT NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (call, seq)
);

-- Events the call was given and the actions it answered with, in order: replaying them must give the same bytes.
CREATE TABLE event_log (
    id INTEGER PRIMARY KEY,
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    event BLOB NOT NULL,
    actions BLOB NOT NULL
);
CREATE INDEX event_log_call ON event_log (call, id);

CREATE TABLE legs (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    -- 0 is the caller's leg
    n INTEGER NOT NULL,
    agent TEXT,
    began_ms INTEGER NOT NULL,
    answered_ms INTEGER,
    ended_ms INTEGER,
    quality TEXT,
    PRIMARY KEY (call, n)
);

CREATE TABLE recordings (
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    -- relative to the records folder
    path TEXT NOT NULL,
    -- ms of the call at the recording's first sample
    at_ms INTEGER NOT NULL,
    -- open, closed, repaired (header mended after a crash) or lost
    state TEXT NOT NULL,
    PRIMARY KEY (call, path)
);

-- What was said by whom, as a part of the timeline.
CREATE VIEW transcript AS
SELECT call, seq, at_ms, CASE event WHEN 'say' THEN 'bot' ELSE 'caller' END AS speaker, entry
FROM timeline
WHERE event IN ('say', 'utterance', 'dtmf');

CREATE VIEW quality AS
SELECT call, n, agent, quality FROM legs WHERE quality IS NOT NULL;
