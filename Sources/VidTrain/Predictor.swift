import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor

/// Runs a classifier forwards, from clips to logits, and owns the scratch memory for it.
///
/// Not thread-safe.
package final class Predictor {
    package let classifier: Classifier
    package let preprocessing: PreprocessingName
    let context: Context
    /// Takes the times of the parts of `output`; nil: they are not measured.
    package var times: PredictionTimes?

    /// A predictor in the memory of training steps, between them.
    init(_ classifier: Classifier, preprocessing: PreprocessingName, in trainingContext: Context) {
        self.classifier = classifier
        self.preprocessing = preprocessing
        context = Context(predictingIn: trainingContext)
    }

    /// A predictor with memory of its own, all of which is found here.
    ///
    /// - Parameters:
    ///   - loadedClips: clips that are in memory together.
    ///   - source: the checkpoint, for the error.
    /// - Throws: `.badData` where the model's input does not fit into memory, `.other` if memory runs out.
    package init(
        _ classifier: Classifier, preprocessing: PreprocessingName, for purpose: PredictionMemory.Purpose, loadedClips: Int,
        workers: Workers, source: String? = nil
    ) throws {
        let memory = try PredictionMemory(
            classifier, for: purpose, loadedClips: loadedClips, threads: workers.count, budget: MemoryBudget(), source: source)
        self.classifier = classifier
        self.preprocessing = preprocessing
        context = Context(parameters: classifier.parameters, workers: workers, random: RandomGenerator(seed: 0))
        try context.workspace.reserve(bytes: memory.workspace)
        try classifier.encoder.reserveFilters(gradients: false, context)
        if case .explanation = purpose { try classifier.parameters.reserveGradients() }
    }

    /// Bytes of the workspace now, and the most that were ever in use.
    package var workspaceBytes: Int { context.workspace.bytes }
    package var workspacePeak: Int { context.workspace.peak * MemoryLayout<Float>.stride }

    /// Logits, one array of `classes` numbers per clip, for inputs of the trained part of the network: features, maps or frames
    /// (B x T, ...).
    package func logits(input: Tensor, validFrames: [Int]) -> [[Float]] {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        var features = input
        if let trained = classifier.trained {
            features = context.workspace.take([input.shape[0], classifier.features])
            trained.encode(frames: input, into: features, context)
        }
        return logits(features: features, validFrames)
    }

    /// Logits of one loaded clip, and its feature (`Classifier.meanFeature`).
    ///
    /// - Parameter known: the features of earlier frames of its file: the CNN runs only on the other frames, and once on each. This does
    ///   not change any bits.
    package func output(_ clip: LoadedClip, _ known: FrameFeatures? = nil) -> (logits: [Float], feature: [Float]) {
        context.workspace.reset()
        let features = context.workspace.take([classifier.frames, classifier.features])
        if let known {
            known.fill(features, clip) { frames, output in
                let mark = context.workspace.mark
                defer { context.workspace.release(to: mark) }
                let input = context.workspace.take(classifier.frameShape.prepending(frames.shape.frames))
                measure(.convert) { Batch.convert(frames, classifier, preprocessing, into: input, context) }
                measure(.encode) { classifier.encoder.encode(frames: input, into: output, context) }
            }
        } else {
            run(classifier.encoder, clip, into: features)
        }
        return measure(.head) {
            (
                logits(features: features, [clip.validFrames])[0],
                classifier.meanFeature(features, validFrames: clip.validFrames)
            )
        }
    }

    private func measure<Result>(_ part: PredictionTimes.Part, _ body: () -> Result) -> Result {
        times.map { $0.measure(part, body) } ?? body()
    }

    /// Runs all layers of the CNN, or the first ones, on one clip; `output` is (T, ...).
    func run(_ encoder: FrameEncoder, _ clip: LoadedClip, into output: Tensor) {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let frames = context.workspace.take(classifier.frameShape.prepending(classifier.frames))
        convert([clip], into: frames)
        encoder.encode(frames: frames, into: output, context)
    }

    /// Writes the preprocessed frames of `clips` into `frames` (B x T, H, W, C).
    func convert(_ clips: [LoadedClip], into frames: Tensor) {
        Batch.convert(clips, classifier, preprocessing, into: frames, context)
    }

    /// Logits of features (B x T, F).
    func logits(features: Tensor, _ validFrames: [Int]) -> [[Float]] {
        let (clips, steps) = (validFrames.count, classifier.frames)
        let mask = Batch.mask(validFrames, steps: steps, context.workspace)
        let logits = classifier.head.forward(features.reshaped([clips, steps, classifier.features]), mask: mask, context).logits
        return (0..<clips).map { logits.rows($0..<$0 + 1).array }
    }

    // MARK: Explanations

    /// Runs a clip up to its logits and keeps the activations that explanations start from. Costs as much as a prediction.
    ///
    /// - Parameter known: the features (T, F) of the clip, if there are some already, and the frames whose maps will be shown: then the CNN
    ///   runs on these alone, and explanations have no other maps. The bits are the same.
    /// - Throws: `.other` if memory runs out.
    package func activations(of clip: LoadedClip, known: (features: Buffer, shown: [Int])? = nil) throws -> ClipActivations {
        context.workspace.reset()
        guard let (features, shown) = known else {
            let frames = context.workspace.take(classifier.frameShape.prepending(classifier.frames))
            convert([clip], into: frames)
            return try classifier.activations(frames: frames, validFrames: clip.validFrames, context)
        }
        let frames = context.workspace.take(classifier.frameShape.prepending(shown.count))
        Batch.convert(clip.clip.selecting(shown), classifier, preprocessing, into: frames, context)
        return try classifier.activations(
            frames: frames, validFrames: clip.validFrames,
            known: (features.tensor([classifier.frames, classifier.features]), shown), context)
    }

    /// Explains what in the clip supports class `target`, or supports it more than `against`. Costs a fraction of a prediction.
    package func explain(_ clip: ClipActivations, target: Int, against: Int? = nil) -> ClipExplanation {
        context.workspace.reset()
        return classifier.explain(clip, target: target, against: against, context)
    }
}
