import VidSystem
import VidTensor

/// What a user names on the command line: clips, folders of clips, or patterns that no shell expanded.
package enum ClipInputs {
    /// The clips that `path` stands for: itself if it is a file, else all clips below it, in the order of their bytes.
    ///
    /// What exists under that very name is taken before the name is read as a pattern; of what a pattern matches, files
    /// that are no clips by their names are passed over. Throws `.missingInput` where nothing has that name, `.badData` for a
    /// folder or pattern without clips.
    package static func clips(at path: String) throws -> [String] {
        if (try? SystemCall.status(path, followingLink: false)) == nil, let pattern = GlobPattern(path) {
            return try clips(matching: pattern, path)
        }
        guard try SystemCall.status(path).kind == .folder else { return [path] }
        let clips = try PackTree.clips(below: path)
        guard !clips.isEmpty else { throw VidclassError.file(path, "no clips in this folder (.bin, .npy, videos or sounds)") }
        return clips
    }

    private static func clips(matching pattern: GlobPattern, _ text: String) throws -> [String] {
        let matches = pattern.paths()
        guard !matches.isEmpty else {
            throw VidclassError.file(text, "nothing has this name, and as a pattern it matches nothing", kind: .missingInput)
        }
        var clips: [String] = []
        for path in matches {
            if (try? SystemCall.status(path))?.kind == .folder {
                clips += try PackTree.clips(below: path)
            } else if ClipFormat(path: path) != nil {
                clips.append(path)
            }
        }
        guard !clips.isEmpty else {
            throw VidclassError.file(text, "no clips among the \(matches.count) that match (.bin, .npy, videos or sounds)")
        }
        return clips
    }
}
