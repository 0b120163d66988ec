//! The page of a drift report in a browser: BERTH_CHROMIUM names a Chromium. Without it this skips; `.ci/run browser`
//! names one.

use crate::support::Berth;
use std::path::PathBuf;
use std::process::Command;

/// What Chromium makes of the page: the document as it is in the end, and what it complains of.
fn opened(berth: &Berth, chromium: &str, page: &str, arguments: &[&str]) -> (String, String) {
    let page = berth.path(page);
    let output = Command::new(chromium)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"])
        .arg("--virtual-time-budget=2000")
        .arg(format!("--user-data-dir={}", berth.path("profile").display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The lines of the console.
fn complaints(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("CONSOLE")).collect()
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that skips says so")]
fn the_page_works_in_a_browser() {
    #[expect(clippy::disallowed_methods, reason = "how `.ci/run browser` names the browser")]
    let Some(chromium) = std::env::var("BERTH_CHROMIUM").ok() else {
        eprintln!("skipped: BERTH_CHROMIUM names no browser");
        return;
    };
    let berth = Berth::new();
    let page = berth::report::html::drift(&crate::reports::mixed());
    // Nothing in it is fetched from anywhere.
    for reference in ["src=", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(reference), "the page has {reference}");
    }
    berth.write("drift.html", page.as_bytes());
    // What is complained of is seen.
    berth.write("wrong.html", b"<script>absent()</script>");
    assert!(!complaints(&opened(&berth, &chromium, "wrong.html", &["--dump-dom"]).1).is_empty());
    let (document, log) = opened(&berth, &chromium, "drift.html", &["--dump-dom"]);
    let complaints = complaints(&log);
    assert!(complaints.is_empty(), "{complaints:#?}");
    // The script ran: the filters are shown, and say how many entries there are.
    assert!(document.contains("6 of 6 shown"), "{document:.2000}");
    let form = &document[document.find("id=\"filters\"").unwrap()..];
    assert!(!form[..form.find('>').unwrap()].contains("hidden"));
    // The graph of a plan is a page of the same sort.
    let desired = crate::support::Rehearsal::new().desired(&crate::support::quickstart());
    let graph = berth::report::graph_page::html(&berth::ops::plan_offline(&desired).0);
    berth.write("graph.html", graph.as_bytes());
    let (drawn, log) = opened(&berth, &chromium, "graph.html", &["--dump-dom"]);
    assert!(log.lines().all(|line| !line.contains("CONSOLE")), "{log}");
    assert!(drawn.contains("What makes it so long") && drawn.contains("clusters.aks"), "{drawn:.2000}");
    // A script of a name's would have left this behind.
    assert!(!document.contains("owned-by-a-name"));
    #[expect(clippy::disallowed_methods, reason = "where a person wants to look at the pictures")]
    let Some(folder) = std::env::var_os("BERTH_SCREENSHOTS").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(berth.path("drift.html"), folder.join("drift.html")).unwrap();
    std::fs::copy(berth.path("graph.html"), folder.join("graph.html")).unwrap();
    let picture = format!("--screenshot={}", folder.join("graph.png").display());
    opened(&berth, &chromium, "graph.html", &["--window-size=1200,1500", "--hide-scrollbars", &picture]);
    for (name, arguments) in [
        ("light", vec!["--window-size=1200,1500"]),
        ("dark", vec!["--window-size=1200,1500", "--blink-settings=preferredColorScheme=0"]),
        ("phone", vec!["--window-size=400,1600"]),
    ] {
        let picture = format!("--screenshot={}", folder.join(format!("{name}.png")).display());
        let arguments: Vec<&str> = arguments.into_iter().chain(["--hide-scrollbars", &picture]).collect();
        opened(&berth, &chromium, "drift.html", &arguments);
    }
    let print = format!("--print-to-pdf={}", folder.join("print.pdf").display());
    opened(&berth, &chromium, "drift.html", &["--no-pdf-header-footer", &print]);
}
