//! Recordings of calls: 16-bit stereo WAV at 8 kHz (caller left, the other side right), by the crate `hound`.
//!
//! The media's beat only copies into a lock-free ring of 4 s. One thread writes all recordings: every 250 ms it
//! hands what has come to the system and makes the header say so, so a killed process leaves a playable file that
//! lacks at most the last 0.5 s. `fdatasync` runs once, when a recording ends: a power cut can take what the system
//! has not written back by itself (ext4: 5-30 s), for syncing hundreds of live files would stall the disk.

use std::{
    fs::File,
    io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use super::{Error, Frame, Resampler};

/// Samples a second in a recording.
const RATE: u32 = 8_000;
/// Pairs of samples the ring holds: 4 s.
const RING: usize = RATE as usize * 4;
/// Pairs in a sealed piece, at most: 250 ms.
const PIECE: usize = RATE as usize / 4;
/// Bytes of a WAV header as hound writes it.
const HEADER: u64 = 44;
const PERIOD: Duration = Duration::from_millis(250);

/// Seals a recording, piece by piece (`records` has the keys).
pub trait Seal: Send {
    /// What the file begins with.
    fn head(&self) -> Vec<u8>;
    /// The piece at this place, pairs of samples in little endian; the last one is empty. Equally long pieces give
    /// equally many bytes.
    fn piece(&self, index: u64, last: bool, plain: &[u8]) -> Vec<u8>;
    /// The reverse; none when it is damaged.
    fn open(&self, index: u64, last: bool, piece: &[u8]) -> Option<Vec<u8>>;
}

/// The thread that writes all recordings. Clones share it; it ends with the last of them and the last recorder.
#[derive(Clone)]
pub struct Recordings {
    tasks: mpsc::Sender<Task>,
}

impl Recordings {
    /// Starts the thread. Fails when the system has no thread left.
    pub fn start() -> std::io::Result<Self> {
        let (tasks, inbox) = mpsc::channel();
        std::thread::Builder::new().name("recordings".into()).spawn(move || {
            super::go_in_line();
            write_all(&inbox);
        })?;
        Ok(Self { tasks })
    }

    /// Begins a recording in a new file (an old one of that name is replaced), of a caller's side of `caller_rate`
    /// and another side of `other_rate`. Opens the file, so not for the media's beat.
    pub fn record(&self, path: impl Into<PathBuf>, caller_rate: u32, other_rate: u32) -> Result<Recorder, Error> {
        self.record_sealed(path, caller_rate, other_rate, None)
    }

    /// As `record`; with a seal the file is no WAV file but head and pieces.
    pub fn record_sealed(
        &self,
        path: impl Into<PathBuf>,
        caller_rate: u32,
        other_rate: u32,
        seal: Option<Box<dyn Seal>>,
    ) -> Result<Recorder, Error> {
        let path = path.into();
        let failed = |source| Error::Recording { path: path.clone(), source };
        let caller = Side::new(caller_rate)?;
        let other = Side::new(other_rate)?;
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        // Read, too: what proves to be a secret is silenced where it stands.
        let mut file =
            File::options().read(true).write(true).create(true).truncate(true).open(&path).map_err(failed)?;
        let sync = file.try_clone().map_err(failed)?;
        let out = match seal {
            Some(seal) => {
                let head = seal.head();
                file.write_all(&head).map_err(failed)?;
                Out::Sealed { seal, pieces: Vec::new(), end: head.len() as u64 }
            }
            None => {
                let mut wav = hound::WavWriter::new(BufWriter::new(file), spec).map_err(|error| failed(io(error)))?;
                wav.flush().map_err(|error| failed(io(error)))?;
                Out::Wav(wav)
            }
        };
        let (ring, pairs) = rtrb::RingBuffer::new(RING);
        let shared = Arc::new(Shared::default());
        let task = Task { path: path.clone(), out: Some(out), sync, pairs, shared: shared.clone(), written: 0 };
        // The thread lives as long as any sender, and this is one; were it gone, the ring would count the overflow.
        let _ = self.tasks.send(task);
        Ok(Recorder {
            ring: Some(ring),
            shared,
            caller,
            other,
            paused: false,
            owed: 0,
            path,
            _tasks: self.tasks.clone(),
        })
    }
}

/// One call's recording. Dropping it ends it as `finish` does.
pub struct Recorder {
    ring: Option<rtrb::Producer<[i16; 2]>>,
    shared: Arc<Shared>,
    caller: Side,
    other: Side,
    paused: bool,
    /// Frames left out that are still to be made up by silence.
    owed: usize,
    path: PathBuf,
    /// Keeps the thread alive until this recording is written.
    _tasks: mpsc::Sender<Task>,
}

impl Recorder {
    /// Adds 20 ms of both sides, each of the rate given at the beginning. Never waits and allocates nothing. What finds
    /// no room (the disk stood still for 4 s) is counted, and becomes silence later so that times still fit.
    pub fn write(&mut self, caller: &Frame, other: &Frame) {
        let Some(ring) = &mut self.ring else { return };
        let (left, right) = (self.caller.narrow(caller), self.other.narrow(other));
        let n = left.len();
        let room = ring.slots() / n;
        let owed = self.owed.min(room.saturating_sub(1));
        let Some(chunk) = (room > 0).then(|| ring.write_chunk_uninit((owed + 1) * n).ok()).flatten() else {
            self.owed += 1;
            self.shared.overflow.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let silent = self.paused;
        let pairs = left.iter().zip(right).map(|(&left, &right)| if silent { [0, 0] } else { [left, right] });
        chunk.fill_from_iter(std::iter::repeat_n([0, 0], owed * n).chain(pairs));
        self.owed -= owed;
    }

    /// Writes silence from here on: a secret is being told.
    pub fn pause(&mut self) {
        self.paused = true;
    }

    pub fn resume(&mut self) {
        self.paused = false;
    }

    /// Silences what was recorded, or is going to be, between these times (ms of the recording): it was a secret.
    pub fn blank(&mut self, from_ms: u64, to_ms: u64) {
        let at = |ms: u64| ms * u64::from(RATE) / 1_000;
        // Taken by the writer a few times a second, for a moment.
        self.shared.blanks.lock().unwrap_or_else(PoisonError::into_inner).push((at(from_ms), at(to_ms)));
    }

    /// Where it is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Frames left out so far because the disk was too slow, or failed.
    pub fn overflow(&self) -> u64 {
        self.shared.overflow.load(Ordering::Relaxed)
    }

    /// Ends the recording. Does not wait: the rest is written in the background.
    pub fn finish(mut self) -> Recording {
        self.ring = None; // the writer sees the ring abandoned, drains it and closes the file
        Recording { shared: self.shared.clone(), path: self.path.clone() }
    }
}

/// A recording that has ended and is being written to its end.
pub struct Recording {
    shared: Arc<Shared>,
    path: PathBuf,
}

/// A recording, complete on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub path: PathBuf,
    pub ms: u64,
    /// Frames of 20 ms that are missing.
    pub overflow: u64,
}

impl Recording {
    /// It is complete (or has failed), so `wait` will not wait.
    pub fn is_done(&self) -> bool {
        self.shared.done.load(Ordering::Acquire)
    }

    /// Waits until the file is complete and synced. Not for the media's beat.
    pub fn wait(self) -> Result<Recorded, Error> {
        let mut end = self.shared.end.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match end.take() {
                Some(Ok(ms)) => {
                    let overflow = self.shared.overflow.load(Ordering::Relaxed);
                    return Ok(Recorded { path: self.path, ms, overflow });
                }
                Some(Err(source)) => return Err(Error::Recording { path: self.path, source }),
                None => end = self.shared.ended.wait(end).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

#[derive(Default)]
struct Shared {
    overflow: AtomicU64,
    /// To be silenced, in pairs of samples.
    blanks: Mutex<Vec<(u64, u64)>>,
    done: AtomicBool,
    end: Mutex<Option<std::io::Result<u64>>>,
    ended: Condvar,
}

/// One side, brought to the recording's rate.
struct Side {
    resampler: Resampler,
    frame: Frame,
}

impl Side {
    fn new(rate: u32) -> Result<Self, Error> {
        Ok(Self { resampler: Resampler::new(rate, RATE)?, frame: Frame::silence(RATE) })
    }

    fn narrow(&mut self, frame: &Frame) -> &[i16] {
        self.resampler.run(frame, &mut self.frame);
        self.frame.samples()
    }
}

/// A recording as the writing thread has it.
struct Task {
    path: PathBuf,
    /// Gone after an error.
    out: Option<Out>,
    /// The same file.
    sync: File,
    pairs: rtrb::Consumer<[i16; 2]>,
    shared: Arc<Shared>,
    written: u64,
}

enum Out {
    Wav(hound::WavWriter<BufWriter<File>>),
    Sealed { seal: Box<dyn Seal>, pieces: Vec<Piece>, end: u64 },
}

/// Where a sealed piece stands.
struct Piece {
    /// Pairs before it, and in it.
    first: u64,
    pairs: u64,
    /// In the file.
    at: u64,
    bytes: usize,
}

fn write_all(inbox: &mpsc::Receiver<Task>) {
    let mut tasks: Vec<Task> = Vec::new();
    let mut next = Instant::now() + PERIOD;
    loop {
        let open = match inbox.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(task) => {
                tasks.push(task);
                continue;
            }
            Err(mpsc::RecvTimeoutError::Timeout) => true,
            Err(mpsc::RecvTimeoutError::Disconnected) => false,
        };
        next = Instant::now() + PERIOD;
        tasks.retain_mut(|task| !task.step());
        if !open {
            // No recorder is left, so every ring is abandoned and was just drained.
            return;
        }
    }
}

impl Task {
    /// Writes what has come; true when the recording is over.
    fn step(&mut self) -> bool {
        let over = self.pairs.is_abandoned(); // looked at before draining, so that nothing is left behind
        if let Err(error) = self.drain().and_then(|()| self.silence()) {
            tracing::error!(path = %self.path.display(), %error, "a recording cannot be written; the call goes on without");
            self.out = None;
            self.end(Err(error));
        }
        if over && let Some(out) = self.out.take() {
            let end = match out {
                Out::Wav(wav) => wav.finalize().map_err(io),
                Out::Sealed { seal, pieces, end } => {
                    self.sync.write_all_at(&seal.piece(pieces.len() as u64, true, &[]), end)
                }
            };
            let end = end.and_then(|()| self.sync.sync_data());
            self.end(end.map(|()| self.written * 1_000 / u64::from(RATE)));
        }
        over
    }

    fn drain(&mut self) -> std::io::Result<()> {
        let Ok(chunk) = self.pairs.read_chunk(self.pairs.slots()) else { return Ok(()) };
        let n = chunk.len();
        let Some(out) = &mut self.out else {
            // Failed before: whole frames go missing.
            self.shared.overflow.fetch_add(n as u64 / u64::from(RATE / 50), Ordering::Relaxed);
            chunk.commit_all();
            return Ok(());
        };
        let (first, second) = chunk.as_slices();
        let samples = first.iter().chain(second).flatten();
        match out {
            Out::Wav(wav) => {
                samples.copied().try_for_each(|sample| wav.write_sample(sample)).map_err(io)?;
                if n > 0 {
                    wav.flush().map_err(io)?;
                }
            }
            Out::Sealed { seal, pieces, end } => {
                let plain: Vec<u8> = samples.flat_map(|sample| sample.to_le_bytes()).collect();
                let mut first = self.written;
                for plain in plain.chunks(PIECE * 4) {
                    let sealed = seal.piece(pieces.len() as u64, false, plain);
                    self.sync.write_all_at(&sealed, *end)?;
                    let pairs = plain.len() as u64 / 4;
                    pieces.push(Piece { first, pairs, at: *end, bytes: sealed.len() });
                    *end += sealed.len() as u64;
                    first += pairs;
                }
            }
        }
        chunk.commit_all();
        self.written += n as u64;
        Ok(())
    }

    /// Silences what is to be and has been written; what has not waits for its time.
    fn silence(&mut self) -> std::io::Result<()> {
        let mut blanks = std::mem::take(&mut *self.shared.blanks.lock().unwrap_or_else(PoisonError::into_inner));
        for (from, to) in &mut blanks {
            let until = (*to).min(self.written);
            match &self.out {
                _ if until <= *from => continue,
                Some(Out::Wav(_)) => {
                    self.sync.write_all_at(&vec![0; (until - *from) as usize * 4], HEADER + *from * 4)?;
                }
                Some(Out::Sealed { seal, pieces, .. }) => {
                    let begin = pieces.partition_point(|piece| piece.first + piece.pairs <= *from);
                    for (index, piece) in
                        pieces.iter().enumerate().skip(begin).take_while(|(_, piece)| piece.first < until)
                    {
                        let mut sealed = vec![0; piece.bytes];
                        self.sync.read_exact_at(&mut sealed, piece.at)?;
                        let broken = || std::io::Error::other("a piece of the recording was changed by another");
                        let mut plain = seal.open(index as u64, false, &sealed).ok_or_else(broken)?;
                        let within =
                            |pair: u64| (pair.clamp(piece.first, piece.first + piece.pairs) - piece.first) as usize * 4;
                        plain[within(*from)..within(until)].fill(0);
                        self.sync.write_all_at(&seal.piece(index as u64, false, &plain), piece.at)?;
                    }
                }
                None => {}
            }
            *from = until;
        }
        blanks.retain(|(from, to)| from < to);
        self.shared.blanks.lock().unwrap_or_else(PoisonError::into_inner).extend(blanks);
        Ok(())
    }

    fn end(&mut self, end: std::io::Result<u64>) {
        let mut slot = self.shared.end.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert(end);
        self.shared.done.store(true, Ordering::Release);
        self.shared.ended.notify_all();
    }
}

fn io(error: hound::Error) -> std::io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => std::io::Error::other(other.to_string()),
    }
}

/// What a repair found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repaired {
    pub ms: u64,
    /// The header did not fit the file and was set right.
    pub changed: bool,
}

