//! Random blueprints of real kinds.

use super::Dice;

/// An entry with what it needs.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its section.
    pub section: &'static str,
    /// Its key there.
    pub key: String,
    /// Its Azure name.
    pub name: String,
    /// Its fields, without the braces; `TAG` stands for a tag that differs from one blueprint to the next.
    fields: String,
    /// The entries that it cannot be without, as `section.key`.
    pub needs: Vec<String>,
}

impl Entry {
    /// `section.key`.
    pub fn address(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }
}

/// A few of everything, the later standing on the earlier.
pub fn entries(dice: &mut Dice) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    let mut subnets = Vec::new();
    let mut push =
        |section, key: String, name: String, fields: String, needs: &[&String], dice: &mut Dice| {
            let mut needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
            let mut fields = format!("name: {name}, {fields}");
            // Now and then something else has to be there first, for no reason that anybody sees.
            if !all.is_empty() && dice.one_in(4) {
                let other = dice.pick(&all).address();
                fields.push_str(&format!(", dependsOn: [{other}]"));
                needs.push(other);
            }
            let entry = Entry { section, key, name, fields, needs };
            let address = entry.address();
            all.push(entry);
            address
        };
    for n in 0..1 + dice.below(2) {
        let mut fields = format!("tags: {{ stage: TAG }}, addressSpace: [10.{n}.0.0/16], subnets: {{ ");
        let count = 1 + dice.below(3);
        (0..count).for_each(|s| fields.push_str(&format!("s{s}: {{ prefix: 10.{n}.{s}.0/24 }}, ")));
        let address = push("networks", format!("n{n}"), format!("vnet-{n}"), fields + "}", &[], dice);
        subnets.extend((0..count).map(|s| (address.clone(), format!("{address}.subnets.s{s}"))));
    }
    let tagged = || "tags: { stage: TAG }".to_owned();
    let identities: Vec<String> = (0..dice.below(4))
        .map(|n| push("identities", format!("i{n}"), format!("id-{n}"), tagged(), &[], dice))
        .collect();
    let vaults: Vec<String> = (0..dice.below(3))
        .map(|n| {
            let fields = "protect: false, tags: { stage: TAG }".to_owned();
            push("keyVaults", format!("v{n}"), format!("kv-random-{n}"), fields, &[], dice)
        })
        .collect();
    if dice.one_in(3) {
        let (network, subnet) = dice.pick(&subnets).clone();
        let pools: String = (0..dice.below(3)).map(|n| format!(", more{n}: {{ count: 1 }}")).collect();
        let fields = format!(
            "protect: false, subnet: '${{{subnet}}}', nodePools: {{ system: {{ mode: System, count: 1 }}{pools} }}"
        );
        push("clusters", "c".into(), "aks-random".into(), fields, &[&network], dice);
    }
    if !vaults.is_empty() {
        for n in 0..dice.below(4) {
            let (vault, (network, subnet)) = (dice.pick(&vaults).clone(), dice.pick(&subnets).clone());
            let manual = dice.one_in(2);
            let dns = if dice.one_in(2) { "none" } else { "auto" };
            let fields =
                format!("target: '${{{vault}}}', subnet: '${{{subnet}}}', manual: {manual}, dns: {dns}");
            push("privateEndpoints", format!("p{n}"), format!("pe-{n}"), fields, &[&vault, &network], dice);
        }
        for (n, identity) in identities.iter().enumerate().filter(|_| !vaults.is_empty()) {
            let vault = dice.pick(&vaults).clone();
            if dice.one_in(2) {
                let fields = format!(
                    "principal: '${{{identity}}}', role: Key Vault Secrets User, scope: '${{{vault}}}'"
                );
                let name = format!("a0000000-0000-4000-8000-{n:012}");
                push("roleAssignments", format!("r{n}"), name, fields, &[identity, &vault], dice);
            }
        }
    }
    for n in 0..dice.below(4) {
        let (kind, version, name) = match dice.one_in(2) {
            true => ("Microsoft.Storage/storageAccounts", "2025-08-01", format!("strandom{n}")),
            false => ("Microsoft.ContainerRegistry/registries", "2025-11-01", format!("crrandom{n}")),
        };
        let sku = if kind.starts_with("Microsoft.S") { "Standard_LRS" } else { "Premium" };
        let storage = if kind.starts_with("Microsoft.S") { ", kind: StorageV2" } else { "" };
        let fields = format!(
            "type: {kind}, apiVersion: '{version}', body: {{ location: westeurope, tags: {{ stage: TAG }}, sku: {{ name: {sku} }}{storage}, properties: {{}} }}"
        );
        let parent = push("resources", format!("g{n}"), name, fields, &[], dice);
        if storage.is_empty() {
            for at in 0..dice.below(3) {
                let fields = format!(
                    "type: Microsoft.ContainerRegistry/registries/scopeMaps, apiVersion: '2025-11-01', parent: '${{{parent}}}', body: {{ properties: {{ actions: [repositories/a/content/read], description: TAG }} }}"
                );
                push("resources", format!("g{n}m{at}"), format!("map{n}{at}"), fields, &[&parent], dice);
            }
        }
    }
    all
}

