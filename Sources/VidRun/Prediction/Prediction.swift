import VidCluster
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTrain

/// The scores of one input, or of a part of it.
package struct Prediction: Sendable {
    package let input: String
    /// Best first, as many as were asked for. Equal scores keep the order of the classes.
    package let ranked: [(label: String, score: Float)]
    /// The best two, however many were asked for.
    package let bestTwo: [(label: String, score: Float)]
    /// Of all classes, in their order.
    let scores: [Float]
    /// Whether the input looks like the training clips; nil if the model cannot tell.
    package let familiarity: Familiarity.Finding?

    package init(input: String, classes: [String], scores: [Float], top: Int, familiarity: Familiarity.Finding?) {
        self.input = input
        self.familiarity = familiarity
        self.scores = scores
        let order = Scores.ranked(scores)
        ranked = order.prefix(top).map { (classes[$0], scores[$0]) }
        bestTwo = order.prefix(2).map { (classes[$0], scores[$0]) }
    }
}

/// The scores of a long input, window by window.
package struct Timeline: Sendable {
    package let input: String
    /// The model's labels.
    package let classes: [String]
    /// In the order of their starts.
    package let windows: [(window: ClipWindow, prediction: Prediction)]

    package init(input: String, classes: [String], windows: [(window: ClipWindow, prediction: Prediction)]) {
        (self.input, self.classes, self.windows) = (input, classes, windows)
    }
}

/// Predicts files with a saved model. The ranks of a cluster share them out.
package struct FilePredictor {
    /// The result of one file.
    package enum Outcome: Sendable {
        case prediction(Prediction)
        case timeline(Timeline)
        case failure(VidclassError)
    }

    private let saved: SavedModel
    private var scorer: FileScorer
    private let top: Int
    private let cluster: any Cluster
    /// Whether a remark on the values of clips has been made.
    private var hasRemarked = false

    /// - Parameter top: how many classes a prediction holds.
    /// - Throws: `.badData` where the model's input does not fit into memory, `.other` if memory runs out.
    package init(_ saved: SavedModel, paths: [String], windows: WindowChoice?, top: Int, in cluster: any Cluster, _ workers: Workers) throws
    {
        self.saved = saved
        self.top = top
        self.cluster = cluster
        scorer = try FileScorer(saved, paths: paths, windows: windows, workers: workers)
    }

    /// The same for other files, with the same memory.
    func predicting(_ paths: [String]) -> FilePredictor {
        var other = self
        other.scorer.paths = paths
        return other
    }

    /// Scores all files.
    ///
    /// - Parameters:
    ///   - names: the files' names in the results.
    ///   - progress: called as the windows of a file are scored on this rank.
    ///   - each: receives the files' results in their order, and once a remark for the user on the values of the clips so far. An error
    ///     ends the work.
    package mutating func run(
        names: [String], progress: (_ done: Int, _ total: Int) -> Void, each: (Int, Outcome, _ remark: String?) throws -> Void
    ) async throws {
        guard !scorer.paths.isEmpty else { return }
        try await PredictOrder.send(saved, scorer, to: cluster)
        var waiting: [Int: FileScores] = [:]
        var next = 0
        try await scorer.share(in: cluster, progress: progress) { index, scores in
            waiting[index] = scores
            while let scores = waiting.removeValue(forKey: next) {
                let remark = hasRemarked ? nil : scores.remark.map { "\(names[next].printable): \($0)" }
                hasRemarked = hasRemarked || remark != nil
                try each(next, outcome(scores, scorer.paths[next], names[next]), remark)
                next += 1
            }
        }
    }

    private func outcome(_ scores: FileScores, _ path: String, _ input: String) -> Outcome {
        if let failure = scores.failure { return .failure(failure) }
        do {
            guard scorer.windows != nil else { return .prediction(try prediction(scores.windows[0], path, input)) }
            let windows = try scores.windows.map { (ClipWindow(start: $0.start, length: $0.length), try prediction($0, path, input)) }
            return .timeline(Timeline(input: input, classes: saved.classifier.classes, windows: windows))
        } catch {
            return .failure(error as? VidclassError ?? VidclassError(.other, "\(error)"))
        }
    }

    private func prediction(_ window: FileScores.Window, _ path: String, _ input: String) throws -> Prediction {
        try saved.requireFinite(window.scores.floats, of: path)
        return Prediction(
            input: input, classes: saved.classifier.classes, scores: window.scores.floats, top: top, familiarity: window.familiarity)
    }

    // MARK: Streams

    /// Scores the windows of a stream while it comes, on this process alone.
    ///
    /// - Parameters:
    ///   - input: its name in the results.
    ///   - each: receives each window when it has ended; false to end the work.
    /// - Returns: the stream's damage; nil if there is none.
    /// - Throws: `.badData` if the stream is no video or cannot be read to its end, and the errors of the source and of `each`.
    package func follow(
        _ source: StreamSource, input: String, each: (ClipWindow, Prediction) throws -> Bool
    ) async throws -> VideoDamage? {
        guard let choice = scorer.windows else { preconditionFailure("a stream is scored in windows") }
        let loader = saved.loader
        let known = scorer.features(for: choice)
        var stream: WindowStream?
        func scoreAll() throws {
            while let (window, clip) = try stream?.next() {
                let found = try prediction(scorer.score(clip, window, known), source.name, input)
                guard try each(window, found) else { throw Left() }
            }
        }
        do {
            let end = try await loader.follow(source) {
                stream = WindowStream(loader, $0, length: choice.length, stride: choice.stride, name: source.name)
            } consume: { time, frame in
                try stream?.append(time, frame)
                try scoreAll()
            }
            stream?.finish(lastDuration: end.lastDuration)
            try scoreAll()
            return end.damage
        } catch is Left {
            return nil
        }
    }

    /// Nobody wants more windows.
    private struct Left: Error {}
}

extension Scores {
    /// Class numbers, best score first. Equal scores keep the order of the classes.
    package static func ranked(_ scores: [Float]) -> [Int] {
        scores.indices.sorted { scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1) }
    }
}
