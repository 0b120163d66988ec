//! Canaries: a secret of its own in every place that takes one, looked for in every sink, in every form.
//!
//! The short form plays each sink once, with all the canaries in one blueprint. The long form (`.ci/run canaries`) does so
//! with secrets of many kinds, and prints how much was looked at. Every field of every kind, as the registry has them, is
//! in `canary_fields`.

use crate::support::{Berth, Server};
use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use berth::value::Flag;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::process::Output;

const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  tenant: 5ab5c819-0000-4000-8000-000000000002
  location: westeurope
  resourceGroup: rg-example
";

/// How a secret comes to berth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `-p`.
    Argument,
    /// A values file.
    File,
    /// The environment.
    Environment,
    /// It stands in the blueprint itself: as a default, or in a field that takes a secret.
    Literal,
}

/// Every place that takes a secret: its name, which is the parameter's, how it comes, and how it is declared.
const PLACES: &[(&str, Way, &str)] = &[
    ("vault", Way::Argument, "type: string, secret: true"),
    ("vaultEnvironment", Way::Environment, "type: string, secret: true, env: CANARY_VAULT"),
    ("vaultInside", Way::File, "type: string, secret: true"),
    ("windows", Way::Argument, "type: string, secret: true"),
    ("principal", Way::File, "type: string, secret: true"),
    ("httpsKey", Way::Argument, "type: string, secret: true"),
    ("sshKey", Way::Argument, "type: string, secret: true"),
    ("bucket", Way::File, "type: string, secret: true"),
    ("blobKey", Way::Argument, "type: string, secret: true"),
    ("blobSas", Way::Argument, "type: string, secret: true"),
    ("blobSecret", Way::Argument, "type: string, secret: true"),
    ("blobCertificate", Way::Argument, "type: string, secret: true"),
    ("blobCertificatePassword", Way::File, "type: string, secret: true"),
    ("ociKey", Way::Argument, "type: string, secret: true"),
    ("serverApp", Way::Argument, "type: string, secret: true"),
    ("joined", Way::Argument, "type: string, secret: true"),
    ("formatted", Way::File, "type: string, secret: true"),
    ("marshalled", Way::Argument, "type: string, secret: true"),
    ("chosen", Way::Argument, "type: string, secret: true"),
    ("writeOnly", Way::Argument, "type: string, secret: true"),
    ("shown", Way::Argument, "type: string, secret: true"),
    ("shownInside", Way::File, "type: string, secret: true"),
    ("listed", Way::Argument, "type: string, secret: true"),
    ("tag", Way::Environment, "type: string, secret: true, env: CANARY_TAG"),
    ("url", Way::Argument, "type: string, secret: true"),
    ("connection", Way::File, "type: string, secret: true"),
    ("conditional", Way::Argument, "type: string, secret: true"),
    ("repeated", Way::Argument, "type: string, secret: true"),
    ("module", Way::Argument, "type: string, secret: true"),
    ("moduleShown", Way::File, "type: string, secret: true"),
    ("output", Way::Argument, "type: string, secret: true"),
    ("unused", Way::Argument, "type: string, secret: true"),
    ("sqlPassword", Way::Argument, "type: string, secret: true"),
    ("appSetting", Way::File, "type: string, secret: true"),
    ("slotSetting", Way::Argument, "type: string, secret: true"),
    ("webhook", Way::File, "type: string, secret: true"),
    ("default", Way::Literal, "type: string, secret: true"),
    ("literal", Way::Literal, ""),
    ("literalUrl", Way::Literal, ""),
];

/// Every sink that berth has.
const SINKS: &[&str] = &[
    "validate",
    "validate with a policy",
    "graph for Graphviz",
    "graph in Mermaid",
    "plan for people",
    "plan in JSON",
    "plan in Markdown",
    "plan in HTML",
    "plan with a policy",
    "plan that changes",
    "saved plan",
    "saved plan, refused",
    "apply of a saved plan",
    "apply: progress",
    "apply: summary",
    "apply: what Azure says, echoing secrets",
    "log",
    "trace",
    "ledger and its history",
    "journal",
    "ledger show",
    "ledger history",
    "output for people",
    "output in JSON",
    "kubeconfig",
    "kubeconfig in a file",
    "manifests",
    "drift for people",
    "drift in JSON",
    "drift in Markdown",
    "drift in HTML",
    "drift in JUnit",
    "drift in SARIF",
    "drift of what secrets fed",
    "diagnostics of values files",
    "diagnostics of arguments",
    "usage",
    "destroy",
    "record of the simulator",
];

