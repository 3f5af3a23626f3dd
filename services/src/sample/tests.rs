//! The county keeps its word: the same seed is the same county, its ids are valid, and its truth adds up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::calendar::{Month, after, as_of, census_days};
use super::county::{PROVIDERS, Plan, Program};
use super::life::{Episode, Life, Outcome};
use super::truth::{Tally, Truth};
use super::{FileKind, Settings, Table, Written, write_county};

fn county(members: u32, seed: u64) -> Vec<Life> {
    (0..members).map(|index| Life::simulated(seed, index)).collect()
}

fn truth_of(lives: &[Life]) -> Truth {
    let mut tally = Tally::new();
    lives.iter().for_each(|life| tally.add(life));
    tally.truth(1, |plan, kind, month| Table { plan, kind, month, corrected: false }.file_name())
}

fn written(members: u32, seed: u64, out: &Path) -> Written {
    write_county(&Settings { members, seed, out: out.to_owned() }, &mut |_| {}).unwrap()
}

fn passes_luhn(digits: &str) -> bool {
    let value = |(place, digit): (usize, char)| {
        let digit = digit.to_digit(10).unwrap() * if place % 2 == 1 { 2 } else { 1 };
        digit / 10 + digit % 10
    };
    digits.chars().rev().enumerate().map(value).sum::<u32>().is_multiple_of(10)
}

#[test]
fn one_seed_is_one_county_to_the_byte() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = written(120, 7, one.path());
    let second = written(120, 7, two.path());
    assert_eq!(first.files.len(), second.files.len());
    for ((_, path, rows), (_, again, same_rows)) in first.files.iter().zip(&second.files) {
        assert_eq!(rows, same_rows);
        assert!(fs::read(path).unwrap() == fs::read(again).unwrap(), "{}", path.display());
    }
    assert_eq!(fs::read(first.truth).unwrap(), fs::read(second.truth).unwrap());
}

#[test]
fn another_seed_is_another_county() {
    assert_ne!(truth_of(&county(300, 1)).outreach, truth_of(&county(300, 2)).outreach);
}

#[test]
fn a_life_does_not_depend_on_who_else_is_asked_for() {
    let lives = county(200, 3);
    assert_eq!(lives[57], Life::simulated(3, 57));
    assert_ne!(lives[57].person, lives[58].person);
}

#[test]
fn client_index_numbers_are_well_formed_and_unlike() {
    let lives = county(20_000, u64::MAX);
    let cins: BTreeSet<_> = lives.iter().map(|life| life.person.cin.as_str()).collect();
    assert_eq!(cins.len(), lives.len());
    for cin in cins {
        assert!(cin.len() == 9 && cin.starts_with('9') && cin[..8].bytes().all(|byte| byte.is_ascii_digit()));
        assert!("ACDEFGHMNTUVWXYZ".contains(&cin[8..]));
    }
    let cards = lives.iter().map(|life| life.person.number(true).len()).collect::<BTreeSet<_>>();
    assert_eq!(cards, BTreeSet::from([9, 14]));
}

#[test]
fn provider_numbers_pass_the_check_and_spoilt_ones_do_not() {
    for provider in &PROVIDERS {
        assert_eq!(provider.npi().len(), 10);
        assert!(passes_luhn(&format!("80840{}", provider.npi())), "{}", provider.name);
        assert!(!passes_luhn(&format!("80840{}", provider.wrong_npi())), "{}", provider.name);
    }
}

fn assert_in_order(episode: &Episode) {
    let limit = match &episode.outcome {
        Outcome::Pending => after(as_of(), 1),
        Outcome::Declined(on) => *on,
        Outcome::Enrolled(enrollment) => {
            assert!(enrollment.from > episode.assigned && enrollment.from <= as_of());
            if let Some(end) = &enrollment.end {
                assert!(Month::of(end.last_day) > Month::of(enrollment.from) && end.last_day < as_of());
                assert!(end.known_in >= Month::of(end.last_day) && end.known_in <= Month::LAST);
            }
            enrollment.from
        }
    };
    let late = episode.attempts.iter().filter(|attempt| attempt.starts.date() >= limit);
    assert!(late.clone().count() <= usize::from(episode.enrollment().is_some()));
    assert!(late.clone().all(|attempt| attempt.starts.date() > limit));
    assert!(episode.attempts.iter().all(|attempt| attempt.starts.date() > episode.assigned));
    assert!(episode.attempts.iter().all(|attempt| attempt.starts.date() <= as_of()));
    assert!(episode.attempts.iter().all(|attempt| attempt.filing.month >= Month::of(attempt.starts.date())));
}

