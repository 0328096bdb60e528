//! Microphone and loudspeaker of this computer, and audio files, as a caller.
