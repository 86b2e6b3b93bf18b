import VidCluster
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTrain

/// The time of a prediction of many files, as a whole and part by part, each part by itself on the same processors.
package struct PipelineBenchmark: Sendable {
    package let files: Int
    /// The frames that the network takes of all files.
    package let frames: Int
    package let threads: Int
    /// Seconds of each part for all files.
    package let parts: [(part: Part, seconds: Double)]
    /// Seconds of the prediction, in which the parts overlap.
    package let whole: Double

    package enum Part: String, Sendable, CaseIterable {
        /// Readers decode the wanted frames.
        case decode
        /// Frames are scaled and handed over, and their bytes become the network's input.
        case convert
        /// The CNN.
        case encode
        /// Everything behind the CNN.
        case head
        /// The results are printed.
        case write
    }

    /// Returns the seconds that a part took for all files.
    package func seconds(_ part: Part) -> Double { parts.first { $0.part == part }?.seconds ?? 0 }

    /// The whole by the longer of decoding and encoding.
    package var wholeByLonger: Double { whole / max(seconds(.decode), seconds(.encode)) }

    /// The whole by the sum of the parts: below 1 if parts leave processors idle by themselves that the whole uses.
    package var wholeBySum: Double { whole / parts.reduce(0) { $0 + $1.seconds } }

    /// Measures the files at `paths`, after a start that does not count: readers are running, and the network's filters are ready.
    ///
    /// - Parameter write: prints the result of a file.
    /// - Throws: the error of a file that cannot be classified, and those of `write`.
    package static func run(
        _ saved: SavedModel, paths: [String], _ workers: Workers, write: (Int, FilePredictor.Outcome) throws -> Void
    ) async throws -> PipelineBenchmark {
        let (loader, views) = (saved.loader, saved.evaluationViews)
        let load: @Sendable (String) async throws -> Void = { _ = try await loader.loadAll($0, views: views) }
        _ = try await seconds(Array(paths.prefix(ClipSource.ahead)), load)
        let decode = try await seconds(paths) { try await loader.decode($0, views: views) }
        let scaled = try await seconds(paths, load)
        let times = try await network(saved, paths: paths, workers)

        var predictor = try FilePredictor(saved, paths: paths, windows: nil, top: 5, in: Alone(), workers)
        var first = predictor.predicting([paths[0]])
        try await first.run(names: [paths[0]]) { _, _ in
        } each: { _, _, _ in
        }
        var outcomes: [FilePredictor.Outcome] = []
        let start = ContinuousClock.now
        try await predictor.run(names: paths) { _, _ in
        } each: { number, outcome, _ in
            if case .failure(let error) = outcome { throw error }
            try write(number, outcome)
            outcomes.append(outcome)
        }
        let whole = (ContinuousClock.now - start) / .seconds(1)
        let writing = try ContinuousClock().measure { for (number, outcome) in outcomes.enumerated() { try write(number, outcome) } }
        let parts: [(Part, Double)] = [
            (.decode, decode), (.convert, max(0, scaled - decode) + times.seconds(.convert)), (.encode, times.seconds(.encode)),
            (.head, times.seconds(.head)), (.write, writing / .seconds(1)),
        ]
        return PipelineBenchmark(
            files: paths.count, frames: paths.count * views.count * saved.classifier.frames, threads: workers.count, parts: parts,
            whole: whole)
    }

    /// Seconds in which `body` is done for all paths, as many at a time as a prediction loads.
    private static func seconds(
        _ paths: [String], _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws -> Double {
        let start = ContinuousClock.now
        try await runConcurrently(paths.count, limit: ClipSource.ahead) {
            try await body(paths[$0])
        } finish: { _, _ in
        }
        return (ContinuousClock.now - start) / .seconds(1)
    }

    /// The times of the network's parts on clips that are in memory; one clip goes before.
    private static func network(_ saved: SavedModel, paths: [String], _ workers: Workers) async throws -> PredictionTimes {
        let (loader, views, times) = (saved.loader, saved.evaluationViews, PredictionTimes())
        let predictor = try saved.predictor(for: .scores, loadedClips: views.count, workers)
        _ = saved.output(of: try await loader.loadAll(paths[0], views: views), by: predictor)
        predictor.times = times
        for path in paths { _ = saved.output(of: try await loader.loadAll(path, views: views), by: predictor) }
        return times
    }
}
