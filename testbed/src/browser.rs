//! A headless Chromium, driven through `chromedriver` by the W3C WebDriver protocol.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Error, daemon::Daemon, tools};

/// A browser with one page. Dropping the value closes it.
#[derive(Debug)]
pub struct Browser {
    driver: Daemon,
    port: u16,
    session: String,
    // Dropped last: the browser writes there until it is closed.
    _dir: TempDir,
}

impl Browser {
    /// Starts a browser with an empty profile.
    ///
    /// # Errors
    /// [`Error::Missing`] without `chromium` and `chromedriver`; [`Error::Start`] and [`Error::Timeout`] quote their log.
    pub fn start() -> Result<Self, Error> {
        let driver = tools::program("chromedriver")?;
        let chromium = tools::program("chromium")?;
        let dir = tempfile::tempdir().map_err(Error::io("a directory"))?;
        let log = dir.path().join("chromedriver.log");
        let mut driver = Daemon::spawn("chromedriver", Command::new(driver).arg("--port=0"), &log)?;
        let port = driver.wait_until("listen", || {
            let text = fs::read_to_string(&log).ok()?;
            let (_, rest) = text.split_once("started successfully on port ")?;
            rest.split_once('.')?.0.parse().ok()
        })?;
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
            _dir: dir,
        };
        let profile = format!(
            "--user-data-dir={}",
            browser._dir.path().join("profile").display()
        );
        let args: Vec<&str> = FLAGS.iter().copied().chain([profile.as_str()]).collect();
        let options = json!({ "binary": chromium, "args": args });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let answer = browser.call("POST", "/session", &wanted)?;
        browser.session = format!("/session/{}", answer["sessionId"].as_str().unwrap_or_default());
        Ok(browser)
    }

    /// Opens a file; returns once it is loaded.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with what the driver says.
    pub fn open(&self, file: &Path) -> Result<(), Error> {
        let url = json!({ "url": format!("file://{}", file.display()) });
        self.call("POST", &format!("{}/url", self.session), &url)
            .map(drop)
    }

    /// Runs a script in the page, and gives what it returns.
    ///
    /// # Errors
    /// As [`open`](Self::open): an exception is one, too.
    pub fn run(&self, script: &str) -> Result<Value, Error> {
        let body = json!({ "script": script, "args": [] });
        self.call("POST", &format!("{}/execute/sync", self.session), &body)
    }

    /// Clicks the first element of a CSS selector, as a mouse would.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn click(&self, selector: &str) -> Result<(), Error> {
        let element = self.find(selector)?;
        self.call("POST", &format!("{element}/click"), &json!({}))
            .map(drop)
    }

    /// Types into the first element of a CSS selector, in place of what is there.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn fill(&self, selector: &str, text: &str) -> Result<(), Error> {
        let element = self.find(selector)?;
        self.call("POST", &format!("{element}/clear"), &json!({}))?;
        self.call("POST", &format!("{element}/value"), &json!({ "text": text }))
            .map(drop)
    }

    /// The picture of the window, as PNG in base64.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn screenshot(&self) -> Result<String, Error> {
        let picture = self.call("GET", &format!("{}/screenshot", self.session), &Value::Null)?;
        Ok(picture.as_str().unwrap_or_default().to_owned())
    }

    fn find(&self, selector: &str) -> Result<String, Error> {
        let using = json!({ "using": "css selector", "value": selector });
        let found = self.call("POST", &format!("{}/element", self.session), &using)?;
        let id = found
            .as_object()
            .and_then(|found| found.values().next()?.as_str());
        Ok(format!("{}/element/{}", self.session, id.unwrap_or_default()))
    }

    /// One request of the protocol, and the `value` of its answer.
    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Error> {
        let what = format!("chromedriver {method} {path}");
        let unexpected = |problem: String| Error::Unexpected {
            path: what.clone().into(),
            problem,
        };
        let failed = Error::io(&what);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let exchange = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                self.port,
                body.len()
            )?;
            read_answer(stream)
        };
        let (status, body) = exchange().map_err(failed)?;
        let mut value: Value =
            serde_json::from_slice(&body).map_err(|error| unexpected(error.to_string()))?;
        match status.starts_with("HTTP/1.1 200") {
            true => Ok(value["value"].take()),
            false => Err(unexpected(value["value"]["message"].to_string())),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // The driver closes the browser; if it cannot, it is killed next.
            let _ = self.call("DELETE", &self.session, &Value::Null);
        }
        self.driver.kill();
    }
}

/// The first line of an answer, and its body. The driver keeps the connection, so its end says nothing.
fn read_answer(stream: TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut stream = BufReader::new(stream);
    let (mut status, mut length) = (String::new(), 0);
    stream.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((status, body))
}

/// Without sandbox, because tests run as root in a container; nothing is fetched.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--window-size=1400,900",
];
const PATIENCE: Duration = Duration::from_secs(60);
