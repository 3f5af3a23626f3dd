//! Who may be one person with whom, so that a decision is made on all that is known of the person.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rollbook_events::families::who::Who;
use rollbook_events::{Event, MemberId, Position, Subject};
use rollbook_projections::Dossier;
use rollbook_projections::links::{Links, standing};
use rollbook_projections::store::Db;

use super::Histories;
use super::history_error::HistoryError;
use super::kept::Kept;
use super::tail::Tail;
use crate::log::{Log, Stored};

/// Pseudonyms whose dossiers are looked at together, at most; no person has as many.
const MOST_TOGETHER: usize = 64;
/// Messages that the views may lack for their links to be read from the log; where they lack more, they are being made
/// anew, and nobody is kept waiting for that.
const MOST_BEHIND: u64 = 100_000;

/// Every pair that a link event names, so far as the recorder has seen, whether or not the link stands.
///
/// More pairs than stand cost a look at a dossier; a pair too few would be decided as two persons.
#[derive(Debug, Default)]
pub(super) struct MayBeLinked {
    links: Links,
    /// Whether every link is known that stood when this program began.
    read: bool,
}

impl MayBeLinked {
    /// Reads once which links stand up to a position: from the views, and what these lack from the log.
    pub(super) async fn read(&mut self, log: &dyn Log, db: &Db, head: Position) -> Result<(), HistoryError> {
        if self.read {
            return Ok(());
        }
        let checkpoint = db.checkpoint().await?.position;
        for (a, b) in db.links(checkpoint).await?.pairs() {
            self.links.join(a, b);
        }
        if head.0 > checkpoint.0.saturating_add(MOST_BEHIND) {
            return Ok(());
        }
        if checkpoint < head {
            let mut messages = Tail::of(log, checkpoint, head).await?;
            while let Some(stored) = messages.next().await {
                self.note_stored(&stored?);
            }
        }
        self.read = true;
        Ok(())
    }

    fn note_stored(&mut self, stored: &Stored) {
        // Most messages are no links and need not be read.
        let text = std::str::from_utf8(&stored.body).unwrap_or_default();
        if !text.contains("member_linked") && !text.contains("member_unlinked") {
            return;
        }
        // One that cannot be read is refused where its dossier is wanted.
        if let Ok(recorded) = crate::projector::recorded(stored) {
            self.note(recorded.envelope.subject, &recorded.envelope.event);
        }
    }

    /// Takes in whom an event of a subject names.
    pub(super) fn note(&mut self, subject: Subject, event: &Event) {
        let (Some(member), Event::Who(who)) = (subject.member(), event) else { return };
        match who {
            Who::MemberLinked(link) => self.links.join(member, link.other),
            Who::MemberUnlinked(unlink) => self.links.join(member, unlink.other),
            Who::MemberDied(_) | Who::HousingObserved(_) => {}
        }
    }

    /// Everybody who may be one person with a member, the member included.
    pub(super) fn with(&self, member: MemberId) -> BTreeSet<MemberId> {
        if self.links.alone(member) {
            return BTreeSet::from([member]);
        }
        let group = self.links.group(member);
        if group.len() > MOST_TOGETHER {
            tracing::warn!(linked = group.len(), most = MOST_TOGETHER, "more pseudonyms are linked than are looked at");
        }
        // The smallest, so that it is the same whoever of them is asked about.
        group.into_iter().take(MOST_TOGETHER).chain([member]).collect()
    }

    /// These subjects, and everybody who may be one person with one of them.
    pub(super) fn with_all(&self, subjects: &BTreeSet<Subject>) -> BTreeSet<Subject> {
        let mut all = subjects.clone();
        // Mostly nobody is linked with anybody.
        for member in subjects.iter().filter_map(|subject| subject.member()).filter(|member| !self.links.alone(*member))
        {
            all.extend(self.with(member).into_iter().map(Subject::Member));
        }
        all
    }
}

impl Histories {
    /// The person a member is; with `parted`, everybody too who a link to the person may have joined or parted. Their
    /// dossiers must be at hand.
    pub(super) fn persons(&self, member: MemberId, parted: bool) -> Vec<BTreeSet<MemberId>> {
        let may_be = self.may_be_linked.with(member);
        if may_be.len() == 1 {
            return vec![may_be];
        }
        let mut pairs = standing(&self.joined(&may_be));
        pairs.retain(|(a, b)| may_be.contains(a) && may_be.contains(b));
        let links = Links::of(pairs);
        let mut persons = vec![links.group(member)];
        for other in may_be.into_iter().filter(|_| parted) {
            if !persons.iter().any(|person| person.contains(&other)) {
                persons.push(links.group(other));
            }
        }
        persons
    }

    /// One dossier of all pseudonyms of a person.
    pub(super) fn joined(&self, person: &BTreeSet<MemberId>) -> Cow<'_, Dossier> {
        let mut dossiers = person.iter().filter_map(|member| self.at_hand(*member)).map(|kept| &kept.dossier);
        match (person.len(), dossiers.next()) {
            (1, Some(only)) => Cow::Borrowed(only),
            // What has no place yet comes last, in the order of each dossier.
            (_, first) => Cow::Owned(Dossier::merged(first.into_iter().chain(dossiers))),
        }
    }

    /// Where the last event of a person stands that the log holds.
    pub(super) fn last_position_of(&self, person: &BTreeSet<MemberId>) -> Position {
        let kept = person.iter().filter_map(|member| self.at_hand(*member));
        kept.map(Kept::last_position).max().unwrap_or_default()
    }
}
