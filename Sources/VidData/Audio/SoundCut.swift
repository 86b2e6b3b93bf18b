import VidSystem

/// Detects truncated sound files that FFmpeg would play without an error, as if they ended there.
enum SoundCut {
    /// The evidence that `file` is cut off; nil if there is none.
    static func complaint(_ file: RegularFile) throws -> String? {
        guard file.size >= 12 else { return nil }
        let head = try file.bytes(at: 0, count: 12)
        if head[0..<4].elementsEqual("RIFF".utf8), head[8..<12].elementsEqual("WAVE".utf8) { return try wave(file) }
        if head[0..<4].elementsEqual("OggS".utf8) { return try ogg(file) }
        return nil
    }

    /// Checks a WAV file's chunks: 4 bytes name, 4 bytes length, the bytes, and a padding byte if their number is odd. A program
    /// that writes to a pipe does not know the length and writes 0 or the largest number instead.
    private static func wave(_ file: RegularFile) throws -> String? {
        var offset = 12
        for _ in 0..<1024 where offset + 8 <= file.size {
            let chunk = try file.bytes(at: offset, count: 8)
            let length = chunk[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
            offset += 8
            if chunk[0..<4].elementsEqual("data".utf8) {
                guard length < 0x7FFF_0000, length > file.size - offset else { return nil }
                return "its header lists \(length) bytes of sound, found \(file.size - offset)"
            }
            offset += length + length % 2
        }
        return nil
    }

    /// Checks the last page of an Ogg file (RFC 3533): 27 bytes, the last of which is the number of segments, their lengths, then
    /// the segments.
    private static func ogg(_ file: RegularFile) throws -> String? {
        let largestPage = 27 + 255 + 255 * 255
        let start = max(0, file.size - largestPage)
        let tail = try file.bytes(at: start, count: file.size - start)
        for place in stride(from: tail.count - 4, through: 0, by: -1) where tail[place] == UInt8(ascii: "O") {
            guard tail[place..<place + 4].elementsEqual("OggS".utf8) else { continue }
            guard place + 27 <= tail.count, place + 27 + Int(tail[place + 26]) <= tail.count else {
                return "it ends in the middle of a page"
            }
            let segments = tail[place + 27..<place + 27 + Int(tail[place + 26])]
            let end = place + 27 + segments.count + segments.reduce(0) { $0 + Int($1) }
            return end > tail.count ? "it ends in the middle of a page" : nil
        }
        return nil
    }
}
