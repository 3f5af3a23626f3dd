//! How ECM goes for a member: assignment, outreach, a yes or a no, sometimes an end.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rand::Rng;
use std::collections::BTreeSet;

use super::calendar::{Month, after, as_of, days_between};
use super::county::{Plan, Provider};
use super::life::{Attempt, Ending, Enrollment, Episode, Filing, Method, Misstated, Outcome, Stray};

/// What is settled about an episode before chance is asked.
struct Course {
    plan: Plan,
    assigned: NaiveDate,
    /// The first day the plan no longer answers for the member.
    closes: NaiveDate,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Whatever comes.
    Open,
    /// The member enrolls, whatever comes after.
    Enrolls,
    /// The member enrolls and stays.
    EnrollsAndStays,
    /// The member goes to another plan, which ends any enrollment.
    Leaves,
}

/// The episodes of a member whom that plan identifies: one, or two for the few who change plans.
pub fn episodes(home: Plan, taken: &mut BTreeSet<NaiveDateTime>, rng: &mut impl Rng) -> Vec<Episode> {
    let end = after(as_of(), 1);
    if !rng.random_bool(0.03) {
        let month = if rng.random_bool(0.35) { 0 } else { rng.random_range(1..11) };
        let assigned = assigned_in(Month::FIRST.plus(month), rng);
        return vec![episode(&Course { plan: home, assigned, closes: end, fate: Fate::Open }, taken, rng)];
    }
    let next = home.another(rng);
    let first_assigned = assigned_in(Month::FIRST.plus(rng.random_range(0..3)), rng);
    if rng.random_bool(0.3) {
        let next_assigned = assigned_in(Month::FIRST.plus(rng.random_range(5..8)), rng);
        let first = Course { plan: home, assigned: first_assigned, closes: end, fate: Fate::EnrollsAndStays };
        let second = Course { plan: next, assigned: next_assigned, closes: end, fate: Fate::Enrolls };
        return vec![episode(&first, taken, rng), episode(&second, taken, rng)];
    }
    let next_assigned = assigned_in(Month::FIRST.plus(rng.random_range(6..10)), rng);
    let first = Course { plan: home, assigned: first_assigned, closes: next_assigned, fate: Fate::Leaves };
    let second = Course { plan: next, assigned: next_assigned, closes: end, fate: Fate::Open };
    vec![episode(&first, taken, rng), episode(&second, taken, rng)]
}

/// Outreach to somebody whom no plan identified.
pub fn stray(plan: Plan, taken: &mut BTreeSet<NaiveDateTime>, rng: &mut impl Rng) -> Stray {
    let provider = Provider::drawn(plan, rng);
    let first = after(Month::FIRST.day(1), rng.random_range(0..300));
    let count = rng.random_range(1..5);
    let mut attempts: Vec<_> = (0..count).filter_map(|_| attempt(plan, first, after(first, 60), taken, rng)).collect();
    attempts.sort_by_key(|attempt| attempt.starts);
    Stray { plan, provider, attempts }
}

/// Early enough in the month for the month's Member Information File, which is made on the 25th.
fn assigned_in(month: Month, rng: &mut impl Rng) -> NaiveDate {
    month.day(rng.random_range(1..=20))
}

fn episode(course: &Course, taken: &mut BTreeSet<NaiveDateTime>, rng: &mut impl Rng) -> Episode {
    let &Course { plan, assigned, closes, .. } = course;
    let provider = Provider::drawn(plan, rng);
    let outcome = outcome(course, rng);
    let limit = match &outcome {
        Outcome::Pending => closes,
        Outcome::Declined(on) => *on,
        Outcome::Enrolled(enrollment) => enrollment.from,
    };
    Episode {
        plan,
        provider,
        clinical: rng.random_bool(0.3),
        assigned,
        listed_to: Month::of(after(closes, -1)),
        populations: populations(rng),
        attempts: attempts(course, &outcome, limit, taken, rng),
        outcome,
    }
}

fn populations(rng: &mut impl Rng) -> Vec<usize> {
    let mut populations = BTreeSet::from([rng.random_range(0..9_u32) as usize]);
    if rng.random_bool(0.4) {
        populations.insert(rng.random_range(0..9_u32) as usize);
    }
    populations.into_iter().collect()
}

fn outcome(course: &Course, rng: &mut impl Rng) -> Outcome {
    let ticket = rng.random_range(0..100_u32);
    let sure = matches!(course.fate, Fate::Enrolls | Fate::EnrollsAndStays);
    let day = after(course.assigned, 7 + rng.random_range(0..75));
    if day >= course.closes {
        return Outcome::Pending;
    }
    if sure || ticket < 46 {
        return enrollment(course, day, rng).map_or(Outcome::Pending, Outcome::Enrolled);
    }
    if ticket < 57 { Outcome::Declined(day) } else { Outcome::Pending }
}

