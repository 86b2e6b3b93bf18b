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

/// Predicts file after file with a saved model.
package struct FilePredictor {
    private let saved: SavedModel
    private let predictor: Predictor
    private let paths: [String]
    private let top: Int
    /// Files that are being loaded while an earlier one is computed.
    private var pending: [Int: Task<[LoadedClip], any Error>] = [:]
    /// A remark on the values of the first clip of floats, until `takeRemark` has returned it; and whether there was such a clip.
    private var (remark, hasSeenFloats): (String?, Bool) = (nil, false)

    /// - Parameter top: how many classes a prediction holds.
    /// - Throws: `.badData` where the model's input does not fit into memory, `.other` if memory runs out.
    package init(_ saved: SavedModel, paths: [String], top: Int, workers: Workers) throws {
        self.saved = saved
        self.paths = paths
        self.top = top
        predictor = try saved.predictor(
            for: .scores, loadedClips: min(paths.count, ClipSource.ahead) * saved.evaluationViews.count, workers)
    }

    /// Scores file `index` as a whole, under the name `input`. Each file can be asked for once, in order.
    ///
    /// - Throws: what loading the file throws, and `.badData` if its scores are not finite.
    package mutating func prediction(_ index: Int, input: String) async throws -> Prediction {
        for next in index..<min(paths.count, index + ClipSource.ahead) where pending[next] == nil {
            let (path, views, loader) = (paths[next], saved.evaluationViews, saved.loader)
            pending[next] = Task { try await loader.loadAll(path, views: views) }
        }
        let clips = try await pending.removeValue(forKey: index)?.value ?? []
        if let clip = clips.first, [.bin, .npy].contains(ClipFormat(name: paths[index])) { look(at: clip, of: input) }
        let known = FrameFeatures()
        let outputs = clips.map { predictor.output($0, known) }
        return try prediction(of: paths[index], input: input, scores: Scores.mean(outputs.map(\.logits)), features: outputs.map(\.feature))
    }

    /// A remark for the user on the clips so far, once.
    package mutating func takeRemark() -> String? {
        defer { remark = nil }
        return remark
    }

    /// Looks whether the values of the first clip of floats are those of pixels.
    private mutating func look(at clip: LoadedClip, of input: String) {
        guard !hasSeenFloats, saved.loader.expectsBytes, let range = PixelRange(clip.clip) else { return }
        hasSeenFloats = true
        remark = range.fault.map { "\(input.printable): \($0), unless the model was trained on such clips" }
    }

    /// Memory for the results of all windows of a file, some 600 bytes each besides the scores.
    private static let timelineBytes = 256 << 20

    private func prediction(of path: String, input: String, scores: [Float], features: [[Float]]) throws -> Prediction {
        try saved.requireFinite(scores, of: path)
        return Prediction(
            input: input, classes: saved.classifier.classes, scores: scores, top: top,
            familiarity: saved.familiarity.map { $0.finding(Familiarity.mean(features)) })
    }

    /// Scores windows of `length` seconds every `stride` seconds of file `index`, or of the part of it that is named, which is decoded once. The CNN runs once on each frame,
    /// however many windows contain it.
    ///
    /// - Throws: what loading the file throws, and `.badData` if its scores are not finite.
    package func timeline(
        _ index: Int, input: String, length: Double, stride: Double, progress: (_ done: Int, _ total: Int) -> Void
    ) async throws -> Timeline {
        let path = paths[index]
        let frames = try await saved.loader.clipFrames(of: path)
        let times = frames.times
        let bytes = 600 + 4 * saved.classifier.classes.count
        let plan = try times.windows(
            length: length, stride: stride, most: min(FrameTimes.mostWindows, FilePredictor.timelineBytes / bytes), path: path)
        let seconds = times.duration ?? 0
        var predictions = [Prediction?](repeating: nil, count: plan.count)
        var done = 0
        let known = FrameFeatures()
        try await saved.loader.load(path, views: plan.map(\.view)) { place, clip in
            let output = predictor.output(clip, known)
            predictions[place] = try prediction(
                of: path, input: input, scores: Scores.softmax(output.logits), features: [output.feature])
            done += 1
            progress(done, plan.count)
        }
        return Timeline(
            input: input, classes: saved.classifier.classes,
            windows: zip(plan, predictions).compactMap { window, prediction in
                // The last window may extend past the end. Windows of a part of a file are told by the times of the whole.
                prediction.map {
                    (ClipWindow(start: (frames.start ?? 0) + window.start, length: min(window.length, seconds - window.start)), $0)
                }
            })
    }
}

extension Scores {
    /// Class numbers, best score first. Equal scores keep the order of the classes.
    static func ranked(_ scores: [Float]) -> [Int] {
        scores.indices.sorted { scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1) }
    }
}
