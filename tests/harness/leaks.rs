//! What nobody may read in a log: people's names, numbers, addresses, and whatever opens a door. And the search for it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rollbook::sample;

const OF_A_PERSON: &str = "a name, an address or a telephone number";
/// What else the people of sample counties and of tests have.
const OF_PEOPLE: [&str; 2] = ["Nowhere St", "(213) 555-01"];
/// A shorter text is a word that may stand anywhere.
const SHORTEST_SECRET: usize = 16;
/// How every JSON object begins in base64: the header of a token, and its claims.
const OBJECT: &str = "eyJ";
/// What follows it in a token, at the least.
const SHORTEST_OBJECT: usize = 12;
/// How a private key begins in PEM.
const PEM: &str = "PRIVATE KEY-----";
/// How the seeds of NATS' users and accounts begin, and how long they are.
const SEEDS: [&str; 3] = ["SU", "SA", "SO"];
const SEED_LENGTH: usize = 58;
/// Of a form of a secret that is looked for: its beginning, because whoever prints one prints that first.
const MOST_OF_A_SECRET: usize = 48;
/// Of a line that is told.
const MOST_OF_A_LINE: usize = 400;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of a person: as a word of its own.
    Person,
    /// How an address or a telephone number begins or ends: wherever it stands.
    Contact,
    /// What opens a door: wherever it stands.
    Secret,
    /// How a token begins.
    Token,
    /// How a seed begins.
    Seed,
}

/// Something that stands in a log and must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// What it is.
    pub what: &'static str,
    /// The line of the log, cut where it is long.
    pub line: String,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stands in a log: {}", self.what, self.line)
    }
}

/// What tests have named beside what is always looked for.
static NAMED: Mutex<BTreeSet<(bool, String)>> = Mutex::new(BTreeSet::new());
/// The search, for so many named.
static SEARCH: LazyLock<Mutex<Arc<Search>>> = LazyLock::new(|| Mutex::new(Arc::new(Search::of(&BTreeSet::new()))));

fn name(is_secret: bool, text: &str) {
    NAMED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert((is_secret, text.to_owned()));
}

/// From now on this opens a door: a token, a key, a password. A whole token is known by how it begins; of one that is named, its
/// signature is not to stand alone either.
pub fn secret(text: &str) {
    let text = text.rsplit('.').next().filter(|_| text.matches('.').count() == 2).unwrap_or(text);
    if text.len() >= SHORTEST_SECRET {
        name(true, text);
    }
}

/// From now on this is what a person is called, lives or is reached at.
pub fn person(text: &str) {
    name(false, text);
}

/// What a data folder holds that only its owner may read: keys, tokens, the password of its server.
pub fn secrets_of(data: &Path) {
    for file in ["ledger.key", "token.key", "admin.token", "wrapping.keys", "nats.token"] {
        let text = std::fs::read_to_string(data.join(file)).unwrap_or_default();
        text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).for_each(secret);
    }
    let config = std::fs::read_to_string(data.join("nats/nats.conf")).unwrap_or_default();
    if let Some((password, _)) = config.split_once("token: \"").and_then(|(_, rest)| rest.split_once('"')) {
        secret(password);
    }
}

/// Everything in a log that must not stand there; at most one for each place.
pub fn in_log(log: &[u8]) -> Vec<Leak> {
    let search = {
        let named = NAMED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut search = SEARCH.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if search.named != named.len() {
            *search = Arc::new(Search::of(&named));
        }
        search.clone()
    };
    search.leaks(log)
}

/// An automaton of all that is looked for, with what each pattern is.
struct Search {
    named: usize,
    automaton: AhoCorasick,
    kinds: Vec<Kind>,
}

impl Search {
    fn of(named: &BTreeSet<(bool, String)>) -> Self {
        let mut patterns: Vec<(Kind, Vec<u8>)> = vec![(Kind::Token, OBJECT.into()), (Kind::Secret, PEM.into())];
        patterns.extend(SEEDS.map(|seed| (Kind::Seed, seed.into())));
        for text in sample::FIRST_NAMES.iter().chain(&sample::LAST_NAMES) {
            patterns.extend(forms_of_a_person(text).map(|form| (Kind::Person, form)));
        }
        for text in OF_PEOPLE {
            patterns.extend(forms_of_a_person(text).map(|form| (Kind::Contact, form)));
        }
        for (is_secret, text) in named {
            if *is_secret {
                patterns.extend(forms_of_a_secret(text).into_iter().map(|form| (Kind::Secret, form)));
            } else {
                patterns.extend(forms_of_a_person(text).map(|form| (Kind::Person, form)));
            }
        }
        let (kinds, patterns): (Vec<Kind>, Vec<Vec<u8>>) = patterns.into_iter().unzip();
        let automaton = AhoCorasickBuilder::new().match_kind(MatchKind::Standard).build(patterns).unwrap();
        Self { named: named.len(), automaton, kinds }
    }

