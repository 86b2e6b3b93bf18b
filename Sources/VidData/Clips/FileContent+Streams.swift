import VidSystem

/// Streams without a signature, known by headers that repeat.
extension FileContent {
    static func stream(_ head: FileHead) -> FileContent? {
        startCode(head) ?? (isTransportStream(head) ? .clip(.video, "ts") : nil) ?? audioFrames(head)
    }

    // MARK: - Start codes

    /// MPEG's streams: a start code 00 00 01, perhaps after more zeros, then what follows.
    private static func startCode(_ head: FileHead) -> FileContent? {
        guard let first = head.bytes.firstIndex(where: { $0 != 0 }), (2...16).contains(first), head[first] == 1 else { return nil }
        let bytes = head.bytes
        /// The places behind all start codes.
        let places =
            [first + 1]
            + (first + 1..<max(first + 1, bytes.count - 3)).filter { bytes[$0] == 0 && head.has([0, 0, 1], at: $0) }.map { $0 + 3 }
        guard let code = head[first + 1] else { return nil }
        let codes = places.compactMap { head[$0] }
        switch code {
        case 0xBA: return .clip(.video, "mpg")  // a pack of a program stream
        case 0xBC where head.has([0, 0, 0, 0, 0xE1, 0xE2], at: first + 6): return .clip(.video, "gxf")
        case 0xE0...0xEF where (head[first + 4] ?? 0) & 0xC0 == 0x80: return .clip(.video, "mpg")  // a packet of a video
        case 0xB3 where (head[first + 2] ?? 0) > 0 || (head[first + 3] ?? 0) > 0: return .clip(.video, "m2v")  // a sequence
        case 0xB0 where codes.contains(0xB5): return .clip(.video, "m4v")  // a visual object sequence and object of MPEG-4
        case 0x00...0x1F where places.count > 1 && places[1] == first + 5 && (0x20...0x2F).contains(codes.dropFirst().first ?? 0):
            return .clip(.video, "m4v")  // a video object and its layer
        case 0x0F where codes.contains(0x0E) || codes.contains(0x0D): return .clip(.video, "vc1")  // a sequence and a frame
        default: break
        }
        if isHEVC(head, places) { return .clip(.video, "hevc") }
        return isH264(head, places) ? .clip(.video, "h264") : nil
    }

    /// H.264, Annex B: the first unit is a parameter set, a delimiter or additional information, and one is a sequence parameter set
    /// of a known profile.
    private static func isH264(_ head: FileHead, _ places: [Int]) -> Bool {
        guard let first = places.first.flatMap({ head[$0] }), first & 0x80 == 0, (6...9).contains(first & 0x1F) else { return false }
        let profiles: Set<UInt8> = [44, 66, 77, 83, 86, 88, 100, 110, 118, 122, 128, 138, 244]
        return places.contains { place in
            guard let unit = head[place], let profile = head[place + 1] else { return false }
            return unit & 0x9F == 7 && unit & 0x60 != 0 && profiles.contains(profile)
        }
    }

    /// HEVC, Annex B: as for H.264, with units' headers of two bytes: the type in six bits, the layer 0, the temporal layer 0.
    private static func isHEVC(_ head: FileHead, _ places: [Int]) -> Bool {
        func type(_ place: Int) -> UInt8? {
            guard let high = head[place], head[place + 1] == 1, high & 0x81 == 0 else { return nil }
            return high >> 1
        }
        guard let first = places.first.flatMap(type), [32, 33, 34, 35, 39].contains(first) else { return false }
        return places.contains { type($0) == 32 || type($0) == 33 }
    }

    // MARK: - Packets

    /// MPEG-TS: packets of 188 bytes that start with 47, alone, after a time code of four bytes (M2TS) or before a checksum of 16. The
    /// file may start in the middle of a packet.
    private static func isTransportStream(_ head: FileHead) -> Bool {
        [188, 192, 204].contains { size in
            (0..<size).contains { start in
                var place = start
                var packets = 0
                // Each has a payload or an adaptation field, or both.
                while head[place] == 0x47, let flags = head[place + 3], flags & 0x30 != 0 {
                    packets += 1
                    place += size
                }
                return place + 3 >= head.count && packets >= (start == 0 || size == 192 && start == 4 ? 2 : 5)
            }
        }
    }

    // MARK: - Sound

    /// Frames of sound: the first, and the next where it is within the head.
    private static func audioFrames(_ head: FileHead) -> FileContent? {
        if head.has([0x0B, 0x77]), let rate = head[4], let version = head[5].map({ $0 >> 3 }) {
            if version <= 10, rate >> 6 != 3, rate & 0x3F < 38 { return .clip(.sound, "ac3") }
            if (11...16).contains(version) { return .clip(.sound, "eac3") }
        }
        if let length = adtsLength(head, 0), length >= head.count - 8 || adtsLength(head, length) != nil { return .clip(.sound, "aac") }
        if let length = mpegAudioLength(head, 0), length >= head.count - 4 || mpegAudioLength(head, length) != nil {
            return .clip(.sound, "mp3")
        }
        return nil
    }

    /// The length of the ADTS frame at `place` (ISO 13818-7); nil if none is there.
    private static func adtsLength(_ head: FileHead, _ place: Int) -> Int? {
        guard place + 6 <= head.count else { return nil }
        let bytes = head.bytes[place..<place + 6].map { Int($0) }
        guard bytes[0] == 0xFF, bytes[1] & 0xF6 == 0xF0, bytes[2] >> 2 & 0xF < 13 else { return nil }
        let length = (bytes[3] & 3) << 11 | bytes[4] << 3 | bytes[5] >> 5
        return length > 7 ? length : nil
    }

    /// The length of the frame of MPEG audio, layer II or III, at `place` (ISO 11172-3, 13818-3); nil if none is there.
    private static func mpegAudioLength(_ head: FileHead, _ place: Int) -> Int? {
        guard place + 3 <= head.count else { return nil }
        let bytes = head.bytes[place..<place + 3].map { Int($0) }
        // 0 = MPEG 2.5, 2 = MPEG 2, 3 = MPEG 1; layer: 1 = III, 2 = II.
        let (version, layer) = (bytes[1] >> 3 & 3, bytes[1] >> 1 & 3)
        let (rateIndex, frequency) = (bytes[2] >> 4, bytes[2] >> 2 & 3)
        guard bytes[0] == 0xFF, bytes[1] & 0xE0 == 0xE0, version != 1, layer == 1 || layer == 2, (1...14).contains(rateIndex), frequency < 3
        else { return nil }
        let kilobits =
            version == 3
            ? layer == 2
                ? [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384]
                : [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
            : [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
        let samplesPerSecond = [44_100, 48_000, 32_000][frequency] >> [2, 0, 1, 0][version]
        let samples = version != 3 && layer == 1 ? 576 : 1152
        return samples / 8 * kilobits[rateIndex - 1] * 1000 / samplesPerSecond + (bytes[2] >> 1 & 1)
    }
}
