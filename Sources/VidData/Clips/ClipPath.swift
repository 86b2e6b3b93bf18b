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
    package let end: Double
    package let unit: Unit

    package init(start: Double, end: Double, unit: Unit = .seconds) {
        (self.start, self.end, self.unit) = (start, end, unit)
    }

    /// `t=1.5,4` as in the Media Fragments URI recommendation of the W3C; for frames `frame=30,60`.
    package var text: String {
        (unit == .seconds ? "t=" : "frame=") + ClipSegment.text(start) + "," + ClipSegment.text(end)
    }

    /// The segment that `text` writes; nil if it writes none.
    package init?(_ text: some StringProtocol) {
        let unit: Unit
        let numbers: Substring
        if text.hasPrefix("t=") {
            (unit, numbers) = (.seconds, Substring(text.dropFirst(2)))
        } else if text.hasPrefix("frame=") {
            (unit, numbers) = (.frames, Substring(text.dropFirst(6)))
        } else {
            return nil
        }
        let parts = numbers.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = Double(parts[0]), let end = Double(parts[1]), start.isFinite, end.isFinite else { return nil }
        self.init(start: start, end: end, unit: unit)
    }

    /// The shortest decimal number that reads back as `value`.
    private static func text(_ value: Double) -> String {
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
        guard let mark = text.utf8.lastIndex(of: UInt8(ascii: "#")),
            let segment = ClipSegment(text[text.index(after: mark)...]), (try? SystemCall.status(text)) == nil
        else {
            self.init(file: text)
            return
        }
        self.init(file: String(text[..<mark]), segment: segment)
    }

    package var text: String { segment.map { "\(file)#\($0.text)" } ?? file }
}
