//! How the webhooks stand, for operators.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use utoipa::ToSchema;

use super::attempt::{Attempt, Span, What};

/// How a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WebhookStanding {
    /// What the operator calls it.
    pub subscription: String,
    /// Whose feed.
    pub plan: String,
    /// Every message up to this number is delivered, given up, or not asked for.
    #[schema(minimum = 0)]
    pub settled: u64,
    /// Messages given up so far; `rollbook feed replay` calls for them once more.
    #[schema(minimum = 0)]
    pub given_up: u64,
    /// What is called for once more.
    pub replay: Option<Span>,
    /// The last record of its attempts.
    pub last: Option<Attempt>,
    /// What is wrong with the last call, or with the stream of attempts.
    pub trouble: Option<String>,
}

/// Where senders say how they stand. Cheap to clone; all clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Report(Arc<RwLock<BTreeMap<String, WebhookStanding>>>);

impl Report {
    /// How each subscription stands.
    pub fn standings(&self) -> Vec<WebhookStanding> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// There is such a subscription.
    pub fn is(&self, subscription: &str, plan: &str) {
        let standing = WebhookStanding {
            subscription: subscription.to_owned(),
            plan: plan.to_owned(),
            settled: 0,
            given_up: 0,
            replay: None,
            last: None,
            trouble: None,
        };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(subscription.to_owned(), standing);
    }

    /// This was recorded, here or by another sender.
    pub fn recorded(&self, attempt: &Attempt) {
        self.change(&attempt.subscription, |standing| {
            (standing.settled, standing.given_up, standing.replay) =
                (attempt.settled, attempt.given_up, attempt.replay);
            standing.trouble = match attempt.what {
                What::Failed | What::GivenUp => attempt.problem.clone(),
                What::Begun => standing.trouble.take(),
                What::Delivered | What::ReplayAsked => None,
            };
            standing.last = Some(attempt.clone());
        });
    }

    /// The sender cannot go on yet.
    pub fn trouble(&self, subscription: &str, cause: &str) {
        self.change(subscription, |standing| standing.trouble = Some(cause.to_owned()));
    }

    fn change(&self, subscription: &str, change: impl FnOnce(&mut WebhookStanding)) {
        if let Some(standing) = self.0.write().unwrap_or_else(PoisonError::into_inner).get_mut(subscription) {
            change(standing);
        }
    }
}
