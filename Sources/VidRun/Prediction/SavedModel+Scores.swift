import VidData
import VidModel
import VidSystem
import VidTrain

extension SavedModel {
    /// The scores of a clip, for each class in their order, from the samples that `evaluationViews` take of it.
    ///
    /// - Parameter predictor: one of this model; it is not thread-safe.
    package func output(of samples: [LoadedClip], by predictor: Predictor) -> (scores: [Float], familiarity: Familiarity.Finding?) {
        let known = FrameFeatures()
        let outputs = samples.map { predictor.output($0, known) }
        return (
            Scores.mean(outputs.map(\.logits)), familiarity.map { $0.finding(Familiarity.mean(outputs.map(\.feature))) }
        )
    }

    /// A remark for the user on values that do not look like pixels; nil if there is nothing to say.
    ///
    /// - Parameter file: the clip's file; nil for frames that the caller has made. Decoded videos and sounds need no look.
    package func remark(on samples: [LoadedClip], ofFile file: String?) -> String? {
        guard loader.expectsBytes, let sample = samples.first else { return nil }
        if let file, ![.bin, .npy].contains(ClipFormat(name: file)) { return nil }
        return PixelRange(sample.clip)?.fault.map { "\($0), unless the model was trained on such clips" }
    }
}
