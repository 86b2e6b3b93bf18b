"""Files from strangers: playlists, scripts, external references, absurd sizes, a decompression bomb."""

import base64
import os
import pathlib
import random
import struct
import subprocess


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-nostdin", "-y", "-v", "error", *words], check=True)


def movie(path, *options, size="64x48", frames=10, rate=10):
    ffmpeg("-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}", "-frames:v", str(frames), "-pix_fmt", "yuv420p", *options, str(path))
    return path.read_bytes()


def with_references(mov, entry):
    """A QuickTime film whose data reference is `entry`: it claims that the samples lie in another file."""
    def change(data):
        result, at = b"", 0
        while at + 8 <= len(data):
            size, kind = struct.unpack(">I4s", data[at:at + 8])
            body = data[at + 8:at + size]
            if kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
                body = change(body)
            elif kind == b"dref":
                body = bytes(4) + struct.pack(">I", 1) + struct.pack(">I", 8 + len(entry) - 4) + entry
            result += struct.pack(">I4s", 8 + len(body), kind) + body
            at += size
        return result
    return change(mov)


def alias(path):
    """An `alis` record (Inside Macintosh: Files), as far as FFmpeg reads it."""
    path = path.encode()
    body = bytes(10) + bytes([3]) + b"vol".ljust(27, b"\0") + bytes(12) + bytes([6]) + b"canary".ljust(63, b"\0") + bytes(16)
    body += struct.pack(">HH", 1, 1) + bytes(16)
    for kind, text in ((0, b"secret"), (2, path)):
        body += struct.pack(">HH", kind, len(text)) + text + bytes(len(text) % 2)
    return b"alis" + bytes(4) + body + struct.pack(">H", 0xFFFF) + bytes(60)


