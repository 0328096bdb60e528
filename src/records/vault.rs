//! Records at rest: XChaCha20-Poly1305 (RFC 8439, draft-irtf-cfrg-xchacha-03), by the crate `chacha20poly1305`. Every
//! value and every piece of a recording is sealed by itself, with a nonce drawn at random (24 bytes: no count to keep),
//! and bound to the call it belongs to. Each names its key, so that several may be in use while one replaces another.
//!
//! A sealed value: 1, key id (4 bytes), nonce, ciphertext with tag. What begins otherwise is a value from before there was
//! a key.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
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
const MAGIC: &[u8; 8] = b"FDREC\0\0\x01";
const NAME: usize = 16;
const HEAD: usize = MAGIC.len() + ID + NAME;
/// No piece of a recording is longer: the ring that it comes from holds 4 s.
const LARGEST: usize = 1 << 20;

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

    /// Seals a new recording; none without a key.
    pub fn recording(&self) -> Option<Box<dyn Seal>> {
        self.0.first()?;
        Some(Box::new(Pieces { keys: self.clone(), at: 0, name: rand::random() }))
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
/// place and whether they are the last, so that none can be moved or left out unseen.
struct Pieces {
    keys: Keys,
    /// Of the key among them.
    at: usize,
    name: [u8; NAME],
}

impl Pieces {
    fn aad(&self, index: u64, last: bool) -> Vec<u8> {
        [self.name.as_slice(), &index.to_le_bytes(), &[u8::from(last)]].concat()
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

/// The sound of a sealed recording, pairs of samples (caller, other) at 8 kHz; none when the file is not sealed. A
/// recording whose writer was killed ends with its last whole piece.
pub fn read(keys: &Keys, path: &Path) -> Result<Option<Vec<[i16; 2]>>> {
    let failed = |source| Error::Folder { path: path.into(), source };
    let file = File::open(path).map_err(failed)?;
    let mut head = Vec::new();
    (&file).take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
    let Some(rest) = head.strip_prefix(MAGIC).filter(|rest| rest.len() == ID + NAME) else { return Ok(None) };
    let (id, name) = rest.split_at(ID);
    keys.of(id)?;
    let at = keys.0.iter().position(|key| key.id == id).unwrap_or(0); // it is there, by the line above
    let pieces = Pieces { keys: keys.clone(), at, name: name.try_into().unwrap_or([0; NAME]) };
    let mut sound = Vec::new();
    for index in 0.. {
        let Some(piece) = next_piece(&file).map_err(failed)? else { break };
        match pieces.open(index, false, &piece) {
            Some(plain) => sound.extend(
                plain.chunks_exact(4).map(|b| [i16::from_le_bytes([b[0], b[1]]), i16::from_le_bytes([b[2], b[3]])]),
            ),
            None if pieces.open(index, true, &piece).is_some() => break,
            None => return Err(Error::Damaged),
        }
    }
    Ok(Some(sound))
}

/// Writes a recording anew, sealed by the key in use; false where that sealed it already, or it is gone.
pub fn reseal(keys: &Keys, from: &Path, to: &Path) -> Result<bool> {
    let failed = |source| Error::Folder { path: from.into(), source };
    let Some(seal) = keys.recording() else { return Ok(false) };
    let mut head = vec![0; MAGIC.len() + ID];
    match File::open(from).and_then(|mut file| file.read_exact(&mut head)) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) => {
            return Ok(false);
        }
        Err(error) => return Err(failed(error)),
    }
    if head.starts_with(MAGIC) && head[MAGIC.len()..] == keys.0[0].id {
        return Ok(false);
    }
    let pairs = match read(keys, from)? {
        Some(pairs) => pairs,
        None => {
            let channel = |n| file::read_channel(from, n).map_err(|source| Error::Sound { path: from.into(), source });
            let (caller, other) = (channel(0)?, channel(1)?);
            caller.samples.into_iter().zip(other.samples).map(|(a, b)| [a, b]).collect()
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
        file.write_all(&seal.piece(index, true, &[]))?;
        file.sync_all()?;
        std::fs::rename(&new, to)
    };
    write().map_err(failed)?;
    Ok(true)
}

/// One whole piece with its length; none at the end, or where the file is torn.
fn next_piece(file: &File) -> io::Result<Option<Vec<u8>>> {
    let mut piece = Vec::new();
    file.take(4).read_to_end(&mut piece)?;
    let Ok(length) = piece.as_slice().try_into().map(u32::from_le_bytes) else { return Ok(None) };
    let length = length as usize;
    if !(NONCE + TAG..=LARGEST).contains(&length) {
        return Ok(None);
    }
    file.take(length as u64).read_to_end(&mut piece)?;
    Ok((piece.len() == length + 4).then_some(piece))
}

/// Cuts a torn last piece off a sealed recording; false when the file is not sealed. Needs no key.
pub fn mend(path: &Path) -> io::Result<bool> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut head = Vec::new();
    (&file).take(HEAD as u64).read_to_end(&mut head)?;
    if !head.starts_with(MAGIC) {
        return Ok(false);
    }
    let mut whole = head.len() as u64;
    while let Some(piece) = next_piece(&file)? {
        whole += piece.len() as u64;
    }
    file.seek(SeekFrom::Start(whole))?;
    file.set_len(whole)?;
    file.sync_all()?;
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
}
