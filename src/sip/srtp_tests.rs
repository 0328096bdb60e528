use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn rtp(sequence: u16, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; rtp::HEADER];
    rtp::write_header(
        &mut packet,
        &rtp::Packet { payload_type: 0, marker: false, sequence, timestamp: 160 * u32::from(sequence), ssrc, payload },
    );
    packet.extend_from_slice(payload);
    packet
}

fn protect(sender: &mut Sender, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + OVERHEAD, 0);
    let len = sender.protect(&mut buffer, packet.len()).unwrap();
    buffer.truncate(len);
    buffer
}

fn opened(receiver: &mut Receiver, datagram: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut datagram = datagram.to_vec();
    let len = receiver.open(&mut datagram)?;
    datagram.truncate(len);
    Ok(datagram)
}

/// RFC 3711, B.2: the key stream.
#[test]
fn aes_in_counter_mode_is_the_rfcs() {
    let key = hex("2B7E151628AED2A6ABF7158809CF4F3C");
    let salt: [u8; 14] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
    let mut stream = [0; 48];
    keystream(&Aes128::new(key[..].into()), cm_iv(&salt, 0, 0), &mut stream);
    assert_eq!(
        stream[..],
        hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0")
    );
}

/// RFC 3711, B.3: session keys from a master key.
#[test]
fn session_keys_are_the_rfcs() {
    let master =
        MasterKey::new(Suite::AesCm80, &hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6")).unwrap();
    let derive = |label, len| {
        let mut out = vec![0; len];
        master.derive(label, &mut out);
        out
    };
    assert_eq!(derive(0, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derive(2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
    let auth = hex("CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE E049646C43D9327AD175578EF7227098
         6371C10C9A369AC2F94A8C5FBCDDDC25 6D6E919A48B610EF17C2041E47403576");
    assert_eq!(derive(1, auth.len()), auth);
}

/// RFC 7714, 16.1.1 and 16.2.1: packets under given session keys.
#[test]
fn gcm_packets_are_the_rfcs() {
    let header = hex("8040f17b 8041f8d3 5501a0b2");
    let plain = hex("47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573");
    let salt: [u8; 12] = hex("51756964 2070726f 2071756f").try_into().unwrap();
    let (ssrc, index) = (0x5501_a0b2, 0xf17b);
    for (cipher, sealed) in [
        (
            Cipher::Gcm128 {
                cipher: Box::new(AesGcm::new(hex("00010203 04050607 08090a0b 0c0d0e0f")[..].into())),
                salt,
            },
            "f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833
             899d7f27 beb16a91 52cf765e e4390cce",
        ),
        (
            Cipher::Gcm256 {
                cipher: Box::new(AesGcm::new(
                    hex("00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f")[..].into(),
                )),
                salt,
            },
            "32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b
             7aa3db36 dfffd6b0 f9bb7878 d7a76c13",
        ),
    ] {
        let (mut data, mut tag) = (plain.clone(), [0; 16]);
        cipher.seal(ssrc, index, false, &header, &mut data, &mut tag);
        assert_eq!([&data[..], &tag].concat(), hex(sealed));
        cipher.open(ssrc, index, false, &header, &mut data, &tag).unwrap();
        assert_eq!(data, plain);
    }
}

#[test]
fn every_suite_carries_sound_and_reports_there_and_back() {
    for suite in Suite::ALL {
        let key = MasterKey::random(suite);
        let (mut sender, mut receiver) = (Sender::new(&key), Receiver::new(&key));
        for sequence in 0..300u16 {
            let packet = rtp(sequence, 7, &[sequence as u8; 160]);
            let wire = protect(&mut sender, &packet);
            assert_eq!(wire.len(), packet.len() + suite.rtp_tag());
            assert_eq!(wire[..12], packet[..12], "the header stays readable");
            assert_ne!(wire[12..172], packet[12..], "the sound does not");
            assert_eq!(opened(&mut receiver, &wire).as_ref(), Ok(&packet), "{suite:?} {sequence}");
            assert_eq!(opened(&mut receiver, &wire), Err(Refused::Doubled), "{suite:?} {sequence}: heard twice");
        }
        let report = [&[0x80, 201, 0, 1, 0, 0, 0, 7][..], &[0x81, 203, 0, 1, 0, 0, 0, 7]].concat();
        for _ in 0..3 {
            let mut wire = report.clone();
            wire.resize(report.len() + OVERHEAD, 0);
            let len = sender.protect_rtcp(&mut wire, report.len()).unwrap();
            let again = wire[..len].to_vec();
            assert_eq!(receiver.open_rtcp(&mut wire[..len]), Ok(report.len()));
            assert_eq!(wire[..report.len()], report);
            assert_eq!(receiver.open_rtcp(&mut again.clone()), Err(Refused::Doubled), "once only");
            let mut open = again.clone();
            let word = if suite.rtp_tag() == 16 { len - 4 } else { report.len() };
            open[word] &= 0x7f;
            assert_eq!(receiver.open_rtcp(&mut open), Err(Refused::Forged), "said to be unencrypted");
        }
    }
}

#[test]
fn sequence_numbers_roll_over_with_loss_and_disorder() {
    let key = MasterKey::random(Suite::AesCm80);
    let (mut sender, mut receiver) = (Sender::new(&key), Receiver::new(&key));
    let mut sequence = 65_000u16;
    let mut waiting = None;
    for n in 0..200_000u32 {
        let packet = rtp(sequence, 7, &n.to_be_bytes());
        let wire = protect(&mut sender, &packet);
        sequence = sequence.wrapping_add(1);
        match n % 7 {
            3 => waiting = Some((packet, wire)),
            5 => {} // lost
            _ => assert_eq!(opened(&mut receiver, &wire), Ok(packet), "{n}"),
        }
        if n % 7 == 6
            && let Some((packet, wire)) = waiting.take()
        {
            assert_eq!(opened(&mut receiver, &wire), Ok(packet), "three late, {n}");
        }
    }
}

#[test]
fn forged_damaged_foreign_and_old_packets_are_refused_and_change_nothing() {
    for suite in Suite::ALL {
        let key = MasterKey::random(suite);
        let (mut sender, mut receiver) = (Sender::new(&key), Receiver::new(&key));
        let first = protect(&mut sender, &rtp(1, 7, &[9; 160]));
        for at in 0..first.len() {
            let mut damaged = first.clone();
            damaged[at] ^= 0x10;
            assert_eq!(opened(&mut receiver, &damaged), Err(Refused::Forged), "{suite:?}, byte {at}");
        }
        let other = protect(&mut Sender::new(&MasterKey::random(suite)), &rtp(40_000, 7, &[9; 160]));
        for bad in [&other[..], &rtp(2, 7, &[9; 160]), &first[..20], &first[..first.len() - 1], &[], &[0x80; 3]] {
            assert_eq!(opened(&mut receiver, bad), Err(Refused::Forged));
            assert_eq!(receiver.open_rtcp(&mut bad.to_vec()), Err(Refused::Forged));
        }
        assert!(opened(&mut receiver, &first).is_ok());
        for n in 2..200 {
            assert!(opened(&mut receiver, &protect(&mut sender, &rtp(n, 7, &[9; 160]))).is_ok());
        }
        assert_eq!(opened(&mut receiver, &first), Err(Refused::Doubled), "older than the window");
    }
}

#[test]
fn another_stream_of_the_peer_is_heard_with_the_same_key() {
    let key = MasterKey::random(Suite::AesCm32);
    let (mut sender, mut receiver) = (Sender::new(&key), Receiver::new(&key));
    for ssrc in 1..=9 {
        for n in 0..3 {
            let packet = rtp(65_534u16.wrapping_add(n), ssrc, &[1; 20]);
            let wire = protect(&mut sender, &packet);
            assert_eq!(opened(&mut receiver, &wire), Ok(packet), "{ssrc} {n}");
        }
    }
}

#[test]
fn extensions_and_csrcs_stay_readable() {
    let key = MasterKey::random(Suite::Gcm128);
    let mut packet = rtp(5, 7, &[]);
    packet[0] |= 0x11;
    packet.extend_from_slice(&[1, 2, 3, 4, 0xbe, 0xde, 0, 1, 9, 9, 9, 9, 42, 42]);
    // Our own sender writes plain headers only: sealed here by hand.
    let sender = Sender::new(&key);
    let (head, data) = packet.split_at(24);
    let (mut data, mut tag) = (data.to_vec(), [0; 16]);
    sender.rtp.seal(7, 5, false, head, &mut data, &mut tag);
    let wire = [head, &data, &tag].concat();
    assert_eq!(opened(&mut Receiver::new(&key), &wire), Ok(packet));
}

#[test]
fn a_key_of_the_wrong_length_is_none_and_none_is_shown() {
    assert_eq!(MasterKey::new(Suite::AesCm80, &[1; 28]), None);
    assert_eq!(MasterKey::new(Suite::Gcm256, &[1; 30]), None);
    let key = MasterKey::new(Suite::Gcm256, &[0xab; 44]).unwrap();
    assert_eq!(format!("{key:?}"), "MasterKey(AEAD_AES_256_GCM)");
}
