//! Every way of signing in, over HTTPS, against the simulator's directory; and where tokens do not go.

use crate::support::{APPLICATION, Azure, Berth, Run, SECRET, Server, application, until};
use berth::host::Clock;
use berth::sim::{CALLER_OBJECT_ID, SignIn, TENANT};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When the tokens and assertions that tests make up end: 2100-01-01.
const LATER: u64 = 4_102_444_800;

/// An unsigned token.
fn jwt(claims: &Value) -> String {
    let part = |value: &Value| azure_core::base64::encode_url_safe(value.to_string());
    format!("{}.{}.x", part(&json!({"alg": "none"})), part(claims))
}

/// A token for ARM, as somebody else's door gives it out.
fn access_token() -> String {
    jwt(&json!({
        "aud": "https://management.azure.com", "exp": LATER, "tid": TENANT, "oid": CALLER_OBJECT_ID,
    }))
}

#[track_caller]
fn run(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run::of(&["…"], output)
}

/// A little server on plain HTTP: answers each request with what the function makes of its number, and keeps the
/// heads of the requests.
struct Fake {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new(answer: impl Fn(usize) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = heads.clone();
        let count = AtomicUsize::new(0);
        // It ends with the process: nobody waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut head = String::new();
                let mut lines = BufReader::new(&stream);
                while lines.read_line(&mut head).is_ok_and(|read| read > 2) {}
                kept.lock().unwrap().push(head);
                let (status, body) = answer(count.fetch_add(1, Ordering::Relaxed));
                let head =
                    format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close");
                let _ = write!(&stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            }
        });
        Fake { url, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

#[test]
fn the_quickstart_applies_over_https_with_a_client_secret() {
    let berth = Berth::quickstart();
    let mut serve =
        berth.command(["sim", "serve", "--listen", "127.0.0.1:0", "--tls", "--write-ca", "ca.pem"]);
    serve.args([&format!("--sign-in={SECRET}"), "--record", "record.jsonl"]);
    let server = crate::support::Server::start(serve);
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let berth_with = |args: &[&str]| {
        let mut command = berth.command(args.iter().copied());
        command.args(["--endpoint", &server.url, "--authority", &server.url, "--auth", "client-secret"]);
        command.args(["--sim-speed", "50"]);
        application(&mut command).env("AZURE_CLIENT_SECRET", SECRET).env("BERTH_CA_FILE", "ca.pem");
        command.env("AZURE_SUBSCRIPTION_ID", berth::sim::SUBSCRIPTION);
        command.env("WINDOWS_ADMIN_PASSWORD", "Made-up-0!Made-up");
        run(command)
    };
    let talkative = ["apply", "blueprint.yaml", "--auto-approve", "--trace-http", "trace.jsonl", "-vvv"];
    let applied = berth_with(&talkative).exits(0).says(&["Done."]);
    berth_with(&["plan", "blueprint.yaml"]).exits(0).says(&["No changes."]);
    server.stop();
    // Nobody writes secrets down: not the log, not the trace, not the ledger, not the simulator.
    assert!(applied.stderr.contains("DEBUG") && berth.read("trace.jsonl").contains("(removed)"));
    for secret in [SECRET, "Made-up-0!Made-up", "eyJ"] {
        assert!(!applied.stderr.contains(secret), "the log has {secret}");
        let mut files = berth.files();
        files.retain(|(path, bytes)| {
            // What a certificate is written in may spell anything.
            path.extension().is_none_or(|end| end != "pem")
                && bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
        });
        assert!(
            files.is_empty(),
            "{secret} is in {:?}",
            files.iter().map(|(path, _)| path).collect::<Vec<_>>()
        );
    }
    let record = berth.read("record.jsonl");
    let lines: Vec<Value> = record.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 50, "{} exchanges", lines.len());
    let tokens = lines.iter().filter(|line| line["url"].as_str().unwrap().ends_with("/oauth2/v2.0/token"));
    assert_eq!(tokens.count(), 2);
}

