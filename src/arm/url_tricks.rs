//! URLs that look as if they lay on ARM's host and lead elsewhere: no token, and no request, follows them.

use super::scripted::{ARM, Script, line};
use super::transport::Method;
use super::{Client, HttpTransport, Limits, Operation, Options, Poll, Proxies, StaticToken, is_loopback};
use crate::host::Clock;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Tricks with `{s}` for ARM's scheme, `{a}` for ARM's authority, `{e}` for another one.
const TRICKS: &[&str] = &[
    "{s}://{e}/x",
    "{s}://{e}:443/x",
    "{s}://{e}?{a}",
    "{s}://{e}#{a}",
    "{s}://{e}#@{a}/x",
    "{s}://{e}/{a}",
    "{s}://{e}/@{a}",
    "{s}://{e}\\@{a}/x",
    "{s}://{e}\\.{a}/x",
    "{s}://{e}\\/{a}/x",
    "{s}://{e}\\x.{a}",
    "{s}://{e}\\{a}",
    "{s}:\\\\{e}/x",
    "{s}:\\\\{e}\\{a}",
    "{s}:/\\{e}/x",
    "{s}:\\/{e}/x",
    "{s}:{e}/x",
    "{s}:/{e}/x",
    "{s}:///{e}/x",
    "{s}:////{e}/x",
    "{s}://\\{e}/x",
    "{s}://{a}@{e}/x",
    "{s}://{a}:443@{e}/x",
    "{s}://{a}:@{e}/x",
    "{s}://@{e}/x",
    "{s}://:@{e}/x",
    "{s}://user@{a}/x",
    "{s}://user:word@{a}/x",
    "{s}://{e}@{a}/x",
    "{s}://{e}:80@{a}/x",
    "{s}://{a}%40{e}/x",
    "{s}://{a}%2f@{e}/x",
    "{s}://{a}%5c@{e}/x",
    "{s}://{a}%00.{e}/x",
    "{s}://{a}%2e{e}/x",
    "{s}://{e}%2f.{a}/x",
    "{s}://{e}%5c.{a}/x",
    "{s}://{e}%23.{a}/x",
    "{s}://{e}%3f.{a}/x",
    "{s}://{e}%09.{a}/x",
    "{s}://{e}%20.{a}/x",
    "{s}://{a}.{e}/x",
    "{s}://{a}-{e}/x",
    "{s}://{a}{e}/x",
    "{s}://evil-{a}/x",
    "{s}://evil{a}/x",
    "{s}://x{a}/x",
    "{s}://{a}./x",
    "{s}://.{a}/x",
    "{s}://{a}..{e}/x",
    "{s}://{a}:1/x",
    "{s}://{a}:0/x",
    "{s}://{a}:99999/x",
    "{s}://{a}:443443/x",
    "{s}://{a}:+443/x",
    "{s}://{a}:4 43/x",
    "{s}://{a}:443.{e}/x",
    "{s}://{a}:{e}/x",
    "{s}://[{a}]/x",
    "{s}://[::1]{a}/x",
    "{s}://[{e}]/x",
    "ftp://{a}/x",
    "file://{a}/x",
    "ws://{a}/x",
    "wss://{a}/x",
    "gopher://{a}/x",
    "javascript://{a}/x",
    "data://{a}/x",
    "jar:{s}://{a}/x",
    "{s}s://{a}/x",
    "{s}+unix://{a}/x",
    "view-source:{s}://{a}/x",
    "{s} ://{a}/x",
    "{s}\t://{a}/x",
    "{s}:\n//{e}/x",
    "{s}://\t{e}/x",
    "{s}://{e}\t.{a}/x",
    "{s}://{e}\n.{a}/x",
    "{s}://{e}\r.{a}/x",
    "{s}://{e}\r\nHost: {a}/x",
    "{s}://{e} .{a}/x",
    "{s}://{e} {a}/x",
    "{s}://{e}\u{0}.{a}/x",
    "{s}://{e}\u{b}.{a}/x",
    "{s}://{e}\u{7f}.{a}/x",
    "{s}://{e}\u{a0}.{a}/x",
    "{s}://{e}\u{2028}.{a}/x",
    "{s}://{e}\u{3002}{a}/x",
    "{s}://{e}\u{ff0e}{a}/x",
    "{s}://{e}\u{ff0f}{a}/x",
    "{s}://{e}\u{ff0f}.{a}/x",
    "{s}://{e}\u{ff1f}.{a}/x",
    "{s}://{e}\u{ff03}.{a}/x",
    "{s}://{e}\u{ff20}{a}/x",
    "{s}://{e}\u{ff3c}.{a}/x",
    "{s}://{e}\u{2044}.{a}/x",
    "{s}://{e}\u{2215}.{a}/x",
    "{s}://{e}\u{29f8}.{a}/x",
    "{s}://{e}\u{200b}.{a}/x",
    "{s}://{e}\u{200d}.{a}/x",
    "{s}://{e}\u{202e}.{a}/x",
    "{s}://{e}\u{ad}.{a}/x",
    "{s}://{e}\u{feff}.{a}/x",
    "\u{feff}{s}://{e}/x",
    "//{e}/x",
    "///{e}/x",
    "////{e}/x",
    "//{e}\\@{a}/x",
    "//{a}/x",
    "//{a}@{e}/x",
    "/\\{e}/x",
    "\\\\{e}/x",
    "\\/{e}/x",
    "\\{e}/x",
    "\t//{e}/x",
    "\n{s}://{e}/x",
    "/\t/{e}/x",
    "/\n/{e}/x",
    "@{e}/x",
    ":443@{e}/x",
    ".{e}/x",
    "{e}/x",
    "{a}/x",
    "{a}@{e}",
    "?x={s}://{a}",
    "#{s}://{a}",
    "",
    " ",
    "{s}://",
    "{s}:///",
    "{s}://?",
    "{s}://#",
    "://{a}/x",
    "://{e}/x",
];