fn blueprint(secrets: &BTreeMap<&str, String>, open: bool) -> String {
    let quoted = |name: &str| serde_json::Value::from(secrets[name].as_str()).to_string();
    let mut text = format!("{HEAD}parameters:\n  kind: {{ default: prod }}\n");
    for (name, way, declared) in PLACES {
        match way {
            Way::Literal if declared.is_empty() || !open => {}
            Way::Literal => {
                text.push_str(&format!("  {name}: {{ {declared}, default: {} }}\n", quoted(name)))
            }
            _ => text.push_str(&format!("  {name}: {{ {declared} }}\n")),
        }
    }
    text.push_str(
        "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets: { nodes: { prefix: 10.20.0.0/20 } }
    tags: { note: '${param.tag}' }
identities:
  api:
    name: id-example
    tags: { note: '${param.tag}' }
    federatedCredentials: { api: { issuer: '${clusters.aks.oidcIssuerUrl}', serviceAccount: orders/api } }
roleAssignments:
  api: { principal: '${identities.api}', role: Key Vault Secrets User, scope: '${keyVaults.secrets}' }
keyVaults:
  secrets:
    name: kv-example-1
    authorization: rbac
    protect: false
    secrets:
      one: { value: '${param.vault}' }
      two: { value: '${param.vaultEnvironment}' }
      three: { value: 'before-${param.vaultInside}-after' }
sqlServers:
  orders:
    name: sql-canary
    protect: false
    adminLogin: boss
    adminPassword: '${param.sqlPassword}'
containerRegistries:
  images:
    name: crcanary
    protect: false
    webhooks: { pushed: { url: 'https://ci.example.com/?code=${param.webhook}', actions: [push] } }
appServicePlans:
  web: { name: asp-example, sku: S1 }
webApps:
  shop:
    name: app-canary
    plan: '${appServicePlans.web}'
    appSettings: { KEY: '${param.appSetting}', TEXT: 'a-${param.appSetting}-b' }
    slots:
      blue: { appSettings: { KEY: '${param.slotSetting}' } }
clusters:
  aks:
    name: aks-example
    protect: false
    subnet: ${networks.hub.subnets.nodes}
    windows: { adminUsername: azureuser, adminPassword: '${param.windows}' }
    oidcIssuer: true
    workloadIdentity: true
    aad: {}
    addons:
      keyVaultSecretsProvider: { rotation: true }
      flux:
        configurations:
          https: { namespace: a, git: { url: 'https://example.com/a', branch: main, httpsUser: u, httpsKey: '${param.httpsKey}' }, kustomizations: { k: {} } }
          ssh: { namespace: b, git: { url: 'ssh://git@example.com/b', branch: main, sshPrivateKey: '${param.sshKey}' }, kustomizations: { k: {} } }
          bucket: { namespace: c, bucket: { url: 'https://example.com', name: b, accessKey: id, secretKey: '${param.bucket}' }, kustomizations: { k: {} } }
          blobkey: { namespace: d, azureBlob: { url: 'https://example.blob.core.windows.net', container: b, accountKey: '${param.blobKey}' }, kustomizations: { k: {} } }
          blobsas: { namespace: e, azureBlob: { url: 'https://example.blob.core.windows.net', container: b, sasToken: '${param.blobSas}' }, kustomizations: { k: {} } }
          blobsp: { namespace: f, azureBlob: { url: 'https://example.blob.core.windows.net', container: b }, kustomizations: { k: {} }, properties: { azureBlob: { servicePrincipal: { clientId: 5ab5c819-0000-4000-8000-00000000abcd, tenantId: 5ab5c819-0000-4000-8000-00000000abcd, clientSecret: '${param.blobSecret}', clientCertificate: '${param.blobCertificate}', clientCertificatePassword: '${param.blobCertificatePassword}' } } } }
          oci: { namespace: g, oci: { url: 'oci://example.azurecr.io/x', tag: latest }, kustomizations: { k: {} }, properties: { ociRepository: { tlsConfig: { privateKey: '${param.ociKey}' } } } }
    nodePools:
      system: { mode: System, count: 1 }
  principal:
    name: aks-principal
    protect: false
    subnet: ${networks.hub.subnets.nodes}
    servicePrincipal: { clientId: 5ab5c819-0000-4000-8000-00000000abcd, secret: '${param.principal}' }
    properties: { aadProfile: { serverAppSecret: '${param.serverApp}' } }
    nodePools:
      system: { mode: System, count: 1 }
modules:
  inner:
    include: ./inner.yaml
    parameters: { given: '${param.module}', shown: '${param.moduleShown}' }
resources:
  server:
    name: sql-example
    type: Microsoft.Sql/servers
    apiVersion: '2023-08-01'
    writeOnly: [properties.administratorLoginPassword]
    body:
      location: westeurope
      properties: { administratorLogin: boss, administratorLoginPassword: '${param.writeOnly}' }
  site:
    name: app-example
    type: Microsoft.Web/sites
    apiVersion: '2023-12-01'
    body:
      location: westeurope
      properties:
        greeting: '${param.shown}'
        inside: 'hello ${param.shownInside}!'
        list: [x, '${param.listed}']
        objects: [{ name: a, value: '${param.conditional}' }, { value: '${param.repeated}' }, { other: '${param.repeated}' }]
        joined: '${[\"x\", param.joined] | join(\"-\")}'
        formatted: '${\"<%s>\" | format(param.formatted)}'
        marshalled: '${{\"a\": param.marshalled} | tojson}'
        chosen: '${param.chosen if param.kind == \"prod\" else [param.chosen]}'
        repository: 'https://user:${param.url}@example.com/x'
        connection: 'Server=x;User=u;Password=${param.connection};Y=z'
",
    );
    if open {
        text.push_str(&format!(
            "  open:
    name: sql-open
    type: Microsoft.Sql/servers
    apiVersion: '2023-08-01'
    writeOnly: [properties.administratorLoginPassword]
    body:
      location: westeurope
      properties: {{ administratorLogin: boss, administratorLoginPassword: {}, note: '${{param.default}}' }}
  cloned:
    name: app-cloned
    type: Microsoft.Web/sites
    apiVersion: '2023-12-01'
    body:
      location: westeurope
      properties: {{ repository: 'https://user:{}@example.com/x' }}
",
            quoted("literal"),
            percent(&secrets["literalUrl"], true)
        ));
    }
    text.push_str("outputs:\n  plain: hello\n  echoed: '${resources.site.properties.greeting}'\n  password: '${param.output}'\n  inside: 'x ${param.output} y'\n");
    text
}

