import VidSystem

/// Resolves what a user names on the command line: clips, folders of clips, or glob patterns.
package enum ClipInputs {
    /// The clips at `path`: a part of a file, the file or folder of pictures itself, all clips below a folder, or the clips that a pattern matches, sorted by their bytes.
    ///
    /// An existing file or folder of that name takes precedence over the pattern. Matched files that are not clips are skipped.
    /// Throws `.missingInput` if nothing has that name or matches, `.badData` for a folder or pattern without clips.
    ///
    /// - Parameters:
    ///   - expandingPatterns: false if `path` is a name and never a pattern.
    ///   - note: gets notes on numbered pictures that are not clips.
    package static func clips(
        at path: String, expandingPatterns: Bool = true, note: (String) -> Void = { _ in }
    ) throws -> [String] {
        let address = try ClipPath(checking: path)
        if address.segment != nil {
            _ = try SystemCall.status(address.file)
            return [path]
        }
        if expandingPatterns, NetworkAddress.advice(path) == nil, (try? SystemCall.status(path, followingLink: false)) == nil,
            let pattern = GlobPattern(path)
        {
            return try clips(matching: pattern, path, note)
        }
        guard try SystemCall.status(path).kind == .folder else { return [path] }
        let walk = try FolderWalk(path)
        guard !walk.clipPaths.isEmpty else {
            // A folder of pictures says what is wrong with them.
            if case .unclear? = try? FrameFolder.find(in: path, names: Folder.names(path).names) { _ = try FrameFolder(path) }
            let pictures = walk.otherFiles.filter(FrameFolder.isPicture)
            throw VidclassError.file(
                path,
                "found no clips in this folder (.bin, .npy, videos or sounds)"
                    + (pictures.first.map {
                        ", only " + (pictures.count == 1 ? "one picture, " : "\(pictures.count) pictures, such as ") + $0.printable
                            + "; the frames of a clip are at least two numbered pictures in a folder of their own"
                    } ?? ""))
        }
        walk.pictureNotes.forEach(note)
        return walk.clipPaths
    }

    private static func clips(matching pattern: GlobPattern, _ text: String, _ note: (String) -> Void) throws -> [String] {
        let matches = pattern.paths()
        guard !matches.isEmpty else {
            throw VidclassError.file(text, "no such file, and no file matches it as a pattern", kind: .missingInput)
        }
        var clips: [String] = []
        for path in matches {
            let kind = (try? SystemCall.status(path))?.kind
            if kind == .folder {
                let walk = try FolderWalk(path)
                walk.pictureNotes.forEach(note)
                clips += walk.clipPaths
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
