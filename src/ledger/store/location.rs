//! What `--ledger` says, and the store that it names.

use super::credential::Bridge;
use super::holder::Holder;
use super::objects::{Bucket, MemoryObjects, ObjectError, Objects};
use super::{Error, ErrorKind, FileStore, RemoteStore, Store};
use crate::arm::{Cloud, TokenSource, protects_tokens, use_ring};
use crate::host::Clock;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Where ledgers are: a folder on this machine, or a folder in an object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder; a path or `file:///PATH`.
    Folder(PathBuf),
    /// The folder of the simulator's ledgers: their journals outlive the process and are not waited for until they are
    /// on the disk.
    Rehearsal(PathBuf),
    /// `azblob://ACCOUNT/CONTAINER/PREFIX`.
    Azure {
        /// The storage account.
        account: String,
        /// The container in it.
        container: String,
        /// The folder in that; may be empty.
        prefix: String,
    },
    /// `s3://BUCKET/PREFIX`.
    S3 {
        /// The bucket.
        bucket: String,
        /// The folder in it; may be empty.
        prefix: String,
    },
    /// `gs://BUCKET/PREFIX`.
    Google {
        /// The bucket.
        bucket: String,
        /// The folder in it; may be empty.
        prefix: String,
    },
    /// `memory:`, gone when the process ends.
    Memory,
}

/// The text names no place for ledgers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotALocation(String);

/// What opening a store takes from outside.
#[derive(Clone)]
pub struct Access {
    /// Signs in to Azure.
    pub token: Arc<dyn TokenSource>,
    /// Which Azure.
    pub cloud: Cloud,
    /// `AZURE_STORAGE_CONNECTION_STRING`, `AZURE_STORAGE_KEY`, `AWS_…` and `GOOGLE_…`.
    pub environment: BTreeMap<String, String>,
    /// Tells time.
    pub clock: Clock,
    /// Who this is.
    pub holder: Holder,
    /// How long a lock holds without being renewed.
    pub lease: Duration,
}

impl FromStr for Location {
    type Err = NotALocation;

    fn from_str(text: &str) -> Result<Self, NotALocation> {
        let wrong = |why: &str| {
            Err(NotALocation(format!(
                "{text}: {why}; write a folder, azblob://ACCOUNT/CONTAINER/PREFIX, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX"
            )))
        };
        if text.is_empty() {
            return wrong("no place for ledgers");
        }
        if text == "memory:" {
            return Ok(Location::Memory);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Location::Folder(PathBuf::from(text)));
        };
        let mut parts = rest.trim_end_matches('/').splitn(2, '/');
        let first = parts.next().unwrap_or_default().to_owned();
        let rest_of = parts.next().unwrap_or_default().to_owned();
        let plain = |name: &str| {
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        if scheme == "file" {
            return match rest.starts_with('/') {
                true => Ok(Location::Folder(PathBuf::from(rest))),
                false => wrong("a file URL has three slashes: file:///PATH"),
            };
        }
        if !matches!(scheme, "azblob" | "s3" | "gs") {
            return wrong("this kind of URL is not known");
        }
        if !plain(&first) {
            return wrong("its account or bucket is not a name");
        }
        Ok(match scheme {
            "azblob" => {
                let (container, prefix) = rest_of.split_once('/').unwrap_or((&rest_of, ""));
                // A dot would make more of the host, or lead out of the account's path.
                if first.contains('.') {
                    return wrong("its account is not a name");
                }
                if !plain(container) || container.contains('.') {
                    return wrong("it names no container");
                }
                let (container, prefix) = (container.to_owned(), prefix.to_owned());
                Location::Azure { account: first, container, prefix }
            }
            "s3" => Location::S3 { bucket: first, prefix: rest_of },
            _ => Location::Google { bucket: first, prefix: rest_of },
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, prefix) = match self {
            Location::Folder(path) | Location::Rehearsal(path) => return write!(f, "{}", path.display()),
            Location::Memory => return f.write_str("memory:"),
            Location::Azure { account, container, prefix } => {
                (format!("azblob://{account}/{container}"), prefix)
            }
            Location::S3 { bucket, prefix } => (format!("s3://{bucket}"), prefix),
            Location::Google { bucket, prefix } => (format!("gs://{bucket}"), prefix),
        };
        f.write_str(&base)?;
        if prefix.is_empty() { Ok(()) } else { write!(f, "/{prefix}") }
    }
}

impl Location {
    /// Opens the ledger of a blueprint. Nothing is read yet.
    ///
    /// # Errors
    /// When the settings for an object store cannot be used.
    pub fn open(&self, blueprint: &str, access: &Access) -> Result<Arc<dyn Store>, Error> {
        let objects: Arc<dyn Objects> = match self {
            Location::Folder(folder) => {
                return Ok(Arc::new(FileStore::new(folder, blueprint).held_by(access.holder.clone())));
            }
            Location::Rehearsal(folder) => {
                return Ok(Arc::new(FileStore::rehearsed(folder, blueprint).held_by(access.holder.clone())));
            }
            Location::Memory => Arc::new(MemoryObjects::new(access.clock.clone())),
            _ => {
                let (store, prefix) = self.bucket(access).map_err(|error| {
                    // Without the store's name in front, and without secrets: they are in no error of the builders.
                    let kind = ErrorKind::Remote(ObjectError::Other(error.to_string()));
                    Error { place: self.to_string(), kind }
                })?;
                let store = Arc::new(PrefixStore::new(store, prefix)) as Arc<dyn ObjectStore>;
                Arc::new(Bucket::new(store, self.to_string()))
            }
        };
        let (clock, holder) = (access.clock.clone(), access.holder.clone());
        Ok(Arc::new(RemoteStore::new(objects, blueprint, clock, holder, access.lease)))
    }

