import Testing
import VidData
import VidSystem
import VidTestSupport

/// What files are by their first bytes.
@Suite struct FileContentTests {
    /// Zeros of `count` bytes with text and bytes at some places, as in the heads of real files.
    private static func head(_ count: Int = 600, _ parts: [(Int, String)] = [], bytes: [(Int, [UInt8])] = []) -> [UInt8] {
        var head = [UInt8](repeating: 0, count: count)
        for (place, part) in parts.map({ ($0.0, Array($0.1.utf8)) }) + bytes {
            head.replaceSubrange(place..<place + part.count, with: part)
        }
        return head
    }

    /// Packets of `size` bytes that start with 47 from `start`.
    private static func packets(_ size: Int, from start: Int) -> [UInt8] {
        var head = [UInt8](repeating: 0xAA, count: FileContent.headSize)
        for place in stride(from: start, to: head.count - 4, by: size) {
            head.replaceSubrange(place..<place + 4, with: [0x47, 0x01, 0x11, 0x10])
        }
        return head
    }

    /// Two frames with the same header, `length` bytes apart.
    private static func frames(_ header: [UInt8], length: Int) -> [UInt8] { head(length + 600, bytes: [(0, header), (length, header)]) }

    private static let clips: [([UInt8], String)] = [
        (head(bytes: [(0, [0x89, 0x56, 0x43, 0x4C, 0x50, 0x0D, 0x0A, 0x1A, 1])]), "bin"),
        (head(bytes: [(0, [0x93] + Array("NUMPY".utf8) + [1])]), "npy"),
        // Containers of videos.
        (head(600, [(0, "RIFF"), (8, "AVI LIST")]), "avi"), (head(600, [(0, "RIFF"), (8, "AMV LIST")]), "amv"),
        (head(600, [(0, "RIFF"), (8, "CDXAfmt ")]), "mpg"), (head(bytes: [(0, [0, 0, 1, 0xBA, 0x44])]), "mpg"),
        (head(bytes: [(0, [0, 0, 1, 0xE0, 0x07, 0xEC, 0x81])]), "mpg"), (packets(188, from: 0), "ts"), (packets(188, from: 100), "ts"),
        (packets(192, from: 4), "ts"), (packets(204, from: 0), "ts"), (packets(204, from: 200), "ts"),
        (head(600, [(0, "FLV\u{1}\u{5}")]), "flv"),
        (head(600, [(0, "OggS\0\u{2}"), (26, "\u{1}\u{7}"), (29, "theora")], bytes: [(28, [0x80])]), "ogv"),
        (
            head(
                600, [(0, "OggS\0\u{2}"), (26, "\u{1}\u{7}"), (29, "vorbis"), (35, "OggS\0\u{2}"), (61, "\u{1}\u{7}"), (64, "theora")],
                bytes: [(63, [0x80])]), "ogv"
        ),
        (head(600, [(0, "OggS\0\u{2}"), (26, "\u{1}\u{5}"), (28, "OVP80")]), "ogv"),
        (head(bytes: [(0, [0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0D, 0x01, 0x02, 0x01, 0x01, 0x02])]), "mxf"),
        (head(bytes: [(0, [0, 0, 0, 0, 1, 0xBC, 0, 0, 1, 0x18, 0, 0, 0, 0, 0xE1, 0xE2])]), "gxf"),
        (head(600, [(0, "nut/multimedia container\0")]), "nut"), (head(600, [(0, "DKIF")]), "ivf"),
        (head(600, [(0, "DHAV")], bytes: [(4, [0xF1])]), "dav"),
        (head(600, [(0, "DAHUA\0\0\0")]), "dav"), (head(600, [(0, "YUV4MPEG2 W64 H48\nFRAME\n")]), "y4m"),
        (Array("YUV4MPEG2 W8 H8\nFRAME\nAAAAAAAAAAAA".utf8), "y4m"),
        (head(bytes: [(0, [0xB7, 0xD8, 0x00, 0x20, 0x37, 0x49, 0xDA, 0x11, 0xA6, 0x4E, 0x00, 0x07])]), "wtv"),
        (windowsMedia(0xC0, 0xEF, 0x19, 0xBC), "wmv"),
        // Streams of video.
        (head(bytes: [(0, [0, 0, 0, 1, 0x67, 0x64, 0, 0x0A])]), "h264"), (head(bytes: [(0, [0, 0, 1, 0x27, 66, 0xC0])]), "h264"),
        (head(bytes: [(0, [0, 0, 0, 1, 0x09, 0x10, 0, 0, 0, 1, 0x67, 77])]), "h264"),
        (head(bytes: [(0, [0, 0, 1, 0x06, 5, 9]), (90, [0, 0, 1, 0x47, 100])]), "h264"),
        (head(bytes: [(0, [0, 0, 0, 1, 0x40, 1, 0x0C])]), "hevc"),
        (head(bytes: [(0, [0, 0, 0, 1, 0x46, 1, 0x50, 0, 0, 1, 0x42, 1, 1])]), "hevc"),
        (head(bytes: [(0, [0, 0, 1, 0xB3, 0x04, 0, 0x30])]), "m2v"), (head(bytes: [(0, [0, 0, 1, 0xB0, 1, 0, 0, 1, 0xB5, 0x89])]), "m4v"),
        (head(bytes: [(0, [0, 0, 1, 0, 0, 0, 1, 0x20, 0])]), "m4v"),
        (head(bytes: [(0, [0, 0, 1, 0x0F, 0xC9]), (40, [0, 0, 1, 0x0E])]), "vc1"),
        (head(bytes: [(0, [0x12, 0, 0x0A, 0x0A])]), "obu"), (head(bytes: [(0, [0x1F, 7, 0, 0x3F])]), "dv"),
        (head(bytes: [(0, [0x1F, 7, 0, 0xBF])]), "dv"),
        (head(bytes: [(0, [0xFF, 0xD8, 0xFF, 0xE0]), (300, [0xFF, 0xD9, 0xFF, 0xD8, 0xFF])]), "mjpeg"),
        (Array("--frame\r\nContent-Type: image/jpeg\r\nContent-length: 4130\r\n\r\n".utf8), "mjpeg"),
        (head(600, [(0, "GIF89a")]), "gif"), (head(600, [(0, "GIF87a")]), "gif"), (png("acTL"), "apng"),
        // Sounds.
        (head(600, [(0, "RIFF"), (8, "WAVEfmt ")]), "wav"), (head(600, [(0, "RF64"), (8, "WAVEds64")]), "wav"),
        (head(600, [(0, "fLaC")]), "flac"),
        (head(600, [(0, "ID3\u{4}")]), "mp3"), (frames([0xFF, 0xFB, 0x90, 0x64], length: 417), "mp3"), ([0xFF, 0xFB, 0x90, 0x64], "mp3"),
        (frames([0xFF, 0xFD, 0xA0, 0xC4], length: 626), "mp3"), (frames([0xFF, 0xF3, 0x84, 0xC4], length: 192), "mp3"),
        (frames([0xFF, 0xF1, 0x50, 0x40, 0x21, 0x3F, 0xFC], length: 265), "aac"), (head(600, [(0, "FORM"), (8, "AIFFCOMM")]), "aiff"),
        (head(600, [(0, "FORM"), (8, "AIFCFVER")]), "aiff"),
        (head(600, [(0, "OggS\0\u{2}"), (26, "\u{1}\u{13}"), (28, "OpusHead")]), "ogg"),
        (head(600, [(0, "OggS\0\u{2}"), (26, "\u{1}\u{1E}\u{1}vorbis")]), "ogg"), (head(600, [(4, "ftypM4A "), (3, "\u{20}")]), "m4a"),
        (head(600, [(0, "caff\0\u{1}")]), "caf"), (head(600, [(0, ".snd")]), "au"), (windowsMedia(0x40, 0x9E, 0x69, 0xF8), "wma"),
        (head(bytes: [(0, [0x0B, 0x77, 0x1E, 0xF8, 0x4C, 0x40])]), "ac3"), (head(bytes: [(0, [0x0B, 0x77, 0, 0xCF, 0x72, 0x87])]), "eac3"),
        (head(600, [(0, "#!AMR\n")]), "amr"), (head(600, [(0, "#!AMR-WB\n")]), "amr"), (head(600, [(0, "wvpk")]), "wv"),
        (head(bytes: [(0, [0x72, 0x69, 0x66, 0x66, 0x2E, 0x91, 0xCF, 0x11, 0xA5])]), "w64"), (head(600, [(0, "TTA1")]), "tta"),
        (head(600, [(0, "MAC ")]), "ape"),
        (head(bytes: [(0, [0x7F, 0xFE, 0x80, 0x01])]), "dts"), (head(600, [(0, ".ra")], bytes: [(3, [0xFD])]), "ra"),
        (head(600, [(0, "Creative Voice File\u{1A}")]), "voc"),
    ]

