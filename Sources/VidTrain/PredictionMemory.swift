import VidConfig
import VidModel
import VidSystem
import VidTensor

/// The memory of running a classifier forwards, planned and checked before any of it is allocated: a checkpoint from anywhere may
/// name an input that no machine can hold.
package struct PredictionMemory: Sendable {
    /// The task that the classifier runs for.
    package enum Purpose: Sendable {
        /// The scores of one clip at a time.
        case scores
        /// The evaluation of many clips, in groups.
        case evaluation
        /// Explanations of a clip, of which so many samples are in memory together.
        case explanation(samples: Int)
    }

    /// Bytes of the workspace.
    let workspace: Int
    /// Bytes in all, with those of the program and the loaded clips.
    package let total: Int

    /// - Parameters:
    ///   - loadedClips: clips of the model's input that are in memory together.
    ///   - budget: what the process may take.
    ///   - source: the checkpoint, for the error.
    /// - Throws: `.badData` where it does not fit into `budget`.
    package init(
        _ classifier: Classifier, for purpose: Purpose, loadedClips: Int, threads: Int, budget: MemoryBudget, source: String? = nil
    ) throws {
        let float = MemoryLayout<Float>.stride
        let parameters = (classifier.parameters.values.count * float) + classifier.encoder.filterBytes(gradients: false)
        // An unsigned byte for each pixel, at least.
        let clips = Size.product(loadedClips, classifier.frames, classifier.frameShape.count)
        var kept = 0
        switch purpose {
        case .scores: workspace = PredictionMemory.scores(classifier, threads: threads)
        case .evaluation: workspace = PredictionMemory.evaluation(classifier, threads: threads)
        case .explanation(let samples):
            let bytes = classifier.explanationBytes(workers: threads)
            workspace = bytes.workspace + PredictionMemory.rounding
            kept = Size.product(samples, bytes.perClip) + classifier.parameters.trainableRange.count * float
        }
        total = Size.sum([MemoryBudget.program, parameters, workspace, clips, kept])
        let what = "running this model on \(classifier.configuration.input.text)"
        try budget.check(
            Double(total), (source.map { "\($0.printable): " } ?? "") + what, remedy: "Train a model with a smaller model.input.")
    }

    /// Samples that the head takes at a time in an evaluation. It is fixed, because the last digits depend on it.
    package static let evaluationGroup = 16
    /// Samples whose features are in memory together in an evaluation: while one takes long to load, the others of them are encoded.
    static let evaluationWindow = 2 * evaluationGroup

    /// An upper bound of the bytes that a workspace loses because each piece is rounded up to whole cache lines.
    private static let rounding = 1 << 16

    /// Bytes of the workspace from a clip's frames to its features.
    static func encoding(_ classifier: Classifier, threads: Int) -> Int {
        Size.sum([
            Size.product(classifier.frames, classifier.frameShape.count, MemoryLayout<Float>.stride),
            classifier.encoder.encodeBytes(frames: classifier.frames),
            classifier.encoder.scratchBytes(workers: threads, gradients: false),
        ])
    }

    /// Bytes of the workspace for the scores of one clip: its features beside what makes them, then beside the head.
    private static func scores(_ classifier: Classifier, threads: Int) -> Int {
        Size.product(classifier.frames, classifier.features, MemoryLayout<Float>.stride)
            + max(encoding(classifier, threads: threads), classifier.head.stepBytes(clips: 1)) + rounding
    }

    /// Bytes of the workspace for the scores of a group of clips: their features, beside what makes those of one clip, then beside the
    /// head.
    static func evaluation(_ classifier: Classifier, threads: Int) -> Int {
        let float = MemoryLayout<Float>.stride
        let group = evaluationGroup
        let input = classifier.trained == nil ? 0 : Size.product(classifier.frames, classifier.trainedInputShape.count, float)
        return Size.product(evaluationWindow, classifier.frames, classifier.features, float)
            + max(input + encoding(classifier, threads: threads), classifier.head.stepBytes(clips: group)) + rounding
    }
}
