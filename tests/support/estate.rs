//! A blueprint of any size, always the same one: for the benchmark and for tests that count.

use std::fmt::Write as _;

/// A company of teams: each has a resource group, a network, identities, vaults behind private endpoints, and roles;
/// every fifth has a cluster. Role assignments, of which such an estate has most, make up the number.
pub fn blueprint(size: usize) -> String {
    const ROLES: [&str; 12] = [
        "Key Vault Reader",
        "Key Vault Contributor",
        "Key Vault Administrator",
        "Key Vault Secrets User",
        "Key Vault Crypto User",
        "Key Vault Crypto Officer",
        "Key Vault Secrets Officer",
        "Key Vault Certificates Officer",
        "Key Vault Crypto Service Encryption User",
        "Monitoring Contributor",
        "Contributor",
        "Reader",
    ];
    let mut estate = Estate::default();
    // The group and the workspace of the company, and the providers that are registered.
    let mut count = 2 + 8;
    let mut teams = 0;
    while count + TEAM + CLUSTER <= size {
        estate.team(teams);
        count += TEAM;
        if teams.is_multiple_of(5) {
            estate.cluster(teams);
            count += CLUSTER;
        }
        teams += 1;
    }
    for at in 0..size.saturating_sub(count) {
        let (team, role) = (at % teams.max(1), ROLES[at / teams.max(1) % ROLES.len()]);
        estate.role(
            &format!("more{at}"),
            &format!("identities.ops{team}"),
            role,
            &format!("keyVaults.own{team}"),
        );
    }
    estate.text()
}

/// Clusters with pools, their network and a vault with an endpoint, as many times as asked. With `dns: auto` every network
/// is linked to one zone.
pub fn fleet(clusters: usize, dns: &str) -> String {
    let mut sections: [String; 4] = Default::default();
    for n in 0..clusters {
        let b = n % 250;
        let network = format!(
            "  n{n}: {{ name: vnet-{n}, addressSpace: [10.{b}.0.0/16], subnets: {{ nodes: {{ prefix: 10.{b}.0.0/20 }}, pe: {{ prefix: 10.{b}.16.0/24 }} }} }}\n"
        );
        let cluster = format!(
            "  c{n}: {{ name: aks-{n}, protect: false, subnet: '${{networks.n{n}.subnets.nodes}}', nodePools: {{ system: {{ mode: System, count: 1 }}, more: {{ count: 1 }} }} }}\n"
        );
        let vault = format!("  v{n}: {{ name: kv-fleet-{n}, protect: false }}\n");
        let endpoint = format!(
            "  p{n}: {{ target: '${{keyVaults.v{n}}}', subnet: '${{networks.n{n}.subnets.pe}}', dns: {dns} }}\n"
        );
        for (section, entry) in sections.iter_mut().zip([network, cluster, vault, endpoint]) {
            section.push_str(&entry);
        }
    }
    let [networks, clusters, vaults, endpoints] = sections;
    format!(
        "blueprint: fleet\nazure: {{ subscription: '${{env.AZURE_SUBSCRIPTION_ID}}', location: westeurope, resourceGroup: rg-fleet }}\n\
         networks:\n{networks}clusters:\n{clusters}keyVaults:\n{vaults}privateEndpoints:\n{endpoints}"
    )
}

/// How many resources a team has.
const TEAM: usize = 24;
/// How many more a cluster makes: itself, its pools, what its control plane may do.
const CLUSTER: usize = 5;

/// The sections as they grow.
#[derive(Default)]
struct Estate {
    groups: String,
    networks: String,
    identities: String,
    vaults: String,
    clusters: String,
    endpoints: String,
    roles: String,
}

