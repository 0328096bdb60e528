//! Taking single files out of a package: zip (Python wheels) or gzipped tar (npm packages, source archives).
//! The kind is told by the first bytes. Only files named are written, under names of ours, so an archive
//! cannot write elsewhere; its sha256 was checked before.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

/// Writes `members` of `archive` as `prefix0`, `prefix1`, ... beside each other and returns their paths.
/// An error says which file is missing or what is wrong with the archive.
pub(super) fn take(archive: &Path, members: &[String], prefix: &Path) -> io::Result<Vec<PathBuf>> {
    let outs: Vec<PathBuf> = (0..members.len())
        .map(|at| {
            let mut name = prefix.as_os_str().to_owned();
            name.push(at.to_string());
            PathBuf::from(name)
        })
        .collect();
    let mut file = File::open(archive)?;
    let mut magic = [0; 2];
    file.read_exact(&mut magic)?;
    file.rewind()?;
    match magic {
        [b'P', b'K'] => from_zip(file, members, &outs)?,
        [0x1f, 0x8b] => from_tar(flate2::read::GzDecoder::new(file), members, &outs)?,
        _ => return Err(io::Error::other("neither a zip nor a gzipped tar archive")),
    }
    Ok(outs)
}

fn from_zip(file: File, members: &[String], outs: &[PathBuf]) -> io::Result<()> {
    let mut zip = zip::ZipArchive::new(file)?;
    for (member, out) in members.iter().zip(outs) {
        let mut from = zip.by_name(member).map_err(|e| io::Error::other(format!("{member}: {e}")))?;
        io::copy(&mut from, &mut File::create(out)?)?;
    }
    Ok(())
}

fn from_tar(tar: impl Read, members: &[String], outs: &[PathBuf]) -> io::Result<()> {
    let mut missing: Vec<(&String, &PathBuf)> = members.iter().zip(outs).collect();
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if let Some(at) = missing.iter().position(|(member, _)| Path::new(member) == path) {
            let (_, out) = missing.swap_remove(at);
            io::copy(&mut entry, &mut File::create(out)?)?;
        }
        if missing.is_empty() {
            return Ok(());
        }
    }
    match missing.first() {
        Some((member, _)) => Err(io::Error::other(format!("{member} is not in the archive"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn files_come_out_of_both_kinds_in_the_order_asked() {
        let dir = tempfile::tempdir().unwrap();
        let zip_at = dir.path().join("p.whl");
        let mut zip = zip::ZipWriter::new(File::create(&zip_at).unwrap());
        for (name, text) in [("p/a", "first"), ("p/b", "second")] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();

        let tar_at = dir.path().join("p.tgz");
        let gz = flate2::write::GzEncoder::new(File::create(&tar_at).unwrap(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(gz);
        for (name, text) in [("p/a", "first"), ("p/b", "second")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap();

        for archive in [&zip_at, &tar_at] {
            let out = take(archive, &["p/b".into(), "p/a".into()], &dir.path().join("out-")).unwrap();
            let texts: Vec<String> = out.iter().map(|p| std::fs::read_to_string(p).unwrap()).collect();
            assert_eq!(texts, ["second", "first"]);
            let error = take(archive, &["p/c".into()], &dir.path().join("out-")).unwrap_err();
            assert!(error.to_string().contains("p/c"), "{error}");
        }
        std::fs::write(&zip_at, "<html>").unwrap();
        assert!(take(&zip_at, &["p/a".into()], &dir.path().join("out-")).is_err());
    }
}
