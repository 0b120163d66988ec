//! Files that are either the old one or the new one, never half of each.

use std::collections::HashSet;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use tempfile::NamedTempFile;

/// Writes a file of berth's own by way of a temporary one beside it: flushed to the disk, then renamed over the old one.
/// Folders are made; only the owner may read a file that is new.
///
/// # Errors
/// Whatever the file system says, and when a device, a pipe or somebody else's link is in the place; what is there is then
/// untouched.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(folder_of(path))?;
    let (path, there) = target(path)?;
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return Err(no_file());
    }
    replace(&path, there, bytes, 0o600)?;
    // The rename itself must survive a power cut; not every file system lets a folder be synced.
    if let Ok(folder) = File::open(folder_of(&path)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Writes what a person asked to have in a file, under a path of theirs.
///
/// A file is replaced as a whole and keeps its mode; a link is followed, unless somebody else owns it; a device, a pipe or
/// a socket is written to and stays what it is. No folder is made.
///
/// # Errors
/// Whatever the file system says; a file that was there is then untouched.
pub fn write_output(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_new(path, bytes, 0o666)
}

/// The same for a file that nobody but its owner may read, should it have to be made.
///
/// # Errors
/// As [`write_output`].
pub fn write_private_output(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_new(path, bytes, 0o600)
}

/// `new` is the mode of a file that has to be made; the process's mask is taken off it.
fn write_new(path: &Path, bytes: &[u8], new: u32) -> io::Result<()> {
    let (path, there) = target(path)?;
    match &there {
        Some(there) if there.is_dir() => Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder")),
        Some(there) if !there.is_file() => {
            let mut device = flags(OpenOptions::new().write(true), &[Flag::Detached]).open(&path)?;
            if device.metadata()?.is_file() {
                return Err(io::Error::other("it was exchanged meanwhile"));
            }
            device.write_all(bytes)?;
            device.flush()
        }
        _ => {
            let folder = folder_of(&path);
            if !folder.is_dir() {
                let message = format!("there is no folder {}", folder.display());
                return Err(io::Error::new(ErrorKind::NotFound, message));
            }
            replace(&path, there, bytes, new)
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn no_file() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "it is a device, a pipe or a folder, and no file")
}

/// What a path means for somebody who writes there, and what is there. The file that a link leads to is meant, not the
/// link; one that somebody else owns leads nowhere.
fn target(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((path.to_owned(), None)),
        found => found?,
    };
    if !found.is_symlink() {
        return Ok((path.to_owned(), Some(found)));
    }
    if is_foreign(&found) {
        let message = "it is a link that somebody else owns: what it leads to is not replaced";
        return Err(io::Error::new(ErrorKind::PermissionDenied, message));
    }
    match std::fs::metadata(path) {
        // What is behind /dev/stdout may have no path.
        Ok(there) if !there.is_file() => Ok((path.to_owned(), Some(there))),
        Ok(there) => Ok((std::fs::canonicalize(path)?, Some(there))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(io::Error::new(ErrorKind::NotFound, "it is a link to something that is not there"))
        }
        Err(error) => Err(error),
    }
}

/// Puts a whole file in the place of another, or of none.
fn replace(path: &Path, there: Option<Metadata>, bytes: &[u8], new: u32) -> io::Result<()> {
    let mut file = temporary(folder_of(path), new)?;
    file.write_all(bytes)?;
    if let Some(there) = there {
        keep_owner(file.as_file(), &there);
        file.as_file().set_permissions(there.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Where a privileged user writes, the file stays its owner's. Nobody else can give a file away.
fn keep_owner(file: &File, there: &Metadata) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let own = file.metadata().map(|own| (own.uid(), own.gid()));
        if own.is_ok_and(|own| own != (there.uid(), there.gid())) {
            let _ = fchown(file, Some(there.uid()), Some(there.gid()));
        }
    }
    let _ = (file, there);
}

const PREFIX: &str = ".berth-";
const SUFFIX: &str = ".tmp";

/// A temporary file that this process holds: its lock tells it from one that a killed run left.
fn temporary(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    sweep(folder);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    let _ = mode;
    loop {
        let file = builder.tempfile_in(folder)?;
        if !cfg!(unix) || !matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock)) {
            // Somebody who sweeps may have taken it before it was held.
            if file.path().symlink_metadata().is_ok() {
                return Ok(file);
            }
        }
    }
}

