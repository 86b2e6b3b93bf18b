import Testing
import VidData
import VidSystem
import VidTensor

@Suite struct ClipTests {
    @Test func namesOfClips() {
        #expect(ClipFormat(path: "x.BIN") == .bin && ClipFormat(path: "x.npy") == .npy && ClipFormat(path: "x.webm") == .video)
        #expect(ClipFormat(path: "x.ogv") == .video && ClipFormat(path: "x.ogg") == .sound && ClipFormat(path: "x.Wav") == .sound)
        #expect(ClipFormat(path: "x.m3u8") == nil && ClipFormat(path: "mp4") == nil)
    }

    @Test func contentHash() {
        let clip = patternClip(ClipShape(frames: 2, channels: 3, rows: 4, columns: 5))
        #expect(clip.contentHash == patternClip(clip.shape, framesPerSecond: 9).contentHash)
        #expect(clip.contentHash.count == 64)
        #expect(clip.contentHash != patternClip(ClipShape(frames: 2, channels: 3, rows: 5, columns: 4)).contentHash)
        #expect(clip.contentHash != clip.selecting([1, 0]).contentHash)
        #expect(clip.selecting([0, 1]) == clip)
    }
}

@Suite struct ClipSniffingTests {
    @Test(arguments: [
        ("\u{0}\u{0}\u{0}\u{20}ftypisom", "mp4"), ("\u{0}\u{0}\u{0}\u{20}ftypM4A ", "m4a"), ("RIFF....AVI LIST", "avi"),
        ("RIFF....WAVEfmt ", "wav"), ("fLaC....", "flac"), ("OggS...............theora", "ogv"), ("OggS.......vorbis", "ogg"),
        ("ID3......", "mp3"), ("GIF89a", "gif"), ("FLV......", "flv"), ("FORM....AIFF", "aiff"),
    ])
    func marks(text: String, expected: String) { #expect(ClipFormat.fileExtension(ofBytes: Array(text.utf8)) == expected) }

    @Test func bytes() {
        #expect(ClipFormat.fileExtension(ofBytes: [0x89, 0x56, 0x43, 0x4C, 0x50, 0x0D, 0x0A, 0x1A, 1, 0]) == "bin")
        #expect(ClipFormat.fileExtension(ofBytes: [0x93] + Array("NUMPY".utf8)) == "npy")
        #expect(ClipFormat.fileExtension(ofBytes: [0x1A, 0x45, 0xDF, 0xA3]) == "mkv")
        #expect(ClipFormat.fileExtension(ofBytes: [0xFF, 0xFB, 0x90]) == "mp3")
        #expect(ClipFormat.fileExtension(ofBytes: [0xFF, 0xF1, 0x50]) == "aac")
        #expect(ClipFormat.fileExtension(ofBytes: [0x47] + [UInt8](repeating: 0, count: 187) + [0x47]) == "ts")
        for head in [[], [0], Array("hello, world".utf8), [0x47]] as [[UInt8]] { #expect(ClipFormat.fileExtension(ofBytes: head) == nil) }
    }
}
