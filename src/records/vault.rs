//! Records at rest: XChaCha20-Poly1305 (RFC 8439, draft-irtf-cfrg-xchacha-03), by the crate `chacha20poly1305`. Every
//! value and every piece of a recording is sealed by itself, with a nonce drawn at random (24 bytes: no count to keep),
//! and bound to the call it belongs to. Each names its key, so that several may be in use while one replaces another.
//!
//! A sealed value: 1, key id (4 bytes), nonce, ciphertext with tag. What begins otherwise is a value from before there was
//! a key.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use super::disk::private_file;
use super::{Error, Result};
use crate::media::{Seal, file};

const SEALED: u8 = 1;
const ID: usize = 4;
const NONCE: usize = 24;
const TAG: usize = 16;
/// Begins a sealed recording; key id and a random name of the file follow.
const MAGIC: &[u8; 8] = b"FDREC\0\0\x02";
/// Begins one from before its pieces were bound to a call.
const UNBOUND: &[u8; 8] = b"FDREC\0\0\x01";
const NAME: usize = 16;
const HEAD: usize = MAGIC.len() + ID + NAME;
/// No piece of a recording is longer: the ring that it comes from holds 4 s.
const LARGEST: usize = 1 << 20;
/// What a crash may leave of a piece, bytes: one of 250 ms.
const TORN: u64 = 2_000 * 4 + 4 + (NONCE + TAG) as u64;

/// The keys of the records: the first seals, all unseal. Without any, nothing is sealed.
#[derive(Clone, Default)]
pub struct Keys(Arc<[Key]>);

struct Key {
    id: [u8; ID],
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.iter().map(|key| hex(&key.id)).collect::<Vec<_>>().join(", "))
    }
}

impl Keys {
    /// Keys of 64 hexadecimal digits, one a line (or parted by spaces or commas): the one in use, then older ones.
    pub fn parse(text: &str) -> Result<Self> {
        let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
        let keys: Vec<Key> = words.map(Key::parse).collect::<Result<_>>()?;
        if keys.is_empty() { Err(Error::Key) } else { Ok(Self(keys.into())) }
    }

    /// Nothing is sealed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `plain`, sealed where there is a key; `about` names the call (or flow) it belongs to.
    pub fn seal(&self, about: &str, plain: Vec<u8>) -> Vec<u8> {
        let Some(key) = self.0.first() else { return plain };
        let mut sealed = vec![SEALED];
        sealed.extend(key.id);
        sealed.extend(key.encrypt(about.as_bytes(), &plain));
        sealed
    }

    /// What was sealed, or was never.
    pub fn unseal(&self, about: &str, sealed: Vec<u8>) -> Result<Vec<u8>> {
        let Some((id, rest)) = sealed_by(&sealed) else { return Ok(sealed) };
        self.of(id)?.decrypt(about.as_bytes(), rest).ok_or(Error::Damaged)
    }

    /// Whether the key in use has sealed this.
    pub fn current(&self, sealed: &[u8]) -> bool {
        match (sealed_by(sealed), self.0.first()) {
            (Some((id, _)), Some(key)) => key.id == id,
            (sealed, key) => sealed.is_none() && key.is_none(),
        }
    }

    /// The key that sealed a value (its first bytes will do) is here.
    pub fn know(&self, sealed: &[u8]) -> Result<()> {
        sealed_by(sealed).map_or(Ok(()), |(id, _)| self.of(id).map(drop))
    }

    /// Seals a new recording of a call; none without a key.
    pub fn recording(&self, call: &str) -> Option<Box<dyn Seal>> {
        self.0.first()?;
        Some(Box::new(Pieces { keys: self.clone(), at: 0, name: rand::random(), call: Some(call.to_owned()) }))
    }

    fn of(&self, id: &[u8]) -> Result<&Key> {
        self.0.iter().find(|key| key.id == id).ok_or_else(|| Error::Sealed(hex(id)))
    }
}

/// The key's id and the rest of a sealed value.
fn sealed_by(sealed: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = sealed.strip_prefix(&[SEALED])?;
    rest.split_at_checked(ID)
}

