//! The bodies of a private endpoint.

use super::checks::{
    PRIVATE_ENDPOINT_DNS, PRIVATE_ENDPOINT_GROUP, PRIVATE_ENDPOINT_NETWORK, PRIVATE_ENDPOINT_TARGET,
    is_resource,
};
use super::spec::Spec;
use super::types::{GATEWAYS, SITES, SLOTS, VNET};
use crate::catalog::kinds::naming::did_you_mean;
use crate::catalog::kinds::private_dns::{dashed, linked_zone};
use crate::catalog::kinds::private_link::{Group, Target, zones_in};
use crate::catalog::kinds::scope::{is_existing, type_in, written_id};
use crate::catalog::{EntryCx, Problem, Reference, model, registry};
use crate::ident::{Address, Parts};
use crate::models::network as models;
use crate::value::token::{Token, display_text};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A zone to keep records in.
pub(super) struct ZoneConfig {
    /// The name of the zone's place in the zone group.
    pub(super) name: String,
    /// The zone's id.
    pub(super) zone: String,
    /// The zone's address, when it is a draft of this entry: a plain id in a body is not a dependency.
    pub(super) needs: Option<Address>,
}

/// What of the target is connected to, and the zones that answer for it, when they are known.
#[derive(Default)]
pub(super) struct Choice {
    pub(super) group: Option<String>,
    pub(super) zones: Option<&'static [&'static str]>,
    /// The id that the endpoint names, when it is another than the target's: that of a slot's web app.
    named: Option<String>,
    /// The id on which the connection arrives, when it is another than the target's: that of a slot.
    arrives: Option<String>,
}

impl Choice {
    /// The id that the endpoint names.
    pub(super) fn named(&self, spec: &Spec) -> String {
        self.named.clone().unwrap_or_else(|| spec.target.id())
    }

    /// The id on which the connection arrives.
    pub(super) fn arrives(&self, spec: &Spec) -> String {
        self.arrives.clone().unwrap_or_else(|| spec.target.id())
    }

    /// What of the target is connected to, when that follows from the target alone: an endpoint of a slot names the web
    /// app, and the slot in its group; that of a gateway is the frontend of which the gateway offers private link.
    fn special(spec: &Spec, arm_type: Option<&str>, cx: &EntryCx<'_>) -> Option<Choice> {
        let is = |kind: &str| arm_type.is_some_and(|found| found.eq_ignore_ascii_case(kind));
        let zones = || Target::of(SITES).and_then(|sites| sites.group("sites")).map(|group| group.zones);
        if let Some((site, name)) = slot(&spec.target, cx) {
            let group = spec.group.clone().unwrap_or_else(|| format!("sites-{name}"));
            return Some(Choice { group: Some(group), zones: zones(), named: Some(site), arrives: None });
        }
        if is(SITES)
            && let Some((_, name)) = spec.group.as_deref().and_then(|group| group.split_at_checked(6))
            && spec.group.as_deref().is_some_and(|group| group.to_ascii_lowercase().starts_with("sites-"))
        {
            let arrives = Some(format!("{}/slots/{name}", spec.target.id()));
            return Some(Choice { group: spec.group.clone(), zones: zones(), named: None, arrives });
        }
        if is(GATEWAYS)
            && (spec.group.is_some() || spec.target.path().is_some() && !is_existing(&spec.target))
        {
            let path = spec.target.path().unwrap_or_default();
            let own = || Token::Reference { path, facet: "privateLinkGroup".to_owned() }.encode();
            let group = Some(spec.group.clone().unwrap_or_else(own));
            return Some(Choice { group, zones: Some(&[]), ..Choice::default() });
        }
        None
    }

