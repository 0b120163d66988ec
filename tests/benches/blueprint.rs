//! How long berth takes over large blueprints, and how much memory: `cargo bench`.
//!
//! Blueprints of 100, 1,000 and 10,000 resources, about two references each, are made up, always the same ones. Each
//! command is measured as a person runs it, a whole process from start to exit: wall time as the median of five runs,
//! and the most memory that it held at once. The simulator in the process answers without delay.
//!
//! `cargo bench -- 500 2000` measures other sizes. Blueprints and states stay in `target/tmp/bench`, to be profiled.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// How often each command is run; an apply, which is not idempotent, once.
const RUNS: usize = 5;

/// What another tool took for the same on a machine with two cores, told for scale.
const SCALE: &str = "\
For scale: Terraform 1.11 on a two-core machine takes 20 s and 1.7 GB to plan no change over 10,000 of its built-in
data resources, 18 s to draw their graph, and 10 s over 500 azapi resources on a local server.
Aim: 10,000 resources in 0.5 s and under 200 MB; 500 in 50 ms; near-linear growth.";

#[expect(clippy::print_stdout, reason = "a benchmark says what it found")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [first, command @ ..] = arguments.as_slice()
        && first == "--measure"
    {
        println!("{}", measured(command));
        return ExitCode::SUCCESS;
    }
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![100, 1_000, 10_000];
    }
    println!("{:>9}  {:<16} {:>10} {:>10} {:>10}", "resources", "command", "wall", "cpu", "memory");
    for size in sizes {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench").join(size.to_string());
        if let Err(error) = bench(&folder, size) {
            println!("{size}: {error}");
            return ExitCode::FAILURE;
        }
    }
    println!("\n{SCALE}");
    ExitCode::SUCCESS
}

/// Makes a blueprint up and measures every command on it.
#[expect(clippy::print_stdout, reason = "a benchmark says what it found")]
#[expect(clippy::disallowed_methods, reason = "a file of a benchmark may be torn")]
fn bench(folder: &Path, size: usize) -> std::io::Result<()> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder)?;
    let path = folder.join("blueprint.yaml");
    std::fs::write(&path, blueprint(size))?;
    let path = path.display().to_string();
    let sim = format!("--sim={}", folder.join("sim.json").display());
    let commands: [(&str, usize, Vec<&str>); 4] = [
        ("validate", RUNS, vec!["validate", &path]),
        ("graph", RUNS, vec!["graph", &path]),
        ("apply, all new", 1, vec!["apply", &path, &sim, "--auto-approve", "-q"]),
        ("plan, no change", RUNS, vec!["plan", &path, &sim, "-q"]),
    ];
    for (name, runs, arguments) in commands {
        let mut figures = (0..runs).map(|_| run(&arguments)).collect::<std::io::Result<Vec<Figures>>>()?;
        figures.sort_by_key(|figures| figures.wall);
        let Figures { wall, cpu, memory } = figures[runs / 2];
        let (wall, cpu) = (milliseconds(wall), milliseconds(cpu));
        println!("{size:>9}  {name:<16} {wall:>7} ms {cpu:>7} ms {:>7} MB", memory / 1_000_000);
    }
    Ok(())
}

/// What a process took.
#[derive(Debug, Clone, Copy)]
struct Figures {
    wall: Duration,
    /// Processor time, the system's included.
    cpu: Duration,
    /// Most bytes in memory at once.
    memory: u64,
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1000.0)
}

/// Measures berth from a process of its own: what the system says of children is told of all of them together.
fn run(arguments: &[&str]) -> std::io::Result<Figures> {
    let output = Command::new(std::env::current_exe()?)
        .arg("--measure")
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    match [numbers.next(), numbers.next(), numbers.next(), numbers.next()] {
        [Some(Ok(0)), Some(Ok(wall)), Some(Ok(cpu)), Some(Ok(memory))] => {
            Ok(Figures { wall: Duration::from_micros(wall), cpu: Duration::from_micros(cpu), memory })
        }
        _ => Err(std::io::Error::other(format!("berth {} did not end well: {text}", arguments.join(" ")))),
    }
}