/// Removes the temporary files that killed runs left in a folder, once for each folder that this process writes to.
fn sweep(folder: &Path) {
    static SWEPT: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);
    if !SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned()) {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
        let ours = random
            .is_some_and(|random| random.len() == 6 && random.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let opened = flags(OpenOptions::new().read(true), &[Flag::Straight, Flag::AtOnce]).open(&path);
        if opened.is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Whether a file or a link belongs to somebody who is neither this process's user nor the system's administrator.
fn is_foreign(found: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        found.uid() != 0 && own_user().is_some_and(|own| own != found.uid())
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        false
    }
}

/// The user of this process, which is the owner of what it makes.
#[cfg(unix)]
fn own_user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    static OWN: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
    *OWN.get_or_init(|| {
        let own = std::fs::metadata("/proc/self").or_else(|_| tempfile::tempfile()?.metadata());
        own.map(|own| own.uid()).ok()
    })
}

/// Adds to a file that others write to as well, and makes it when it is not there. A link that somebody else owns is not
/// followed.
///
/// # Errors
/// Whatever the file system says.
pub fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (path, _) = target(path)?;
    // One write: what another process adds at the same moment comes before or behind, never between.
    let mut file = flags(OpenOptions::new().append(true).create(true), &[Flag::Detached]).open(path)?;
    file.write_all(bytes)?;
    file.flush()
}

/// How a file is opened beyond reading and writing.
#[derive(Clone, Copy)]
enum Flag {
    /// Not by way of a link in its last part.
    Straight,
    /// Without waiting for the other end of a pipe.
    AtOnce,
    /// Without becoming this process's terminal.
    Detached,
}

fn flags<'a>(options: &'a mut OpenOptions, wanted: &[Flag]) -> &'a mut OpenOptions {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let all = wanted.iter().map(|flag| match flag {
            Flag::Straight => OFlags::NOFOLLOW,
            Flag::AtOnce => OFlags::NONBLOCK,
            Flag::Detached => OFlags::NOCTTY,
        });
        options.custom_flags(all.fold(OFlags::empty(), |all, flag| all | flag).bits().cast_signed());
    }
    let _ = wanted;
    options
}

/// Opens a file of berth's own, a lock or a journal, with the options given; one that has to be made nobody but its owner
/// may read.
///
/// # Errors
/// Whatever the file system says, and when it is a link, a device or a pipe: what a link leads to is not berth's.
pub fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return Err(io::Error::new(
            ErrorKind::PermissionDenied,
            "it is a link, and berth follows none to its own files",
        ));
    }
    let file = flags(options, &[Flag::Straight, Flag::AtOnce, Flag::Detached]).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
}

/// Makes a file that nobody but its owner may read, or empties the one that is there. A device or a pipe stays as it is.
///
/// # Errors
/// Whatever the file system says, and when somebody else owns the file or the link that is there: its owner would read
/// what is written.
pub fn create_private(path: &Path) -> io::Result<File> {
    let (path, there) = target(path)?;
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match there {
        Some(there) if there.is_dir() => {
            return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder"));
        }
        Some(there) if !there.is_file() => return flags(&mut options, &[Flag::Detached]).open(&path),
        _ => flags(options.create(true), &[Flag::Straight]).open(&path)?,
    };
    let found = file.metadata()?;
    if found.is_file() {
        if is_foreign(&found) {
            let message = "somebody else owns the file, and would read what is written";
            return Err(io::Error::new(ErrorKind::PermissionDenied, message));
        }
        close_to_others(&file)?;
        file.set_len(0)?;
    }
    Ok(file)
}

