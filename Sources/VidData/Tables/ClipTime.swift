import VidSystem

/// Times and frame numbers in tables.
enum ClipTime {
    /// Seconds: `12.5`, `1:02.5` or `01:02:03.250`; also with a decimal comma. Nil for other text.
    static func seconds(_ text: String) -> Double? {
        ClipSegment.value(text.replacing(",", with: "."), .seconds)
    }

    /// The time, or the number of a frame, in a cell of `record`, of the table at `table`; `name` is its column's.
    static func value(
        _ text: String, _ name: String, _ unit: ClipSegment.Unit, _ record: CSVTable.Record, _ table: String
    ) throws -> Double {
        let text = TableHeader.trimmed(text)
        guard let value = unit == .seconds ? seconds(text) : ClipSegment.value(text, unit) else {
            let expected = unit == .seconds ? "seconds (at most 10^9) or HH:MM:SS.mmm" : "the number of a frame, from 0 to below 10^15"
            throw record.error("\(name): expected \(expected), found \"\(text.brief)\"", table)
        }
        return value
    }

    /// The part of a clip between the times, or numbers of frames, in two cells of `record`, of the table at `table`.
    ///
    /// - Parameter names: the names of their columns.
    static func segment(
        _ start: String, _ end: String, names: (String, String), _ unit: ClipSegment.Unit,
        _ record: CSVTable.Record, _ table: String
    ) throws -> ClipSegment {
        let segment = ClipSegment(
            start: try value(start, names.0, unit, record, table), end: try value(end, names.1, unit, record, table), unit: unit)
        return try checked(segment, record, table)
    }

    /// The segment of `record`. Throws if its end is before its start.
    static func checked(_ segment: ClipSegment, _ record: CSVTable.Record, _ table: String) throws -> ClipSegment {
        guard segment.start <= segment.end else {
            throw record.error("the end, \(ClipSegment.text(segment.end)), is before the start, \(ClipSegment.text(segment.start))", table)
        }
        return segment
    }

    /// Whether the cell has no value, also as pandas and R write it.
    static func isMissing(_ text: String) -> Bool { ["", "na", "nan", "none", "null"].contains(TableHeader.trimmed(text).lowercased()) }
}