    fn bucket(&self, access: &Access) -> Result<(Arc<dyn ObjectStore>, &str), object_store::Error> {
        use_ring();
        // A renewal must be through, or have failed, while the lock still holds.
        let retry = RetryConfig {
            backoff: BackoffConfig { max_backoff: Duration::from_secs(5), ..BackoffConfig::default() },
            max_retries: 10,
            retry_timeout: access.lease / 2,
        };
        let options = || ClientOptions::new().with_timeout(access.lease / 2);
        let variables = |prefix: &'static str| {
            let of = access
                .environment
                .iter()
                .filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty());
            of.map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        };
        Ok(match self {
            Location::Azure { account, container, prefix } => {
                let settings = Storage::of(account, access);
                if !protects_tokens(&settings.endpoint) {
                    let endpoint = &settings.endpoint;
                    let why = format!(
                        "{endpoint} is neither HTTPS nor this machine: ledger and credentials would be readable on the way"
                    );
                    return Err(object_store::Error::NotSupported { source: why.into() });
                }
                let mut builder = MicrosoftAzureBuilder::new()
                    .with_account(account)
                    .with_container_name(container)
                    .with_client_options(options().with_allow_http(settings.endpoint.starts_with("http://")))
                    .with_endpoint(settings.endpoint)
                    .with_retry(retry);
                builder = match settings.key {
                    Some(key) => builder.with_access_key(key),
                    None => {
                        let bridge = Bridge::new(access.token.clone(), access.clock.clone());
                        builder.with_credentials(Arc::new(bridge))
                    }
                };
                (Arc::new(builder.build()?), prefix)
            }
            Location::S3 { bucket, prefix } => {
                let mut builder =
                    AmazonS3Builder::new().with_bucket_name(bucket).with_client_options(options());
                for (name, value) in variables("AWS_") {
                    if let Ok(key) = AmazonS3ConfigKey::from_str(&name) {
                        builder = builder.with_config(key, value);
                    }
                }
                (Arc::new(builder.with_retry(retry).build()?), prefix)
            }
            Location::Google { bucket, prefix } => {
                let mut builder =
                    GoogleCloudStorageBuilder::new().with_bucket_name(bucket).with_client_options(options());
                for (name, value) in variables("GOOGLE_") {
                    if let Ok(key) = GoogleConfigKey::from_str(&name) {
                        builder = builder.with_config(key, value);
                    }
                }
                (Arc::new(builder.with_retry(retry).build()?), prefix)
            }
            Location::Folder(_) | Location::Rehearsal(_) | Location::Memory => {
                return Err(object_store::Error::NotSupported { source: "it is not an object store".into() });
            }
        })
    }
}

/// How an Azure storage account is reached.
struct Storage {
    endpoint: String,
    /// Its key; without one berth signs in.
    key: Option<String>,
}