/// Takes an open file away from everybody but its owner; one of an earlier berth was open to others.
///
/// # Errors
/// Whatever the file system says.
pub fn close_to_others(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = file.metadata()?;
        if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// Reads a file; `None` when there is none.
///
/// # Errors
/// Whatever the file system says, except that the file is missing, and when it is a device, a pipe or a folder: reading
/// might never end.
pub fn read_if_exists(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = match flags(OpenOptions::new().read(true), &[Flag::AtOnce, Flag::Detached]).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(no_file());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn put(path: &Path, text: &str) {
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_a_run_holds_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let held = File::create(at(".berth-Held00.tmp")).unwrap();
        held.lock().unwrap();
        for name in [".berth-Ab12Cd.tmp", ".berth-secret.yaml", ".berth-Ab12Cd", ".berth-toolong.tmp"] {
            File::create(at(name)).unwrap();
        }
        symlink("/etc/hostname", at(".berth-link00.tmp")).unwrap();
        std::fs::create_dir(at(".berth-folder.tmp")).unwrap();
        write_output(&at("new"), b"x").unwrap();
        let wanted = [
            ".berth-Ab12Cd",
            ".berth-Held00.tmp",
            ".berth-folder.tmp",
            ".berth-link00.tmp",
            ".berth-secret.yaml",
            ".berth-toolong.tmp",
            "new",
        ];
        assert_eq!(names(folder.path()), wanted);
    }

    #[test]
    fn modes_stay_and_new_files_of_berths_own_are_their_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write_atomic(&at("own"), b"1").unwrap();
        write_private_output(&at("plan"), b"1").unwrap();
        create_private(&at("trace")).unwrap();
        open_own(&at("lock"), OpenOptions::new().create(true).write(true)).unwrap();
        for name in ["own", "plan", "trace", "lock"] {
            assert_eq!(mode(&at(name)), 0o600, "{name}");
            std::fs::set_permissions(at(name), Permissions::from_mode(0o644)).unwrap();
        }
        write_atomic(&at("own"), b"2").unwrap();
        write_private_output(&at("plan"), b"2").unwrap();
        create_private(&at("trace")).unwrap();
        assert_eq!([mode(&at("own")), mode(&at("plan")), mode(&at("trace"))], [0o644, 0o644, 0o600]);
    }

    #[test]
    fn links_are_followed_or_refused_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for write in [write_atomic, write_output, write_private_output] {
            let _ = std::fs::remove_file(at("link"));
            put(&at("file"), "old");
            symlink("file", at("link")).unwrap();
            write(&at("link"), b"new").unwrap();
            assert_eq!(std::fs::read(at("file")).unwrap(), b"new");
            assert!(at("link").symlink_metadata().unwrap().is_symlink());
            let _ = std::fs::remove_file(at("dangling"));
            symlink("nothing", at("dangling")).unwrap();
            assert!(write(&at("dangling"), b"new").is_err());
            assert!(at("dangling").symlink_metadata().unwrap().is_symlink());
            assert!(!at("nothing").exists());
            // A link that another user made; only a privileged user can play that.
            if std::os::unix::fs::lchown(at("link"), Some(4711), None).is_ok() {
                assert!(write(&at("link"), b"no").is_err());
                assert!(create_private(&at("link")).is_err());
                assert_eq!(std::fs::read(at("file")).unwrap(), b"new");
            }
        }
        assert!(open_own(&at("link"), OpenOptions::new().create(true).write(true)).is_err());
        assert!(open_own(&at("dangling"), OpenOptions::new().create(true).write(true)).is_err());
        assert!(!at("nothing").exists());
        put(&at("theirs"), "old");
        if std::os::unix::fs::chown(at("theirs"), Some(4711), Some(4712)).is_ok() {
            assert!(create_private(&at("theirs")).is_err());
            write_output(&at("theirs"), b"new").unwrap();
            let there = std::fs::metadata(at("theirs")).unwrap();
            assert_eq!((there.uid(), there.gid()), (4711, 4712));
        }
    }

    #[test]
    fn devices_are_no_files_of_berths_own() {
        assert!(write_atomic(Path::new("/dev/null"), b"x").is_err());
        assert!(open_own(Path::new("/dev/null"), OpenOptions::new().write(true)).is_err());
        assert!(read_if_exists(Path::new("/dev/zero")).is_err());
        assert!(read_if_exists(Path::new("/")).is_err());
        write_output(Path::new("/dev/null"), b"x").unwrap();
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }
}
