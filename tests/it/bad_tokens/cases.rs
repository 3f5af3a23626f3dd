//! Each thing that can be wrong with a token, by a name of its own. A case is given a token that is right, and spoils one thing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::draft::{Draft, Keys, now};

pub type Case = (&'static str, for<'a> fn(&mut Draft<'a>, &'a Keys));

/// Its header: algorithms and keys.
pub const HEADERS: &[Case] = &[
    ("algorithm none, no signature", |t, _| {
        t.head("alg", "none");
        t.then(|token| format!("{}.", token.rsplit_once('.').unwrap().0));
    }),
    ("algorithm none, signed all the same", |t, _| t.head("alg", "none")),
    ("algorithm nOnE", |t, _| t.head("alg", "nOnE")),
    ("HS256 with the Ed25519 public key for a secret", |t, keys| {
        hmac(t, ring::hmac::HMAC_SHA256, "HS256", keys.ed.public())
    }),
    ("HS256 with the RSA modulus for a secret", |t, keys| {
        t.head("kid", keys.rs256.id.as_str());
        hmac(t, ring::hmac::HMAC_SHA256, "HS256", keys.rs256.public());
    }),
    ("HS384 with the public point for a secret", |t, keys| {
        t.head("kid", keys.es256.id.as_str());
        hmac(t, ring::hmac::HMAC_SHA384, "HS384", keys.es256.public());
    }),
    ("HS256 with an empty secret", |t, _| hmac(t, ring::hmac::HMAC_SHA256, "HS256", Vec::new())),
    ("RS384 by a key that is for RS256", |t, keys| {
        (t.key, t.signed_by) = (&keys.rs256, Some("RS384"));
        t.header = json!({ "alg": "RS384", "kid": keys.rs256.id });
    }),
    ("RS256 by a key that is for RS384", |t, keys| {
        (t.key, t.signed_by) = (&keys.rs384, Some("RS256"));
        t.header = json!({ "alg": "RS256", "kid": keys.rs384.id });
    }),
    ("PS256", |t, keys| {
        t.key = &keys.rs256;
        t.header = json!({ "alg": "PS256", "kid": keys.rs256.id });
    }),
    ("RS512", |t, keys| {
        t.key = &keys.rs256;
        t.header = json!({ "alg": "RS512", "kid": keys.rs256.id });
    }),
    ("ES256 said, signed by Ed25519", |t, _| t.head("alg", "ES256")),
    ("ES384 said of a key for ES256", |t, keys| {
        t.key = &keys.es256;
        t.header = json!({ "alg": "ES384", "kid": keys.es256.id });
    }),
    ("algorithm in small letters", |t, _| t.head("alg", "eddsa")),
    ("algorithm of another curve", |t, _| t.head("alg", "ES256K")),
    ("no algorithm", |t, _| _ = t.header.as_object_mut().unwrap().remove("alg")),
    ("algorithm null", |t, _| t.head("alg", Value::Null)),
    ("algorithm a number", |t, _| t.head("alg", 256)),
    ("algorithms in a list", |t, _| t.head("alg", json!(["EdDSA"]))),
    ("signed by a stranger under the key's name", |t, keys| t.key = &keys.stranger),
    ("a name that no key has", |t, _| t.head("kid", "nobody")),
    ("no name of a key where there are several", |t, _| _ = t.header.as_object_mut().unwrap().remove("kid")),
    ("name of a key a number", |t, _| t.head("kid", 1)),
    ("name of a key null", |t, _| t.head("kid", Value::Null)),
    ("name of a key a path", |t, _| t.head("kid", "../../../dev/null")),
    ("name of a key an address", |t, _| t.head("kid", "https://evil.example/keys")),
    ("name of a key a query", |t, _| t.head("kid", "ed' OR '1'='1")),
    ("name of another key of the set", |t, keys| t.head("kid", keys.es256.id.as_str())),
    ("name of a key of another issuer", |t, keys| t.head("kid", keys.ledgers.id.as_str())),
    ("signed by another issuer's key under its name", |t, keys| {
        t.key = &keys.ledgers;
        t.head("kid", keys.ledgers.id.as_str());
    }),
    ("a stranger's key brought along", |t, keys| {
        t.key = &keys.stranger;
        t.head("jwk", keys.stranger.jwk());
    }),
    ("its own key brought along", |t, keys| t.head("jwk", keys.ed.jwk())),
    ("jku", |t, _| t.head("jku", "https://evil.example/keys")),
    ("x5u", |t, _| t.head("x5u", "https://evil.example/chain.pem")),
    ("x5c", |t, _| t.head("x5c", json!(["MIIB"]))),
    ("crit of something unknown", |t, _| t.head("crit", json!(["exp"]))),
    ("crit of nothing", |t, _| t.head("crit", json!([]))),
    ("b64 false", |t, _| t.head("b64", false)),
    ("compressed", |t, _| t.head("zip", "DEF")),
    ("encrypted, it says", |t, _| t.head("enc", "A256GCM")),
    ("a token within a token", |t, _| t.head("cty", "JWT")),
    ("kind: security event", |t, _| t.head("typ", "secevent+jwt")),
    ("kind: proof of possession", |t, _| t.head("typ", "dpop+jwt")),
    ("kind: a client's assertion", |t, _| t.head("typ", "client-authentication+jwt")),
    ("kind a number", |t, _| t.head("typ", 1)),
];

