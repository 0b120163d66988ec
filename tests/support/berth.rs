//! The binary, run where nothing of this machine shows: an empty folder, no environment, 80 columns, no colour.

use super::Server;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a blueprint is called in the folder of a test.
const BLUEPRINT: &str = "blueprint.yaml";

/// A folder with a blueprint in it, and the binary.
pub struct Berth {
    folder: TempDir,
}

impl Berth {
    /// An empty folder.
    pub fn new() -> Self {
        Berth { folder: TempDir::new().unwrap() }
    }

    /// A folder with the quickstart in it.
    pub fn quickstart() -> Self {
        Self::new().blueprint(&quickstart())
    }

    /// With this blueprint, in place of an earlier one.
    pub fn blueprint(self, text: &str) -> Self {
        self.write(BLUEPRINT, text.as_bytes());
        self
    }

    /// With a copy of this file as the blueprint, and of the folders that lie beside it.
    pub fn beside(self, file: &Path) -> Self {
        let folder = file.parent().unwrap();
        for path in files_below(folder) {
            let inside = path.strip_prefix(folder).unwrap();
            if inside.components().count() > 1 {
                self.write(inside.to_str().unwrap(), &std::fs::read(&path).unwrap());
            }
        }
        self.blueprint(&std::fs::read_to_string(file).unwrap())
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    #[expect(clippy::disallowed_methods, reason = "nobody reads it meanwhile")]
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Replaces a text that must be in the blueprint.
    pub fn edit(&self, from: &str, to: &str) {
        let text = self.read(BLUEPRINT);
        assert!(text.contains(from), "the blueprint has no {from:?}");
        self.write(BLUEPRINT, text.replace(from, to).as_bytes());
    }

    /// Reads a file of the folder.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Every file below the folder, by path, with what is in it; not the locks, which only say who holds them.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = files_below(self.folder.path());
        files.retain(|path| path.extension().is_none_or(|extension| extension != "lock"));
        files.sort();
        files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    }

    /// The binary, not yet started.
    pub fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_berth"));
        command.args(args).env_clear().env("COLUMNS", "80").env("HOME", self.folder.path());
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Run {
        let args: Vec<&str> = args.into_iter().collect();
        Run::of(&args, self.command(args.iter().copied()).output().unwrap())
    }

    /// `berth validate`.
    pub fn validate(&self) -> Run {
        self.run(["validate", BLUEPRINT])
    }

    /// `berth plan --sim`, with more arguments.
    pub fn plan(&self, more: &[&str]) -> Run {
        self.sim("plan", more)
    }

    /// `berth apply --sim --auto-approve`, with more arguments.
    pub fn apply(&self, more: &[&str]) -> Run {
        self.sim("apply", &[&["--auto-approve"], more].concat())
    }

    /// `berth drift --sim`, with more arguments.
    pub fn drift(&self, more: &[&str]) -> Run {
        self.sim("drift", more)
    }

    /// `berth destroy --sim --auto-approve`, with more arguments.
    pub fn destroy(&self, more: &[&str]) -> Run {
        self.sim("destroy", &[&["--auto-approve"], more].concat())
    }

    fn sim(&self, command: &str, more: &[&str]) -> Run {
        self.run([&[command, BLUEPRINT, "--sim"], more].concat())
    }

    /// What the simulator holds.
    pub fn export(&self) -> Vec<Value> {
        match self.run(["sim", "export"]).exits(0).json() {
            Value::Array(resources) => resources,
            other => panic!("an export is a list, not {other}"),
        }
    }

    /// The ledger as it is on the disk.
    pub fn ledger(&self) -> Value {
        self.run(["ledger", "show", BLUEPRINT, "--sim", "--format", "json"]).exits(0).json()
    }

    /// Serves the simulator of this folder; its state is written when the server stops.
    pub fn sim_serve(&self) -> Server {
        let state = self.path(".berth/sim.json");
        let state = state.to_str().unwrap();
        Server::start(self.command(["sim", "serve", "--listen", "127.0.0.1:0", "--state", state]))
    }
}

/// Every file below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}

/// The quickstart, as it is shipped.
pub fn quickstart() -> String {
    std::fs::read_to_string(root().join("blueprints/quickstart.yaml")).unwrap()
}

/// Whether generated files are written anew and not compared: `just regen`.
#[expect(clippy::disallowed_methods, reason = "how `just regen` asks for it")]
pub fn regen() -> bool {
    std::env::var_os("BERTH_REGEN").is_some()
}

/// The folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A run of the binary that ended. Its exit code is part of every test.
#[must_use = "check the exit code"]
pub struct Run(Ended);

impl Run {
    /// Takes an output apart.
    pub fn of(args: &[&str], output: Output) -> Self {
        Run(Ended {
            args: args.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        })
    }

    /// Checks the exit code, and that berth neither panicked nor coloured anything.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ended {
        self.exits_with_one_of(&[code])
    }

    /// The same, for a run that may end in several ways.
    #[track_caller]
    pub fn exits_with_one_of(self, codes: &[i32]) -> Ended {
        let ended = self.0;
        assert!(ended.code.is_some_and(|code| codes.contains(&code)), "not {codes:?}: {ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
        assert!(!ended.stdout.contains('\x1b') && !ended.stderr.contains('\x1b'), "{ended:?}");
        ended
    }
}

/// What a run wrote.
pub struct Ended {
    args: String,
    code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// Checks that standard output has all of these, whatever the spaces between words.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        let all = words(&self.stdout);
        for text in texts {
            assert!(all.contains(&words(text)), "{text:?} is not in the output of {self:?}");
        }
        self
    }

    /// Checks that standard error has all of these, however the lines are broken.
    #[track_caller]
    pub fn complains(self, texts: &[&str]) -> Self {
        let all = words(&self.stderr);
        for text in texts {
            assert!(all.contains(&words(text)), "{text:?} is not in the messages of {self:?}");
        }
        self
    }

    /// Checks that neither output has any of these.
    #[track_caller]
    pub fn hides(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{text:?} is in {self:?}");
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ended { args, code, stdout, stderr } = self;
        writeln!(f, "berth {args}: exit {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// A text without its layout.
fn words(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// Waits until something holds, at most half a minute.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "another process has no clock of ours")]
pub fn until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = holds() {
            return found;
        }
        assert!(Instant::now() < patience, "waited too long: {what}");
        std::thread::yield_now();
    }
}
