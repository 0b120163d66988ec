//! The forms in which a secret is written, and where they stand in a text.

use super::view::{layers, views};
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::Digest;
use std::collections::HashMap;
use std::ops::Range;

/// Every form of every secret.
pub(super) struct Forms {
    search: AhoCorasick,
    kinds: Vec<Kind>,
}

/// What there is to mind where a form is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is masked as it is.
    Plain,
    /// The first and the last digit of the secret stand beside it: they belong to other bytes too.
    Base64,
    /// It is so short that it counts only where no letter or digit is beside it.
    Word,
    /// The first and the last byte are quotes, which stay.
    Quoted,
}

/// A text so short, or so common, that it is in every other.
fn is_weak(text: &str) -> bool {
    let letters = text.chars().count();
    letters < 4
        || ["true", "false", "null", "none"].contains(&text.to_ascii_lowercase().as_str())
        || letters < 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Forms {
    pub(super) fn new<'s>(secrets: impl Iterator<Item = &'s str>) -> Self {
        let mut all = HashMap::new();
        for secret in secrets {
            note(secret, &mut all);
        }
        let (forms, kinds): (Vec<Vec<u8>>, Vec<Kind>) = all.into_iter().unzip();
        let search = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            // Azure writes names in another case at will.
            .ascii_case_insensitive(true)
            .build(&forms)
            .expect("the secrets of a run are far fewer than an automaton takes");
        Forms { search, kinds }
    }

    /// Where secrets stand in a text.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        if !layers(text).iter().any(|layer| self.search.is_match(layer)) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for view in views(text) {
            let is = |at: Option<usize>, of: fn(u8) -> bool| {
                at.and_then(|at| view.bytes.get(at)).copied().is_some_and(of)
            };
            for hit in self.search.find_overlapping_iter(&view.bytes) {
                let (mut start, mut end) = (hit.start(), hit.end());
                let (before, after) = (start.checked_sub(1), Some(end));
                match self.kinds[hit.pattern().as_usize()] {
                    Kind::Plain => {}
                    Kind::Base64 => {
                        start -= usize::from(is(before, is_base64));
                        end += usize::from(is(after, is_base64));
                    }
                    Kind::Word => {
                        let letter = |byte: u8| byte.is_ascii_alphanumeric();
                        if is(before, letter) || is(after, letter) {
                            continue;
                        }
                    }
                    Kind::Quoted => {
                        start += 1;
                        end -= 1;
                    }
                }
                found.extend(view.origin(start..end));
            }
        }
        found
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Notes every form of a secret.
fn note(secret: &str, all: &mut HashMap<Vec<u8>, Kind>) {
    let mut add = |form: Vec<u8>, kind: Kind| {
        all.entry(form).or_insert(kind);
    };
    let layers = layers(secret.as_bytes());
    let weak = is_weak(secret.trim());
    for layer in layers {
        if !weak && layer.len() >= 4 {
            add(layer, Kind::Plain);
        } else if !layer.is_empty() {
            for quote in *b"\"'`" {
                add([&[quote], layer.as_slice(), &[quote]].concat(), Kind::Quoted);
            }
        }
    }
    if weak {
        return;
    }
    if secret.contains(' ') {
        // As a form is sent.
        add(without_space(&secret.replace(' ', "+")), Kind::Plain);
    }
    // `{:?}` of bytes.
    let bytes = secret.as_bytes();
    if bytes.len() >= 6 {
        let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
        add(list.join(",").into_bytes(), Kind::Plain);
    }
    add(hex(bytes).into_bytes(), if bytes.len() < 6 { Kind::Word } else { Kind::Plain });
    for bytes in written(secret) {
        encoded(&bytes, &mut add);
    }
    encoded(STANDARD.encode(bytes).as_bytes(), &mut add);
    for hash in hashes(bytes) {
        add(hex(&hash).into_bytes(), Kind::Plain);
        add(STANDARD_NO_PAD.encode(&hash).into_bytes(), Kind::Plain);
        add(URL_SAFE_NO_PAD.encode(&hash).into_bytes(), Kind::Plain);
    }
    pieces(secret, &mut add);
}

/// How a secret is written before it is encoded as Base64.
fn written(secret: &str) -> Vec<Vec<u8>> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or(&json).to_owned();
    let url: String = secret
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut all = vec![secret.as_bytes().to_vec(), json.into_bytes(), url.into_bytes(), wide];
    all.sort();
    all.dedup();
    all
}

/// Bytes as Base64 in both alphabets, wherever they begin in what is encoded: only the digits that are theirs alone.
fn encoded(bytes: &[u8], add: &mut impl FnMut(Vec<u8>, Kind)) {
    const SHORTEST: usize = 8;
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for before in 0..3 {
            let text = engine.encode([&[0; 2][..before], bytes].concat());
            let own = [0, 2, 3][before]..(before + bytes.len()) * 8 / 6;
            match text.get(own) {
                Some(own) if own.len() >= SHORTEST => add(own.as_bytes().to_vec(), Kind::Base64),
                // Too short to be told from other text: only as a whole.
                _ if before == 0 && text.len() >= 6 => add(text.into_bytes(), Kind::Word),
                _ => {}
            }
        }
    }
}

fn hashes(bytes: &[u8]) -> Vec<Vec<u8>> {
    let sha1 = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    vec![
        sha1.as_ref().to_vec(),
        sha2::Sha256::digest(bytes).to_vec(),
        sha2::Sha384::digest(bytes).to_vec(),
        sha2::Sha512::digest(bytes).to_vec(),
    ]
}

/// Pieces of a long secret, so that one that was cut off shows no more than the ends of it.
fn pieces(secret: &str, add: &mut impl FnMut(Vec<u8>, Kind)) {
    const PIECE: usize = 16;
    if secret.contains("://") || secret.contains(['{', '=', ';']) {
        return;
    }
    for line in secret.lines().filter(|line| line.len() >= 2 * PIECE && !line.contains(' ')) {
        let letters: Vec<char> = line.chars().filter(|c| !c.is_whitespace()).collect();
        for piece in letters.chunks_exact(PIECE) {
            add(piece.iter().collect::<String>().into_bytes(), Kind::Plain);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn without_space(text: &str) -> Vec<u8> {
    text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect()
}
