//! A canary: one secret in every place that takes one, looked for in every byte that berth writes or prints.

use crate::support::{Berth, Rehearsal, Server};
use berth::catalog::registry;
use berth::plan::Adoption;
use berth::value::{Flag, get_path};
use serde_json::json;

const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-example
";

/// Text that nobody writes by chance, and that Azure takes for a password.
const CANARY: &str = "Canary-7f3e9b-Hush!";

/// Every place that takes a secret.
const SECRETS: &str = "\
parameters:
  canary: { type: string, secret: true }
  fromEnvironment: { type: string, secret: true, env: CANARY }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets: { nodes: { prefix: 10.20.0.0/20 } }
identities: { flux: {} }
keyVaults:
  secrets:
    name: kv-example-1
    protect: false
    secrets:
      one: { value: '${param.canary}' }
      two: { value: '${param.fromEnvironment}' }
      three: { value: 'before-${param.canary}-after' }
clusters:
  aks:
    name: aks-example
    protect: false
    subnet: ${networks.hub.subnets.nodes}
    windows: { adminUsername: azureuser, adminPassword: '${param.canary}' }
    addons:
      flux:
        configurations:
          https: { namespace: a, git: { url: 'https://example.com/a', branch: main, httpsUser: u, httpsKey: '${param.canary}' }, kustomizations: { k: {} } }
          ssh: { namespace: b, git: { url: 'ssh://git@example.com/b', branch: main, sshPrivateKey: '${param.canary}' }, kustomizations: { k: {} } }
          bucket: { namespace: c, bucket: { url: 'https://example.com', name: b, accessKey: id, secretKey: '${param.canary}' }, kustomizations: { k: {} } }
          blobkey: { namespace: d, azureBlob: { url: 'https://example.blob.core.windows.net', container: b, accountKey: '${param.canary}' }, kustomizations: { k: {} } }
          blobsas: { namespace: e, azureBlob: { url: 'https://example.blob.core.windows.net', container: b, sasToken: '${param.canary}' }, kustomizations: { k: {} } }
    nodePools:
      system: { mode: System, count: 1 }
  principal:
    name: aks-principal
    protect: false
    subnet: ${networks.hub.subnets.nodes}
    servicePrincipal: { clientId: 5ab5c819-0000-4000-8000-00000000abcd, secret: '${param.canary}' }
    nodePools:
      system: { mode: System, count: 1 }
containerRegistries:
  images:
    name: crcanary
    protect: false
    webhooks: { pushed: { url: 'https://ci.example.com/?code=${param.canary}', actions: [push] } }
resources:
  generic:
    name: sql-example
    type: Microsoft.Sql/servers
    apiVersion: '2023-08-01'
    writeOnly: [properties.administratorLoginPassword]
    body:
      location: westeurope
      properties: { administratorLogin: boss, administratorLoginPassword: '${param.canary}' }
outputs:
  password: ${param.canary}
";

/// Write-only fields that hold no secret, or that no blueprint can give one, with the reason.
const NO_SECRET: &[(&str, &str)] = &[
    ("properties.subnet.properties", "a body that Azure shows in part"),
    ("properties.aadProfile.serverAppSecret", "sign-in of old clusters, which Azure no longer makes"),
    ("properties.azureBlob.servicePrincipal", "no field of the blueprint asks for it"),
    ("properties.ociRepository.tlsConfig", "no field of the blueprint asks for it"),
    ("properties.customHeaders", "no field of the blueprint asks for it"),
    ("properties.storageAccountAccessKey", "no field of the blueprint asks for it"),
    ("properties.siteConfig", "settings are written to a resource of their own"),
];

