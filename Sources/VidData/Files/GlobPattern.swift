import VidSystem

/// A shell pattern of file names, for patterns that no shell expanded: `*`, `?` and `[...]` within a name (by Unicode scalars, in
/// every locale) and `**` for any number of folders, including none. Only a pattern with a leading dot matches names with one, and
/// `**` does not descend into hidden folders.
package struct GlobPattern: Sendable {
    private let isAbsolute: Bool
    private let components: [String]

    /// Nil for a text without `*`, `?` or `[`.
    package init?(_ text: String) {
        guard text.utf8.contains(where: { "*?[".utf8.contains($0) }) else { return nil }
        isAbsolute = text.utf8.first == UInt8(ascii: "/")
        components = text.split(separator: "/").map(String.init)
    }

    /// The matching paths, sorted by their bytes, each once. Folders that cannot be listed match nothing.
    package func paths() -> [String] {
        var found: [String] = []
        match(components[...], below: isAbsolute ? "/" : "", depth: 0, &found)
        var last: String?
        return found.sorted(by: PathText.precedes).filter { path in
            defer { last = path }
            return path != last
        }
    }

    /// The same depth as `FolderWalk` allows: circles of links end there.
    private static let deepest = 64

    private func match(_ components: ArraySlice<String>, below folder: String, depth: Int, _ found: inout [String]) {
        guard let component = components.first, depth <= GlobPattern.deepest else { return }
        let rest = components.dropFirst()
        if component == "**" {
            match(rest.isEmpty ? ["*"] : rest, below: folder, depth: depth, &found)
            for name in names(folder) where !PathText.isHidden(name) && isFolder(PathText.join(folder, name), followingLink: false) {
                match(components, below: PathText.join(folder, name), depth: depth + 1, &found)
            }
            return
        }
        for name in GlobPattern(component) == nil ? [component] : names(folder).filter({ GlobPattern.matches(component, $0) }) {
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

    /// Returns whether `name` matches `pattern`. Only a pattern with a leading dot matches a name with one.
    private static func matches(_ pattern: String, _ name: String) -> Bool {
        if PathText.isHidden(name), !PathText.isHidden(pattern) { return false }
        let (pattern, name) = (Array(pattern.unicodeScalars), Array(name.unicodeScalars))
        var (p, n) = (0, 0)
        // The place after the last "*", and the end of what that "*" matches so far: it takes one more when the rest fails.
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

    /// The place in the pattern after the element at `place` if that matches `scalar`; nil if it does not.
    private static func one(_ pattern: [Unicode.Scalar], _ place: Int, _ scalar: Unicode.Scalar) -> Int? {
        switch pattern[place] {
        case "?": return place + 1
        case "[":
            let isNegated = place + 1 < pattern.count && (pattern[place + 1] == "!" || pattern[place + 1] == "^")
            let first = place + (isNegated ? 2 : 1)
            // A "]" in first place belongs to the set; a "[" that is never closed is literal.
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
