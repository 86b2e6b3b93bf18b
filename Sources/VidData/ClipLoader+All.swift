extension ClipLoader {
    /// The clips of several views of the file at `path`, in their order, of one passage over its frames. All are in memory together.
    package func loadAll(_ path: String, views: [ClipView]) async throws -> [LoadedClip] {
        if views.count == 1 { return [try await load(path, views[0])] }
        var clips = [LoadedClip?](repeating: nil, count: views.count)
        try await load(path, views: views) { clips[$0] = $1 }
        return clips.compactMap(\.self)
    }
}
