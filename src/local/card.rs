//! This computer's microphone and loudspeaker, by the crate `cpal`.
//!
//! The device's threads and the call's beat meet in two lock-free rings. Each keeps about 40 ms in hand against
//! the two clocks' unsteadiness and never holds more than 120 ms: what is beyond is dropped and counted, so the
//! delay stays bounded however far the clocks drift apart.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use cpal::{
    BufferSize, FromSample, SampleFormat, SizedSample, Stream, StreamConfig, SupportedStreamConfigRange,
    traits::{DeviceTrait, HostTrait, StreamTrait},
};

use super::Error;
use crate::media::{Frame, Key, Port, Quality, Received, Resampler};

/// Frames of 20 ms kept in hand, and held at most.
const IN_HAND: usize = 2;
const AT_MOST: usize = 6;

/// A sound device of this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What to name it by.
    pub id: String,
    pub description: String,
    pub input: bool,
    pub output: bool,
}

/// All sound devices. Opens each for a moment to see what it can do.
pub fn devices() -> Result<Vec<Device>, Error> {
    let _quiet = quiet();
    let devices = all(&cpal::default_host()).map_err(|error| Error::Device {
        what: "sound system",
        name: "default".into(),
        why: error.to_string(),
    })?;
    Ok(devices
        .map(|device| Device {
            id: id(&device),
            description: device.to_string(),
            input: hears(&device),
            output: speaks(&device),
        })
        .filter(|device| device.input || device.output)
        .collect())
}

/// A call by microphone and loudspeaker.
pub struct SoundCard {
    rate: u32,
    microphone: Microphone,
    loudspeaker: Loudspeaker,
    lost: Arc<AtomicBool>,
    quality: Quality,
    beats: u64,
    made_up: u64,
}

struct Microphone {
    _stream: Stream,
    ring: rtrb::Consumer<i16>,
    resampler: Resampler,
    samples: Vec<i16>,
    /// Enough is in hand to go on.
    flowing: bool,
}

struct Loudspeaker {
    _stream: Stream,
    ring: rtrb::Producer<i16>,
    resampler: Resampler,
    samples: Vec<i16>,
}

impl SoundCard {
    /// Opens the devices whose id or description contains the names given, or the default ones, for frames of
    /// `rate` Hz.
    pub fn open(rate: u32, input: Option<&str>, output: Option<&str>) -> Result<Self, Error> {
        let _quiet = quiet();
        let lost = Arc::new(AtomicBool::new(false));
        let microphone = Microphone::open(rate, input, lost.clone())?;
        let loudspeaker = Loudspeaker::open(rate, output, lost.clone())?;
        Ok(Self { rate, microphone, loudspeaker, lost, quality: Quality::default(), beats: 0, made_up: 0 })
    }
}

impl Port for SoundCard {
    fn rate(&self) -> u32 {
        self.rate
    }

    /// `timed_out` once a device was unplugged.
    fn receive(&mut self, _now: Instant, frame: &mut Frame) -> Received {
        let microphone = &mut self.microphone;
        let n = microphone.samples.len();
        let mut waiting = microphone.ring.slots();
        if waiting > n * AT_MOST {
            let surplus = waiting - n * IN_HAND;
            if let Ok(chunk) = microphone.ring.read_chunk(surplus) {
                chunk.commit_all();
            }
            self.quality.packets_late += (surplus / n) as u64;
            waiting -= surplus;
        }
        microphone.flowing = waiting >= if microphone.flowing { n } else { n * IN_HAND };
        let heard = microphone.flowing;
        match microphone.ring.read_chunk(n) {
            Ok(chunk) if heard => {
                let (first, second) = chunk.as_slices();
                microphone.samples[..first.len()].copy_from_slice(first);
                microphone.samples[first.len()..].copy_from_slice(second);
                chunk.commit_all();
                self.quality.packets_received += 1;
            }
            _ => {
                microphone.samples.fill(0);
                self.made_up += 1;
            }
        }
        microphone.resampler.run_samples(&microphone.samples, frame.samples_mut());
        self.beats += 1;
        Received { heard, timed_out: self.lost.load(Ordering::Relaxed), ..Received::default() }
    }

    fn send(&mut self, _now: Instant, frame: Option<&Frame>) {
        let silence = Frame::silence(self.rate);
        let loudspeaker = &mut self.loudspeaker;
        loudspeaker.resampler.run_samples(frame.unwrap_or(&silence).samples(), &mut loudspeaker.samples);
        // The ring holds the most that may wait; what finds no room is late.
        match loudspeaker.ring.write_chunk_uninit(loudspeaker.samples.len()) {
            Ok(chunk) => {
                chunk.fill_from_iter(loudspeaker.samples.iter().copied());
                self.quality.packets_sent += 1;
            }
            Err(_) => self.quality.packets_late += 1,
        }
    }

