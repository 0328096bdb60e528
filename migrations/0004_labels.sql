-- How people who listened say a caller sounded, against what the model made of it: the labels to train on.
CREATE TABLE labels (
    id INTEGER PRIMARY KEY,
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    -- the sound meant, ms of the call
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    -- angry, happy, neutral, sad, fear, surprise, disgust
    emotion TEXT NOT NULL,
    -- who says so; may name a person
    said_by BLOB NOT NULL,
    made_ms INTEGER NOT NULL,
    UNIQUE (call, from_ms, to_ms)
);
