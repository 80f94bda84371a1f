//! The examples of one level, as the tests start them: as a user would, on a free port.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use crate::Service;

/// The examples of one level.
pub struct Suite {
    /// The package to which they belong.
    pub package: &'static str,
    /// Its folder.
    pub folder: &'static str,
    /// The folders of the workbook's libraries that they use, in addition to [`lab`](crate), which all
    /// of them use: an example that is older than one of these is not tested.
    pub stands_on: &'static [&'static str],
    /// Their names: those of the folders in `examples`.
    pub examples: &'static [&'static str],
    /// The message that is printed when the same signal arrives again and stops everything at once.
    pub at_once: &'static str,
    /// Options that turn an example into a variant, which must keep the contract, too.
    pub variants: &'static [(&'static str, &'static [&'static str])],
}

impl Suite {
    /// The path of an example that cargo has built. `cargo test -p PACKAGE` builds them; with `--test`
    /// or `--tests` it does not, and an old one must not be tested in place of the new source.
    #[must_use]
    pub fn program(&self, example: &str) -> PathBuf {
        let this = std::env::current_exe().expect("a test knows its own path");
        let target = this.ancestors().nth(2).expect("target/debug/deps/this");
        let program = target.join("examples").join(example);
        let package = Path::new(self.folder);
        let page = package.join("examples").join(example);
        let own = [package.join("src"), page, Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let others = self.stands_on.iter().map(PathBuf::from);
        let written = own.into_iter().chain(others).map(|it| newest(&it)).max().expect("some");
        let built = fs::metadata(&program).and_then(|file| file.modified()).ok();
        let (name, package) = (program.display(), self.package);
        assert!(
            built >= Some(written),
            "{name} is not up to date: cargo build -p {package} --examples"
        );
        program
    }

    /// Starts an example and waits until it is ready.
    #[must_use]
    pub fn start(&self, example: &str, args: &[&str]) -> Service {
        self.start_with(&[], example, args)
    }

    /// The same as [`Suite::start`], with these variables in its environment.
    #[must_use]
    pub fn start_with(&self, vars: &[(&str, &str)], example: &str, args: &[&str]) -> Service {
        let mut command = self.command(example, args);
        command.envs(vars.iter().copied());
        let service = Service::launch(command).and_then(Service::until_ready);
        service.expect("it becomes ready")
    }

    /// Starts an example, on a free port unless `args` name a different one.
    #[must_use]
    pub fn launch(&self, example: &str, args: &[&str]) -> Service {
        Service::launch(self.command(example, args)).expect("it starts")
    }

    /// The command that starts an example, to be changed before it runs.
    #[must_use]
    pub fn command(&self, example: &str, args: &[&str]) -> Command {
        let mut command = Command::new(self.program(example));
        command
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .env_remove("CLUSTER_WORKERS")
            .env_remove("CLUSTER_LISTEN");
        command
    }

    /// Starts an example from a shell that has run `setting` first, and waits until it is ready.
    #[must_use]
    pub fn launch_with(&self, setting: &str, example: &str, args: &[&str]) -> Service {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{setting}; exec \"$0\" \"$@\"")]).arg(self.program(example));
        command.args(["--listen", "127.0.0.1:0"]).args(args);
        let service = Service::launch(command).and_then(Service::until_ready);
        service.unwrap_or_else(|error| panic!("{example} after {setting}: {error}"))
    }

    /// Runs an example that is expected to exit on its own.
    #[must_use]
    pub fn run(&self, example: &str, args: &[impl AsRef<OsStr>]) -> Output {
        self.bounded(example).args(args).output().expect("it runs")
    }

    /// An example that has to exit within 30 s, as a demo promises; after that `timeout` stops it, and
    /// exits with a code of its own, 124.
    #[must_use]
    pub fn bounded(&self, example: &str) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", "30"]).arg(self.program(example));
        command.env_remove("CLUSTER_WORKERS").env_remove("CLUSTER_LISTEN");
        command
    }

    /// Each example, and each variant of one.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        let plain = self.examples.iter().map(|example| (*example, &[] as &[&str]));
        plain.chain(self.variants.iter().copied())
    }
}

/// The text of an [`Output`] on stderr.
#[must_use]
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The time at which a Rust file below `folder` was last written. Cargo does not rebuild for other
/// files, such as a script beside an example.
fn newest(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).expect("a folder of this package");
    let time = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => newest(&entry.path()),
        _ if entry.path().extension().is_none_or(|it| it != "rs") => SystemTime::UNIX_EPOCH,
        _ => entry.metadata().and_then(|file| file.modified()).expect("a file has a time"),
    };
    entries.map(|entry| time(entry.expect("listed"))).max().unwrap_or(SystemTime::UNIX_EPOCH)
}