def hostile(folder, secret):
    """Writes the files, and returns them with what is wrong with each."""
    canary, text = f"{secret}/canary.mp4", f"{secret}/canary.txt"
    relative = os.path.relpath(canary, folder)
    made = {}

    def add(name, content, why):
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        made[name] = why

    playlist = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n"
    for number, address in enumerate([canary, "file://" + canary, relative, "http://127.0.0.1:9/a.ts", "https://127.0.0.1:9/a.ts",
                                      f"concat:{canary}|{canary}", f"subfile,,start,0,end,0,,:{canary}", f"crypto:{canary}",
                                      f"data:video/mp4;base64,{base64.b64encode(b'x' * 90).decode()}", "tcp://127.0.0.1:9", "udp://127.0.0.1:9"]):
        for extension in ("mp4", "avi", "mkv", "mov", "gif", "ts") if number in (0, 3) else ("mp4",):
            add(f"playlist{number}.{extension}", playlist.format(address), "an HLS playlist")
    add("key.mp4", f'#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-KEY:METHOD=AES-128,URI="file://{text}",IV=0x{0:032x}\n#EXT-X-MAP:URI="{canary}"\n'
        f"#EXTINF:5,\n{canary}\n#EXT-X-ENDLIST\n", "a playlist with a key and a map")
    add("master.mp4", f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile://{canary}\n", "a playlist of playlists")
    add("m3u.mp4", f"#EXTM3U\n{canary}\n", "a plain playlist")
    # The hole of 2016: a playlist behind the beginning of an AVI.
    add("gab2.avi", b"RIFF\xff\xff\xff\x00AVI LIST\x14\x01\x00\x00hdrlavih8" + b"\0" * 60 + b"GAB2\0" + playlist.format(text).encode(), "a playlist in an AVI")
    for extension in ("mp4", "mkv"):
        add(f"concat.{extension}", f"ffconcat version 1.0\nfile '{canary}'\n", "a script that concatenates")
    add("concat2.mp4", "ffconcat version 1.0\nfile 'http://127.0.0.1:9/a.mp4'\noption protocol_whitelist file,http,tcp\n", "a script with options")
    add("session.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n", "SDP")
    add("stream.mp4", "[playlist]\nFile1=rtsp://127.0.0.1:9/a\nNumberOfEntries=1\n", "a PLS playlist")
    add("dash.mp4", f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S"><Period>'
        f'<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>file://{canary}</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>", "a DASH manifest")
    add("imf.mp4", f'<?xml version="1.0"?><AssetMap><AssetList><Asset><Path>{canary}</Path></Asset></AssetList></AssetMap>', "an IMF asset map")
    add("entity.mp4", f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file://{text}">]><svg xmlns="http://www.w3.org/2000/svg">'
        f'<image href="file://{canary}" width="9" height="9"/><text>&x;</text></svg>', "an SVG with an external entity")
    add("script.mp4", f'a = AviSource("{canary}")\nreturn a\n', "an AviSynth script")
    add("lavfi.mp4", f"movie={canary}\n", "a filter graph")
    add("subtitles.mkv", f"1\n00:00:00,000 --> 00:00:05,000\n{canary}\n", "subtitles")
    add("numbers%03d.mp4", "x", "a pattern of pictures")
    add("text.mp4", "this is no video\n", "text")
    add("empty.mp4", "", "nothing")
    add("zeros.mkv", bytes(100_000), "zeros")
    add("noise.avi", random.Random(1).randbytes(100_000), "noise")
    add("elf.mp4", pathlib.Path("/bin/true").read_bytes(), "a program")

    plain = movie(folder / "plain.mov", "-c:v", "mjpeg")
    (folder / "plain.mov").unlink()
    for number, address in enumerate([f"file://{canary}", canary, "http://127.0.0.1:9/a.mov", relative]):
        add(f"reference{number}.mov", with_references(plain, b"url " + bytes(4) + address.encode() + b"\0" * 160), None)
    add("alias.mov", with_references(plain, alias(canary)), None)
    add("reference.mp4", b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + struct.pack(">I4s", 8 + 8 + 8 + 12 + 4 + len(canary) + 1, b"moov")
        + struct.pack(">I4s", 8 + 8 + 12 + 4 + len(canary) + 1, b"rmra") + struct.pack(">I4s", 8 + 12 + 4 + len(canary) + 1, b"rmda")
        + struct.pack(">I4sI4sI", 12 + 4 + len(canary) + 1, b"rdrf", 0, b"url ", len(canary) + 1) + canary.encode() + b"\0", "a reference movie")

    # Linked segments: a film whose other half has another file's number (Matroska, SegmentUID and NextFilename).
    linked = movie(folder / "linked.mkv", "-c:v", "mjpeg")
    name = canary.encode()
    info = linked.index(b"\x15\x49\xa9\x66")
    width = 8 - linked[info + 4].bit_length() + 1
    size = int.from_bytes(linked[info + 4:info + 4 + width], "big") & ((1 << 7 * width) - 1)
    extra = b"\x3e\x83\xbb" + (len(name) | 0x4000).to_bytes(2, "big") + name + b"\x3e\xb9\x23\x90" + bytes(16)
    add("linked.mkv", linked[:info + 4] + ((size + len(extra)) | 1 << 56).to_bytes(8, "big") + extra + linked[info + 4 + width:], None)

    wide = movie(folder / "wide.mkv", "-c:v", "mjpeg", size="320x320")
    (folder / "wide.mkv").unlink()
    add("absurd.mkv", wide.replace(b"\xb0\x82\x01\x40", b"\xb0\x82\xff\xff").replace(b"\xba\x82\x01\x40", b"\xba\x82\xff\xff"), None)
    for codec in ("rawvideo", "mpeg4"):
        avi = movie(folder / "absurd.avi", "-c:v", codec, size="320x320")
        (folder / "absurd.avi").unlink()
        at = avi.index(b"strf")
        for side in ((1 << 30, 1 << 30), (0x7FFFFFFF, 0x7FFFFFFF), (60000, 60000), (0, 0), (1, 100_000)):
            add(f"absurd-{codec}-{side[0]}x{side[1]}.avi", avi[:at + 12] + struct.pack("<II", *side) + avi[at + 20:], None)
    gif = movie(folder / "absurd.gif", "-pix_fmt", "rgb8", frames=3)
    (folder / "absurd.gif").unlink()
    add("absurd.gif", gif[:6] + b"\xff\xff\xff\xff" + gif[10:], None)
    return made


def bomb(path):
    """Pictures of 120 million points, of one colour, over and over: gigabytes in a file of megabytes."""
    one = path.with_name("one.mkv")
    ffmpeg("-f", "lavfi", "-i", "color=black:size=12000x10000:rate=10", "-frames:v", "1", "-c:v", "png", "-pred", "none", str(one))
    ffmpeg("-stream_loop", "199", "-i", str(one), "-c", "copy", str(path))
    one.unlink()
