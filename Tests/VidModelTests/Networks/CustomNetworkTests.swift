import Testing
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// Networks of the user's own layers, side by side and one after the other.
@Suite struct CustomNetworkTests {
    /// Every kind of layer; the stride of the first and the odd frames make paddings differ on both sides.
    private static let everything = layers(.hardSwish, .relu6, .relu, gate: .hardSigmoid, CNNLayer.maxPooling)

    /// The same without edges, for central differences.
    private static let smooth = layers(.silu, .tanh, .silu, gate: .sigmoid, CNNLayer.averagePooling)

    private static func layers(
        _ first: MapActivation, _ second: MapActivation, _ third: MapActivation, gate: MapActivation,
        _ pooling: (MapPoolingOptions) -> CNNLayer
    ) -> [CNNLayer] {
        [
            .convolution(.init(filters: 8, kernel: 3, strides: 2, padding: .symmetric, usesBias: false)),
            .batchNormalization(.init(activation: first)),
            .residual(
                .init(
                    "sum",
                    [
                        .convolution(.init(filters: 12, kernel: 1, usesBias: false)), .batchNormalization(.init(activation: .silu)),
                        .depthwiseConvolution(.init("depthwise", kernel: 5, usesBias: false)),
                        .batchNormalization(.init(activation: second)), .squeezeExcite(.init(filters: 4, activation: third, gate: gate)),
                        .convolution(.init(filters: 8, kernel: 1, usesBias: false)), .batchNormalization(.init()),
                    ])),
            .residual(
                .init(
                    nil, [.convolution(.init(filters: 16, padding: .same, groups: 2)), .activation(.init(.tanh))],
                    shortcut: [.convolution(.init("shortcut", filters: 16, kernel: 1))], activation: third)),
            pooling(.init(pool: 3, strides: 2, padding: .same)), .separableConvolution(.init("light", filters: 10, activation: .sigmoid)),
            .zeroPadding(.init()), .averagePooling(.init(pool: 2, strides: 2)),
        ]
    }

    private func network(
        _ layers: [CNNLayer] = everything, trainable: Trainable = .all, threads: Int = 2
    ) throws -> (encoder: FrameEncoder, context: Context) {
        var layout = ParameterLayout()
        let encoder = try FrameEncoder(
            .layers(layers), input: [13, 10, 3], trainable: trainable, pooling: GlobalAveragePooling2D(), layout: &layout)
        let context = try makeContext(layout, threads: threads)
        spreadNormalizations(context)
        return (encoder, context)
    }

    /// Folded normalisation, sums and activations give what the layers give one by one, up to rounding; and however many frames and
    /// threads there are, the bits are the same.
    @Test func predictionsAreTheLayersOneByOne() throws {
        let (encoder, context) = try network()
        var tensors = TestTensors(seed: 4)
        let frames = tensors.uniform([19, 13, 10, 3])
        let found = features(encoder, frames, context)
        let plan = ActivationPlan(encoder, frames: 19, limit: .max)
        let single = encoder.forward(frames: frames, saving: plan, context).features
        // Some ten layers, each with a few roundings.
        #expect(relativeError(found, single.array) <= 1e-5)
        let other = try network(threads: 1)
        #expect(features(other.encoder, frames, other.context) == found)
        let parts = (0..<19).flatMap { features(encoder, frames.rows($0..<$0 + 1), context) }
        #expect(parts == found)
    }

