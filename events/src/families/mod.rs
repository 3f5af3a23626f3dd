//! The kinds, in families, in reading order.
//!
//! **These types are the stored format.** A field changes only by a new version of its kind: a payload of the old version
//! beside the new one, a step function, and a golden file (see `events/README.md`, "to add a kind").

use serde_json::{Map, Value};

use crate::rejection::Rejection;

pub mod authorization;
pub mod correction;
pub mod coverage;
pub mod enrollment;
pub mod notice;
pub mod other_programs;
pub mod outreach;
pub mod referral;
pub mod rules;
pub mod who;

/// One step from a version's JSON to the next.
pub type Upcast = fn(&mut Map<String, Value>);

/// What the code knows of a kind without an event of it.
#[derive(Debug)]
pub struct KindInfo {
    /// Its name, as in `enrolled`.
    pub name: &'static str,
    /// The steps from version 1 to the current one; their number plus one is the current version.
    pub upcasts: &'static [Upcast],
    /// The JSON Schema of `data`, one a version, the oldest first.
    pub schemas: &'static [fn() -> schemars::Schema],
}

impl KindInfo {
    /// The version that is written today.
    pub fn version(&self) -> u16 {
        u16::try_from(self.upcasts.len() + 1).unwrap_or(u16::MAX)
    }
}

pub(crate) type Checked = Result<(), Rejection>;

/// A family: one line a kind gives its payload, name, old versions, whether it names a program, whether it has a check.
macro_rules! family {
    ($(#[$meta:meta])* $family:ident {
        $($payload:ident = $name:literal [$($old:ident => $step:ident),*] { $($flag:ident),* }),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $family { $($payload($payload)),+ }

        impl $family {
            pub(crate) const KINDS: &'static [crate::families::KindInfo] = &[$(crate::families::KindInfo {
                name: $name,
                upcasts: &[$($step),*],
                schemas: &[$(|| schemars::schema_for!($old),)* || schemars::schema_for!($payload)],
            }),+];

            pub(crate) fn name(&self) -> &'static str {
                match self { $(Self::$payload(_) => $name),+ }
            }

            pub(crate) fn read<'de, D: serde::Deserializer<'de>>(name: &str, data: D) -> Option<Result<Self, D::Error>> {
                match name {
                    $($name => Some(<$payload as serde::Deserialize>::deserialize(data).map(Self::$payload)),)+
                    _ => None,
                }
            }

            pub(crate) fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$payload(payload) => serde::Serialize::serialize(payload, serializer)),+ }
            }

            pub(crate) fn program(&self) -> Option<crate::program::Program> {
                match self { $(Self::$payload(_payload) => crate::families::flags!(program _payload $($flag)*)),+ }
            }

            pub(crate) fn check(&self) -> crate::families::Checked {
                match self { $(Self::$payload(_payload) => crate::families::flags!(check _payload $($flag)*)),+ }
            }
        }

        $(impl From<$payload> for crate::event::Event {
            fn from(payload: $payload) -> Self { Self::$family($family::$payload(payload)) }
        })+
    };
}

/// Picks what a kind's flags say: its program, or its check.
macro_rules! flags {
    (program $p:ident program $($rest:ident)*) => { Some($p.program) };
    (program $p:ident $other:ident $($rest:ident)*) => { crate::families::flags!(program $p $($rest)*) };
    (program $p:ident) => { None };
    (check $p:ident check $($rest:ident)*) => { $p.check() };
    (check $p:ident $other:ident $($rest:ident)*) => { crate::families::flags!(check $p $($rest)*) };
    (check $p:ident) => { Ok(()) };
}

pub(crate) use {family, flags};
