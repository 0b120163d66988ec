//! What a blueprint says of a private endpoint.

use crate::catalog::{Named, Reference};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A private endpoint: an address in a subnet behind which a resource answers.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The resource to connect to; with `manual: true` it can also be the alias of a private link service.
    #[schemars(extend("x-wants" = "target"))]
    pub(super) target: Reference,
    /// The subnet that the endpoint's address is taken from.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Reference,
    /// What of the target to connect to, such as `vault` or `blob`; its only or most usual group when absent.
    pub(super) group: Option<String>,
    /// How the target's name is answered in the network: `auto` (the default) makes the private DNS zones of the
    /// target, shared with other endpoints, and links them to the endpoint's network; `none` leaves names alone; a
    /// list names zones that exist already and are linked.
    #[schemars(extend("x-wants" = "private DNS zone"))]
    pub(super) dns: Option<Dns>,
    /// Whether the connection is only asked for, and approved on the target: for targets of another team or tenant.
    #[serde(default)]
    pub(super) manual: bool,
    /// What the target's owner reads beside the request, at most 140 characters. It is sent when the endpoint is
    /// made; a later change of it alone does nothing.
    pub(super) request_message: Option<String>,
    /// Whether the connection is approved on the target when it is pending there; `true` when absent.
    #[serde(default = "yes")]
    pub(super) approve: bool,
    /// The API version in which the target shows its connections, for a type that berth does not know.
    pub(super) api_version: Option<String>,
    /// The name of the endpoint's network interface; Azure makes one up when absent.
    pub(super) custom_nic_name: Option<String>,
    /// Fixed addresses of the endpoint, by key; Azure picks from the subnet when absent.
    #[serde(default)]
    pub(super) ip_configurations: Named<IpSpec>,
    /// Application security groups that the endpoint's address belongs to.
    #[serde(default)]
    #[schemars(extend("x-wants" = "application security group"))]
    pub(super) application_security_groups: Vec<Reference>,
}

/// A fixed address of an endpoint.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IpSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
    /// The address, out of the subnet.
    pub(super) address: String,
    /// Which member of the group gets it, such as `default` for a vault or `blob` for blobs.
    pub(super) member: Option<String>,
}

/// How names are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dns {
    /// With zones that berth makes and shares.
    Auto,
    /// Not at all.
    None,
    /// With these zones.
    Zones(Vec<Reference>),
}

impl<'de> Deserialize<'de> for Dns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DnsVisitor;
        impl<'de> Visitor<'de> for DnsVisitor {
            type Value = Dns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`auto`, `none` or a list of private DNS zones")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Dns, E> {
                let zone = Reference(text.to_owned());
                match text {
                    "auto" => Ok(Dns::Auto),
                    "none" => Ok(Dns::None),
                    _ if zone.path().is_some() || zone.literal_id().is_some() => Ok(Dns::Zones(vec![zone])),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Dns, A::Error> {
                let mut zones = Vec::new();
                while let Some(zone) = items.next_element()? {
                    zones.push(zone);
                }
                Ok(Dns::Zones(zones))
            }
        }
        deserializer.deserialize_any(DnsVisitor)
    }
}

impl JsonSchema for Dns {
    fn schema_name() -> Cow<'static, str> {
        "Dns".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let zone = generator.subschema_for::<Reference>();
        json_schema!({
            "description": "`auto`, `none`, or the private DNS zones to write the names into.",
            "anyOf": [
                { "const": "auto", "description": "Zones that berth makes, shares between endpoints and links." },
                { "const": "none", "description": "Names are left alone." },
                { "type": "array", "items": zone, "maxItems": MOST_ZONES },
                zone,
            ],
        })
    }
}

/// How many zones a zone group can hold.
pub(super) const MOST_ZONES: usize = 5;

impl Spec {
    /// Whether the target is the alias of a private link service (`{name}.{guid}.{region}.azure.privatelinkservice`).
    pub(super) fn is_alias(&self) -> bool {
        self.target.0.to_ascii_lowercase().ends_with(".azure.privatelinkservice")
    }
}

pub(super) fn yes() -> bool {
    true
}
