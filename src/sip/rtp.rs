//! RTP packets (RFC 3550, 5.1). Header fields by the crate `rtp`; the parts of variable length (CSRCs, extension,
//! padding) are stepped over here first, because the crate's reader panics on an extension that lies about its
//! length (0.17.2) and allocates for what no telephone uses.

use rtp::header::Header;
use webrtc_util::marshal::{Marshal, Unmarshal};

/// Bytes of a header without CSRCs and extension.
pub const HEADER: usize = 12;
/// RFC 8489, 5.
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// A received packet. `payload` borrows from the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: &'a [u8],
}

/// Reads a datagram; `None` when it is not RTP of version 2.
pub fn parse(datagram: &[u8]) -> Option<Packet<'_>> {
    let mut fixed: [u8; HEADER] = datagram.get(..HEADER)?.try_into().ok()?;
    let (padded, extended, csrcs) = (fixed[0] & 0x20 != 0, fixed[0] & 0x10 != 0, usize::from(fixed[0] & 0x0f));
    fixed[0] &= 0xc0;
    let header = Header::unmarshal(&mut &fixed[..]).ok()?;
    // Payload types 72-76 are RTCP packets that strayed here (RFC 5761, 4).
    if header.version != 2 || (72..=76).contains(&header.payload_type) {
        return None;
    }
    let mut payload = datagram.get(HEADER + 4 * csrcs..)?;
    if extended {
        let words = usize::from(u16::from_be_bytes(payload.get(2..4)?.try_into().ok()?));
        payload = payload.get(4 + 4 * words..)?;
    }
    if padded {
        let padding = usize::from(*payload.last()?);
        payload = payload.get(..payload.len().checked_sub(padding).filter(|_| padding > 0)?)?;
    }
    Some(Packet {
        payload_type: header.payload_type,
        marker: header.marker,
        sequence: header.sequence_number,
        timestamp: header.timestamp,
        ssrc: header.ssrc,
        payload,
    })
}

/// A STUN message, by which a peer keeps its way through NAT open (RFC 6263, 4.6; told apart by RFC 7983): no sound, and
/// no mistake. It wants no answer from one who offered no ICE.
pub fn is_stun(datagram: &[u8]) -> bool {
    let length = datagram.get(2..4).map(|field| usize::from(u16::from_be_bytes([field[0], field[1]])));
    datagram.first().is_some_and(|first| *first < 4)
        && datagram.get(4..8) == Some(&STUN_COOKIE)
        && length.is_some_and(|length| length.is_multiple_of(4) && datagram.len() == 20 + length)
}

/// Bytes of a datagram's header with CSRCs and extension: what SRTP leaves readable. `None` when it is not RTP of
/// version 2, or too short for what it says.
pub fn header_len(datagram: &[u8]) -> Option<usize> {
    let first = *datagram.first()?;
    let fixed = HEADER + 4 * usize::from(first & 0x0f);
    let extension = match first & 0x10 != 0 {
        true => 4 + 4 * usize::from(u16::from_be_bytes(datagram.get(fixed + 2..fixed + 4)?.try_into().ok()?)),
        false => 0,
    };
    (first >> 6 == 2 && datagram.len() >= fixed + extension).then_some(fixed + extension)
}

/// Writes a header to the start of `buffer` (at least 12 bytes).
pub fn write_header(buffer: &mut [u8], packet: &Packet) {
    let header = Header {
        version: 2,
        payload_type: packet.payload_type,
        marker: packet.marker,
        sequence_number: packet.sequence,
        timestamp: packet.timestamp,
        ssrc: packet.ssrc,
        ..Header::default()
    };
    debug_assert!(buffer.len() >= HEADER);
    // The only error is a short buffer.
    let _ = header.marshal_to(buffer);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(payload: &[u8]) -> (Vec<u8>, Packet<'_>) {
        let packet =
            Packet { payload_type: 8, marker: true, sequence: 65_535, timestamp: 7, ssrc: 0xdead_beef, payload };
        let mut datagram = vec![0; HEADER];
        write_header(&mut datagram, &packet);
        datagram.extend_from_slice(payload);
        (datagram, packet)
    }

    #[test]
    fn stun_is_told_apart() {
        let mut stun = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        stun.resize(20, 7);
        assert!(is_stun(&stun));
        stun[0] = 0x80;
        assert!(!is_stun(&stun), "RTP of version 2");
        stun[0] = 0;
        assert!(!is_stun(&stun[..19]));
        stun[3] = 4;
        assert!(!is_stun(&stun), "a length that lies");
    }

    #[test]
    fn what_is_written_is_read() {
        let (datagram, packet) = packet(&[1, 2, 3]);
        assert_eq!(parse(&datagram), Some(packet));
    }

    #[test]
    fn csrcs_extension_and_padding_are_stepped_over() {
        let (mut datagram, packet) = packet(&[1, 2, 3]);
        datagram[0] |= 0x20 | 0x10 | 2;
        datagram.splice(HEADER..HEADER, [[9; 8].as_slice(), &[0xbe, 0xde, 0, 1, 0x10, 5, 0, 0]].concat());
        datagram.extend_from_slice(&[0, 0, 3]);
        assert_eq!(parse(&datagram), Some(packet));
    }

    #[test]
    fn lies_about_lengths_are_no_packets() {
        let (good, _) = packet(&[1, 2, 3]);
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bad = good.clone();
            change(&mut bad);
            assert_eq!(parse(&bad), None, "{bad:02x?}");
        };
        with(&|d| d.truncate(11));
        with(&|d| d[0] = 0x40); // version 1
        with(&|d| d[0] |= 15); // CSRCs beyond the end
        with(&|d| d[0] |= 0x10); // an extension without a header
        with(&|d| {
            d[0] |= 0x10;
            d.splice(12..15, [0xbe, 0xde, 0xff, 0xff, 0x1f]);
        });
        with(&|d| {
            d[0] |= 0x20;
            d[14] = 4; // more padding than payload
        });
        with(&|d| {
            d[0] |= 0x20;
            d[14] = 0; // padding counts itself
        });
        with(&|d| d[1] = 200); // RTCP
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(datagram in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&datagram);
        }
    }
}
