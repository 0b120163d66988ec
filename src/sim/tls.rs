//! HTTPS for the simulator: a certificate authority made at start, and a listener that speaks TLS.

use crate::host::Timestamp;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;

/// How many connections may have shaken hands before somebody takes them.
const BACKLOG: usize = 64;

/// A certificate for this machine, and the authority that signed it.
///
/// Both are made anew at each start. Their keys never leave the process, so whoever finds the authority's
/// certificate on a disk can do nothing with it.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    authority: String,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// A certificate for `localhost`, the loopback addresses and `listen`, good for a year from `now`.
    ///
    /// # Errors
    /// When a key or a certificate cannot be made, which takes a broken source of randomness.
    pub fn new(listen: IpAddr, now: Timestamp) -> io::Result<Self> {
        let authority = authority(now).map_err(io::Error::other)?;
        let (key, leaf) = leaf(listen, now, &authority).map_err(io::Error::other)?;
        let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone(), authority.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { config: Arc::new(config), authority: authority.pem() })
    }

    /// The authority's certificate in PEM, for clients to trust.
    pub fn authority_pem(&self) -> &str {
        &self.authority
    }

    /// Accepts connections and shakes hands with each by itself: one that dawdles holds nobody up.
    pub(super) fn listen(&self, mut listener: TcpListener) -> io::Result<TlsListener> {
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(self.config.clone());
        let (ready, accepted) = mpsc::channel(BACKLOG);
        let accepting = tokio::spawn(async move {
            loop {
                // This one logs what goes wrong, and tries again.
                let (stream, peer) = axum::serve::Listener::accept(&mut listener).await;
                let (acceptor, ready) = (acceptor.clone(), ready.clone());
                tokio::spawn(async move {
                    match acceptor.accept(stream).await {
                        // When nobody takes it, the server is gone.
                        Ok(stream) => drop(ready.send((stream, peer)).await),
                        Err(error) => tracing::debug!(%error, %peer, "no TLS"),
                    }
                });
            }
        });
        Ok(TlsListener { accepted, address, accepting })
    }
}

fn authority(now: Timestamp) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = params(Vec::new(), "berth simulator CA", now)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn leaf(
    listen: IpAddr,
    now: Timestamp,
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> Result<(KeyPair, Certificate), rcgen::Error> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    if !names.contains(&listen.to_string()) {
        names.push(listen.to_string());
    }
    let mut params = params(names, "berth simulator", now)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    Ok((key, certificate))
}

/// What both certificates have: a name, and a time that every client accepts (some refuse more than 398 days).
fn params(names: Vec<String>, common: &str, now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    if let Ok(now) = OffsetDateTime::from_unix_timestamp(now.seconds() as i64) {
        params.not_before = now.saturating_sub(time::Duration::days(1));
        params.not_after = now.saturating_add(time::Duration::days(365));
    }
    Ok(params)
}

/// Gives connections that have shaken hands.
pub(super) struct TlsListener {
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    accepting: tokio::task::JoinHandle<()>,
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(connection) => connection,
            // The accepting task never ends by itself.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
