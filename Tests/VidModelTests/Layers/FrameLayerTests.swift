import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// Central-difference gradient checks of every layer over frames.
@Suite struct FrameLayerTests {
    struct Conv: Sendable, CustomStringConvertible {
        let input: [Int]
        let filters: Int
        var kernel = (rows: 3, columns: 3)
        var stride = (rows: 1, columns: 1)
        var padding = ConvolutionGeometry.Padding.same
        var relu = false

        var description: String { "\(input) to \(filters), kernel \(kernel), stride \(stride), \(padding), ReLU \(relu)" }
    }

    @Test(arguments: [
        Conv(input: [5, 6, 3], filters: 4), Conv(input: [5, 4, 2], filters: 3, relu: true),
        Conv(input: [6, 5, 2], filters: 3, padding: .valid), Conv(input: [7, 8, 2], filters: 3, stride: (2, 2), relu: true),
        Conv(input: [9, 7, 2], filters: 2, kernel: (5, 3), stride: (2, 3), padding: .valid),
        Conv(input: [4, 4, 5], filters: 6, kernel: (1, 1)), Conv(input: [1, 1, 3], filters: 2),
    ])
    func convolution(_ test: Conv) throws {
        var layout = ParameterLayout()
        let layer = Conv2D(
            "conv", prefix: "cnn", channels: test.input[2], filters: test.filters, kernel: test.kernel, stride: test.stride,
            padding: test.padding, relu: test.relu, layout: &layout)
        // Without a ReLU the loss is linear in each number, so a step may be large.
        try checkGradients(of: layer, input: Shape(test.input), layout: layout, step: test.relu ? 1e-3 : 0.1)
    }

    /// The output of the layer with its ReLU is the ReLU of the layer's without.
    @Test func fusedReLUIsAReLU() throws {
        var layout = ParameterLayout()
        let fused = Conv2D("a", prefix: "cnn", channels: 3, filters: 20, relu: true, layout: &layout)
        let plain = Conv2D("b", prefix: "cnn", channels: 3, filters: 20, layout: &layout)
        let context = try makeContext(layout)
        context.parameters.value(plain.kernel).copy(from: context.parameters.value(fused.kernel))
        context.parameters.value(try #require(plain.bias)).copy(from: context.parameters.value(try #require(fused.bias)))
        var tensors = TestTensors(seed: 3)
        let input = tensors.uniform([2, 9, 10, 3])
        #expect(fused.forward(input, context).output.array == plain.forward(input, context).output.array.map { max(0, $0) })
    }

    @Test func parametersAreNamedShapedAndInitialisedAsKerasDoes() throws {
        var layout = ParameterLayout()
        let layer = Conv2D("block1_conv1", prefix: "cnn", channels: 16, filters: 32, layout: &layout)
        let store = try ParameterStore(layout)
        var random = RandomGenerator(seed: 1)
        try store.initialize(&random)
        #expect(store.slices.map(\.name) == ["cnn/block1_conv1/kernel", "cnn/block1_conv1/bias"])
        #expect(store.slices.map(\.shape) == [[3, 3, 16, 32], [32]])
        #expect(layer.parameterCount == store.counts.total)
        let kernel = store.value(layer.kernel).array
        let limit = (6 / Float(9 * 16 + 9 * 32)).squareRoot()
        #expect(kernel.allSatisfy { abs($0) <= limit })
        // 4,608 uniform numbers reach within 1 % of the limit.
        #expect(kernel.contains { abs($0) > 0.99 * limit })
        #expect(store.value(try #require(layer.bias)).array.allSatisfy { $0 == 0 })
    }

    @Test(arguments: [((2, 2), (2, 2)), ((3, 3), (2, 2)), ((2, 3), (1, 1))])
    func maxPooling(_ pool: (Int, Int), _ stride: (Int, Int)) throws {
        let layer = MaxPool2D("pool", pool: (pool.0, pool.1), stride: (stride.0, stride.1))
        try checkGradients(of: layer, input: [5, 7, 3], layout: ParameterLayout())
    }

    @Test func globalPooling() throws {
        try checkGradients(of: GlobalAveragePooling2D(), input: [3, 5, 7], layout: ParameterLayout())
        try checkGradients(of: GlobalMaxPooling2D(), input: [3, 5, 7], layout: ParameterLayout())
    }

    @Test func flatten() throws {
        try checkGradients(of: Flatten(), input: [2, 3, 4], layout: ParameterLayout())
        let context = try makeContext(ParameterLayout())
        var tensors = TestTensors(seed: 4)
        let input = tensors.uniform([2, 2, 3, 4])
        #expect(Flatten().forward(input, context).output.array == input.array)
    }

    /// A frozen layer passes the gradient on and has none itself.
    @Test func frozenConvolutionHasNoParameterGradients() throws {
        var layout = ParameterLayout()
        let layer = Conv2D("conv", prefix: "cnn", channels: 3, filters: 4, trainable: false, layout: &layout)
        let context = try makeContext(layout)
        var tensors = TestTensors(seed: 5)
        let saved = layer.forward(tensors.uniform([1, 4, 4, 3]), context)
        let dInput = layer.backward(tensors.uniform([1, 4, 4, 4]), saved, context, needsInputGradient: true)
        #expect(dInput?.shape == [1, 4, 4, 3])
        #expect(context.parameters.gradient(layer.kernel) == nil)
        #expect(context.parameters.counts.trainable == 0)
    }
}
