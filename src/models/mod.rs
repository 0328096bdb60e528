//! Model files: manifest, fetching, verifying, importing.

pub mod import;
