//! `berth sim serve`, and as much HTTP as it takes to talk to it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// A served simulator; it goes with this value.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
}

impl Server {
    /// Starts a server that prints its URL first.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Server { child, url: line.trim().to_owned() }
    }

    /// Arguments for a berth that goes through its waits two hundred times as fast: what it waits for here is there at
    /// once.
    pub fn client(&self) -> [&str; 4] {
        ["--endpoint", &self.url, "--sim-speed", "200"]
    }

    /// Sends a request: the status and the body of the answer.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.send_as(None, method, path, body)
    }

    /// Sends a request with a token of these claims.
    pub fn send_as(
        &self,
        claims: Option<&Value>,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let host = self.url.strip_prefix("http://").unwrap();
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(host).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        let token = claims.map(|claims| {
            let part = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
            format!("Authorization: Bearer {}.{}.x\r\n", part("{}".into()), part(claims.to_string()))
        });
        let head = format!("{head}{}", token.unwrap_or_default());
        let head = format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Sends a write that must be accepted, and waits for the operation it starts.
    #[track_caller]
    pub fn write(&self, method: &str, id: &str, version: &str, body: Option<&Value>) {
        self.write_as(None, method, id, version, body);
    }

    /// The same with a token of these claims.
    #[track_caller]
    pub fn write_as(
        &self,
        claims: Option<&Value>,
        method: &str,
        id: &str,
        version: &str,
        body: Option<&Value>,
    ) {
        let path = format!("{id}?api-version={version}");
        let (status, answer) = self.send_as(claims, method, &path, body);
        assert!((200..300).contains(&status), "{method} {id}: {status} {answer}");
        // Under jumping time a few looks carry any operation to its end.
        for _ in 0..20 {
            let (status, seen) = self.send("GET", &path, None);
            let state = seen.pointer("/properties/provisioningState").and_then(Value::as_str);
            if status == 404 || state.is_none_or(|state| state == "Succeeded") {
                return;
            }
        }
        panic!("{method} {id} never ends");
    }

    /// Stops the server as Ctrl-C does: what it holds is written down.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that answers everything with the same answer, head and all; its URL.
pub fn always(answer: impl Into<String>) -> String {
    let answer: Arc<str> = answer.into().into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut head = [0; 8192];
                while let Ok(1..) = stream.read(&mut head) {
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}
