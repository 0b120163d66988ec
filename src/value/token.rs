//! Tokens: what stands in a body for a value that is not known yet, or that must not be seen.
//!
//! A token is a text between U+FDD0 and U+FDD1, noncharacters that no input may contain
//! ([`is_reserved`]). It may be a whole string or a part of one (`https://⟦…⟧/path`).

use crate::ident::Address;
use serde_json::Value;
use std::fmt;

const OPEN: char = '\u{FDD0}';
const CLOSE: char = '\u{FDD1}';
const SEPARATOR: char = '\u{FDD2}';

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Token {
    /// Another resource of the blueprint, or something below it, as a person wrote it: `clusters.aks.oidcIssuerUrl`.
    ///
    /// `facet` is what the field that holds it wants of the resource (`id`, `principalId`, …); empty means
    /// whatever the text names, or the id. Linking turns it into a known value or an [`Token::Output`].
    Reference {
        /// Dotted path, section first.
        path: String,
        /// The output wanted of what the path names.
        facet: String,
    },
    /// A value that Azure invents: the JSON pointer into the body of a resource.
    Output {
        /// The resource.
        address: Address,
        /// JSON pointer (RFC 6901) into its body.
        pointer: String,
    },
    /// A secret parameter, by name.
    Secret {
        /// The parameter.
        name: String,
    },
    /// A claim of the signed-in caller: `tenantId` or `objectId`.
    Caller {
        /// The claim.
        claim: String,
    },
}

impl Token {
    /// A reference for a field that wants `facet` of what `text` names.
    ///
    /// A `text` that is not exactly one reference (a literal id, say) is returned as it is.
    pub fn want(text: &str, facet: &str) -> String {
        match Token::exactly(text) {
            Some(Token::Reference { path, facet: old }) if old.is_empty() => {
                Token::Reference { path, facet: facet.to_owned() }.encode()
            }
            _ => text.to_owned(),
        }
    }

    /// The token as it stands in a body.
    pub fn encode(&self) -> String {
        let (tag, a, b) = match self {
            Token::Reference { path, facet } => ("Ref", path.as_str(), facet.as_str()),
            Token::Output { address, pointer } => ("Out", address.as_str(), pointer.as_str()),
            Token::Secret { name } => ("Sec", name.as_str(), ""),
            Token::Caller { claim } => ("Who", claim.as_str(), ""),
        };
        format!("{OPEN}{tag}{SEPARATOR}{a}{SEPARATOR}{b}{CLOSE}")
    }

    /// The token that makes up the whole text, if it is exactly one.
    pub fn exactly(text: &str) -> Option<Token> {
        let inner = text.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
        // One after the other: a single character is looked for much faster than one of several.
        if inner.contains(OPEN) || inner.contains(CLOSE) { None } else { Token::decode(inner) }
    }

    fn decode(inner: &str) -> Option<Token> {
        let cut = |text: &'_ str| -> Option<(usize, usize)> {
            let at = next_mark(text)?;
            text[at..].starts_with(SEPARATOR).then_some((at, at + SEPARATOR.len_utf8()))
        };
        let (end, next) = cut(inner)?;
        let (tag, rest) = (&inner[..end], &inner[next..]);
        let (end, next) = cut(rest)?;
        let (a, b) = (&rest[..end], &rest[next..]);
        if next_mark(b).is_some() {
            return None;
        }
        Some(match tag {
            "Ref" => Token::Reference { path: a.to_owned(), facet: b.to_owned() },
            "Out" => Token::Output { address: Address::new(a), pointer: b.to_owned() },
            "Sec" => Token::Secret { name: a.to_owned() },
            "Who" => Token::Caller { claim: a.to_owned() },
            _ => return None,
        })
    }
}

/// For people: what the token stands for, never its value.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Reference { path, facet } if facet.is_empty() => write!(f, "{path}"),
            Token::Reference { path, facet } => write!(f, "{path}.{facet}"),
            Token::Output { .. } => f.write_str("(known after apply)"),
            Token::Secret { .. } => f.write_str("(secret)"),
            Token::Caller { claim } => write!(f, "(caller's {claim})"),
        }
    }
}

