import VidConfig
import VidData
import VidModel
import VidTensor

/// Runs a classifier forwards: clips to scores. Holds the scratch memory for it.
///
/// Not for two threads at once.
package final class Predictor {
    package let classifier: Classifier
    package let preprocessing: Preprocessing
    let pass: Pass

    /// - Parameter trainingPass: whose memory to use between its steps; nil: memory of its own.
    package init(_ classifier: Classifier, preprocessing: Preprocessing, workers: Workers, in trainingPass: Pass? = nil) {
        self.classifier = classifier
        self.preprocessing = preprocessing
        pass =
            trainingPass.map { Pass(predictingIn: $0) }
            ?? Pass(parameters: classifier.parameters, workers: workers, random: RandomGenerator(seed: 0))
    }

    /// Logits, one array of `classes` numbers a clip, of what the trained part of the network takes: features, maps or frames
    /// (B x T, ...).
    package func logits(input: Tensor, validFrames: [Int]) -> [[Float]] {
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        var features = input
        if let trained = classifier.trained {
            features = pass.workspace.take([input.shape[0], classifier.features])
            trained.encode(frames: input, into: features, pass)
        }
        return logits(features: features, validFrames)
    }

    /// Logits of one loaded clip.
    package func logits(_ clip: LoadedClip) -> [Float] {
        pass.workspace.reset()
        let features = pass.workspace.take([classifier.frames, classifier.features])
        run(classifier.encoder, clip, into: features)
        return logits(features: features, [clip.validFrames])[0]
    }

    /// The output (T, ...) of all or the first layers of the CNN on one clip.
    func run(_ encoder: FrameEncoder, _ clip: LoadedClip, into output: Tensor) {
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        let frames = pass.workspace.take(classifier.frameShape.prepending(classifier.frames))
        convert([clip], into: frames)
        encoder.encode(frames: frames, into: output, pass)
    }

    /// The frames of `clips`, preprocessed, into `frames` (B x T, H, W, C).
    func convert(_ clips: [LoadedClip], into frames: Tensor) {
        Batch.convert(clips, classifier, preprocessing, into: frames, pass)
    }

    /// Logits of features (B x T, F).
    func logits(features: Tensor, _ validFrames: [Int]) -> [[Float]] {
        let (clips, steps) = (validFrames.count, classifier.frames)
        let mask = Batch.mask(validFrames, steps: steps, pass.workspace)
        let logits = classifier.head.forward(features.reshaped([clips, steps, classifier.features]), mask: mask, pass).logits
        return (0..<clips).map { logits.rows($0..<$0 + 1).array }
    }
}
