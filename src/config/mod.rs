//! Operators' files -> checked, immutable values; every mistake with file, line, column and what was expected.
