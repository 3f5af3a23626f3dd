//! Notices of Action and appeals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::family;
use crate::codes::{AppealOutcome, Key, NoticeKind, NoticeOutcome};
use crate::ids::{AppealId, EventId, Hash, NoticeId, Position};
use crate::program::Program;
use crate::time::{Day, Instant};

family! {
    /// Notices of Action and appeals.
    Notice {
        NoticeDetermined = "notice_determined" [] {program},
        NoticeIssued = "notice_issued" [] {program},
        MailReturned = "mail_returned" [MailReturnedV1 => mail_returned_1_to_2] {},
        AppealFiled = "appeal_filed" [] {},
        AppealResolved = "appeal_resolved" [] {},
    }
}

/// Whether a notice is required and why: written by the ledger itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoticeDetermined {
    pub trigger: EventId,
    pub program: Program,
    pub outcome: NoticeOutcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeKind>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limbs: Vec<Key>,
    pub rule: Key,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<EventId>,
    pub rulebook: RulebookRef,
    /// The position it knew.
    pub known_at: Position,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<EventId>,
}

/// A notice was mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoticeIssued {
    pub notice: NoticeId,
    pub program: Program,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub determination: Option<EventId>,
    pub kind: NoticeKind,
    pub mailed_on: Day,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_on: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Key>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Key>,
}

/// A letter came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailReturned {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeId>,
    pub on: Day,
    #[serde(default)]
    pub forwarding_address: bool,
}

/// An appeal was filed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppealFiled {
    pub appeal: AppealId,
    pub notice: NoticeId,
    pub on: Day,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Instant>,
    #[serde(default)]
    pub expedited: bool,
    #[serde(default)]
    pub aid_paid_pending: bool,
}

/// An appeal was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppealResolved {
    pub appeal: AppealId,
    pub on: Day,
    pub outcome: AppealOutcome,
}

/// The rulebook a determination rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RulebookRef {
    pub id: Key,
    pub hash: Hash,
}

/// Version 1 of `mail_returned` named the field after the envelope's remark, `forwarding`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailReturnedV1 {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeId>,
    pub on: Day,
    #[serde(default)]
    pub forwarding: bool,
}

/// The pattern of an upcast: a step from one version's JSON to the next, never edited once released.
fn mail_returned_1_to_2(data: &mut Map<String, Value>) {
    let forwarding = data.remove("forwarding").unwrap_or(Value::Bool(false));
    data.insert("forwarding_address".to_owned(), forwarding);
}
