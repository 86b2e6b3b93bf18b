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
        return String(Substring(bytes[(bytes.lastIndex(of: slash).map { bytes.index(after: $0) } ?? bytes.startIndex)...]))
    }

    /// The folder that contains `path`; `.` for a bare name.
    package static func parent(_ path: String) -> String {
        let bytes = withoutTrailingSlashes(path)
        guard let last = bytes.lastIndex(of: slash) else { return "." }
        return last == bytes.startIndex ? "/" : String(Substring(bytes[..<last]))
    }

    /// The file's name without its last extension.
    package static func stem(_ path: String) -> String {
        let name = name(path)
        guard let dot = extensionDot(name) else { return name }
        return String(name[..<dot])
    }

    /// The last extension in lower case without its dot; empty if there is none.
    package static func fileExtension(_ path: String) -> String {
        let name = name(path)
        guard let dot = extensionDot(name) else { return "" }
        return String(name[name.utf8.index(after: dot)...]).lowercased()
    }

    /// Whether the name starts with a dot.
    package static func isHidden(_ path: String) -> Bool { name(path).utf8.first == UInt8(ascii: ".") }

    /// Compares bytes, for the same order in every locale.
    package static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    private static let slash = UInt8(ascii: "/")

    private static func withoutTrailingSlashes(_ path: String) -> Substring.UTF8View {
        var bytes = path[...].utf8
        while bytes.last == slash, bytes.index(after: bytes.startIndex) < bytes.endIndex { bytes.removeLast() }
        return bytes
    }

    /// The position of the extension's dot. A leading dot hides a file; it does not start an extension.
    private static func extensionDot(_ name: String) -> String.Index? {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return nil }
        return dot
    }
}