/// Nothing if the member leaves the plan before the enrollment has seen a change of month: the files, which are
/// monthly, then need no row that tells of a beginning and an end at once.
fn enrollment(course: &Course, from: NaiveDate, rng: &mut impl Rng) -> Option<Enrollment> {
    let end = match course.fate {
        Fate::Leaves => {
            let last_day = after(course.closes, -1 - rng.random_range(0..10));
            if Month::of(last_day) <= Month::of(from) {
                return None;
            }
            Some(ending(last_day, Some(9), rng))
        }
        Fate::EnrollsAndStays => None,
        Fate::Open | Fate::Enrolls => rng.random_bool(0.3).then(|| drawn_ending(from, rng)).flatten(),
    };
    let misstated_from = rng.random_bool(0.04).then(|| misstated_start(from, course.assigned, rng)).flatten();
    Some(Enrollment { from, misstated_from, end })
}

fn drawn_ending(from: NaiveDate, rng: &mut impl Rng) -> Option<Ending> {
    let earliest = Month::of(from).plus(1).day(1);
    let room = days_between(earliest, as_of());
    if room < 1 {
        return None;
    }
    let last_day = after(earliest, rng.random_range(0..room));
    let code = rng.random_range(1..=15_u32);
    // Nine is for those who switch plans, which this member does not.
    let reason = if code == 9 { None } else { Some(code) };
    Some(ending(last_day, reason.filter(|_| rng.random_bool(0.9)), rng))
}

fn ending(last_day: NaiveDate, reason: Option<u32>, rng: &mut impl Rng) -> Ending {
    let month = Month::of(last_day);
    let next = month.plus(1);
    let ticket = rng.random_range(0..100_u32);
    let reported_later = next <= Month::LAST;
    let wrong_day = month.day(rng.random_range(1..=28));
    Ending {
        last_day,
        known_in: if reported_later && ticket < 10 { next } else { month },
        misstated: (reported_later && (10..16).contains(&ticket) && wrong_day != last_day)
            .then_some(Misstated { day: wrong_day, right_from: next }),
        reason,
    }
}

fn misstated_start(from: NaiveDate, assigned: NaiveDate, rng: &mut impl Rng) -> Option<Misstated> {
    let month = Month::of(from);
    let day = month.day(rng.random_range(1..=28));
    let right_from = month.plus(rng.random_range(1..=2));
    (day != from && day > assigned && right_from <= Month::LAST).then_some(Misstated { day, right_from })
}

fn attempts(
    course: &Course,
    outcome: &Outcome,
    limit: NaiveDate,
    taken: &mut BTreeSet<NaiveDateTime>,
    rng: &mut impl Rng,
) -> Vec<Attempt> {
    let first = after(course.assigned, 1);
    let last = after(limit, -1).min(after(first, 150));
    let count = rng.random_range(0..7);
    let mut attempts: Vec<_> = (0..count).filter_map(|_| attempt(course.plan, first, last, taken, rng)).collect();
    if let Outcome::Enrolled(enrollment) = outcome
        && rng.random_bool(0.02)
    {
        let end = enrollment.end.as_ref().map_or(as_of(), |end| end.last_day).min(after(enrollment.from, 60));
        attempts.extend(attempt(course.plan, after(enrollment.from, 1), end, taken, rng));
    }
    attempts.sort_by_key(|attempt| attempt.starts);
    attempts
}

/// An attempt between the two days; none where they leave no room or the moment is taken by another attempt.
fn attempt(
    plan: Plan,
    first: NaiveDate,
    last: NaiveDate,
    taken: &mut BTreeSet<NaiveDateTime>,
    rng: &mut impl Rng,
) -> Option<Attempt> {
    let room = days_between(first, last);
    if room < 0 {
        return None;
    }
    let day = after(first, rng.random_range(0..=room));
    let clock = NaiveTime::from_hms_opt(rng.random_range(8..17), rng.random_range(0..60), 0)?;
    let starts = day.and_time(clock);
    if !taken.insert(starts) {
        return None;
    }
    let method = match rng.random_range(0..100_u32) {
        0..25 => Method::InPerson,
        25..70 => Method::Telephonic,
        70..83 => Method::Text,
        83..95 => Method::Email,
        _ => Method::Mail,
    };
    let reached = rng.random_bool(0.3) && method != Method::Mail;
    Some(Attempt { starts, minutes: rng.random_range(2..60), method, reached, filing: filing(plan, day, rng) })
}

fn filing(plan: Plan, day: NaiveDate, rng: &mut impl Rng) -> Filing {
    let month = Month::of(day);
    let late = rng.random_bool(0.06);
    let lag = rng.random_range(1..=2);
    if !late {
        return Filing { month, corrected: false };
    }
    if plan.resent_trackers().contains(&month) {
        return Filing { month, corrected: true };
    }
    Filing { month: month.plus(lag).min(Month::LAST), corrected: false }
}
