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
