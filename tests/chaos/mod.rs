//! Real processes, seeded workloads, faults, and checkers that share nothing with the program but its vocabulary.
//!
//! Reading order: [`plan`] (what a seed means), [`world`] (the processes of one run), [`workload`] (what clients do and
//! the [`history`] they write), [`faults`] (one file a kind, one list), [`run`] (work, strike, heal, look), [`evidence`]
//! (what is read once all is quiet), [`check`] (one file an invariant or a few), [`cli`].
//!
//! **Invariant:** nothing here names the crates under test. The program is reached through its command line, its API and
//! its files; the streams are read with async-nats; events are read with `rollbook-events`.

pub mod check;
pub mod cli;
pub mod damage;
pub mod evidence;
pub mod faults;
pub mod history;
pub mod plan;
pub mod planted;
pub mod run;
pub mod tools;
pub mod workload;
pub mod world;
