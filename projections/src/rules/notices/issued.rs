//! Which mailed notice, and which appeal, belongs to which obligation.

use rollbook_events::codes::NoticeKind;
use rollbook_events::families::notice::{AppealFiled, AppealResolved, Notice, NoticeIssued};
use rollbook_events::{Envelope, Event};

use super::Obligation;
use super::records::Record;
use crate::rules::facts::Facts;

/// A notice is about an obligation, and of a kind.
type Group<'a> = (Option<Obligation<'a>>, Option<NoticeKind>);

/// A notice that was mailed, with its event.
pub type Mailed<'a> = (&'a Envelope, &'a NoticeIssued);

/// An appeal, and how it ended.
#[derive(Debug, Clone, Copy)]
pub struct Appeal<'a> {
    /// As it was filed.
    pub filed: &'a AppealFiled,
    /// How it ended; none while it is open.
    pub resolved: Option<&'a AppealResolved>,
}

/// Writes into each record the last notice mailed for its obligation, and the last appeal against any of them.
pub(super) fn fill<'a>(facts: &Facts<'a>, records: &mut [Record<'a>]) {
    let mut given: Vec<(Group<'a>, Mailed<'a>)> = Vec::new();
    for mailed in mailed(facts) {
        if let Some(record) = belongs_to(records, &given, mailed) {
            given.push((group(record), mailed));
        }
    }
    for record in records {
        let group = group(record);
        let of_it: Vec<Mailed<'a>> = given.iter().filter(|(of, _)| *of == group).map(|(_, mailed)| *mailed).collect();
        record.notice = of_it.last().copied();
        record.appeal = appeal(facts, |by, filed| {
            of_it.iter().any(|(mailed, notice)| mailed.plan == by.plan && notice.notice == filed.notice)
        });
    }
}

fn group<'a>(record: &Record<'a>) -> Group<'a> {
    (record.obligation, record.answer.notice)
}

/// Every notice that was mailed, in the order of mailing.
fn mailed<'a>(facts: &Facts<'a>) -> Vec<Mailed<'a>> {
    let issued = facts.standing.iter().filter_map(|envelope| {
        let Event::Notice(Notice::NoticeIssued(notice)) = &envelope.event else { return None };
        Some((*envelope, notice))
    });
    let mut issued: Vec<Mailed<'a>> = issued.collect();
    issued.sort_by_key(|(by, notice)| (notice.mailed_on, by.id));
    issued
}

/// A notice belongs to the determination it names. One that names none, to an obligation of its plan, program and kind
/// that has none yet: to what still stands before what does not, to the day the notice names, then to the nearest.
fn belongs_to<'r, 'a>(
    records: &'r [Record<'a>],
    given: &[(Group<'a>, Mailed<'a>)],
    (by, notice): Mailed<'a>,
) -> Option<&'r Record<'a>> {
    if let Some(named) = notice.determination {
        let is_named = |record: &&Record<'a>| record.event.is_some_and(|(event, _)| event.id == named);
        return records.iter().filter(|record| record.plan == &by.plan).find(is_named);
    }
    let fits = |record: &&Record<'a>| {
        record.plan == &by.plan
            && record.program == notice.program
            && record.answer.notice == Some(notice.kind)
            && !given.iter().any(|(of, _)| *of == group(record))
    };
    let distance = |record: &Record<'a>| (notice.mailed_on.0 - record.raised_on).num_days().abs();
    records.iter().filter(fits).min_by_key(|record| {
        let other_day = notice.effective_on.is_none_or(|day| day.0 != record.on);
        let gone = record.superseded_by.is_some() || record.voided;
        (gone, other_day, distance(record), record.obligation)
    })
}

fn appeal<'a>(facts: &Facts<'a>, of_it: impl Fn(&Envelope, &AppealFiled) -> bool) -> Option<Appeal<'a>> {
    let filed = facts.standing.iter().filter_map(|envelope| {
        let Event::Notice(Notice::AppealFiled(filed)) = &envelope.event else { return None };
        of_it(envelope, filed).then_some((filed.on, envelope.id, filed, &envelope.plan))
    });
    let (.., filed, plan) = filed.max_by_key(|(on, id, ..)| (*on, *id))?;
    let resolved = facts.standing.iter().filter_map(|envelope| {
        let Event::Notice(Notice::AppealResolved(resolved)) = &envelope.event else { return None };
        (resolved.appeal == filed.appeal && envelope.plan == *plan).then_some((resolved.on, envelope.id, resolved))
    });
    let resolved = resolved.max_by_key(|(on, id, _)| (*on, *id)).map(|(.., resolved)| resolved);
    Some(Appeal { filed, resolved })
}
