//! Azure's built-in roles by name (<https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>).
//!
//! Microsoft renames roles now and then; the GUID is what stays, and what an assignment is made of.

use uuid::Uuid;
use uuid::uuid;

/// The GUID of a built-in role, by its name in any case.
pub fn builtin_role(name: &str) -> Option<Uuid> {
    BUILTIN_ROLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, guid)| *guid)
}

/// The names and GUIDs of the roles that are known, by name.
pub const BUILTIN_ROLES: &[(&str, Uuid)] = &[
    ("AcrDelete", uuid!("c2f4ef07-c644-48eb-af81-4b1b4947fb11")),
    ("AcrImageSigner", uuid!("6cef56e8-d556-48e5-a04f-b8e64114680f")),
    ("AcrPull", uuid!("7f951dda-4ed3-4680-a7ca-43fe172d538d")),
    ("AcrPush", uuid!("8311e382-0749-4cb8-b61a-304f252e45ec")),
    ("App Configuration Data Owner", uuid!("5ae67dd6-50cb-40e7-96ff-dc2bfa4b606b")),
    ("App Configuration Data Reader", uuid!("516239f1-63e1-4d78-a4de-a74fb236a071")),
    ("AppGw for Containers Configuration Manager", uuid!("fbc52c3f-28ad-4303-a892-8a056630b8f1")),
    ("Azure Event Hubs Data Owner", uuid!("f526a384-b230-433a-b45c-95f59c4a2dec")),
    ("Azure Event Hubs Data Receiver", uuid!("a638d3c7-ab3a-418d-83e6-5f17a39d4fde")),
    ("Azure Event Hubs Data Sender", uuid!("2b629674-e913-4c01-ae53-ef4638d8f975")),
    ("Azure Kubernetes Service Cluster Admin Role", uuid!("0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8")),
    ("Azure Kubernetes Service Cluster Monitoring User", uuid!("1afdec4b-e479-420e-99e7-f82237c7c5e6")),
    ("Azure Kubernetes Service Cluster User Role", uuid!("4abbcc35-e782-43d8-92c5-2d3f1bd2253f")),
    ("Azure Kubernetes Service Contributor Role", uuid!("ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8")),
    ("Azure Kubernetes Service RBAC Admin", uuid!("3498e952-d568-435e-9b2c-8d77e338d7f7")),
    ("Azure Kubernetes Service RBAC Cluster Admin", uuid!("b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b")),
    ("Azure Kubernetes Service RBAC Reader", uuid!("7f6c6a51-bcf8-42ba-9220-52d62157d7db")),
    ("Azure Kubernetes Service RBAC Writer", uuid!("a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb")),
    ("Azure Service Bus Data Owner", uuid!("090c5cfd-751d-490a-894a-3ce6f1109419")),
    ("Azure Service Bus Data Receiver", uuid!("4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0")),
    ("Azure Service Bus Data Sender", uuid!("69a216fc-b8fb-44d8-bc22-1f3c2cd27a39")),
    ("CDN Endpoint Contributor", uuid!("426e0c7f-0c7e-4658-b36f-ff54d6c29b45")),
    ("CDN Profile Contributor", uuid!("ec156ff8-a8d1-4d15-830c-5b80698ca432")),
    ("Container Registry Repository Catalog Lister", uuid!("bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7")),
    ("Container Registry Repository Contributor", uuid!("2efddaa5-3f1f-4df3-97df-af3f13818f4c")),
    ("Container Registry Repository Reader", uuid!("b93aa761-3e63-49ed-ac28-beffa264f7ac")),
    ("Container Registry Repository Writer", uuid!("2a1e307c-b015-4ebd-883e-5b7698a07328")),
    ("Contributor", uuid!("b24988ac-6180-42a0-ab88-20f7382dd24c")),
    ("Disk Encryption Set Operator for Managed Disks", uuid!("136d308c-0937-4a49-9bd7-edfb42adbffc")),
    ("DNS Zone Contributor", uuid!("befefa01-2a29-4197-83a8-272ff33ce314")),
    ("DocumentDB Account Contributor", uuid!("5bd9cd88-fe45-4216-938b-f97437e15450")),
    ("Grafana Admin", uuid!("22926164-76b3-42b3-bc55-97df8dab3e41")),
    ("Grafana Editor", uuid!("a79a5197-3a5c-4973-a920-486035ffd60f")),
    ("Grafana Viewer", uuid!("60921a7e-fef1-4a43-9b16-a26c52ad4769")),
    ("Key Vault Administrator", uuid!("00482a5a-887f-4fb3-b363-3b7fe8e74483")),
    ("Key Vault Certificate User", uuid!("db79e9a7-68ee-4b58-9aeb-b90e7c24fcba")),
    ("Key Vault Certificates Officer", uuid!("a4417e6f-fecd-4de8-b567-7b0420556985")),
    ("Key Vault Contributor", uuid!("f25e0fa2-a7c8-4377-a976-54943a77a395")),
    ("Key Vault Crypto Officer", uuid!("14b46e9e-c2b7-41b4-b07b-48a6ebf60603")),
    ("Key Vault Crypto Service Encryption User", uuid!("e147488a-f6f5-4113-8e2d-b22465e65bf6")),
    ("Key Vault Crypto User", uuid!("12338af0-0e69-4776-bea7-57ae8d297424")),
    ("Key Vault Data Access Administrator", uuid!("8b54135c-b56d-4d72-a534-26097cfdc8d8")),
    ("Key Vault Purge Operator", uuid!("a68e7c17-0ab2-4c09-9a58-125dae29748c")),
    ("Key Vault Reader", uuid!("21090545-7ca7-4776-b22c-e363652d74d2")),
    ("Key Vault Secrets Officer", uuid!("b86a8fe4-44ce-4948-aee5-eccb2c155cd7")),
    ("Key Vault Secrets User", uuid!("4633458b-17de-408a-b874-0445c86b69e6")),
    ("Kubernetes Agentless Operator", uuid!("d5a2ae44-610b-4500-93be-660a0c5f5ca6")),
    ("Kubernetes Extension Contributor", uuid!("85cb6faf-e071-4c9b-8136-154b5a04f717")),
    ("Locks Contributor", uuid!("28bf596f-4eb7-45ce-b5bc-6cf482fec137")),
    ("Log Analytics Contributor", uuid!("92aaf0da-9dab-42b6-94a3-d43ce8d16293")),
    ("Log Analytics Reader", uuid!("73c42c96-874c-492b-b04d-ab87d138a893")),
    ("Managed Identity Contributor", uuid!("e40ec5ca-96e0-45a2-b4ff-59039f2c2b59")),
    ("Managed Identity Operator", uuid!("f1a07417-d97a-45cb-824c-7a7467783830")),
    ("Monitoring Contributor", uuid!("749f88d5-cbae-40b8-bcfc-e573ddc772fa")),
    ("Monitoring Data Reader", uuid!("b0d8363b-8ddd-447d-831f-62ca05bff136")),
    ("Monitoring Metrics Publisher", uuid!("3913510d-42f4-4e42-8a64-420c390055eb")),
    ("Monitoring Reader", uuid!("43d0d8ad-25c7-4714-9337-8ba259a9fe05")),
    ("Network Contributor", uuid!("4d97b98b-1d4f-4787-a291-c67834d212e7")),
    ("Owner", uuid!("8e3af657-a8ff-443c-a75c-2fe8c4bcb635")),
    ("Private DNS Zone Contributor", uuid!("b12aa53e-6015-4669-85d0-8515ebb3ae7f")),
    ("Reader", uuid!("acdd72a7-3385-48ef-bd42-f606fba81ae7")),
    ("Redis Cache Contributor", uuid!("e0f68234-74aa-48ed-b826-c38b57376e17")),
    ("Resource Policy Contributor", uuid!("36243c78-bf99-498c-9df9-86d9f8d28608")),
    ("Role Based Access Control Administrator", uuid!("f58310d9-a9f6-439a-9e8d-f62e7b41a168")),
    ("Security Reader", uuid!("39bc4728-0917-49c7-9d2c-d95423bc2eb4")),
    ("SQL DB Contributor", uuid!("9b7fa17d-e63e-47b0-bb0a-15c516ac86ec")),
    ("SQL Security Manager", uuid!("056cd41c-7e88-42e1-933e-88ba6a50c9c3")),
    ("SQL Server Contributor", uuid!("6d8ee4ec-f05a-4a1d-8b00-a9b17e38b437")),
    ("Storage Account Contributor", uuid!("17d1049b-9a84-46fb-8f53-869881c3d3ab")),
    ("Storage Blob Data Contributor", uuid!("ba92f5b4-2d11-453d-a403-e96b0029c9fe")),
    ("Storage Blob Data Owner", uuid!("b7e6dc6d-f1e8-4753-8033-0f276bb0955b")),
    ("Storage Blob Data Reader", uuid!("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1")),
    ("Storage File Data Privileged Contributor", uuid!("69566ab7-960f-475b-8e7c-b3118f30c6bd")),
    ("Storage File Data SMB Share Contributor", uuid!("0c867c2a-1d8c-454a-a3db-ab2ea1bdc8bb")),
    ("Storage Queue Data Contributor", uuid!("974c5e8b-45b9-4653-ba55-5f855dd0fb88")),
    ("Storage Table Data Contributor", uuid!("0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3")),
    ("Tag Contributor", uuid!("4a9ae827-6dc8-4573-8ac7-8239d42aa03f")),
    ("User Access Administrator", uuid!("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9")),
    ("Virtual Machine Contributor", uuid!("9980e02c-c2be-4d73-94e8-173b1dc7cf3c")),
    ("Web Plan Contributor", uuid!("2cc479cb-7b4d-49a8-b449-8c00fd0f0a4b")),
    ("Website Contributor", uuid!("de139f84-1756-47ae-9be6-808fbbe84772")),
];

