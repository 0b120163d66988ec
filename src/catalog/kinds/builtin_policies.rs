//! Built-in policies and initiatives that matter around clusters, with what they take
//! (<https://github.com/Azure/azure-policy>, as of 2026-04-29).

use uuid::{Uuid, uuid};

/// A built-in definition or initiative.
#[derive(Debug)]
pub(super) struct Policy {
    pub id: Uuid,
    /// Its display name.
    pub name: &'static str,
    /// Whether it is an initiative, a set of definitions.
    pub initiative: bool,
    /// The values of its parameter `effect`; none when it has no such parameter.
    pub effects: &'static [&'static str],
    /// Whether it changes or deploys things, for which its assignment needs an identity.
    pub acts: bool,
    /// The parameters that must be given.
    pub required: &'static [&'static str],
    /// The parameters that may be given.
    pub optional: &'static [&'static str],
    /// Which of [`COMMON`] it takes.
    pub common: &'static str,
}

/// Parameters that policies inside clusters share, by the letters of [`Policy::common`].
pub(super) const COMMON: &[(char, &[&str])] = &[
    ('n', &["excludedNamespaces", "namespaces"]),
    ('c', &["excludedContainers"]),
    ('i', &["excludedImages"]),
    ('s', &["source"]),
    ('w', &["warn"]),
    ('l', &["labelSelector"]),
];

/// The namespaces that policies leave alone by themselves.
pub(super) const SYSTEM_NAMESPACES: &[&str] =
    &["kube-system", "gatekeeper-system", "azure-arc", "azure-extensions-usage-system"];

const MIXED: &[&str] = &["Audit", "Deny", "Disabled", "audit", "deny", "disabled"];
const CAPITAL: &[&str] = &["Audit", "Deny", "Disabled"];
const AUDIT: &[&str] = &["Audit", "Disabled"];
const DEPLOY: &[&str] = &["DeployIfNotExists", "Disabled"];
const DEPLOY_OR_AUDIT: &[&str] = &["DeployIfNotExists", "AuditIfNotExists", "Disabled"];
const EXISTS: &[&str] = &["AuditIfNotExists", "Disabled"];
const FIXED: &[&str] = &[];

/// Names that are shorter than the display names.
const SHORT: &[(&str, Uuid)] = &[
    ("podSecurityBaseline", uuid!("a8640138-9b0a-4a28-b8cb-1666c838647d")),
    ("podSecurityRestricted", uuid!("42b8ef37-b724-4e24-bbc8-7a7708edfe00")),
    ("deploymentSafeguards", uuid!("c047ea8e-9c78-49b2-958b-37e56d291a44")),
    ("noPrivilegedContainers", uuid!("95edb821-ddaf-4404-9732-666045e056b4")),
    ("allowedImages", uuid!("febd0533-8e55-448f-b837-bd0e06f16469")),
    ("containerLimits", uuid!("e345eecc-fa47-480f-9e88-67dcc122b164")),
    ("noPrivilegeEscalation", uuid!("1c6e92c9-99f0-4e55-9cf2-0c234dc48f99")),
    ("internalLoadBalancers", uuid!("3fc4dc25-5baf-40d8-9b05-7fe74c1bc64e")),
    ("readOnlyRootFilesystem", uuid!("df49d893-a74c-421d-bc95-c663042e5b80")),
    ("noDefaultNamespace", uuid!("9f061a12-e40d-4183-a00e-171812443373")),
    ("requiredLabels", uuid!("46592696-4c7b-4bf3-9e45-6c2763bdc0a6")),
    ("allowedLocations", uuid!("e56962a6-4747-49cd-b67b-bf8b01975c4c")),
    ("allowedResourceTypes", uuid!("a08ec900-254a-4555-9bf5-e42af04b5c5c")),
    ("requireTag", uuid!("871b6d14-10aa-478d-b590-94f262ecfa99")),
    ("inheritTag", uuid!("cd3aa116-8754-49c9-a813-ad46512ece54")),
];

/// The policy of a short name, a display name (without case, with or without a leading `[Preview]: `), or a GUID.
pub(super) fn builtin_policy(text: &str) -> Option<&'static Policy> {
    let text = text.trim();
    let short = SHORT.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, id)| *id);
    if let Some(id) = short.or_else(|| Uuid::try_parse(text).ok()) {
        return POLICIES.iter().find(|policy| policy.id == id);
    }
    let plain = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest.trim_start_matches(':').trim(),
        None => text,
    };
    POLICIES.iter().find(|policy| policy.name.eq_ignore_ascii_case(plain))
}

