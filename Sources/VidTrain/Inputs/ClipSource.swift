import VidData
import VidSystem
import VidTensor

/// Loads the clips of a split, the next ones while the current ones are in use.
///
/// Clips of views that are not random stay in memory for the next epoch as long as they fit into `keepingBytes`.
package actor ClipSource {
    /// Clips that are loaded ahead.
    package static let ahead = 4

    package nonisolated let paths: [String]
    private nonisolated let loader: ClipLoader
    private let keepingBytes: Int
    private let gate = LoadGate(ProcessLimits.children(Workers.processorCount + 1))
    private var kept: [Sample: LoadedClip] = [:]
    private var keptBytes = 0
    private let arrivals = Arrivals<Sample, LoadedClip>()

    package init(paths: [String], loader: ClipLoader, keepingBytes: Int) {
        self.paths = paths
        self.loader = loader
        self.keepingBytes = keepingBytes
    }

    /// A source of some of the clips, which keeps none.
    nonisolated func selecting(_ clips: [Int]) -> ClipSource {
        ClipSource(paths: clips.map { paths[$0] }, loader: loader, keepingBytes: 0)
    }

    /// Cache key of a sample's view: equal keys give the same frames of the same file.
    nonisolated func sampling(_ sample: Sample) -> String { loader.sampling(sample.view, of: paths[sample.clip]) }

    /// Orders items by the size of their clips' files, the largest first: long files take the most time to decode.
    ///
    /// - Parameter clip: the clip of an item.
    nonisolated func longestFirst(_ items: [Int], clip: (Int) -> Int) -> [Int] {
        let sizes = items.map { (item: $0, bytes: (try? SystemCall.status(ClipPath(paths[clip($0)]).file).size) ?? 0) }
        return sizes.sorted { ($0.bytes, $1.item) > ($1.bytes, $0.item) }.map(\.item)
    }

    /// Starts loading the samples that are not in memory.
    package func prefetch(_ samples: some Sequence<Sample> & Sendable) {
        for sample in samples where kept[sample] == nil {
            let path = paths[sample.clip]
            arrivals.load(sample) { [gate, loader] in
                await gate.enter()
                let clip: Result<LoadedClip, any Error>
                do {
                    try Task.checkCancellation()
                    clip = .success(try await loader.load(path, sample.view))
                } catch {
                    clip = .failure(error)
                }
                await gate.leave()
                return try clip.get()
            }
        }
    }

    /// The place of the sample to work on first: of those that are not being loaded any more, if any, so that nothing waits for a long file.
    nonisolated func next(of samples: [Sample]) async -> Int {
        let sample = await arrivals.next(of: samples)
        return samples.firstIndex(of: sample) ?? 0
    }

    /// Loads `samples`, in their order.
    ///
    /// - Throws: the first error of loading one.
    package func clips(_ samples: [Sample]) async throws -> [LoadedClip] {
        prefetch(samples)
        var clips: [LoadedClip] = []
        for sample in samples {
            if let clip = kept[sample] {
                clips.append(clip)
            } else if let clip = try await arrivals.take(sample) {
                keep(clip, for: sample)
                clips.append(clip)
            } else {
                clips.append(try await loader.load(paths[sample.clip], sample.view))
            }
        }
        return clips
    }

    /// Cancels what is loading and frees what is in memory.
    package func clear() {
        loader.forget(paths)
        arrivals.cancel()
        kept = [:]
        keptBytes = 0
    }

    private func keep(_ clip: LoadedClip, for sample: Sample) {
        guard case .evaluation = sample.view, kept[sample] == nil, keptBytes + clip.clip.byteCount <= keepingBytes else { return }
        kept[sample] = clip
        keptBytes += clip.clip.byteCount
    }
}

/// Limits how many tasks load at a time; the others wait in their order of arrival.
///
/// Loading a video may start a reader process of its own: too many at once would slow each other down until they time out.
private actor LoadGate {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