    /// There is nobody to hear a key.
    fn send_key(&mut self, _key: Key) {}

    fn quality(&self) -> Quality {
        let concealed = if self.beats == 0 { 0.0 } else { self.made_up as f32 / self.beats as f32 };
        Quality { concealed, buffer_ms: (IN_HAND * 20) as f32, ..self.quality }
    }
}

impl Microphone {
    fn open(rate: u32, name: Option<&str>, lost: Arc<AtomicBool>) -> Result<Self, Error> {
        const WHAT: &str = "microphone";
        let device = find(WHAT, name, HostTrait::default_input_device, hears)?;
        let failed = |why: String| Error::Device { what: WHAT, name: id(&device), why };
        let ranges = device.supported_input_configs().map_err(|error| failed(error.to_string()))?;
        let (config, format) = choose(ranges, rate).ok_or_else(|| failed("it offers no usable sample rate".into()))?;
        let frame = (config.sample_rate / 50) as usize;
        let channels = usize::from(config.channels);
        let resampler = Resampler::new(config.sample_rate, rate)?;
        let open = |config: StreamConfig| {
            let (ring, consumer) = rtrb::RingBuffer::new(frame * AT_MOST * 4);
            let stream = match format {
                SampleFormat::I16 => listen::<i16>(&device, config, channels, ring, lost.clone()),
                SampleFormat::F32 => listen::<f32>(&device, config, channels, ring, lost.clone()),
                _ => listen::<i32>(&device, config, channels, ring, lost.clone()),
            }?;
            stream.play()?;
            Ok((stream, consumer))
        };
        let (stream, ring) = with_short_buffer(config, open).map_err(|error| failed(error.to_string()))?;
        Ok(Self { _stream: stream, ring, resampler, samples: vec![0; frame], flowing: false })
    }
}

impl Loudspeaker {
    fn open(rate: u32, name: Option<&str>, lost: Arc<AtomicBool>) -> Result<Self, Error> {
        const WHAT: &str = "loudspeaker";
        let device = find(WHAT, name, HostTrait::default_output_device, speaks)?;
        let failed = |why: String| Error::Device { what: WHAT, name: id(&device), why };
        let ranges = device.supported_output_configs().map_err(|error| failed(error.to_string()))?;
        let (config, format) = choose(ranges, rate).ok_or_else(|| failed("it offers no usable sample rate".into()))?;
        let frame = (config.sample_rate / 50) as usize;
        let channels = usize::from(config.channels);
        let resampler = Resampler::new(rate, config.sample_rate)?;
        let open = |config: StreamConfig| {
            let (producer, ring) = rtrb::RingBuffer::new(frame * AT_MOST);
            let stream = match format {
                SampleFormat::I16 => speak::<i16>(&device, config, channels, frame, ring, lost.clone()),
                SampleFormat::F32 => speak::<f32>(&device, config, channels, frame, ring, lost.clone()),
                _ => speak::<i32>(&device, config, channels, frame, ring, lost.clone()),
            }?;
            stream.play()?;
            Ok((stream, producer))
        };
        let (stream, ring) = with_short_buffer(config, open).map_err(|error| failed(error.to_string()))?;
        Ok(Self { _stream: stream, ring, resampler, samples: vec![0; frame] })
    }
}

/// Microphone to ring, its channels mixed to one.
fn listen<T>(
    device: &cpal::Device,
    config: StreamConfig,
    channels: usize,
    mut ring: rtrb::Producer<i16>,
    lost: Arc<AtomicBool>,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let heard = move |data: &[T], _: &cpal::InputCallbackInfo| {
        for frame in data.chunks_exact(channels) {
            let sum: f32 = frame.iter().map(|&sample| f32::from_sample_(sample)).sum();
            // A full ring means that nobody pulls any more; `receive` drops the surplus when it comes back.
            let _ = ring.push((sum / channels as f32 * 32_768.0) as i16);
        }
    };
    device.build_input_stream(config, heard, move |error| note(&error, &lost), None)
}

