import VidModel
import VidTensor

/// Adds the gradients of the trained part of `encoder`, its frozen layers run first, and returns the plan it kept to; nil where
/// all layers are frozen.
@discardableResult
func goBack(_ encoder: FrameEncoder, frames: Tensor, dFeatures: Tensor, _ context: Context, limit: Int = .max) -> ActivationPlan? {
    let mark = context.workspace.mark
    defer { context.workspace.release(to: mark) }
    let (frozen, trained) = encoder.split()
    guard let trained else { return nil }
    var input = frames
    if let frozen {
        input = context.workspace.take(frozen.outputShape.prepending(frames.shape[0]))
        frozen.encode(frames: frames, into: input, context)
    }
    let plan = ActivationPlan(trained, frames: frames.shape[0], limit: limit)
    trained.backward(frames: input, kept: trained.forward(frames: input, keeping: plan, context), dFeatures: dFeatures, context)
    return plan
}
