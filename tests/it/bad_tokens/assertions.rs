//! Machine clients: an assertion is good for one access token, and one with a defect for none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::issuer::Key;
use harness::ledger::Ledger;
use serde_json::{Value, json};

use super::draft::{Draft, now};
use super::{is_known, shown};

const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Asks for an access token.
async fn asked(http: &reqwest::Client, endpoint: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let form = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect::<Vec<_>>().join("&");
    let request = http.post(endpoint).header("content-type", "application/x-www-form-urlencoded").body(form);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn exchanged(http: &reqwest::Client, endpoint: &str, assertion: &str) -> (u16, Value) {
    let fields =
        [("grant_type", "client_credentials"), ("client_assertion_type", KIND), ("client_assertion", assertion)];
    asked(http, endpoint, &fields).await
}

/// An assertion that is taken.
fn right<'a>(key: &'a Key, id: &str, endpoint: &str) -> Draft<'a> {
    let mut draft = Draft::right(key);
    draft.header = json!({ "alg": key.algorithm, "kid": key.id, "typ": "JWT" });
    draft.claims =
        json!({ "iss": id, "sub": id, "aud": endpoint, "jti": draft.claims["jti"], "iat": now(), "exp": now() + 240 });
    draft
}

fn registered(clients: &[(&str, &str, &Key)]) -> String {
    let written = clients.iter().map(|(id, role, key)| {
        json!({ "id": id, "org": "la-care", "role": role, "rights": ["hiv"], "jwks": { "keys": [key.jwk()] } })
    });
    json!({ "client": written.collect::<Vec<_>>() }).to_string()
}

type Spoil<'a> = (&'static str, Box<dyn Fn(&mut Draft<'a>) + 'a>);

fn cases<'a>(other: &'a Key, stranger: &'a Key) -> Vec<Spoil<'a>> {
    fn case<'a>(name: &'static str, spoil: impl Fn(&mut Draft<'a>) + 'a) -> Spoil<'a> {
        (name, Box::new(spoil))
    }
    vec![
        case("for more than five minutes", |t| t.claim("exp", now() + 320)),
        case("expired", |t| {
            t.claim("iat", now() - 60);
            t.claim("exp", now() - 1);
        }),
        case("issued ahead", |t| t.claim("iat", now() + 60)),
        case("issued before the ledger began", |t| {
            t.claim("iat", now() - 50);
            t.claim("exp", now() + 200);
        }),
        case("for another endpoint", |t| t.claim("aud", "https://other.example/v1/token")),
        case("for two endpoints", |t| t.claim("aud", json!([t.claims["aud"], "other"]))),
        case("of an unknown client", |t| {
            t.claim("iss", "nobody");
            t.claim("sub", "nobody");
        }),
        case("of another client, by its name", |t| {
            t.claim("iss", "feed");
            t.claim("sub", "feed");
        }),
        case("about another client", |t| t.claim("sub", "feed")),
        case("by another client", |t| t.claim("iss", "feed")),
        case("signed by another client's key", |t| t.key = other),
        case("signed by a stranger", |t| t.key = stranger),
        case("of another algorithm", |t| t.head("alg", "ES256")),
        case("of no algorithm", |t| t.head("alg", "none")),
        case("without an id", |t| t.without("jti")),
        case("with an empty id", |t| t.claim("jti", "")),
        case("without an end", |t| t.without("exp")),
        case("without a beginning", |t| t.without("iat")),
        case("without an audience", |t| t.without("aud")),
        case("with an end that is a string", |t| t.claim("exp", (now() + 240).to_string())),
        case("of another kind", |t| t.head("typ", "at+jwt")),
        case("with a key of its own", |t| t.head("jwk", stranger.jwk())),
        case("with an id twice", |t| t.with_text("\"jti\":\"x\"")),
        case("cut", |t| t.then(|token| token[..token.len() - 2].to_owned())),
    ]
}

#[tokio::test]
async fn a_client_gets_a_token_for_an_assertion_once() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("clients.json");
    let (ours, theirs, stranger) = (Key::es384("k1"), Key::rsa("k2", "RS384"), Key::es384("k1"));
    std::fs::write(&file, registered(&[("intake", "recorder", &ours), ("feed", "subscriber", &theirs)])).unwrap();
    let ledger = Ledger::up_with(data.path(), &["--clients", file.to_str().unwrap()]);
    let (http, endpoint) = (reqwest::Client::new(), format!("{}/v1/token", ledger.url()));

    let assertion = right(&ours, "intake", &endpoint).token();
    let (status, answer) = exchanged(&http, &endpoint, &assertion).await;
    assert_eq!(
        (status, &answer["token_type"], &answer["expires_in"]),
        (200, &json!("Bearer"), &json!(600)),
        "{answer}"
    );
    let token = answer["access_token"].as_str().unwrap();
    assert!(is_known(shown(&http, &ledger, token).await.0));
    assert_eq!(exchanged(&http, &endpoint, &right(&theirs, "feed", &endpoint).token()).await.0, 200, "RS384");

    let (status, refusal) = exchanged(&http, &endpoint, &assertion).await;
    assert_eq!((status, &refusal["error"]), (401, &json!("invalid_client")), "shown again");
    for (name, spoil) in cases(&theirs, &stranger) {
        let mut draft = right(&ours, "intake", &endpoint);
        spoil(&mut draft);
        assert_eq!(exchanged(&http, &endpoint, &draft.token()).await, (401, refusal.clone()), "{name}");
    }
    assert_eq!(exchanged(&http, &endpoint, token).await, (401, refusal.clone()), "an access token");
    assert_eq!(
        shown(&http, &ledger, &right(&ours, "intake", &endpoint).token()).await.0,
        401,
        "an assertion to call with"
    );

    let fresh = || right(&ours, "intake", &endpoint).token();
    let fields = |grant: &'static str, kind: &'static str, name: &'static str| {
        [("grant_type", grant), ("client_assertion_type", kind), (name, "")]
    };
    for [grant, kind, mut assertion] in [
        fields("password", KIND, "client_assertion"),
        fields("client_credentials", "urn:other", "client_assertion"),
        fields("client_credentials", KIND, "client_secret"),
    ] {
        let fresh = fresh();
        assertion.1 = &fresh;
        let (status, answer) = asked(&http, &endpoint, &[grant, kind, assertion]).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_request")));
    }
    assert_eq!(http.post(&endpoint).json(&json!({})).send().await.unwrap().status(), 415);
    let long =
        http.post(&endpoint).header("content-type", "application/x-www-form-urlencoded").body("a".repeat(20_000));
    assert_eq!(long.send().await.unwrap().status(), 413);

    // What it may do is what it is registered for, now.
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert_eq!(
        (&claims["role"], &claims["sub"], &claims["rights"]),
        (&json!("recorder"), &json!("intake"), &json!(["hiv"]))
    );
    std::fs::write(&file, registered(&[("intake", "auditor", &ours)])).unwrap();
    assert_eq!(shown(&http, &ledger, token).await.0, 401, "it is in another role by now");
    std::fs::write(&file, registered(&[("feed", "subscriber", &theirs)])).unwrap();
    assert_eq!(exchanged(&http, &endpoint, &fresh()).await, (401, refusal), "it is registered no more");
}
