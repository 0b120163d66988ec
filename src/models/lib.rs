//! The typed request models of Azure, one API version each.
//!
//! Only the models are used: berth's own client sends what is built with them, and adds what is newer than they are.
//! The generated crates they come from hold the clients of whole services and take longer to compile than anything else
//! here. They are named in this crate alone.

/// AKS: managed clusters and their agent pools.
pub use azure_mgmt_containerservice::package_preview_2023_01::models as container_service;
/// Key Vault: vaults, access policies and secrets.
pub use azure_mgmt_keyvault::package_preview_2022_02::models as key_vault;
/// Networks: virtual networks, subnets and private endpoints.
pub use azure_mgmt_network::package_2024_03::models as network;