#[test]
fn every_way_of_signing_in_yields_a_token_that_arm_takes() {
    let azure = Azure::new();
    let berth = Berth::new().blueprint(SMALL);
    let assertion = jwt(&json!({"iss": "i", "sub": "s", "exp": LATER}));
    berth.write("federated", assertion.as_bytes());
    let key = rcgen::KeyPair::from_pem(include_str!("../support/rsa.pem")).unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["sp".to_owned()]).unwrap().self_signed(&key).unwrap();
    berth.write("sp.pem", format!("{}{}", key.serialize_pem(), certificate.pem()).as_bytes());
    let pipelines = Fake::new(move |_| (200, json!({"oidcToken": assertion}).to_string()));
    let token = access_token();
    let answer = json!({
        "access_token": token, "expires_on": LATER.to_string(), "token_type": "Bearer", "resource": "r",
    });
    let machine = Fake::new(move |_| (200, answer.to_string()));
    let cli = json!({"accessToken": token, "expires_on": LATER, "tokenType": "Bearer"});
    berth.write("bin/az", format!("#!/bin/sh\necho '{cli}'\n").as_bytes());
    executable(&berth.path("bin/az"));
    let path = format!("{}:/usr/bin:/bin", berth.path("bin").display());
    let request_uri = format!("{}/oidc?x=1", pipelines.url);
    let msi = format!("{}/msi/token", machine.url);
    #[expect(clippy::type_complexity, reason = "a table")]
    let ways: &[(&str, bool, &[(&str, &str)])] = &[
        ("client-secret", true, &[("AZURE_CLIENT_SECRET", SECRET)]),
        ("client-certificate", true, &[("AZURE_CLIENT_CERTIFICATE_PATH", "sp.pem")]),
        ("workload-identity", true, &[("AZURE_FEDERATED_TOKEN_FILE", "federated")]),
        (
            "azure-pipelines",
            true,
            &[
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "sc-1"),
                ("SYSTEM_ACCESSTOKEN", "job-token"),
                ("SYSTEM_OIDCREQUESTURI", &request_uri),
            ],
        ),
        ("managed-identity", false, &[("IDENTITY_ENDPOINT", &msi), ("IDENTITY_HEADER", "h")]),
        ("azure-cli", false, &[("PATH", &path)]),
    ];
    for (way, is_application, variables) in ways {
        let mut command = azure.command(&berth, ["plan", "blueprint.yaml"]);
        if *is_application {
            application(&mut command);
        }
        command.envs(variables.iter().copied());
        run(command).exits(2).says(&["create"]);
        // Asked for without what it needs, it is what the error is about.
        let mut command = azure.command(&berth, ["plan", "blueprint.yaml", "--auth", way]);
        command.env("PATH", "/nowhere");
        if *way != "managed-identity" {
            run(command).exits(1).complains(&[&format!("could not sign in to Azure with {way}: ")]);
        }
    }
    let asked = azure.token_requests();
    assert_eq!(asked.len(), 4, "one for each way that asks the directory");
    assert!(asked.iter().all(|form| form.contains(&format!("client_id={APPLICATION}"))), "{asked:?}");
    let pipelines = pipelines.heads();
    assert_eq!(pipelines.len(), 1);
    let first = pipelines[0].to_ascii_lowercase();
    assert!(first.contains("serviceconnectionid=sc-1") && first.contains("bearer job-token"), "{first}");
    assert!(machine.heads()[0].contains("/msi/token?"), "{:?}", machine.heads());
}

