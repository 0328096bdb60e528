//! SRTP and SRTCP (RFC 3711; AES-GCM by RFC 7714) for one leg, in place.
//!
//! Ciphers and hashes are RustCrypto's; what is here is the packet format, the key derivation and the replay windows.
//! The crate `webrtc-srtp` (0.17.2) expands the cipher's key and allocates for each packet, which the media's beat must
//! not (`context/srtp.rs`, `cipher_aes_cm_hmac_sha1/ctrcipher.rs`). Nothing here allocates once a key is known.

use aes::cipher::{BlockEncrypt, BlockSizeUser, KeyInit, consts::U12, consts::U16};
use aes::{Aes128, Aes256};
use aes_gcm::{AeadInPlace, AesGcm};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::rtp;

/// Bytes that protection adds at most: SRTCP by AES-GCM, tag and index.
pub const OVERHEAD: usize = 20;
/// Streams told apart on the way in: a peer that changes its SSRC, and strays.
const STREAMS: usize = 4;
/// Bytes of an RTCP packet that stay readable.
const RTCP_HEADER: usize = 8;
const LONGEST_KEY: usize = 32;
const LONGEST_SALT: usize = 14;
/// HMAC-SHA1's key.
const AUTH_KEY: usize = 20;
const SRTCP_TAG: usize = 10;

/// What protects a stream (RFC 4568, 6.2; RFC 7714, 14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    AesCm80,
    AesCm32,
    Gcm128,
    Gcm256,
}

impl Suite {
    /// All, in the order we offer them: the one that every phone knows first.
    pub const ALL: [Suite; 4] = [Suite::AesCm80, Suite::Gcm128, Suite::Gcm256, Suite::AesCm32];

    pub fn name(self) -> &'static str {
        match self {
            Suite::AesCm80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm32 => "AES_CM_128_HMAC_SHA1_32",
            Suite::Gcm128 => "AEAD_AES_128_GCM",
            Suite::Gcm256 => "AEAD_AES_256_GCM",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Bytes of the master key and of the master salt.
    pub fn lengths(self) -> (usize, usize) {
        match self {
            Suite::AesCm80 | Suite::AesCm32 => (16, 14),
            Suite::Gcm128 => (16, 12),
            Suite::Gcm256 => (32, 12),
        }
    }

    fn rtp_tag(self) -> usize {
        match self {
            Suite::AesCm80 => 10,
            Suite::AesCm32 => 4,
            Suite::Gcm128 | Suite::Gcm256 => 16,
        }
    }
}

/// A master key with its salt. Wiped when dropped, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    bytes: [u8; LONGEST_KEY + LONGEST_SALT],
}

impl MasterKey {
    /// Of key and salt, one after the other; `None` when their length is not the suite's.
    pub fn new(suite: Suite, key_and_salt: &[u8]) -> Option<Self> {
        let (key, salt) = suite.lengths();
        let mut bytes = [0; LONGEST_KEY + LONGEST_SALT];
        (key_and_salt.len() == key + salt).then(|| {
            bytes[..key + salt].copy_from_slice(key_and_salt);
            Self { suite, bytes }
        })
    }

    /// A new one.
    pub fn random(suite: Suite) -> Self {
        let mut bytes = [0; LONGEST_KEY + LONGEST_SALT];
        let (key, salt) = suite.lengths();
        rand::fill(&mut bytes[..key + salt]); // the thread's generator is a CSPRNG, seeded by the system
        Self { suite, bytes }
    }

    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Key and salt, one after the other, for the description.
    pub fn expose(&self) -> &[u8] {
        let (key, salt) = self.suite.lengths();
        &self.bytes[..key + salt]
    }