#[test]
fn the_canary_sits_in_every_field_that_takes_a_secret() {
    let mut rehearsal = Rehearsal::new();
    rehearsal.inputs.parameters.insert("canary".to_owned(), json!(CANARY));
    rehearsal.inputs.environment.insert("CANARY".to_owned(), CANARY.to_owned());
    let desired = rehearsal.desired(&format!("{HEAD}{SECRETS}"));
    for kind in registry() {
        for made in kind.types {
            for rule in made.rules.iter().filter(|rule| rule.says(Flag::WriteOnly)) {
                let path = rule.path();
                let here = desired.resources.iter().any(|resource| {
                    resource.kind.arm_type == made.arm_type && get_path(&resource.body, path).is_some()
                });
                // Of an extension, settings that the Flux of AKS does not take.
                let none = NO_SECRET.iter().any(|(prefix, _)| path.starts_with(prefix))
                    || made.arm_type == "Microsoft.KubernetesConfiguration/extensions"
                    || made.arm_type.ends_with("/agentPools");
                assert!(here || none, "{} {path} has no canary", made.arm_type);
            }
        }
    }
}

/// The text in base64, in both alphabets and wherever it begins in a longer one; in hex; as it is; as part of a URL.
fn encodings(text: &str) -> Vec<Vec<u8>> {
    let encode = |bytes: &[u8], alphabet: &[u8; 64]| -> String {
        let bits: Vec<u8> =
            bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let sextets = bits.chunks_exact(6);
        sextets
            .map(|six| char::from(alphabet[six.iter().fold(0, |n, bit| n << 1 | usize::from(*bit))]))
            .collect()
    };
    let bytes = text.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let url: String = bytes
        .iter()
        .map(|&byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    let reversed: String = text.chars().rev().collect();
    let mut all = vec![text.to_owned(), hex.to_uppercase(), hex, url.to_lowercase(), url, reversed];
    all.push(format!("{bytes:?}").trim_matches(['[', ']']).to_owned());
    for alphabet in [
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    ] {
        // Only whole triples are the same whatever stands beside the text.
        for skip in 0..3 {
            let rest = &bytes[skip..];
            all.push(encode(&rest[..rest.len() / 3 * 3], alphabet));
        }
    }
    all.sort();
    all.dedup();
    all.into_iter().map(String::into_bytes).collect()
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    let Some((first, rest)) = secret.split_first() else { return true };
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| byte == first) {
        at += found + 1;
        if bytes[at..].starts_with(rest) {
            return true;
        }
    }
    false
}

/// Everything that was written or printed, by where.
#[derive(Default)]
struct Seen(Vec<(String, Vec<u8>)>);

impl Seen {
    fn note(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        let seen = (place.into(), bytes.into());
        if !self.0.contains(&seen) {
            self.0.push(seen);
        }
    }

    /// Every file of the folder, whatever made it.
    fn files(&mut self, berth: &Berth) {
        for (path, bytes) in berth.files() {
            self.note(path.display().to_string(), bytes);
        }
    }

    #[track_caller]
    fn has_no(&self, canary: &str) {
        for secret in encodings(canary) {
            for (place, bytes) in &self.0 {
                let told = String::from_utf8_lossy(&secret);
                assert!(!holds(bytes, &secret), "{place} has {told}: {}", String::from_utf8_lossy(bytes));
            }
        }
    }

    #[track_caller]
    fn was_seen(&self, ends: &[&str]) {
        for end in ends {
            let found = self.0.iter().any(|(place, bytes)| place.ends_with(end) && !bytes.is_empty());
            assert!(found, "nothing was seen of {end}");
        }
    }
}

