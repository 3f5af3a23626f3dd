//! The client of the API: where the ledger is, who asks, and what an answer that is none comes to.

mod problem;
mod stream;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use super::exit::Stop;
use super::folder::Folder;
use super::secret::{CallersToken, Secret};

use problem::problem_of;
pub use stream::{Cut, copy, lines};

/// Where a ledger listens unless it is told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// A ledger that is there takes a connection at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// For one answer that is no stream; longer than a reader may ask to wait for a position.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// Which ledger, and who asks.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Which ledger")]
pub struct Connection {
    /// Address of the ledger [default: what DIR/endpoint says, else http://127.0.0.1:8080]
    #[arg(long, env = "ROLLBOOK_URL", value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    token: CallersToken,
    #[command(flatten)]
    folder: Folder,
}

impl Connection {
    /// A connection to an address, with a token or the operator's own where the ledger is on this machine.
    pub fn to(url: String, token: CallersToken, folder: Folder) -> Self {
        Self { url: Some(url), token, folder }
    }

    /// The data folder beside which address and token are looked for.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The address and whose word that is.
    ///
    /// # Errors
    /// Where it is no address.
    pub fn address(&self) -> anyhow::Result<Url> {
        let beside = || std::fs::read_to_string(self.data().join("endpoint")).ok();
        let text = self.url.clone().or_else(beside).unwrap_or_else(|| DEFAULT_URL.to_owned());
        let next = format!("give an address as in --url {DEFAULT_URL}");
        let url = Url::parse(text.trim())
            .with_context(|| Stop::usage(format!("`{}` is no address", text.trim())).next(&next))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(Stop::usage(format!("`{}` is no address of a ledger", text.trim())).next(next).into());
        }
        Ok(url)
    }

    /// The token: the one that was given, else the operator's own, which leaves this machine for nowhere else.
    ///
    /// # Errors
    /// Where the file that was named holds none.
    pub fn token(&self, url: &Url) -> anyhow::Result<Option<Secret>> {
        let local = self.url.is_none() || is_loopback(url);
        let beside = || std::fs::read_to_string(self.data().join("admin.token")).ok().filter(|_| local);
        let given = self.token.given()?;
        Ok(given.or_else(|| beside().map(|text| Secret::from(text.trim().to_owned()))))
    }

    /// The client.
    ///
    /// # Errors
    /// Where the address is none, or the token or the system's certificates cannot be read.
    pub fn client(&self) -> anyhow::Result<Client> {
        let url = self.address()?;
        let token = self.token(&url)?;
        let secure = url.scheme() == "https";
        let mut builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).tls_built_in_native_certs(secure);
        if is_loopback(&url) {
            // A proxy for the internet has no business with a ledger on this machine, least of all with its token.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| root(&error)).context("could not prepare the client")?;
        Ok(Client { http, url, token })
    }
}

/// Whether an address is this machine's own.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback() || ip.is_unspecified())
}

/// A client of one ledger.
pub struct Client {
    http: reqwest::Client,
    url: Url,
    token: Option<Secret>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// A name of a query's parameter, and its value.
pub type Parameter = (&'static str, String);

impl Client {
    /// A request for a path, given in its segments so that each is escaped.
    pub fn request(&self, method: Method, path: &[&str], query: &[Parameter]) -> RequestBuilder {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let request = self.http.request(method, url).query(query);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// A question.
    pub fn get(&self, path: &[&str], query: &[Parameter]) -> RequestBuilder {
        self.request(Method::GET, path, query)
    }

    /// Sends a request and waits for an answer that is one.
    ///
    /// # Errors
    /// Where the ledger is not there, or refuses.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        if answer.status().is_success() { Ok(answer) } else { Err(problem_of(answer).await) }
    }

    /// Sends a request whose refusal is an answer: what was asked, or the problem that says why not.
    ///
    /// # Errors
    /// Where the ledger is not there, cannot answer now, or knows no such token.
    pub async fn judged(&self, request: RequestBuilder) -> anyhow::Result<Result<Response, Value>> {
        let request = request.timeout(ANSWER_TIMEOUT);
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Ok(answer));
        }
        let is_answer = [
            StatusCode::BAD_REQUEST,
            StatusCode::NOT_FOUND,
            StatusCode::CONFLICT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ];
        if !is_answer.contains(&status) {
            return Err(problem_of(answer).await);
        }
        Ok(Err(answer.json().await.unwrap_or_default()))
    }

