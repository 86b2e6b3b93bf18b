import VidSystem

/// A CSV file with a header as RFC 4180 defines it: quoted fields may contain commas, line ends and doubled quotes. Tables that people
/// bring may have another delimiter and lines before the header.
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
    /// The records before the header.
    let preamble: [Record]
    /// The line of the header.
    let headerLine: Int

    /// The largest size of a table in bytes.
    static let sizeLimit = 256 << 20
    /// Bytes of memory for each byte of a table of short fields, measured on a million lines of `splits.csv`, which take 2 s to parse.
    private static let memoryPerByte = 22
    static let comma = UInt8(ascii: ",")
    /// The largest number of columns; predictions.csv has as many as there are classes.
    static let mostColumns = 65_536

    /// Reads the table at `path`. Throws `.badData` with file and line if it is invalid.
    package init(path: String) throws { try self.init(try CSVTable.contents(path), path: path) }

    /// Parses `bytes`; errors name `path` and the line.
    package init(_ bytes: [UInt8], path: String) throws {
        guard let table = try CSVTable(bytes, path: path, isHeader: { _ in true }) else {
            throw VidclassError.file(path, "the table is empty; expected a header `path,label[,split][,group]`")
        }
        self = table
    }

    /// Parses `bytes`, whose header is the first record for which `isHeader` is true; nil if there is none among the first records.
    /// Records without any text, which spreadsheets write below a table, are skipped if `skipsBlank`.
    init?(_ bytes: [UInt8], path: String, delimiter: UInt8 = comma, skipsBlank: Bool = false, isHeader: ([String]) -> Bool) throws {
        var parser = Parser(bytes: bytes, path: path, delimiter: delimiter)
        var preamble: [Record] = []
        while let record = try parser.next() {
            guard isHeader(record.fields) else {
                preamble.append(record)
                guard preamble.count < CSVTable.longestPreamble else { return nil }
                continue
            }
            (header, headerLine, self.preamble) = (record.fields, record.line, preamble)
            records = []
            while let record = try parser.next() {
                if skipsBlank, record.fields.allSatisfy(\.isEmpty) { continue }
                // Checked here so that a file that is not a table is rejected at its second line, before all is in memory.
                guard record.fields.count == header.count else {
                    throw VidclassError.file(
                        path, "line \(record.line): expected \(header.count) fields as in the header, found \(record.fields.count)")
                }
                records.append(record)
            }
            return
        }
        return nil
    }

    /// The records before a header that are looked at.
    private static let longestPreamble = 1000

    /// The bytes of the table at `path`, if it is not too large.
    static func contents(_ path: String) throws -> [UInt8] {
        let bytes = try RegularFile.contents(path, limit: CSVTable.sizeLimit)
        try MemoryBudget.checkLoading(bytes.count * CSVTable.memoryPerByte, of: path, remedy: "Divide the table.")
        return bytes
    }

    /// The first record of `bytes`; nil if there is none.
    static func firstRecord(_ bytes: [UInt8], path: String) throws -> Record? {
        var parser = Parser(bytes: bytes, path: path, delimiter: comma)
        return try parser.next()
    }

    /// Whether one of the first records of `bytes`, up to the first that is invalid, is a header.
    static func hasHeader(_ bytes: [UInt8], delimiter: UInt8, among most: Int, _ isHeader: ([String]) -> Bool) -> Bool {
        var parser = Parser(bytes: bytes, path: "", delimiter: delimiter)
        for _ in 0..<most {
            guard let record = try? parser.next() else { return false }
            if isHeader(record.fields) { return true }
        }
        return false
    }

    /// Parses the bytes in one pass.
    private struct Parser {
        private let bytes: [UInt8]
        private let path: String
        private let delimiter: UInt8
        private var at: Int
        private var line = 1
        /// The number of fields in the record before.
        private var width = 1

        private static let quote = UInt8(ascii: "\"")
        private static let newline = UInt8(ascii: "\n")
        private static let carriageReturn = UInt8(ascii: "\r")

        init(bytes: [UInt8], path: String, delimiter: UInt8) {
            (self.bytes, self.path, self.delimiter) = (bytes, path, delimiter)
            at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        }

        /// The next record that is not an empty line; nil at the end.
        mutating func next() throws -> Record? {
            while at < bytes.count {
                let record = try record()
                if record.fields != [""] { return record }
            }
            return nil
        }

        private func error(_ message: String, line: Int? = nil) -> VidclassError {
            .file(path, "line \(line ?? self.line): \(message)")
        }

        /// Parses one record and the line end after it.
        private mutating func record() throws -> Record {
            let start = line
            var fields: [String] = []
            fields.reserveCapacity(width)
            while true {
                guard fields.count < CSVTable.mostColumns else {
                    throw error("more than \(CSVTable.mostColumns) fields", line: start)
                }
                fields.append(at < bytes.count && bytes[at] == Parser.quote ? try quoted() : try plain())
                guard at < bytes.count else { break }
                if bytes[at] == delimiter {
                    at += 1
                    continue
                }
                if bytes[at] == Parser.carriageReturn { at += 1 }
                at += 1
                line += 1
                break
            }
            width = fields.count
            return Record(line: start, fields: fields)
        }

        private mutating func plain() throws -> String {
            let start = at
            while at < bytes.count, bytes[at] != delimiter, !isLineEnd {
                if bytes[at] == Parser.quote { throw error("a quote within a field that does not start with one") }
                if bytes[at] == Parser.carriageReturn { throw strayReturn }
                at += 1
            }
            return try text(bytes[start..<at], line: line)
        }

        /// The error for a carriage return that ends no line.
        private var strayReturn: VidclassError {
            var error = error("a carriage return without a line feed")
            if !bytes.contains(Parser.newline) {
                error.advice = [
                    "The file has the line ends of old Macs. Save it with those of Unix or Windows, in a spreadsheet as \"CSV UTF-8\"."
                ]
            }
            return error
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
            guard at == bytes.count || bytes[at] == delimiter || isLineEnd else { throw error("text after a closing quote") }
            return try text(content[...], line: start)
        }

        private func text(_ bytes: ArraySlice<UInt8>, line: Int) throws -> String {
            // guard: no-nul-in-table
            guard !bytes.contains(0) else { throw error("a NUL character", line: line) }
            guard let text = bytes.withUnsafeBytes({ String(utf8: $0) }) else { throw error("text that is not valid UTF-8", line: line) }
            return CSVText.text(ofCell: text)
        }
    }
}
