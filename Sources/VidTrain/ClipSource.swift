import VidData
import VidTensor

/// Gives out the clips of a data set, loading the next ones while the current ones are computed on.
///
/// Loaded clips are kept for the next epoch as long as they fit into `keepingBytes`; the rest is loaded anew each time.
package actor ClipSource {
    /// Clips that a pass over them loads ahead.
    package static let ahead = 4

    package nonisolated let paths: [String]
    /// How frames are taken from the files.
    package nonisolated var sampling: String { loader.sampling(.whole) }
    private let loader: ClipLoader
    private let keepingBytes: Int
    private var kept: [Int: LoadedClip] = [:]
    private var keptBytes = 0
    private var pending: [Int: Task<LoadedClip, any Error>] = [:]

    package init(paths: [String], loader: ClipLoader, keepingBytes: Int) {
        self.paths = paths
        self.loader = loader
        self.keepingBytes = keepingBytes
    }

    /// Starts loading clips that are not there yet.
    package func prefetch(_ indices: some Sequence<Int> & Sendable) {
        for index in indices where kept[index] == nil && pending[index] == nil {
            let path = paths[index]
            let loader = self.loader
            pending[index] = Task { try await loader.load(path) }
        }
    }

    /// The clips at `indices`, in their order.
    package func clips(_ indices: [Int]) async throws -> [LoadedClip] {
        prefetch(indices)
        var clips: [LoadedClip] = []
        for index in indices {
            if let clip = kept[index] {
                clips.append(clip)
            } else if let task = pending[index] {
                let clip = try await task.value
                pending[index] = nil
                keep(clip, at: index)
                clips.append(clip)
            } else {
                clips.append(try await loader.load(paths[index]))
            }
        }
        return clips
    }

    /// Gives up what is loading and what was kept.
    package func clear() {
        for task in pending.values { task.cancel() }
        pending = [:]
        kept = [:]
        keptBytes = 0
    }

    private func keep(_ clip: LoadedClip, at index: Int) {
        guard kept[index] == nil, keptBytes + clip.clip.byteCount <= keepingBytes else { return }
        kept[index] = clip
        keptBytes += clip.clip.byteCount
    }
}