    /// RFC 3711, 4.3 (key derivation rate 0): `out` becomes the session key of a label.
    fn derive(&self, label: u8, out: &mut [u8]) {
        let (key, salt) = self.expose().split_at(self.suite.lengths().0);
        let mut iv = [0u8; 16];
        // GCM's salts are shorter and stand to the left (RFC 7714, 11).
        iv[..salt.len()].copy_from_slice(salt);
        iv[7] ^= label;
        out.fill(0);
        match self.suite {
            Suite::Gcm256 => keystream(&Aes256::new(key.into()), iv, out),
            _ => keystream(&Aes128::new(key.into()), iv, out),
        }
        iv.zeroize();
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({})", self.suite.name())
    }
}

/// XORs AES in counter mode into `data`. The counter's last 16 bits begin at 0 and count the blocks: 1 MiB, which no
/// datagram has (RFC 3711, 4.1.1).
fn keystream(cipher: &impl BlockEncryptor, mut iv: [u8; 16], data: &mut [u8]) {
    for (n, part) in data.chunks_mut(16).enumerate() {
        iv[14..].copy_from_slice(&(n as u16).to_be_bytes());
        let mut block = iv.into();
        cipher.encrypt_block(&mut block);
        xor(part, &block);
    }
}

/// AES with either key.
trait BlockEncryptor: BlockEncrypt + BlockSizeUser<BlockSize = U16> {}
impl<C: BlockEncrypt + BlockSizeUser<BlockSize = U16>> BlockEncryptor for C {}

/// Ciphers of one direction of RTP or RTCP.
enum Cipher {
    Cm { cipher: Box<Aes128>, salt: [u8; 14], auth: Hmac<Sha1>, tag: usize },
    Gcm128 { cipher: Box<AesGcm<Aes128, U12>>, salt: [u8; 12] },
    Gcm256 { cipher: Box<AesGcm<Aes256, U12>>, salt: [u8; 12] },
}

/// First label of RFC 3711, 4.3.2: encryption, authentication, salt follow each other.
const RTP_LABELS: u8 = 0;
const RTCP_LABELS: u8 = 3;

#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not made with the agreed key, or not whole.
    Forged,
    /// Genuine, and heard before (some phones repeat the end of a key press byte by byte), or too old to tell.
    Doubled,
}

impl Cipher {
    fn new(master: &MasterKey, labels: u8) -> Self {
        let mut key = Derived([0; LONGEST_KEY]);
        let key_len = master.suite.lengths().0;
        master.derive(labels, &mut key.0[..key_len]);
        let key = &key.0[..key_len];
        let mut salt = [0; 14];
        master.derive(labels + 2, &mut salt[..master.suite.lengths().1]);
        let [short @ .., _, _] = salt;
        match master.suite {
            Suite::AesCm80 | Suite::AesCm32 => {
                let mut auth = Derived([0; LONGEST_KEY]);
                master.derive(labels + 1, &mut auth.0[..AUTH_KEY]);
                // HMAC takes keys of any length.
                let auth =
                    <Hmac<Sha1> as hmac::KeyInit>::new_from_slice(&auth.0[..AUTH_KEY]).expect("20 bytes are a key");
                // RTCP's tag is never shortened (RFC 4568, 6.2.2).
                let tag = if labels == RTCP_LABELS { SRTCP_TAG } else { master.suite.rtp_tag() };
                Cipher::Cm { cipher: Box::new(Aes128::new(key.into())), salt, auth, tag }
            }
            Suite::Gcm128 => Cipher::Gcm128 { cipher: Box::new(AesGcm::new(key.into())), salt: short },
            Suite::Gcm256 => Cipher::Gcm256 { cipher: Box::new(AesGcm::new(key.into())), salt: short },
        }
    }

    fn tag(&self) -> usize {
        match self {
            Cipher::Cm { tag, .. } => *tag,
            _ => 16,
        }
    }

