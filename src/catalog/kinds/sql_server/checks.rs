//! What can be wrong with a SQL server, and is known offline.

use super::spec::{BackupsSpec, DatabaseSpec, Spec};
use crate::catalog::kinds::addresses::is_address;
use crate::catalog::kinds::key_vault_secret::SECRET_IN_CLEAR;
use crate::catalog::kinds::naming::{NameRule, small};
use crate::catalog::kinds::parts::{is_none_of, known_part, within};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::{display_text, has_token};

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] =
    &[&SQL_SERVER_NAME, &SQL_SERVER_ADMIN, &SQL_SERVER_RULES, &SQL_DATABASE_NAME, &SQL_SERVER_DATA];

const SQL_SERVER_NAME: Code = Code {
    name: "sql-server-name",
    why: "The name of a SQL server is part of a DNS name that all of Azure shares.",
    remedy: "Use 1 to 63 small letters, digits and `-`; `uniqueString` keeps it apart from others.",
    example: "name: sql-shop-${uniqueString(azure.resourceGroup)}",
};

const NAME: NameRule = NameRule {
    code: &SQL_SERVER_NAME,
    what: "a SQL server",
    min: 1,
    max: 63,
    first: small,
    inner: |c| small(c) || c == '-',
    last: small,
    says: "1 to 63 small letters, digits and `-`, not starting or ending with `-`; names of SQL servers are taken \
           worldwide, so `${uniqueString(azure.resourceGroup)}` helps",
};

const SQL_DATABASE_NAME: Code = Code {
    name: "sql-database-name",
    why: "The name cannot be that of a database or of a rule of a SQL server.",
    remedy: "Use 1 to 128 characters without `<>*%&:\\/?`, not ending with a dot or a space.",
    example: "databases: { orders: { sku: S0 } }",
};

const PART_NAME: NameRule = NameRule {
    code: &SQL_DATABASE_NAME,
    what: "a part of a SQL server",
    min: 1,
    max: 128,
    first: part,
    inner: part,
    last: |c| part(c) && c != '.' && c != ' ',
    says: "1 to 128 characters without `<>*%&:\\/?`, not ending with `.` or a space",
};

fn part(c: char) -> bool {
    !c.is_control() && !"<>*%&:\\/?".contains(c)
}

const SQL_SERVER_ADMIN: Code = Code {
    name: "sql-server-admin",
    why: "A server has an administrator: one with a password, one from Entra, or both; without passwords only the latter.",
    remedy: "Write `adminLogin` and `adminPassword`, or `entraAdmin` with `only: true`.",
    example: "entraAdmin: { login: sql-admins, principal: '${identities.admin}', only: true }",
};

const SQL_SERVER_DATA: Code = Code {
    name: "sql-server-data",
    why: "Pools, backups, copies and records of a server have limits that Azure keeps.",
    remedy: "Write it as the message says.",
    example: "databases: { orders: { backups: { days: 14, weekly: P4W } } }",
};

const SQL_SERVER_RULES: Code = Code {
    name: "sql-server-rules",
    why: "Azure refuses rules about public networks while the server does not answer on them, and rules that are not addresses.",
    remedy: "Drop the rules, or `publicAccess: false`; write addresses of IPv4.",
    example: "firewallRules: { office: { from: 203.0.113.1, to: 203.0.113.14 } }",
};