/// Every name that [`builtin_policy`] knows.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SHORT.iter().map(|(name, _)| *name).chain(POLICIES.iter().map(|policy| policy.name))
}

/// The short name of a policy, when it has one.
fn short_name(policy: &Policy) -> Option<&'static str> {
    SHORT.iter().find(|(_, id)| *id == policy.id).map(|(name, _)| *name)
}

/// A built-in policy or initiative as documentation tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDoc {
    /// Its display name.
    pub name: &'static str,
    /// The name that is shorter, when it has one.
    pub short: Option<&'static str>,
    /// Its GUID.
    pub id: Uuid,
    /// Whether it is a set of definitions.
    pub initiative: bool,
    /// The values of its parameter `effect`.
    pub effects: &'static [&'static str],
    /// Whether its assignment needs an identity, because it changes or deploys things.
    pub acts: bool,
    /// The parameters that must be given.
    pub required: &'static [&'static str],
    /// All others.
    pub optional: Vec<&'static str>,
}

/// Every policy that is known, those with short names first.
pub fn policies() -> Vec<PolicyDoc> {
    let mut all: Vec<PolicyDoc> = POLICIES
        .iter()
        .map(|policy| PolicyDoc {
            name: policy.name,
            short: short_name(policy),
            id: policy.id,
            initiative: policy.initiative,
            effects: policy.effects,
            acts: policy.acts,
            required: policy.required,
            optional: policy.parameters().filter(|name| !policy.required.contains(name)).collect(),
        })
        .collect();
    all.sort_by_key(|policy| (policy.short.is_none(), policy.short.unwrap_or(policy.name)));
    all
}

impl Policy {
    /// Every parameter besides `effect`.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        let common = COMMON.iter().filter(|(letter, _)| self.common.contains(*letter));
        self.required.iter().chain(self.optional).chain(common.flat_map(|(_, names)| *names)).copied()
    }
}

