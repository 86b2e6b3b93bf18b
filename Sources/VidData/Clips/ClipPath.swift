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
        let number = unit == .seconds ? ClipSegment.seconds : ClipSegment.number
        guard let start = parts[0].isEmpty ? 0 : number(parts[0]),
            let end = parts.count < 2 ? .infinity : number(parts[1])
        else { return nil }
        self.init(start: start, end: end, unit: unit)
    }

    /// The seconds that `text` writes as `63.5`, `1:03.5` or `0:01:03.5`; nil if it writes none.
    package static func seconds(_ text: Substring) -> Double? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 3, let last = number(parts[parts.count - 1]) else { return nil }
        var total = 0.0
        for part in parts.dropLast() {
            guard let value = Int(part), value >= 0, last >= 0 else { return nil }
            total = (total + Double(value)) * 60
        }
        return total + last
    }

    /// A finite decimal number.
    private static func number(_ text: Substring) -> Double? { DecimalText.number(String(text)) }

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