/// What each role allows, in the same order.
pub const ABOUT: &[(&str, &str)] = &[
    ("AcrDelete", "delete images and repositories"),
    ("AcrImageSigner", "sign images"),
    ("AcrPull", "pull images: the nodes of a cluster (`attach` of a registry gives it)"),
    ("AcrPush", "push and pull images: a build pipeline"),
    ("App Configuration Data Owner", "read and change settings in a store"),
    ("App Configuration Data Reader", "read settings in a store"),
    (
        "AppGw for Containers Configuration Manager",
        "set up Application Gateway for Containers: its controller",
    ),
    ("Azure Event Hubs Data Owner", "send, receive and manage events"),
    ("Azure Event Hubs Data Receiver", "receive events"),
    ("Azure Event Hubs Data Sender", "send events"),
    ("Azure Kubernetes Service Cluster Admin Role", "fetch the credentials of a cluster's administrator"),
    ("Azure Kubernetes Service Cluster Monitoring User", "fetch the credentials of a cluster for monitoring"),
    ("Azure Kubernetes Service Cluster User Role", "fetch the credentials of a cluster's users"),
    ("Azure Kubernetes Service Contributor Role", "change clusters and their pools in Azure"),
    ("Azure Kubernetes Service RBAC Admin", "manage what is in a namespace, roles and quotas aside"),
    ("Azure Kubernetes Service RBAC Cluster Admin", "do everything inside a cluster"),
    ("Azure Kubernetes Service RBAC Reader", "see most of what is in a namespace, secrets aside"),
    ("Azure Kubernetes Service RBAC Writer", "change most of what is in a namespace"),
    ("Azure Service Bus Data Owner", "send, receive and manage messages"),
    ("Azure Service Bus Data Receiver", "receive messages"),
    ("Azure Service Bus Data Sender", "send messages"),
    ("CDN Endpoint Contributor", "change endpoints of Front Door and CDN"),
    ("CDN Profile Contributor", "change profiles of Front Door and CDN with their endpoints"),
    (
        "Container Registry Repository Catalog Lister",
        "list the repositories of a registry with permissions by repository",
    ),
    ("Container Registry Repository Contributor", "pull, push and delete in repositories, by conditions"),
    ("Container Registry Repository Reader", "pull from repositories, by conditions"),
    ("Container Registry Repository Writer", "pull and push in repositories, by conditions"),
    ("Contributor", "change and delete everything, but not assign roles"),
    ("Disk Encryption Set Operator for Managed Disks", "encrypt disks with a disk encryption set"),
    ("DNS Zone Contributor", "change public DNS zones and their records"),
    ("DocumentDB Account Contributor", "change Cosmos DB accounts"),
    ("Grafana Admin", "do everything in a Grafana workspace"),
    ("Grafana Editor", "change dashboards in a Grafana workspace"),
    ("Grafana Viewer", "see dashboards in a Grafana workspace"),
    ("Key Vault Administrator", "do everything with secrets, keys and certificates"),
    ("Key Vault Certificate User", "read certificates with their private keys"),
    ("Key Vault Certificates Officer", "do everything with certificates"),
    ("Key Vault Contributor", "change vaults in Azure, without reading what is in them"),
    ("Key Vault Crypto Officer", "do everything with keys"),
    (
        "Key Vault Crypto Service Encryption User",
        "wrap and unwrap keys: a service that encrypts with yours, such as a disk encryption set",
    ),
    ("Key Vault Crypto User", "encrypt, decrypt and sign with keys: KMS of a cluster"),
    ("Key Vault Data Access Administrator", "give the data roles of vaults, and no others"),
    ("Key Vault Purge Operator", "purge deleted vaults"),
    ("Key Vault Reader", "see what is in a vault, without values"),
    ("Key Vault Secrets Officer", "do everything with secrets"),
    (
        "Key Vault Secrets User",
        "read the values of secrets: an application, the secrets provider of a cluster",
    ),
    ("Kubernetes Agentless Operator", "let Defender look into clusters without an agent"),
    ("Kubernetes Extension Contributor", "make, change and delete extensions and Flux configurations"),
    ("Locks Contributor", "make and delete locks"),
    ("Log Analytics Contributor", "change workspaces and what is collected in them"),
    ("Log Analytics Reader", "read logs and how they are collected"),
    ("Managed Identity Contributor", "make, change and delete identities and federated credentials"),
    (
        "Managed Identity Operator",
        "let something act as an identity: the control plane of a cluster on its kubelet's identity",
    ),
    ("Monitoring Contributor", "read monitoring data and change how it is collected"),
    ("Monitoring Data Reader", "read Prometheus metrics of a workspace"),
    ("Monitoring Metrics Publisher", "send metrics and logs to collection rules"),
    ("Monitoring Reader", "read monitoring data"),
    ("Network Contributor", "change networks and use their subnets: the control plane of a cluster"),
    ("Owner", "do everything, and assign every role"),
    ("Private DNS Zone Contributor", "change private DNS zones: a cluster with a private API server"),
    ("Reader", "see everything, secrets aside"),
    ("Redis Cache Contributor", "change caches"),
    ("Resource Policy Contributor", "make policies and assign them"),
    ("Role Based Access Control Administrator", "give every role, and change nothing else"),
    ("Security Reader", "see what Defender for Cloud finds"),
    ("SQL DB Contributor", "change databases, but not who may sign in"),
    ("SQL Security Manager", "change auditing and threat detection of SQL servers"),
    ("SQL Server Contributor", "change SQL servers and databases, but not who may sign in"),
    ("Storage Account Contributor", "change storage accounts and fetch their keys"),
    ("Storage Blob Data Contributor", "read, write and delete blobs: a ledger in blob storage"),
    ("Storage Blob Data Owner", "do everything with blobs, ownership included"),
    ("Storage Blob Data Reader", "read blobs"),
    ("Storage File Data Privileged Contributor", "read and write files whatever their own permissions say"),
    ("Storage File Data SMB Share Contributor", "read, write and delete files of a share"),
    ("Storage Queue Data Contributor", "read, write and delete messages of queues"),
    ("Storage Table Data Contributor", "read, write and delete entities of tables"),
    ("Tag Contributor", "change tags"),
    ("User Access Administrator", "give every role, and manage access otherwise"),
    (
        "Virtual Machine Contributor",
        "change virtual machines and scale sets: pod identity on the group of the nodes",
    ),
    ("Web Plan Contributor", "change App Service plans"),
    ("Website Contributor", "change web apps"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_guids_are_unique_and_in_order() {
        let names: Vec<_> = BUILTIN_ROLES.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        assert!(names.is_sorted_by(|a, b| a < b));
        let told: Vec<_> = ABOUT.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        assert_eq!(told, names);
        let guids: BTreeSet<_> = BUILTIN_ROLES.iter().map(|(_, guid)| guid).collect();
        assert_eq!(guids.len(), BUILTIN_ROLES.len());
    }

    #[test]
    fn names_are_found_in_any_case() {
        let guid = builtin_role("key vault secrets user").map(|guid| guid.to_string());
        assert_eq!(guid.as_deref(), Some("4633458b-17de-408a-b874-0445c86b69e6"));
        assert_eq!(builtin_role("Key Vault Secrets"), None);
    }
}
