//! What differs from the facts and is right all the same.

/// Subject, finding and reason; `*` stands for anything.
pub const KNOWN: &[(&str, &str, &str)] = &[
    (
        "PUT subscriptions/resourceGroups",
        ": \"properties\" is a required property",
        "the schema is that of a template; a recorded request has none and is granted",
    ),
    ("PUT Microsoft.Network/privateDnsZones", ": \"properties\" is a required property", "as above"),
    (
        "PUT Microsoft.ContainerService/managedClusters",
        "/properties/networkProfile/loadBalancerProfile/backendPoolType: *",
        "Azure shows the word in another case than its schema has it, and takes it back so",
    ),
    (
        "PUT Microsoft.Cdn/profiles/ruleSets/rules",
        "*properties*actions*",
        "the schema's parts exclude each other; the official samples have this form",
    ),
    (
        "PUT Microsoft.Cdn/profiles/securityPolicies",
        "/properties/parameters: Additional properties are not allowed*",
        "as above",
    ),
    (
        "PUT Microsoft.Cdn/profiles/secrets",
        "/properties/parameters: Additional properties are not allowed*",
        "as above",
    ),
    (
        "GET Microsoft.Authorization/permissions",
        "there is no such operation",
        "of a subscription; its clients have the operation of a group and of a resource only",
    ),
    (
        "GET Microsoft.Compute/locations/usages",
        "there is no such operation",
        "the table has no client of Microsoft.Compute",
    ),
    ("GET Microsoft.Compute/skus", "there is no such operation", "as above"),
    (
        "* Microsoft.Insights/diagnosticSettings",
        "there is no such operation",
        "the table's client of Microsoft.Insights leaves them out",
    ),
    (
        "* Microsoft.AlertsManagement/prometheusRuleGroups",
        "there is no such operation",
        "the table's client of Microsoft.AlertsManagement is older",
    ),
    (
        "* Microsoft.Monitor/accounts",
        "version 2025-10-03, known is 2023-04-03",
        "the table's client is older; the facts have a sample of this version",
    ),
    (
        "PUT Microsoft.Insights/dataCollectionRules",
        "*/streams/* is not one of *",
        "the schema names the streams of machines only; the official samples name others as well",
    ),
    (
        "PUT Microsoft.Insights/metricAlerts",
        "/properties/criteria*",
        "the schema takes the members `odata.type` and `allOf` for objects; the recorded alert has this form",
    ),
];

/// Types without a schema, which only the operations hold: type, or the start of one and `*`, and the reason.
pub const NO_SCHEMA: &[(&str, &str)] = &[
    (
        "Microsoft.AlertsManagement/prometheusRuleGroups",
        "the facts have samples of this version, and no schema",
    ),
    ("Microsoft.Dashboard/grafana", "the facts have samples of this version, and no schema"),
    ("Microsoft.Monitor/accounts", "the facts have samples of this version, and no schema"),
    ("Microsoft.ApiManagement/service", "the facts have samples of this version, and no schema"),
    ("Microsoft.Cache/redisEnterprise", "the facts have samples of this version, and no schema"),
    ("Microsoft.Cache/redisEnterprise/databases", "the facts have samples of this version, and no schema"),
    ("Microsoft.DocumentDB/databaseAccounts", "the facts have samples of this version, and no schema"),
    (
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers",
        "the facts have samples of this version, and no schema",
    ),
    ("Microsoft.EventHub/namespaces", "the facts have samples of this version, and no schema"),
    ("Microsoft.EventHub/namespaces/eventhubs", "the facts have samples of this version, and no schema"),
    (
        "Microsoft.EventHub/namespaces/eventhubs/consumergroups",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.EventHub/namespaces/networkRuleSets",
        "the facts have samples of this version, and no schema",
    ),
    ("Microsoft.ServiceBus/namespaces", "the facts have samples of this version, and no schema"),
    (
        "Microsoft.ServiceBus/namespaces/networkRuleSets",
        "the facts have samples of this version, and no schema",
    ),
    ("Microsoft.ServiceBus/namespaces/queues", "the facts have samples of this version, and no schema"),
    ("Microsoft.ServiceBus/namespaces/topics", "the facts have samples of this version, and no schema"),
    (
        "Microsoft.ServiceBus/namespaces/topics/subscriptions",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/throughputSettings",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/throughputSettings",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.EventHub/namespaces/authorizationRules",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.ServiceBus/namespaces/AuthorizationRules",
        "the facts have samples of this version, and no schema",
    ),
    (
        "Microsoft.ServiceBus/namespaces/topics/subscriptions/rules",
        "the facts have samples of this version, and no schema",
    ),
];
