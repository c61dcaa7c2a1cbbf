//! Writing the guest's file tree: a cpio archive in the "newc" format.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read, Write},
    path::{Component, Path, PathBuf},
};

use crate::Error;

/// The guest's root directory, as an archive that the kernel unpacks at boot.
///
/// `/bin`, `/sbin`, `/lib` and `/lib64` are links into `/usr`, as on Debian, so a file keeps both
/// of its names.
pub(crate) struct Initramfs<W> {
    out: W,
    path: PathBuf,
    written: BTreeSet<PathBuf>,
    size: u64,
}

impl<W: Write> Initramfs<W> {
    /// `path` is where `out` writes to, for errors.
    pub(crate) fn new(out: W, path: &Path) -> Result<Self, Error> {
        let mut this = Self {
            out,
            path: path.to_owned(),
            written: BTreeSet::new(),
            size: 0,
        };
        for name in MERGED {
            let target = format!("usr/{name}");
            this.directory(Path::new(&target))?;
            this.entry(Path::new(name), SYMLINK, target.as_bytes())?;
        }
        Ok(this)
    }

    /// Adds a host file, at a guest path, as a program.
    pub(crate) fn host_file(&mut self, host: &Path, guest: &Path) -> Result<(), Error> {
        let mut content = Vec::new();
        File::open(host)
            .and_then(|mut file| file.read_to_end(&mut content))
            .map_err(Error::io(host))?;
        self.file(guest, &content)
    }

    /// Adds a file that everybody may run. The first file of a name stays.
    pub(crate) fn file(&mut self, guest: &Path, content: &[u8]) -> Result<(), Error> {
        self.place(guest, EXECUTABLE, content)
    }

    /// Adds a symbolic link. The first file of a name stays.
    pub(crate) fn link(&mut self, guest: &Path, target: &str) -> Result<(), Error> {
        self.place(guest, SYMLINK, target.as_bytes())
    }

    /// Adds a directory and its parents.
    pub(crate) fn directory(&mut self, guest: &Path) -> Result<(), Error> {
        let guest = merged(guest);
        let mut parents: Vec<_> = guest
            .ancestors()
            .filter(|path| !path.as_os_str().is_empty())
            .collect();
        parents.reverse();
        for parent in parents {
            if self.written.insert(parent.to_owned()) {
                self.entry(parent, DIRECTORY, &[])?;
            }
        }
        Ok(())
    }

    /// Ends the archive and gives its size in bytes.
    pub(crate) fn finish(mut self) -> Result<u64, Error> {
        self.entry(Path::new("TRAILER!!!"), 0, &[])?;
        self.out.flush().map_err(Error::io(&self.path))?;
        Ok(self.size)
    }

    fn place(&mut self, guest: &Path, mode: u32, content: &[u8]) -> Result<(), Error> {
        let guest = merged(guest);
        if let Some(parent) = guest.parent() {
            self.directory(parent)?;
        }
        if self.written.insert(guest.clone()) {
            self.entry(&guest, mode, content)
        } else {
            Ok(())
        }
    }

    /// One header of 110 bytes, the name with its NUL, the content; the last two padded to 4 bytes.
    fn entry(&mut self, name: &Path, mode: u32, content: &[u8]) -> Result<(), Error> {
        let too_big = |_| Error::Unexpected {
            path: name.to_owned(),
            problem: format!("{} bytes do not fit into a newc archive", content.len()),
        };
        let name_bytes = name.as_os_str().as_encoded_bytes();
        let size = u32::try_from(content.len()).map_err(too_big)?;
        let name_size = u32::try_from(name_bytes.len() + 1).map_err(too_big)?;
        // ino, mode, uid, gid, nlink, mtime, filesize, four device numbers, namesize, check.
        let fields = [0, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
        let mut header = String::from("070701");
        header.extend(fields.map(|field| format!("{field:08x}")));
        self.write(&[header.as_bytes(), name_bytes, &[0]])?;
        self.write(&[content])
    }

    fn write(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let padding = len.next_multiple_of(4) - len;
        let write = |out: &mut W| -> io::Result<()> {
            parts.iter().try_for_each(|part| out.write_all(part))?;
            out.write_all(&[0; 3][..padding])
        };
        write(&mut self.out).map_err(Error::io(&self.path))?;
        self.size += (len + padding) as u64;
        Ok(())
    }
}

/// The name in the archive: relative, and below `usr` for what Debian has merged into it.
fn merged(guest: &Path) -> PathBuf {
    let relative: PathBuf = guest
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect();
    if MERGED.iter().any(|name| relative.starts_with(name)) {
        Path::new("usr").join(relative)
    } else {
        relative
    }
}

const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];
const DIRECTORY: u32 = 0o040_755;
const EXECUTABLE: u32 = 0o100_755;
const SYMLINK: u32 = 0o120_777;

#[cfg(test)]
mod tests {
    use super::*;

    /// The archive's entries as (name, mode, content), read by the format's own rules.
    fn entries(mut archive: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut found = Vec::new();
        loop {
            let field = |index: usize| {
                let start = 6 + 8 * index;
                let text = std::str::from_utf8(&archive[start..start + 8]).unwrap();
                u32::from_str_radix(text, 16).unwrap()
            };
            assert_eq!(&archive[..6], b"070701");
            let (mode, size, name_size) = (field(1), field(6) as usize, field(11) as usize);
            let name = String::from_utf8(archive[110..110 + name_size - 1].to_vec()).unwrap();
            let content = (110 + name_size).next_multiple_of(4);
            if name == "TRAILER!!!" {
                assert_eq!(archive.len(), content);
                return found;
            }
            found.push((name, mode, archive[content..content + size].to_vec()));
            archive = &archive[(content + size).next_multiple_of(4)..];
        }
    }

    #[test]
    fn a_file_follows_its_directories_and_is_padded() {
        let mut out = Vec::new();
        let mut tree = Initramfs::new(&mut out, Path::new("out")).unwrap();
        tree.file(Path::new("/a/b/c"), b"12345").unwrap();
        tree.link(Path::new("/a/l"), "b/c").unwrap();
        let size = tree.finish().unwrap();
        assert_eq!(size, out.len() as u64);
        let tail = &entries(&out)[9..];
        let expected = [
            ("a", DIRECTORY, ""),
            ("a/b", DIRECTORY, ""),
            ("a/b/c", EXECUTABLE, "12345"),
            ("a/l", SYMLINK, "b/c"),
        ];
        let expected = expected.map(|(name, mode, text)| (name.into(), mode, text.into()));
        assert_eq!(tail, expected);
    }

    #[test]
    fn a_merged_directory_is_one_directory_and_the_first_file_stays() {
        let mut out = Vec::new();
        let mut tree = Initramfs::new(&mut out, Path::new("out")).unwrap();
        tree.file(Path::new("/bin/sh"), b"first").unwrap();
        tree.file(Path::new("/usr/bin/sh"), b"second").unwrap();
        tree.finish().unwrap();
        let entries = entries(&out);
        let names: Vec<_> = entries.iter().map(|(name, ..)| name.as_str()).collect();
        let expected = [
            "usr",
            "usr/bin",
            "bin",
            "usr/sbin",
            "sbin",
            "usr/lib",
            "lib",
            "usr/lib64",
            "lib64",
            "usr/bin/sh",
        ];
        assert_eq!(names, expected);
        assert_eq!(entries[9].2, b"first");
    }
}
