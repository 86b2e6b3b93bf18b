import VidSystem

/// A part of a clip: from `start` up to, but not including, `end`.
package struct ClipSegment: Sendable, Hashable {
    package enum Unit: Sendable, Hashable {
        /// Seconds from the first shown frame.
        case seconds
        /// Numbers of shown frames, from 0.
        case frames
    }

    package let start: Double
    /// Infinite for a segment that extends to the end of the clip.
    package let end: Double
    package let unit: Unit

    package init(start: Double, end: Double, unit: Unit = .seconds) {
        (self.start, self.end, self.unit) = (start, end, unit)
    }

    /// `t=1.5,4` as in the Media Fragments URI recommendation of the W3C; for frames `frame=30,60`.
    package var text: String {
        (unit == .seconds ? "t=" : "frame=") + ClipSegment.text(start) + (end.isFinite ? "," + ClipSegment.text(end) : "")
    }

    /// The segment that `text` writes; nil if it writes none. `t=10` extends to the end, `t=,10` starts at 0, and times may be written as
    /// `1:02:03.5`.
    package init?(_ text: some StringProtocol) {
        let unit: Unit
        let numbers: Substring
        if text.hasPrefix("t=") {
            (unit, numbers) = (.seconds, Substring(text.dropFirst(text.hasPrefix("t=npt:") ? 6 : 2)))
        } else if text.hasPrefix("frame=") {
            (unit, numbers) = (.frames, Substring(text.dropFirst(6)))
        } else {
            return nil
        }
        let parts = numbers.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.contains(where: { !$0.isEmpty }) else { return nil }
        guard let start = parts[0].isEmpty ? 0 : ClipSegment.value(String(parts[0]), unit),
            let end = parts.count < 2 ? .infinity : ClipSegment.value(String(parts[1]), unit)
        else { return nil }
        self.init(start: start, end: end, unit: unit)
    }

    /// The time or the number of a frame that `text` writes, in an address or a table; nil if it writes none.
    ///
    /// Times are `63.5`, `1:03.5` or `0:01:03.5`, with minutes and seconds below 60 after a colon, up to 10^9 seconds. Frames are whole
    /// numbers below 10^15, also as `30.0`. Neither is negative.
    static func value(_ text: String, _ unit: Unit) -> Double? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let last = parts.last.flatMap({ DecimalText.number(String($0)) }), last >= 0 else { return nil }
        guard unit == .seconds else { return parts.count == 1 && last == last.rounded() && last < 1e15 ? last + 0 : nil }
        guard parts.count <= 3, parts.count == 1 || last < 60 else { return nil }
        var total = 0.0
        for (place, part) in parts.dropLast().enumerated() {
            guard !part.isEmpty, part.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let value = Double(part),
                place == 0 || value < 60
            else { return nil }
            total = (total + value) * 60
        }
        return total + last <= 1e9 ? total + last : nil
    }

    /// The shortest decimal number that reads back as `value`.
    static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
    }
}

/// The address of a clip: a file or a folder of pictures, or a part of one, as `video.mp4#t=1.5,4`.
package struct ClipPath: Sendable, Hashable {
    /// The file, or the folder of pictures.
    package let file: String
    /// Nil for the whole.
    package let segment: ClipSegment?

    package init(file: String, segment: ClipSegment? = nil) {
        (self.file, self.segment) = (file, segment)
    }

    /// Reads an address. A file whose whole name looks like one with a segment is that file.
    package init(_ text: String) {
        guard ClipPath.mayHaveSegment(text), let mark = text.utf8.lastIndex(of: UInt8(ascii: "#")),
            let segment = ClipSegment(text[text.index(after: mark)...]), !SystemCall.exists(text)
        else {
            self.init(file: text)
            return
        }
        self.init(file: String(text[..<mark]), segment: segment)
    }

    /// False for most addresses, quickly.
    static func mayHaveSegment(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { bytes in
            bytes.baseAddress.map { memchr($0, Int32(UInt8(ascii: "#")), bytes.count) != nil } ?? false
        } ?? true
    }

    /// Reads the address of a clip. Throws `.badData` if its file is there, but what follows `#` is no segment.
    package init(checking text: String) throws {
        self.init(text)
        if segment == nil, let message = ClipPath.fault(of: text, isThere: SystemCall.exists) {
            throw VidclassError.file(text.brief, message)
        }
    }

    /// Why `text` names no part of a file although one is there; nil if none is, or if all of `text` is a file's name.
    static func fault(of text: String, isThere: (String) -> Bool) -> String? {
        guard let mark = text.utf8.lastIndex(of: UInt8(ascii: "#")), !isThere(text), isThere(String(text[..<mark])) else { return nil }
        return
            "the file is there, but `\(String(text[mark...]).brief)` is no segment; expected #t=START,END in seconds, or #frame=START,END"
    }

    /// The same with the file's absolute path without symbolic links.
    package var resolved: ClipPath { ClipPath(file: Folder.resolved(file), segment: segment) }

    package var text: String { segment.map { "\(file)#\($0.text)" } ?? file }

    /// The file's name without its extension, and with the segment in it: `video-t1.5-4`.
    package var stem: String {
        guard let segment else { return PathText.stem(file) }
        return PathText.stem(file) + "-" + segment.text.replacing("=", with: "").replacing(",", with: "-")
    }

    /// The file of the clip at the address `path`.
    package static func file(_ path: String) -> String { ClipPath(path).file }
}
