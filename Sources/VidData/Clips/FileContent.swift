import VidSystem

/// The kind of a file by its first bytes. They are only compared with the signatures of formats: no library parses them here.
package enum FileContent: Sendable, Equatable {
    /// A clip of this format, with its usual extension.
    case clip(ClipFormat, String)
    /// A container of video or of sound alone, which the first bytes do not tell, with the usual extension of its videos.
    case container(String)
    /// A picture, by the name of its format.
    case picture(String)
    /// A file that has nothing to do with clips: "a text file".
    case unrelated(String)
    /// A file in place of a clip, such as a playlist or an error page, and what to do.
    case substitute(String, advice: String)
    case empty

    /// The number of bytes that are looked at.
    package static let headSize = 4096

    /// The content of a file that starts with `head`, of `headSize` bytes or all that there are; nil if it is of no known format.
    package init?(head: [UInt8]) {
        guard !head.isEmpty else {
            self = .empty
            return
        }
        let head = FileHead(bytes: head)
        // Some formats start with text, so text comes after them. Formats with short signatures come last.
        guard
            let content = FileContent.afterText(head) ?? FileContent.text(head) ?? FileContent.signature(head)
                ?? FileContent.structured(head) ?? FileContent.stream(head)
        else { return nil }
        self = content
    }

    /// The usual extension of a clip of this content; nil if it is not a clip.
    package var fileExtension: String? {
        switch self {
        case .clip(_, let name), .container(let name): name
        default: nil
        }
    }

    // MARK: - Signatures

    /// Formats whose signature is longer than chance allows.
    private static func signature(_ head: FileHead) -> FileContent? {
        byteSignatures.first { head.has($0.mark) }?.content ?? wordSignatures.first { head.has($0.mark, at: $0.place) }?.content
    }

    private static let byteSignatures: [(mark: [UInt8], content: FileContent)] = [
        (ClipHeader.magic, .clip(.bin, "bin")),
        ([0x93] + Array("NUMPY".utf8), .clip(.npy, "npy")),
        ([0x1A, 0x45, 0xDF, 0xA3], .container("mkv")),
        ([0xB7, 0xD8, 0x00, 0x20, 0x37, 0x49, 0xDA, 0x11], .clip(.video, "wtv")),
        // The key of a partition pack, SMPTE 377.
        ([0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0D, 0x01, 0x02], .clip(.video, "mxf")),
        // The header section of a DIF sequence, IEC 61834, of 525 or 625 lines.
        ([0x1F, 0x07, 0x00, 0x3F], .clip(.video, "dv")), ([0x1F, 0x07, 0x00, 0xBF], .clip(.video, "dv")),
        // A temporal delimiter and a sequence header of AV1.
        ([0x12, 0x00, 0x0A], .clip(.video, "obu")),
        ([0x7F, 0xFE, 0x80, 0x01], .clip(.sound, "dts")), ([0xFE, 0x7F, 0x01, 0x80], .clip(.sound, "dts")),
        ([0x72, 0x69, 0x66, 0x66, 0x2E, 0x91, 0xCF, 0x11], .clip(.sound, "w64")),
        ([0x2E, 0x72, 0x61, 0xFD], .clip(.sound, "ra")),
        ([0x49, 0x49, 0x2A, 0x00], .picture("TIFF")), ([0x4D, 0x4D, 0x00, 0x2A], .picture("TIFF")),
        ([0x76, 0x2F, 0x31, 0x01], .picture("OpenEXR")),
        ([0x1F, 0x8B, 0x08], archive), ([0x50, 0x4B, 0x03, 0x04], archive), ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], archive),
        ([0x28, 0xB5, 0x2F, 0xFD], archive), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], archive),
        ([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A], .unrelated("an HDF5 file")),
    ]

    private static let wordSignatures: [(mark: String, place: Int, content: FileContent)] = [
        ("nut/multimedia container\0", 0, .clip(.video, "nut")), ("DKIF", 0, .clip(.video, "ivf")),
        ("GIF87a", 0, .clip(.video, "gif")), ("GIF89a", 0, .clip(.video, "gif")), ("FLV\u{1}", 0, .clip(.video, "flv")),
        ("DHAV", 0, .clip(.video, "dav")), ("DAHUA", 0, .clip(.video, "dav")), (".RMF", 0, .container("rm")),
        ("fLaC", 0, .clip(.sound, "flac")), ("ID3\u{2}", 0, .clip(.sound, "mp3")), ("ID3\u{3}", 0, .clip(.sound, "mp3")),
        ("ID3\u{4}", 0, .clip(.sound, "mp3")), ("RF64", 0, .clip(.sound, "wav")), ("BW64", 0, .clip(.sound, "wav")),
        ("caff\0\u{1}", 0, .clip(.sound, "caf")), (".snd", 0, .clip(.sound, "au")), ("wvpk", 0, .clip(.sound, "wv")),
        ("TTA1", 0, .clip(.sound, "tta")), ("MAC ", 0, .clip(.sound, "ape")),
        ("Creative Voice File\u{1A}", 0, .clip(.sound, "voc")), ("8BPS", 0, .picture("Photoshop")),
        ("P5\n", 0, .picture("PGM")), ("P6\n", 0, .picture("PPM")), ("jP  \r\n", 4, .picture("JPEG 2000")),
        ("JXL \r\n", 4, .picture("JPEG XL")), ("Rar!", 0, archive), ("BZh", 0, archive), ("%PDF-", 0, .unrelated("a PDF document")),
        ("M.K.", 1080, .unrelated("a tracker module of music")), ("M!K!", 1080, .unrelated("a tracker module of music")),
        ("FLT4", 1080, .unrelated("a tracker module of music")), ("6CHN", 1080, .unrelated("a tracker module of music")),
        ("8CHN", 1080, .unrelated("a tracker module of music")), ("MThd", 0, .unrelated("a MIDI file, which has no sound of its own")),
    ]

    private static let archive = FileContent.unrelated("an archive")

    // MARK: - Text

    /// Clips that start with text.
    private static func afterText(_ head: FileHead) -> FileContent? {
        if head.has("YUV4MPEG2 ") { return .clip(.video, "y4m") }
        if head.has("#!AMR\n") || head.has("#!AMR-WB\n") { return .clip(.sound, "amr") }
        // The JPEG pictures of a network camera as the parts of a multipart message.
        if head.has("--"), head.text(400).contains("content-type: image/jpeg") { return .clip(.video, "mjpeg") }
        return nil
    }

    /// Text: a program or document, or what a server or a version control system has put in place of a clip.
    private static func text(_ head: FileHead) -> FileContent? {
        guard head.isText else { return nil }
        let text = String(head.text(FileContent.headSize).drop { $0.isWhitespace || $0 == "\u{FEFF}" })
        let starts = { (words: [String]) in words.contains { text.hasPrefix($0) } }
        if starts(["version https://git-lfs.github.com/"]) {
            return .substitute("a Git LFS pointer to it", advice: "fetch the file itself with `git lfs pull`")
        }
        if starts(["/annex/objects/"]) || text.contains(".git/annex/objects/") && text.count < 1000 {
            return .substitute("a git-annex pointer to it", advice: "fetch the file itself with `git annex get`")
        }
        if starts(["<!doctype html", "<html", "<head", "<body"]) {
            return .substitute("a web page (HTML)", advice: "if the download of a clip failed, download it again")
        }
        if starts(["<?xml", "<error"]), text.contains("<error>") {
            return .substitute("a server's error message (XML)", advice: "download the clip again")
        }
        if starts(["#extm3u", "ffconcat", "[playlist]", "<asx"]) || text.contains("<mpd ") {
            return .substitute("a playlist", advice: "it only names other files; use those")
        }
        if starts(["v=0\n", "v=0\r\n"]) {
            return .substitute("a description of a network stream (SDP)", advice: "record the stream, and use the recording")
        }
        return .unrelated("a text file")
    }
}

