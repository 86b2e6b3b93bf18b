import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct GlobPatternTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
        for name in ["a.bin", "b.bin", "note.txt", ".hidden.bin", "x/c.bin", "x/y/d.bin", "x/.z/e.bin", "we[i]rd/f.bin", "漢/g.bin"] {
            try folder.write(name)
        }
    }

    private func matches(_ pattern: String) -> [String]? {
        GlobPattern(folder(pattern))?.paths().map { String($0.dropFirst(folder.path.count + 1)) }
    }

    @Test(arguments: [
        ("*.bin", ["a.bin", "b.bin"]), ("?.bin", ["a.bin", "b.bin"]), ("[b-z].bin", ["b.bin"]), ("[!b].bin", ["a.bin"]),
        ("x/*.bin", ["x/c.bin"]), ("*/?.bin", ["we[i]rd/f.bin", "x/c.bin", "漢/g.bin"]),
        ("**/*.bin", ["a.bin", "b.bin", "we[i]rd/f.bin", "x/c.bin", "x/y/d.bin", "漢/g.bin"]), ("x/**/d.bin", ["x/y/d.bin"]),
        ("x/**/c.bin", ["x/c.bin"]), (".*.bin", [".hidden.bin"]), ("*.mp4", []), ("nowhere/*", []), ("?/g.bin", ["漢/g.bin"]),
    ])
    func patterns(pattern: String, expected: [String]) { #expect(matches(pattern) == expected) }

    @Test func namesAreNone() { #expect(GlobPattern("a/b.bin") == nil) }

    @Test func aNameThatExistsWins() throws {
        #expect(try ClipInputs.clips(at: folder("we[i]rd")) == [folder("we[i]rd/f.bin")])
    }

    @Test func otherFilesArePassedOver() throws {
        #expect(try ClipInputs.clips(at: folder("*")).contains(folder("x/c.bin")))
        #expect(try !ClipInputs.clips(at: folder("*")).contains(folder("note.txt")))
        #expect(throws: VidclassError.self) { try ClipInputs.clips(at: folder("*.txt")) }
        do {
            _ = try ClipInputs.clips(at: folder("*.mp4"))
            Issue.record("nothing matches")
        } catch let error as VidclassError { #expect(error.kind == .missingInput) }
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
