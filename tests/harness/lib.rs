//! Starts ledgers for tests.
