//! scratch
pub mod damage;
pub mod planted;
pub mod tools;
