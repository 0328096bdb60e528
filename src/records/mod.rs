//! Calls on disk: records, timeline, recordings; the database.