#[test]
fn no_secret_gets_out() {
    let berth = Berth::new().blueprint(&format!("{HEAD}{SECRETS}"));
    // All that a policy sees, said aloud.
    berth.write("tell.rego", b"package tell\nwarn contains msg if { msg := json.marshal(input) }\n");
    let mut seen = Seen::default();
    let mut run = |args: &[&str], canary: &str, code: i32| {
        let param = format!("canary={canary}");
        let common = ["-p", &param, "-v", "-v", "-v", "--trace-http", "trace.jsonl"];
        let all: Vec<&str> = args.iter().chain(&common).copied().collect();
        let mut command = berth.command(all);
        let output = command.env("CANARY", CANARY).env("RUST_LOG", "trace").output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
        seen.note(format!("stdout of {}", args.join(" ")), output.stdout);
        seen.note(format!("stderr of {}", args.join(" ")), output.stderr);
        seen.note("trace.jsonl", std::fs::read(berth.path("trace.jsonl")).unwrap_or_default());
        seen.files(&berth);
    };
    let b = "blueprint.yaml";
    run(&["validate", b, "--sim", "--policy", "tell.rego"], CANARY, 0);
    run(&["graph", b, "--sim"], CANARY, 0);
    run(&["graph", b, "--sim", "--format", "mermaid"], CANARY, 0);
    for format in ["human", "json", "markdown", "html"] {
        run(&["plan", b, "--sim", "--format", format, "--policy", "tell.rego"], CANARY, 2);
    }
    run(&["plan", b, "--sim", "--out", "example.plan"], CANARY, 2);
    // A saved plan asks for its secrets again, and tells nothing of one that is not the same.
    run(&["apply", "example.plan", "--sim", "--auto-approve"], "Another-7f3e9b-Psst!", 4);
    run(&["apply", "example.plan", "--sim", "--auto-approve", "--policy", "tell.rego"], CANARY, 0);
    let reports: Vec<String> =
        ["json", "markdown", "html", "junit", "sarif"].iter().map(|f| format!("{f}=drift.{f}")).collect();
    let reports: Vec<&str> = reports.iter().flat_map(|report| ["--report", report.as_str()]).collect();
    run(&[&["drift", b, "--sim"], reports.as_slice()].concat(), CANARY, 0);
    for format in ["human", "json", "markdown", "html"] {
        run(&["plan", b, "--sim", "--format", format], CANARY, 0);
        run(&["drift", b, "--sim", "--format", format], CANARY, 0);
    }
    run(&["output", b, "--sim"], CANARY, 0);
    run(&["output", b, "--sim", "--format", "json"], CANARY, 0);
    run(&["ledger", "show", b, "--sim", "--format", "json"], CANARY, 0);
    run(&["ledger", "history", b, "--sim"], CANARY, 0);
    // With another secret everything that holds it is to change, and nothing says what.
    let other = format!("{CANARY}2");
    for format in ["human", "json", "markdown", "html"] {
        run(&["plan", b, "--sim", "--format", format, "--policy", "tell.rego"], &other, 2);
    }
    // Azure refuses: what it says, and what was sent, is told.
    berth.write("faults.yaml", REFUSALS.as_bytes());
    run(&["apply", b, "--sim", "--auto-approve", "--faults", "faults.yaml"], &other, 3);
    run(&["destroy", b, "--sim", "--auto-approve"], &other, 0);
    seen.note("sim export", serde_json::to_string(&berth.export()).unwrap());
    seen.has_no(CANARY);
    seen.was_seen(&["example.plan", "trace.jsonl", "drift.junit", "drift.sarif", "example.json", "sim.json"]);
    let changed =
        seen.0.iter().filter(|(place, _)| place.starts_with("stdout of plan") && place.contains("json"));
    assert!(changed.into_iter().any(|(_, bytes)| holds(bytes, b"\"secret\": [\n")));
}

/// What Azure refuses while the secret changes.
const REFUSALS: &str = "\
faults:
  - method: PUT
    path: '*/vaults/*/secrets/*'
    answer: { status: 400, code: BadParameter, message: The value was not accepted. }
  - method: PATCH
    path: '*/vaults/*/secrets/*'
    answer: { status: 400, code: BadParameter, message: The value was not accepted. }
";

