//! Cases without a server: the recorder's own decision, the projector's own fold, a log in memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use rollbook_events::families::rules::Rules;
use rollbook_events::{
    Actor, Envelope, Event, EventId, Hash, MemberId, Position, Rejection, RejectionCode, Subject, Submission, Whom,
    encode, pacific_day,
};
use rollbook_projections::fold::Fold;
use rollbook_projections::links::Links;
use rollbook_projections::rules::eligibility::{self, table};
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::store::read::Known;
use rollbook_projections::{Dossier, Recorded, Rulebook, views};
use serde_json::{Value, json};

use super::derived::derive;
use super::expect::Source;
use super::file::{Case, Given};
use super::given;
use super::ids::Ids;
use super::run::{Answer, Outcome, Played, Question, Way};
use crate::recorder::{Circumstances, Decision, decide};

/// Runs cases in memory, each in a ledger of its own.
#[derive(Debug)]
pub struct Pure {
    built_in: Rulebook,
    ledger: Option<Ledger>,
}

/// A ledger in memory.
#[derive(Debug)]
struct Ledger {
    fold: Fold,
    /// What a recorder decides on: a dossier for each subject.
    dossiers: HashMap<Subject, Dossier>,
    subjects: HashMap<EventId, Subject>,
    /// Rows of each view, as they were known.
    rows: Vec<Vec<Known>>,
    /// Links, with the positions between which they stood.
    links: Vec<(MemberId, MemberId, Position, Option<Position>)>,
    recorded: Vec<Recorded>,
    position: Position,
}

impl Pure {
    /// Over the built-in rulebook.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn new() -> anyhow::Result<Self> {
        let built_in = Rulebook::parse(Rulebook::built_in_text()).context("the built-in rulebook cannot be read")?;
        Ok(Self { built_in, ledger: None })
    }

    fn rulebook(&self, case: &Case) -> anyhow::Result<Rulebook> {
        let Some(overlay) = &case.overlay else { return Ok(self.built_in.clone()) };
        Rulebook::parse(&self.built_in.text_with(overlay))
            .with_context(|| format!("{}: the rulebook cannot be read", case.file.display()))
    }

    /// As [`Way::play`], which here never waits.
    ///
    /// # Errors
    /// Where the rulebook cannot be read or the fold stops.
    pub fn played(&mut self, case: &Case) -> anyhow::Result<Played> {
        let recorded = given::recorded(case);
        let ids = Ids::new(case, &case.id, &recorded);
        let beginning = recorded.first().map_or(DateTime::UNIX_EPOCH, |first| *first - Duration::microseconds(1));
        let mut ledger = Ledger::new(self.rulebook(case)?, beginning)?;
        let (mut outcomes, mut positions) = (Vec::new(), vec![ledger.position.0]);
        for (index, (given, now)) in case.given.iter().zip(&recorded).enumerate() {
            let submission = given::submission(case, index, given, &ids);
            let taken = ledger.take(submission, actor(case, given), *now)?;
            outcomes.push(taken.map_or_else(refused, |()| Outcome::Recorded));
            positions.push(ledger.position.0);
        }
        self.ledger = Some(ledger);
        Ok(Played { ids, recorded, outcomes, positions })
    }
}

impl Way for Pure {
    async fn play(&mut self, case: &Case) -> anyhow::Result<Played> {
        self.played(case)
    }

    async fn answer(&mut self, question: &Question) -> anyhow::Result<Answer> {
        let Some(ledger) = &self.ledger else { return Ok(Err("no case was played".to_owned())) };
        Ok(match question.source {
            Source::View { view, .. } => ledger.rows(view, question),
            Source::Eligibility => ledger.eligibility(question),
            Source::Export | Source::Report | Source::Rejected => Ok(Vec::new()),
        })
    }
}

fn refused(rejection: Rejection) -> Outcome {
    Outcome::Refused { code: rejection.code.to_string(), field: rejection.field, detail: rejection.detail }
}

fn actor(case: &Case, given: &Given) -> Actor {
    let [org, id, role] = given.actor.clone().unwrap_or_default();
    let plan = given.plan.as_ref().or(case.plan.as_ref());
    let org = org.or_else(|| plan.cloned()).unwrap_or_else(|| "scenario".to_owned());
    Actor { org, id: id.unwrap_or_else(|| "scenario".to_owned()), role: role.unwrap_or_else(|| "operator".to_owned()) }
}

