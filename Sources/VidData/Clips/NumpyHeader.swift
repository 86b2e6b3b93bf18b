import VidSystem
import VidTensor

/// The dictionary in the header of NumPy's `.npy` format (NEP 1), which has exactly the keys `descr`, `fortran_order` and `shape`.
struct NumpyHeader: Equatable {
    /// NumPy's name of the type, such as `|u1`.
    var descriptor: String
    var isFortranOrder: Bool
    var shape: [Int]

    /// Parses the dictionary; errors name `path`.
    init(dictionary bytes: [UInt8], path: String) throws {
        var scanner = Scanner(bytes: bytes, path: path)
        try scanner.expect("{")
        var descriptor: String?
        var isFortranOrder: Bool?
        var shape: [Int]?
        while !scanner.take("}") {
            let key = try scanner.string()
            try scanner.expect(":")
            switch key {
            case "descr" where descriptor == nil:
                guard !scanner.isAt("[") else {
                    throw VidclassError.file(path, "expected uint8 or float32 values, found a structured array (records with fields)")
                }
                descriptor = try scanner.string()
            case "fortran_order" where isFortranOrder == nil: isFortranOrder = try scanner.bool()
            case "shape" where shape == nil: shape = try scanner.tuple()
            case "descr", "fortran_order", "shape": throw scanner.error("the key '\(key)' appears twice")
            default: throw scanner.error("unknown key '\(key.brief)'")
            }
            if !scanner.take(",") {
                try scanner.expect("}")
                break
            }
        }
        try scanner.expectEnd()
        guard let descriptor, let isFortranOrder, let shape else {
            throw VidclassError.file(path, "its npy header must have 'descr', 'fortran_order' and 'shape'")
        }
        self.descriptor = descriptor
        self.isFortranOrder = isFortranOrder
        self.shape = shape
    }

    /// Scans the few kinds of Python literals that the header may contain.
    private struct Scanner {
        let bytes: [UInt8]
        let path: String
        var at = 0

        func error(_ fault: String) -> VidclassError {
            .file(path, "invalid npy header: \(fault) (character \(at) of its dictionary)")
        }

        mutating func skipSpaces() {
            while at < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[at]) { at += 1 }
        }

        mutating func isAt(_ character: Unicode.Scalar) -> Bool {
            skipSpaces()
            return at < bytes.count && bytes[at] == UInt8(ascii: character)
        }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard isAt(character) else { return false }
            at += 1
            return true
        }

        mutating func expect(_ character: Unicode.Scalar) throws {
            guard take(character) else { throw error("expected '\(character)', found \(found)") }
        }

        mutating func expectEnd() throws {
            skipSpaces()
            guard at == bytes.count else { throw error("expected its end, found \(found)") }
        }

        var found: String {
            at < bytes.count ? "'" + String(decoding: [bytes[at]], as: UTF8.self).printable + "'" : "its end"
        }

        mutating func string() throws -> String {
            skipSpaces()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "'") || bytes[at] == UInt8(ascii: "\"") else {
                throw error("expected a quoted string, found \(found)")
            }
            let quote = bytes[at]
            guard let end = bytes[(at + 1)...].firstIndex(of: quote) else { throw error("a quoted string is not terminated") }
            let text = bytes[(at + 1)..<end]
            guard text.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
                throw error("a quoted string contains characters that are not plain ASCII")
            }
            at = end + 1
            return String(decoding: text, as: UTF8.self)
        }

        mutating func bool() throws -> Bool {
            skipSpaces()
            for (word, value) in [("True", true), ("False", false)] where bytes[at...].starts(with: word.utf8) {
                at += word.utf8.count
                return value
            }
            throw error("expected True or False, found \(found)")
        }

        /// `(16, 3, 64, 64)`, or `(16,)`.
        mutating func tuple() throws -> [Int] {
            try expect("(")
            var values: [Int] = []
            while !take(")") {
                values.append(try integer())
                if !take(",") {
                    try expect(")")
                    break
                }
            }
            return values
        }

        mutating func integer() throws -> Int {
            skipSpaces()
            let digits = bytes[at...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard !digits.isEmpty else { throw error("expected a whole number of 0 or more, found \(found)") }
            guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { throw error("a number has a leading zero") }
            guard let value = Int(String(decoding: digits, as: UTF8.self)) else { throw error("a number is over 2^63") }
            at += digits.count
            return value
        }
    }
}
