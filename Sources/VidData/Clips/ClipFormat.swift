import VidSystem

/// The kind of a clip file, by its extension.
package enum ClipFormat: Sendable, Equatable {
    /// vidclass's own clip file.
    case bin
    case npy
    /// Decoded by ffmpeg.
    case video
    /// Decoded by ffmpeg and turned into spectrograms.
    case sound

    /// Extensions of videos. `FFmpeg.videoContainers` lists all their containers.
    package static let videoExtensions: Set<String> = [
        "mp4", "m4v", "mov", "qt", "3gp", "3g2", "avi", "mkv", "webm", "mpg", "mpeg", "vob", "ts", "mts", "m2ts", "flv", "ogv",
        "wmv", "asf", "gif",
    ]

    /// Extensions of sounds. `FFmpeg.soundContainers` lists all their containers.
    package static let soundExtensions: Set<String> = [
        "wav", "flac", "mp3", "ogg", "oga", "opus", "m4a", "aac", "aif", "aiff",
    ]

    /// Nil if the name is not that of a clip.
    package init?(path: String) {
        switch PathText.fileExtension(path) {
        case "bin": self = .bin
        case "npy": self = .npy
        case let name where ClipFormat.videoExtensions.contains(name): self = .video
        case let name where ClipFormat.soundExtensions.contains(name): self = .sound
        default: return nil
        }
    }

    /// The format of the file at `path`. Throws if nothing is there (`.missingInput`) or if its name is not that of a clip.
    init(existing path: String) throws {
        guard let format = ClipFormat(path: path) else {
            _ = try SystemCall.status(path)
            throw VidclassError.file(path, ClipFormat.notAClip)
        }
        self = format
    }

    /// The message for a name that is not that of a clip.
    static let notAClip = "not a clip; expected .bin, .npy, a video (.mp4 .avi .mkv .mov .webm ...) or a sound (.wav .flac .mp3 .ogg ...)"

    /// The extension that matches the content of a file starting with `head` (about 300 bytes are enough), by the formats'
    /// signatures; nil if none matches.
    package static func fileExtension(ofBytes head: [UInt8]) -> String? {
        func has(_ bytes: [UInt8], at offset: Int = 0) -> Bool {
            head.count >= offset + bytes.count && head[offset..<offset + bytes.count].elementsEqual(bytes)
        }
        func has(_ text: String, at offset: Int = 0) -> Bool { has(Array(text.utf8), at: offset) }
        if has(ClipHeader.magic) { return "bin" }
        if has([0x93] + Array("NUMPY".utf8)) { return "npy" }
        if has("RIFF"), has("WAVE", at: 8) { return "wav" }
        if has("RIFF"), has("AVI ", at: 8) { return "avi" }
        if has("ftypM4A", at: 4) { return "m4a" }
        if has("ftyp", at: 4) || has("moov", at: 4) || has("mdat", at: 4) || has("wide", at: 4) || has("free", at: 4) { return "mp4" }
        if has([0x1A, 0x45, 0xDF, 0xA3]) { return "mkv" }
        if has("fLaC") { return "flac" }
        if has("OggS") { return isTheora(head) ? "ogv" : "ogg" }
        if has("FORM"), has("AIF", at: 8) { return "aiff" }
        if has("ID3") { return "mp3" }
        if has("GIF8") { return "gif" }
        if has("FLV") { return "flv" }
        if has([0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11]) { return "asf" }
        if has([0, 0, 1, 0xBA]) || has([0, 0, 1, 0xB3]) { return "mpg" }
        if has([0x47]), has([0x47], at: 188) { return "ts" }
        // Raw audio frames: eleven set bits, then the layer, which is 00 only in ADTS.
        if head.count >= 2, head[0] == 0xFF, head[1] & 0xE0 == 0xE0 { return head[1] & 0x06 == 0 ? "aac" : "mp3" }
        return nil
    }

    /// Whether the first pages of an Ogg file contain a Theora video header.
    private static func isTheora(_ head: [UInt8]) -> Bool {
        let mark = Array("theora".utf8)
        return (0..<max(0, min(head.count, 512) - mark.count + 1)).contains { head[$0..<$0 + mark.count].elementsEqual(mark) }
    }
}