    /// Encrypts `data` and writes the tag for AEAD ciphers. `ssrc` and `index` make the counter.
    fn seal(&self, ssrc: u32, index: u64, rtcp: bool, aad: &[u8], data: &mut [u8], tag: &mut [u8]) {
        let iv = |salt: &[u8; 12]| gcm_iv(salt, ssrc, index, rtcp);
        let sealed = match self {
            Cipher::Cm { cipher, salt, .. } => {
                keystream(&**cipher, cm_iv(salt, ssrc, index), data);
                return;
            }
            Cipher::Gcm128 { cipher, salt } => cipher.encrypt_in_place_detached(&iv(salt).into(), aad, data),
            Cipher::Gcm256 { cipher, salt } => cipher.encrypt_in_place_detached(&iv(salt).into(), aad, data),
        };
        // The only error is data beyond 64 GiB.
        if let Ok(sealed) = sealed {
            tag.copy_from_slice(&sealed);
        }
    }

    /// Decrypts; for AEAD ciphers only what is genuine.
    fn open(&self, ssrc: u32, index: u64, rtcp: bool, aad: &[u8], data: &mut [u8], tag: &[u8]) -> Result<(), Refused> {
        let iv = |salt: &[u8; 12]| gcm_iv(salt, ssrc, index, rtcp);
        let opened = match self {
            Cipher::Cm { cipher, salt, .. } => {
                keystream(&**cipher, cm_iv(salt, ssrc, index), data);
                Ok(())
            }
            Cipher::Gcm128 { cipher, salt } => {
                cipher.decrypt_in_place_detached(&iv(salt).into(), aad, data, tag.into())
            }
            Cipher::Gcm256 { cipher, salt } => {
                cipher.decrypt_in_place_detached(&iv(salt).into(), aad, data, tag.into())
            }
        };
        opened.map_err(|_| Refused::Forged)
    }

    /// HMAC-SHA1 of a packet, for the counter-mode suites.
    fn authenticate(&self, parts: [&[u8]; 2]) -> Option<[u8; 20]> {
        let Cipher::Cm { auth, .. } = self else { return None };
        let mut mac = auth.clone();
        parts.into_iter().for_each(|part| mac.update(part));
        Some(mac.finalize().into_bytes().into())
    }
}

/// Key bytes on the stack, wiped afterwards.
struct Derived([u8; LONGEST_KEY]);

