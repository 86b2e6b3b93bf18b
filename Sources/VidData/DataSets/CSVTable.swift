import VidSystem
import VidTensor

/// A CSV file with a header, read as RFC 4180 says: fields in quotes may hold commas, line ends and doubled quotes.
///
/// Line ends are LF or CRLF, a byte order mark at the start and empty lines are passed over; anything else out of order is
/// an error with its line.
package struct CSVTable {
    package struct Record: Equatable {
        /// The line the record starts on, from 1.
        package var line: Int
        package var fields: [String]
    }

    package private(set) var header: [String]
    package private(set) var records: [Record]

    /// The most bytes of a table that are read.
    static let sizeLimit = 256 << 20
    /// The most columns of one: those of predictions.csv are as many as there are classes.
    static let mostColumns = 65_536

    /// - Throws: `.badData` with file and line for what is no such table.
    package init(path: String) throws {
        try self.init(try RegularFile.contents(path, limit: CSVTable.sizeLimit), path: path)
    }

    /// Reads `bytes`; errors name `path` and the line.
    package init(_ bytes: [UInt8], path: String) throws {
        var parser = Parser(bytes: bytes, path: path)
        var all = try parser.records()
        guard !all.isEmpty else { throw VidclassError.file(path, "the table is empty; expected a header `path,label[,split][,group]`") }
        header = all.removeFirst().fields
        records = all
    }

    /// Goes through the bytes once.
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
                // Now, and not when all is in memory: a table that is none is given up at its second line.
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

        /// One record and the line end after it.
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
            guard !bytes.contains(0) else { throw error("a NUL character", line: line) }
            guard let text = String(validating: bytes, as: UTF8.self) else { throw error("text that is not valid UTF-8", line: line) }
            return text
        }
    }
}
