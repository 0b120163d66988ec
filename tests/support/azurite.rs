//! Azurite, Azure's own emulator of blob storage, when `BERTH_AZURITE` names its `blob/main.js`.

use azure_core::base64;
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The emulator's account and key are the same everywhere and published.
/// Source: <https://learn.microsoft.com/azure/storage/common/storage-use-azurite>.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A running emulator with one container; it goes with this value.
pub struct Azurite {
    program: PathBuf,
    folder: TempDir,
    child: Child,
    port: u16,
}

impl Azurite {
    /// Starts it; `None`, with a note, where there is none.
    #[expect(
        clippy::disallowed_methods,
        clippy::print_stderr,
        reason = "a test has neither settings nor reports"
    )]
    pub fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("BERTH_AZURITE").map(PathBuf::from) else {
            eprintln!("skipped: BERTH_AZURITE does not name Azurite's blob/main.js (`.ci/run ledgers` does)");
            return None;
        };
        let folder = TempDir::new().unwrap();
        let (child, port) = launch(&program, &folder, 0);
        let azurite = Azurite { program, folder, child, port };
        azurite.create_container("ledgers");
        Some(azurite)
    }

    /// Stops it, as a machine does that goes down.
    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was, with what it held.
    pub fn start_again(&mut self) {
        (self.child, self.port) = launch(&self.program, &self.folder, self.port);
    }

    /// What `--ledger` says for it.
    pub fn ledger(&self) -> String {
        format!("azblob://{ACCOUNT}/ledgers/a/b")
    }

    /// What `AZURE_STORAGE_CONNECTION_STRING` says for it.
    pub fn connection_string(&self) -> String {
        let port = self.port;
        format!("AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};")
    }

    /// The storage service has a request for this that the object store's client lacks: signed with the account's key.
    /// Source: <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>.
    fn create_container(&self, name: &str) {
        let headers = "x-ms-date:Sat, 21 Nov 2026 05:00:00 GMT\nx-ms-version:2021-12-02\n";
        let resource = format!("/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container");
        let text = format!("PUT{}{headers}{resource}", "\n".repeat(12));
        let signature = base64::encode(hmac(&base64::decode(KEY).unwrap(), text.as_bytes()));
        let headers = headers.replace(':', ": ").replace("05: 00: 00", "05:00:00").replace('\n', "\r\n");
        let request = format!(
            "PUT /{ACCOUNT}/{name}?restype=container HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             {headers}Authorization: SharedKey {ACCOUNT}:{signature}\r\nContent-Length: 0\r\n\r\n",
            self.port
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(program: &PathBuf, folder: &TempDir, port: u16) -> (Child, u16) {
    let mut command = Command::new("node");
    command.arg(program).args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
    command
        .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location"])
        .arg(folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.contains("successfully listens")).expect("Azurite starts");
    let port = line.rsplit(':').next().and_then(|port| port.trim().parse().ok()).unwrap();
    // What else it says must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (child, port)
}

/// HMAC-SHA256, RFC 2104, for keys of at most a block.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let pad =
        |byte: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or_default() ^ byte).collect() };
    let inner = Sha256::digest([pad(0x36), text.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).into()
}
