import VidSystem

/// Resolves what a user names on the command line: clips, folders of clips, or glob patterns.
package enum ClipInputs {
    /// The clips at `path`: a part of a file, the file or folder of pictures itself, all clips below a folder, or the clips that a pattern matches, sorted by their bytes.
    ///
    /// An existing file or folder of that name takes precedence over the pattern. Matched files that are not clips are skipped.
    /// Throws `.missingInput` if nothing has that name or matches, `.badData` for a folder or pattern without clips.
    ///
    /// - Parameter expandingPatterns: false if `path` is a name and never a pattern.
    package static func clips(at path: String, expandingPatterns: Bool = true) throws -> [String] {
        let address = try ClipPath(checking: path)
        if address.segment != nil {
            _ = try SystemCall.status(address.file)
            return [path]
        }
        if expandingPatterns, NetworkAddress.advice(path) == nil, (try? SystemCall.status(path, followingLink: false)) == nil,
            let pattern = GlobPattern(path)
        {
            return try clips(matching: pattern, path)
        }
        guard try SystemCall.status(path).kind == .folder else { return [path] }
        let clips = try FolderWalk.clips(below: path)
        guard !clips.isEmpty else {
            // A folder of pictures says what is wrong with them.
            if case .unclear? = try? FrameFolder.find(in: path, names: Folder.names(path).names) { _ = try FrameFolder(path) }
            throw VidclassError.file(path, "found no clips in this folder (.bin, .npy, videos or sounds)")
        }
        return clips
    }

    private static func clips(matching pattern: GlobPattern, _ text: String) throws -> [String] {
        let matches = pattern.paths()
        guard !matches.isEmpty else {
            throw VidclassError.file(text, "no such file, and no file matches it as a pattern", kind: .missingInput)
        }
        var clips: [String] = []
        for path in matches {
            let kind = (try? SystemCall.status(path))?.kind
            if kind == .folder {
                clips += try FolderWalk.clips(below: path)
            } else if ClipFormat(candidate: path, kind) != nil {
                clips.append(path)
            }
        }
        guard !clips.isEmpty else {
            throw VidclassError.file(text, "found no clips among the \(matches.count) matches (.bin, .npy, videos or sounds)")
        }
        return clips
    }
}
