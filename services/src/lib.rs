//! Who does it.