#[test]
fn every_life_is_in_order() {
    for life in county(10_000, 11) {
        life.episodes.iter().for_each(assert_in_order);
        let attempts: Vec<_> = life.episodes.iter().flat_map(|episode| &episode.attempts).collect();
        let moments: BTreeSet<_> = attempts.iter().map(|attempt| attempt.starts).collect();
        assert_eq!(moments.len(), attempts.len());
        let plans: BTreeSet<_> = life.episodes.iter().map(|episode| episode.plan).collect();
        assert_eq!(plans.len(), life.episodes.len());
        for span in life.spans() {
            assert!(span.until.is_none_or(|until| span.from < until && until <= as_of()));
        }
    }
}

#[test]
fn the_county_is_about_as_promised() {
    let lives = county(10_000, 5);
    let episodes: Vec<_> = lives.iter().flat_map(|life| &life.episodes).collect();
    let share = |part: usize, whole: usize| part * 100 / whole;
    let enrolled: Vec<_> = episodes.iter().filter_map(|episode| episode.enrollment()).collect();
    let declined = episodes.iter().filter(|episode| matches!(episode.outcome, Outcome::Declined(_))).count();
    assert!((83..=87).contains(&share(lives.iter().filter(|life| !life.episodes.is_empty()).count(), lives.len())));
    assert!((43..=48).contains(&share(enrolled.len(), episodes.len())), "{}", share(enrolled.len(), episodes.len()));
    assert!((8..=12).contains(&share(declined, episodes.len())));
    let ended = enrolled.iter().filter(|enrollment| enrollment.end.is_some()).count();
    assert!((20..=30).contains(&share(ended, enrolled.len())), "{}", share(ended, enrolled.len()));
}

#[test]
fn the_truth_adds_up() {
    let lives = county(8_000, 9);
    let truth = truth_of(&lives);
    let days = census_days().len();
    assert_eq!(truth.enrolled.len(), days * Plan::ALL.len() * Program::ENROLLED_IN.len());
    assert_eq!(truth.conflicts.len(), days * 4);
    assert_eq!(truth.outreach.len(), Plan::ALL.len());
    for outreach in &truth.outreach {
        assert!(outreach.identified > outreach.attempted && outreach.attempts > outreach.attempted);
        assert!(outreach.attempted > outreach.contacted && outreach.identified > outreach.enrolled);
        let enrolled = truth.enrolled.iter().filter(|count| count.plan == outreach.plan && count.program == "ecm");
        assert!(enrolled.map(|count| count.members).all(|members| members <= outreach.enrolled));
    }
    let episodes = lives.iter().map(|life| life.episodes.len() as u64).sum::<u64>();
    assert_eq!(truth.outreach.iter().map(|outreach| outreach.identified).sum::<u64>(), episodes);
    for outcome in ["choose", "conflict", "duplicate_enrollment", "exclude"] {
        assert!(truth.conflicts.iter().any(|count| count.outcome == outcome && count.open > 0), "{outcome}");
    }
}