/// Whether a character may not occur in input, because tokens are made of it.
pub fn is_reserved(c: char) -> bool {
    ('\u{FDD0}'..='\u{FDD2}').contains(&c)
}

/// Takes the characters that tokens are made of out of a value that somebody else wrote, so that it can pass for no token:
/// a secret would be put in its place. `json` is the text that the value was read from.
pub fn disarm(json: &str, value: &mut Value) {
    fn walk(value: &mut Value) {
        let clean = |text: &str| text.replace(is_reserved, "\u{FFFD}");
        match value {
            Value::String(text) if text.contains(is_reserved) => *text = clean(text),
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::Object(members) => {
                members.values_mut().for_each(walk);
                if members.keys().any(|name| name.contains(is_reserved)) {
                    let all = std::mem::take(members);
                    members.extend(all.into_iter().map(|(name, member)| (clean(&name), member)));
                }
            }
            _ => {}
        }
    }
    let escaped = |(at, _): (usize, &str)| {
        json.get(at + 2..at + 5).is_some_and(|digits| digits.eq_ignore_ascii_case("fdd"))
    };
    // Hardly any answer has either byte.
    let bytes = json.as_bytes();
    if bytes.contains(&FIRST) && json.contains(is_reserved)
        || bytes.contains(&b'\\') && json.match_indices("\\u").any(escaped)
    {
        walk(value);
    }
}

/// Whether a text holds a token.
pub fn has_token(text: &str) -> bool {
    // Nearly no text has this byte. Looking at all of them, none left out, is what a processor does many at a time.
    let may = text.as_bytes().iter().fold(false, |may, &byte| may | (byte == FIRST));
    may && text.contains(OPEN)
}

/// One piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Plain text.
    Text(&'a str),
    /// A token.
    Token(Token),
    /// The remains of a token that something changed: a defect in an expression.
    Broken,
}

/// The first byte of the characters that tokens are made of. Hardly any other text has it.
const FIRST: u8 = 0xEF;

/// Where the first character stands that tokens are made of.
fn next_mark(text: &str) -> Option<usize> {
    // All three begin with the same two bytes.
    const SECOND: u8 = 0xB7;
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|&byte| byte == FIRST) {
        let at = from + at;
        if bytes.get(at + 1) == Some(&SECOND) && matches!(bytes.get(at + 2), Some(0x90..=0x92)) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Splits a text into plain pieces and tokens.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = next_mark(rest) {
        if open > 0 {
            found.push(Piece::Text(&rest[..open]));
        }
        let at_open = &rest[open..];
        let token = at_open.strip_prefix(OPEN).and_then(|inner| {
            let close = inner.find(CLOSE)?;
            Some((Token::decode(&inner[..close])?, &inner[close + CLOSE.len_utf8()..]))
        });
        match token {
            Some((token, after)) => {
                found.push(Piece::Token(token));
                rest = after;
            }
            None => {
                found.push(Piece::Broken);
                return found;
            }
        }
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest));
    }
    found
}

/// Calls `each` for every token in a body, keys included.
pub fn for_each(value: &Value, each: &mut dyn FnMut(&Token)) {
    match value {
        Value::String(text) => for_each_in(text, each),
        Value::Array(items) => items.iter().for_each(|item| for_each(item, each)),
        Value::Object(members) => {
            for (key, member) in members {
                for_each_in(key, each);
                for_each(member, each);
            }
        }
        _ => {}
    }
}

/// [`for_each`] for a text.
pub fn for_each_in(text: &str, each: &mut dyn FnMut(&Token)) {
    if has_token(text) {
        for piece in pieces(text) {
            if let Piece::Token(token) = piece {
                each(&token);
            }
        }
    }
}

/// Whether a body holds a token that `of` accepts.
pub fn any(value: &Value, of: &dyn Fn(&Token) -> bool) -> bool {
    let mut found = false;
    for_each(value, &mut |token| found |= of(token));
    found
}