impl Key {
    fn parse(text: &str) -> Result<Self> {
        let digit = |at: usize| text.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..32).map(digit).collect();
        let bytes =
            bytes.filter(|_| text.len() == 64 && text.bytes().all(|c| c.is_ascii_hexdigit())).ok_or(Error::Key)?;
        let id = Sha256::new().chain_update("frontdesk records key\0").chain_update(&bytes).finalize();
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| Error::Key)?;
        Ok(Self { id: [id[0], id[1], id[2], id[3]], cipher })
    }

    /// Nonce and ciphertext.
    fn encrypt(&self, aad: &[u8], msg: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::random(); // a CSPRNG, reseeded by the system
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg, aad });
        let sealed = sealed.expect("messages are far below the cipher's limit of 256 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    fn decrypt(&self, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, msg) = sealed.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        self.cipher.decrypt(&XNonce::from(nonce), Payload { msg, aad }).ok()
    }
}

/// The pieces of one recording: length (4 bytes, little endian), nonce, ciphertext with tag. Bound to the file's name, their
/// place, whether they are the last, and the call, so that none can be moved or left out unseen. The last one is empty: a
/// file without it is cut, by a crash or by somebody.
struct Pieces {
    keys: Keys,
    /// Of the key among them.
    at: usize,
    name: [u8; NAME],
    /// None in a file of before calls were bound.
    call: Option<String>,
}

impl Pieces {
    fn aad(&self, index: u64, last: bool) -> Vec<u8> {
        let call = self.call.as_deref().unwrap_or_default();
        [self.name.as_slice(), &index.to_le_bytes(), &[u8::from(last)], call.as_bytes()].concat()
    }
}

impl Seal for Pieces {
    fn head(&self) -> Vec<u8> {
        [MAGIC.as_slice(), &self.keys.0[self.at].id, &self.name].concat()
    }

    fn piece(&self, index: u64, last: bool, plain: &[u8]) -> Vec<u8> {
        let sealed = self.keys.0[self.at].encrypt(&self.aad(index, last), plain);
        [(sealed.len() as u32).to_le_bytes().as_slice(), &sealed].concat()
    }

    fn open(&self, index: u64, last: bool, piece: &[u8]) -> Option<Vec<u8>> {
        self.keys.0[self.at].decrypt(&self.aad(index, last), piece.get(4..)?)
    }
}

/// A sealed recording on disk, its pieces found but not opened.
struct Opened {
    file: File,
    pieces: Pieces,
    /// Where each stands, its length with it, and how long it is.
    spans: Vec<(u64, usize)>,
    /// Bytes after the last piece.
    rest: u64,
}

impl Opened {
    /// None when the file is not sealed.
    fn new(keys: &Keys, call: &str, path: &Path) -> Result<Option<Self>> {
        let failed = |source| Error::Folder { path: path.into(), source };
        let file = File::open(path).map_err(failed)?;
        let mut head = Vec::new();
        (&file).take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
        let Some((magic, rest)) = head.split_at_checked(MAGIC.len()).filter(|_| head.len() == HEAD) else {
            return Ok(None);
        };
        if magic != MAGIC && magic != UNBOUND {
            return Ok(None);
        }
        let (id, name) = rest.split_at(ID);
        keys.of(id)?;
        let at = keys.0.iter().position(|key| key.id == id).unwrap_or(0); // it is there, by the line above
        let call = (magic == MAGIC).then(|| call.to_owned());
        let pieces = Pieces { keys: keys.clone(), at, name: name.try_into().unwrap_or([0; NAME]), call };
        let size = file.metadata().map_err(failed)?.len();
        let (mut spans, mut end) = (Vec::new(), HEAD as u64);
        while end + 4 <= size {
            let mut length = [0; 4];
            file.read_exact_at(&mut length, end).map_err(failed)?;
            let length = u32::from_le_bytes(length) as usize;
            if !(NONCE + TAG..=LARGEST).contains(&length) || end + 4 + length as u64 > size {
                break;
            }
            spans.push((end, length + 4));
            end += length as u64 + 4;
        }
        Ok(Some(Self { file, pieces, spans, rest: size - end }))
    }

    fn bytes(&self, index: usize) -> io::Result<Vec<u8>> {
        let (at, length) = self.spans[index];
        let mut piece = vec![0; length];
        self.file.read_exact_at(&mut piece, at).map(|()| piece)
    }

    /// It has its last piece, and nothing after it.
    fn whole(&self) -> io::Result<bool> {
        let Some(last) = self.spans.len().checked_sub(1).filter(|_| self.rest == 0) else { return Ok(false) };
        Ok(self.pieces.open(last as u64, true, &self.bytes(last)?).is_some())
    }
}