    /// The choice, or `None` after a problem was reported.
    pub(super) fn of(spec: &Spec, cx: &mut EntryCx<'_>) -> Option<Choice> {
        if spec.is_alias() {
            return Some(Choice { zones: Some(&[]), ..Choice::default() });
        }
        if !is_resource(&spec.target) {
            let message = format!("`{}` is not a resource", display_text(&spec.target.0));
            cx.problem(
                Problem::error(&PRIVATE_ENDPOINT_TARGET, "target", message)
                    .help("write a reference such as `${keyVaults.secrets}`, or an ARM id"),
            );
            return None;
        }
        let arm_type = type_in(&spec.target, cx);
        if let Some(choice) = Choice::special(spec, arm_type.as_deref(), cx) {
            return Some(choice);
        }
        let target = arm_type.as_deref().and_then(Target::of);
        let (written, target) = match (&spec.group, target) {
            (None, Some(target)) => {
                let first = target.groups.first();
                return Some(Choice {
                    group: first.map(|group| group.name.to_owned()),
                    zones: Some(first.map_or(&[][..], |group| group.zones)),
                    ..Choice::default()
                });
            }
            // What is wrong with such an entry is told there.
            (None, None) if arm_type.is_none() && is_existing(&spec.target) => return None,
            (None, None) => {
                let what = arm_type.map_or("this target".to_owned(), |arm_type| format!("a {arm_type}"));
                cx.problem(
                    Problem::error(
                        &PRIVATE_ENDPOINT_GROUP,
                        "target",
                        format!("berth does not know which private link groups {what} has"),
                    )
                    .help(
                        "write `group:` in this entry; `az network private-link-resource list` shows what a resource has",
                    ),
                );
                return None;
            }
            (Some(written), target) => (written, target),
        };
        let found = match target {
            Some(target) => target.group(written),
            // Of some other type, or of one that is not known offline: the name may tell enough.
            None => Group::unambiguous(written),
        };
        if let (None, Some(target)) = (found, target) {
            let known = || target.groups.iter().map(|group| group.name);
            let help = did_you_mean(written, known());
            if let Some(help) = help.clone() {
                let message = format!("a {} has no group `{written}`", target.arm_type);
                cx.problem(Problem::error(&PRIVATE_ENDPOINT_GROUP, "group", message).help(help));
                return None;
            }
            let help = help.unwrap_or_else(|| match target.groups {
                [] => "leave `group` out".to_owned(),
                _ => format!("its groups are {}", known().collect::<Vec<_>>().join(", ")),
            });
            cx.problem(
                Problem::warning(
                    &PRIVATE_ENDPOINT_GROUP,
                    "group",
                    format!("a {} has no group `{written}` that berth knows", target.arm_type),
                )
                .help(help),
            );
        }
        // In Azure's spelling; the group of a slot is named after the slot.
        let spelt = found.map(|group| group.name).filter(|name| name.eq_ignore_ascii_case(written));
        let zones = found.map(|group| group.zones);
        Some(Choice { group: Some(spelt.unwrap_or(written).to_owned()), zones, ..Choice::default() })
    }
}

/// The web app and the name of a slot, when a reference names one.
fn slot(target: &Reference, cx: &EntryCx<'_>) -> Option<(String, String)> {
    if let Some(id) = written_id(target, cx).filter(|id| id.is_of_type(SLOTS)) {
        return Some((id.parent()?.as_str().to_owned(), id.name().to_owned()));
    }
    let path = target.path()?;
    let parts = Parts::of(&path);
    let key = path.strip_prefix(parts.entry)?.strip_prefix(".slots.")?;
    let kind = registry().iter().find(|kind| kind.section == parts.section)?;
    (kind.arm_type.eq_ignore_ascii_case(SITES) && !key.contains('.')).then(|| {
        let of =
            |path: &str, facet: &str| Token::Reference { path: path.to_owned(), facet: facet.to_owned() };
        (of(parts.entry, "id").encode(), of(&path, "name").encode())
    })
}