#[test]
fn no_secret_is_in_what_the_simulator_records() {
    // Nobody signs in here, so nobody tells the tenant.
    let head = HEAD.replace("  location:", "  tenant: 5ab5c819-0000-4000-8000-000000000002\n  location:");
    let berth = Berth::new().blueprint(&format!("{head}{SECRETS}"));
    let mut serve = berth.command(["sim", "serve", "--listen", "127.0.0.1:0", "--state", "served.json"]);
    serve.args(["--record", "record.jsonl"]);
    let server = Server::start(serve);
    let param = format!("canary={CANARY}");
    let args = [&["apply", "blueprint.yaml", "--auto-approve", "-p", &param][..], &server.client()].concat();
    let output = berth.command(args).env("CANARY", CANARY).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    server.stop();
    let mut seen = Seen::default();
    seen.note("stdout", output.stdout);
    seen.note("stderr", output.stderr);
    seen.files(&berth);
    seen.has_no(CANARY);
    seen.was_seen(&["record.jsonl", "served.json"]);
}

/// What a panic or a log would print of the values that hold or held a secret.
#[tokio::test(start_paused = true)]
async fn no_secret_is_in_what_a_panic_could_print() {
    let mut rehearsal = Rehearsal::new();
    rehearsal.inputs.parameters.insert("canary".to_owned(), json!(CANARY));
    rehearsal.inputs.environment.insert("CANARY".to_owned(), CANARY.to_owned());
    let text = format!("{HEAD}{SECRETS}");
    let mut seen = Seen::default();
    seen.note("inputs", format!("{:?} {:#?}", rehearsal.inputs, rehearsal.inputs));
    let desired = rehearsal.desired(&text);
    seen.note("desired", format!("{desired:?}"));
    let planned = rehearsal.plan_with(&text, Adoption::Refused).await;
    seen.note("planned", format!("{planned:?}"));
    let applied = rehearsal.apply(&text).await;
    seen.note("applied", format!("{applied:?}"));
    seen.note("planned again", format!("{:?}", rehearsal.plan(&text).await));
    seen.note("ledger", rehearsal.ledger().await.to_string());
    seen.note("export", json!(rehearsal.simulator.export()).to_string());
    seen.has_no(CANARY);
}

#[test]
fn a_secret_that_changes_is_sent_again_and_only_then() {
    let text = format!(
        "{HEAD}parameters:\n  s: {{ type: string, secret: true }}\nkeyVaults:\n  v:\n    name: kv-example-2\n    protect: false\n    secrets: {{ one: {{ value: '${{param.s}}' }} }}\n"
    );
    let berth = Berth::new().blueprint(&text);
    berth.apply(&["-p", "s=first"]).exits(0).says(&["created keyVaults.v.secrets.one"]);
    berth.plan(&["-p", "s=first"]).exits(0).says(&["No changes."]);
    berth.plan(&["-p", "s=second"]).exits(2).says(&["keyVaults.v.secrets.one", "(secret, changed)"]);
    berth.apply(&["-p", "s=second"]).exits(0).says(&["updated keyVaults.v.secrets.one"]);
    berth.plan(&["-p", "s=second"]).exits(0).says(&["No changes."]);
}

#[test]
fn a_canary_is_found_in_every_dress() {
    // `printf 'xxCanary-7f3e9b-Hush!' | base64`, `xxd -p`, and as a browser sends it.
    for dress in [
        "eHhDYW5hcnktN2YzZTliLUh1c2gh",
        "43616e6172792d3766336539622d4875736821",
        "q=Canary-7f3e9b-Hush%21&x=1",
        "[67, 97, 110, 97, 114, 121, 45, 55, 102, 51, 101, 57, 98, 45, 72, 117, 115, 104, 33]",
    ] {
        assert!(encodings(CANARY).iter().any(|secret| holds(dress.as_bytes(), secret)), "{dress}");
    }
    assert!(!encodings(CANARY).iter().any(|secret| holds(b"nothing of it", secret)));
}

