//! Taking secrets out of text, by their values.
//!
//! A [`Redactor`] knows the secrets of a run and replaces each of them in everything that leaves the process, however
//! it is written there: as it is, escaped for JSON, XML, HTML, Markdown or a URL (also several times over), in Base64
//! wherever it begins, in hex, as a common hash, broken over lines. It also replaces what is secret by its shape:
//! the password in `https://user:password@host`, a JSON web token, the signature of a URL, a key in a connection string.
//!
//! A secret of one to three characters, and a word such as `true`, is in every text. It is replaced only where it is the
//! whole of a quoted text or of a JSON value.

mod forms;
mod shapes;
mod view;

use super::secret::Secret;
use super::token;
use forms::Forms;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// What stands where a secret was.
pub const MASK: &str = "(secret)";

/// The secrets of a run. Clones share what they know.
#[derive(Clone, Default)]
pub struct Redactor(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    secrets: HashSet<String>,
    /// The forms of all of them, once somebody asks.
    forms: Option<Arc<Forms>>,
    /// The forms of those that are no part of a name by chance.
    long: Option<Arc<Forms>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(…)")
    }
}

impl Redactor {
    /// One that knows no secret yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns a secret, and the parts of it that are secret by themselves: the password of a URL, the keys of a
    /// connection string, the lines of a private key.
    pub fn learn(&self, secret: &str) {
        let parts = shapes::parts(secret);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for text in std::iter::once(secret).chain(parts.iter().map(String::as_str)) {
            if !text.trim().is_empty() && !is_mask(text) && known.secrets.insert(text.to_owned()) {
                known.forms = None;
                known.long = None;
            }
        }
    }

    /// Learns [`Secret`]s.
    pub fn learn_secret(&self, secret: &Secret) {
        self.learn(secret.expose());
    }

    /// Learns every text and number in a value that is secret as a whole.
    pub fn learn_value(&self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::String(text) if token::has_token(text) => {}
            Value::String(text) => self.learn(text),
            Value::Number(number) => self.learn(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.learn_value(item)),
            Value::Object(members) => members.values().for_each(|member| self.learn_value(member)),
        }
    }

    /// Learns the passwords of all URLs in a value.
    pub fn learn_urls(&self, value: &Value) {
        match value {
            Value::String(text) => shapes::passwords(text).into_iter().for_each(|part| self.learn(&part)),
            Value::Array(items) => items.iter().for_each(|item| self.learn_urls(item)),
            Value::Object(members) => members.values().for_each(|member| self.learn_urls(member)),
            _ => {}
        }
    }

    fn forms(&self) -> Option<Arc<Forms>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.secrets.is_empty() {
            return None;
        }
        if known.forms.is_none() {
            known.forms = Some(Arc::new(Forms::new(known.secrets.iter().map(String::as_str))));
        }
        known.forms.clone()
    }

    /// The text without secrets and without tokens of berth's own.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = shapes::tokens(text);
        if let Some(forms) = self.forms()
            && let Some(clean) = masked(&text, &forms.find(text.as_bytes()))
        {
            text = Cow::Owned(clean);
        }
        if let Some(clean) = masked(&text, &shapes::find(&text)) {
            text = Cow::Owned(clean);
        }
        text
    }

    /// Whether a text that berth is to read again holds a secret of eight characters or more, or one that its shape gives
    /// away. A shorter one may be part of a name by chance, and a name must stay what it is.
    pub fn is_leaked_by(&self, text: &str) -> bool {
        let forms = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Known { secrets, long, .. } = &mut *known;
            let make = || Arc::new(Forms::new(secrets.iter().map(String::as_str).filter(is_long)));
            long.get_or_insert_with(make).clone()
        };
        !forms.find(text.as_bytes()).is_empty() || !shapes::find(text).is_empty()
    }

    /// Whether a text holds a secret that this knows, or that its shape gives away.
    pub fn is_secret(&self, text: &str) -> bool {
        self.is_whole(text) || matches!(self.text(text), Cow::Owned(_))
    }

    /// [`Redactor::text`] for a JSON value, names of members included. What is a secret as a whole is masked however
    /// short it is.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) if self.is_whole(text) => *text = MASK.to_owned(),
            Value::String(text) => {
                if let Cow::Owned(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Value::Number(number) if self.is_whole(&number.to_string()) => *value = MASK.into(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => self.members(members),
            _ => {}
        }
    }

    fn members(&self, members: &mut Map<String, Value>) {
        members.values_mut().for_each(|member| self.value(member));
        if members.keys().all(|name| matches!(self.text(name), Cow::Borrowed(_))) {
            return;
        }
        for (name, member) in std::mem::take(members) {
            let mut clean = self.text(&name).into_owned();
            // Two names may become the same: neither may push out the other.
            while members.contains_key(&clean) {
                clean.push('\'');
            }
            members.insert(clean, member);
        }
    }

    fn is_whole(&self, text: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.secrets.contains(text)
    }
}

fn is_long(secret: &&str) -> bool {
    secret.chars().count() >= 8
}

/// Where the passwords of the URLs in a text stand.
pub(super) fn password_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = shapes::user_infos(text);
    ranges.retain(|range| !is_mask(&text[range.clone()]) && !text[range.clone()].contains("${"));
    ranges
}

fn is_mask(text: &str) -> bool {
    text == MASK || text == MASK.trim_matches(['(', ')']) || text == "(removed)"
}

/// The text with ranges of it masked; `None` when there are none.
fn masked(text: &str, ranges: &[Range<usize>]) -> Option<String> {
    if ranges.is_empty() {
        return None;
    }
    let mut ranges: Vec<Range<usize>> = ranges.to_vec();
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut clean = String::with_capacity(text.len());
    let (mut at, mut changed) = (0, false);
    let boundary = |mut at: usize, up: bool| {
        while !text.is_char_boundary(at) {
            if up { at += 1 } else { at -= 1 }
        }
        at
    };
    let mut ranges = ranges.into_iter().peekable();
    while let Some(mut range) = ranges.next() {
        while let Some(next) = ranges.next_if(|next| next.start <= range.end) {
            range.end = range.end.max(next.end);
        }
        let (start, end) = (boundary(range.start, false).max(at), boundary(range.end.min(text.len()), true));
        if start >= end || is_inside_mask(text, start, end) {
            continue;
        }
        clean.push_str(&text[at..start]);
        clean.push_str(MASK);
        // The colour that was set last goes on, or ends, here.
        clean.extend(view::colours(&text[start..end]).last());
        (at, changed) = (end, true);
    }
    clean.push_str(&text[at..]);
    changed.then_some(clean)
}

/// Whether a range lies within a mask that stands there already, or is one.
fn is_inside_mask(text: &str, start: usize, end: usize) -> bool {
    ["(secret)", "(removed)"].iter().any(|mask| {
        let from = start.saturating_sub(mask.len());
        let to = (end + mask.len()).min(text.len());
        let around = &text.as_bytes()[from..to];
        around.windows(mask.len()).enumerate().any(|(at, window)| {
            window == mask.as_bytes() && from + at <= start && end <= from + at + mask.len()
        })
    })
}

#[cfg(test)]
mod tests;