const INNER: &str = "\
parameters:
  given: { type: string, secret: true }
  shown: { type: string, secret: true }
keyVaults:
  inner:
    name: kv-inner-1
    protect: false
    secrets: { one: { value: '${param.given}' } }
resources:
  site:
    name: app-inner
    type: Microsoft.Web/sites
    apiVersion: '2023-12-01'
    body: { location: westeurope, properties: { greeting: 'hello ${param.shown}' } }
outputs:
  shown: '${param.shown}'
";

fn percent(text: &str, upper: bool) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        })
        .collect()
}

/// The forms in which a secret is looked for, by their names.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let xml = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = xml.replace('"', "&quot;").replace('\'', "&#39;");
    let numbers: String = secret
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_string() } else { format!("&#{};", u32::from(c)) })
        .collect();
    let unicode: String = secret
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_string() } else { format!("\\u{:04X}", u32::from(c)) })
        .collect();
    let hash = Sha256::digest(secret.as_bytes());
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut all = vec![
        ("raw", secret.to_owned()),
        ("JSON", json.clone()),
        ("JSON in JSON", json.replace('\\', "\\\\").replace('"', "\\\"")),
        ("JSON, all escaped", unicode),
        ("URL", percent(secret, true)),
        ("URL in lower case", percent(secret, false)),
        ("URL in a URL", percent(&percent(secret, true), true)),
        ("XML", xml),
        ("HTML", html),
        ("HTML by numbers", numbers),
        ("hex", hex(secret.as_bytes())),
        ("hex in upper case", hex(secret.as_bytes()).to_uppercase()),
        ("SHA-256", hex(&hash)),
        ("SHA-256 in Base64", STANDARD.encode(hash)),
        ("bytes", format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned()),
    ];
    for (name, engine) in [("Base64", &STANDARD), ("Base64 for URLs", &URL_SAFE)] {
        for skip in 0..3 {
            let rest = &secret.as_bytes()[skip..];
            all.push((name, engine.encode(&rest[..rest.len() / 3 * 3])));
        }
    }
    // A form that is like another, or so short that it may be there by chance, tells nothing.
    all.retain(|(name, form)| form.len() >= 8 && (*name == "raw" || form != secret));
    all
}