/// What a secret fed and Azure shows: changed by somebody else it is drift, and set right again, and never shown.
#[test]
fn a_secret_that_azure_shows_and_somebody_changed_is_drift() {
    let text = format!(
        "{HEAD}parameters:\n  s: {{ type: string, secret: true }}\nresources:\n  app:\n    name: app-example\n    type: Microsoft.Web/sites\n    apiVersion: '2023-12-01'\n    body:\n      location: westeurope\n      properties: {{ greeting: 'hello-${{param.s}}', list: ['${{param.s}}', x] }}\n"
    );
    let berth = Berth::new().blueprint(&text);
    let given = ["-p", "s=Shown-41-Hush"];
    berth.apply(&given).exits(0);
    berth.plan(&given).exits(0).says(&["No changes."]);
    berth.drift(&given).exits(0);
    let state = berth.read(".berth/sim.json");
    for (was, now, path) in [
        ("\"hello-Shown-41-Hush\"", "\"hello-Other-52-Psst\"", "greeting"),
        ("\"Shown-41-Hush\",", "\"Other-52-Psst\",", "list"),
    ] {
        assert!(state.contains(was), "{state}");
        berth.write(".berth/sim.json", state.replacen(was, now, 1).as_bytes());
        for format in ["human", "json", "markdown", "html"] {
            let format = ["--format", format];
            let hidden = ["41-Hush", "52-Psst"];
            berth.drift(&[&given[..], &format].concat()).exits(2).says(&[path]).hides(&hidden);
            berth.plan(&[&given[..], &format].concat()).exits(2).says(&[path]).hides(&hidden);
        }
        berth.apply(&given).exits(0).says(&["updated resources.app"]);
        berth.plan(&given).exits(0).says(&["No changes."]);
        berth.drift(&given).exits(0);
    }
}

/// A parameter whose value is refused, or that is not read at all, is not told either.
#[test]
fn what_is_wrong_with_a_secret_is_told_without_it() {
    let text = format!(
        "{HEAD}parameters:\n  one: {{ type: string, secret: true, pattern: '[a-z]+', env: ONE }}\n  two: {{ type: string, secret: true, allowed: [Allowed-1-Hush, b] }}\n  three: {{ type: int, secret: true }}\n  four: {{ type: bool }}\nnetworks: {{ hub: {{ addressSpace: ['${{param.one}}'] }} }}\n"
    );
    let berth = Berth::new().blueprint(&text);
    let values = "# mine: Comment-5-Hush\none: Wrong-1-Hush\ntwo: Wrong-2-Hush\nthree: Wrong-3-Hush\nfour: no idea\npasword: Wrong-4-Hush\n";
    berth.write("values.yaml", values.as_bytes());
    let all = ["-Hush"];
    berth
        .run(["validate", "blueprint.yaml", "--values", "values.yaml"])
        .exits(1)
        .hides(&all)
        .complains(&["values.yaml:2:6", "values.yaml:6:1"]);
    let p =
        ["-p", "one=Wrong-1-Hush", "-p", "two=Wrong-2-Hush", "-p", "three=Wrong-3-Hush", "-p", "four=true"];
    berth.plan(&p).exits(1).hides(&all);
    berth.plan(&["-p", "Wrong-1-Hush"]).exits(1).hides(&all);
    berth.plan(&["-p", "one=Wrong-1-Hush", "--no-such", "-p", "x=Wrong-2-Hush"]).exits(1).hides(&all);
}

