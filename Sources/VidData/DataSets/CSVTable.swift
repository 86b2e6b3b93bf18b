import VidSystem

/// A CSV file with a header as RFC 4180 defines it: quoted fields may contain commas, line ends and doubled quotes.
///
/// Line ends are LF or CRLF. A byte order mark at the start and empty lines are skipped. A `'` that keeps spreadsheets from running
/// a cell as a formula (`CSVText.cell`) is removed. Anything else that is invalid is an error with its line.
package struct CSVTable {
    package struct Record: Equatable {
        /// The line on which the record starts, from 1.
        package var line: Int
        package var fields: [String]

        /// An error in this record of the table at `path`.
        func error(_ message: String, _ path: String, kind: VidclassError.Kind = .badData) -> VidclassError {
            .file(path, "line \(line): \(message)", kind: kind)
        }
    }

    package private(set) var header: [String]
    package private(set) var records: [Record]

    /// The largest size of a table in bytes.
    static let sizeLimit = 256 << 20
    /// The largest number of columns; predictions.csv has as many as there are classes.
    static let mostColumns = 65_536

    /// Reads the table at `path`. Throws `.badData` with file and line if it is invalid.
    package init(path: String) throws {
        try self.init(try RegularFile.contents(path, limit: CSVTable.sizeLimit), path: path)
    }

    /// Parses `bytes`; errors name `path` and the line.
    package init(_ bytes: [UInt8], path: String) throws {
        var parser = Parser(bytes: bytes, path: path)
        var all = try parser.records()
        guard !all.isEmpty else { throw VidclassError.file(path, "the table is empty; expected a header `path,label[,split][,group]`") }
        header = all.removeFirst().fields
        records = all
    }

    /// Parses the bytes in one pass.
    private struct Parser {
        let bytes: [UInt8]
        let path: String
        var at = 0
        var line = 1

        private static let quote = UInt8(ascii: "\"")
        private static let comma = UInt8(ascii: ",")
        private static let newline = UInt8(ascii: "\n")
        private static let carriageReturn = UInt8(ascii: "\r")

        mutating func records() throws -> [Record] {
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
            var records: [Record] = []
            while at < bytes.count {
                let record = try record()
                guard record.fields != [""] else { continue }
                // Checked here so that a file that is not a table is rejected at its second line, before all is in memory.
                if let header = records.first, record.fields.count != header.fields.count {
                    throw error(
                        "expected \(header.fields.count) fields as in the header, found \(record.fields.count)", line: record.line)
                }
                records.append(record)
            }
            return records
        }

        private func error(_ message: String, line: Int? = nil) -> VidclassError {
            .file(path, "line \(line ?? self.line): \(message)")
        }

        /// Parses one record and the line end after it.
        private mutating func record() throws -> Record {
            let start = line
            var fields: [String] = []
            while true {
                guard fields.count < CSVTable.mostColumns else {
                    throw error("more than \(CSVTable.mostColumns) fields", line: start)
                }
                fields.append(at < bytes.count && bytes[at] == Parser.quote ? try quoted() : try plain())
                guard at < bytes.count else { break }
                if bytes[at] == Parser.comma {
                    at += 1
                    continue
                }
                if bytes[at] == Parser.carriageReturn { at += 1 }
                at += 1
                line += 1
                break
            }
            return Record(line: start, fields: fields)
        }

        private mutating func plain() throws -> String {
            let start = at
            while at < bytes.count, bytes[at] != Parser.comma, !isLineEnd {
                if bytes[at] == Parser.quote { throw error("a quote within a field that does not start with one") }
                if bytes[at] == Parser.carriageReturn { throw error("a carriage return without a line feed") }
                at += 1
            }
            return try text(bytes[start..<at], line: line)
        }

        private var isLineEnd: Bool {
            bytes[at] == Parser.newline
                || bytes[at] == Parser.carriageReturn && at + 1 < bytes.count && bytes[at + 1] == Parser.newline
        }

        private mutating func quoted() throws -> String {
            let start = line
            var content: [UInt8] = []
            at += 1
            while true {
                guard at < bytes.count else { throw error("a quoted field without its closing quote", line: start) }
                let byte = bytes[at]
                at += 1
                if byte == Parser.quote {
                    guard at < bytes.count, bytes[at] == Parser.quote else { break }
                    at += 1
                }
                if byte == Parser.newline { line += 1 }
                content.append(byte)
            }
            guard at == bytes.count || bytes[at] == Parser.comma || isLineEnd else { throw error("text after a closing quote") }
            return try text(content[...], line: start)
        }

        private func text(_ bytes: ArraySlice<UInt8>, line: Int) throws -> String {
            // guard: no-nul-in-table
            guard !bytes.contains(0) else { throw error("a NUL character", line: line) }
            guard let text = String(validating: bytes, as: UTF8.self) else { throw error("text that is not valid UTF-8", line: line) }
            return CSVText.text(ofCell: text)
        }
    }
}
