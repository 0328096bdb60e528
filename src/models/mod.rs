//! Model files: manifest, fetching, verifying, importing.