/// Runs berth once: its exit status, microseconds of wall and processor time, bytes of memory.
#[expect(clippy::disallowed_methods, reason = "the time that is measured is the real one")]
fn measured(arguments: &[String]) -> String {
    let started = std::time::Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_berth"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    let wall = started.elapsed().as_micros();
    match status {
        Ok(status) => {
            let (cpu, memory) = usage();
            format!("{} {wall} {cpu} {memory}", status.code().unwrap_or(-1))
        }
        Err(error) => error.to_string(),
    }
}

/// Microseconds of processor time and most bytes of memory of the children of this process.
#[cfg(unix)]
fn usage() -> (u128, u64) {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return (0, 0) };
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    (cpu.unsigned_abs().into(), usage.max_rss().unsigned_abs() * unit)
}

#[cfg(not(unix))]
fn usage() -> (u128, u64) {
    (0, 0)
}

/// A company of teams: each has a resource group, a network, identities, vaults behind private endpoints, and roles;
/// every fifth has a cluster. Role assignments, of which such an estate has most, make up the number.
fn blueprint(size: usize) -> String {
    const ROLES: [&str; 12] = [
        "Key Vault Reader",
        "Key Vault Contributor",
        "Key Vault Administrator",
        "Key Vault Secrets User",
        "Key Vault Crypto User",
        "Key Vault Crypto Officer",
        "Key Vault Secrets Officer",
        "Key Vault Certificates Officer",
        "Key Vault Crypto Service Encryption User",
        "Monitoring Contributor",
        "Contributor",
        "Reader",
    ];
    let mut estate = Estate::default();
    // The group and the workspace of the company, and the providers that are registered.
    let mut count = 2 + 8;
    let mut teams = 0;
    while count + TEAM + CLUSTER <= size {
        estate.team(teams);
        count += TEAM;
        if teams.is_multiple_of(5) {
            estate.cluster(teams);
            count += CLUSTER;
        }
        teams += 1;
    }
    for at in 0..size.saturating_sub(count) {
        let (team, role) = (at % teams.max(1), ROLES[at / teams.max(1) % ROLES.len()]);
        estate.role(
            &format!("more{at}"),
            &format!("identities.ops{team}"),
            role,
            &format!("keyVaults.own{team}"),
        );
    }
    estate.text()
}

/// How many resources a team has.
const TEAM: usize = 24;
/// How many more a cluster makes: itself, its pools, what its control plane may do.
const CLUSTER: usize = 5;

/// The sections as they grow.
#[derive(Default)]
struct Estate {
    groups: String,
    networks: String,
    identities: String,
    vaults: String,
    clusters: String,
    endpoints: String,
    roles: String,
}

