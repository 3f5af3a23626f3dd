//! Before an answer leaves, whom it speaks of is written down; where that fails, nothing is shown.

use std::collections::BTreeSet;

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use rollbook_events::{Actor, MemberId, Position};

use super::edge::Edge;
use super::problem::{Kind, Problem};
use crate::access_log::{AccessLog, NotWritten, Showing, Told};
use crate::error_chain::chain;
use crate::policy::Purpose;

/// Who asks, as the permit found out; it travels with the request.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Who.
    pub actor: Actor,
    /// What for, where it was stated.
    pub purpose: Option<Purpose>,
}

/// What was asked, by whom: an answer to it is written down under this.
#[derive(Debug, Clone, Default)]
pub struct Question {
    viewer: Option<Viewer>,
    route: String,
}

impl Question {
    /// Of a request whose permit was granted.
    pub fn of(parts: &Parts) -> Self {
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        Self { viewer: parts.extensions.get().cloned(), route: format!("{} {route}", parts.method) }
    }

    /// An answer to it.
    ///
    /// # Errors
    /// Where nobody was permitted to ask: the handler takes its permit after the question.
    pub fn answered(&self, edge: &Edge, position: Position) -> Result<Shown, Problem> {
        let nobody = || Problem::new(Kind::Internal, "nobody was permitted to ask this");
        let Viewer { actor, purpose } = self.viewer.clone().ok_or_else(nobody)?;
        let purpose = purpose.map(|purpose| purpose.to_string());
        let showing = Showing::to(actor, purpose, &self.route, position);
        Ok(Shown { access: edge.access.clone(), showing })
    }
}

/// Whom an answer speaks of.
#[derive(Debug, Clone)]
pub enum About {
    /// No person: a sum, a rule.
    Nobody,
    /// These.
    Members(BTreeSet<MemberId>),
}

/// An answer on its way out.
#[derive(Debug, Clone)]
pub struct Shown {
    access: AccessLog,
    showing: Showing,
}

impl Shown {
    /// Writes down that these members are shown.
    ///
    /// # Errors
    /// 503 where it cannot be written down.
    pub async fn about(&self, about: About) -> Result<Told, Problem> {
        match about {
            About::Nobody => Ok(Told::of_nobody()),
            About::Members(members) => self.access.record(&self.showing, &members).await.map_err(|why| refused(&why)),
        }
    }

    /// The same as an export of every row, which is written down itself.
    ///
    /// # Errors
    /// As [`Self::about`].
    pub async fn into_export(self) -> Result<Self, Problem> {
        let showing = self.showing.exported();
        self.access.record_export(&showing).await.map_err(|why| refused(&why))?;
        Ok(Self { showing, ..self })
    }
}

fn refused(why: &NotWritten) -> Problem {
    tracing::error!(error = chain(why), "an answer was not given");
    Problem::new(Kind::NotWrittenDown, "")
}
