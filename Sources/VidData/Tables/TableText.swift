import VidSystem

/// The text of a table that people bring: UTF-8, or UTF-16 with a byte order mark.
enum TableText {
    /// The table at `path` as UTF-8. Throws `.badData` if it is too large, if it is another kind of file, or for invalid text, with the line.
    static func read(_ path: String) throws -> [UInt8] {
        let bytes = try CSVTable.contents(path)
        try checkContent(bytes, path)
        if bytes.starts(with: [0xFF, 0xFE]) { return try utf8(bytes.dropFirst(2), isBigEndian: false, path) }
        if bytes.starts(with: [0xFE, 0xFF]) { return try utf8(bytes.dropFirst(2), isBigEndian: true, path) }
        try checkText(bytes, path)
        return bytes
    }

    /// Refuses a file that is no text by its first bytes, such as a workbook or a web page.
    private static func checkContent(_ bytes: [UInt8], _ path: String) throws {
        switch FileContent(head: Array(bytes.prefix(FileContent.headSize))) {
        case .unrelated("an archive"):
            throw VidclassError.file(
                path, "not a table but an archive",
                advice: ["If it is a workbook of a spreadsheet, save the sheet as CSV. If it is an archive, unpack it."])
        case .substitute(let kind, let advice): throw VidclassError.file(path, "not a table but \(kind); \(advice)")
        case .picture(let kind): throw VidclassError.file(path, "not a table but a picture (\(kind))")
        case .unrelated(let kind) where kind != "a text file": throw VidclassError.file(path, "not a table but \(kind)")
        default: break
        }
    }

    /// Throws if `bytes` are not UTF-8 or contain a NUL character.
    private static func checkText(_ bytes: [UInt8], _ path: String) throws {
        if bytes.count > 1, (bytes[0] == 0) != (bytes[1] == 0) {
            throw VidclassError.file(path, "line 1: a NUL character: UTF-16 without a byte order mark?", advice: [asUTF8])
        }
        guard String(validating: bytes, as: UTF8.self) == nil || bytes.contains(0) else { return }
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if line.contains(0) { throw VidclassError.file(path, "line \(number + 1): a NUL character") }
            guard String(validating: line, as: UTF8.self) == nil else { continue }
            throw VidclassError.file(path, "line \(number + 1): text that is not valid UTF-8", advice: [asUTF8])
        }
    }

    private static let asUTF8 = "Save the table as UTF-8. Spreadsheets call that \"CSV UTF-8\"."

    /// The UTF-16 code units in `bytes` as UTF-8.
    private static func utf8(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool, _ path: String) throws -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var line = 1
        var high: UInt32?
        func invalid(_ what: String) -> VidclassError { .file(path, "line \(line): \(what)", advice: [asUTF8]) }
        for place in stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2) {
            let (first, second) = (UInt32(bytes[place]), UInt32(bytes[place + 1]))
            let unit = isBigEndian ? first << 8 | second : second << 8 | first
            let code: UInt32
            switch unit {
            case 0xD800..<0xDC00 where high == nil:
                high = unit
                continue
            case 0xDC00..<0xE000 where high != nil: code = 0x10000 + ((high ?? 0) - 0xD800) << 10 + (unit - 0xDC00)
            default: code = unit
            }
            guard high == nil || code > 0xFFFF, let scalar = Unicode.Scalar(code) else { throw invalid("text that is not valid UTF-16") }
            guard code != 0 else { throw invalid("a NUL character") }
            high = nil
            if code == 0x0A { line += 1 }
            text += UTF8.encode(scalar).map(Array.init) ?? []
        }
        guard high == nil, bytes.count.isMultiple(of: 2) else { throw invalid("the UTF-16 text is cut off within a character") }
        return text
    }
}
