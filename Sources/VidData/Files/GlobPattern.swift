import VidSystem
import VidTensor

/// A file name pattern as shells have it, for patterns that no shell expanded: `*`, `?` and `[...]` within a name
/// (by Unicode's scalars, in every locale), `**` for any number of folders, none included. Names with a leading dot are matched only by a pattern with
/// one, and `**` does not go into them.
package struct GlobPattern: Sendable {
    private let isAbsolute: Bool
    private let parts: [String]

    /// Nil for a text without `*`, `?` and `[`, which is a name.
    package init?(_ text: String) {
        guard text.utf8.contains(where: { "*?[".utf8.contains($0) }) else { return nil }
        isAbsolute = text.utf8.first == UInt8(ascii: "/")
        parts = text.split(separator: "/").map(String.init)
    }

    /// The paths that match, in the order of their bytes, each once. Folders that cannot be listed match nothing.
    package func paths() -> [String] {
        var found: [String] = []
        match(parts[...], below: isAbsolute ? "/" : "", depth: 0, &found)
        var last: String?
        return found.sorted(by: PathText.precedes).filter { path in
            defer { last = path }
            return path != last
        }
    }

    /// As deep as a walk through a data set goes: links in circles end there.
    private static let deepest = 64

    private func match(_ parts: ArraySlice<String>, below folder: String, depth: Int, _ found: inout [String]) {
        guard let part = parts.first, depth <= GlobPattern.deepest else { return }
        let rest = parts.dropFirst()
        if part == "**" {
            match(rest.isEmpty ? ["*"] : rest, below: folder, depth: depth, &found)
            for name in names(folder) where !PathText.isHidden(name) && isFolder(PathText.join(folder, name), followingLink: false) {
                match(parts, below: PathText.join(folder, name), depth: depth + 1, &found)
            }
            return
        }
        for name in GlobPattern(part) == nil ? [part] : names(folder).filter({ GlobPattern.matches(part, $0) }) {
            let path = PathText.join(folder, name)
            if rest.isEmpty {
                if (try? SystemCall.status(path, followingLink: false)) != nil { found.append(path) }
            } else if isFolder(path, followingLink: true) {
                match(rest, below: path, depth: depth + 1, &found)
            }
        }
    }

    private func names(_ folder: String) -> [String] { (try? Folder.names(folder.isEmpty ? "." : folder).names) ?? [] }

    private func isFolder(_ path: String, followingLink: Bool) -> Bool {
        (try? SystemCall.status(path, followingLink: followingLink))?.kind == .folder
    }

    /// Whether `name` is what `pattern` says; a leading dot must stand in the pattern.
    private static func matches(_ pattern: String, _ name: String) -> Bool {
        if PathText.isHidden(name), !PathText.isHidden(pattern) { return false }
        let (pattern, name) = (Array(pattern.unicodeScalars), Array(name.unicodeScalars))
        var (p, n) = (0, 0)
        // Where the last "*" stood, and what it has been taken to match up to: it takes one more when what follows fails.
        var star: (next: Int, taken: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p + 1, n)
                p += 1
            } else if p < pattern.count, let next = one(pattern, p, name[n]) {
                (p, n) = (next, n + 1)
            } else if let last = star {
                star = (last.next, last.taken + 1)
                (p, n) = (last.next, last.taken + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }

    /// Where the pattern goes on after what matches `scalar` at `place`; nil where nothing does.
    private static func one(_ pattern: [Unicode.Scalar], _ place: Int, _ scalar: Unicode.Scalar) -> Int? {
        switch pattern[place] {
        case "?": return place + 1
        case "[":
            let isNegated = place + 1 < pattern.count && (pattern[place + 1] == "!" || pattern[place + 1] == "^")
            let first = place + (isNegated ? 2 : 1)
            // A "]" that stands first is one of the set; a "[" that is never closed is itself.
            guard first < pattern.count, let end = pattern[(first + 1)...].firstIndex(of: "]") else {
                return scalar == "[" ? place + 1 : nil
            }
            var isIn = false
            var at = first
            while at < end {
                if at + 2 < end, pattern[at + 1] == "-" {
                    isIn = isIn || (pattern[at].value <= scalar.value && scalar.value <= pattern[at + 2].value)
                    at += 3
                } else {
                    isIn = isIn || pattern[at] == scalar
                    at += 1
                }
            }
            return isIn != isNegated ? end + 1 : nil
        case let other: return other == scalar ? place + 1 : nil
        }
    }
}