impl Estate {
    fn team(&mut self, team: usize) {
        let group = format!("resourceGroup: \"${{resourceGroups.team{team}.name}}\"");
        let (high, low) = (team / 200, team % 200);
        let net = format!("10.{low}");
        let _ =
            writeln!(self.groups, "  team{team}: {{ name: rg-team-{team}, tags: {{ team: \"{team}\" }} }}");
        let _ = write!(
            self.networks,
            "  net{team}:\n    name: vnet-{high}-{low}\n    {group}\n    addressSpace: [{net}.0.0/16]\n    subnets:\n\
            \x20     nodes: {{ prefix: {net}.0.0/20 }}\n      endpoints: {{ prefix: {net}.16.0/24 }}\n\
            \x20     apps: {{ prefix: {net}.17.0/24, serviceEndpoints: [Microsoft.KeyVault] }}\n\
            \x20     data: {{ prefix: {net}.18.0/24 }}\n"
        );
        for name in ["app", "ops", "cluster", "build"] {
            let _ = writeln!(self.identities, "  {name}{team}: {{ name: id-{name}-{team}, {group} }}");
        }
        for name in ["own", "shared"] {
            let _ = writeln!(
                self.vaults,
                "  {name}{team}: {{ name: kv-bench-{name}-{team}, {group}, publicAccess: false, protect: false }}"
            );
            let _ = write!(
                self.endpoints,
                "  {name}{team}:\n    name: pe-{name}-{team}\n    {group}\n    target: ${{keyVaults.{name}{team}}}\n\
                \x20   subnet: ${{networks.net{team}.subnets.endpoints}}\n    dns: none\n"
            );
        }
        for (name, principal, role, scope) in [
            ("appOwn", "identities.app", "Key Vault Secrets User", "keyVaults.own"),
            ("appShared", "identities.app", "Key Vault Secrets User", "keyVaults.shared"),
            ("opsShared", "identities.ops", "Key Vault Secrets Officer", "keyVaults.shared"),
            ("buildOwn", "identities.build", "Key Vault Reader", "keyVaults.own"),
            ("buildNet", "identities.build", "Network Contributor", "networks.net"),
            ("clusterApp", "identities.cluster", "Managed Identity Operator", "identities.app"),
            ("opsGroup", "identities.ops", "Reader", "resourceGroups.team"),
            ("appNet", "identities.app", "Reader", "networks.net"),
        ] {
            self.role(
                &format!("{name}{team}"),
                &format!("{principal}{team}"),
                role,
                &format!("{scope}{team}"),
            );
        }
    }

    fn cluster(&mut self, team: usize) {
        let _ = write!(
            self.clusters,
            "  aks{team}:\n    name: aks-{team}\n    resourceGroup: \"${{resourceGroups.team{team}.name}}\"\n\
            \x20   protect: false\n    kubernetesVersion: \"1.33\"\n    identity: ${{identities.cluster{team}}}\n\
            \x20   subnet: ${{networks.net{team}.subnets.nodes}}\n    dependsOn: [roleAssignments.clusterNet{team}]\n\
            \x20   network: {{ plugin: azure, serviceCidr: 172.16.0.0/16, dnsServiceIp: 172.16.0.10 }}\n\
            \x20   addons: {{ monitoring: {{ workspace: \"${{logWorkspaces.logs}}\" }} }}\n    nodePools:\n\
            \x20     system: {{ mode: System, count: 2, vmSize: Standard_D4s_v5 }}\n\
            \x20     apps: {{ vmSize: Standard_D8s_v5, autoscale: {{ min: 1, max: 5 }} }}\n\
            \x20     spare: {{ vmSize: Standard_D4s_v5, count: 1 }}\n"
        );
        let (principal, scope) =
            (format!("identities.cluster{team}"), format!("networks.net{team}.subnets.nodes"));
        self.role(&format!("clusterNet{team}"), &principal, "Network Contributor", &scope);
    }

    fn role(&mut self, key: &str, principal: &str, role: &str, scope: &str) {
        let _ = write!(
            self.roles,
            "  {key}:\n    principal: ${{{principal}}}\n    role: {role}\n    scope: ${{{scope}}}\n"
        );
    }

    fn text(&self) -> String {
        let head = "blueprint: bench\n\nazure:\n  subscription: ${env.AZURE_SUBSCRIPTION_ID}\n  location: westeurope\n  \
            resourceGroup: rg-company\n  tags: { costCentre: bench, owner: platform }\n";
        let mut text = head.to_owned();
        for (section, entries) in [
            ("resourceGroups", &self.groups),
            ("networks", &self.networks),
            ("identities", &self.identities),
            ("keyVaults", &self.vaults),
            ("clusters", &self.clusters),
            ("privateEndpoints", &self.endpoints),
            ("roleAssignments", &self.roles),
        ] {
            if !entries.is_empty() {
                let _ = write!(text, "\n{section}:\n{entries}");
            }
        }
        text.push_str("\nlogWorkspaces:\n  logs: { name: log-company, protect: false }\n");
        text
    }
}