impl Spec {
    pub(super) fn check(&self, cx: &mut EntryCx<'_>) {
        NAME.check(&cx.common.name.clone(), "name", cx);
        let only = self.entra_admin.as_ref().and_then(|admin| admin.only) == Some(true);
        let wrong = match (&self.admin_login, &self.admin_password, &self.entra_admin) {
            (Some(_), None, _) => {
                Some(("adminLogin", "the administrator has no password", "write `adminPassword:` too"))
            }
            (None, Some(_), _) => {
                Some(("adminPassword", "the password is for no administrator", "write `adminLogin:` too"))
            }
            (None, None, None) => {
                Some(("", "the server has no administrator", "write `entraAdmin:` with `only: true`"))
            }
            (None, None, Some(_)) if !only => Some((
                "entraAdmin",
                "passwords are accepted, and there is no administrator who has one",
                "write `only: true`, or `adminLogin` and `adminPassword`",
            )),
            _ => None,
        };
        if let Some((path, message, help)) = wrong {
            cx.problem(Problem::error(&SQL_SERVER_ADMIN, path, message).help(help));
        }
        if self.admin_password.as_ref().is_some_and(|password| !has_token(password)) {
            let message = "the password of this server is in the blueprint in clear text";
            cx.problem(
                Problem::error(&SECRET_IN_CLEAR, "adminPassword", message)
                    .help("use a parameter with `secret: true`, as in `adminPassword: ${param.sqlPassword}`"),
            );
        }
        if let Some(version) = self.min_tls.as_deref().filter(|version| is_none_of(version, &["1.2", "1.3"]))
        {
            let message =
                format!("`{}` is not a version of TLS that Azure SQL still takes", display_text(version));
            cx.problem(
                Problem::error(&SQL_SERVER_RULES, "minTls", message).help("write `1.2` or `1.3` in quotes"),
            );
        }
        for (key, database) in &self.databases {
            let at = format!("databases.{key}");
            PART_NAME.check(database.name.as_deref().unwrap_or(key), &at, cx);
            within(database.max_size_gb, 1..=131_072, &format!("{at}.maxSizeGb"), cx);
            within(database.capacity, 1..=4000, &format!("{at}.capacity"), cx);
            self.check_database(database, &at, cx);
        }
        self.check_groups(cx);
        let closed = self.public_access == Some(false);
        let firewall = self.firewall_rules.iter().map(|(key, rule)| (key, &rule.name));
        let network = self.network_rules.iter().map(|(key, rule)| (key, &rule.name));
        for (field, rules) in
            [("firewallRules", firewall.collect::<Vec<_>>()), ("networkRules", network.collect())]
        {
            for (key, name) in &rules {
                let at =
                    name.as_ref().map_or_else(|| format!("{field}.{key}"), |_| format!("{field}.{key}.name"));
                PART_NAME.check(name.as_ref().unwrap_or(key), &at, cx);
            }
            if closed && !rules.is_empty() {
                let message = "with `publicAccess: false` Azure takes no rules about public networks";
                cx.problem(
                    Problem::error(&SQL_SERVER_RULES, field, message)
                        .help("drop the rules, or `publicAccess: false`"),
                );
            }
        }
        for (key, rule) in &self.firewall_rules {
            let ends = [("from", Some(&rule.from)), ("to", rule.to.as_ref())];
            for (field, address) in ends.into_iter().filter_map(|(field, address)| Some((field, address?))) {
                if !has_token(address)
                    && (!is_address(address) || address.parse::<std::net::Ipv4Addr>().is_err())
                {
                    let message = format!("`{}` is not an IPv4 address", display_text(address));
                    cx.problem(
                        Problem::error(&SQL_SERVER_RULES, format!("firewallRules.{key}.{field}"), message)
                            .help("write one address, such as `203.0.113.1`"),
                    );
                }
            }
        }
    }
}

impl Spec {
    fn check_database(&self, database: &DatabaseSpec, at: &str, cx: &mut EntryCx<'_>) {
        if let Some(pool) = &database.elastic_pool {
            let path = format!("{at}.elasticPool");
            known_part(pool, self.elastic_pools.keys(), &path, "elastic pool", cx);
            if database.sku.is_some() || database.capacity.is_some() {
                let message = "a database in a pool has no service objective of its own";
                cx.problem(
                    Problem::error(&SQL_SERVER_DATA, path, message)
                        .help("drop `sku` and `capacity`, or the pool"),
                );
            }
        }
        if let Some(backups) = &database.backups {
            backups.check(&format!("{at}.backups"), cx);
        }
    }

