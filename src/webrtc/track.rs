//! Our voice as the crate's track: it tells where packets go once the call is up, and leaves the packets as they are (the
//! crate's own track would give keys the payload type of sound).

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;
use webrtc::api::media_engine::MIME_TYPE_OPUS;
use webrtc::rtp_transceiver::rtp_codec::{RTCRtpCodecParameters, RTPCodecType};
use webrtc::track::track_local::{TrackLocal, TrackLocalContext, TrackLocalWriter};

/// Where packets go: the writer, and the source (SSRC) that was agreed.
pub type Way = Option<(Arc<dyn TrackLocalWriter + Send + Sync>, u32)>;

pub struct Voice {
    way: watch::Sender<Way>,
}

impl Voice {
    pub fn new() -> (Arc<Self>, watch::Receiver<Way>) {
        let (way, ready) = watch::channel(None);
        (Arc::new(Self { way }), ready)
    }
}

#[async_trait]
impl TrackLocal for Voice {
    async fn bind(&self, context: &TrackLocalContext) -> webrtc::error::Result<RTCRtpCodecParameters> {
        let opus = |codec: &&RTCRtpCodecParameters| codec.capability.mime_type.eq_ignore_ascii_case(MIME_TYPE_OPUS);
        let Some(codec) = context.codec_parameters().iter().find(opus) else {
            return Err(webrtc::Error::ErrUnsupportedCodec);
        };
        self.way.send_replace(Some((context.write_stream(), context.ssrc())));
        Ok(codec.clone())
    }

    async fn unbind(&self, _: &TrackLocalContext) -> webrtc::error::Result<()> {
        self.way.send_replace(None);
        Ok(())
    }

    fn id(&self) -> &str {
        "voice"
    }

    fn rid(&self) -> Option<&str> {
        None
    }

    fn stream_id(&self) -> &str {
        "frontdesk"
    }

    fn kind(&self) -> RTPCodecType {
        RTPCodecType::Audio
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