/// The sound of a sealed recording.
pub struct Heard {
    /// Caller and other, 8 kHz.
    pub pairs: Vec<[i16; 2]>,
    /// False when the end is missing.
    pub whole: bool,
    /// Bytes behind it that are no piece.
    rest: u64,
}

/// The sound of a call's sealed recording; none when the file is not sealed. One without an end gives what comes before.
pub fn read(keys: &Keys, call: &str, path: &Path) -> Result<Option<Heard>> {
    let failed = |source| Error::Folder { path: path.into(), source };
    let Some(opened) = Opened::new(keys, call, path)? else { return Ok(None) };
    let whole = opened.whole().map_err(failed)?;
    let mut pairs = Vec::new();
    for index in 0..opened.spans.len() - usize::from(whole) {
        let piece = opened.bytes(index).map_err(failed)?;
        let plain = opened.pieces.open(index as u64, false, &piece).ok_or(Error::Damaged)?;
        pairs.extend(
            plain.chunks_exact(4).map(|b| [i16::from_le_bytes([b[0], b[1]]), i16::from_le_bytes([b[2], b[3]])]),
        );
    }
    Ok(Some(Heard { pairs, whole, rest: opened.rest }))
}

/// Whether a call's sealed recording has its end; none when the file is not sealed. Opens its last piece alone.
pub fn whole(keys: &Keys, call: &str, path: &Path) -> Result<Option<bool>> {
    let failed = |source| Error::Folder { path: path.into(), source };
    Opened::new(keys, call, path)?.map(|opened| opened.whole().map_err(failed)).transpose()
}

/// The file is a sealed recording. Needs no key.
pub fn is_sealed(path: &Path) -> io::Result<bool> {
    let mut magic = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut magic)?;
    Ok(magic == MAGIC || magic == UNBOUND)
}