/// Some of the entries, with all that they need.
pub fn some(all: &[Entry], dice: &mut Dice) -> Vec<Entry> {
    let mut kept: Vec<Entry> = Vec::new();
    for entry in all {
        let whole = entry.needs.iter().all(|need| kept.iter().any(|kept| kept.address() == *need));
        if whole && !dice.one_in(4) {
            kept.push(entry.clone());
        }
    }
    kept
}

/// The blueprint as YAML.
pub fn text(entries: &[Entry], tag: &str) -> String {
    let mut text = String::from(
        "blueprint: random\nazure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-random }\n",
    );
    let sections = ["networks", "identities", "keyVaults", "clusters", "privateEndpoints", "roleAssignments"];
    for section in sections.into_iter().chain(["resources"]) {
        let mut of = entries.iter().filter(|entry| entry.section == section).peekable();
        if of.peek().is_some() {
            text.push_str(&format!("{section}:\n"));
        }
        for entry in of {
            let fields = entry.fields.replace("TAG", tag);
            text.push_str(&format!("  {}: {{ {fields} }}\n", entry.key));
        }
    }
    text
}

/// A blueprint after another one.
pub struct Fresh {
    /// Its entries.
    pub entries: Vec<Entry>,
    /// How resources of the two are called in Azure.
    pub names: Vec<String>,
}

/// The same blueprint later: some entries have another name, another subnet or another role and so are replaced, some are
/// gone, some are new, and some need what is new.
pub fn renewed(before: &[Entry], dice: &mut Dice) -> Fresh {
    let mut entries = some(before, &mut Dice(dice.roll() | 1));
    if entries.is_empty() {
        entries = before.to_vec();
    }
    let fresh: Vec<Entry> = (0..1 + dice.below(2))
        .map(|n| Entry {
            section: "identities",
            key: format!("fresh{n}"),
            name: format!("id-fresh-{n}"),
            fields: format!("name: id-fresh-{n}, tags: {{ stage: TAG }}"),
            needs: Vec::new(),
        })
        .collect();
    let mut names: Vec<String> = before.iter().map(|entry| entry.name.clone()).collect();
    for entry in &mut entries {
        let old = format!("name: {},", entry.name);
        let renamed = match entry.section {
            "identities" | "networks" | "privateEndpoints" | "clusters" | "keyVaults" => dice.one_in(3),
            "resources" => dice.one_in(3) && !entry.key.contains('m'),
            _ => false,
        };
        if renamed {
            entry.name.push('x');
            entry.fields = entry.fields.replacen(&old, &format!("name: {},", entry.name), 1);
            names.push(entry.name.clone());
        }
        if entry.section == "roleAssignments" && dice.one_in(2) {
            entry.fields = entry.fields.replace("role: Key Vault Secrets User", "role: Key Vault Reader");
        }
        if entry.section == "privateEndpoints" && dice.one_in(2) {
            // What an endpoint is for is decided once.
            let (from, to) = if dice.one_in(2) {
                ("manual: true", "manual: false")
            } else {
                ("manual: false", "manual: true")
            };
            entry.fields = entry.fields.replace(from, to);
        }
        if dice.one_in(2) {
            let need = dice.pick(&fresh).address();
            match entry.fields.contains("dependsOn: [") {
                true => entry.fields = entry.fields.replace("dependsOn: [", &format!("dependsOn: [{need}, ")),
                false => entry.fields.push_str(&format!(", dependsOn: [{need}]")),
            }
            entry.needs.push(need);
        }
    }
    names.extend(fresh.iter().map(|entry| entry.name.clone()));
    entries.extend(fresh);
    Fresh { entries, names }
}
