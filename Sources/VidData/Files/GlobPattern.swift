import VidTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file name pattern as shells have it, for patterns that no shell expanded: `*`, `?` and `[...]` within a name
/// (`fnmatch`), `**` for any number of folders, none included. Names with a leading dot are matched only by a pattern with
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
        for name in GlobPattern(part) == nil ? [part] : names(folder).filter({ fnmatch(part, $0, FNM_PERIOD) == 0 }) {
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
}
