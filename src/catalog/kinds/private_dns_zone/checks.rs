//! What can be wrong with a private DNS zone, and is known offline.

use super::spec::{RecordKind, RecordSpec};
use crate::catalog::kinds::naming::{NETWORK, NameRule};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::has_token;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &DNS_LINK_NAME,
    &DNS_RECORD_TWICE,
    &DNS_ZONE_NAME,
    &DNS_LINK_NETWORK,
    &DNS_LINK_RESOLUTION,
    &DNS_REGISTRATION_TWICE,
    &DNS_RECORD_NAME,
    &DNS_RECORD_VALUE,
];

const DNS_LINK_NAME: Code = Code {
    name: "dns-link-name",
    why: "The name of a link between zone and network cannot be that.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "links: { hub: { network: \"${networks.hub}\" } }",
};

pub(super) const LINK_NAME: NameRule = NameRule { code: &DNS_LINK_NAME, what: "a link of a zone", ..NETWORK };

pub(super) const DNS_RECORD_TWICE: Code = Code {
    name: "dns-record-twice",
    why: "The same record is twice in the zone.",
    remedy: "Put all values of one name into one record.",
    example: "records: { api: { type: A, values: [10.20.0.4, 10.20.0.5] } }",
};

const DNS_ZONE_NAME: Code = Code {
    name: "dns-zone-name",
    why: "The name of the zone is not a DNS name.",
    remedy: "Use at least two labels.",
    example: "name: shop.internal",
};

/// Reports what cannot be a zone.
pub(super) fn check_zone(name: &str, cx: &mut EntryCx<'_>) {
    let labels: Vec<&str> = name.split('.').collect();
    let label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    if !has_token(name) && (!(2..=34).contains(&labels.len()) || !labels.iter().all(label)) {
        let message = format!("`{name}` cannot be the name of a private DNS zone");
        cx.problem(
            Problem::error(&DNS_ZONE_NAME, "name", message)
                .help("write `name: shop.internal`: 2 to 34 labels of letters, digits, `-` and `_`"),
        );
    }
}

pub(super) const DNS_LINK_NETWORK: Code = Code {
    name: "dns-link-network",
    why: "A zone is linked to networks.",
    remedy: "Name a network of the blueprint, or its id.",
    example: "network: ${networks.hub}",
};

pub(super) const DNS_LINK_RESOLUTION: Code = Code {
    name: "dns-link-resolution",
    why: "Falling back to public DNS is possible for the zones of private endpoints only.",
    remedy: "Leave `resolution` out.",
    example: "links: { hub: { network: \"${networks.hub}\" } }",
};

pub(super) const DNS_REGISTRATION_TWICE: Code = Code {
    name: "dns-registration-twice",
    why: "A network registers its machines in one zone only.",
    remedy: "Leave `registration` on for one zone.",
    example: "links: { hub: { network: \"${networks.hub}\", registration: true } }",
};

pub(super) const DNS_RECORD_NAME: Code = Code {
    name: "dns-record-name",
    why: "The name of a record in a zone cannot be that.",
    remedy: "Use labels of letters, digits, `_` and `-`, `@` for the zone itself, `*` alone at the beginning.",
    example: "records: { root: { type: A, name: \"@\", values: [10.20.0.4] } }",
};

const DNS_RECORD_VALUE: Code = Code {
    name: "dns-record-value",
    why: "The value is not one that this type of record holds.",
    remedy: "Write what the message says.",
    example: "records: { api: { type: A, values: [10.20.0.4] } }",
};

impl RecordSpec {
    pub(super) fn check_values(&self, origin: &str, cx: &mut EntryCx<'_>) {
        let path = format!("{origin}.values");
        let wrong = |value: &&String| {
            !has_token(value)
                && match self.kind {
                    RecordKind::A => value.parse::<Ipv4Addr>().is_err(),
                    RecordKind::Aaaa => value.parse::<Ipv6Addr>().is_err(),
                    RecordKind::Cname => value.is_empty() || value.contains([' ', '/', ':']),
                    RecordKind::Txt => false,
                }
        };
        let (what, help) = match self.kind {
            RecordKind::A => ("IPv4 address", "write addresses such as `10.20.0.10`, or name another `type`"),
            RecordKind::Aaaa => {
                ("IPv6 address", "write addresses such as `fd00::10`, or name another `type`")
            }
            RecordKind::Cname => ("name", "write one name, such as `api.shop.internal`"),
            RecordKind::Txt => ("text", "write a text"),
        };
        if let Some(value) = self.values.0.iter().find(wrong) {
            let message = format!("`{value}` is no {what}");
            cx.problem(Problem::error(&DNS_RECORD_VALUE, &path, message).help(help));
        }
        let count = self.values.0.len();
        if count == 0 || count > 1 && self.kind == RecordKind::Cname {
            let message = if count == 0 { "a record needs an answer" } else { "a CNAME is one name" };
            cx.problem(Problem::error(&DNS_RECORD_VALUE, &path, message).help(help));
        }
    }
}

/// A text in pieces of at most 255 bytes, cut between characters.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        if pieces.last().is_some_and(|piece| piece.len() + c.len_utf8() > 255) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}