    fn leaks(&self, log: &[u8]) -> Vec<Leak> {
        let mut leaks: Vec<Leak> = cins(log).map(|at| Leak { what: "a CIN", line: line_at(log, at) }).collect();
        for found in self.automaton.find_overlapping_iter(log) {
            let (begin, end) = (found.start(), found.end());
            let what = match self.kinds[found.pattern().as_usize()] {
                Kind::Person => is_word(log, begin, end).then_some(OF_A_PERSON),
                Kind::Contact => Some(OF_A_PERSON),
                Kind::Secret => Some("a key or a password"),
                Kind::Token => {
                    let rest = log[end..].iter().take(SHORTEST_OBJECT).filter(|byte| is_base64(**byte)).count();
                    (rest == SHORTEST_OBJECT).then_some("a token")
                }
                Kind::Seed => {
                    let length =
                        log[begin..].iter().take_while(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')).count();
                    (length == SEED_LENGTH && is_word(log, begin, begin + length)).then_some("a seed")
                }
            };
            leaks.extend(what.map(|what| Leak { what, line: line_at(log, begin) }));
        }
        leaks
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'/')
}

/// Whether it stands by itself: a short name may well be part of another word.
fn is_word(log: &[u8], begin: usize, end: usize) -> bool {
    let before = begin.checked_sub(1).and_then(|at| log.get(at));
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    !is_part(before) && !is_part(log.get(end))
}

fn line_at(log: &[u8], at: usize) -> String {
    let begin = log[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
    let end = log[at..].iter().position(|byte| *byte == b'\n').map_or(log.len(), |after| at + after);
    let begin = begin.max(at.saturating_sub(MOST_OF_A_LINE));
    String::from_utf8_lossy(&log[begin..end.min(at + MOST_OF_A_LINE)]).into_owned()
}

/// Where a word is a CIN, or the number of a card that begins with one: eight digits, a letter, and none, one or five more digits.
fn cins(log: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let mut digits = 0_usize;
    log.iter().enumerate().filter_map(move |(at, byte)| {
        if byte.is_ascii_digit() {
            digits += 1;
            return None;
        }
        let before = std::mem::take(&mut digits);
        if before != 8 || !byte.is_ascii_alphabetic() || is_fraction(&log[..at - 8]) {
            return None;
        }
        let more = log[at + 1..].iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
        ([0, 1, 5].contains(&more) && is_word(log, at - 8, at + 1 + more)).then_some(at - 8)
    })
}

/// Whether what follows is behind a decimal point, as in the seconds of a duration.
fn is_fraction(before: &[u8]) -> bool {
    matches!(before, [.., whole, b'.'] if whole.is_ascii_digit())
}

/// As bytes are printed by `{:?}`.
fn as_numbers(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ").into_bytes()
}

/// A name as it may be written: itself, in small and in capital letters, as bytes.
fn forms_of_a_person(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let mut forms = BTreeSet::from([text.as_bytes().to_vec()]);
    forms.insert(text.as_bytes().escape_ascii().to_string().into_bytes());
    forms.insert(as_numbers(text.as_bytes()));
    // In small letters a short one is a word as any other.
    if text.len() >= 8 {
        forms.extend([text.to_lowercase().into_bytes(), text.to_uppercase().into_bytes()]);
    }
    forms.into_iter()
}

/// A secret as it may be written: itself, the bytes that it stands for in hexadecimal digits or base64, as numbers.
fn forms_of_a_secret(text: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::from([text.as_bytes().to_vec(), as_numbers(text.as_bytes())]);
    let bytes = from_hex(text).or_else(|| STANDARD.decode(text).ok()).or_else(|| URL_SAFE_NO_PAD.decode(text).ok());
    if let Some(bytes) = bytes.filter(|bytes| bytes.len() >= 12) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = STANDARD.encode(&bytes).trim_end_matches('=').to_owned();
        forms.extend([hex.to_uppercase().into_bytes(), hex.into_bytes(), base64.into_bytes(), as_numbers(&bytes)]);
        forms.insert(URL_SAFE_NO_PAD.encode(&bytes).into_bytes());
    }
    forms.into_iter().map(|form| form.into_iter().take(MOST_OF_A_SECRET).collect()).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}
