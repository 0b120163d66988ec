//! Tests of the whole kind: specs to drafts, specs to problems, bodies against what Azure answers.

mod bodies;
mod fixed;
mod plans;
mod problems;

use crate::catalog::{Common, Draft, DraftId, EntryCx, merge_over, registry};
use crate::ident::Address;
use crate::value::token::Token;
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/s/resourceGroups/rg";

fn reference(path: &str) -> String {
    Token::Reference { path: path.into(), facet: String::new() }.encode()
}

fn wanted(path: &str, facet: &str) -> String {
    Token::Reference { path: path.into(), facet: facet.into() }.encode()
}

fn password() -> String {
    Token::Secret { name: "adminPassword".into() }.encode()
}

/// What one entry expands to.
struct Expanded {
    drafts: Vec<Draft>,
    /// Code, path and whether it is a warning.
    problems: Vec<(&'static str, String, bool)>,
}

impl Expanded {
    fn draft(&self, address: &str) -> &Draft {
        self.drafts.iter().find(|draft| draft.address.as_str() == address).unwrap()
    }

    /// What the create of the resource at an address asks for.
    fn created(&self, address: &str) -> Value {
        self.draft(address).created()
    }

    fn body(&self, address: &str) -> &Value {
        &self.draft(address).body
    }
}

fn expand(name: &str, fields: Value) -> Expanded {
    let mut cx = EntryCx {
        address: Address::new("clusters.aks"),
        key: "aks",
        common: Common {
            name: name.into(),
            subscription: "s".into(),
            resource_group: "rg".into(),
            location: "westeurope".into(),
            ..Common::default()
        },
        types: &|_| None,
        ids: &|_| None,
        drafts: Vec::new(),
        problems: Vec::new(),
    };
    let kind = registry().iter().find(|kind| kind.section == "clusters").unwrap();
    (kind.expand)(fields, &mut cx);
    for problem in &cx.problems {
        assert!(problem.help.is_some() || problem.code.name == "shape", "{problem:?} says no remedy");
        assert!(!problem.message.ends_with('.'), "{problem:?}");
    }
    let problems = cx.problems.iter().map(|p| (p.code.name, p.path.clone(), p.warning)).collect();
    Expanded { drafts: cx.drafts, problems }
}

fn id_of(draft: &Draft) -> &str {
    let DraftId::Text(id) = &draft.id else { panic!("a text") };
    id
}

/// The entry of the design's blueprint.
fn shop() -> Value {
    json!({
        "kubernetesVersion": "1.33",
        "subnet": reference("networks.hub.subnets.nodes"),
        "windows": { "adminUsername": "azureuser", "adminPassword": password() },
        "addons": {
            "azurePolicy": true,
            "keyVaultSecretsProvider": { "rotation": true, "rotationPollInterval": "2m" },
            "podIdentity": {
                "identities": { "spboot": { "namespace": "spboot-app", "identity": reference("identities.app") } },
            },
            "flux": { "configurations": { "cluster-config": {
                "git": { "url": "https://github.com/example/gitops", "branch": "main" },
                "kustomizations": {
                    "infra": { "path": "./infrastructure", "prune": true },
                    "apps": { "path": "./apps/staging", "prune": true, "dependsOn": ["infra"], "interval": "2m" },
                },
            } } },
        },
        "nodePools": {
            "system": { "mode": "System", "count": 2, "vmSize": "Standard_D4s_v5" },
            "winpl": { "os": "Windows", "osSku": "Windows2022", "count": 1 },
        },
    })
}

/// A small cluster with other fields put over it.
fn cluster_with(over: Value) -> Value {
    let mut fields = json!({ "nodePools": { "system": { "mode": "System" } } });
    merge_over(&mut fields, &over);
    fields
}
