//! `Event`: one variant a family. A fold names the families it ignores and the kinds of those it reads.

use std::fmt;

use serde::Serializer;
use serde::de::Deserializer;

use crate::families::authorization::Authorization;
use crate::families::correction::Correction;
use crate::families::coverage::Coverage;
use crate::families::enrollment::Enrollment;
use crate::families::notice::Notice;
use crate::families::other_programs::OtherPrograms;
use crate::families::outreach::Outreach;
use crate::families::referral::Referral;
use crate::families::rules::Rules;
use crate::families::who::Who;
use crate::families::{Checked, KindInfo};
use crate::program::Program;

macro_rules! families {
    ($($family:ident),+ $(,)?) => {
        /// What happened: the payload, by family and kind.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event { $(
            #[doc = concat!("See [`", stringify!($family), "`].")]
            $family($family)
        ),+ }

        const FAMILIES: &[&[KindInfo]] = &[$($family::KINDS),+];

        impl Event {
            /// The kind's name, as in `enrolled`.
            pub fn name(&self) -> &'static str { match self { $(Self::$family(event) => event.name()),+ } }

            /// The program the event is about, where it names one.
            pub fn program(&self) -> Option<Program> { match self { $(Self::$family(event) => event.program()),+ } }

            /// What the types alone cannot say: spans that end before they begin.
            pub fn check(&self) -> Checked { match self { $(Self::$family(event) => event.check()),+ } }

            pub(crate) fn read<'de, D: Deserializer<'de>>(kind: Kind, data: D) -> Result<Self, D::Error> {
                match kind.family {
                    $(name if name == stringify!($family) => match $family::read(kind.name(), data) {
                        Some(event) => event.map(Self::$family),
                        None => Err(serde::de::Error::custom("the kind is not of this family")),
                    },)+
                    _ => Err(serde::de::Error::custom("no such family")),
                }
            }

            pub(crate) fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$family(event) => event.write(serializer)),+ }
            }
        }

        const FAMILY_NAMES: &[&str] = &[$(stringify!($family)),+];
    };
}

families! { Who, Coverage, OtherPrograms, Referral, Authorization, Outreach, Enrollment, Notice, Rules, Correction }

/// A kind of event that the vocabulary knows.
#[derive(Clone, Copy)]
pub struct Kind {
    family: &'static str,
    info: &'static KindInfo,
}

impl Kind {
    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.info.name == name)
    }

    /// Every kind, in the order of the vocabulary.
    pub fn all() -> impl Iterator<Item = Self> {
        FAMILIES
            .iter()
            .zip(FAMILY_NAMES)
            .flat_map(|(kinds, family)| kinds.iter().map(move |info| Self { family, info }))
    }

    /// Its name, as in `enrolled`.
    pub fn name(self) -> &'static str {
        self.info.name
    }

    /// The version that is written today.
    pub fn version(self) -> u16 {
        self.info.version()
    }

    /// Names of upcasts, schemas and versions.
    pub fn info(self) -> &'static KindInfo {
        self.info
    }
}

impl Event {
    /// The event's kind.
    pub fn kind(&self) -> Option<Kind> {
        Kind::parse(self.name())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.info.name)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.info.name == other.info.name
    }
}

impl Eq for Kind {}

impl serde::Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}