impl Storage {
    /// From the environment, where that speaks of this account; else from the cloud.
    fn of(account: &str, access: &Access) -> Self {
        let get = |name: &str| access.environment.get(name).filter(|value| !value.is_empty());
        let suffix = match access.cloud {
            Cloud::Public => "core.windows.net",
            Cloud::UsGov => "core.usgovcloudapi.net",
            Cloud::China => "core.chinacloudapi.cn",
        };
        let mut storage = Storage {
            endpoint: format!("https://{account}.blob.{suffix}"),
            key: get("AZURE_STORAGE_KEY").cloned(),
        };
        let Some(text) = get("AZURE_STORAGE_CONNECTION_STRING") else { return storage };
        // `NAME=VALUE;NAME=VALUE`; a key ends with `=` itself.
        let parts: BTreeMap<&str, &str> =
            text.split(';').filter_map(|part| part.trim().split_once('=')).collect();
        if parts.get("AccountName") != Some(&account) {
            return storage;
        }
        if let Some(key) = parts.get("AccountKey") {
            storage.key = Some((*key).to_owned());
        }
        if let Some(endpoint) = parts.get("BlobEndpoint") {
            storage.endpoint = endpoint.trim_end_matches('/').to_owned();
        } else if let Some(suffix) = parts.get("EndpointSuffix") {
            storage.endpoint = format!("https://{account}.blob.{suffix}");
        }
        storage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::StaticToken;

    #[test]
    fn locations_are_read_and_said_again() {
        for text in [
            "here",
            "./a/b",
            "memory:",
            "azblob://account/container",
            "azblob://account/container/a/b",
            "s3://bucket",
            "s3://bucket/a/b",
            "gs://bucket/a",
        ] {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), text);
        }
        assert_eq!("file:///a/b".parse(), Ok(Location::Folder("/a/b".into())));
        for (text, why) in [
            ("", "no place"),
            ("azblob://account", "no container"),
            ("azblob:///container", "not a name"),
            ("azblob://account.evil.example/container", "not a name"),
            ("azblob://account/../container", "no container"),
            ("azblob://account@evil/container", "not a name"),
            ("azblob://account/c?x=y", "no container"),
            ("s3://", "not a name"),
            ("s3://what?/x", "not a name"),
            ("http://account/container", "not known"),
            ("file://a/b", "three slashes"),
        ] {
            let error = text.parse::<Location>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    fn access(cloud: Cloud, environment: &[(&str, &str)]) -> Access {
        Access {
            token: Arc::new(StaticToken::new("t")),
            cloud,
            environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            clock: Clock::start(1.0),
            holder: Holder::this("host", None, None),
            lease: super::super::LEASE,
        }
    }

    #[tokio::test]
    async fn an_account_is_found_by_cloud_or_connection_string() {
        let local = "DefaultEndpointsProtocol=http;AccountName=dev;AccountKey=a2V5==;BlobEndpoint=http://127.0.0.1:1/dev/";
        for (cloud, environment, endpoint, key) in [
            (Cloud::Public, &[][..], "https://dev.blob.core.windows.net", None),
            (Cloud::UsGov, &[("AZURE_STORAGE_KEY", "")], "https://dev.blob.core.usgovcloudapi.net", None),
            (
                Cloud::China,
                &[("AZURE_STORAGE_KEY", "a2V5")],
                "https://dev.blob.core.chinacloudapi.cn",
                Some("a2V5"),
            ),
            (
                Cloud::Public,
                &[("AZURE_STORAGE_CONNECTION_STRING", local)],
                "http://127.0.0.1:1/dev",
                Some("a2V5=="),
            ),
            (
                Cloud::Public,
                &[("AZURE_STORAGE_CONNECTION_STRING", "AccountName=other;AccountKey=x")],
                "https://dev.blob.core.windows.net",
                None,
            ),
        ] {
            let storage = Storage::of("dev", &access(cloud, environment));
            assert_eq!((storage.endpoint.as_str(), storage.key.as_deref()), (endpoint, key));
        }
    }

    #[tokio::test]
    async fn every_kind_of_location_opens() {
        let access = access(
            Cloud::Public,
            &[("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")],
        );
        for text in ["folder", "memory:", "azblob://account/container/x", "s3://bucket/x"] {
            let store =
                text.parse::<Location>().unwrap().open("shop", &access).map_err(|error| error.to_string());
            assert!(store.unwrap().place().contains("shop"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_ledger_and_its_credentials_travel_encrypted_or_not_at_all() {
        for (endpoint, opens) in [
            ("https://dev.blob.example", true),
            ("http://127.0.0.1:1/dev", true),
            ("http://dev.blob.example", false),
            ("http://10.0.0.1:1/dev", false),
            ("http://localhost.evil.example/dev", false),
            ("http://127.0.0.1@evil.example/dev", false),
        ] {
            for key in ["", ";AccountKey=a2V5"] {
                let text = format!("AccountName=dev;BlobEndpoint={endpoint}{key}");
                let access = access(Cloud::Public, &[("AZURE_STORAGE_CONNECTION_STRING", &text)]);
                let location: Location = "azblob://dev/container".parse().unwrap();
                assert_eq!(location.open("shop", &access).is_ok(), opens, "{endpoint}");
            }
        }
    }
}
