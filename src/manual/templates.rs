//! The blueprints that people start from.

/// A starter blueprint.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    /// Its name, for `--template`.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
    /// Further files that it includes: where they go, from its folder, and what is in them.
    pub beside: &'static [(&'static str, &'static str)],
}

macro_rules! template {
    ($name:literal $(, $beside:literal)*) => {
        Template {
            name: $name,
            text: include_str!(concat!("../../blueprints/", $name, ".yaml")),
            beside: &[$(($beside, include_str!(concat!("../../blueprints/", $beside)))),*],
        }
    };
}

/// Every template, the one that is taken when nobody names one first.
pub const TEMPLATES: &[Template] = &[
    template!("quickstart"),
    template!("api-behind-apim"),
    template!("application-gateway-ingress"),
    template!("cross-subscription-approver"),
    template!("cross-subscription-requester"),
    template!("gitops-flux"),
    template!("key-vault-private"),
    template!("multi-region"),
    template!("observed-cluster"),
    template!("policy-guardrails"),
    template!("private-cluster"),
    template!("registry-private-cluster"),
    template!("spokes", "modules/spoke.yaml"),
    template!("sql-private"),
    template!("web-app-behind-front-door"),
    template!("windows-workloads"),
    template!("workload-identity"),
];

impl Template {
    /// What it is: the comment that the file begins with, up to its first empty line, as one paragraph.
    pub fn about(&self) -> String {
        let lines = self.text.lines().map_while(|line| line.strip_prefix('#'));
        let lines = lines.map(str::trim).take_while(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join(" ")
    }
}
