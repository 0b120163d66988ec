//! What a redactor finds.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::json;

const SECRET: &str = "Pä55+wo/rd \"q\" <&> \\ 'z' %41";

fn knowing(secret: &str) -> Redactor {
    let redactor = Redactor::new();
    redactor.learn(secret);
    redactor
}

fn percent(text: &str, upper: bool, all: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' if !all => char::from(byte).to_string(),
            other if upper => format!("%{other:02X}"),
            other => format!("%{other:02x}"),
        })
        .collect()
}

fn html(text: &str) -> String {
    let mut safe = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    safe = safe.replace('"', "&quot;");
    safe.replace('\'', "&#39;")
}

fn dotnet(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '/' | '%' => vec![c],
            c => format!("\\u{:04X}", u32::from(c)).chars().collect(),
        })
        .collect()
}

#[test]
fn a_secret_is_found_however_it_is_written() {
    let redactor = knowing(SECRET);
    let json = |text: &str| Value::from(text).to_string();
    let mut dresses = vec![
        SECRET.to_owned(),
        json(SECRET),
        json(&json(SECRET)),
        json(&json(&json(SECRET))),
        json(SECRET).replace('/', "\\/"),
        dotnet(SECRET),
        json(&dotnet(SECRET)),
        percent(SECRET, true, false),
        percent(SECRET, false, false),
        percent(SECRET, false, true),
        percent(&percent(SECRET, true, false), true, false),
        percent(&json(SECRET), true, false),
        json(&percent(SECRET, true, false)),
        percent(SECRET, true, false).replace("%20", "+"),
        html(SECRET),
        html(&html(SECRET)),
        html(&json(SECRET)),
        SECRET.replace('<', "&#60;").replace('&', "&#x26;"),
        SECRET.replace(' ', "\n    "),
        SECRET.replace(' ', "\x1b[0m\n  \x1b[2m│\x1b[0m "),
        format!("{SECRET:?}"),
        SECRET.escape_unicode().to_string(),
        SECRET.bytes().map(|byte| format!("{byte:02x}")).collect(),
        SECRET.bytes().map(|byte| format!("{byte:02X}")).collect(),
        format!("{:?}", SECRET.as_bytes()),
        SECRET.to_uppercase().replace('Ä', "ä"),
    ];
    for before in ["", "x", "yz", "user:"] {
        for after in ["", "x", "yz"] {
            for inner in [SECRET.to_owned(), json(SECRET), percent(SECRET, true, false)] {
                let text = format!("{before}{inner}{after}");
                dresses.push(STANDARD.encode(&text));
                dresses.push(URL_SAFE.encode(&text));
                dresses.push(percent(&STANDARD.encode(&text), true, false));
                dresses.push(json(&STANDARD.encode(&text)).replace('/', "\\/"));
            }
        }
    }
    dresses.push(STANDARD.encode(STANDARD.encode(SECRET)));
    for dress in dresses {
        let text = format!("before [{dress}] after");
        let clean = redactor.text(&text);
        assert!(clean.contains(MASK), "{text}");
        let left = clean.replace(MASK, "").replace("before", "").replace("after", "");
        assert!(left.chars().filter(|c| c.is_alphanumeric()).count() <= 14, "{text}: {clean}");
        assert!(clean.starts_with("before [") && clean.ends_with("] after"), "{clean}");
        assert_eq!(redactor.text(&clean), clean, "twice is as once");
    }
    assert_eq!(redactor.text("nothing of it, 100%"), "nothing of it, 100%");
}

#[test]
fn a_short_secret_is_found_where_it_is_the_whole_and_harms_nothing_else() {
    for secret in ["a", "xy", "007", "true", "1234"] {
        let redactor = knowing(secret);
        assert_eq!(redactor.text("a xy 007 true 1234 banana"), "a xy 007 true 1234 banana");
        for quoted in [
            format!("\"{secret}\""),
            format!("'{secret}'"),
            format!("`{secret}`"),
            format!("\\\"{secret}\\\""),
        ] {
            assert!(redactor.text(&quoted).contains(MASK), "{quoted}");
        }
        let mut value = json!({ "name": "banana", "pin": secret, "list": [secret, "b a"] });
        redactor.value(&mut value);
        assert_eq!(value, json!({ "name": "banana", "pin": MASK, "list": [MASK, "b a"] }));
    }
    let redactor = knowing("1234567");
    let mut value = json!({ "pin": 1234567, "port": 443 });
    redactor.value(&mut value);
    assert_eq!(value, json!({ "pin": MASK, "port": 443 }));
}

