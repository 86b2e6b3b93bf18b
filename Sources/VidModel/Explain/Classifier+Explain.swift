import VidConfig
import VidSystem
import VidTensor

/// Explains a decision: Grad-CAM for the regions, integrated gradients for the frames, and without a CNN for their single numbers.
///
/// The backward passes add to the gradients of the head's parameters, which are zeroed at the end. So don't explain between the
/// gradients of a training step and its optimizer.
extension Classifier {
    /// Runs a clip's preprocessed frames (T, H, W, C), of which the first `validFrames` count. The logits have the same bits as a
    /// prediction's.
    ///
    /// - Parameter known: the features (T, F) of all frames, if there are some already, and the places of the frames that get a map. Then
    ///   `frames` are only these (places, H, W, C).
    /// - Throws: `.other` if memory runs out.
    package func activations(
        frames: Tensor, validFrames: Int, known: (features: Tensor, places: [Int])? = nil, _ context: Context
    ) throws -> ClipActivations {
        let places = known?.places ?? Array(0..<self.frames)
        precondition(frames.shape == frameShape.prepending(places.count), "\(frames.shape) for \(places.count) frames of \(frameShape)")
        precondition(!context.isTraining, "a clip is explained as it is predicted")
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let last = encoder.explainedLayer
        let activations = context.workspace.take(encoder.shapes[last].prepending(places.count))
        encoder.run(0..<last + 1, frames, into: activations, isFolding: true, context)
        let features = (known?.features ?? Tail(of: encoder, behind: last, activations, context).features)
            .reshaped([1, self.frames, self.features])
        let logits = head.forward(features, mask: mask(validFrames, clips: 1, context), context).logits
        return try ClipActivations(
            copying: activations, of: places, features: features, validFrames: validFrames, logits: logits.array)
    }

    /// Explains the score of class `target`, or how far it exceeds that of class `against`.
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
        let features = clip.features.reshaped([frames, self.features])
        let direction = Direction(target: target, against: against)
        let path = FeaturePath(head: head, features: features, validFrames: clip.validFrames, direction: direction, context)
        let contributions = path.contributions(
            ofFeatures: configuration.cnn == nil, mask: { self.mask(clip.validFrames, clips: $0, context) })
        let baseline = direction.score(path.logits(at: 0, mask: mask(clip.validFrames, clips: 1, context)))

        guard configuration.cnn != nil else {
            let pixels = configuration.input.features == nil ? configuration.input : nil
            return ClipExplanation(
                target: target, against: against, logits: clip.logits, score: direction.score(clip.logits), baseline: baseline,
                contributions: contributions.frames, featureContributions: contributions.features, mapRows: pixels?.rows ?? 0,
                mapColumns: pixels?.columns ?? 0,
                maps: contributions.features.map { Classifier.map($0, channels: pixels?.channels) }, weights: [],
                validFrames: clip.validFrames)
        }
        let dFeatures = path.gradients(at: [1], mask: mask(clip.validFrames, clips: 1, context)).reshaped(features.shape)
        let tail = Tail(of: encoder, behind: encoder.explainedLayer, clip.activations, context)
        let dTail = context.workspace.take(tail.features.shape)
        for (row, place) in clip.places.enumerated() { dTail.rows(row..<row + 1).copy(from: dFeatures.rows(place..<place + 1)) }
        let drawn = Classifier.gradCAM(clip.activations, tail.backward(dTail, context))
        var (weights, maps) = ([[Float]](repeating: [], count: frames), [[Float]](repeating: [], count: frames))
        for (row, place) in clip.places.enumerated() { (weights[place], maps[place]) = (drawn.weights[row], drawn.maps[row]) }
        let shape = clip.activations.shape
        return ClipExplanation(
            target: target, against: against, logits: clip.logits, score: direction.score(clip.logits), baseline: baseline,
            contributions: contributions.frames, featureContributions: [], mapRows: shape[1], mapColumns: shape[2], maps: maps,
            weights: weights,
            validFrames: clip.validFrames)
    }

    /// Bytes that explanations take: from the workspace, and for the activations of each clip.
    package func explanationBytes(workers: Int) -> (workspace: Int, perClip: Int) {
        let float = MemoryLayout<Float>.stride
        let last = encoder.explainedLayer
        let activations = Size.product(frames, encoder.shapes[last].count, float)
        let tail = Size.product(frames, Size.sum(encoder.shapes[(last + 1)...].map { $0.count + 16 }), float)
        let features = Size.product(frames, self.features, float)
        let points = FeaturePath.chunk(features: Size.product(frames, self.features))
        let run = Size.sum([
            Size.product(frames, frameShape.count, float), activations, tail,
            encoder.encodeBytes(0..<last + 1, frames: frames, isFolding: true),
            encoder.scratchBytes(workers: workers, gradients: false), head.stepBytes(clips: 1),
        ])
        // Values and gradients of the layers behind the explained one, and the clip along the path.
        let explained = Size.sum([
            activations, Size.product(2, tail), features, max(Size.product(points, features), 2 * features),
            max(head.stepBytes(clips: points), 2 * head.stepBytes(clips: 1)), Size.product(points, frames, float),
        ])
        return (max(run, explained), activations + features)
    }

    /// The sums over the channels of what the pixels of one frame (H, W, C) add, none below 0; nothing for vectors.
    private static func map(_ contributions: [Float], channels: Int?) -> [Float] {
        guard let channels else { return [] }
        return stride(from: 0, to: contributions.count, by: channels).map { max(0, contributions[$0..<$0 + channels].reduce(0, +)) }
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

/// The layers behind the explained one, which follow each other, run forward on its output whether or not anything is trained.
private struct Tail {
    private let layers: [any FrameLayer]
    /// The input of each layer, and last the features, in the context's workspace.
    private let values: [Tensor]

    var features: Tensor { values[values.count - 1] }

    /// Runs the layers behind layer `index` of `encoder` on its output (N, ...).
    init(of encoder: FrameEncoder, behind index: Int, _ output: Tensor, _ context: Context) {
        layers = encoder.graph.nodes[(index + 1)...].compactMap { $0.layer as? any FrameLayer }
        var values = [output]
        for (layer, shape) in zip(layers, encoder.shapes[(index + 1)...]) {
            let next = context.workspace.take(shape.prepending(output.shape[0]))
            layer.forward(values[values.count - 1], into: next, context)
            values.append(next)
        }
        self.values = values
    }

    /// The gradient of the explained layer's output from that of the features (N, ...), which may be overwritten.
    func backward(_ dFeatures: Tensor, _ context: Context) -> Tensor {
        var gradient = dFeatures
        for (index, layer) in layers.enumerated().reversed() {
            let next = context.workspace.take(values[index].shape)
            layer.backward(gradient, input: values[index], output: values[index + 1], into: next, context)
            gradient = next
        }
        return gradient
    }
}