/// Ring to loudspeaker, the same in every channel; silence until enough is in hand.
fn speak<T>(
    device: &cpal::Device,
    config: StreamConfig,
    channels: usize,
    frame: usize,
    mut ring: rtrb::Consumer<i16>,
    lost: Arc<AtomicBool>,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample + FromSample<i16>,
{
    let mut flowing = false;
    let wanted = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
        let needed = data.len() / channels;
        flowing = ring.slots() >= if flowing { 1 } else { (frame * IN_HAND).max(needed.min(frame * AT_MOST)) };
        for out in data.chunks_exact_mut(channels) {
            let sample = if flowing { ring.pop().unwrap_or(0) } else { 0 };
            out.fill(T::from_sample_(sample));
        }
    };
    device.build_output_stream(config, wanted, move |error| note(&error, &lost), None)
}

fn note(error: &cpal::Error, lost: &AtomicBool) {
    use cpal::ErrorKind::{DeviceNotAvailable, HostUnavailable, StreamInvalidated};
    if matches!(error.kind(), DeviceNotAvailable | HostUnavailable | StreamInvalidated) {
        tracing::warn!(%error, "a sound device is gone");
        lost.store(true, Ordering::Relaxed);
    } else {
        tracing::debug!(%error, "sound device");
    }
}

/// Every device but ALSA's way to JACK: merely asking it what it can do makes its library print a page of complaints
/// where no JACK runs. It can be named.
fn all(host: &cpal::Host) -> Result<impl Iterator<Item = cpal::Device> + use<>, cpal::Error> {
    Ok(host.devices()?.filter(|device| id(device) != "jack"))
}

fn find(
    what: &'static str,
    name: Option<&str>,
    default: impl Fn(&cpal::Host) -> Option<cpal::Device>,
    usable: impl Fn(&cpal::Device) -> bool,
) -> Result<cpal::Device, Error> {
    let host = cpal::default_host();
    let Some(name) = name else {
        return default(&host).filter(&usable).ok_or(Error::NoDevice { what });
    };
    if let Some(device) = host.devices().into_iter().flatten().find(|device| id(device) == name) {
        return Ok(device);
    }
    let all = || all(&host).into_iter().flatten();
    let wanted = name.to_lowercase();
    let matching = |device: &cpal::Device| device.to_string().to_lowercase().contains(&wanted);
    if let Some(device) = all().filter(matching).find(|device| usable(device)) {
        return Ok(device);
    }
    let there: Vec<String> = all().filter(usable).map(|device| id(&device)).collect();
    let there = if there.is_empty() { "none".into() } else { there.join(", ") };
    Err(Error::NoSuchDevice { what, name: name.into(), there })
}

/// Whether a device can really be opened: what ALSA lists is only what is configured.
fn hears(device: &cpal::Device) -> bool {
    device.supported_input_configs().is_ok_and(|mut configs| configs.next().is_some())
}

fn speaks(device: &cpal::Device) -> bool {
    device.supported_output_configs().is_ok_and(|mut configs| configs.next().is_some())
}

fn id(device: &cpal::Device) -> String {
    device.id().map_or_else(|_| device.to_string(), |id| id.id().to_owned())
}

/// The configuration closest to what we need: our own rate before others that fit into frames, few channels,
/// 16-bit before others.
fn choose(ranges: impl Iterator<Item = SupportedStreamConfigRange>, rate: u32) -> Option<(StreamConfig, SampleFormat)> {
    let wishes = [rate, 48_000, 16_000, 44_100, 96_000, 192_000];
    let formats = [SampleFormat::I16, SampleFormat::F32, SampleFormat::I32];
    ranges
        .filter_map(|range| {
            let format = formats.iter().position(|&format| format == range.sample_format())?;
            let fits = |rate: &&u32| (range.min_sample_rate()..=range.max_sample_rate()).contains(*rate);
            let wish = wishes.iter().position(|rate| fits(&rate))?;
            let channels = range.channels();
            let config = StreamConfig { channels, sample_rate: wishes[wish], buffer_size: BufferSize::Default };
            Some(((wish, channels, format), (config, formats[format])))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, chosen)| chosen)
}

/// Asks for periods of 20 ms, of which cpal keeps two; devices that refuse get their own way.
fn with_short_buffer<T>(
    config: StreamConfig,
    open: impl Fn(StreamConfig) -> Result<T, cpal::Error>,
) -> Result<T, cpal::Error> {
    let short = StreamConfig { buffer_size: BufferSize::Fixed(config.sample_rate / 50), ..config };
    open(short).or_else(|_| open(config))
}

/// ALSA's library prints to stderr whatever it cannot open; our errors say it better. Holds for this thread.
#[cfg(target_os = "linux")]
fn quiet() -> impl Sized {
    alsa::Output::local_error_handler().ok()
}

#[cfg(not(target_os = "linux"))]
fn quiet() -> impl Sized {}