    fn check_groups(&self, cx: &mut EntryCx<'_>) {
        for (key, pool) in &self.elastic_pools {
            let at = format!("elasticPools.{key}");
            PART_NAME.check(pool.name.as_deref().unwrap_or(key), &at, cx);
            within(Some(pool.capacity), 1..=4000, &format!("{at}.capacity"), cx);
            within(pool.max_size_gb, 1..=131_072, &format!("{at}.maxSizeGb"), cx);
            if pool.min_per_database.zip(pool.max_per_database).is_some_and(|(least, most)| least > most) {
                let message = "the least for each database is more than it may have";
                cx.problem(
                    Problem::error(&SQL_SERVER_DATA, format!("{at}.minPerDatabase"), message)
                        .help("write a number that is not above `maxPerDatabase`"),
                );
            }
        }
        for (key, group) in &self.failover_groups {
            let at = format!("failoverGroups.{key}");
            NAME.check(group.name.as_deref().unwrap_or(key), &at, cx);
            within(group.automatic_after_minutes, 60..=10_080, &format!("{at}.automaticAfterMinutes"), cx);
            for (index, database) in group.databases.iter().enumerate() {
                known_part(
                    database,
                    self.databases.keys(),
                    &format!("{at}.databases[{index}]"),
                    "database",
                    cx,
                );
            }
        }
        let Some(auditing) = &self.auditing else { return };
        within(auditing.days, 0..=3_285, "auditing.days", cx);
        let wrong = match &auditing.storage {
            None if !auditing.monitor => {
                Some(("auditing", "the record goes nowhere", "write `storage:`, or drop `monitor: false`"))
            }
            None if auditing.days.is_some() => Some((
                "auditing.days",
                "the days are those of a storage account",
                "write `storage:`, or take them out",
            )),
            Some(_) if self.identities.is_empty() => Some((
                "auditing.storage",
                "the server has no identity that could write there",
                "write `identities: [system]`",
            )),
            _ => None,
        };
        if let Some((path, message, help)) = wrong {
            cx.problem(Problem::error(&SQL_SERVER_DATA, path, message).help(help));
        }
    }
}

impl BackupsSpec {
    fn check(&self, at: &str, cx: &mut EntryCx<'_>) {
        within(self.days, 1..=35, &format!("{at}.days"), cx);
        within(self.week_of_year, 1..=52, &format!("{at}.weekOfYear"), cx);
        let mut wrong = |field: &str, message: String, help: &str| {
            cx.problem(Problem::error(&SQL_SERVER_DATA, format!("{at}.{field}"), message).help(help));
        };
        if self.differential_hours.is_some_and(|hours| hours != 12 && hours != 24) {
            let message = "differential backups are made every 12 or 24 hours".to_owned();
            wrong("differentialHours", message, "write 12 or 24");
        }
        if self.week_of_year.is_some() && self.yearly.is_none() {
            let message = "no backup of a year is kept".to_owned();
            wrong("weekOfYear", message, "write `yearly:` too, or take it out");
        }
        for (field, text) in [("weekly", &self.weekly), ("monthly", &self.monthly), ("yearly", &self.yearly)]
        {
            let Some(text) = text.as_ref().filter(|text| !has_token(text) && !is_period(text)) else {
                continue;
            };
            let message = format!("`{}` is not a duration in weeks, months or years", display_text(text));
            wrong(field, message, "write one such as `P4W`, `P12M` or `P10Y`");
        }
    }
}

/// Whether a text is a duration of days, weeks, months or years.
fn is_period(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    let number = rest.trim_end_matches(['D', 'W', 'M', 'Y']);
    rest.len() == number.len() + 1 && number.parse::<u32>().is_ok_and(|number| number > 0)
}