    private static let containers: [([UInt8], String)] = [
        (head(600, [(4, "ftypisom"), (3, "\u{20}")]), "mp4"), (head(600, [(4, "ftypqt  "), (3, "\u{14}")]), "mov"),
        (head(600, [(4, "ftypavis"), (3, "\u{14}")]), "mp4"), (head(600, [(4, "ftypheic"), (3, "\u{14}"), (16, "msf1")]), "mp4"),
        (head(600, [(4, "moov"), (2, "\u{20}")]), "mp4"), (head(600, [(4, "mdat"), (3, "\u{1}")]), "mp4"),
        (head(600, [(4, "wide"), (3, "\u{8}")]), "mp4"),
        (head(600, [(4, "styp"), (3, "\u{18}")]), "m4s"), (head(600, [(4, "moof"), (2, "\u{1}")]), "m4s"),
        (head(600, [(4, "sidx"), (3, "\u{2C}")]), "m4s"),
        (head(bytes: [(0, [0x1A, 0x45, 0xDF, 0xA3])]), "mkv"), (head(600, [(0, ".RMF")]), "rm"),
        (windowsMedia(0x40, 0x9E, 0x69, 0xF8, length: 9000), "asf"),
    ]

    /// An ASF header of `length` bytes with a stream whose type starts with these bytes.
    private static func windowsMedia(_ type: UInt8..., length: UInt64 = 500) -> [UInt8] {
        let guid: [UInt8] = [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0x00, 0xAA, 0x00, 0x62, 0xCE, 0x6C]
        let rest: [UInt8] = [0x4D, 0x5B, 0xCF, 0x11, 0xA8, 0xFD, 0x00, 0x80, 0x5F, 0x5C, 0x44, 0x2B]
        return head(bytes: [(0, guid), (16, LittleEndian.bytes(length)), (200, type + rest)])
    }

