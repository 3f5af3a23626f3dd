//! More than a hundred tokens with one thing wrong each, shown to a running ledger: all are refused, with the same answer to the
//! byte, and the same token without its one defect is taken. Assertions of machine clients likewise.

mod assertions;
mod cases;
mod draft;

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::issuer::{Key, pem, write_jwks};
use harness::ledger::Ledger;
use harness::program::Program;
use serde_json::{Value, json};

use cases::{CLAIMS, FORMS, HEADERS};
use draft::{AUDIENCE, Draft, ISSUER, Keys, now};

/// What was answered: the status, and all of the body.
async fn shown(http: &reqwest::Client, ledger: &Ledger, token: &str) -> (u16, String) {
    let request = http.get(format!("{}/v1/status", ledger.url())).header("authorization", format!("Bearer {token}"));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Whether a caller was known, whatever it may see then.
fn is_known(status: u16) -> bool {
    [200, 403, 404].contains(&status)
}

/// The ledger's own key, which lies in its data folder, under the name that its tokens give it.
fn ledgers_key(data: &Path) -> Key {
    let secret = pem(&std::fs::read_to_string(data.join("token.key")).unwrap());
    let admin = std::fs::read_to_string(data.join("admin.token")).unwrap();
    let header = part(&admin, 0);
    Key::ed25519_of(header["kid"].as_str().unwrap(), &secret)
}

/// A part of a token, as JSON.
fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.trim().split('.').nth(index).unwrap()).unwrap()).unwrap()
}

const ISSUED_BY: [&str; 4] = ["--issuer", ISSUER, "--audience", AUDIENCE];

#[tokio::test]
async fn a_token_with_one_thing_wrong_is_refused_and_tells_nothing() {
    let data = tempfile::tempdir().unwrap();
    let jwks = data.path().join("jwks.json");
    let (ed, es256, es384) = (Key::ed25519("ed"), Key::es256("es256"), Key::es384("es384"));
    let (rs256, rs384) = (Key::rsa("rs256", "RS256"), Key::rsa("rs384", "RS384"));
    write_jwks(&jwks, &[&ed, &es256, &es384, &rs256, &rs384]);
    let from = [&["--jwks", jwks.to_str().unwrap(), "--log", "trace"], &ISSUED_BY[..]].concat();
    let ledger = Ledger::up_with(data.path(), &from);
    let (stranger, ledgers) = (Key::ed25519("ed"), ledgers_key(data.path()));
    let keys = Keys { ed, es256, es384, rs256, rs384, stranger, ledgers };
    let http = reqwest::Client::new();

    // What is right in each way that there is.
    let mut tokens = Vec::new();
    for key in [&keys.ed, &keys.es256, &keys.es384, &keys.rs256, &keys.rs384] {
        tokens.push(Draft::right(key).token());
    }
    let mut of_two = Draft::right(&keys.ed);
    of_two.claim("aud", json!(["other", AUDIENCE]));
    of_two.without("rights");
    of_two.without("jti");
    of_two.header = json!({ "alg": "EdDSA", "kid": "ed" });
    tokens.push(of_two.token());
    for token in &tokens {
        let (status, body) = shown(&http, &ledger, token).await;
        assert!(is_known(status), "{}: {status} {body}", part(token, 0));
    }

    let mut names = BTreeSet::new();
    let (_, refusal) = shown(&http, &ledger, "x").await;
    for (name, spoil) in HEADERS.iter().chain(CLAIMS).chain(FORMS) {
        assert!(names.insert(name), "two cases are called {name}");
        let mut draft = Draft::right(&keys.ed);
        let right = draft.token();
        assert!(is_known(shown(&http, &ledger, &right).await.0), "{name}: refused without its defect");
        spoil(&mut draft, &keys);
        let wrong = draft.token();
        assert_ne!(right, wrong, "{name} spoils nothing");
        let (status, body) = shown(&http, &ledger, &wrong).await;
        assert_eq!((status, body.as_str()), (401, refusal.as_str()), "{name}");
        tokens.extend([right, wrong]);
    }
    assert!(names.len() >= 60, "{} cases", names.len());
    tokens.extend(local(&http, &ledger, &keys, &refusal).await);
    ledger.stop();
    no_token_is_logged(data.path(), &tokens);
}