/// What is looked for, and what was looked at.
pub(crate) struct Watch {
    names: Vec<String>,
    search: AhoCorasick,
    pub(crate) found: Vec<String>,
    pub(crate) sinks: BTreeMap<&'static str, usize>,
    pub(crate) forms: usize,
}

impl Watch {
    /// Looks for secrets, each of which has a name.
    pub(crate) fn new<'a>(
        secrets: impl IntoIterator<Item = (&'a (impl std::fmt::Display + 'a), &'a String)>,
    ) -> Self {
        let (mut names, mut texts, mut most) = (Vec::new(), Vec::new(), 0);
        for (place, secret) in secrets {
            let all = forms(secret);
            most = most.max(all.len());
            for (name, form) in all {
                names.push(format!("{place} as {name}"));
                texts.push(form);
            }
        }
        // What folds the case of a name folds that of a secret.
        let search = AhoCorasick::builder().ascii_case_insensitive(true).build(texts).unwrap();
        Watch { names, search, found: Vec::new(), sinks: BTreeMap::new(), forms: most }
    }

    pub(crate) fn look(&mut self, sink: &'static str, bytes: &[u8]) {
        assert!(SINKS.contains(&sink), "{sink}");
        *self.sinks.entry(sink).or_default() += bytes.len();
        for hit in self.search.find_overlapping_iter(bytes) {
            let from = hit.start().saturating_sub(60);
            let around =
                String::from_utf8_lossy(&bytes[from..(hit.end() + 60).min(bytes.len())]).into_owned();
            let told = format!("{} in {sink}: …{around}…", self.names[hit.pattern().as_usize()]);
            if self.found.len() < 40 && !self.found.contains(&told) {
                self.found.push(told);
            }
        }
        let text = String::from_utf8_lossy(bytes);
        let leaks =
            text.contains('\u{fdd0}') && !matches!(sink, "ledger and its history" | "journal" | "saved plan");
        if leaks {
            self.found.push(format!("a token of berth's own in {sink}"));
        }
    }
}

/// A folder with a blueprint, and the ways in.
struct Cage {
    berth: Berth,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

impl Cage {
    fn new(secrets: &BTreeMap<&'static str, String>, open: bool) -> Self {
        let berth = Berth::new().blueprint(&blueprint(secrets, open));
        berth.write("inner.yaml", INNER.as_bytes());
        berth.write("tell.rego", b"package tell\nwarn contains msg if { msg := json.marshal(input) }\n");
        let (mut arguments, mut environment) = (Vec::new(), Vec::new());
        let mut values = String::from("# of production\n");
        for (name, way, declared) in PLACES {
            let secret = &secrets[name];
            match way {
                Way::Argument => arguments.extend(["-p".to_owned(), format!("{name}={secret}")]),
                Way::File => {
                    values.push_str(&format!("{name}: {}\n", serde_json::Value::from(secret.as_str())))
                }
                Way::Environment => {
                    let variable = declared.rsplit(' ').next().unwrap();
                    environment.push((variable, secret.clone()));
                }
                Way::Literal => {}
            }
        }
        berth.write("values.yaml", values.as_bytes());
        arguments.extend(["--values".to_owned(), "values.yaml".to_owned()]);
        Cage { berth, arguments, environment }
    }

    fn run(&self, args: &[&str], codes: &[i32]) -> Output {
        let mut command = self.berth.command(args.iter().copied());
        command.args(&self.arguments).envs(self.environment.iter().cloned());
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code().is_some_and(|code| codes.contains(&code)),
            "{args:?}: {:?} {told}",
            output.status
        );
        output
    }

    /// Looks at both outputs.
    fn look(&self, watch: &mut Watch, sink: &'static str, args: &[&str], codes: &[i32]) {
        let output = self.run(args, codes);
        watch.look(sink, &output.stdout);
        watch.look(sink, &output.stderr);
    }