/// The first bytes of a file.
struct FileHead {
    let bytes: [UInt8]

    var count: Int { bytes.count }

    func has(_ mark: [UInt8], at place: Int = 0) -> Bool {
        count >= place + mark.count && bytes[place..<place + mark.count].elementsEqual(mark)
    }

    func has(_ mark: String, at place: Int = 0) -> Bool {
        count >= place + mark.utf8.count && bytes[place..<place + mark.utf8.count].elementsEqual(mark.utf8)
    }

    /// The byte at `place`; nil after the end.
    subscript(place: Int) -> UInt8? { place < count ? bytes[place] : nil }

    /// The four bytes at `place` as a big-endian number; nil after the end.
    func number(at place: Int) -> Int? {
        guard place + 4 <= count else { return nil }
        return bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    /// The first `most` bytes as text in lower case.
    func text(_ most: Int) -> String { String(decoding: bytes.prefix(most), as: UTF8.self).lowercased() }

    /// Whether the bytes are text: UTF-16 with a mark, or without control characters and either UTF-8 or mostly ASCII.
    var isText: Bool {
        if has([0xFF, 0xFE]) || has([0xFE, 0xFF]) { return true }
        let isControl = { (byte: UInt8) in byte < 0x20 && !(0x09...0x0D).contains(byte) && byte != 0x1B || byte == 0x7F }
        guard !bytes.contains(where: isControl) else { return false }
        if bytes.count(where: { $0 < 0x80 }) * 4 >= count * 3 { return true }
        // The last character may be cut.
        return (0...min(3, count)).contains { String(validating: bytes.dropLast($0), as: UTF8.self) != nil }
    }
}
