import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// A layer with its parameters and a loss, for gradient checks: the loss is the sum of the outputs times fixed weights.
final class LayerCheck {
    private let store: ParameterStore
    private let context: Context
    private let layer: any SequenceLayer
    private var tensors = TestTensors(seed: 21)
    private let input: Tensor
    private let mask: Tensor?
    private let outputWeights: Tensor

    /// - Parameters:
    ///   - input: (B, T, F), or (B, F).
    ///   - lengths: how many steps of each sample count; nil = no mask.
    init(
        _ layer: any SequenceLayer, _ layout: ParameterLayout, input shape: Shape, lengths: [Int]? = nil, isTraining: Bool = false,
        threads: Int = 2
    ) throws {
        self.layer = layer
        store = try ParameterStore(layout)
        context = Context(parameters: store, workers: Workers(count: threads), random: RandomGenerator(seed: 24), isTraining: isTraining)
        var random = RandomGenerator(seed: 22)
        try store.initialize(&random)
        // No parameter at a special value: biases of zero hide mistakes.
        for slice in store.slices where slice.isTrainable {
            let value = store.value(slice)
            for i in 0..<value.count { value.base[i] += random.uniform(-0.3, 0.3) }
        }
        input = tensors.uniform(shape)
        if let lengths {
            let mask = tensors.zeros([shape[0], shape[1]])
            for (row, length) in lengths.enumerated() { for step in 0..<length { mask.base[row * shape[1] + step] = 1 } }
            self.mask = mask
        } else {
            mask = nil
        }
        outputWeights = tensors.uniform(layer.outputShape(shape.dropFirst).prepending(shape[0]))
    }

    /// A softmax does not change when all scores of a query do, so the gradient of an attention's bias of keys is zero, and what is
    /// computed of it is rounding.
    static func isGradientZero(_ slice: ParameterSlice) -> Bool { slice.name.hasSuffix("/key/bias") }

    /// The context in its first state. The check owns it, because the context owns the tensors that layers return.
    private func startContext() -> Context {
        context.workspace.reset()
        context.random = RandomGenerator(seed: 24)
        return context
    }

    /// Output, parameter gradients and input gradient of one run.
    func run() -> (output: [Float], gradients: [Float], dInput: [Float]) {
        let context = startContext()
        store.gradients.tensor([store.gradients.count]).fill(0)
        let saved = layer.forward(input, mask: mask, context)
        let dInput = layer.backward(outputWeights, saved, mask: mask, context, needsInputGradient: true)
        return (saved.output.array, store.gradients.tensor([store.gradients.count]).array, dInput?.array ?? [])
    }

    /// The largest error of any gradient against central differences.
    func error(step: Float = 1e-2) -> Double {
        let result = run()
        func loss() -> Double {
            let context = startContext()
            return weightedSum(layer.forward(input, mask: mask, context).output, outputWeights)
        }
        guard result.dInput.count == input.count else { return .infinity }
        let dInput = tensors.nan(input.shape)
        dInput.copy(from: result.dInput)
        var largest = gradientError(at: input, analytic: dInput, step: step, loss: loss)
        for slice in store.slices where !LayerCheck.isGradientZero(slice) {
            guard let gradient = store.gradient(slice) else { continue }
            let error = gradientError(at: store.value(slice), analytic: gradient, step: step, loss: loss)
            if error.isNaN { return .nan }
            largest = max(largest, error)
        }
        return largest
    }
}

/// A layer without a time axis, where a check wants one with.
struct Unmasked: SequenceLayer {
    let layer: any Layer
    var name: String { layer.name }

    func outputShape(_ input: Shape) -> Shape { layer.outputShape(input) }

    func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved { layer.forward(input, context) }

    func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        layer.backward(dOutput, saved, context, needsInputGradient: needsInputGradient)
    }
}
