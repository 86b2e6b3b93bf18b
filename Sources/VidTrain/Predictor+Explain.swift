import VidData
import VidModel
import VidTensor

extension Predictor {
    /// Runs a clip up to its logits, keeping what explanations of its classes begin with. Costs what a prediction does.
    package func see(_ clip: LoadedClip) -> ClipActivations {
        context.workspace.reset()
        let frames = context.workspace.take(classifier.frameShape.prepending(classifier.frames))
        convert([clip], into: frames)
        return classifier.see(frames: frames, validFrames: clip.validFrames, context)
    }

    /// What of the clip spoke for class `target`, or for it rather than for `against`. Costs a small part of a prediction.
    package func explain(_ clip: ClipActivations, target: Int, against: Int? = nil) -> ClipExplanation {
        context.workspace.reset()
        return classifier.explain(clip, target: target, against: against, context)
    }
}
