import VidData
import VidTrain

/// Loads the views of file after file, those of the next files while the current one is computed on.
struct LoadingAhead {
    private let paths: [String]
    private let views: [ClipView]
    private let loader: ClipLoader
    private var pending: [Int: Task<[LoadedClip], any Error>] = [:]

    init(_ paths: [String], views: [ClipView], loader: ClipLoader) {
        self.paths = paths
        self.views = views
        self.loader = loader
    }

    /// The clips of file `index`, one a view; each file is asked for once, in order.
    mutating func clips(_ index: Int) async throws -> [LoadedClip] {
        for next in index..<min(paths.count, index + ClipSource.ahead) where pending[next] == nil {
            let (path, views, loader) = (paths[next], views, loader)
            pending[next] = Task { try await loader.loadAll(path, views: views) }
        }
        guard let task = pending.removeValue(forKey: index) else { return [] }
        return try await task.value
    }
}