#[rustfmt::skip]
pub(super) const POLICIES: &[Policy] = &[
    Policy { id: uuid!("a8640138-9b0a-4a28-b8cb-1666c838647d"), name: "Kubernetes cluster pod security baseline standards for Linux-based workloads",
        initiative: true, effects: MIXED, acts: false, common: "n",
        required: &[],
        optional: &["allowedHostPaths"] },
    Policy { id: uuid!("42b8ef37-b724-4e24-bbc8-7a7708edfe00"), name: "Kubernetes cluster pod security restricted standards for Linux-based workloads",
        initiative: true, effects: MIXED, acts: false, common: "n",
        required: &[],
        optional: &["allowedCapabilities", "requiredDropCapabilities"] },
    Policy { id: uuid!("c047ea8e-9c78-49b2-958b-37e56d291a44"), name: "Deployment safeguards should help guide developers towards AKS recommended best practices",
        initiative: true, effects: CAPITAL, acts: false, common: "ncisw",
        required: &["allowedUsers", "allowedGroups", "labels", "allowedContainerImagesRegex", "reservedTaints"],
        optional: &["requiredProbes", "effectForMutationPolicies", "messages", "allowedHostPorts", "allowedSysctls", "forcePrivilegeEscalationToBeFalse", "windowsAllowedHostPaths", "allowedHostPaths", "allowedAppArmorProfiles", "allowedCapabilities"] },
    Policy { id: uuid!("95edb821-ddaf-4404-9732-666045e056b4"), name: "Kubernetes cluster should not allow privileged containers",
        initiative: false, effects: MIXED, acts: false, common: "nciswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("febd0533-8e55-448f-b837-bd0e06f16469"), name: "Kubernetes cluster containers should only use allowed images",
        initiative: false, effects: MIXED, acts: false, common: "ncswl",
        required: &["allowedContainerImagesRegex"],
        optional: &[] },
    Policy { id: uuid!("e345eecc-fa47-480f-9e88-67dcc122b164"), name: "Kubernetes cluster containers CPU and memory resource limits should not exceed the specified limits",
        initiative: false, effects: MIXED, acts: false, common: "nciswl",
        required: &["cpuLimit", "memoryLimit"],
        optional: &[] },
    Policy { id: uuid!("03a4ecdb-0684-4039-be91-2762979e1bc8"), name: "Kubernetes cluster containers CPU and memory resource requests must be defined",
        initiative: false, effects: CAPITAL, acts: false, common: "niswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("1c6e92c9-99f0-4e55-9cf2-0c234dc48f99"), name: "Kubernetes clusters should not allow container privilege escalation",
        initiative: false, effects: CAPITAL, acts: false, common: "nciswl",
        required: &[],
        optional: &["forcePrivilegeEscalationToBeFalse"] },
    Policy { id: uuid!("47a1ee2f-2a2a-4576-bf2a-e0e36709c2b8"), name: "Kubernetes cluster containers should not share host namespaces",
        initiative: false, effects: CAPITAL, acts: false, common: "niswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("82985f06-dc18-4a48-bc1c-b9f4f0098cfe"), name: "Kubernetes cluster pods should only use approved host network and port list",
        initiative: false, effects: CAPITAL, acts: false, common: "niswl",
        required: &[],
        optional: &["allowHostNetwork", "allowedHostPorts"] },
    Policy { id: uuid!("098fc59e-46c7-4d99-9b16-64990e543d75"), name: "Kubernetes cluster pod hostPath volumes should only use allowed host paths",
        initiative: false, effects: MIXED, acts: false, common: "nciswl",
        required: &[],
        optional: &["allowedHostPaths", "windowsAllowedHostPaths"] },
    Policy { id: uuid!("c26596ff-4d70-4e6a-9a30-c2506bd2f80c"), name: "Kubernetes cluster containers should only use allowed capabilities",
        initiative: false, effects: MIXED, acts: false, common: "nciswl",
        required: &[],
        optional: &["allowedCapabilities", "requiredDropCapabilities"] },
    Policy { id: uuid!("d2e7ea85-6b44-4317-a0be-1b951587f626"), name: "Kubernetes clusters should not grant CAP_SYS_ADMIN security capabilities",
        initiative: false, effects: MIXED, acts: false, common: "ncil",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("a27c700f-8a22-44ec-961c-41625264370b"), name: "Kubernetes clusters should not use specific security capabilities",
        initiative: false, effects: MIXED, acts: false, common: "nciswl",
        required: &[],
        optional: &["disallowedCapabilities"] },
    Policy { id: uuid!("f06ddb64-5fa3-4b77-b166-acb36f7f6042"), name: "Kubernetes cluster pods and containers should only run with approved user and group IDs",
        initiative: false, effects: MIXED, acts: false, common: "nciswl",
        required: &[],
        optional: &["runAsUserRule", "runAsUserRanges", "runAsGroupRule", "runAsGroupRanges", "supplementalGroupsRule", "supplementalGroupsRanges", "fsGroupRule", "fsGroupRanges"] },
    Policy { id: uuid!("16697877-1118-4fb1-9b65-9898ec2509ec"), name: "Kubernetes cluster pods should only use allowed volume types",
        initiative: false, effects: MIXED, acts: false, common: "niswl",
        required: &[],
        optional: &["allowedVolumeTypes"] },
    Policy { id: uuid!("975ce327-682c-4f2e-aa46-b9598289b86c"), name: "Kubernetes cluster containers should only use allowed seccomp profiles",
        initiative: false, effects: MIXED, acts: false, common: "nciswl",
        required: &[],
        optional: &["allowedProfiles"] },
    Policy { id: uuid!("511f5417-5d12-434d-ab2e-816901e72a5e"), name: "Kubernetes cluster containers should only use allowed AppArmor profiles",
        initiative: false, effects: MIXED, acts: false, common: "nciswl",
        required: &[],
        optional: &["allowedProfiles"] },
    Policy { id: uuid!("e1e6c427-07d9-46ab-9689-bfa85431e636"), name: "Kubernetes cluster pods and containers should follow SELinux security standards",
        initiative: false, effects: CAPITAL, acts: false, common: "niswl",
        required: &[],
        optional: &["enforcePSS", "allowedSELinuxTypes", "allowedSELinuxOptions"] },
    Policy { id: uuid!("f85eb0dd-92ee-40e9-8a76-db25a507d6d3"), name: "Kubernetes cluster containers should only use allowed ProcMountType",
        initiative: false, effects: MIXED, acts: false, common: "nciswl",
        required: &[],
        optional: &["procMountType"] },
    Policy { id: uuid!("56d0a13f-712f-466b-8416-56fb354fb823"), name: "Kubernetes cluster containers should not use forbidden sysctl interfaces",
        initiative: false, effects: MIXED, acts: false, common: "nswl",
        required: &["forbiddenSysctls"],
        optional: &[] },
    Policy { id: uuid!("df49d893-a74c-421d-bc95-c663042e5b80"), name: "Kubernetes cluster containers should run with a read only root file system",
        initiative: false, effects: MIXED, acts: false, common: "nciswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("423dd1ba-798e-40e4-9c4d-b6902674b423"), name: "Kubernetes clusters should disable automounting API credentials",
        initiative: false, effects: MIXED, acts: false, common: "niswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("9f061a12-e40d-4183-a00e-171812443373"), name: "Kubernetes clusters should not use the default namespace",
        initiative: false, effects: MIXED, acts: false, common: "nswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("3fc4dc25-5baf-40d8-9b05-7fe74c1bc64e"), name: "Kubernetes clusters should use internal load balancers",
        initiative: false, effects: MIXED, acts: false, common: "nswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("1a5b4dca-0b6f-4cf5-907c-56316bc1bf3d"), name: "Kubernetes clusters should be accessible only over HTTPS",
        initiative: false, effects: CAPITAL, acts: false, common: "nswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("46592696-4c7b-4bf3-9e45-6c2763bdc0a6"), name: "Kubernetes cluster pods should use specified labels",
        initiative: false, effects: MIXED, acts: false, common: "nswl",
        required: &["labelsList"],
        optional: &[] },
    Policy { id: uuid!("233a2a17-77ca-4fb1-9b6b-69223d272a44"), name: "Kubernetes cluster services should listen only on allowed ports",
        initiative: false, effects: MIXED, acts: false, common: "nswl",
        required: &["allowedServicePortsList"],
        optional: &[] },
    Policy { id: uuid!("d46c275d-1680-448d-b2ec-e495a3b6cc89"), name: "Kubernetes cluster services should only use allowed external IPs",
        initiative: false, effects: MIXED, acts: false, common: "nswl",
        required: &[],
        optional: &["allowedExternalIPs"] },
    Policy { id: uuid!("65280eef-c8b4-425e-9aec-af55e55bf581"), name: "Kubernetes cluster should not use naked pods",
        initiative: false, effects: CAPITAL, acts: false, common: "nswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("021f8078-41a0-40e6-81b6-c6597da9f3ee"), name: "Kubernetes cluster container images should not include latest image tag",
        initiative: false, effects: CAPITAL, acts: false, common: "nswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("50c83470-d2f0-4dda-a716-1938a4825f62"), name: "Kubernetes cluster containers should only use allowed pull policy",
        initiative: false, effects: CAPITAL, acts: false, common: "niswl",
        required: &[],
        optional: &["allowedPullPolicy"] },
    Policy { id: uuid!("b1a9997f-2883-4f12-bdff-2280f99b5915"), name: "Ensure cluster containers have readiness or liveness probes configured",
        initiative: false, effects: CAPITAL, acts: false, common: "nciswl",
        required: &[],
        optional: &["requiredProbes"] },
    Policy { id: uuid!("34c88cd4-5d72-4dbb-bf77-12c3cafe8791"), name: "Must Have Anti Affinity Rules or Topology Spread Constraints Set",
        initiative: false, effects: CAPITAL, acts: false, common: "nswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("4f3823b6-6dac-4b5a-9c61-ce1afb829f17"), name: "Kubernetes clusters should use Container Storage Interface(CSI) driver StorageClass",
        initiative: false, effects: CAPITAL, acts: false, common: "nswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("5485eac0-7e8f-4964-998b-a44f4f0c1e75"), name: "Kubernetes cluster Windows containers should not run as ContainerAdministrator",
        initiative: false, effects: CAPITAL, acts: false, common: "niswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("57dde185-5c62-4063-b965-afbb201e9c1c"), name: "Kubernetes cluster Windows containers should only run with approved user and domain user group",
        initiative: false, effects: CAPITAL, acts: false, common: "niswl",
        required: &["allowedUserNames"],
        optional: &[] },
    Policy { id: uuid!("a2abc456-f0ae-464b-bd3a-07a3cdbd7fb1"), name: "Kubernetes cluster Windows containers should not overcommit cpu and memory",
        initiative: false, effects: CAPITAL, acts: false, common: "niswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("077f0ce1-86d6-4058-bc60-de05067e8622"), name: "Kubernetes cluster Windows pods should not run HostProcess containers",
        initiative: false, effects: CAPITAL, acts: false, common: "niswl",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("0a15ec92-a229-4763-bb14-0ea34a568f8d"), name: "Azure Policy Add-on for Kubernetes service (AKS) should be installed and enabled on your clusters",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("a8eff44f-8c92-45c3-a3fb-9880802d67a7"), name: "Deploy Azure Policy Add-on to Azure Kubernetes Service clusters",
        initiative: false, effects: DEPLOY, acts: true, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("993c2fcd-2b29-49d2-9eb0-df2c3a730c32"), name: "Azure Kubernetes Service Clusters should have local authentication methods disabled",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("040732e8-d947-40b8-95d6-854c95024bf8"), name: "Azure Kubernetes Service Private Clusters should be enabled",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("46238e2f-3f6f-4589-9f3f-77bed4116e67"), name: "Azure Kubernetes Clusters should use Azure CNI",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("2cc2e023-0dac-4046-875b-178f683929d5"), name: "Azure Kubernetes Service Clusters should enable workload identity",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("450d2877-ebea-41e8-b00c-e286317d21bf"), name: "Azure Kubernetes Service Clusters should enable Microsoft Entra ID integration",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("5c345cdf-2049-47e0-b8fe-b0e96bc2df35"), name: "Azure Kubernetes Service Clusters should enable cluster auto-upgrade",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &["allowedClusterAutoUpgradeChannels"] },
    Policy { id: uuid!("04408ca5-aa10-42ce-8536-98955cdddd4c"), name: "Azure Kubernetes Service Clusters should enable node os auto-upgrade",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &["allowedNodeOsUpgradeChannels"] },
    Policy { id: uuid!("af3c26b2-6fad-493e-9236-9c68928516ab"), name: "Azure Kubernetes Service Clusters should enable Image Cleaner",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("89f2d532-c53c-4f8f-9afa-4927b1114a0d"), name: "Azure Kubernetes Service Clusters should disable Command Invoke",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("da6e2401-19da-4532-9141-fb8fbde08431"), name: "Azure Kubernetes Service Clusters should use managed identities",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("a1840de2-8088-4ea8-b153-b4c723e9cb01"), name: "Azure Kubernetes Service clusters should have Defender profile enabled",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("64def556-fbad-4622-930e-72d1d5589bf5"), name: "Configure Azure Kubernetes Service clusters to enable Defender profile",
        initiative: false, effects: DEPLOY, acts: true, common: "",
        required: &[],
        optional: &["logAnalyticsWorkspaceResourceId"] },
    Policy { id: uuid!("dbbdc317-9734-4dd8-9074-993b29c69008"), name: "Azure Kubernetes Clusters should enable Key Management Service (KMS)",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("7d7be79c-23ba-4033-84dd-45e2a5ccdd67"), name: "Both operating systems and data disks in Azure Kubernetes Service clusters should be encrypted by customer-managed keys",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("41425d9f-d1a5-499a-9932-f8ed8453932c"), name: "Temp disks and cache for agent node pools in Azure Kubernetes Service clusters should be encrypted at host",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("245fc9df-fa96-4414-9a0b-3738c2f7341c"), name: "Resource logs in Azure Kubernetes Service should be enabled",
        initiative: false, effects: EXISTS, acts: false, common: "",
        required: &[],
        optional: &["requiredRetentionDays"] },
    Policy { id: uuid!("6c66c325-74c8-42fd-a286-a74b0e2939d8"), name: "Deploy - Configure diagnostic settings for Azure Kubernetes Service to Log Analytics workspace",
        initiative: false, effects: DEPLOY, acts: true, common: "",
        required: &["logAnalytics"],
        optional: &["diagnosticsSettingNameToUse", "AllMetrics", "kube-apiserver", "kube-audit", "kube-controller-manager", "kube-scheduler", "cluster-autoscaler", "kube-audit-admin", "guard", "cloud-controller-manager"] },
    Policy { id: uuid!("40f1aee2-4db4-4b74-acb1-c6972e24cca8"), name: "Configure Node OS Auto upgrade on Azure Kubernetes Cluster",
        initiative: false, effects: DEPLOY, acts: true, common: "",
        required: &[],
        optional: &["nodeOSUpgradeChannel"] },
    Policy { id: uuid!("e1352e44-d34d-4e4d-a22e-451a15f759a1"), name: "Deploy Planned Maintenance to schedule and control upgrades for your Azure Kubernetes Service (AKS) cluster",
        initiative: false, effects: DEPLOY_OR_AUDIT, acts: true, common: "",
        required: &["configurationType", "maintenanceWindow"],
        optional: &[] },
    Policy { id: uuid!("f9175d5f-abc8-1dc3-bd3c-5d7476ada3d1"), name: "Configure installation of Flux extension on Kubernetes cluster",
        initiative: false, effects: DEPLOY, acts: true, common: "",
        required: &[],
        optional: &["helmControllerEnabled", "notificationControllerEnabled", "imageAutomationController", "imageReflectorController", "releaseTrain", "autoUpgradeMinorVersion", "version"] },
    Policy { id: uuid!("83ea2fd1-9eaf-2f6d-f672-cd7b2ac798f6"), name: "Configure Kubernetes clusters with Flux v2 configuration using public Git repository",
        initiative: false, effects: DEPLOY, acts: true, common: "",
        required: &["configurationName", "repositoryUrl"],
        optional: &["configurationNamespace", "configurationScope", "repositoryTimeout", "repositorySyncInterval", "repositoryRefBranch", "repositoryRefTag", "repositoryRefSemver", "repositoryRefCommit", "kustomizationName", "kustomizationPath"] },
    Policy { id: uuid!("e56962a6-4747-49cd-b67b-bf8b01975c4c"), name: "Allowed locations",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &["listOfAllowedLocations"],
        optional: &[] },
    Policy { id: uuid!("e765b5de-1225-4ba3-bd56-1ac6695af988"), name: "Allowed locations for resource groups",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &["listOfAllowedLocations"],
        optional: &[] },
    Policy { id: uuid!("a08ec900-254a-4555-9bf5-e42af04b5c5c"), name: "Allowed resource types",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &["listOfResourceTypesAllowed"],
        optional: &[] },
    Policy { id: uuid!("6c112d4e-5bc7-47ae-a041-ea2d9dccd749"), name: "Not allowed resource types",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &["listOfResourceTypesNotAllowed"],
        optional: &[] },
    Policy { id: uuid!("871b6d14-10aa-478d-b590-94f262ecfa99"), name: "Require a tag on resources",
        initiative: false, effects: FIXED, acts: false, common: "",
        required: &["tagName"],
        optional: &[] },
    Policy { id: uuid!("96670d01-0a4d-4649-9c89-2d3abc0a5025"), name: "Require a tag on resource groups",
        initiative: false, effects: FIXED, acts: false, common: "",
        required: &["tagName"],
        optional: &[] },
    Policy { id: uuid!("cd3aa116-8754-49c9-a813-ad46512ece54"), name: "Inherit a tag from the resource group",
        initiative: false, effects: FIXED, acts: true, common: "",
        required: &["tagName"],
        optional: &[] },
    Policy { id: uuid!("ea3f2387-9b95-492a-a190-fcdc54f7b070"), name: "Inherit a tag from the resource group if missing",
        initiative: false, effects: FIXED, acts: true, common: "",
        required: &["tagName"],
        optional: &[] },
    Policy { id: uuid!("0b60c0b2-2dc2-4e1c-b5c9-abbed971de53"), name: "Key vaults should have deletion protection enabled",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d"), name: "Key vaults should have soft delete enabled",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("405c5871-3e91-4644-8a63-58e19d68ff5b"), name: "Azure Key Vault should disable public network access",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("55615ac9-af46-4a59-874e-391cc3dfb490"), name: "Azure Key Vault should have firewall enabled or public network access disabled",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &["restrictIPAddresses", "allowedIPAddresses", "forbiddenIPAddresses"] },
    Policy { id: uuid!("a6abeaec-4d90-4a02-805f-6b26c4d3fbe9"), name: "Azure Key Vaults should use private link",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &["audit_effect"] },
    Policy { id: uuid!("12d4fa5e-1f9f-4c21-97a9-b99b3c6611b5"), name: "Azure Key Vault should use RBAC permission model",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("ac673a9a-f77d-4846-b2d8-a57f8e1c01d4"), name: "Configure Azure Key Vaults to use private DNS zones",
        initiative: false, effects: DEPLOY, acts: true, common: "",
        required: &["privateDnsZoneId"],
        optional: &[] },
    Policy { id: uuid!("d0793b48-0edc-4296-a390-4c75d1bdfd71"), name: "Container registries should not allow unrestricted network access",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("e8eef0a8-67cf-4eb4-9386-14b0e78733d4"), name: "Container registries should use private link",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("dc921057-6b28-4fbe-9b83-f7bec05db6c2"), name: "Container registries should have local admin account disabled.",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("0fdf0491-d080-4575-b627-ad0e843cba0f"), name: "Public network access should be disabled for Container registries",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("404c3081-a854-4457-ae30-26a93ef643f9"), name: "Secure transfer to storage accounts should be enabled",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("b2982f36-99f2-4db5-8eff-283140c09693"), name: "Storage accounts should disable public network access",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("4fa4b6c0-31ca-4c0d-b10d-24b96f62a751"), name: "Storage account public access should be disallowed",
        initiative: false, effects: MIXED, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("fe83a0eb-a853-422d-aac2-1bffd182c5d0"), name: "Storage accounts should have the specified minimum TLS version",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &["minimumTlsVersion"] },
    Policy { id: uuid!("8c6a50c6-9ffd-4ae7-986f-5fa6111f9a54"), name: "Storage accounts should prevent shared key access",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("6edd7eda-6dd8-40f7-810d-67160c639cd9"), name: "Storage accounts should use private link",
        initiative: false, effects: EXISTS, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("1b8ca024-1d5c-4dec-8995-b1a932b41780"), name: "Public network access on Azure SQL Database should be disabled",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("b3a22bc9-66de-45fb-98fa-00f5df42f41a"), name: "Azure SQL Database should have Microsoft Entra-only authentication enabled",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("7698e800-9299-47a6-b3b6-5a0fee576eed"), name: "Private endpoint connections on Azure SQL Database should be enabled",
        initiative: false, effects: AUDIT, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("564feb30-bf6a-4854-b4bb-0d2d2d1e6c66"), name: "Web Application Firewall (WAF) should be enabled for Application Gateway",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("055aa869-bc98-4af8-bafc-23f1ab6ffe2c"), name: "Azure Web Application Firewall should be enabled for Azure Front Door entry-points",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("a4af4a39-4135-47fb-b175-47fbdf85311d"), name: "App Service apps should only be accessible over HTTPS",
        initiative: false, effects: CAPITAL, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("e71308d3-144b-4262-b144-efdc3cc90517"), name: "Subnets should be associated with a Network Security Group",
        initiative: false, effects: EXISTS, acts: false, common: "",
        required: &[],
        optional: &[] },
    Policy { id: uuid!("83a86a26-fd1f-447c-b59d-e51f44264114"), name: "Network interfaces should not have public IPs",
        initiative: false, effects: FIXED, acts: false, common: "",
        required: &[],
        optional: &[] },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_found_by_every_name_and_once() {
        for text in [
            "noPrivilegedContainers",
            "NOPRIVILEGEDCONTAINERS",
            "Kubernetes cluster should not allow privileged containers",
            "[Preview]: kubernetes cluster should not allow privileged containers",
            "95EDB821-DDAF-4404-9732-666045E056B4",
        ] {
            let id = builtin_policy(text).map(|policy| policy.id);
            assert_eq!(id, Some(uuid!("95edb821-ddaf-4404-9732-666045e056b4")), "{text}");
        }
        assert!(SHORT.iter().all(|(name, _)| builtin_policy(name).is_some()));
        let mut ids: Vec<Uuid> = POLICIES.iter().map(|policy| policy.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), POLICIES.len());
    }
}