    /// Looks at every file whose path has a part, but not at what was put there, nor at what plays Azure.
    fn look_at_files(&self, watch: &mut Watch, sink: &'static str, part: &str) {
        let given = ["blueprint.yaml", "values.yaml", "faults.yaml", "sim.json", "served.json"];
        for (path, bytes) in self.berth.files() {
            let name = path.file_name().unwrap().to_str().unwrap();
            if !given.contains(&name) && path.to_str().unwrap().contains(part) {
                watch.look(sink, &bytes);
            }
        }
    }
}

/// Lets canaries loose at every sink.
fn play(secrets: &BTreeMap<&'static str, String>) -> Watch {
    let mut watch = Watch::new(secrets);
    let b = "blueprint.yaml";
    let cage = Cage::new(secrets, true);
    let w = &mut watch;
    cage.look(w, "validate", &["validate", b], &[0]);
    cage.look(w, "validate with a policy", &["validate", b, "--policy", "tell.rego"], &[0]);
    cage.look(w, "graph for Graphviz", &["graph", b, "--sim"], &[0]);
    cage.look(w, "graph in Mermaid", &["graph", b, "--sim", "--format", "mermaid"], &[0]);
    for (sink, format) in [
        ("plan for people", "human"),
        ("plan in JSON", "json"),
        ("plan in Markdown", "markdown"),
        ("plan in HTML", "html"),
    ] {
        cage.look(w, sink, &["plan", b, "--sim", "--format", format], &[2]);
    }
    cage.look(w, "plan with a policy", &["plan", b, "--sim", "--policy", "tell.rego"], &[2]);
    cage.look(w, "saved plan, refused", &["plan", b, "--sim", "--out", "open.plan"], &[1]);
    // Azure refuses what it got, and says all of it in every form.
    cage.berth.write("faults.yaml", echo(secrets).as_bytes());
    let faulty = [
        "apply",
        b,
        "--sim",
        "--auto-approve",
        "--faults",
        "faults.yaml",
        "--trace-http",
        "echo.jsonl",
        "-vvv",
    ];
    let output = cage.run(&faulty, &[3]);
    w.look("apply: what Azure says, echoing secrets", &output.stdout);
    w.look("apply: what Azure says, echoing secrets", &output.stderr);
    let output = cage.run(&["apply", b, "--sim", "--auto-approve", "--trace-http", "trace.jsonl"], &[0]);
    w.look("apply: progress", &output.stderr);
    w.look("apply: summary", &output.stdout);
    let output = cage.run(&["plan", b, "--sim", "-v", "-v", "-v", "--trace-http", "read.jsonl"], &[0, 2]);
    w.look("log", &output.stderr);
    cage.look_at_files(w, "trace", ".jsonl");
    cage.look(w, "output for people", &["output", b, "--sim"], &[0]);
    cage.look(w, "output in JSON", &["output", b, "--sim", "--format", "json"], &[0]);
    cage.look(w, "kubeconfig", &["kubeconfig", b, "--sim", "--cluster", "aks"], &[0]);
    cage.look(w, "kubeconfig", &["kubeconfig", b, "--sim"], &[1]);
    for (file, more) in [("own.kubeconfig", &[][..]), ("admin.kubeconfig", &["--admin"])] {
        let args = ["kubeconfig", b, "--sim", "--cluster", "aks", "--out", file];
        cage.look(w, "kubeconfig in a file", &[&args[..], more].concat(), &[0]);
    }
    cage.look_at_files(w, "kubeconfig in a file", ".kubeconfig");
    let manifests = cage.run(&["manifests", b, "--sim", "--cluster", "aks"], &[0]);
    let text = String::from_utf8_lossy(&manifests.stdout).into_owned();
    assert!(text.contains("ServiceAccount") && text.contains("SecretProviderClass"), "{text}");
    w.look("manifests", &manifests.stdout);
    w.look("manifests", &manifests.stderr);
    let reports = ["--report", "junit=drift.junit", "--report", "sarif=drift.sarif"];
    for (sink, format) in [
        ("drift for people", "human"),
        ("drift in JSON", "json"),
        ("drift in Markdown", "markdown"),
        ("drift in HTML", "html"),
    ] {
        cage.look(w, sink, &[&["drift", b, "--sim", "--format", format], &reports[..]].concat(), &[0]);
    }
    cage.look_at_files(w, "drift in JUnit", "drift.junit");
    cage.look_at_files(w, "drift in SARIF", "drift.sarif");
    // What secrets fed is changed outside: what is there now looks like one of them.
    let state = cage.berth.read(".berth/sim.json");
    cage.berth.write(".berth/sim.json", state.replace("hello ", "goodbye ").as_bytes());
    cage.look(w, "drift of what secrets fed", &[&["drift", b, "--sim"], &reports[..]].concat(), &[2]);
    cage.look(w, "plan that changes", &["plan", b, "--sim"], &[2]);
    cage.look(w, "plan that changes", &["plan", b, "--sim", "--format", "json"], &[2]);
    cage.look(w, "ledger show", &["ledger", "show", b, "--sim", "--format", "json"], &[0]);
    cage.look(w, "ledger show", &["ledger", "show", b, "--sim"], &[0]);
    cage.look(w, "ledger history", &["ledger", "history", b, "--sim"], &[0]);
    // A run that dies leaves its journal.
    let mut dying = cage.berth.command(["apply", b, "--sim", "--auto-approve"]);
    dying.args(&cage.arguments).envs(cage.environment.iter().cloned()).env("BERTH_CRASH_AT", "9");
    let output = dying.output().unwrap();
    w.look("journal", &output.stderr);
    cage.look_at_files(w, "journal", ".ledgers");
    cage.look(w, "destroy", &["destroy", b, "--sim", "--auto-approve"], &[0]);
    cage.look_at_files(w, "ledger and its history", ".ledgers");
    // What is wrong is told without what it is about.
    let wrong =
        blueprint(secrets, true).replace("secret: true }", "secret: true, max: 1, pattern: '[a-z]' }");
    cage.berth.write("wrong.yaml", wrong.as_bytes());
    let mut values = cage.berth.read("values.yaml");
    values.push_str("unknown: 1\nwindows: [1\n");
    cage.look(w, "diagnostics of arguments", &["validate", "wrong.yaml"], &[1]);
    cage.look(w, "diagnostics of values files", &["plan", "wrong.yaml", "--sim"], &[1]);
    cage.berth.write("values.yaml", values.as_bytes());
    cage.look(w, "diagnostics of values files", &["validate", b], &[1]);
    cage.look(w, "usage", &["plan", b, "--no-such-flag"], &[1]);
    closed(secrets, w);
    served(secrets, w);
    watch
}