/// Puts values in place of tokens; `resolve` answers `None` for those that are to stay.
///
/// A string that is exactly one token becomes the value as it is (an object, a number); within a longer text
/// the value's text is put in. Keys are substituted too (user-assigned identities are keys).
pub fn substitute(value: &mut Value, resolve: &mut dyn FnMut(&Token) -> Option<Value>) {
    match value {
        Value::String(text) if has_token(text) => {
            if let Some(token) = Token::exactly(text) {
                if let Some(known) = resolve(&token) {
                    *value = known;
                }
            } else {
                *text = substitute_text(text, resolve);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| substitute(item, resolve)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| substitute(member, resolve));
            if members.keys().any(|key| has_token(key)) {
                let old = std::mem::take(members);
                for (key, member) in old {
                    let key = if has_token(&key) { substitute_text(&key, resolve) } else { key };
                    members.insert(key, member);
                }
            }
        }
        _ => {}
    }
}

/// [`substitute`] for a text.
pub fn substitute_text(text: &str, resolve: &mut dyn FnMut(&Token) -> Option<Value>) -> String {
    if next_mark(text).is_none() {
        return text.to_owned();
    }
    let mut result = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(plain) => result.push_str(plain),
            Piece::Token(token) => match resolve(&token) {
                Some(Value::String(known)) => result.push_str(&known),
                Some(known) => result.push_str(&known.to_string()),
                None => result.push_str(&token.encode()),
            },
            Piece::Broken => return text.to_owned(),
        }
    }
    result
}

/// A text for people: every token is replaced by what it stands for.
pub fn display_text(text: &str) -> String {
    substitute_text(text, &mut |token| Some(Value::String(token.to_string())))
}

/// A body for people: every token is replaced by what it stands for.
pub fn display(value: &Value) -> Value {
    let mut shown = value.clone();
    substitute(&mut shown, &mut |token| Some(Value::String(token.to_string())));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn output() -> Token {
        Token::Output { address: Address::new("identities.app"), pointer: "/properties/principalId".into() }
    }

    #[test]
    fn tokens_survive_the_round_trip() {
        for token in [
            output(),
            Token::Secret { name: "adminPassword".into() },
            Token::Caller { claim: "tenantId".into() },
            Token::Reference { path: "networks.hub.subnets.nodes".into(), facet: "id".into() },
        ] {
            assert_eq!(Token::exactly(&token.encode()), Some(token));
        }
        assert_eq!(Token::exactly("plain"), None);
    }

    #[test]
    fn whole_tokens_take_any_value_and_parts_take_text() {
        let token = output().encode();
        let mut body = json!({ "whole": token, "part": format!("a-{token}-b"), token.as_str(): {} });
        assert!(any(&body, &|t| *t == output()));
        substitute(&mut body, &mut |_| Some(json!("X")));
        assert_eq!(body, json!({ "whole": "X", "part": "a-X-b", "X": {} }));
    }

    #[test]
    fn what_is_not_resolved_stays() {
        let text = format!("a-{}", output().encode());
        assert_eq!(substitute_text(&text, &mut |_| None), text);
    }

    #[test]
    fn marks_are_told_from_their_neighbours() {
        let output = output().encode();
        for (text, at) in [
            ("plain".to_owned(), None),
            ("\u{FDCF}\u{FDD3}\u{F900}".to_owned(), None),
            (format!("\u{FDCF}ä{output}"), Some("\u{FDCF}ä".len())),
            ("a\u{FDD1}".to_owned(), Some(1)),
            ("\u{FDD2}".to_owned(), Some(0)),
        ] {
            assert_eq!(next_mark(&text), at, "{text:?}");
        }
    }

    #[test]
    fn a_changed_token_is_noticed() {
        let upper = output().encode().to_uppercase();
        assert_eq!(pieces(&upper), [Piece::Broken]);
    }

    #[test]
    fn a_field_says_what_it_wants_once() {
        let bare = Token::Reference { path: "identities.app".into(), facet: String::new() }.encode();
        let wanted = Token::want(&bare, "principalId");
        assert_eq!(
            Token::exactly(&wanted),
            Some(Token::Reference { path: "identities.app".into(), facet: "principalId".into() })
        );
        assert_eq!(Token::want(&wanted, "id"), wanted);
        assert_eq!(Token::want("literal", "id"), "literal");
    }
}
