import VidConfig
import VidData
import VidModel
import VidTensor

/// Runs a classifier forwards: clips to features, features to scores. Holds the scratch memory for it.
///
/// Not for two threads at once.
package final class Predictor {
    package let classifier: Classifier
    private let preprocessing: Preprocessing
    private let pass: Pass

    package init(_ classifier: Classifier, preprocessing: Preprocessing, workers: Workers) {
        self.classifier = classifier
        self.preprocessing = preprocessing
        pass = Pass(parameters: classifier.parameters, workers: workers, random: RandomGenerator(seed: 0))
    }

    /// Encodes one clip's frames into `features` (T, F).
    package func encode(_ clip: LoadedClip, into features: Tensor) {
        pass.workspace.reset()
        let frames = Batch.frames([clip], classifier, preprocessing, pass)
        classifier.encoder.encode(frames: frames, into: features, pass)
    }

    /// Logits, in the workspace until the next call, for features (B, T, F) and an optional mask (B, T).
    package func logits(_ features: Tensor, mask: Tensor?) -> Tensor {
        pass.workspace.reset()
        return classifier.head.forward(features, mask: mask, pass).logits
    }

    /// Logits of loaded clips, each encoded in turn: one array of `classes` numbers a clip.
    package func logits(_ clips: [LoadedClip]) -> [[Float]] {
        clips.map { clip in
            pass.workspace.reset()
            let features = pass.workspace.take([1, classifier.frames, classifier.features])
            let frames = Batch.frames([clip], classifier, preprocessing, pass)
            let rows = features.reshaped([classifier.frames, classifier.features])
            classifier.encoder.encode(frames: frames, into: rows, pass)
            let mask = Batch.mask([clip.validFrames], steps: classifier.frames, pass.workspace)
            return classifier.head.forward(features, mask: mask, pass).logits.array
        }
    }
}

/// Softmax and cross-entropy of one clip's logits in double precision, for reports.
package enum Scores {
    /// Probabilities that sum to one.
    package static func softmax(_ logits: [Float]) -> [Float] {
        let logSum = logSumExp(logits)
        return logits.map { Float(exponential(Double($0) - logSum)) }
    }

    /// -log(softmax(logits)[label]).
    package static func crossEntropy(_ logits: [Float], label: Int) -> Double { logSumExp(logits) - Double(logits[label]) }

    private static func logSumExp(_ logits: [Float]) -> Double {
        let largest = Double(logits.max() ?? 0)
        return largest + logarithm(logits.reduce(0) { $0 + exponential(Double($1) - largest) })
    }
}
