import VidTensor

/// Why a class: Grad-CAM for the regions, integrated gradients for the frames.
///
/// The passes backwards add to the gradients of the head's parameters, which are of no use here and are zeroed at the end: so
/// not between a training step's gradients and its optimiser.
extension Classifier {
    /// Runs a clip's frames (T, H, W, C), preprocessed, of which the first `validFrames` count. The logits have the bits of a
    /// prediction's.
    package func see(frames: Tensor, validFrames: Int, _ context: Context) -> ClipActivations {
        precondition(frames.shape == frameShape.prepending(self.frames), "\(frames.shape) for \(self.frames) frames of \(frameShape)")
        precondition(!context.isTraining, "a clip is explained as it is predicted")
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let last = explainedLayer
        let activations = context.workspace.take(encoder.shapes[last].prepending(self.frames))
        encoder.run(0..<last + 1, frames, into: activations, context)
        let features = encoder.runTail(behind: last, activations, context).features
        let logits = head.forward(features.reshaped([1, self.frames, self.features]), mask: mask(validFrames, clips: 1, context), context).logits
        return ClipActivations(copying: activations, validFrames: validFrames, logits: logits.array)
    }

    /// Explains class `target` of a clip, or what speaks for it rather than for class `against`.
    ///
    /// Grad-CAM (Selvaraju et al. 2017, "Grad-CAM: visual explanations from deep networks via gradient-based localization"):
    /// with A (T, h, w, C) the last convolution's maps and dA the score's gradient there, through pooling, recurrent and hidden
    /// layers, weights[t, c] = the mean of dA[t, :, :, c] and maps[t] = ReLU(sum over c of weights[t, c] A[t, :, :, c]).
    package func explain(_ clip: ClipActivations, target: Int, against: Int? = nil, _ context: Context) -> ClipExplanation {
        precondition(classes.indices.contains(target) && against.map(classes.indices.contains) ?? true, "class \(target) of \(classes)")
        precondition(!context.isTraining, "a clip is explained as it is predicted")
        let mark = context.workspace.mark
        defer {
            context.workspace.release(to: mark)
            clearGradients()
        }
        let tail = encoder.runTail(behind: explainedLayer, clip.activations, context)
        let features = tail.features.reshaped([frames, self.features])
        let direction = Direction(target: target, against: against)
        let path = FeaturePath(head: head, features: features, validFrames: clip.validFrames, direction: direction, context)
        let contributions = path.contributions(mask: { self.mask(clip.validFrames, clips: $0, context) })
        let baseline = direction.score(path.logits(at: 0, mask: mask(clip.validFrames, clips: 1, context)))

        let dFeatures = path.gradients(at: [1], mask: mask(clip.validFrames, clips: 1, context))
        let dActivations = encoder.tailGradient(dFeatures.reshaped(tail.features.shape), tail, context)
        let (weights, maps) = Classifier.gradCAM(clip.activations, dActivations)
        let shape = clip.activations.shape
        return ClipExplanation(
            target: target, against: against, logits: clip.logits, score: direction.score(clip.logits), baseline: baseline,
            contributions: contributions, mapRows: shape[1], mapColumns: shape[2], maps: maps, weights: weights,
            validFrames: clip.validFrames)
    }

    /// The layer whose maps are shown. A CNN of a configuration has a convolution.
    private var explainedLayer: Int {
        guard let last = encoder.lastConvolution else { preconditionFailure("a network without convolutions is explained") }
        return last
    }

    /// Weights (T, C) and maps (T, h w) of activations and their gradient (T, h, w, C).
    private static func gradCAM(_ activations: Tensor, _ gradient: Tensor) -> (weights: [[Float]], maps: [[Float]]) {
        let (places, channels) = (activations.shape[1] * activations.shape[2], activations.shape[3])
        var result: (weights: [[Float]], maps: [[Float]]) = ([], [])
        for frame in 0..<activations.shape[0] {
            let a = activations.base + frame * places * channels
            let d = gradient.base + frame * places * channels
            var weights = [Float](repeating: 0, count: channels)
            for place in 0..<places { for channel in 0..<channels { weights[channel] += d[place * channels + channel] } }
            for channel in 0..<channels { weights[channel] /= Float(places) }
            result.weights.append(weights)
            result.maps.append(
                (0..<places).map { place in
                    var sum: Float = 0
                    for channel in 0..<channels { sum += weights[channel] * a[place * channels + channel] }
                    return max(sum, 0)
                })
        }
        return result
    }

    /// (clips, T) of ones for the frames that count; nil where all do.
    private func mask(_ validFrames: Int, clips: Int, _ context: Context) -> Tensor? {
        guard validFrames < frames else { return nil }
        let mask = context.workspace.take([clips, frames])
        for clip in 0..<clips { for step in 0..<frames { mask.base[clip * frames + step] = step < validFrames ? 1 : 0 } }
        return mask
    }

    private func clearGradients() {
        for slice in parameters.slices where !slice.name.hasPrefix("cnn/") { parameters.gradient(slice)?.fill(0) }
    }
}

/// The classes between which a score is taken.
struct Direction {
    let target: Int
    let against: Int?

    func score(_ logits: [Float]) -> Float { logits[target] - (against.map { logits[$0] } ?? 0) }

    /// The score's gradient in the logits (B, classes).
    func fill(_ dLogits: Tensor) {
        dLogits.fill(0)
        for clip in 0..<dLogits.shape[0] {
            let row = dLogits.rows(clip..<clip + 1)
            row.base[target] += 1
            if let against { row.base[against] -= 1 }
        }
    }
}