    /// Gradients with frozen and with trained statistics, by central differences of a smooth network.
    @Test(arguments: [false, true])
    func gradients(isTraining: Bool) throws {
        let (encoder, context) = try network(Self.smooth)
        context.isTraining = isTraining
        var tensors = TestTensors(seed: 5)
        let frames = tensors.uniform([3, 13, 10, 3])
        let weights = tensors.uniform(encoder.outputShape.prepending(3))
        let plan = ActivationPlan(encoder, frames: 3, limit: .max)
        func loss() -> Double {
            let mark = context.workspace.mark
            defer { context.workspace.release(to: mark) }
            context.parameters.didChange()
            return weightedSum(encoder.forward(frames: frames, saving: plan, context).features, weights)
        }
        context.parameters.zeroGradients()
        let mark = context.workspace.mark
        let saved = encoder.forward(frames: frames, saving: plan, context)
        let dFeatures = context.workspace.take(weights.shape)
        dFeatures.copy(from: weights)
        encoder.backward(frames: frames, saved: saved, dFeatures: dFeatures, context)
        context.workspace.release(to: mark)
        let largest = context.parameters.gradients.tensor([context.parameters.gradients.count]).array.map(abs).max() ?? 0
        for slice in context.parameters.slices where slice.isTrainable {
            let gradient = try #require(context.parameters.gradient(slice))
            // A bias before a trained normalisation has none.
            guard gradient.array.contains(where: { abs($0) > 1e-3 * largest }) else { continue }
            let error = gradientError(
                at: context.parameters.value(slice), analytic: gradient, step: 5e-3, sampling: 12, loss: loss)
            // Rounding of the loss shows in small gradients: a thousandth of the largest is allowed, too.
            let own = gradient.array.map(abs).max() ?? 0
            #expect(error <= 2e-2 + 1e-3 * Double(largest / own), "\(slice.name)")
        }
    }

    /// Frozen statistics do not depend on other frames: plans, threads and groups of frames leave the bits of gradients alone, and so
    /// does the cut before the first trained layer.
    @Test(arguments: [Trainable.from("shortcut"), .from("light_depthwise")])
    func bitsDependOnNeitherThreadsNorPlans(_ trainable: Trainable) throws {
        var tensors = TestTensors(seed: 6)
        let frames = tensors.uniform([37, 13, 10, 3])
        func gradients(threads: Int, limit: Int) throws -> [Float] {
            let (encoder, context) = try network(trainable: trainable, threads: threads)
            let dFeatures = context.workspace.take(encoder.outputShape.prepending(37))
            for index in 0..<dFeatures.count { dFeatures.base[index] = Float(index % 7) - 3 }
            context.parameters.zeroGradients()
            addGradients(encoder, frames: frames, dFeatures: dFeatures, context, limit: limit)
            return context.parameters.gradients.tensor([context.parameters.gradients.count]).array
        }
        let expected = try gradients(threads: 1, limit: .max)
        #expect(expected.contains { $0 != 0 })
        #expect(try gradients(threads: 3, limit: .max) == expected)
        #expect(try gradients(threads: 2, limit: 0) == expected)
    }

    /// A network is cut before the branch that has the first trained layer; the frozen layers of the branch stay as they are.
    @Test func freezingWithinABranchCutsBeforeIt() throws {
        let (encoder, _) = try network(trainable: .from("depthwise"))
        let (frozen, trained) = encoder.split()
        #expect(frozen?.layers.map(\.name) == ["conv2d_1", "batch_normalization_1"])
        #expect(trained?.layers.first?.name == "conv2d_2")
        #expect(trained?.layers.first?.isTrainable == false)
        #expect(trained?.firstTrainable == 2)
    }

    @Test func explainShowsTheLastMapsOverPositions() throws {
        #expect(try network().encoder.explainedLayer == network().encoder.layers.lastIndex { $0.name == "light_pointwise_activation" })
        var layout = ParameterLayout()
        let resnet = try FrameEncoder(
            .named(.resnet18), input: [64, 64, 3], trainable: .none, pooling: GlobalAveragePooling2D(), layout: &layout)
        #expect(resnet.layers[resnet.explainedLayer].name == "conv5_block2_out")
    }

    @Test func whatDoesNotFitIsNamed() {
        var layout = ParameterLayout()
        let layers: [CNNLayer] = [.residual(.init("sum", [.convolution(.init(filters: 4, strides: 2))]))]
        let error = #expect(throws: VidclassError.self) {
            try FrameEncoder(.layers(layers), input: [8, 8, 3], trainable: .none, layout: &layout)
        }
        #expect(error?.message.contains("layer sum: its layers make maps of 4x4x4 from 8x8x3, but its shortcut 8x8x3") == true)
    }
}