impl Spec {
    pub(super) fn properties(&self, name: &str, choice: Option<&Choice>) -> Value {
        let group = choice.and_then(|choice| choice.group.as_deref());
        let connection = models::PrivateLinkServiceConnection {
            name: Some(name.to_owned()),
            properties: Some(models::PrivateLinkServiceConnectionProperties {
                private_link_service_id: Some(
                    choice.map_or_else(|| self.target.id(), |choice| choice.named(self)),
                ),
                group_ids: Vec::from_iter(group.map(str::to_owned)),
                request_message: self.request_message.clone(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let (automatic, manual) =
            if self.manual { (vec![], vec![connection]) } else { (vec![connection], vec![]) };
        let ip_configurations =
            self.ip_configurations.iter().map(|(key, ip)| models::PrivateEndpointIpConfiguration {
                name: Some(ip.name.as_ref().unwrap_or(key).clone()),
                properties: Some(models::PrivateEndpointIpConfigurationProperties {
                    group_id: group.map(str::to_owned),
                    member_name: ip.member.clone(),
                    private_ip_address: Some(ip.address.clone()),
                }),
                ..Default::default()
            });
        let security_groups =
            self.application_security_groups.iter().map(|group| models::ApplicationSecurityGroup {
                resource: models::Resource { id: Some(group.id()), ..Default::default() },
                ..Default::default()
            });
        model(&models::PrivateEndpointProperties {
            subnet: Some(models::Subnet {
                sub_resource: models::SubResource { id: Some(self.subnet.id()) },
                ..Default::default()
            }),
            private_link_service_connections: automatic,
            manual_private_link_service_connections: manual,
            application_security_groups: security_groups.collect(),
            ip_configurations: ip_configurations.collect(),
            custom_network_interface_name: self.custom_nic_name.clone(),
            ..Default::default()
        })
    }

    /// The virtual network of the subnet: its key or name for addresses and names, and its id.
    pub(super) fn network(&self, cx: &EntryCx<'_>) -> Option<(String, String)> {
        let written = written_id(&self.subnet, cx);
        if let Some(path) = self.subnet.path().filter(|_| written.is_none()) {
            let (network, _) = path.rsplit_once(".subnets.")?;
            let (_, key) = network.split_once('.')?;
            let id = Token::Reference { path: network.to_owned(), facet: "id".to_owned() }.encode();
            return Some((key.to_owned(), id));
        }
        let id = written?.ancestor_of_type(VNET)?;
        // Networks of one name in two groups are two networks.
        let digest = Sha256::digest(id.as_str().to_ascii_lowercase());
        let short: String = digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
        Some((format!("{}-{short}", id.name()), id.as_str().to_owned()))
    }
}

/// The place of a zone that the blueprint names.
pub(super) fn given_zone(zone: &Reference) -> ZoneConfig {
    let name = match (zone.path(), zone.literal_id()) {
        (Some(path), _) => path.rsplit('.').next().unwrap_or_default().to_owned(),
        (None, Some(id)) => id.name().to_owned(),
        (None, None) => zone.0.clone(),
    };
    ZoneConfig { name: dashed(&name), zone: zone.id(), needs: None }
}

/// Makes the zones of the target and links them to the endpoint's network.
pub(super) fn own_zones(spec: &Spec, zones: Option<&[&str]>, cx: &mut EntryCx<'_>) -> Vec<ZoneConfig> {
    // The target may lie in another region than the endpoint, though not in another cloud; offline there is nothing better
    // to go by.
    let zones = zones.and_then(|zones| zones_in(zones, &cx.common.location));
    let asked = spec.dns.is_some();
    let zones = match zones {
        Some(zones) if !zones.is_empty() => zones,
        Some(_) if !asked => return Vec::new(),
        _ => {
            let message = "berth does not know which private DNS zones answer for this target";
            let problem = if asked { Problem::error } else { Problem::warning };
            cx.problem(
                problem(&PRIVATE_ENDPOINT_DNS, "dns", message.to_owned())
                    .help("name the zones, as in `dns: ['${resources.zone}']`, or write `dns: none`"),
            );
            return Vec::new();
        }
    };
    let Some((network, network_id)) = spec.network(cx) else {
        // A subnet that is none at all has its own problem already.
        if spec.subnet.path().is_some() {
            let message = "berth cannot tell which virtual network this subnet belongs to";
            cx.problem(
                Problem::error(&PRIVATE_ENDPOINT_NETWORK, "subnet", message)
                    .help("refer to a subnet in `networks`, write its ARM id, or name the zones in `dns`"),
            );
        }
        return Vec::new();
    };
    let config = |zone: String| {
        let (id, address) = linked_zone(&zone, &network, &network_id, cx);
        ZoneConfig { name: dashed(&zone), zone: id, needs: Some(address) }
    };
    zones.into_iter().map(config).collect()
}
