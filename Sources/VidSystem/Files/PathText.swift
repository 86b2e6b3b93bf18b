/// Splits and joins paths byte by byte, because `Character`s may combine a slash with what follows it.
package enum PathText {
    /// `folder/name`.
    package static func join(_ folder: String, _ name: String) -> String {
        if folder.isEmpty { return name }
        return folder.utf8.last == slash ? folder + name : folder + "/" + name
    }

    /// The part after the last slash.
    package static func name(_ path: String) -> String {
        let bytes = withoutTrailingSlashes(path)
        return String(decoding: bytes[(bytes.lastIndex(of: slash).map { $0 + 1 } ?? 0)...], as: UTF8.self)
    }

    /// The folder that contains `path`; `.` for a bare name.
    package static func parent(_ path: String) -> String {
        let bytes = withoutTrailingSlashes(path)
        guard let last = bytes.lastIndex(of: slash) else { return "." }
        return last == 0 ? "/" : String(decoding: bytes[..<last], as: UTF8.self)
    }

    /// The file's name without its last extension.
    package static func stem(_ path: String) -> String {
        let name = name(path)
        guard let dot = extensionDot(name) else { return name }
        return String(decoding: Array(name.utf8)[..<dot], as: UTF8.self)
    }

    /// The last extension in lower case without its dot; empty if there is none.
    package static func fileExtension(_ path: String) -> String {
        let name = name(path)
        guard let dot = extensionDot(name) else { return "" }
        return String(decoding: Array(name.utf8)[(dot + 1)...], as: UTF8.self).lowercased()
    }

    /// Whether the name starts with a dot.
    package static func isHidden(_ path: String) -> Bool { name(path).utf8.first == UInt8(ascii: ".") }

    /// Compares bytes, for the same order in every locale.
    package static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    private static let slash = UInt8(ascii: "/")

    private static func withoutTrailingSlashes(_ path: String) -> [UInt8] {
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
        return bytes
    }

    /// The position of the extension's dot. A leading dot hides a file; it does not start an extension.
    private static func extensionDot(_ name: String) -> Int? {
        let bytes = Array(name.utf8)
        guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot > 0 else { return nil }
        return dot
    }
}