impl Drop for Derived {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// RFC 3711, 4.1.1.
fn cm_iv(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    xor(&mut iv[4..8], &ssrc.to_be_bytes());
    xor(&mut iv[8..14], &index.to_be_bytes()[2..]);
    iv
}

/// RFC 7714, 8.1 and 9.1: two zero bytes, SSRC, and 48 bits of index (RTCP: 16 of zero before its 31).
fn gcm_iv(salt: &[u8; 12], ssrc: u32, index: u64, rtcp: bool) -> [u8; 12] {
    debug_assert!(!rtcp || index < 1 << 31);
    let mut iv = *salt;
    xor(&mut iv[2..6], &ssrc.to_be_bytes());
    xor(&mut iv[6..12], &index.to_be_bytes()[2..]);
    iv
}

fn xor(to: &mut [u8], with: &[u8]) {
    to.iter_mut().zip(with).for_each(|(to, with)| *to ^= with);
}

fn be32(bytes: &[u8]) -> u32 {
    bytes.get(..4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn be16(bytes: &[u8]) -> u16 {
    bytes.get(..2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_be_bytes)
}

/// Our side: protects what we send with one master key.
pub struct Sender {
    key: MasterKey,
    rtp: Cipher,
    rtcp: Cipher,
    /// SSRC and sequence number sent last, with the roll-overs.
    last: Option<(u32, u16, u32)>,
    rtcp_index: u32,
}

impl Sender {
    pub fn new(key: &MasterKey) -> Self {
        Self {
            rtp: Cipher::new(key, RTP_LABELS),
            rtcp: Cipher::new(key, RTCP_LABELS),
            key: key.clone(),
            last: None,
            rtcp_index: 0,
        }
    }

    /// Whether it works with this key. One key must never have two senders: counters would repeat.
    pub fn is_of(&self, key: &MasterKey) -> bool {
        self.key == *key
    }

    /// Protects the RTP packet in `buffer[..len]`, whose header is 12 bytes; gives the new length. `buffer` needs room for
    /// `OVERHEAD` more bytes; `None` without, and when the key is used up (RFC 3711, 9.2).
    pub fn protect(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        let tag = self.rtp.tag();
        if len < rtp::HEADER || buffer.len() < len + tag {
            return None;
        }
        let (sequence, ssrc) = (be16(&buffer[2..]), be32(&buffer[8..]));
        let roc = match self.last {
            Some((last_ssrc, last, roc)) if last_ssrc == ssrc => roc.checked_add(u32::from(sequence < last))?,
            _ => 0,
        };
        self.last = Some((ssrc, sequence, roc));
        let index = u64::from(roc) << 16 | u64::from(sequence);
        let (packet, rest) = buffer.split_at_mut(len);
        let (header, payload) = packet.split_at_mut(rtp::HEADER);
        self.rtp.seal(ssrc, index, false, header, payload, &mut rest[..tag]);
        if let Some(mac) = self.rtp.authenticate([packet, &roc.to_be_bytes()]) {
            rest[..tag].copy_from_slice(&mac[..tag]);
        }
        Some(len + tag)
    }

    /// Protects an RTCP compound packet in `buffer[..len]`; gives the new length, or `None` as `protect` does.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        let tag = self.rtcp.tag();
        if len < RTCP_HEADER || buffer.len() < len + 4 + tag || self.rtcp_index >= 1 << 31 {
            return None;
        }
        let index = self.rtcp_index;
        self.rtcp_index += 1;
        let word = (index | 1 << 31).to_be_bytes();
        let ssrc = be32(&buffer[4..]);
        let (packet, rest) = buffer.split_at_mut(len);
        let mut aad = [0; RTCP_HEADER + 4];
        aad[..RTCP_HEADER].copy_from_slice(&packet[..RTCP_HEADER]);
        aad[RTCP_HEADER..].copy_from_slice(&word);
        self.rtcp.seal(ssrc, index.into(), true, &aad, &mut packet[RTCP_HEADER..], &mut rest[..tag]);
        match self.rtcp.authenticate([packet, &word]) {
            // Counter mode: the index, then the tag.
            Some(mac) => {
                rest[..4].copy_from_slice(&word);
                rest[4..4 + tag].copy_from_slice(&mac[..tag]);
            }
            None => rest[tag..tag + 4].copy_from_slice(&word),
        }
        Some(len + 4 + tag)
    }
}

/// The peer's side: opens what was protected with its master key, each packet once.
pub struct Receiver {
    key: MasterKey,
    rtp: Cipher,
    rtcp: Cipher,
    streams: [Option<Stream>; STREAMS],
    rtcp_window: Window,
}

#[derive(Clone, Copy)]
struct Stream {
    ssrc: u32,
    window: Window,
}

impl Receiver {
    pub fn new(key: &MasterKey) -> Self {
        Self {
            rtp: Cipher::new(key, RTP_LABELS),
            rtcp: Cipher::new(key, RTCP_LABELS),
            key: key.clone(),
            streams: [None; STREAMS],
            rtcp_window: Window::default(),
        }
    }

    pub fn is_of(&self, key: &MasterKey) -> bool {
        self.key == *key
    }

    /// Opens an SRTP packet in place; gives the length of the RTP packet that is left at its start. Refused: forged,
    /// damaged, of another key, heard before. Nothing is changed by what is refused.
    pub fn open(&mut self, datagram: &mut [u8]) -> Result<usize, Refused> {
        let tag = self.rtp.tag();
        let header = rtp::header_len(datagram).ok_or(Refused::Forged)?;
        let len = datagram.len().checked_sub(tag).filter(|len| *len >= header).ok_or(Refused::Forged)?;
        let (sequence, ssrc) = (be16(&datagram[2..]), be32(&datagram[8..]));
        let known = self.streams.iter().position(|stream| stream.is_some_and(|stream| stream.ssrc == ssrc));
        let mut window = known.and_then(|n| self.streams[n]).map_or_else(Window::default, |stream| stream.window);
        let index = window.index_of(sequence).ok_or(Refused::Forged)?;
        let doubled = window.has(index);
        let (packet, rest) = datagram.split_at_mut(len);
        let roc = (index >> 16) as u32; // an index has 48 bits
        if let Some(mac) = self.rtp.authenticate([packet, &roc.to_be_bytes()])
            && !bool::from(mac[..tag].ct_eq(rest))
        {
            return Err(Refused::Forged);
        }
        let (head, payload) = packet.split_at_mut(header);
        self.rtp.open(ssrc, index, false, head, payload, rest)?;
        if doubled {
            return Err(Refused::Doubled);
        }
        window.note(index);
        // A fifth stream takes the place of the first; the newest is last.
        let at = known.or_else(|| self.streams.iter().position(Option::is_none)).unwrap_or_else(|| {
            self.streams.rotate_left(1);
            STREAMS - 1
        });
        self.streams[at] = Some(Stream { ssrc, window });
        Ok(len)
    }

    /// The same for SRTCP. One that its sender left unencrypted is refused: nobody agrees to that here.
    pub fn open_rtcp(&mut self, datagram: &mut [u8]) -> Result<usize, Refused> {
        let tag = self.rtcp.tag();
        let len = datagram.len().checked_sub(tag + 4).filter(|len| *len >= RTCP_HEADER).ok_or(Refused::Forged)?;
        let (packet, rest) = datagram.split_at_mut(len);
        let cm = matches!(self.rtcp, Cipher::Cm { .. });
        let (word, found) = if cm { rest.split_at(4) } else { (&rest[tag..], &rest[..tag]) };
        let index = be32(word);
        if index >> 31 == 0 {
            return Err(Refused::Forged);
        }
        let index = u64::from(index & 0x7fff_ffff);
        let doubled = self.rtcp_window.has(index);
        if let Some(mac) = self.rtcp.authenticate([packet, word])
            && !bool::from(mac[..tag].ct_eq(found))
        {
            return Err(Refused::Forged);
        }
        let ssrc = be32(&packet[4..]);
        let mut aad = [0; RTCP_HEADER + 4];
        aad[..RTCP_HEADER].copy_from_slice(&packet[..RTCP_HEADER]);
        aad[RTCP_HEADER..].copy_from_slice(word);
        self.rtcp.open(ssrc, index, true, &aad, &mut packet[RTCP_HEADER..], found)?;
        if doubled {
            return Err(Refused::Doubled);
        }
        self.rtcp_window.note(index);
        Ok(len)
    }
}

/// Which of the newest 128 indices have come (RFC 3711, 3.3.2).
#[derive(Clone, Copy, Default)]
struct Window {
    highest: Option<u64>,
    seen: u128,
}

impl Window {
    /// The index that a sequence number stands for (RFC 3711, 3.3.1); none before the beginning or after the end of time.
    fn index_of(&self, sequence: u16) -> Option<u64> {
        let Some(highest) = self.highest else { return Some(sequence.into()) };
        let ahead = sequence.wrapping_sub(highest as u16) as i16;
        highest.checked_add_signed(ahead.into()).filter(|index| *index < 1 << 48)
    }

    /// It came, or is too old to tell.
    fn has(&self, index: u64) -> bool {
        let Some(highest) = self.highest else { return false };
        match highest.checked_sub(index) {
            None => false,
            Some(back) => back >= 128 || self.seen >> back & 1 == 1,
        }
    }

    fn note(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => self.seen |= 1u128.checked_shl((highest - index) as u32).unwrap_or(0),
            highest => {
                let ahead = highest.map_or(128, |highest| index - highest);
                self.seen = if ahead < 128 { self.seen << ahead } else { 0 } | 1;
                self.highest = Some(index);
            }
        }
    }
}

#[cfg(test)]
#[path = "srtp_tests.rs"]
mod tests;