fn hmac(t: &mut Draft<'_>, with: ring::hmac::Algorithm, name: &str, secret: Vec<u8>) {
    t.head("alg", name);
    t.then(move |token| {
        let (message, _) = token.rsplit_once('.').unwrap();
        let tag = ring::hmac::sign(&ring::hmac::Key::new(with, &secret), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
    });
}

/// Its standard claims.
pub const CLAIMS: &[Case] = &[
    ("no iss", |t, _| t.without("iss")),
    ("no aud", |t, _| t.without("aud")),
    ("no sub", |t, _| t.without("sub")),
    ("no iat", |t, _| t.without("iat")),
    ("no nbf", |t, _| t.without("nbf")),
    ("no exp", |t, _| t.without("exp")),
    ("no org", |t, _| t.without("org")),
    ("no role", |t, _| t.without("role")),
    ("iss with a slash more", |t, _| t.claim("iss", "https://id.example.org/")),
    ("iss in capitals", |t, _| t.claim("iss", "https://ID.example.org")),
    ("iss of somebody else", |t, _| t.claim("iss", "https://evil.example")),
    ("iss in a list", |t, _| t.claim("iss", json!(["https://id.example.org"]))),
    ("iss null", |t, _| t.claim("iss", Value::Null)),
    ("aud of somebody else", |t, _| t.claim("aud", "other")),
    ("aud empty", |t, _| t.claim("aud", "")),
    ("aud an empty list", |t, _| t.claim("aud", json!([]))),
    ("aud a list of others", |t, _| t.claim("aud", json!(["other", "rollbook2"]))),
    ("aud a list of ours and a number", |t, _| t.claim("aud", json!(["rollbook", 5]))),
    ("aud a number", |t, _| t.claim("aud", 1)),
    ("sub empty", |t, _| t.claim("sub", "")),
    ("sub too long", |t, _| t.claim("sub", "x".repeat(129))),
    ("sub a number", |t, _| t.claim("sub", 1)),
    ("sub with a line of its own", |t, _| t.claim("sub", "jane\nlevel=error")),
    ("sub with a space", |t, _| t.claim("sub", "jane doe")),
    ("exp a string", |t, _| t.claim("exp", (now() + 600).to_string())),
    ("exp a fraction", |t, _| t.claim("exp", json!(now() as f64 + 600.5))),
    ("exp negative", |t, _| t.claim("exp", -1)),
    ("exp as large as can be", |t, _| t.claim("exp", u64::MAX)),
    ("exp beyond all numbers", |t, _| t.claim("exp", json!(1e300))),
    ("exp null", |t, _| t.claim("exp", Value::Null)),
    ("exp a list", |t, _| t.claim("exp", json!([now() + 600]))),
    ("exp an object", |t, _| t.claim("exp", json!({}))),
    ("exp true", |t, _| t.claim("exp", true)),
    ("nbf a string", |t, _| t.claim("nbf", now().to_string())),
    ("nbf null", |t, _| t.claim("nbf", Value::Null)),
    ("iat a string", |t, _| t.claim("iat", now().to_string())),
    ("iat a fraction", |t, _| t.claim("iat", json!(now() as f64 + 0.5))),
    ("expired a second ago", |t, _| times(t, -600, -600, -1)),
    ("expired 61 seconds ago", |t, _| times(t, -600, -600, -61)),
    ("holds from a minute on", |t, _| times(t, 0, 60, 600)),
    ("issued a minute ahead", |t, _| times(t, 60, 0, 600)),
    ("holds for more than a day", |t, _| times(t, 0, 0, 90_000)),
    ("holds for ever", |t, _| t.claim("exp", 253_402_300_799_i64)),
    ("ends before it begins", |t, _| times(t, 0, 4, 3)),
    ("role unknown", |t, _| t.claim("role", "king")),
    ("role owner", |t, _| t.claim("role", "owner")),
    ("role in capitals", |t, _| t.claim("role", "Plan_Compliance")),
    ("roles in a list", |t, _| t.claim("role", json!(["plan_compliance"]))),
    ("right unknown", |t, _| t.claim("rights", json!(["everything"]))),
    ("right to nothing", |t, _| t.claim("rights", json!(["none"]))),
    ("right twice", |t, _| t.claim("rights", json!(["hiv", "hiv"]))),
    ("rights a string", |t, _| t.claim("rights", "hiv")),
    ("rights null", |t, _| t.claim("rights", Value::Null)),
    ("org in capitals", |t, _| t.claim("org", "LA-Care")),
    ("org empty", |t, _| t.claim("org", "")),
    ("org with a control character", |t, _| t.claim("org", "la\u{7}care")),
    ("org with a line of its own", |t, _| t.claim("org", "la-care\nla-care")),
    ("org a path", |t, _| t.claim("org", "../la-care")),
    ("org too long", |t, _| t.claim("org", "a".repeat(41))),
    ("org a number", |t, _| t.claim("org", 1)),
    ("orgs in a list", |t, _| t.claim("org", json!(["la-care", "health-net"]))),
    ("jti a number", |t, _| t.claim("jti", 1)),
];

fn times(t: &mut Draft<'_>, issued: i64, not_before: i64, expires: i64) {
    for (claim, seconds) in [("iat", issued), ("nbf", not_before), ("exp", expires)] {
        t.claim(claim, now() + seconds);
    }
}

/// How it is written.
pub const FORMS: &[Case] = &[
    ("longer than 8 KiB", |t, _| t.claim("more", "x".repeat(9_000))),
    ("exp twice", |t, _| t.with_text(&format!("\"exp\":{}", now() + 600))),
    ("exp twice, once in escapes", |t, _| t.with_text(&format!("\"e\\u0078p\":{}", now() + 600))),
    ("role twice", |t, _| t.with_text("\"role\":\"operator\"")),
    ("a key twice further down", |t, _| t.with_text("\"more\":{\"a\":1,\"a\":2}")),
    ("alg twice", |t, _| t.raw_header = Some(br#"{"alg":"EdDSA","kid":"ed","alg":"EdDSA"}"#.to_vec())),
    ("kid twice", |t, _| t.raw_header = Some(br#"{"alg":"EdDSA","kid":"es256","kid":"ed"}"#.to_vec())),
    ("header no JSON", |t, _| t.raw_header = Some(b"EdDSA".to_vec())),
    ("header a list", |t, _| t.raw_header = Some(br#"["EdDSA"]"#.to_vec())),
    ("claims a list", |t, _| t.raw_claims = Some(b"[]".to_vec())),
    ("claims null", |t, _| t.raw_claims = Some(b"null".to_vec())),
    ("claims with something behind them", |t, _| {
        t.raw_claims = Some([t.claims.to_string().as_bytes(), b"{}"].concat())
    }),
    ("claims with a mark before them", |t, _| {
        t.raw_claims = Some([b"\xef\xbb\xbf", t.claims.to_string().as_bytes()].concat())
    }),
    ("claims not UTF-8", |t, _| {
        t.raw_claims = Some([t.claims.to_string().trim_end_matches('}').as_bytes(), b",\"a\":\"\xff\"}"].concat())
    }),
    ("claims with a NUL", |t, _| t.claim("more", "\0")),
    ("claims as deep as a well", |t, _| t.with_text(&format!("\"more\":{}1{}", "[".repeat(40), "]".repeat(40)))),
    ("no base64", |t, _| t.then(|token| token.replacen('.', "!.", 1))),
    ("base64 with padding", |t, _| t.then(|token| format!("{token}=="))),
    ("base64 of the other alphabet", |t, _| t.then(|token| token.replacen('.', "+/.", 1))),
    ("base64 with bits to spare", |t, _| t.then(spare_bits)),
    ("two parts", |t, _| t.then(|token| token.rsplit_once('.').unwrap().0.to_owned())),
    ("one part", |t, _| t.then(|token| token.replace('.', ""))),
    ("four parts", |t, _| t.then(|token| format!("{token}.e30"))),
    ("five parts", |t, _| t.then(|token| format!("{token}.e30.e30"))),
    ("no header", |t, _| t.then(|token| token[token.find('.').unwrap()..].to_owned())),
    ("no claims", |t, _| {
        t.then(|token| {
            let parts: Vec<&str> = token.split('.').collect();
            format!("{}..{}", parts[0], parts[2])
        })
    }),
    ("no signature", |t, _| t.then(|token| format!("{}.", token.rsplit_once('.').unwrap().0))),
    ("a dot at the end", |t, _| t.then(|token| format!("{token}."))),
    ("something at the end", |t, _| t.then(|token| format!("{token}AAAA"))),
    ("a space within", |t, _| t.then(|token| token.replacen('.', ". ", 1))),
    ("a space before it", |t, _| t.then(|token| format!(" {token}"))),
    ("quotes around it", |t, _| t.then(|token| format!("\"{token}\""))),
    ("two tokens", |t, _| t.then(|token| format!("{token},{token}"))),
    ("the signature cut", |t, _| t.then(|token| token[..token.len() - 4].to_owned())),
    ("the signature all zeros", |t, _| {
        t.then(|token| format!("{}.{}", token.rsplit_once('.').unwrap().0, "A".repeat(86)))
    }),
    ("a claim changed after it was signed", |t, _| t.then(|token| changed(&token))),
    ("a token of the first release", |t, _| t.then(|_| format!("rollbook_{}", "0".repeat(64)))),
    ("nothing at all", |t, _| t.then(|_| String::new())),
];

/// The last letter of an Ed25519 signature has four bits that mean nothing; canonical base64 has them zero.
fn spare_bits(token: String) -> String {
    let (rest, last) = token.split_at(token.len() - 1);
    let next = match last {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        _ => "x",
    };
    format!("{rest}{next}")
}

fn changed(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let claims = claims.replace("plan_compliance", "operator");
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims), parts[2])
}
