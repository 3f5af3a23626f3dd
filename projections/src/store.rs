//! How rows become tables.