/// Writes a call's recording anew, sealed by the key in use; false where that sealed it already, or it is gone. What has
/// no end is given none; what cannot be read to its end stays as it is.
pub fn reseal(keys: &Keys, call: &str, from: &Path, to: &Path) -> Result<bool> {
    let failed = |source| Error::Folder { path: from.into(), source };
    let Some(seal) = keys.recording(call) else { return Ok(false) };
    let mut head = vec![0; MAGIC.len() + ID];
    match File::open(from).and_then(|mut file| file.read_exact(&mut head)) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) => {
            return Ok(false);
        }
        Err(error) => return Err(failed(error)),
    }
    let sealed = head.starts_with(MAGIC) || head.starts_with(UNBOUND);
    if sealed && head[MAGIC.len()..] == keys.0[0].id {
        return Ok(false);
    }
    let (pairs, whole) = match read(keys, call, from)? {
        // More than a crash tears: not to be thrown away.
        Some(heard) if heard.rest > TORN => return Err(Error::Damaged),
        Some(heard) => (heard.pairs, heard.whole),
        None => {
            let channel = |n| file::read_channel(from, n).map_err(|source| Error::Sound { path: from.into(), source });
            let (caller, other) = (channel(0)?, channel(1)?);
            (caller.samples.into_iter().zip(other.samples).map(|(a, b)| [a, b]).collect::<Vec<_>>(), true)
        }
    };
    let new = to.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file = private_file(&new)?;
        file.set_len(0)?;
        file.write_all(&seal.head())?;
        let mut index = 0;
        for piece in pairs.chunks(2_000) {
            let plain: Vec<u8> = piece.iter().flatten().flat_map(|sample| sample.to_le_bytes()).collect();
            file.write_all(&seal.piece(index, false, &plain))?;
            index += 1;
        }
        if whole {
            file.write_all(&seal.piece(index, true, &[]))?;
        }
        file.sync_all()?;
        std::fs::rename(&new, to)?;
        // The old file goes only when the new one's name is on the disk.
        to.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(failed)?;
    Ok(true)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Keys {
        Keys::parse(&bytes.iter().map(|byte| format!("{byte:02x}").repeat(32)).collect::<Vec<_>>().join("\n")).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_and_for_its_call_alone() {
        let (one, two, both) = (keys(&[1]), keys(&[2]), keys(&[2, 1]));
        let sealed = one.seal("call", b"four oh seven".to_vec());
        assert!(!sealed.windows(4).any(|part| part == b"four"));
        assert_ne!(sealed, one.seal("call", b"four oh seven".to_vec()), "never the same twice");
        assert_eq!(one.unseal("call", sealed.clone()).unwrap(), b"four oh seven");
        assert_eq!(both.unseal("call", sealed.clone()).unwrap(), b"four oh seven", "an older key");
        assert!(matches!(one.unseal("other", sealed.clone()), Err(Error::Damaged)));
        assert!(matches!(two.unseal("call", sealed.clone()), Err(Error::Sealed(_))));
        assert!(matches!(Keys::default().unseal("call", sealed.clone()), Err(Error::Sealed(_))));
        for at in 5..sealed.len() {
            let mut torn = sealed.clone();
            torn[at] ^= 1;
            assert!(one.unseal("call", torn).is_err(), "byte {at}");
        }
        assert!(both.current(&both.seal("x", vec![])) && !both.current(&sealed) && !both.current(b"{}"));
        assert_eq!(one.unseal("call", b"{}".to_vec()).unwrap(), b"{}", "from before there was a key");
        assert_eq!(Keys::default().seal("call", b"{}".to_vec()), b"{}");
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        for text in ["", "secret", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert!(matches!(Keys::parse(text), Err(Error::Key)), "{text:?}");
        }
        assert!(!format!("{:?}", keys(&[7])).contains("0707"), "never printed");
    }

    /// A recording of three pieces and its end, in a file.
    fn recording(pieces: &Pieces, magic: &[u8; 8]) -> (tempfile::TempDir, std::path::PathBuf, Vec<usize>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sealed");
        let (mut bytes, mut ends) = ([magic.as_slice(), &pieces.head()[magic.len()..]].concat(), Vec::new());
        for index in 0..4 {
            let plain = if index < 3 { vec![7; 400] } else { Vec::new() };
            bytes.extend(pieces.piece(index, index == 3, &plain));
            ends.push(bytes.len());
        }
        std::fs::write(&path, bytes).unwrap();
        (folder, path, ends)
    }

    fn heard(keys: &Keys, call: &str, path: &Path) -> (usize, bool) {
        let heard = read(keys, call, path).unwrap().unwrap();
        assert_eq!(whole(keys, call, path).unwrap(), Some(heard.whole));
        (heard.pairs.len(), heard.whole)
    }

    #[test]
    fn a_recording_says_where_it_was_cut_and_is_no_other_calls() {
        let keys = keys(&[1]);
        for (call, magic) in [(Some("a".to_owned()), MAGIC), (None, UNBOUND)] {
            let pieces = Pieces { keys: keys.clone(), at: 0, name: [3; NAME], call: call.clone() };
            let (_folder, path, ends) = recording(&pieces, magic);
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(heard(&keys, "a", &path), (300, true), "of today, and of before calls were bound");
            match call {
                Some(_) => assert!(matches!(read(&keys, "b", &path), Err(Error::Damaged))),
                None => assert_eq!(heard(&keys, "b", &path), (300, true)),
            }
            std::fs::write(&path, &bytes[..ends[2]]).unwrap();
            assert_eq!(heard(&keys, "a", &path), (300, false), "the end is missing");
            std::fs::write(&path, &bytes[..ends[2] - 9]).unwrap();
            assert_eq!(heard(&keys, "a", &path), (200, false), "a torn piece");
            std::fs::write(&path, [&bytes[..ends[0]], &bytes[ends[1]..]].concat()).unwrap();
            assert!(matches!(read(&keys, "a", &path), Err(Error::Damaged)), "a piece is missing");
            std::fs::write(&path, [&bytes[..], b"more"].concat()).unwrap();
            assert!(!whole(&keys, "a", &path).unwrap().unwrap(), "something follows the end");
        }
    }

    #[test]
    fn what_is_sealed_anew_gets_no_end_that_it_did_not_have() {
        let (one, both) = (keys(&[1]), keys(&[2, 1]));
        let pieces = Pieces { keys: one.clone(), at: 0, name: [3; NAME], call: Some("a".into()) };
        for (cut, result) in [(3, (300, true)), (1, (200, false))] {
            let (_folder, path, ends) = recording(&pieces, MAGIC);
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..ends[cut]]).unwrap();
            assert!(reseal(&both, "a", &path, &path).unwrap());
            assert_eq!(heard(&keys(&[2]), "a", &path), result);
        }
        // A length that was changed: what follows must not be thrown away.
        let (_folder, path, ends) = recording(&pieces, MAGIC);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[ends[0]..][..4].fill(0xff);
        bytes.extend([0; TORN as usize]);
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(reseal(&both, "a", &path, &path), Err(Error::Damaged)));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}
