//! Rule 2 of the house: no allocation per packet on the steady path. Counted on this thread, through a real call.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use common::sipp::Sipp;
use common::{called, settings};
use frontdesk::media::{Codec, Frame, Key, Tone};
use frontdesk::sip::{Endpoint, InviteRequest, OutgoingEvent, Preferences, Settings, Srtp, Target};

thread_local!(static ALLOCATIONS: Cell<usize> = const { Cell::new(0) });

struct Counting;

// SAFETY: everything is handed to the system's allocator; the counter is a plain cell that allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1)); // not counted while a thread ends
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[tokio::test(flavor = "current_thread")]
async fn receive_and_send() {
    let (endpoint, mut calls) = Endpoint::start(settings()).await.unwrap();
    let caller = Sipp::new("caller", endpoint.listening()[0]).speaks_for(1_500).start();
    let mut leg = called(&mut calls).await.answer().await.unwrap();
    let mut tone = Tone::sine(440.0, -10.0);
    let mut beat = tokio::time::interval(Duration::from_millis(20));
    let mut allocated = 0;
    // The first RTCP report, which may allocate, comes after 1.25 s at the earliest.
    for n in 0..60 {
        beat.tick().await;
        let mut frame = Frame::silence(8_000);
        if n == 20 {
            leg.port.send_key(Key::new('5').unwrap());
        }
        let before = ALLOCATIONS.get();
        let now = Instant::now();
        leg.port.receive(now, &mut frame);
        tone.next(&mut frame);
        leg.port.send(now, Some(&frame));
        if n >= 5 {
            allocated += ALLOCATIONS.get() - before;
        }
    }
    let quality = leg.port.quality();
    assert!(quality.packets_received > 40 && quality.packets_sent > 50, "{quality:?}");
    assert_eq!(allocated, 0);
    leg.hang_up().await;
    drop(caller);
}

/// Two legs of ours, on time that is an argument: every codec, encrypted, at both ends.
#[tokio::test(flavor = "current_thread")]
async fn every_codec_and_its_encryption() {
    for codec in Codec::ALL {
        let sound = Preferences { codecs: vec![codec], srtp: Srtp::Required, ..Preferences::default() };
        let (endpoint, mut calls) = Endpoint::start(Settings { sound, ..settings() }).await.unwrap();
        let to = Target::Uri(format!("sip:800@{}", endpoint.listening()[0]));
        let ring_timeout = Duration::from_secs(10);
        let request = InviteRequest { to, from_display: String::new(), headers: Vec::new(), ring_timeout };
        let mut outgoing = endpoint.invite(request).await.unwrap();
        let mut called = called(&mut calls).await.answer().await.unwrap();
        let mut caller = loop {
            match outgoing.events.recv().await.unwrap() {
                OutgoingEvent::Answered(leg) => break leg,
                OutgoingEvent::Failed { status, .. } => panic!("{codec:?}: {status}"),
                OutgoingEvent::Ringing => {}
            }
        };
        let (start, mut tone, mut allocated, mut loud) = (Instant::now(), Tone::sine(440.0, -10.0), 0, 0);
        for n in 0..60u32 {
            let now = start + n * Duration::from_millis(20);
            if n == 20 {
                caller.port.send_key(Key::new('5').unwrap());
            }
            let before = ALLOCATIONS.get();
            for leg in [&mut caller, &mut called] {
                let mut frame = Frame::silence(codec.rate());
                leg.port.receive(now, &mut frame);
                loud += usize::from(frame.level() > 0.1);
                tone.next(&mut frame);
                leg.port.send(now, Some(&frame));
            }
            // The first beats make decoders and ciphers.
            if n >= 10 {
                allocated += ALLOCATIONS.get() - before;
            }
        }
        let quality = called.port.quality();
        assert!(quality.encrypted && quality.packets_bad == 0 && loud > 80, "{codec:?}: {loud} {quality:?}");
        assert_eq!(allocated, 0, "{codec:?}");
        caller.hang_up().await;
        drop(called);
        endpoint.shutdown().await;
    }
}