fn tricks(scheme: &str, arm: &str, elsewhere: &str) -> Vec<String> {
    let fill = |trick: &&str| trick.replace("{s}", scheme).replace("{a}", arm).replace("{e}", elsewhere);
    TRICKS.iter().map(fill).collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "the stage `attacks` tells what was tried")]
fn there_are_more_than_a_hundred_tricks_and_none_is_arms() {
    let endpoint = super::endpoint::Endpoint::new(ARM);
    let all = tricks("https", "management.azure.com", "evil.example");
    assert!(all.len() >= 100, "{}", all.len());
    println!("attacks: {} URL tricks: no token leaves", all.len());
    for trick in all {
        assert_eq!(endpoint.resolve(&trick), None, "{trick:?}");
    }
}

#[test]
fn what_is_taken_for_arms_is_sent_to_arm() {
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;
    let endpoint = super::endpoint::Endpoint::new(ARM);
    let piece = prop::sample::select(vec![
        "https://",
        "http://",
        "management.azure.com",
        "evil.example",
        "\\",
        "/",
        "@",
        ":",
        "443",
        "?",
        "#",
        ".",
        "%40",
        "%5c",
        "\t",
        "\n",
        " ",
        "[",
        "]",
        "\u{ff0f}",
        "westus.",
    ]);
    let mut runner = TestRunner::deterministic();
    runner
        .run(&prop::collection::vec(piece, 1..8), |pieces| {
            if let Some(url) = endpoint.resolve(&pieces.concat()) {
                let host = azure_core::http::Url::parse(&url).unwrap().host_str().unwrap().to_owned();
                prop_assert!(
                    host == "management.azure.com" || host.ends_with(".management.azure.com"),
                    "{}",
                    url
                );
            }
            Ok(())
        })
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn in_this_process_nothing_is_sent_where_a_trick_leads() {
    for trick in tricks("https", "management.azure.com", "evil.example") {
        for header in ["azure-asyncoperation", "location"] {
            let answer = line("DELETE ID", 202, json!({})).with("retry-after", "1").verbatim(header, &trick);
            let gone = line("GET ID", 404, json!({"error": {"code": "ResourceNotFound", "message": ""}}));
            let (client, script) = Script::client(vec![answer, gone]);
            let started = client.delete(super::scripted::ID, "1", &[]).await;
            if let Ok(super::Started::Running(operation)) = started {
                let _ = client.wait(&operation, |_| {}, std::time::Duration::from_secs(60)).await;
            }
            for (_, request) in script.sent.lock().unwrap().iter() {
                assert!(
                    request.url.starts_with(&format!("{ARM}/subscriptions/")),
                    "{trick:?}: {}",
                    request.url
                );
            }
        }
        if trick.trim_matches(' ').is_empty() {
            continue;
        }
        let (client, script) =
            Script::client(vec![line("GET /l", 200, json!({"value": [], "nextLink": trick}))]);
        assert!(client.list("/l", "1", &[]).await.is_err(), "{trick:?}");
        assert_eq!(script.sent.lock().unwrap().len(), 1, "{trick:?}");
    }
}

/// Answers every request with a page whose `nextLink` is made from the server's own address, and counts the requests.
async fn server(next: impl Fn(&str) -> Option<String> + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let body = json!({ "value": [], "nextLink": next(&address) }).to_string();
    let (count, length) = (Arc::new(AtomicUsize::new(0)), body.len());
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let _ = stream
                .write_all(format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes())
                .await;
        }
    });
    (address, count)
}