/// Makes the header of a WAV file that one of our recordings left behind fit what the file holds: after a crash it
/// may name less than was written, or more. A torn last sample is cut off.
pub fn repair_wav(path: impl AsRef<Path>) -> Result<Repaired, Error> {
    let path = path.as_ref();
    let failed = |source| Error::Recording { path: path.into(), source };
    let refused = |why: &str| Error::Repair { path: path.into(), why: why.into() };
    let mut file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|source| Error::Open { path: path.into(), source })?;
    let size = file.metadata().map_err(failed)?.len();
    // hound's header for 16-bit PCM: RIFF, a `fmt ` chunk of 16 bytes, and `data`.
    let mut header = [0; 44];
    file.read_exact(&mut header).map_err(|_| refused("it is shorter than a header"))?;
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if &header[..4] != b"RIFF" || &header[8..16] != b"WAVEfmt " || word(16) != 16 || &header[36..40] != b"data" {
        return Err(refused("it is no recording of ours (RIFF, one fmt chunk of 16 bytes, data)"));
    }
    let (rate, block) = (word(24), u64::from(u16::from_le_bytes([header[32], header[33]])));
    if rate == 0 || block == 0 {
        return Err(refused("its header gives no sample rate or size"));
    }
    let data = (size - 44) / block * block;
    let ms = data / block * 1_000 / u64::from(rate);
    let (riff, data) = (u32::try_from(data + 36), u32::try_from(data));
    let (Ok(riff), Ok(data)) = (riff, data) else { return Err(refused("it is larger than 4 GiB")) };
    let changed = word(4) != riff || word(40) != data || size != u64::from(data) + 44;
    if changed {
        let mut set = |at: u64, value: u32| -> std::io::Result<()> {
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&value.to_le_bytes())
        };
        set(4, riff).and_then(|()| set(40, data)).map_err(failed)?;
        file.set_len(u64::from(data) + 44).and_then(|()| file.sync_all()).map_err(failed)?;
    }
    Ok(Repaired { ms, changed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Tone, file};

    fn tones(n: usize) -> Vec<(Frame, Frame)> {
        let (mut low, mut high) = (Tone::sine(400.0, -20.0), Tone::sine(1_000.0, -26.0));
        (0..n)
            .map(|_| {
                let (mut caller, mut other) = (Frame::silence(8_000), Frame::silence(16_000));
                low.next(&mut caller);
                high.next(&mut other);
                (caller, other)
            })
            .collect()
    }

    fn level(samples: &[i16]) -> f64 {
        (samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / samples.len() as f64).sqrt() / 32_768.0
    }

    #[test]
    fn both_sides_are_kept_apart_and_secrets_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        let mut recorder = Recordings::start().unwrap().record(&path, 8_000, 16_000).unwrap();
        for (n, (caller, other)) in tones(150).iter().enumerate() {
            match n {
                50 => recorder.pause(),
                100 => recorder.resume(),
                _ => {}
            }
            recorder.write(caller, other);
        }
        let recorded = recorder.finish().wait().unwrap();
        assert_eq!((recorded.ms, recorded.overflow), (3_000, 0));
        let (left, right) = (file::read_channel(&path, 0).unwrap(), file::read_channel(&path, 1).unwrap());
        assert_eq!((left.rate, left.samples.len()), (8_000, 24_000));
        assert_eq!(left.samples[..8_000], tones(50).iter().flat_map(|(c, _)| c.samples().to_vec()).collect::<Vec<_>>());
        assert!((level(&right.samples[1_000..7_000]) * 20.0 - 1.0).abs() < 0.02, "-26 dBov");
        for side in [left, right] {
            assert!(side.samples[8_000..16_000].iter().all(|&s| s == 0) && level(&side.samples[17_000..]) > 0.04);
        }
        assert_eq!(repair_wav(&path).unwrap(), Repaired { ms: 3_000, changed: false });
    }

    #[test]
    fn what_proves_to_be_a_secret_is_silenced_before_and_after_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        let mut recorder = Recordings::start().unwrap().record(&path, 8_000, 16_000).unwrap();
        for (n, (caller, other)) in tones(150).iter().enumerate() {
            recorder.write(caller, other);
            if n == 100 {
                while std::fs::metadata(&path).unwrap().len() < 64_000 {
                    std::thread::sleep(Duration::from_millis(10)); // the writer is a thread of its own
                }
                recorder.blank(500, 1_000);
                recorder.blank(1_500, 2_500);
            }
        }
        assert_eq!(recorder.finish().wait().unwrap().ms, 3_000);
        for channel in [0, 1] {
            let samples = file::read_channel(&path, channel).unwrap().samples;
            let silent = |from: usize, to: usize| samples[from * 8..to * 8].iter().all(|&s| s == 0);
            assert!(silent(500, 1_000) && silent(1_500, 2_500) && samples.len() == 24_000);
            for (from, to) in [(0, 500), (1_000, 1_500), (2_500, 3_000)] {
                assert!(level(&samples[from * 8 + 100..to * 8]) > 0.04, "{from} to {to}");
            }
        }
    }

    #[test]
    fn a_torn_file_is_repaired_and_others_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        let mut recorder = Recordings::start().unwrap().record(&path, 8_000, 16_000).unwrap();
        for (caller, other) in &tones(50) {
            recorder.write(caller, other);
        }
        recorder.finish().wait().unwrap();
        let whole = std::fs::read(&path).unwrap();
        for (data_size, cut, ms) in [(0u32, 0, 1_000), (u32::MAX, 0, 1_000), (32_000, 1_601, 949), (8_000, 3, 999)] {
            let mut torn = whole[..whole.len() - cut].to_vec();
            torn[40..44].copy_from_slice(&data_size.to_le_bytes());
            std::fs::write(&path, torn).unwrap();
            assert_eq!(repair_wav(&path).unwrap(), Repaired { ms, changed: true }, "{data_size} {cut}");
            assert_eq!(hound::WavReader::open(&path).unwrap().duration() as u64 / 8, ms);
            assert_eq!(repair_wav(&path).unwrap(), Repaired { ms, changed: false });
        }
        for bytes in [&b"RIFF"[..], &[7; 100]] {
            std::fs::write(&path, bytes).unwrap();
            assert!(matches!(repair_wav(&path), Err(Error::Repair { .. })));
        }
        assert!(matches!(repair_wav(dir.path().join("none")), Err(Error::Open { .. })));
    }

    #[test]
    fn what_finds_no_room_is_counted_and_becomes_silence() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        let mut recorder = Recordings::start().unwrap().record(&path, 8_000, 16_000).unwrap();
        // 6 s at once, faster than any round of the writer, into a ring of 4 s.
        let frames = tones(1);
        for _ in 0..300 {
            recorder.write(&frames[0].0, &frames[0].1);
        }
        let lost = recorder.overflow();
        assert!(lost > 0);
        while std::fs::metadata(&path).unwrap().len() < (300 - lost) * 640 {
            std::thread::sleep(Duration::from_millis(10)); // the writer is a thread of its own
        }
        recorder.write(&frames[0].0, &frames[0].1);
        let recorded = recorder.finish().wait().unwrap();
        assert_eq!((recorded.ms, recorded.overflow), (301 * 20, lost));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_at_once() {
        let recordings = Recordings::start().unwrap();
        assert!(matches!(recordings.record("/nowhere/at/all.wav", 8_000, 8_000), Err(Error::Recording { .. })));
    }
}
