//! What is neither a kind nor a diagnostic: the head of a blueprint, functions, and the names of Azure's that berth knows.

use super::fields::{FieldDoc, of_head};
use crate::blueprint::functions;
use crate::catalog::kinds::builtin_policies::policies;
use crate::catalog::kinds::builtin_roles::{ABOUT, BUILTIN_ROLES};
use crate::diag::{Failure, did_you_mean};
use std::fmt::Write;

/// Something that `berth explain` tells of, and that has a page of its own.
#[derive(Debug, Clone, Copy)]
pub struct Topic {
    /// Its name: `azure`, `roles`.
    pub name: &'static str,
    /// What it is, in one line.
    pub title: &'static str,
    /// A paragraph.
    about: &'static str,
    /// A blueprint fragment.
    example: &'static str,
    rows: fn() -> Rows,
}

/// A table: what its columns are called, and its rows. The first column is what a row is found by.
struct Rows {
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

/// Every topic.
pub const TOPICS: &[Topic] = &[
    Topic {
        name: "azure",
        title: "where everything goes, unless an entry says otherwise",
        about: "The block `azure:` says the subscription, the region, the resource group and the tags of every entry that \
                says none of its own.",
        example: "azure:\n  subscription: ${env.AZURE_SUBSCRIPTION_ID}\n  location: westeurope\n  resourceGroup: rg-shop-${param.environment}\n  tags: { team: platform }\n",
        rows: || head("azure"),
    },
    Topic {
        name: "parameters",
        title: "what comes from outside",
        about: "A parameter is declared with its type, and given with `--param NAME=VALUE`, in a file with `--values`, by an \
                environment of the blueprint, or by an environment variable. Expressions name it `${param.NAME}`. One with \
                `secret: true` is never shown and never stored.",
        example: "parameters:\n  environment: { type: string, allowed: [dev, prod], default: dev }\n  adminPassword: { type: string, secret: true, env: WINDOWS_ADMIN_PASSWORD }\n",
        rows: || head("parameters"),
    },
    Topic {
        name: "modules",
        title: "further files with parameters of their own",
        about: "A module is another file of entries. What it asks for is called `module.NAME.SECTION.KEY`; what it gives to \
                others are its outputs, `${module.NAME.outputs.OUTPUT}`.",
        example: "modules:\n  spoke:\n    include: ./spoke.yaml\n    parameters: { hub: \"${networks.hub}\" }\n",
        rows: || head("modules"),
    },
    Topic {
        name: "outputs",
        title: "values that `berth output` shows",
        about: "An output is a value, or a mapping with the value and more about it. `berth output` shows them after an apply; \
                one that comes from a secret has to say `secret: true`.",
        example: "outputs:\n  issuer: ${clusters.aks.oidcIssuerUrl}\n  vault: { value: \"${keyVaults.secrets.uri}\", description: where the secrets are }\n",
        rows: || head("outputs"),
    },
    Topic {
        name: "functions",
        title: "what expressions can compute",
        about: "An expression can call functions: `${lower(param.name)}`. They take known values only: what Azure makes, and \
                secrets, can be passed on and put into a text, and nothing else.",
        example: "keyVaults:\n  secrets:\n    name: kv-${uniqueString(azure.resourceGroup)}\n",
        rows: || Rows {
            columns: &["function", "value"],
            rows: functions()
                .iter()
                .map(|(_, signature, meaning)| vec![(*signature).to_owned(), (*meaning).to_owned()])
                .collect(),
        },
    },
    Topic {
        name: "roles",
        title: "Azure's built-in roles that are known by name",
        about: "`role` of an entry of `roleAssignments` takes one of these names, in any case. Any other role is named by its \
                GUID, or by the id of its definition.",
        example: "roleAssignments:\n  reader:\n    principal: ${identities.app}\n    role: Key Vault Secrets User\n    scope: ${keyVaults.secrets}\n",
        rows: || Rows {
            columns: &["role", "allows to", "GUID"],
            rows: ABOUT
                .iter()
                .zip(BUILTIN_ROLES)
                .map(|((name, what), (_, id))| vec![(*name).to_owned(), (*what).to_owned(), id.to_string()])
                .collect(),
        },
    },
    Topic {
        name: "policies",
        title: "Azure's built-in policies and initiatives that are known by name",
        about: "`policy` of an entry of `policyAssignments` takes a short name, or the display name beside it, in any \
                case. Any other policy is named by the id of its definition. Parameters in bold have to be given.",
        example: "policyAssignments:\n  baseline:\n    policy: podSecurityBaseline\n    scope: ${clusters.aks}\n    effect: Audit\n",
        rows: known_policies,
    },
];

fn head(section: &str) -> Rows {
    let of = |field: FieldDoc| {
        let needed = if field.required { ", required" } else { "" };
        let default = field.default.map(|value| format!("; `{value}` when absent")).unwrap_or_default();
        vec![field.path, format!("{}{needed}", field.holds), format!("{}{default}", field.about)]
    };
    Rows { columns: &["field", "holds", "what it is"], rows: of_head(section).into_iter().map(of).collect() }
}

fn known_policies() -> Rows {
    let row = |policy: crate::catalog::kinds::builtin_policies::PolicyDoc| {
        let mut effects: Vec<&str> = Vec::new();
        for effect in policy.effects {
            if !effects.iter().any(|known| known.eq_ignore_ascii_case(effect)) {
                effects.push(effect);
            }
        }
        let required = policy.required.iter().map(|name| format!("**{name}**"));
        let parameters: Vec<String> =
            required.chain(policy.optional.iter().map(|name| (*name).to_owned())).collect();
        let mut name = policy.name.to_owned();
        if policy.initiative {
            name.push_str(" (initiative)");
        }
        if policy.acts {
            name.push_str("; needs an identity");
        }
        vec![policy.short.unwrap_or(policy.name).to_owned(), name, effects.join(", "), parameters.join(", ")]
    };
    Rows {
        columns: &["policy", "display name", "effects", "parameters"],
        rows: policies().into_iter().map(row).collect(),
    }
}

impl Topic {
    /// What `berth explain` says of it, or of one of its rows.
    ///
    /// # Errors
    /// That there is no such row, and what was probably meant.
    pub(super) fn explain(&self, row: &str) -> Result<String, Failure> {
        let Rows { columns, rows } = (self.rows)();
        if !row.is_empty() {
            let name_of = |row: &Vec<String>| row.first().cloned().unwrap_or_default();
            let plain = |text: &str| text.split('(').next().unwrap_or(text).to_ascii_lowercase();
            let Some(found) = rows.iter().find(|known| plain(&name_of(known)) == plain(row)) else {
                let names: Vec<String> = rows.iter().map(name_of).collect();
                let help = match did_you_mean(row, names.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("`berth explain {}` lists them", self.name),
                };
                return Err(Failure::new(format!("`{}` has no `{row}`", self.name), help));
            };
            let mut out = format!("{}.{}\n\n", self.name, name_of(found));
            for (column, cell) in columns.iter().zip(found).skip(1).filter(|(_, cell)| !cell.is_empty()) {
                let _ = writeln!(out, "{column}: {}", cell.replace("**", ""));
            }
            return Ok(out);
        }
        let mut out = format!("{}: {}\n\n{}\n\n", self.name, self.title, self.about);
        let first = rows.iter().filter_map(|row| row.first()).map(|cell| cell.chars().count());
        // A long name is on a line of its own.
        let width = first.filter(|length| *length <= 44).max().unwrap_or(0);
        for row in &rows {
            let (name, rest) = row.split_first().map_or(("", &[][..]), |(name, rest)| (name.as_str(), rest));
            let told: Vec<String> = rest
                .iter()
                .filter(|cell| !cell.is_empty() && *cell != name)
                .map(|cell| cell.replace("**", ""))
                .collect();
            let told = told.join("; ");
            if name.chars().count() > width {
                let _ = writeln!(out, "  {name}\n  {:width$}  {told}", "");
            } else {
                let _ = writeln!(out, "  {name:width$}  {told}");
            }
        }
        let _ = write!(out, "\nFor example:\n\n");
        for line in self.example.lines() {
            let _ = writeln!(out, "  {line}");
        }
        Ok(out)
    }
}

/// A topic's page of the reference, as Markdown.
pub fn topic_page(topic: &Topic) -> String {
    let Rows { columns, rows } = (topic.rows)();
    let mut out = format!(
        "# `{}`\n\n{}\n\nMade from the code by `just regen`; do not edit.\n",
        topic.name, topic.about
    );
    let _ = write!(out, "\n## Example\n\n```yaml\n{}```\n\n## All of them\n\n", topic.example);
    let _ = writeln!(out, "| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(at, cell)| {
                let cell = cell.replace('|', "\\|").replace('\n', " ");
                if at == 0 { format!("`{cell}`") } else { cell }
            })
            .collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manual::explain;

