import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// A context with freshly initialised parameters, the biases filled too so that no ReLU is at its edge by construction.
func makeContext(_ layout: ParameterLayout, threads: Int = 2, seed: UInt64 = 1) throws -> Context {
    let store = try ParameterStore(layout)
    var random = RandomGenerator(seed: seed)
    try store.initialize(&random)
    for slice in store.slices where slice.shape.rank == 1 {
        let bias = store.value(slice)
        for i in 0..<bias.count { bias.base[i] = random.uniform(-0.3, 0.3) }
    }
    return Context(parameters: store, workers: Workers(count: threads), random: random)
}

/// Gives the scales and variances of batch normalisations random positive values.
func spreadNormalizations(_ context: Context) {
    var random = RandomGenerator(seed: 9)
    for slice in context.parameters.slices where slice.name.hasSuffix("gamma") || slice.name.hasSuffix("variance") {
        let values = context.parameters.value(slice)
        for index in 0..<values.count { values.base[index] = random.uniform(0.5, 1.5) }
    }
    context.parameters.didChange()
}

/// The encoder's features of frames.
func features(_ encoder: FrameEncoder, _ frames: Tensor, _ context: Context) -> [Float] {
    let mark = context.workspace.mark
    defer { context.workspace.release(to: mark) }
    let features = context.workspace.take(encoder.outputShape.prepending(frames.shape[0]))
    features.fill(.nan)
    encoder.encode(frames: frames, into: features, context)
    return features.array
}

/// The bits of a tensor's elements: equality that tells 0 from -0 and knows NaN.
func bits(_ tensor: Tensor) -> [UInt32] { tensor.array.map(\.bitPattern) }

/// Checks `layer`'s input and parameter gradients on two random frames of shape `input` by central differences.
///
/// The layers are linear in each number but for the edges of ReLUs and maxima; with a loss of order ten, steps of 1e-3 leave
/// an error of about 1e-3 in single precision.
func checkGradients(
    of layer: some Layer, input shape: Shape, layout: ParameterLayout, step: Float = 1e-3, tolerance: Double = 1e-2,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let context = try makeContext(layout)
    var tensors = TestTensors(seed: 2)
    let input = tensors.uniform(shape.prepending(2))
    let weights = tensors.uniform(layer.outputShape(shape).prepending(2))
    func loss() -> Double {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        context.parameters.didChange()
        return weightedSum(layer.forward(input, context).output, weights)
    }
    let saved = layer.forward(input, context)
    #expect(saved.output.shape == weights.shape, sourceLocation: sourceLocation)
    let before = bits(weights)
    let dInput = try #require(layer.backward(weights, saved, context, needsInputGradient: true), sourceLocation: sourceLocation)
    #expect(bits(weights) == before, "backward wrote on its argument", sourceLocation: sourceLocation)
    func check(_ name: String, _ point: Tensor, _ gradient: Tensor) {
        let (error, compared) = piecewiseLinearGradientError(at: point, analytic: gradient, step: step, sampling: 64, loss: loss)
        #expect(error <= tolerance, "\(name)", sourceLocation: sourceLocation)
        #expect(compared >= 0.5, "\(name)", sourceLocation: sourceLocation)
    }
    check("input", input, dInput)
    for slice in context.parameters.slices {
        let gradient = try #require(context.parameters.gradient(slice), sourceLocation: sourceLocation)
        check(slice.name, context.parameters.value(slice), gradient)
    }
}

/// `gradientError` for a network of ReLUs and maxima, whose loss is piecewise linear in each single parameter.
///
/// Where a step to either side sees another slope, an edge lies within it: the element is no evidence about the gradient
/// there and is left out (whatever the analytic value is). Returns the largest difference relative to the largest slope,
/// and the share of the `count` sampled elements that were compared.
func piecewiseLinearGradientError(
    at point: Tensor, analytic: Tensor, step: Float, sampling count: Int, loss: () -> Double
) -> (error: Double, compared: Double) {
    precondition(point.count == analytic.count, "\(point.shape) against \(analytic.shape)")
    var random = RandomGenerator(seed: 7)
    let indices = random.permutation(point.count).prefix(count)
    let centre = loss()
    let slopes = indices.map { index in
        let value = point.base[index]
        point.base[index] = value + step
        let above = (loss() - centre) / (Double(point.base[index]) - Double(value))
        point.base[index] = value - step
        let below = (centre - loss()) / (Double(value) - Double(point.base[index]))
        point.base[index] = value
        return (above: above, below: below, analytic: Double(analytic.base[index]))
    }
    let largest = slopes.map { max(abs($0.above), abs($0.below)) }.max() ?? 0
    let straight = slopes.filter { !(abs($0.above - $0.below) > 0.01 * largest) }
    let differences = straight.map { abs(($0.above + $0.below) / 2 - $0.analytic) }
    let error = differences.contains { $0.isNaN } ? .nan : (differences.max() ?? .infinity) / largest
    return (error, Double(straight.count) / Double(slopes.count))
}

/// Adds the gradients of the trained part of `encoder` after running its frozen layers, and returns the plan in use; nil if
/// all layers are frozen.
@discardableResult
func addGradients(_ encoder: FrameEncoder, frames: Tensor, dFeatures: Tensor, _ context: Context, limit: Int = .max) -> ActivationPlan? {
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
    trained.backward(frames: input, saved: trained.forward(frames: input, saving: plan, context), dFeatures: dFeatures, context)
    return plan
}
