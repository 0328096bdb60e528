// ICE by WHIP (RFC 9725), for callers' and agents' pages: stands before the scripts that need it.
const credential = (sdp, name) => new RegExp(`^a=ice-${name}:(.*)$`, "m").exec(sdp)?.[1].trim();

// RFC 8840, 9.
function fragment(sdp, candidates) {
  const lines = [`a=ice-ufrag:${credential(sdp, "ufrag")}`, `a=ice-pwd:${credential(sdp, "pwd")}`, "m=audio 9 UDP/TLS/RTP/SAVPF 0"];
  lines.push(`a=mid:${/^a=mid:(.*)$/m.exec(sdp)?.[1].trim() ?? 0}`);
  for (const { candidate } of candidates) lines.push(`a=${candidate}`);
  return lines.join("\r\n") + "\r\n";
}

// Their description with the credentials and candidates of a fragment.
function renew(sdp, text) {
  const kept = sdp.split(/\r?\n/).filter((line) => line && !/^a=(candidate|end-of-candidates)/.test(line));
  const lines = kept.map((line) => line.replace(/^a=ice-(ufrag|pwd):.*/, (_, name) => `a=ice-${name}:${credential(text, name)}`));
  return [...lines, ...text.split(/\r?\n/).filter((line) => line.startsWith("a=candidate"))].join("\r\n") + "\r\n";
}
