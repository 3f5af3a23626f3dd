//! Faults planted on purpose.

pub mod workshop;