    #[test]
    fn every_topic_is_told_whole_and_by_row() {
        for topic in TOPICS {
            let told = explain(Some(topic.name)).unwrap();
            assert!(told.contains(topic.about), "{told}");
            let rows = (topic.rows)().rows;
            assert!(rows.len() >= 3, "{}", topic.name);
            for row in rows {
                assert!(row.iter().all(|cell| !cell.contains("x-wants")), "{row:?}");
                assert!(told.contains(&row[0]), "{}", row[0]);
                assert!(topic_page(topic).contains(&row[0].replace('|', "\\|")), "{}", row[0]);
            }
        }
        let role = explain(Some("roles.key vault secrets user")).unwrap();
        assert!(role.contains("read the values of secrets") && role.contains("4633458b"), "{role}");
        let policy = explain(Some("policies.podSecurityBaseline")).unwrap();
        assert!(policy.contains("pod security baseline") && policy.contains("allowedHostPaths"), "{policy}");
        assert!(explain(Some("azure.resourceGroup")).unwrap().contains("resource group"));
        assert!(explain(Some("functions.lower")).unwrap().contains("small letters"));
    }

    #[test]
    fn what_is_misspelt_says_what_is_near() {
        for (wrong, near) in [
            ("polices", "policies"),
            ("roles.Key Vault Secret User", "Key Vault Secrets User"),
            ("azure.locaton", "location"),
        ] {
            let told = explain(Some(wrong)).unwrap_err();
            assert!(told.help.as_ref().is_some_and(|help| help.contains(near)), "{wrong}: {told:?}");
        }
    }
}