/// Tokens of the ledger's own: revoked, another ledger's, in no list.
async fn local(http: &reqwest::Client, ledger: &Ledger, keys: &Keys, refusal: &str) -> Vec<String> {
    let issue = ["token", "issue", "--name", "x", "--org", "la-care", "--role", "plan_compliance", "--days", "1"];
    let token = ledger.ok(&issue).trim().to_owned();
    assert!(is_known(shown(http, ledger, &token).await.0));
    let (header, claims) = (part(&token, 0), part(&token, 1));
    let other = tempfile::tempdir().unwrap();
    let mut command = ledger.command(&issue);
    let others = command.env("ROLLBOOK_DATA", other.path()).output().unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims.clone();
        change(&mut claims);
        keys.ledgers.signed(&header, &claims)
    };
    assert!(is_known(shown(http, ledger, &with(&|_| ())).await.0), "signed anew it is the same token");
    let wrong = [
        ("another ledger's", String::from_utf8(others.stdout).unwrap().trim().to_owned()),
        ("in no list", with(&|claims| claims["jti"] = json!("018f3c1e-7a10-7c3d-9b4e-0123456789ab"))),
        ("without an id", with(&|claims| _ = claims.as_object_mut().unwrap().remove("jti"))),
        ("expired", with(&|claims| claims["exp"] = json!(now() - 1))),
        ("for longer than a year", with(&|claims| claims["exp"] = json!(now() + 400 * 86_400))),
        ("for another ledger as well", with(&|claims| claims["aud"] = json!([claims["aud"], "other"]))),
        (
            "as if for a client",
            with(&|claims| claims["iss"] = json!(format!("{}:clients", claims["iss"].as_str().unwrap()))),
        ),
        ("signed by the organizations' issuer", keys.ed.signed(&json!({ "alg": "EdDSA", "kid": "ed" }), &claims)),
    ];
    for (name, wrong) in &wrong {
        assert_eq!(shown(http, ledger, wrong).await, (401, refusal.to_owned()), "{name}");
    }
    ledger.ok(&["token", "revoke", "x"]);
    assert_eq!(shown(http, ledger, &token).await, (401, refusal.to_owned()), "revoked");
    wrong.into_iter().map(|(_, token)| token).chain([token]).collect()
}

/// Neither whole nor in the part that makes it one: its signature.
fn no_token_is_logged(data: &Path, tokens: &[String]) {
    let log = std::fs::read_to_string(data.join("up.log")).unwrap();
    assert!(log.contains("a token was refused"), "the reasons are not in the log, so that it proves nothing");
    let admin = std::fs::read_to_string(data.join("admin.token")).unwrap();
    for token in tokens.iter().map(String::as_str).chain([admin.trim()]) {
        let signature = token.rsplit('.').next().unwrap_or_default();
        for secret in [token, signature].into_iter().filter(|secret| secret.len() >= 16) {
            assert!(!log.contains(secret), "the log holds a token");
        }
    }
}

#[tokio::test]
async fn production_takes_no_token_of_its_own_and_holds_callers_back() {
    let data = tempfile::tempdir().unwrap();
    let (jwks, key) = (data.path().join("jwks.json"), Key::ed25519("a"));
    write_jwks(&jwks, &[&key]);
    let trial = Ledger::up(data.path(), None);
    let local = trial.token_for("x", "la-care", "plan_compliance", &[]);
    let http = reqwest::Client::new();
    assert!(is_known(shown(&http, &trial, &local).await.0));
    trial.stop();

    let refused = |arguments: &[&str]| {
        let mut command = Program::new();
        let output =
            command.args(["up", "--profile", "production", "--data"]).arg(data.path()).args(arguments).output();
        output.unwrap().status.code()
    };
    let place = ["--jwks", jwks.to_str().unwrap()];
    assert_eq!(refused(&[]), Some(2), "without an issuer");
    assert_eq!(refused(&place), Some(2), "without its name");
    let open = [&place[..], &ISSUED_BY, &["--listen", "0.0.0.0:0"]].concat();
    assert_eq!(refused(&open), Some(2), "in the clear");

    let more = [&["--profile", "production", "--rate", "5"], &place[..], &ISSUED_BY].concat();
    let ledger = Ledger::up_with(data.path(), &more);
    for own in [&local, ledger.token()] {
        assert_eq!(shown(&http, &ledger, own).await.0, 401, "a local token");
    }
    let token = Draft::right(&key).token();
    let mut held_back = 0;
    for _ in 0..30 {
        let request = http.get(format!("{}/v1/status", ledger.url())).bearer_auth(&token);
        let response = request.send().await.unwrap();
        if response.status() == 429 {
            held_back += 1;
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            assert_eq!(response.headers()["retry-after"], "1");
        }
    }
    assert!((1..=25).contains(&held_back), "{held_back} of 30 were held back");
    let mut other = Draft::right(&key);
    other.claim("sub", "john.doe");
    assert!(is_known(shown(&http, &ledger, &other.token()).await.0), "another caller is not held back");
}
