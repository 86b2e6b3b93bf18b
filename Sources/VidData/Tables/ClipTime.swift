import VidSystem

/// Times and frame numbers in tables.
enum ClipTime {
    /// Seconds: `12.5`, `1:02.5` or `01:02:03.250`; also with a decimal comma. Nil for other text.
    static func seconds(_ text: String) -> Double? {
        let text = text.replacing(",", with: ".")
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        // Minutes and seconds after hours are below 60.
        guard !parts.contains(where: { $0.hasPrefix("-") }), parts.dropFirst().allSatisfy({ (Double($0) ?? 60) < 60 }) else { return nil }
        return ClipSegment.seconds(text[...])
    }

    /// The number of a frame, from 0, which spreadsheets may write as `30.0`. Nil for other text.
    static func frame(_ text: String) -> Double? {
        guard let number = DecimalText.number(text), number >= 0, number == number.rounded(), number < 1e15 else { return nil }
        return number
    }

    /// The part of a clip between the times, or numbers of frames, in two cells of `record`, of the table at `table`.
    static func segment(
        _ start: String, _ end: String, _ unit: ClipSegment.Unit, _ record: CSVTable.Record, _ table: String
    ) throws -> ClipSegment {
        func value(_ text: String, _ name: String) throws -> Double {
            let text = TableHeader.trimmed(text)
            guard let value = unit == .seconds ? seconds(text) : frame(text) else {
                let expected = unit == .seconds ? "seconds or HH:MM:SS.mmm" : "the number of a frame, from 0"
                throw record.error("\(name): expected \(expected), found \"\(text.brief)\"", table)
            }
            return value
        }
        let segment = ClipSegment(start: try value(start, "start"), end: try value(end, "end"), unit: unit)
        guard segment.start <= segment.end else {
            throw record.error("the end, \(end.brief), is before the start, \(start.brief)", table)
        }
        return segment
    }

    /// Whether the cell has no value, also as pandas and R write it.
    static func isMissing(_ text: String) -> Bool { ["", "na", "nan", "none", "null"].contains(TableHeader.trimmed(text).lowercased()) }
}
