-- What webhooks are yet to be told: a row for each of them and each thing that happened, until they have taken it or it is
-- given up. `detail` holds personal data and passes through records::disk::seal. Times are Unix ms (UTC).
CREATE TABLE outbox (
    -- the message's name (`webhook-id`), the same each time it is sent
    id TEXT PRIMARY KEY,
    hook TEXT NOT NULL,
    -- call_ended, wrapped_up, ...
    occasion TEXT NOT NULL,
    call TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    -- how often it was sent in vain, and when it is sent next
    attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL,
    detail BLOB NOT NULL
);
CREATE INDEX outbox_due ON outbox (hook, due_ms);
CREATE INDEX outbox_call ON outbox (call);

-- What an agent says is otherwise than was made of the call: its intent, how the caller sounded, its headline. Sealed, like `notes`.
ALTER TABLE wrap_ups ADD COLUMN corrections BLOB;

-- What the forecast learns from: when callers were sent to queues, without reading every timeline.
CREATE INDEX timeline_transfers ON timeline (call, seq) WHERE event = 'transfer';
