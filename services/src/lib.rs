//! Who does it.

pub mod log;
pub mod sample;
