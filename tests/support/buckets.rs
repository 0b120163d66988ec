//! Object stores on this machine that behave as those of the clouds do: Azurite, moto's S3, and fake-gcs-server for Google
//! Cloud Storage. Each is there when a variable names its program (`.ci/run ledgers` sets them).

use super::Azurite;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// A running store with a bucket `ledgers`; it goes with this value.
pub struct Store {
    /// What it is called in complaints of tests.
    pub name: &'static str,
    /// What `--ledger` says for it.
    pub ledger: String,
    /// The same of a bucket that does not exist.
    pub nowhere: String,
    /// What the environment says for it.
    pub environment: Vec<(String, String)>,
    _running: Running,
}

enum Running {
    Azurite(#[expect(dead_code, reason = "it stops with this value")] Azurite),
    Child(Child),
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Running::Child(child) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no settings")]
fn program(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|path| !path.is_empty())
}

impl Store {
    /// Every store whose program is named, started.
    pub fn all() -> Vec<Self> {
        [Self::azure(), Self::amazon(), Self::google()].into_iter().flatten().collect()
    }

    fn azure() -> Option<Self> {
        let azurite = Azurite::start()?;
        let environment = [("AZURE_STORAGE_CONNECTION_STRING".to_owned(), azurite.connection_string())];
        Some(Store {
            name: "Azurite",
            ledger: azurite.ledger(),
            nowhere: "azblob://devstoreaccount1/nowhere".to_owned(),
            environment: environment.into(),
            _running: Running::Azurite(azurite),
        })
    }

    fn amazon() -> Option<Self> {
        let port = free_port();
        let mut command = Command::new(program("BERTH_MOTO")?);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let child = started(&mut command, port);
        let created = ask(
            port,
            "PUT",
            "/ledgers",
            &[("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261126/us-east-1/s3/aws4_request")],
            b"",
        );
        assert!(created.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&created));
        let environment = [
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{port}")),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ];
        Some(Store {
            name: "moto",
            ledger: "s3://ledgers/a/b".to_owned(),
            nowhere: "s3://nowhere/a".to_owned(),
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
            _running: Running::Child(child),
        })
    }

    fn google() -> Option<Self> {
        let port = free_port();
        let mut command = Command::new(program("BERTH_FAKE_GCS")?);
        command.args(["-scheme", "http", "-host", "127.0.0.1", "-backend", "memory"]);
        // It tells the XML interface by the host that is asked for.
        command.args(["-port", &port.to_string(), "-public-host", &format!("127.0.0.1:{port}")]);
        let child = started(&mut command, port);
        let created = ask(
            port,
            "POST",
            "/storage/v1/b",
            &[("Content-Type", "application/json")],
            br#"{"name":"ledgers"}"#,
        );
        assert!(created.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&created));
        let front = front(port);
        let account = format!(
            r#"{{"gcs_base_url":"http://127.0.0.1:{front}","disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}}"#
        );
        let environment = [("GOOGLE_SERVICE_ACCOUNT_KEY", account), ("GOOGLE_ALLOW_HTTP", "true".to_owned())];
        Some(Store {
            name: "fake-gcs-server",
            ledger: "gs://ledgers/a/b".to_owned(),
            nowhere: "gs://nowhere/a".to_owned(),
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
            _running: Running::Child(child),
        })
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts a server and waits until it answers.
fn started(command: &mut Command, port: u16) -> Child {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    super::until("the object store answers", || TcpStream::connect(("127.0.0.1", port)).ok().map(drop));
    child
}

/// One request, and the whole answer.
fn ask(port: u16, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// fake-gcs-server reads and lists as Google's XML interface does, and writes by the JSON interface only: this stands in
/// front of it and writes what is put by the one through the other. What decides about conditions is the server.
fn front(behind: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || drop(pass(stream, behind)));
        }
    });
    port
}

fn pass(stream: TcpStream, behind: u16) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut headers) = (String::new(), Vec::new());
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let header =
        |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let answer = match (method, target.trim_start_matches('/').split_once('/')) {
        ("PUT", Some((bucket, object))) => {
            put(behind, bucket, object, header("x-goog-if-generation-match"), &body)
        }
        _ => {
            let passed = headers
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "host" | "connection" | "content-length"));
            let passed: Vec<(&str, &str)> =
                passed.map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let (path, query) =
                target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
            let path = plain(path);
            let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
            ask(behind, method, &target, &passed, &body)
        }
    };
    reader.get_mut().write_all(&answer)
}

/// A path without percent signs: the names of ledgers have nothing in them that needs one.
fn plain(path: &str) -> String {
    let mut parts = path.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = u8::from_str_radix(&part[..2], 16).unwrap();
        plain.push(char::from(code));
        plain.push_str(&part[2..]);
    }
    plain
}

fn put(behind: u16, bucket: &str, object: &str, generation: Option<&str>, body: &[u8]) -> Vec<u8> {
    let condition =
        generation.map_or_else(String::new, |generation| format!("&ifGenerationMatch={generation}"));
    let target = format!("/upload/storage/v1/b/{bucket}/o?uploadType=multipart{condition}");
    let object = plain(object);
    const MARK: &str = "a-mark-that-is-in-no-ledger";
    let head = format!(
        "--{MARK}\r\nContent-Type: application/json\r\n\r\n{{\"name\":\"{object}\"}}\r\n--{MARK}\r\nContent-Type: application/json\r\n\r\n"
    );
    let parts = [head.as_bytes(), body, format!("\r\n--{MARK}--\r\n").as_bytes()].concat();
    let kind = format!("multipart/related; boundary={MARK}");
    let answer = ask(behind, "POST", &target, &[("Content-Type", &kind)], &parts);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, json) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.lines().next().unwrap_or_default();
    let told: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let member = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let (generation, etag) = (member("generation"), member("etag"));
    format!(
        "{status}\r\nx-goog-generation: {generation}\r\netag: \"{etag}\"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}