impl Estate {
    fn team(&mut self, team: usize) {
        let group = format!("resourceGroup: \"${{resourceGroups.team{team}.name}}\"");
        let (high, low) = (team / 200, team % 200);
        let net = format!("10.{low}");
        let _ =
            writeln!(self.groups, "  team{team}: {{ name: rg-team-{team}, tags: {{ team: \"{team}\" }} }}");
        let _ = write!(
            self.networks,
            "  net{team}:\n    name: vnet-{high}-{low}\n    {group}\n    addressSpace: [{net}.0.0/16]\n    subnets:\n\
            \x20     nodes: {{ prefix: {net}.0.0/20 }}\n      endpoints: {{ prefix: {net}.16.0/24 }}\n\
            \x20     apps: {{ prefix: {net}.17.0/24, serviceEndpoints: [Microsoft.KeyVault] }}\n\
            \x20     data: {{ prefix: {net}.18.0/24 }}\n"
        );
        for name in ["app", "ops", "cluster", "build"] {
            let _ = writeln!(self.identities, "  {name}{team}: {{ name: id-{name}-{team}, {group} }}");
        }
        for name in ["own", "shared"] {
            let _ = writeln!(
                self.vaults,
                "  {name}{team}: {{ name: kv-bench-{name}-{team}, {group}, publicAccess: false, protect: false }}"
            );
            let _ = write!(
                self.endpoints,
                "  {name}{team}:\n    name: pe-{name}-{team}\n    {group}\n    target: ${{keyVaults.{name}{team}}}\n\
                \x20   subnet: ${{networks.net{team}.subnets.endpoints}}\n    dns: none\n"
            );
        }
        for (name, principal, role, scope) in [
            ("appOwn", "identities.app", "Key Vault Secrets User", "keyVaults.own"),
            ("appShared", "identities.app", "Key Vault Secrets User", "keyVaults.shared"),
            ("opsShared", "identities.ops", "Key Vault Secrets Officer", "keyVaults.shared"),
            ("buildOwn", "identities.build", "Key Vault Reader", "keyVaults.own"),
            ("buildNet", "identities.build", "Network Contributor", "networks.net"),
            ("clusterApp", "identities.cluster", "Managed Identity Operator", "identities.app"),
            ("opsGroup", "identities.ops", "Reader", "resourceGroups.team"),
            ("appNet", "identities.app", "Reader", "networks.net"),
        ] {
            self.role(
                &format!("{name}{team}"),
                &format!("{principal}{team}"),
                role,
                &format!("{scope}{team}"),
            );
        }
    }

    fn cluster(&mut self, team: usize) {
        let _ = write!(
            self.clusters,
            "  aks{team}:\n    name: aks-{team}\n    resourceGroup: \"${{resourceGroups.team{team}.name}}\"\n\
            \x20   protect: false\n    kubernetesVersion: \"1.33\"\n    identity: ${{identities.cluster{team}}}\n\
            \x20   subnet: ${{networks.net{team}.subnets.nodes}}\n    dependsOn: [roleAssignments.clusterNet{team}]\n\
            \x20   network: {{ plugin: azure, serviceCidr: 172.16.0.0/16, dnsServiceIp: 172.16.0.10 }}\n\
            \x20   addons: {{ monitoring: {{ workspace: \"${{logWorkspaces.logs}}\" }} }}\n    nodePools:\n\
            \x20     system: {{ mode: System, count: 2, vmSize: Standard_D4s_v5 }}\n\
            \x20     apps: {{ vmSize: Standard_D8s_v5, autoscale: {{ min: 1, max: 5 }} }}\n\
            \x20     spare: {{ vmSize: Standard_D4s_v5, count: 1 }}\n"
        );
        let (principal, scope) =
            (format!("identities.cluster{team}"), format!("networks.net{team}.subnets.nodes"));
        self.role(&format!("clusterNet{team}"), &principal, "Network Contributor", &scope);
    }

    fn role(&mut self, key: &str, principal: &str, role: &str, scope: &str) {
        let _ = write!(
            self.roles,
            "  {key}:\n    principal: ${{{principal}}}\n    role: {role}\n    scope: ${{{scope}}}\n"
        );
    }

    fn text(&self) -> String {
        let head = "blueprint: bench\n\nazure:\n  subscription: ${env.AZURE_SUBSCRIPTION_ID}\n  location: westeurope\n  \
            resourceGroup: rg-company\n  tags: { costCentre: bench, owner: platform }\n";
        let mut text = head.to_owned();
        for (section, entries) in [
            ("resourceGroups", &self.groups),
            ("networks", &self.networks),
            ("identities", &self.identities),
            ("keyVaults", &self.vaults),
            ("clusters", &self.clusters),
            ("privateEndpoints", &self.endpoints),
            ("roleAssignments", &self.roles),
        ] {
            if !entries.is_empty() {
                let _ = write!(text, "\n{section}:\n{entries}");
            }
        }
        text.push_str("\nlogWorkspaces:\n  logs: { name: log-company, protect: false }\n");
        text
    }
}