/// Saved plans hold no secret, and ask for each again.
fn closed(secrets: &BTreeMap<&'static str, String>, w: &mut Watch) {
    let cage = Cage::new(secrets, false);
    let b = "blueprint.yaml";
    cage.look(w, "saved plan", &["plan", b, "--sim", "--out", "example.plan"], &[2]);
    cage.look_at_files(w, "saved plan", "example.plan");
    let mut other = Cage::new(secrets, false);
    let changed = other.arguments.iter().map(|argument| argument.replace("vault=", "vault=Other-")).collect();
    other.arguments = changed;
    other.berth.write("example.plan", &std::fs::read(cage.berth.path("example.plan")).unwrap());
    other.look(w, "apply of a saved plan", &["apply", "example.plan", "--sim", "--auto-approve"], &[4]);
    cage.look(w, "apply of a saved plan", &["apply", "example.plan", "--sim", "--auto-approve"], &[0]);
}

/// The simulator's record, with what it cannot know told to it.
fn served(secrets: &BTreeMap<&'static str, String>, w: &mut Watch) {
    let cage = Cage::new(secrets, true);
    let mut serve = cage.berth.command(["sim", "serve", "--listen", "127.0.0.1:0", "--state", "served.json"]);
    serve.args(["--record", "record.jsonl"]);
    for (name, ..) in PLACES {
        serve.args(["--redact-env", &format!("SHOWN_{name}")]).env(format!("SHOWN_{name}"), &secrets[name]);
    }
    let server = Server::start(serve);
    cage.run(&[&["apply", "blueprint.yaml", "--auto-approve"][..], &server.client()].concat(), &[0]);
    server.stop();
    cage.look_at_files(w, "record of the simulator", "record.jsonl");
}