#[tokio::test]
async fn over_http_nothing_is_sent_where_a_trick_leads() {
    let (elsewhere, visits) = server(|_| None).await;
    let transport = HttpTransport::trusting(&[], Proxies::None, Limits::default()).unwrap();
    // A name that leads to the same place, for tricks that numbers cannot play.
    for elsewhere in [elsewhere.clone(), elsewhere.replace("127.0.0.1", "localhost")] {
        for (at, trick) in TRICKS.iter().enumerate() {
            let foreign = elsewhere.clone();
            let (arm, seen) = server(move |own| Some(tricks("http", own, &foreign)[at].clone())).await;
            let token = Arc::new(StaticToken::new("t"));
            let options = Options { endpoint: format!("http://{arm}"), ..Options::default() };
            let client = Client::new(Arc::new(transport.clone()), token, Clock::start(1.0), options);
            let _ = client.list("/l", "1", &[]).await;
            let visits = visits.load(Ordering::SeqCst);
            assert_eq!((seen.load(Ordering::SeqCst), visits), (1, 0), "{trick:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_out_of_a_forged_journal_is_not_followed_and_its_resource_is_watched() {
    for trick in tricks("https", "management.azure.com", "evil.example") {
        for poll in [Poll::AsyncOperation { url: trick.clone() }, Poll::Location { url: trick.clone() }] {
            let operation = Operation { poll, ..Operation::watching(Method::Put, super::scripted::ID, "1") };
            let state =
                |state: &str| json!({"id": super::scripted::ID, "properties": {"provisioningState": state}});
            let (client, script) = Script::client(vec![
                line("GET ID", 200, state("Updating")),
                line("GET ID", 200, state("Succeeded")),
            ]);
            let finished = client.wait(&operation, |_| {}, std::time::Duration::from_secs(600)).await;
            assert!(finished.is_ok(), "{trick:?}: {finished:?}");
            assert_eq!(script.times().len(), 2, "{trick:?}");
        }
    }
}

#[test]
fn this_machine_is_known_by_its_addresses() {
    for (address, loopback) in [
        ("http://127.0.0.1:8080", true),
        ("http://127.9.9.9", true),
        ("https://[::1]:1", true),
        ("http://localhost", true),
        ("http://LOCALHOST:1/", true),
        ("http://localhost.evil.example", false),
        ("http://127.0.0.1.evil.example", false),
        ("http://127.0.0.1@evil.example", false),
        ("http://evil.example\\127.0.0.1", false),
        ("https://management.azure.com", false),
    ] {
        assert_eq!(is_loopback(address), loopback, "{address}");
    }
}