/// A secret in a field that cannot take one is refused, or masked; berth's own tokens are never shown.
#[test]
fn a_secret_is_refused_or_masked_in_every_field() {
    const SECRET: &str = "Anywhere-61-Hush";
    let hidden = [SECRET, "\u{fdd0}", "\u{fdd2}", "fdd0", "61-hush"];
    let network = |fields: &str| format!("networks: {{ hub: {{ addressSpace: [10.0.0.0/16], {fields} }} }}");
    let generic = |name: &str, kind: &str, version: &str, body: &str| {
        format!(
            "resources: {{ r: {{ name: {name}, type: '{kind}', apiVersion: '{version}', body: {body} }} }}"
        )
    };
    let site = "Microsoft.Web/sites";
    let s = "'${param.s}'";
    let refused = [
        network(&format!("name: {s}")),
        network(&format!("forEach: [{s}]")),
        network(&format!("dependsOn: [{s}]")),
        network(&format!("resourceGroup: {s}")),
        network(&format!("subnets: {{ {s}: {{ prefix: 10.0.0.0/24 }} }}")),
        generic(s, site, "2023-12-01", "{}"),
        generic("r", "Microsoft.Web/${param.s}", "2023-12-01", "{}"),
        generic("r", site, "${param.s}", "{}"),
        format!("privateDnsZones: {{ z: {{ name: {s} }} }}"),
    ];
    let masked = [
        format!("networks: {{ hub: {{ addressSpace: [{s}], subnets: {{ n: {{ prefix: {s} }} }} }} }}"),
        network(&format!("location: {s}")),
        network(&format!("tags: {{ a: {s} }}")),
        network(&format!("dnsServers: [{s}, 'x${{param.s}}']")),
        network(&format!("subnets: {{ n: {{ prefix: 10.0.0.0/24, serviceEndpoints: [{s}] }} }}")),
        generic(
            "r",
            site,
            "2023-12-01",
            &format!("{{ properties: {{ items: [{{ name: {s}, v: 1 }}, {{ id: {s} }}] }} }}"),
        ),
        generic("r", site, "2023-12-01", "{ tags: { a: 'x-${param.s}' } }"),
        "outputs: { o: '${param.s}', p: { value: 'x-${param.s}' } }".to_owned(),
    ];
    let all = refused.iter().map(|fields| (fields, true)).chain(masked.iter().map(|fields| (fields, false)));
    for (fields, is_refused) in all {
        let berth = Berth::new()
            .blueprint(&format!("{HEAD}parameters: {{ s: {{ type: string, secret: true }} }}\n{fields}\n"));
        let given = format!("s={SECRET}");
        for format in ["human", "json", "markdown", "html"] {
            let codes: &[i32] = if is_refused { &[1] } else { &[0, 1, 2] };
            berth.plan(&["-p", &given, "--format", format]).exits_with_one_of(codes).hides(&hidden);
        }
        berth.apply(&["-p", &given]).exits_with_one_of(&[0, 1, 3, 4]).hides(&hidden);
        berth.plan(&["-p", &given]).exits_with_one_of(&[0, 1, 2]).hides(&hidden);
        berth.drift(&["-p", &given]).exits_with_one_of(&[0, 1, 2]).hides(&hidden);
    }
}

/// What may hold what others are not to see is its owner's, whatever the umask; an old file that was open is closed.
#[cfg(unix)]
#[test]
fn traces_plans_ledgers_journals_and_locks_are_their_owners() {
    use std::os::unix::fs::PermissionsExt;
    let text = format!("{HEAD}networks: {{ hub: {{ addressSpace: [10.0.0.0/16] }} }}\n");
    let berth = Berth::new().blueprint(&text);
    berth.write("trace.jsonl", b"old\n");
    std::fs::set_permissions(berth.path("trace.jsonl"), std::fs::Permissions::from_mode(0o644)).unwrap();
    berth.plan(&["--out", "example.plan", "--trace-http", "trace.jsonl"]).exits(2);
    // A run that dies leaves its journal and its lock.
    let mut dying = berth.command(["apply", "blueprint.yaml", "--sim", "--auto-approve"]);
    assert!(!dying.env("BERTH_CRASH_AT", "9").output().unwrap().status.success());
    let mut seen = 0;
    for entry in ["trace.jsonl", "example.plan"].map(|name| berth.path(name)).into_iter().chain(
        std::fs::read_dir(berth.path(".berth/sim.json.ledgers")).unwrap().map(|entry| entry.unwrap().path()),
    ) {
        let metadata = std::fs::metadata(&entry).unwrap();
        if metadata.is_file() {
            seen += 1;
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{}", entry.display());
        }
    }
    assert!(seen >= 5, "only {seen} files");
}