impl Ledger {
    /// Begun with a rulebook.
    fn new(rulebook: Rulebook, at: DateTime<Utc>) -> anyhow::Result<Self> {
        let adoption = adoption(&rulebook, at).map_err(|rejection| anyhow::anyhow!("{rejection}"))?;
        let position = Position(1);
        let adoption = stored(adoption, position)?;
        let mut dossier = Dossier::default();
        dossier.apply(adoption.clone());
        Ok(Self {
            fold: Fold::new(Some(rulebook), dossier.clone(), Links::default()),
            subjects: HashMap::from([(adoption.envelope.id, Subject::Rulebook)]),
            dossiers: HashMap::from([(Subject::Rulebook, dossier)]),
            rows: views::ALL.iter().map(|_| Vec::new()).collect(),
            links: Vec::new(),
            recorded: vec![adoption],
            position,
        })
    }

    /// Decides on a submission and records what it becomes.
    fn take(&mut self, submission: Value, actor: Actor, now: DateTime<Utc>) -> anyhow::Result<Result<(), Rejection>> {
        let envelope = match self.decided(submission, actor, now) {
            Ok(Some(envelope)) => envelope,
            Ok(None) => return Ok(Ok(())),
            Err(rejection) => return Ok(Err(rejection)),
        };
        let Some(member) = envelope.subject.member() else {
            self.record(envelope)?;
            return Ok(Ok(()));
        };
        let person = self.group(&[member], self.position);
        self.record(envelope)?;
        self.derive(member, now)?;
        // Whoever was one person with the member and may be no longer.
        for other in person.into_iter().filter(|other| *other != member) {
            self.derive(other, now)?;
        }
        Ok(Ok(()))
    }

    /// Records what follows from what is known of a member, and of everybody who is one person with the member.
    fn derive(&mut self, member: MemberId, now: DateTime<Utc>) -> anyhow::Result<()> {
        let (Some(dossier), Some(rulebook)) = (self.fold.dossier(member), self.fold.rulebook()) else { return Ok(()) };
        for mut derived in derive(dossier, rulebook, self.position, now)? {
            derived.previous = self.dossiers.get(&derived.subject).and_then(Dossier::last).map(|last| last.hash);
            self.record(derived)?;
        }
        Ok(())
    }

    /// The event that a submission becomes; none where it is known.
    fn decided(&mut self, submission: Value, actor: Actor, now: DateTime<Utc>) -> Result<Option<Envelope>, Rejection> {
        let submission = Submission::from_value(submission)?;
        let subject = match &submission.whom {
            Whom::Member(member) => Subject::Member(*member),
            Whom::Rulebook => Subject::Rulebook,
            Whom::Cin(_) => return Err(Rejection::new(RejectionCode::UnknownField, "cin", "is not known here")),
        };
        let id = submission.id;
        if id.and_then(|id| self.subjects.get(&id)).is_some_and(|of| *of != subject) {
            let detail = "already names an event of another member";
            return Err(Rejection::new(RejectionCode::IdReused, "id", detail));
        }
        let dossier = self.dossiers.entry(subject).or_default();
        let previous = dossier.last().map(|last| last.hash);
        let fresh_id = id.unwrap_or(EventId(uuid::Uuid::max()));
        match decide(dossier, submission, subject, Circumstances { actor, now, fresh_id, previous })? {
            Decision::Known(_) => Ok(None),
            Decision::Record(envelope) => Ok(Some(*envelope)),
        }
    }

    fn record(&mut self, envelope: Envelope) -> anyhow::Result<()> {
        self.position = Position(self.position.0 + 1);
        let recorded = stored(envelope, self.position)?;
        let subject = recorded.envelope.subject;
        self.subjects.insert(recorded.envelope.id, subject);
        self.dossiers.entry(subject).or_default().apply(recorded.clone());
        let former = self.fold.rulebook().cloned();
        self.fold.apply(recorded.clone())?;
        if let (Subject::Rulebook, Some(former)) = (subject, former) {
            let members: BTreeSet<MemberId> = self.dossiers.keys().filter_map(|subject| subject.member()).collect();
            self.fold.rederive(&former, &members, self.recorded.clone(), self.position);
            // Held again at once, because this ledger has no store to read them from.
            self.fold.hold(&members, self.recorded.clone());
        }
        self.recorded.push(recorded);
        self.keep_changes();
        Ok(())
    }

    fn keep_changes(&mut self) {
        let changes = self.fold.take_changes();
        for (rows, changed) in self.rows.iter_mut().zip(changes.views) {
            for (key, at) in changed.closed {
                let open = rows.iter_mut().find(|known| known.row.key == key && known.known_until.is_none());
                open.into_iter().for_each(|known| known.known_until = Some(at));
            }
            rows.extend(changed.opened.into_iter().map(|opened| Known {
                row: opened.row,
                known_from: opened.known_from,
                known_until: opened.known_until,
            }));
        }
        for ((a, b), at) in changes.parted {
            let link = self.links.iter_mut().find(|(x, y, _, until)| (*x, *y) == (a, b) && until.is_none());
            link.into_iter().for_each(|link| link.3 = Some(at));
        }
        self.links.extend(changes.joined.into_iter().map(|((a, b), at)| (a, b, at, None)));
    }

