import VidData
import VidTensor

/// Gives out clips of a data set, loading the next ones while the current ones are computed on.
///
/// What is not random is kept for the next epoch as long as it fits into `keepingBytes`; the rest is loaded anew each time.
package actor ClipSource {
    /// Clips that a pass over them loads ahead.
    package static let ahead = 4

    package nonisolated let paths: [String]
    private nonisolated let loader: ClipLoader
    private let keepingBytes: Int
    private let gate = LoadGate(Workers.processorCount + 1)
    private var kept: [Draw: LoadedClip] = [:]
    private var keptBytes = 0
    private var pending: [Draw: Task<LoadedClip, any Error>] = [:]

    package init(paths: [String], loader: ClipLoader, keepingBytes: Int) {
        self.paths = paths
        self.loader = loader
        self.keepingBytes = keepingBytes
    }

    /// What a draw takes of its file, as text.
    nonisolated func sampling(_ draw: Draw) -> String { loader.sampling(draw.view, of: paths[draw.clip]) }

    /// Starts loading clips that are not there yet.
    package func prefetch(_ draws: some Sequence<Draw> & Sendable) {
        for draw in draws where kept[draw] == nil && pending[draw] == nil {
            let path = paths[draw.clip]
            let loader = self.loader
            pending[draw] = Task { [gate] in
                await gate.enter()
                let clip: Result<LoadedClip, any Error>
                do {
                    try Task.checkCancellation()
                    clip = .success(try await loader.load(path, draw.view))
                } catch {
                    clip = .failure(error)
                }
                await gate.leave()
                return try clip.get()
            }
        }
    }

    /// The clips of `draws`, in their order.
    package func clips(_ draws: [Draw]) async throws -> [LoadedClip] {
        prefetch(draws)
        var clips: [LoadedClip] = []
        for draw in draws {
            if let clip = kept[draw] {
                clips.append(clip)
            } else if let task = pending[draw] {
                let clip = try await task.value
                pending[draw] = nil
                keep(clip, for: draw)
                clips.append(clip)
            } else {
                clips.append(try await loader.load(paths[draw.clip], draw.view))
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

    private func keep(_ clip: LoadedClip, for draw: Draw) {
        guard case .evaluation = draw.view, kept[draw] == nil, keptBytes + clip.clip.byteCount <= keepingBytes else { return }
        kept[draw] = clip
        keptBytes += clip.clip.byteCount
    }
}
