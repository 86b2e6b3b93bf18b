import VidData
import VidModel
import VidTensor

extension Predictor {
    /// Runs a clip up to its logits and returns the activations from which its classes can be explained. Costs as much as a prediction.
    package func activations(of clip: LoadedClip) -> ClipActivations {
        context.workspace.reset()
        let frames = context.workspace.take(classifier.frameShape.prepending(classifier.frames))
        convert([clip], into: frames)
        return classifier.activations(frames: frames, validFrames: clip.validFrames, context)
    }

    /// What of the clip spoke for class `target`, or for it rather than for `against`. Costs a small part of a prediction.
    package func explain(_ clip: ClipActivations, target: Int, against: Int? = nil) -> ClipExplanation {
        context.workspace.reset()
        return classifier.explain(clip, target: target, against: against, context)
    }
}