#[test]
fn every_plan_sends_every_file_and_the_spoilt_rows_are_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    let settings = Settings { members: 1_500, seed: 4, out: folder.path().to_owned() };
    let county = write_county(&settings, &mut |name| told.push(name.to_owned())).unwrap();
    let resent = Plan::ALL.iter().map(|plan| plan.resent_trackers().len()).sum::<usize>();
    assert_eq!(county.files.len(), 4 * 36 + resent + 5 * 2);
    assert_eq!(told.len(), county.files.len() + 1);
    let truth: serde_json::Value = serde_json::from_slice(&fs::read(&county.truth).unwrap()).unwrap();
    let expected: BTreeMap<_, _> = truth["quarantined"].as_array().unwrap().iter().map(quarantined).collect();
    assert!(expected.len() > 20);
    for (kind, path, rows) in &county.files {
        if path.extension().unwrap() != "csv" {
            continue;
        }
        let mut reader = csv::Reader::from_path(path).unwrap();
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len() as u64, *rows);
        let spoilt = records.iter().filter(|record| is_spoilt(record, *kind)).count();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(spoilt as u64, expected.get(name).copied().unwrap_or_default(), "{name}");
    }
}

fn quarantined(entry: &serde_json::Value) -> (String, u64) {
    (entry["file"].as_str().unwrap().to_owned(), entry["rows"].as_u64().unwrap())
}

fn is_spoilt(record: &csv::StringRecord, kind: FileKind) -> bool {
    let wrong: BTreeSet<_> = PROVIDERS.iter().map(|provider| provider.wrong_npi()).collect();
    assert_ne!(kind, FileKind::Events);
    record.iter().any(|cell| {
        let short_cin = cell.len() == 7 && cell.starts_with('9') && cell.bytes().all(|byte| byte.is_ascii_digit());
        let no_day = cell.starts_with("02/30/2025") || cell == "2/30/2025" || cell == "2025-02-30";
        short_cin || no_day || cell == "Carrier pigeon" || wrong.contains(cell)
    })
}

/// The rows of L.A. Care's files of one kind that are not spoilt, oldest file first.
fn la_care_rows(county: &Written, kind: FileKind) -> Vec<csv::StringRecord> {
    let files = county.files.iter().filter(|(of_kind, path, _)| {
        *of_kind == kind && path.file_name().unwrap().to_str().unwrap().starts_with("la-care")
    });
    let records = files.flat_map(|(_, path, _)| csv::Reader::from_path(path).unwrap().into_records());
    records.map(Result::unwrap).filter(|record| !is_spoilt(record, kind)).collect()
}

fn day(text: &str) -> chrono::NaiveDate {
    chrono::NaiveDate::parse_from_str(text, "%m/%d/%Y").unwrap()
}

#[test]
fn who_reads_the_files_finds_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let truth = truth_of(&county(600, 21));
    let county = written(600, 21, folder.path());
    let members = la_care_rows(&county, FileKind::MemberInformation);
    let identified: BTreeSet<_> = members.iter().map(|row| row[4].to_owned()).collect();
    // The last file's word on a member's first day stands.
    let told = la_care_rows(&county, FileKind::ReturnTransmission);
    let enrolled: BTreeMap<_, _> =
        told.iter().filter(|row| !row[17].is_empty()).map(|row| (row[2].to_owned(), day(&row[17]))).collect();
    let attempts: BTreeSet<_> = la_care_rows(&county, FileKind::OutreachTracker)
        .iter()
        .filter(|row| identified.contains(&row[6]) && &row[9] != "Mail")
        .filter(|row| enrolled.get(&row[6]).is_none_or(|from| day(&row[8][..10]) < *from))
        .map(|row| (row[6].to_owned(), row[8].to_owned(), row[10].to_owned()))
        .collect();
    let attempted: BTreeSet<_> = attempts.iter().map(|(cin, _, _)| cin).collect();
    let contacted: BTreeSet<_> =
        attempts.iter().filter(|(_, _, success)| success == "Y").map(|(cin, _, _)| cin).collect();
    let expected = truth.outreach.iter().find(|outreach| outreach.plan == "la-care").unwrap();
    assert_eq!(identified.len() as u64, expected.identified);
    assert_eq!(attempted.len() as u64, expected.attempted);
    assert_eq!(attempts.len() as u64, expected.attempts);
    assert_eq!(contacted.len() as u64, expected.contacted);
    assert_eq!(enrolled.len() as u64, expected.enrolled);
}
