//! The stream `ACCESS`: who was shown what of whom. One message a member that an answer speaks of, on `access.<member>`; one
//! on `access.export` for a whole list that was taken out. It holds no value that was shown, only what kind of answer it was.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::envelope::Actor;
use crate::ids::{EventId, MemberId, Position};
use crate::time::Instant;

/// An answer that was given, or was about to be given when its connection broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRecorded {
    pub id: EventId,
    /// When it was recorded, which is before the answer left.
    pub at: Instant,
    /// Who was answered, in which role.
    pub actor: Actor,
    /// The purpose of use that they stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// What was asked: the method and the route, as `GET /v1/members/{member}/history`.
    pub operation: String,
    /// In which form it was given.
    pub given_as: GivenAs,
    /// Whom it speaks of; nobody in the message about an export as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// The position of the log that the answer rests on.
    pub position: Position,
    /// Groups the messages of one answer.
    pub answer: Uuid,
}

/// The forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenAs {
    /// A page or one thing, to be read.
    Page,
    /// Every row, to be taken elsewhere.
    Export,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        let recorded = AccessRecorded {
            id: EventId(Uuid::from_u128(1)),
            at: "2026-03-01T08:00:00Z".parse().unwrap(),
            actor: Actor { org: "la-care".into(), id: "audit".into(), role: "plan_compliance".into() },
            purpose: None,
            operation: "GET /v1/members/{member}/history".to_owned(),
            given_as: GivenAs::Page,
            member: Some(MemberId(Uuid::from_u128(2))),
            position: Position(7),
            answer: Uuid::from_u128(3),
        };
        let text = serde_json::to_string(&recorded).unwrap();
        assert!(!text.contains("purpose") && text.contains(r#""given_as":"page""#), "{text}");
        assert_eq!(serde_json::from_str::<AccessRecorded>(&text).unwrap(), recorded);
    }
}