    /// Sends a request and reads the whole answer as JSON.
    ///
    /// # Errors
    /// As [`Client::send`], or where the answer is no JSON.
    pub async fn json(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let answer = self.send(request.header(ACCEPT, "application/json").timeout(ANSWER_TIMEOUT)).await?;
        let what = || Stop::unavailable(format!("the answer of {} could not be read", self.url));
        answer.json().await.map_err(|error| root(&error).context(what()))
    }

    /// Finds out that the ledger is there and knows the token, before anything large is sent: a refusal in the middle of
    /// a body may be lost with the connection.
    ///
    /// # Errors
    /// Where the ledger is not there, or knows no such token.
    pub async fn known(&self) -> anyhow::Result<()> {
        // A file that nobody has; whether it is there does not matter.
        let nothing = "0".repeat(64);
        let request = self.get(&["v1", "intake", &nothing], &[]).timeout(ANSWER_TIMEOUT);
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        if answer.status() == StatusCode::UNAUTHORIZED { Err(problem_of(answer).await) } else { Ok(()) }
    }

    fn unreachable(&self, error: &reqwest::Error) -> anyhow::Error {
        let next = if is_loopback(&self.url) {
            "is the ledger running? start it with: rollbook up"
        } else {
            "is the address right, and is the ledger running there? rollbook doctor says more"
        };
        let stop = Stop::unavailable(format!("could not reach the ledger at {}", self.url)).next(next);
        root(error).context(stop)
    }
}

/// What truly went wrong: the layers above it say no more than that something did.
fn root(error: &(dyn std::error::Error + 'static)) -> anyhow::Error {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    anyhow::anyhow!(root.to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        connection: Connection,
    }

    fn connection(arguments: &[&str]) -> Connection {
        Line::parse_from(std::iter::once("rollbook").chain(arguments.iter().copied())).connection
    }

    #[test]
    fn address_and_token_lie_beside_a_local_ledger() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("endpoint"), "http://127.0.0.1:4711\n").unwrap();
        std::fs::write(folder.path().join("admin.token"), "rollbook_1\n").unwrap();
        let local = connection(&["--data", folder.path().to_str().unwrap()]);
        let url = local.address().unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:4711/");
        assert_eq!(local.token(&url).unwrap().unwrap().expose(), "rollbook_1");
        std::fs::write(folder.path().join("other.token"), "rollbook_2\n").unwrap();
        let other = folder.path().join("other.token");
        let named = connection(&["--url", "https://ledger.example", "--token-file", other.to_str().unwrap()]);
        assert_eq!(named.token(&url).unwrap().unwrap().expose(), "rollbook_2");
        assert!(connection(&["--token-file", "/nowhere"]).token(&url).is_err());
    }

    #[test]
    fn no_token_is_an_argument() {
        assert!(Line::try_parse_from(["rollbook", "--token", "rollbook_1"]).is_err());
    }

    #[test]
    fn the_operators_token_stays_on_its_machine() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("admin.token"), "rollbook_1").unwrap();
        let remote = connection(&["--url", "https://ledger.example", "--data", folder.path().to_str().unwrap()]);
        assert!(remote.token(&remote.address().unwrap()).unwrap().is_none());
    }

    #[test]
    fn a_segment_of_a_path_is_escaped() {
        let client = connection(&["--url", "http://localhost/under/"]).client().unwrap();
        let request = client.get(&["v1", "views", "a/b"], &[("plan", "x&y".to_owned())]).build().unwrap();
        assert_eq!(request.url().as_str(), "http://localhost/under/v1/views/a%2Fb?plan=x%26y");
    }

    #[test]
    fn a_secure_address_needs_no_more_than_an_open_one() {
        assert!(connection(&["--url", "https://ledger.example"]).client().is_ok());
        assert!(connection(&["--url", "ledger.example"]).client().is_err());
    }
}
