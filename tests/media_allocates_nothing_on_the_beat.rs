//! One call's beat, a thousand times over, with the allocator counted: packets in, decode, conceal, resample, mix,
//! play, encode, record, and not one allocation once everything is built.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    time::{Duration, Instant},
};

use frontdesk::media::{
    Bridge, Codec, Frame, JitterBuffer, JitterSettings, Key, Packet, Player, Recordings, Tone, keys, mix,
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// Of this thread only: the recording's writer and the test harness may allocate in theirs.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: handed on unchanged.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: handed on unchanged.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn media_allocates_nothing_on_the_beat() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recordings::start().unwrap().record(dir.path().join("call.wav"), 8_000, 16_000).unwrap();
    let mut buffer = JitterBuffer::new(8_000, JitterSettings::default());
    let mut bridge = Bridge::new(8_000, 48_000).unwrap();
    let mut player = Player::new(16_000);
    for _ in 0..40 {
        player.push(24_000, &[1_000; 12_000]);
    }
    let (mut ringing, mut encoder) = (Tone::ringing_us(), Codec::Pcma.encoder());
    let (mut sender, mut receiver) = (keys::Sender::new(), keys::Receiver::new());
    let start = Instant::now();
    let (mut caller, mut out, mut tone) = (Frame::silence(8_000), Frame::silence(16_000), Frame::silence(16_000));
    let (mut payload, mut heard_keys, mut heard_frames) = ([0; 160], 0, 0);

    let before = ALLOCATIONS.get();
    for beat in 0..1_000u32 {
        // Losses, a swap, jitter and a change of codec on the way.
        let now = start + Duration::from_millis(u64::from(beat * 20));
        if beat % 17 != 3 {
            let late = Duration::from_millis(u64::from(beat * 7 % 31));
            let codec = if beat < 600 { Codec::Pcma } else { Codec::Pcmu };
            let packet = Packet {
                ssrc: 1,
                sequence: (if beat % 50 == 7 { beat ^ 1 } else { beat }) as u16,
                timestamp: beat * 160,
                marker: false,
                codec,
                payload: &payload,
            };
            buffer.push(now + late, &packet);
        }
        heard_frames += u32::from(buffer.pull(now + Duration::from_millis(31), &mut caller));
        player.next(&mut out);
        ringing.next(&mut tone);
        mix(&mut out, &tone);
        let wide = bridge.a_to_b(&caller);
        let narrow = bridge.b_to_a(&wide);
        encoder.encode(narrow.samples(), &mut payload);
        payload.rotate_left((beat % 9) as usize);
        recorder.write(&caller, &out);
        if beat % 20 == 0 {
            sender.press(Key::from_event((beat % 16) as u8).unwrap());
        }
        if let Some(event) = sender.beat(beat * 160) {
            heard_keys += u32::from(receiver.receive(event.timestamp, &event.payload).unwrap().is_some());
        }
    }
    let allocations = ALLOCATIONS.get() - before;

    assert_eq!(allocations, 0, "in 1000 beats");
    assert!(heard_frames > 900 && heard_keys == 50, "{heard_frames} frames, {heard_keys} keys");
    assert!(
        ALLOCATIONS.get() == before && {
            drop(vec![1u8; 10]);
            ALLOCATIONS.get() > before
        },
        "the count counts"
    );
}
