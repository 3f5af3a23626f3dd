//! The edge of the API: what stands in every answer's head, and TLS.

use std::process::Command;

use harness::ledger::Ledger;

#[tokio::test]
async fn every_answer_says_how_it_may_be_used() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::up(data.path(), None);
    let http = reqwest::Client::new();
    for (path, status) in [("/healthz", 200), ("/openapi.json", 200), ("/v1/status", 401), ("/nowhere", 404)] {
        let response = http.get(format!("{}{path}", ledger.url())).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        for (name, value) in [
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(response.headers()[name], value, "{path} {name}");
        }
        for absent in ["server", "strict-transport-security", "access-control-allow-origin"] {
            assert!(!response.headers().contains_key(absent), "{path} {absent}");
        }
    }
    let long = format!("{}/v1/status?{}", ledger.url(), "a".repeat(20_000));
    assert_eq!(http.get(long).send().await.unwrap().status(), 414);
    let large = http.get(format!("{}/healthz", ledger.url())).header("x-large", "a".repeat(100_000));
    assert_eq!(large.send().await.unwrap().status(), 431);
}

#[tokio::test]
async fn over_tls_it_is_heard_by_tls_alone() {
    let data = tempfile::tempdir().unwrap();
    let (certificate, key) = (data.path().join("tls.pem"), data.path().join("tls.key"));
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
                   -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE";
    let mut openssl = Command::new("openssl");
    openssl.args(request.split_whitespace()).arg("-keyout").arg(&key).arg("-out").arg(&certificate);
    assert!(openssl.output().unwrap().status.success());
    let (cert, secret) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let ledger = Ledger::up_with(data.path(), &["--tls-cert", cert, "--tls-key", secret]);
    assert!(ledger.url().starts_with("https://127.0.0.1:"));
    let trusted = reqwest::Certificate::from_pem(&std::fs::read(&certificate).unwrap()).unwrap();
    let http = reqwest::Client::builder().add_root_certificate(trusted).tls_built_in_root_certs(false).build().unwrap();
    let response = http.get(format!("{}/v1/status", ledger.url())).bearer_auth(ledger.token()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
    let clear = reqwest::get(ledger.url().replace("https", "http")).await;
    assert!(clear.is_err(), "it answers in the clear");
    // The program's own commands trust what the machine trusts.
    let mut command = ledger.command(&["status"]);
    let status = command.env("SSL_CERT_FILE", cert).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
}
