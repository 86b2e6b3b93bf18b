import VidSystem

/// Formats whose first bytes say more than one thing: containers with several uses, and pictures that may move.
extension FileContent {
    static func structured(_ head: FileHead) -> FileContent? {
        riff(head) ?? ogg(head) ?? windowsMedia(head) ?? portableGraphics(head) ?? jpeg(head) ?? bitmap(head) ?? boxes(head)
    }

    /// RIFF and IFF: four characters, a length, and the kind.
    private static func riff(_ head: FileHead) -> FileContent? {
        if head.has("FORM"), head.has("AIFF", at: 8) || head.has("AIFC", at: 8) { return .clip(.sound, "aiff") }
        guard head.has("RIFF") || head.has("RIFX") else { return nil }
        if head.has("WAVE", at: 8) { return .clip(.sound, "wav") }
        if head.has("AVI", at: 8) { return .clip(.video, "avi") }
        if head.has("AMV ", at: 8) { return .clip(.video, "amv") }
        // A file of a Video CD.
        if head.has("CDXA", at: 8) { return .clip(.video, "mpg") }
        guard head.has("WEBP", at: 8) else { return nil }
        guard head.has("VP8X", at: 12), let flags = head[20], flags & 0x02 != 0 else { return .picture("WebP") }
        return .substitute("an animated WebP picture, which FFmpeg does not read", advice: "convert it into a GIF or a video")
    }

    /// Ogg (RFC 3533) begins with the first page of each stream, whose packet starts with the codec's name.
    private static func ogg(_ head: FileHead) -> FileContent? {
        let videos: [[UInt8]] = [
            [0x80] + Array("theora".utf8), [0x80] + Array("daala".utf8), [0x01] + Array("video".utf8), Array("OVP80".utf8),
            Array("BBCD".utf8),
        ]
        guard head.has("OggS") else { return nil }
        var page = 0
        // Pages of the kind "beginning of stream" (2).
        while head.has("OggS", at: page), let kind = head[page + 5], kind & 2 != 0, let segments = head[page + 26] {
            let packet = page + 27 + Int(segments)
            if videos.contains(where: { head.has($0, at: packet) }) { return .clip(.video, "ogv") }
            guard packet <= head.count else { break }
            page = packet + head.bytes[page + 27..<packet].reduce(0) { $0 + Int($1) }
        }
        return .clip(.sound, "ogg")
    }

    /// ASF: video, unless its whole header is in the head and lists sound alone.
    private static func windowsMedia(_ head: FileHead) -> FileContent? {
        guard head.has([0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0x00, 0xAA, 0x00, 0x62, 0xCE, 0x6C]) else { return nil }
        // The types of streams, {BC19EFC0-5B4D-11CF-A8FD-00805F5C442B} and {F8699E40-...}, differ in their first four bytes.
        let rest: [UInt8] = [0x4D, 0x5B, 0xCF, 0x11, 0xA8, 0xFD, 0x00, 0x80, 0x5F, 0x5C, 0x44, 0x2B]
        func lists(_ type: [UInt8]) -> Bool {
            (0..<max(0, head.count - 15)).contains { head.bytes[$0] == type[0] && head.has(type + rest, at: $0) }
        }
        if lists([0xC0, 0xEF, 0x19, 0xBC]) { return .clip(.video, "wmv") }
        guard head.count >= 24 else { return .container("asf") }
        let length: UInt64 = LittleEndian.value(head.bytes, 16)
        return length <= UInt64(head.count) && lists([0x40, 0x9E, 0x69, 0xF8]) ? .clip(.sound, "wma") : .container("asf")
    }

    /// PNG: an animation (APNG) has the chunk `acTL` before its picture.
    private static func portableGraphics(_ head: FileHead) -> FileContent? {
        guard head.has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else { return nil }
        var chunk = 8
        while let length = head.number(at: chunk), !head.has("IDAT", at: chunk + 4) {
            if head.has("acTL", at: chunk + 4) { return .clip(.video, "apng") }
            chunk += length + 12
        }
        return .picture("PNG")
    }

    /// One JPEG picture, or a stream of them: the end of one (FF D9) and the start of the next (FF D8).
    private static func jpeg(_ head: FileHead) -> FileContent? {
        guard head.has([0xFF, 0xD8, 0xFF]) else { return nil }
        let isStream = (0..<max(0, head.count - 3)).contains { head.bytes[$0] == 0xFF && head.has([0xFF, 0xD9, 0xFF, 0xD8], at: $0) }
        return isStream ? .clip(.video, "mjpeg") : .picture("JPEG")
    }

    private static func bitmap(_ head: FileHead) -> FileContent? {
        head.has("BM") && head.has([0, 0, 0, 0], at: 6) ? .picture("BMP") : nil
    }

    /// The boxes of MP4, QuickTime and their kin (ISO 14496-12): a length, the type and, for `ftyp`, the brands.
    private static func boxes(_ head: FileHead) -> FileContent? {
        guard let length = head.number(at: 0) else { return nil }
        if head.has("ftyp", at: 4) || head.has("styp", at: 4) {
            // The main brand, then a version, then the compatible brands.
            let places = [8] + stride(from: 16, to: min(length, head.count), by: 4)
            func isOf(_ brands: [String]) -> Bool { places.contains { place in brands.contains { head.has($0, at: place) } } }
            if ["M4A ", "M4B ", "M4P ", "F4A ", "F4B "].contains(where: { head.has($0, at: 8) }) { return .clip(.sound, "m4a") }
            if isOf(["avis", "msf1", "hevc", "hevx"]) { return .container("mp4") }
            if ["heic", "heix", "heim", "heis", "mif1"].contains(where: { head.has($0, at: 8) }) { return .picture("HEIF") }
            if head.has("avif", at: 8) { return .picture("AVIF") }
            if head.has("crx ", at: 8) { return .picture("Canon raw") }
            return .container(head.has("styp", at: 4) ? "m4s" : head.has("qt  ", at: 8) ? "mov" : "mp4")
        }
        // A length of 1 stands for a longer one after the type, and 0 for all that follows.
        guard length <= 1 || length >= 8 else { return nil }
        if ["moof", "sidx", "emsg", "prft"].contains(where: { head.has($0, at: 4) }) { return .container("m4s") }
        let first = ["moov", "mdat", "wide", "free", "skip", "pnot", "pdin"]
        return first.contains { head.has($0, at: 4) } ? .container("mp4") : nil
    }
}
