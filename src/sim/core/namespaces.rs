//! The namespaces of resource providers.

/// Namespaces in the provider's own spelling, and whether they need no registration.
pub(crate) const NAMESPACES: &[(&str, bool)] = &[
    ("Microsoft.AlertsManagement", false),
    ("Microsoft.ApiManagement", false),
    ("Microsoft.App", false),
    ("Microsoft.AppConfiguration", false),
    ("Microsoft.Authorization", true),
    ("Microsoft.Automation", false),
    ("Microsoft.Batch", false),
    ("Microsoft.Billing", true),
    ("Microsoft.Cache", false),
    ("Microsoft.Cdn", false),
    ("Microsoft.CognitiveServices", false),
    ("Microsoft.Commerce", true),
    ("Microsoft.Compute", false),
    ("Microsoft.Consumption", true),
    ("Microsoft.ContainerInstance", false),
    ("Microsoft.ContainerRegistry", false),
    ("Microsoft.ContainerService", false),
    ("Microsoft.CostManagement", true),
    ("Microsoft.DBforMySQL", false),
    ("Microsoft.DBforPostgreSQL", false),
    ("Microsoft.Dashboard", false),
    ("Microsoft.DataFactory", false),
    ("Microsoft.Databricks", false),
    ("Microsoft.Devices", false),
    ("Microsoft.DocumentDB", false),
    ("Microsoft.EventGrid", false),
    ("Microsoft.EventHub", false),
    ("Microsoft.ExtendedLocation", false),
    ("Microsoft.Features", true),
    ("microsoft.insights", false),
    ("Microsoft.KeyVault", false),
    ("Microsoft.Kubernetes", false),
    ("Microsoft.KubernetesConfiguration", false),
    ("Microsoft.Kusto", false),
    ("Microsoft.MachineLearningServices", false),
    ("Microsoft.Maintenance", false),
    ("Microsoft.ManagedIdentity", false),
    ("Microsoft.Management", false),
    ("Microsoft.Monitor", false),
    ("Microsoft.Network", false),
    ("Microsoft.OperationalInsights", false),
    ("Microsoft.OperationsManagement", false),
    ("Microsoft.PolicyInsights", false),
    ("Microsoft.Purview", false),
    ("Microsoft.RecoveryServices", false),
    ("Microsoft.Relay", false),
    ("Microsoft.ResourceGraph", true),
    ("Microsoft.Resources", true),
    ("Microsoft.Search", false),
    ("Microsoft.Security", false),
    ("Microsoft.ServiceBus", false),
    ("Microsoft.ServiceNetworking", false),
    ("Microsoft.SignalRService", false),
    ("Microsoft.Sql", false),
    ("Microsoft.Storage", false),
    ("Microsoft.Synapse", false),
    ("Microsoft.Web", false),
];

/// The namespace in the provider's own spelling.
pub(crate) fn canonical_namespace(namespace: &str) -> Option<&'static str> {
    NAMESPACES.iter().find(|(name, _)| name.eq_ignore_ascii_case(namespace)).map(|(name, _)| *name)
}

/// Whether a namespace needs no registration.
pub(crate) fn is_free(namespace: &str) -> bool {
    NAMESPACES.iter().any(|(name, free)| *free && name.eq_ignore_ascii_case(namespace))
}
