import VidTensor

/// The straight path from the baseline, all features 0, to a clip's features, along which gradients are integrated.
///
/// Integrated gradients (Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks"): the contribution of a
/// feature x is x times the mean of the score's gradient along the path, and all of them add up to score(clip) -
/// score(baseline). Features are pooled outputs of a ReLU, so 0 means that a filter found nothing. A plain gradient would not
/// do: it nearly vanishes where an LSTM's gates are saturated.
struct FeaturePath {
    /// Points at which the gradient is evaluated: the middles of as many equal pieces of the path.
    static let points = 64
    /// The most floats of features that run through the head at once.
    private static let chunkFloats = 1 << 21

    /// Points that run through the head at once, for a clip of so many floats of features.
    static func chunk(features: Int) -> Int { max(1, min(points, chunkFloats / max(1, features))) }

    private let head: Head
    /// (T, F).
    private let features: Tensor
    private let validFrames: Int
    private let direction: Direction
    private let context: Context

    init(head: Head, features: Tensor, validFrames: Int, direction: Direction, _ context: Context) {
        self.head = head
        self.features = features
        self.validFrames = validFrames
        self.direction = direction
        self.context = context
    }

    /// The sum of the contributions of each frame's features, (T), in double precision until the end; and, if they are asked for, the
    /// contributions of the features themselves, (T, F).
    func contributions(ofFeatures: Bool, mask: (_ clips: Int) -> Tensor?) -> (frames: [Float], features: [[Float]]) {
        let (steps, width) = (features.shape[0], features.shape[1])
        var single = [[Double]](repeating: [Double](repeating: 0, count: width), count: ofFeatures ? steps : 0)
        var sums = [Double](repeating: 0, count: steps)
        let chunk = FeaturePath.chunk(features: features.count)
        for start in stride(from: 0, to: FeaturePath.points, by: chunk) {
            let mark = context.workspace.mark
            defer { context.workspace.release(to: mark) }
            let places = (start..<min(FeaturePath.points, start + chunk)).map { (Float($0) + 0.5) / Float(FeaturePath.points) }
            let gradient = gradients(at: places, mask: mask(places.count))
            for point in 0..<places.count {
                for step in 0..<validFrames {
                    let d = gradient.base + (point * steps + step) * width
                    let x = features.base + step * width
                    var sum = 0.0
                    for feature in 0..<width { sum += Double(d[feature] * x[feature]) }
                    sums[step] += sum
                    if ofFeatures { for feature in 0..<width { single[step][feature] += Double(d[feature] * x[feature]) } }
                }
            }
        }
        let points = Double(FeaturePath.points)
        return (sums.map { Float($0 / points) }, single.map { $0.map { Float($0 / points) } })
    }

    /// The logits at `place` on the path, from 0 to 1.
    func logits(at place: Float, mask: Tensor?) -> [Float] { head.forward(scaled([place]), mask: mask, context).logits.array }

    /// The score's gradient in the features at `places` on the path, (places, T, F).
    func gradients(at places: [Float], mask: Tensor?) -> Tensor {
        let forward = head.forward(scaled(places), mask: mask, context)
        let dLogits = context.workspace.take(forward.logits.shape)
        direction.fill(dLogits)
        guard let gradient = head.backward(dLogits, forward, context, needsInputGradient: true) else {
            preconditionFailure("the head has layers")
        }
        return gradient
    }

    /// The clip's features times each of `places`, (places, T, F).
    private func scaled(_ places: [Float]) -> Tensor {
        let scaled = context.workspace.take(features.shape.prepending(places.count))
        for (row, place) in places.enumerated() {
            let base = scaled.base + row * features.count
            for index in 0..<features.count { base[index] = features.base[index] * place }
        }
        return scaled
    }
}

/// The score that is explained: the logit of a class, less that of another where there is one.
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