    fn rows(&self, view: &str, question: &Question) -> Answer {
        let index = views::ALL.iter().position(|known| known.table().name == view);
        let Some(index) = index else { return Err(format!("this build has no view {view}")) };
        let (Some(view), Some(rows)) = (views::ALL.get(index), self.rows.get(index)) else { return Ok(Vec::new()) };
        let at = Position(question.at);
        let members = self.group(&question.members, at);
        let is_known = |known: &&Known| {
            known.known_from <= at
                && known.known_until.is_none_or(|until| at < until)
                && known.row.member.is_some_and(|member| members.contains(&member))
        };
        Ok(rows.iter().filter(is_known).map(|known| known.json(view.table())).collect())
    }

    /// Everyone who is, at a position, the same person as one of these.
    fn group(&self, members: &[MemberId], at: Position) -> BTreeSet<MemberId> {
        let mut group: BTreeSet<MemberId> = members.iter().copied().collect();
        let stand: Vec<_> =
            self.links.iter().filter(|(.., from, until)| *from <= at && until.is_none_or(|until| at < until)).collect();
        loop {
            let before = group.len();
            for (a, b, ..) in &stand {
                if group.contains(a) || group.contains(b) {
                    group.extend([*a, *b]);
                }
            }
            if group.len() == before {
                return group;
            }
        }
    }

    /// The answers on eligibility of everyone asked about, each worked out from what was known of the person then.
    fn eligibility(&self, question: &Question) -> Answer {
        let at = Position(question.at);
        let about = |key: &str| question.about.get(key).map(String::as_str).unwrap_or_default();
        let (Ok(program), Ok(plan), Ok(county)) =
            (about("program").parse(), about("plan").parse(), about("county").parse())
        else {
            return Err("a question on eligibility needs a program, a plan and a county".to_owned());
        };
        let channel = question.about.get("channel").and_then(|channel| channel.parse().ok());
        let asked = eligibility::Question { program, channel, plan: &plan, county };
        let Some(rulebook) = self.fold.rulebook() else { return Err("no rulebook was adopted".to_owned()) };
        let mut rows = Vec::new();
        let mut seen: BTreeSet<MemberId> = BTreeSet::new();
        for member in &question.members {
            let group = self.group(&[*member], at);
            if !seen.insert(*group.first().unwrap_or(member)) {
                continue;
            }
            let mut dossier = Dossier::default();
            let of_group = |of: &&Recorded| of.envelope.subject.member().is_some_and(|member| group.contains(&member));
            self.recorded
                .iter()
                .filter(|of| of.position <= at)
                .filter(of_group)
                .for_each(|of| dossier.apply(of.clone()));
            let answers = table::rows(&Facts::of(&dossier, rulebook), &asked);
            let known = answers.into_iter().map(|row| Known { row, known_from: at, known_until: None });
            rows.extend(known.map(|known| known.json(&table::TABLE)));
        }
        Ok(rows)
    }
}

fn stored(envelope: Envelope, position: Position) -> anyhow::Result<Recorded> {
    let body = encode(&envelope).context("an event cannot be written")?;
    let hash = Hash::of(&body);
    let body: Arc<str> = String::from_utf8(body).context("an event is no text")?.into();
    Ok(Recorded { position, hash, envelope: Arc::new(envelope), body })
}

/// The first event of a ledger.
fn adoption(rulebook: &Rulebook, at: DateTime<Utc>) -> Result<Envelope, Rejection> {
    let submission = Submission::from_value(json!({
        "kind": "rulebook_adopted", "plan": "dhcs", "county": "sacramento", "occurred_at": pacific_day(&at).to_string(),
        "data": { "hash": rulebook.hash().to_string(), "text": rulebook.text(), "reason": "a scenario" },
    }))?;
    let Event::Rules(Rules::RulebookAdopted(_)) = &submission.event else {
        return Err(Rejection::new(RejectionCode::Malformed, "kind", "is no adoption"));
    };
    let actor = Actor { org: "rollbook".to_owned(), id: "scenario".to_owned(), role: "operator".to_owned() };
    Ok(Envelope {
        id: EventId(uuid::Uuid::from_u128(1)),
        subject: Subject::Rulebook,
        plan: submission.plan,
        county: submission.county,
        occurred_at: submission.occurred_at,
        recorded_at: at,
        actor,
        source: None,
        causation: None,
        correlation: None,
        replaces: None,
        sensitivity: submission.sensitivity,
        previous: None,
        event: submission.event,
        unknown: std::collections::BTreeMap::new(),
    })
}
