//! Who does it: the recorder, the projector, the query API, the file adapters and the command line.
//!
//! Reading order: [`log`] (the port), [`recorder`] (read, decide, append), [`projector`] (follow, fold, write), [`import`]
//! over [`files`] (rows to events), [`http`] (the edge), [`up`] (a ledger in one process), [`cli`] (its verbs).
//!
//! **Invariant:** rules and folds stand in `rollbook-projections`; here is I/O. The recorder knows no projector and no
//! query, and the other way round; they meet in [`app`].

pub mod access_log;
pub mod app;
pub mod archive;
pub mod bench;
pub mod caller;
pub mod cli;
pub mod clock;
pub mod destruction;
pub mod error_chain;
pub mod failpoint;
pub mod feed;
pub mod files;
pub mod guards;
pub mod health;
pub mod http;
pub mod identity_index;
pub mod identity_keys;
pub mod import;
pub mod ledger_key;
pub mod log;
pub mod measures;
pub mod nats_server;
pub mod policy;
pub mod projector;
pub mod recorder;
pub mod sample;
pub mod scenario;
pub mod tokens;
pub mod up;
pub mod verify;