#[test]
fn parts_of_a_secret_are_secrets() {
    for (secret, part) in [
        ("https://user:p%40ssw0rd@example.com/git", "p@ssw0rd"),
        ("https://user:p%40ssw0rd@example.com/git", "p%40ssw0rd"),
        ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abcdEFGH0123==;X=y", "abcdEFGH0123=="),
        ("Server=x;User=u;Password=hunter22;", "hunter22"),
        ("https://a.blob.core.windows.net/c?sv=1&sig=abc%2Fdef%3D", "abc/def="),
        (
            "-----BEGIN X-----\nMIIabcdefghijklmnop\nqrstuvwxyz01234567\n-----END X-----\n",
            "qrstuvwxyz01234567",
        ),
        (
            "0123456789abcdefghijklmnopqrstuvwxyz0123456789\n",
            "0123456789abcdefghijklmnopqrstuvwxyz0123456789",
        ),
    ] {
        let text = format!("<{part}>");
        assert_eq!(knowing(secret).text(&text), format!("<{MASK}>"), "{secret}");
    }
    // What was cut off shows no more than its ends.
    let long = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    assert_eq!(knowing(long).text(&format!("{}…", &long[..40])), "(secret)wxyzABCD…");
}

#[test]
fn shapes_give_secrets_away() {
    let redactor = Redactor::new();
    for (text, clean) in [
        ("clone https://user:hush@example.com/x", "clone https://user:(secret)@example.com/x"),
        (
            "https://ghp_hush@github.com/x and ssh://git@github.com/x",
            "https://(secret)@github.com/x and ssh://git@github.com/x",
        ),
        ("http://u:p@ss@proxy:8080", "http://u:(secret)@proxy:8080"),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("?sv=1&sig=abcd%2F&x=1", "?sv=1&sig=(secret)&x=1"),
        (r"?sv=1\u0026sig=abcdef&x", r"?sv=1\u0026sig=(secret)&x"),
        (
            "Endpoint=sb://x/;SharedAccessKey=abcdef=;EntityPath=q",
            "Endpoint=sb://x/;SharedAccessKey=(secret);EntityPath=q",
        ),
        ("Server=x;Password=hush;Y=z", "Server=x;Password=(secret);Y=z"),
        ("Authorization: Bearer abcdefghijklmnopqrstuvwxyz", "Authorization: Bearer (secret)"),
        ("eyJhbGciOiJ9.eyJzdWIi.c2ln", "(secret)"),
        (
            "https://u:${param.p}@host and Password=${param.p};",
            "https://u:${param.p}@host and Password=${param.p};",
        ),
        ("pass `-p password=VALUE`", "pass `-p password=VALUE`"),
    ] {
        assert_eq!(redactor.text(text), clean);
        assert_eq!(redactor.text(clean), clean);
    }
}

#[test]
fn tokens_of_berths_own_are_told_as_what_they_are() {
    let redactor = Redactor::new();
    let token = token::Token::Secret { name: "s".into() }.encode();
    assert_eq!(redactor.text(&format!("`{token}` is not a CIDR")), "`(secret)` is not a CIDR");
    let cut: String = token.chars().take(5).collect();
    assert_eq!(redactor.text(&format!("{cut}\"")), "(secret)\"");
    // One that somebody forged takes nothing of the text around it along.
    for forged in [
        "\u{fdd0}Sec\u{fdd2}x",
        "\u{fdd0}Sec",
        "\u{fdd0}Sec\u{fdd2}a\\b c",
        "\u{fdd0}Out\u{fdd2}",
        "\u{fdd1}",
    ] {
        let inner = serde_json::json!({ forged: forged }).to_string();
        let text = serde_json::json!([inner, 1]).to_string();
        let clean: Value = serde_json::from_str(&redactor.text(&text)).unwrap();
        assert!(serde_json::from_str::<Value>(clean[0].as_str().unwrap()).is_ok(), "{clean}");
        assert!(!clean.to_string().contains(token::is_reserved));
        assert!(redactor.text(&format!("| {forged} | &#124; |")).ends_with("| &#124; |"));
    }
}

#[test]
fn names_of_members_are_cleaned_and_none_is_lost() {
    let redactor = knowing("hunter2-and-more");
    let mut value = json!({ "hunter2-and-more": 1, "(secret)": 2, "b": { "x": "a hunter2-and-more b" } });
    redactor.value(&mut value);
    assert_eq!(value.as_object().unwrap().len(), 3);
    assert!(!value.to_string().contains("hunter2"));
}