/// Faults that answer with every secret in every form.
fn echo(secrets: &BTreeMap<&'static str, String>) -> String {
    let mut faults = String::from("faults:\n");
    let all: Vec<(&str, String)> = secrets
        .values()
        .flat_map(|secret| {
            forms(secret).into_iter().map(move |(name, form)| (name, format!("'{form}' {form} x={form}&y=1")))
        })
        .collect();
    for path in [
        "*/Microsoft.Sql/servers/*",
        "*/Microsoft.Web/sites/*",
        "*/vaults/*/secrets/*",
        "*/managedClusters/*",
    ] {
        // A message is shortened: each holds a part of them.
        for part in all.chunks(6) {
            let text: Vec<&str> = part.iter().map(|(_, text)| text.as_str()).collect();
            let message = serde_json::Value::from(format!("The value is not accepted: {}", text.join(" ")));
            faults.push_str(&format!(
                "  - method: PUT\n    path: '{path}'\n    answer: {{ status: 400, code: BadParameter, message: {message} }}\n"
            ));
            if path.contains("managedClusters") || path.contains("secrets") {
                break;
            }
        }
    }
    faults
}

/// Makes the secret of a place by its number.
type Make = fn(usize) -> String;

fn secrets_of(make: impl Fn(usize) -> String) -> BTreeMap<&'static str, String> {
    // Azure takes no password for Windows that is shorter, longer or plainer.
    let fit = |name: &str, secret: String| match name {
        "windows" | "sqlPassword" | "writeOnly" | "literal" => {
            format!("{}-Aa0!padded-x", secret.chars().take(50).collect::<String>())
        }
        _ => secret,
    };
    PLACES.iter().enumerate().map(|(at, (name, ..))| (*name, fit(name, make(at)))).collect()
}

#[track_caller]
fn check(watch: &Watch) {
    assert!(watch.found.is_empty(), "{} found:\n{}", watch.found.len(), watch.found.join("\n"));
    let unseen: Vec<&&str> =
        SINKS.iter().filter(|sink| watch.sinks.get(*sink).is_none_or(|bytes| *bytes == 0)).collect();
    assert!(unseen.is_empty(), "nothing came out of {unseen:?}");
}

/// The fields of ARM that the catalog marks as secret, with the place that puts a canary into each. A field that is new
/// there, and not here, fails the test below: it gets a place, and so a canary in every sink.
const MARKED: &[(&str, &str, &str)] = &[
    // No field of the blueprint leads there but those of `resources:`, which says itself what is secret.
    ("Microsoft.ContainerRegistry/registries/webhooks", "properties.customHeaders", "writeOnly"),
    ("Microsoft.ContainerRegistry/registries/webhooks", "properties.serviceUri", "webhook"),
    ("Microsoft.ContainerService/managedClusters", "properties.aadProfile.serverAppSecret", "serverApp"),
    ("Microsoft.ContainerService/managedClusters", "properties.servicePrincipalProfile.secret", "principal"),
    ("Microsoft.ContainerService/managedClusters", "properties.windowsProfile.adminPassword", "windows"),
    ("Microsoft.KeyVault/vaults/secrets", "properties.value", "vault"),
    // As the headers of a webhook.
    (
        "Microsoft.KubernetesConfiguration/extensions",
        "properties.configurationProtectedSettings",
        "writeOnly",
    ),
    ("Microsoft.KubernetesConfiguration/fluxConfigurations", "properties.azureBlob.accountKey", "blobKey"),
    ("Microsoft.KubernetesConfiguration/fluxConfigurations", "properties.azureBlob.sasToken", "blobSas"),
    (
        "Microsoft.KubernetesConfiguration/fluxConfigurations",
        "properties.azureBlob.servicePrincipal.clientCertificate",
        "blobCertificate",
    ),
    (
        "Microsoft.KubernetesConfiguration/fluxConfigurations",
        "properties.azureBlob.servicePrincipal.clientCertificatePassword",
        "blobCertificatePassword",
    ),
    (
        "Microsoft.KubernetesConfiguration/fluxConfigurations",
        "properties.azureBlob.servicePrincipal.clientSecret",
        "blobSecret",
    ),
    (
        "Microsoft.KubernetesConfiguration/fluxConfigurations",
        "properties.configurationProtectedSettings",
        "httpsKey",
    ),
    ("Microsoft.KubernetesConfiguration/fluxConfigurations", "properties.ociRepository.tlsConfig", "ociKey"),
    ("Microsoft.Sql/servers", "properties.administratorLoginPassword", "sqlPassword"),
    ("Microsoft.Sql/servers/auditingSettings", "properties.storageAccountAccessKey", "writeOnly"),
    // The kind writes its settings to `config/appsettings`; `resources:` says itself what is secret.
    ("Microsoft.Web/sites", "properties.siteConfig.appSettings", "writeOnly"),
    ("Microsoft.Web/sites", "properties.siteConfig.connectionStrings", "writeOnly"),
    ("Microsoft.Web/sites", "properties.siteConfig.metadata", "writeOnly"),
    ("Microsoft.Web/sites/slots", "properties.siteConfig.appSettings", "writeOnly"),
    ("Microsoft.Web/sites/slots", "properties.siteConfig.connectionStrings", "writeOnly"),
    ("Microsoft.Web/sites/slots", "properties.siteConfig.metadata", "writeOnly"),
];