    /// A PNG file with this chunk after its header.
    private static func png(_ chunk: String) -> [UInt8] {
        head(600, [(12, "IHDR"), (37, chunk)], bytes: [(0, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]), (36, [8])])
    }

    @Test func clips() {
        for (head, name) in FileContentTests.clips {
            let format: ClipFormat? = ClipFormat(name: "x." + name)
            #expect(FileContent(head: head) == format.map { .clip($0, name) }, "\(name) \(head.prefix(16))")
        }
    }

    @Test func containers() {
        for (head, name) in FileContentTests.containers {
            #expect(FileContent(head: head) == .container(name), "\(name) \(head.prefix(16))")
            #expect(ClipFormat(name: "x." + name) == .video)
        }
    }

    @Test func pictures() {
        let pictures: [([UInt8], String)] = [
            (FileContentTests.png("IDAT"), "PNG"), (FileContentTests.head(bytes: [(0, [0xFF, 0xD8, 0xFF, 0xE1])]), "JPEG"),
            (FileContentTests.head(600, [(0, "RIFF"), (8, "WEBPVP8 ")]), "WebP"),
            (FileContentTests.head(600, [(0, "RIFF"), (8, "WEBPVP8X")]), "WebP"),
            (FileContentTests.head(600, [(0, "BM\u{36}")]), "BMP"), (FileContentTests.head(600, [(0, "II*")]), "TIFF"),
            (FileContentTests.head(600, [(0, "MM\0*")]), "TIFF"),
            (FileContentTests.head(600, [(4, "ftypheic"), (3, "\u{14}")]), "HEIF"),
            (FileContentTests.head(600, [(4, "ftypavif"), (3, "\u{14}")]), "AVIF"),
            (FileContentTests.head(600, [(0, "8BPS")]), "Photoshop"), (FileContentTests.head(600, [(4, "jP  \r\n")]), "JPEG 2000"),
        ]
        for (head, kind) in pictures { #expect(FileContent(head: head) == .picture(kind), "\(kind)") }
        guard case .substitute(let kind, _)? = FileContent(head: FileContentTests.head(600, [(0, "RIFF"), (8, "WEBPVP8X"), (20, "\u{2}")]))
        else {
            Issue.record("an animated WebP")
            return
        }
        #expect(kind.contains("animated WebP"))
    }

    @Test(arguments: [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "a Git LFS pointer"),
        ("/annex/objects/SHA256E-s31390--f50d.mp4\n", "a git-annex pointer"), ("<!DOCTYPE html>\n<html>", "a web page"),
        ("\n  <HTML><head>", "a web page"),
        ("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "a server's error message"),
        ("#EXTM3U\n#EXT-X-VERSION:3\n", "a playlist"),
        ("ffconcat version 1.0\nfile a.mp4\n", "a playlist"), ("[playlist]\nFile1=a.mp3\n", "a playlist"),
        ("<?xml version=\"1.0\"?><MPD type=\"static\">", "a playlist"),
        ("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "a description of a network stream"),
    ])
    func substitutes(text: String, expected: String) {
        guard case .substitute(let kind, let advice)? = FileContent(head: Array(text.utf8)) else {
            Issue.record("\(text)")
            return
        }
        #expect(kind.hasPrefix(expected) && !advice.isEmpty, "\(kind)")
    }

    /// Paths in a list may start like the signature of a clip.
    @Test(arguments: [
        "hello, world", "import { a } from './b';\n", "GIF89a/1.mp4\n", "DAHUA/1.dav\n", "ID3 tags\n", "\u{FEFF}größe;жук\n", "漢字\n",
        "<?xml version=\"1.0\"?><TS>",
    ])
    func text(_ text: String) { #expect(FileContent(head: Array(text.utf8)) == .unrelated("a text file")) }

    @Test func otherFiles() {
        #expect(FileContent(head: []) == .empty)
        #expect(FileContent(head: Array("größe".utf8).dropLast(3)) == .unrelated("a text file"))
        #expect(FileContent(head: [0xFF, 0xFE] + "text".utf16.flatMap { LittleEndian.bytes($0) }) == .unrelated("a text file"))
        #expect(FileContent(head: FileContentTests.head(1200, [(0, "a song"), (1080, "M.K.")])) == .unrelated("a tracker module of music"))
        #expect(FileContent(head: FileContentTests.head(600, [(0, "PK\u{3}\u{4}")])) == .unrelated("an archive"))
        // An executable; zeros; a JPEG's bytes elsewhere; a frame of MPEG audio without a second one; a start code alone.
        for head in [
            [0x7F, 0x45, 0x4C, 0x46, 2], [0], [UInt8](repeating: 0, count: 600), [1, 0xFF, 0xD8, 0xFF],
            FileContentTests.head(1000, bytes: [(0, [0xFF, 0xFB, 0x90, 0x64])]), FileContentTests.head(bytes: [(0, [0, 0, 1, 0x67, 3])]),
            FileContentTests.head(bytes: [(0, [0x47, 0, 0, 0x10])]),
        ] as [[UInt8]] { #expect(FileContent(head: head) == nil, "\(head.prefix(8))") }
    }

    /// Whatever the bytes are, they are looked at within bounds.
    @Test func cutAndChangedHeads() {
        for (head, _) in FileContentTests.clips + FileContentTests.containers {
            for count in 0..<min(head.count, 64) { _ = FileContent(head: Array(head.prefix(count))) }
            for place in 0..<64 where place < head.count {
                var changed = head
                changed[place] = 0xFF
                _ = FileContent(head: changed)
            }
        }
    }
}

/// The format of a file: by its content, and by its name.
@Suite struct FormatOfFileTests {
    private let folder: TestFolder
    private let mp4 = [UInt8]("\0\0\0\u{20}ftypisom".utf8)
    private let wave = [UInt8]("RIFF\0\0\0\0WAVEfmt ".utf8)
    private let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
    private let html = [UInt8]("<!DOCTYPE html>".utf8)

    init() throws { folder = try TestFolder() }

    @Test func byName() {
        #expect(ClipFormat(name: "x.BIN") == .bin && ClipFormat(name: "x.npy") == .npy && ClipFormat(name: "x.webm") == .video)
        #expect(ClipFormat(name: "x.ogv") == .video && ClipFormat(name: "x.ogg") == .sound && ClipFormat(name: "x.Wav") == .sound)
        #expect(ClipFormat(name: "x.m3u8") == nil && ClipFormat(name: "mp4") == nil)
        for name in [
            "h264", "264", "hevc", "h265", "265", "mjpeg", "mjpg", "m2v", "m1v", "mod", "tod", "mxf", "dv", "divx", "f4v", "insv", "dav",
        ] {
            #expect(ClipFormat(name: "x." + name) == .video, "\(name)")
        }
        #expect(ClipFormat.videoExtensions.isDisjoint(with: ClipFormat.soundExtensions))
    }

    @Test func contentDecides() throws {
        let cases: [(String, [UInt8], ClipFormat)] = [
            ("a", mp4, .video), ("a.xyz", mp4, .video), ("a.txt", mp4, .video), ("a.m4a", mp4, .sound), ("a.bin", mp4, .video),
            ("s.mp4", wave, .sound),
            ("v.wav", [UInt8]("RIFF\0\0\0\0AVI LIST".utf8), .video), ("a.weba", [0x1A, 0x45, 0xDF, 0xA3], .sound),
            ("a.webm", [0x1A, 0x45, 0xDF, 0xA3], .video),
            ("a.mjpeg", [0xFF, 0xD8, 0xFF, 0xE0], .video), ("unknown.h264", [0, 0, 1, 0x41, 0x9A], .video),
            ("unknown.mp3", [0, 1, 2], .sound),
            ("damaged.bin", [UInt8]("text".utf8), .bin), ("empty.npy", [], .npy), ("picture.bin", png, .bin),
        ]
        for (name, bytes, format) in cases {
            let found = try ClipFormat(existing: folder.write(name, bytes))
            #expect(found == format, "\(name): \(found)")
        }
    }

    @Test func whatIsNotAClip() throws {
        let pointer = [UInt8]("version https://git-lfs.github.com/spec/v1\n".utf8)
        let cases: [(String, [UInt8], String)] = [
            ("a.mp4", png, "not a clip but a picture (PNG) under the name of a clip; replace it with the clip, or remove it"),
            ("a.png", png, "not a clip but a picture (PNG); expected .bin, .npy, a video"),
            ("b.mp4", html, "not a clip but a web page (HTML)"),
            ("c.bin", pointer, "fetch the file itself with `git lfs pull`"),
            ("clip.ts", [UInt8]("let a = 1\n".utf8), "not a clip but a text file"),
            ("empty.mp4", [], "the file is empty"), ("x", [1, 2, 3], "not a clip; expected .bin, .npy, a video"),
        ]
        for (name, bytes, message) in cases {
            let path = try folder.write(name, bytes)
            let error = failure { try ClipFormat(existing: path) }
            #expect(error.kind == .badData && error.message.hasPrefix(path + ": ") && error.message.contains(message), "\(error.message)")
        }
        #expect(failure { try ClipFormat(existing: folder("none.mp4")) }.kind == .missingInput)
        #expect(
            failure { try ClipFormat(existing: folder.path) }.message.contains(
                "expected a file, or a folder of at least two numbered pictures"))
    }

    /// Of the files in a folder, only those are clips whose name says so or, if the name says nothing, whose content does.
    @Test func filesInAFolder() throws {
        for (name, bytes) in [
            ("a", mp4), ("b.xyz", mp4), ("c.mp4", html), ("d.mp4", []), ("e.ts", [0x47, 0x40, 0, 0x10]), ("f.h264", [0]), ("g.MOD", []),
            ("no.ts", [UInt8]("const a = 1;\n".utf8)), ("no.mts", [UInt8]("<?xml version=\"1.0\"?><TS>".utf8)), ("no.txt", mp4),
            ("no.png", png),
            ("no.doc", [0xD0, 0xCF]), ("README", [UInt8]("read me\n".utf8)), ("no", []), ("no.part", mp4),
        ] as [(String, [UInt8])] { try folder.write(name, bytes) }
        #expect(mkfifo(folder("pipe"), 0o600) == 0)
        #expect(try ClipInputs.clips(at: folder.path).map(PathText.name) == ["a", "b.xyz", "c.mp4", "d.mp4", "e.ts", "f.h264", "g.MOD"])
    }

    /// A cache key tells a sound from a video by the content.
    @Test func cacheKeys() throws {
        let loader = ClipLoader(frames: 2, channels: 1, rows: 8, columns: 8)
        let sound = try loader.sampling(.whole, of: folder.write("s.mp4", wave))
        #expect(try sound == loader.sampling(.whole, of: folder.write("s.wav", wave)) && sound.contains("log-mel"))
        #expect(try !loader.sampling(.whole, of: folder.write("v.wav", [UInt8]("RIFF\0\0\0\0AVI LIST".utf8))).contains("log-mel"))
        #expect(loader.sampling(.whole, of: folder("none.wav")) == sound)
    }
}
