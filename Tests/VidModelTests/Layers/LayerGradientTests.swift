import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// Central differences against the layers' own gradients.
///
/// With step 1e-2 the truncation error is about 1e-4 of the gradient for functions of curvature one, and rounding adds
/// 1e-7 / 1e-2 times the loss: 5e-3 leaves room for both and is far below what any mistake gives.
@Suite struct LayerGradientTests {
    private let tolerance = 5e-3

    @Test(arguments: [ActivationName.linear, .tanh, .sigmoid, .softmax], [Shape([1, 1]), [3, 17], [2, 3, 5]])
    func dense(_ activation: ActivationName, _ input: Shape) throws {
        var layout = ParameterLayout()
        let layer = Dense("dense", features: input.last, units: 9, activation: activation, &layout)
        let check = try LayerCheck(Unmasked(layer: layer), layout, input: input)
        #expect(check.error() <= tolerance)
    }

    /// Functions with kinks, where a difference across the kink is off: smaller steps, inputs seldom that near.
    @Test(arguments: [ActivationName.relu, .hardSigmoid])
    func denseWithKinks(_ activation: ActivationName) throws {
        var layout = ParameterLayout()
        let layer = Dense("dense", features: 7, units: 9, activation: activation, &layout)
        let check = try LayerCheck(Unmasked(layer: layer), layout, input: [3, 7])
        #expect(check.error(step: 1e-3) <= tolerance)
    }

    @Test(arguments: [ActivationName.linear, .tanh, .sigmoid, .softmax])
    func activation(_ function: ActivationName) throws {
        let check = try LayerCheck(Unmasked(layer: Activation("activation", function)), ParameterLayout(), input: [4, 11])
        #expect(check.error() <= tolerance)
    }

    @Test func dropoutWithAFixedMask() throws {
        let check = try LayerCheck(
            Unmasked(layer: Dropout("dropout", rate: 0.4)), ParameterLayout(), input: [5, 33], isTraining: true)
        #expect(check.error() <= tolerance)
        let output = check.run().output
        #expect(output.contains(0) && output.contains { $0 != 0 })
    }

    @Test func dropoutDoesNothingOutsideTraining() throws {
        var tensors = TestTensors(seed: 1)
        let input = tensors.uniform([3, 4])
        let context = Context(
            parameters: try ParameterStore(ParameterLayout()), workers: Workers(count: 1), random: RandomGenerator(seed: 1))
        #expect(Dropout("dropout", rate: 0.9).forward(input, context).output.array == input.array)
        #expect(context.random == RandomGenerator(seed: 1))
    }

    @Test(arguments: [true, false])
    func batchNormalizationOfVectors(_ isTraining: Bool) throws {
        var layout = ParameterLayout()
        let layer = BatchNormalization("norm", features: 7, &layout)
        let check = try LayerCheck(layer, layout, input: [9, 7], isTraining: isTraining)
        #expect(check.error() <= tolerance)
    }

    @Test(arguments: [nil, [4, 2, 0]])
    func batchNormalizationOfSequences(_ lengths: [Int]?) throws {
        var layout = ParameterLayout()
        let layer = BatchNormalization("norm", features: 70, &layout)
        let check = try LayerCheck(layer, layout, input: [3, 4, 70], lengths: lengths, isTraining: true)
        #expect(check.error() <= tolerance)
    }

    /// new = 0.99 old + 0.01 batch, the batch's variance over its number.
    @Test func batchNormalizationMovesItsStatistics() throws {
        var layout = ParameterLayout()
        let layer = BatchNormalization("norm", features: 1, &layout)
        let store = try ParameterStore(layout)
        var random = RandomGenerator(seed: 1)
        try store.initialize(&random)
        var tensors = TestTensors(seed: 2)
        let input = tensors.zeros([2, 2, 1])
        input.copy(from: [1, 3, 5, 1000])
        let mask = tensors.zeros([2, 2])
        mask.copy(from: [1, 1, 1, 0])
        let context = Context(parameters: store, workers: Workers(count: 1), random: random, isTraining: true)
        _ = layer.forward(input, mask: mask, context)
        let mean = try #require(store.slice(named: "norm/moving_mean"))
        let variance = try #require(store.slice(named: "norm/moving_variance"))
        #expect(!mean.isTrainable && !variance.isTrainable)
        #expect(abs(store.value(mean).base[0] - 0.03) <= 1e-6)
        #expect(abs(store.value(variance).base[0] - (0.99 + 0.01 * 8 / 3)) <= 1e-6)
        context.isTraining = false
        let output = layer.forward(input, mask: mask, context).output
        #expect(abs(output.base[0] - (1 - 0.03) / (0.99 + 0.08 / 3 + 0.001).squareRoot()) <= 1e-5)
    }

    @Test(arguments: [nil, [5, 1, 3]])
    func meanOverTime(_ lengths: [Int]?) throws {
        let check = try LayerCheck(MeanOverTime("mean"), ParameterLayout(), input: [3, 5, 7], lengths: lengths)
        #expect(check.error() <= tolerance)
    }
}