#[cfg(unix)]
fn executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn every_renewal_in_the_middle_of_an_apply_asks_for_a_fresh_assertion() {
    // A token that is good for less than the margin of five minutes is renewed with every request.
    let azure = Azure::with(SignIn { lifetime: Duration::from_secs(240), ..SignIn::default() });
    let berth = Berth::new().blueprint(SMALL);
    // As Azure DevOps gives them out: good for ten minutes, each another.
    let oidc = Fake::new(|number| {
        let ends = Clock::start(1.0).now().seconds() + 600;
        let assertion = jwt(&json!({"iss": "i", "sub": "s", "exp": ends, "jti": number}));
        (200, json!({ "oidcToken": assertion }).to_string())
    });
    let mut command =
        azure.command(&berth, ["apply", "blueprint.yaml", "--auto-approve", "--sim-speed", "50"]);
    application(&mut command)
        .env("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "sc")
        .env("SYSTEM_ACCESSTOKEN", "job-token")
        .env("SYSTEM_OIDCREQUESTURI", format!("{}/oidc", oidc.url));
    run(command).exits(0).says(&["Done."]);
    let assertions = azure.token_requests();
    let distinct: std::collections::BTreeSet<&String> = assertions.iter().collect();
    assert!(assertions.len() >= 5, "{} renewals", assertions.len());
    assert_eq!(distinct.len(), assertions.len(), "an assertion was used twice");
    assert_eq!(oidc.heads().len(), assertions.len());
}

/// A blueprint of little work.
const SMALL: &str = "\
blueprint: small
azure:
  subscription: ${env.AZURE_SUBSCRIPTION_ID}
  location: westeurope
  resourceGroup: rg-small
networks:
  hub:
    addressSpace: [10.0.0.0/16]
";

#[test]
fn secrets_and_tokens_go_nowhere_unencrypted() {
    let berth = Berth::new().blueprint(SMALL);
    // An address of the documentation: nothing may be sent there, so nothing is waited for.
    for (args, variable, said) in [
        (&["--endpoint", "http://192.0.2.1:8080"][..], None, "cannot send a token to http://192.0.2.1:8080"),
        (&["--authority", "http://127.0.0.1:1"], None, "cannot sign in at http://127.0.0.1:1"),
        (&[], Some(("AZURE_AUTHORITY_HOST", "http://192.0.2.1")), "cannot sign in at http://192.0.2.1"),
        (
            &["--auth", "azure-pipelines"],
            Some(("SYSTEM_OIDCREQUESTURI", "http://192.0.2.1/oidc")),
            "the job's token travels by HTTPS only",
        ),
    ] {
        let mut command = berth.command([&["plan", "blueprint.yaml"], args].concat());
        application(&mut command)
            .env("AZURE_SUBSCRIPTION_ID", berth::sim::SUBSCRIPTION)
            .env("AZURE_CLIENT_SECRET", SECRET)
            .env("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "sc")
            .env("SYSTEM_ACCESSTOKEN", "job-token")
            .envs(variable);
        run(command).exits(1).complains(&[said]);
    }
}

#[test]
fn proxies_of_the_environment_are_used_and_exceptions_heeded() {
    let berth = Berth::new().blueprint(SMALL);
    let proxy = Fake::new(|_| (403, String::new()));
    let command = |azure: &Azure| {
        let mut command = azure.signed_in(&berth, ["plan", "blueprint.yaml", "--auth", "client-secret"]);
        command.env("HTTPS_PROXY", &proxy.url);
        command
    };
    let azure = Azure::new();
    run(command(&azure)).exits(1).complains(&["could not sign in to Azure with client-secret"]);
    let host = azure.url.strip_prefix("https://").unwrap();
    let heads = proxy.heads();
    assert!(heads[0].starts_with(&format!("CONNECT {host} ")), "{heads:?}");
    assert!(heads.iter().all(|head| !head.contains(SECRET)));
    let mut direct = command(&azure);
    direct.env("NO_PROXY", "127.0.0.1");
    run(direct).exits(2).says(&["create"]);
    assert_eq!(proxy.heads().len(), heads.len());
}

#[test]
fn an_endpoint_on_this_machine_is_reached_past_every_proxy() {
    let berth =
        Berth::new().blueprint(&SMALL.replace("${env.AZURE_SUBSCRIPTION_ID}", berth::sim::SUBSCRIPTION));
    let proxy = Fake::new(|_| (403, String::new()));
    let plan = |endpoint: &str, variables: &[&str]| {
        let mut command = berth.command(["plan", "blueprint.yaml", "--endpoint", endpoint]);
        command.envs(variables.iter().map(|name| (*name, &proxy.url)));
        run(command).exits(2).says(&["create"]);
        assert_eq!(proxy.heads(), [""; 0], "{endpoint} with {variables:?}");
    };
    let four = berth.sim_serve();
    let port = four.url.rsplit_once(':').unwrap().1;
    let all = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"];
    for endpoint in
        [four.url.clone(), format!("http://localhost:{port}"), format!("http://LOCALHOST:{port}/")]
    {
        plan(&endpoint, &all);
    }
    for one in all {
        plan(&four.url, &[one]);
    }
    // A machine without IPv6 has no such address.
    if TcpListener::bind("[::1]:0").is_ok() {
        let serve = berth.command(["sim", "serve", "--listen", "[::1]:0", "--state", "six.json"]);
        plan(&Server::start(serve).url, &all);
    }
}

/// Runs a command until the proxy is asked for this host; nothing is sent to it.
#[track_caller]
fn asks_for(mut command: Command, proxy: &Fake, host: &str) {
    let before = proxy.heads().len();
    command.env("HTTPS_PROXY", &proxy.url).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // A connection that a killed program had just opened says nothing.
    let asked = || proxy.heads().into_iter().skip(before).find(|head| !head.is_empty());
    let head = until("the proxy is asked", asked);
    let _ = child.kill();
    let _ = child.wait();
    assert!(head.starts_with(&format!("CONNECT {host}:443 ")), "{host}: {head}");
}

#[test]
fn every_cloud_has_its_own_place_to_sign_in_and_its_own_arm() {
    let berth = Berth::new().blueprint(SMALL);
    let proxy = Fake::new(|_| (403, String::new()));
    let cli = json!({"accessToken": access_token(), "expires_on": LATER, "tokenType": "Bearer"});
    let az = format!("#!/bin/sh\necho \"$@\" >> '{}'\necho '{cli}'\n", berth.path("asked").display());
    berth.write("bin/az", az.as_bytes());
    executable(&berth.path("bin/az"));
    let command = |args: &[&str], auth| {
        let mut command = berth.command([&["plan", "blueprint.yaml", "--auth", auth], args].concat());
        command.env("AZURE_SUBSCRIPTION_ID", berth::sim::SUBSCRIPTION).env("AZURE_CLIENT_SECRET", SECRET);
        command.env("PATH", format!("{}:/usr/bin:/bin", berth.path("bin").display()));
        command
    };
    for (cloud, authority, arm) in [
        ("public", "login.microsoftonline.com", "management.azure.com"),
        ("usgov", "login.microsoftonline.us", "management.usgovcloudapi.net"),
        ("china", "login.chinacloudapi.cn", "management.chinacloudapi.cn"),
    ] {
        let mut signing_in = command(&["--cloud", cloud], "client-secret");
        application(&mut signing_in);
        asks_for(signing_in, &proxy, authority);
        berth.write("asked", b"");
        asks_for(command(&["--cloud", cloud], "azure-cli"), &proxy, arm);
        let asked = berth.read("asked");
        assert!(asked.contains(&format!("--scope https://{arm}/.default")), "{cloud}: {asked}");
    }
    // An address of one's own goes before the cloud's, and the flag before the variable.
    for (args, host) in [
        (&[][..], "login.example.com"),
        (&["--authority", "https://other.example.com/"], "other.example.com"),
    ] {
        let mut signing_in = command(args, "client-secret");
        application(&mut signing_in).env("AZURE_AUTHORITY_HOST", "https://login.example.com/");
        asks_for(signing_in, &proxy, host);
    }
}

#[test]
fn a_claim_that_the_token_lacks_is_told_before_anything_is_made() {
    let small = SMALL.replace("${env.AZURE_SUBSCRIPTION_ID}", berth::sim::SUBSCRIPTION);
    let role = |principal: &str| {
        format!(
            "{small}roleAssignments:\n  mine: {{ principal: \"{principal}\", principalType: User, role: Reader }}\n"
        )
    };
    for (blueprint, complaint) in [
        (role("${caller.objectId}"), "caller.objectId"),
        (role("${caller.tenantId}"), "caller.tenantId"),
        // The tenant of a vault is that of who is signed in, unless `azure.tenant` says another one.
        (format!("{small}keyVaults:\n  secrets: {{ name: kv-small-secrets }}\n"), "`azure` needs `tenant`"),
    ] {
        let berth = Berth::new().blueprint(&blueprint);
        // A simulator on this machine asks nobody to sign in, so that no claim is known.
        let azure = berth.sim_serve();
        for command in [&["plan"][..], &["apply", "--auto-approve"]] {
            let mut command = berth.command(command.iter().copied());
            command.args(["blueprint.yaml", "--endpoint", &azure.url]);
            run(command).exits(1).complains(&[complaint, "blueprint.yaml:"]);
        }
        let group = format!("/subscriptions/{}/resourceGroups/rg-small", berth::sim::SUBSCRIPTION);
        let (status, _) = azure.send("GET", &format!("{group}?api-version=2021-04-01"), None);
        assert_eq!(status, 404, "{complaint}");
        // Where nothing is sent, the claim is still open.
        berth.validate().exits(0);
    }
}

#[test]
fn authorities_are_named_in_files_that_hold_some() {
    let azure = Azure::new();
    let berth = Berth::new().blueprint(SMALL);
    berth.write("other.pem", b"nothing");
    let mut command = azure.signed_in(&berth, ["plan", "blueprint.yaml", "--ca-file", "other.pem"]);
    run(command).exits(1).complains(&["other.pem: there is no certificate in it", "--ca-file"]);
    // A machine without any authority of its own trusts those that are named.
    command = azure.signed_in(&berth, ["plan", "blueprint.yaml"]);
    command.env("SSL_CERT_FILE", "/nowhere").env("SSL_CERT_DIR", "/nowhere");
    run(command).exits(2).says(&["create"]);
}

#[test]
fn what_clients_ask_before_they_sign_in_is_answered() {
    let berth = Berth::new();
    let server = berth.sim_serve();
    let (status, body) = server.send("GET", "/metadata/endpoints?api-version=2022-09-01", None);
    assert_eq!((status, &body["authentication"]["loginEndpoint"]), (200, &json!(server.url)));
    let (status, body) = server.send("GET", "/common/v2.0/.well-known/openid-configuration", None);
    let endpoint = format!("{}/{TENANT}/oauth2/v2.0/token", server.url);
    assert_eq!((status, &body["token_endpoint"]), (200, &json!(endpoint)));
    let (status, body) = server.send("GET", "/common/discovery/v2.0/keys", None);
    assert_eq!((status, &body["keys"][0]["kty"]), (200, &json!("EC")));
    let (status, body) = server.send("GET", "/other/v2.0/.well-known/openid-configuration", None);
    assert_eq!((status, &body["error_codes"]), (400, &json!([90002])));
    let (status, body) = server.send("GET", "/common/discovery/instance?api-version=1.1", None);
    assert_eq!((status, &body["api-version"]), (200, &json!("1.1")));
    let (status, body) = server.send("POST", "/common/oauth2/token", None);
    assert_eq!((status, &body["error_codes"]), (400, &json!([900_144])));
}
