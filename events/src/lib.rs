//! What can be said: the published vocabulary of Rollbook.
//!
//! Reading order: [`event`] (the families and their kinds), [`envelope`] (what surrounds each event), [`codec`] (how a
//! stored event is written and read), [`submission`] (how a caller's event is read, strictly), then the identifiers.
//!
//! **Invariant:** this crate knows no rule, no SQL, no NATS, no HTTP and no clock. Time and ids arrive as arguments.

mod string_type;

pub mod access;
pub mod cin;
pub mod codec;
pub mod codes;
pub mod county;
pub mod envelope;
pub mod event;
pub mod families;
pub mod identity;
pub mod ids;
pub mod intake;
pub mod npi;
pub mod plan;
pub mod population;
pub mod program;
pub mod rejection;
pub mod schemas;
pub mod strict_json;
pub mod submission;
pub mod time;

pub use cin::{Cin, CinWarning};
pub use codec::{DecodeError, decode, encode};
pub use county::County;
pub use envelope::{Actor, Envelope, Sensitivity, Source, Subject};
pub use event::{Event, Kind};
pub use ids::{EventId, Hash, MemberId, Position};
pub use npi::{Npi, Provider};
pub use plan::PlanCode;
pub use population::Population;
pub use program::Program;
pub use rejection::{Rejection, RejectionCode};
pub use submission::{Submission, Whom};
pub use time::{Instant, Occurred, pacific_day};