/// Marked as never read again, and no secret: the subnet of an endpoint is another resource, whose body Azure shows there.
const NO_SECRETS: &[(&str, &str)] = &[("Microsoft.Network/privateEndpoints", "properties.subnet.properties")];

#[test]
fn every_field_that_the_catalog_marks_as_secret_has_a_canary() {
    let mut marked = Vec::new();
    for kind in berth::catalog::registry() {
        for arm_type in kind.types {
            for rule in arm_type.rules.iter().filter(|rule| rule.says(Flag::WriteOnly)) {
                marked.push((arm_type.arm_type, rule.path()));
            }
        }
    }
    marked.sort_unstable();
    marked.dedup();
    marked.retain(|found| !NO_SECRETS.contains(found));
    let covered: Vec<(&str, &str)> = MARKED.iter().map(|(arm_type, path, _)| (*arm_type, *path)).collect();
    assert_eq!(marked, covered, "fields without a canary, or canaries without a field");
    for (_, path, place) in MARKED {
        assert!(PLACES.iter().any(|(name, ..)| name == place), "{path}: there is no place `{place}`");
    }
}

#[test]
fn no_canary_gets_out_of_any_place_by_any_sink() {
    const { assert!(SINKS.len() >= 25) };
    let watch = play(&secrets_of(|at| format!("C{at:02}-7f\"3e&<9b>/Hu+sh!%Ä'q\\z")));
    assert!(watch.forms >= 15);
    check(&watch);
}

/// The long form: secrets of other kinds.
#[test]
#[ignore = "minutes: `.ci/run canaries`"]
#[expect(clippy::print_stdout, reason = "the stage tells what was looked at")]
fn no_canary_of_any_kind_gets_out() {
    let kinds: &[(&str, Make)] = &[
        ("with marks", |at| format!("C{at:02}-7f\"3e&<9b>/Hu+sh!%Ä'q\\z")),
        ("plain", |at| format!("Canary{at:02}Hush7f3e9b")),
        ("short", |at| format!("Qz{at:02}#X9w")),
        ("with spaces", |at| format!("Correct {at:02} horse battery Staple 7f3e")),
        ("long", |at| format!("A1{at:02}").repeat(60)),
        ("of several lines", |at| {
            format!(
                "-----BEGIN KEY-----\nMIIabcd{at:02}efghijklmnop\nqrstuvwx{at:02}yz0123456\n-----END KEY-----\n"
            )
        }),
        ("like an escape", |at| format!("Xy%41{at:02}\\n&amp;\\u0041%2541Z9")),
        ("with other letters", |at| format!("Пароль-{at:02}-密码-ñ-7f3E")),
        ("like Base64", |at| STANDARD.encode(format!("canary {at:02} of sixteen bytes"))),
        ("like a URL", |at| format!("https://user:hush{at:02}X7f3e@example.com/a?sig=abc{at:02}def7")),
    ];
    let mut all = 0;
    for (kind, make) in kinds {
        let watch = play(&secrets_of(make));
        check(&watch);
        let bytes: usize = watch.sinks.values().sum();
        all += PLACES.len() * SINKS.len();
        println!(
            "{kind}: {} places × {} sinks × up to {} forms, {bytes} bytes: 0 found",
            PLACES.len(),
            SINKS.len(),
            watch.forms
        );
    }
    println!("canaries × sinks: {all}");
}
