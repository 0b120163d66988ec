//! Files that are either the old one or the new one, never half of each.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file by way of a temporary one beside it: flushed to the disk, then renamed over the old one.
///
/// # Errors
/// Whatever the file system says; the old file is then untouched.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".berth-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    // The rename itself must survive a power cut; not every file system lets a folder be synced.
    if let Ok(folder) = std::fs::File::open(folder) {
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
    write_new(path, bytes, 0o644)
}

/// The same for a file that nobody but its owner may read, should it have to be made.
///
/// # Errors
/// As [`write_output`].
pub fn write_private_output(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_new(path, bytes, 0o600)
}

fn write_new(path: &Path, bytes: &[u8], new: u32) -> io::Result<()> {
    let link = std::fs::symlink_metadata(path);
    if link.as_ref().is_ok_and(|link| link.is_symlink() && is_foreign(link)) {
        let message = "it is a link that somebody else owns: what it leads to is not replaced";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    let mode = match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        Ok(there) if !there.is_file() => {
            let mut device = OpenOptions::new().write(true).open(path)?;
            device.write_all(bytes)?;
            return device.flush();
        }
        Ok(there) => Some(there.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // The file that a link leads to is replaced, not the link.
    let path = if mode.is_some() { std::fs::canonicalize(path)? } else { path.to_owned() };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => Path::new(".").to_owned(),
    };
    if !folder.is_dir() {
        let message = format!("there is no folder {}", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    let mut file = tempfile::Builder::new().prefix(".berth-").tempfile_in(&folder)?;
    file.write_all(bytes)?;
    if let Some(mode) = mode {
        file.as_file().set_permissions(mode)?;
    } else {
        set_mode(file.as_file(), new)?;
    }
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Whether a link belongs to another user than the one of this process.
fn is_foreign(link: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // The process's own folder below /proc has its user; where there is none, nothing is known.
        let own = std::fs::metadata("/proc/self").map(|own| own.uid());
        own.is_ok_and(|own| own != link.uid())
    }
    #[cfg(not(unix))]
    {
        let _ = link;
        false
    }
}

fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    let _ = (file, mode);
    Ok(())
}

/// Adds to a file that others write to as well, and makes it when it is not there.
///
/// # Errors
/// Whatever the file system says.
pub fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // One write: what another process adds at the same moment comes before or behind, never between.
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(bytes)?;
    file.flush()
}

/// Options to open a file that nobody but its owner may read, should it have to be made.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a file that nobody but its owner may read, or empties the one that is there. A device or a pipe stays as it is.
///
/// # Errors
/// Whatever the file system says.
pub fn create_private(path: &Path) -> io::Result<File> {
    let file = private().create(true).truncate(true).write(true).open(path)?;
    close_to_others(&file)?;
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
/// Whatever the file system says, except that the file is missing.
pub fn read_if_exists(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
