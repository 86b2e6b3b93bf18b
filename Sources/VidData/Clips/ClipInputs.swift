import VidTensor

/// What a user names on the command line: clips, or folders of clips.
package enum ClipInputs {
    /// The clips that `path` stands for: itself if it is a file, else all clips below it, in the order of their bytes.
    ///
    /// Throws `.missingInput` where nothing has that name, `.badData` for a folder without clips.
    package static func clips(at path: String) throws -> [String] {
        guard try SystemCall.status(path).kind == .folder else { return [path] }
        let clips = try PackTree.clips(below: path)
        guard !clips.isEmpty else { throw VidclassError.file(path, "no clips in this folder (.bin, .npy, videos or sounds)") }
        return clips
    }
}
