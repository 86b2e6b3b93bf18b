import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// Convolution over time, attention and layer normalisation: gradients, masks, bits.
@Suite struct TimeLayerTests {
    /// See LayerGradientTests.
    private let tolerance = 5e-3

    struct Convolution: Sendable {
        var size = 3
        var padding = TimePadding.same
        var dilation = 1
        var activation = ActivationName.tanh
        var bias = true
        var lengths: [Int]?

        var options: Conv1DOptions {
            var options = Conv1DOptions()
            (options.filters, options.kernelSize, options.padding, options.dilationRate) = (9, size, padding, dilation)
            (options.activation, options.useBias) = (activation, bias)
            return options
        }
    }

    static let convolutions = [
        Convolution(), Convolution(size: 1, activation: .linear), Convolution(size: 4, lengths: [5, 0, 3]),
        Convolution(size: 2, dilation: 2, activation: .softmax, lengths: [2, 5, 1]), Convolution(size: 12, bias: false),
        Convolution(padding: .causal, lengths: [1, 4, 5]), Convolution(size: 2, padding: .causal, dilation: 3, activation: .sigmoid),
    ]

    struct Heads: Sendable {
        var heads = 2
        var size: Int? = 3
        var isCausal = false
        var dropout: Float = 0
        var lengths: [Int]?

        var options: AttentionOptions {
            var options = AttentionOptions()
            (options.numHeads, options.keyDim, options.useCausalMask, options.dropout) = (heads, size, isCausal, dropout)
            return options
        }
    }

    static let attentions = [
        Heads(), Heads(heads: 1, size: nil), Heads(heads: 3, size: nil, lengths: [5, 2, 1]), Heads(isCausal: true),
        Heads(isCausal: true, dropout: 0.3, lengths: [4, 5, 0]), Heads(heads: 9, size: nil, dropout: 0.2),
    ]

    @Test(arguments: convolutions) func convolution(_ c: Convolution) throws {
        var layout = ParameterLayout()
        let layer = Conv1D("conv", features: 6, c.options, &layout)
        #expect(layout.tensors.count == (c.bias ? 2 : 1))
        #expect(try LayerCheck(layer, layout, input: [3, 5, 6], lengths: c.lengths).error() <= tolerance)
        try expectSameBits(layer, layout, input: [3, 5, 6], lengths: c.lengths)
    }

    @Test(arguments: attentions) func attention(_ c: Heads) throws {
        var layout = ParameterLayout()
        let layer = Attention("attention", features: 7, c.options, &layout)
        let check = try LayerCheck(layer, layout, input: [3, 5, 7], lengths: c.lengths, isTraining: c.dropout > 0)
        #expect(check.error() <= tolerance)
        try expectSameBits(layer, layout, input: [3, 5, 7], lengths: c.lengths)
    }

    @Test func dropoutIsForTrainingOnly() throws {
        var layout = ParameterLayout()
        let layer = Attention("attention", features: 7, Heads(dropout: 0.5).options, &layout)
        func output(_ isTraining: Bool) throws -> [Float] {
            try LayerCheck(layer, layout, input: [3, 5, 7], isTraining: isTraining).run().output
        }
        var plain = ParameterLayout()
        let without = Attention("attention", features: 7, Heads().options, &plain)
        #expect(try output(false) == LayerCheck(without, plain, input: [3, 5, 7]).run().output)
        #expect(try output(true) != output(false))
    }

    @Test(arguments: [Shape([9, 7]), [3, 4, 70]])
    func layerNormalization(_ input: Shape) throws {
        var layout = ParameterLayout()
        let layer = LayerNormalization("norm", features: input.last, &layout)
        #expect(try LayerCheck(layer, layout, input: input).error() <= tolerance)
        try expectSameBits(layer, layout, input: input, lengths: nil)
    }

    private func expectSameBits(_ layer: any SequenceLayer, _ layout: ParameterLayout, input: Shape, lengths: [Int]?) throws {
        let one = try LayerCheck(layer, layout, input: input, lengths: lengths, isTraining: true, threads: 1).run()
        for threads in [2, 3] {
            let other = try LayerCheck(layer, layout, input: input, lengths: lengths, isTraining: true, threads: threads).run()
            #expect(one.output == other.output && one.gradients == other.gradients && one.dInput == other.dInput)
        }
    }

    // MARK: - Whole heads

    static func model(_ recurrent: [RecurrentLayerConfiguration], frames: Int) -> ModelConfiguration {
        HeadTests.model(recurrent, [.layerNormalization(.init()), .dense(DenseOptions(units: 6, activation: .tanh))], frames: frames)
    }

    static let stacks: [[RecurrentLayerConfiguration]] = [
        [.conv1D(Convolution().options)], [.conv1D(Convolution(size: 4, padding: .causal, dilation: 2).options)],
        [.attention(Heads().options)], [.attention(Heads(isCausal: true).options)],
        [
            .layerNormalization(.init()), .gru(HeadTests.recurrent(4)), .conv1D(Convolution(activation: .relu).options),
            .batchNormalization(.init()),
        ],
        [
            .lstm(HeadTests.recurrent(4) { $0.bidirectional = true }), .attention(Heads(heads: 3).options),
            .conv1D(Convolution(size: 2).options), .conv1D(Convolution(size: 5).options), .attention(Heads(isCausal: true).options),
            .gru(HeadTests.recurrent(5)), .layerNormalization(.init()),
        ],
    ]

    /// A short clip with padding, also of NaN, among others, gives what it gives alone in a model of its length.
    @Test(arguments: stacks) func paddingAndOtherClipsDoNotMatter(_ recurrent: [RecurrentLayerConfiguration]) throws {
        // Padding that holds NaN is for the layers that replace it; the others meet frames that were shown again.
        let first = recurrent[0]
        let padding: Float = if case .conv1D = first { .nan } else { 100 }
        func head(_ frames: Int) throws -> (Head, Context) {
            var layout = ParameterLayout()
            let head = try Head(Self.model(recurrent, frames: frames), features: 6, classes: 3, &layout)
            let store = try ParameterStore(layout)
            var random = RandomGenerator(seed: 51)
            try store.initialize(&random)
            return (head, Context(parameters: store, workers: Workers(count: 2), random: RandomGenerator(seed: 52)))
        }
        var tensors = TestTensors(seed: 53)
        let (steps, lengths) = (7, [3, 7, 1, 5])
        let features = tensors.uniform([lengths.count, steps, 6], -2, 2)
        let mask = tensors.zeros([lengths.count, steps])
        for (clip, length) in lengths.enumerated() {
            for step in 0..<steps {
                mask.base[clip * steps + step] = step < length ? 1 : 0
                if step >= length { (features.base + (clip * steps + step) * 6).update(repeating: padding, count: 6) }
            }
        }
        let (all, context) = try head(steps)
        let forward = all.forward(features, mask: mask, context)
        let together = forward.logits.array
        let dFeatures = try #require(
            all.backward(tensors.uniform([lengths.count, 3]), forward, context, needsInputGradient: true))
        for (clip, length) in lengths.enumerated() {
            let (alone, own) = try head(length)
            let input = features.rows(clip..<clip + 1).reshaped([steps, 6]).rows(0..<length)
            let logits = alone.forward(input.reshaped([1, length, 6]), mask: nil, own).logits.array
            #expect(relativeError(Array(together[3 * clip..<3 * clip + 3]), logits) <= 5e-6, "clip \(clip)")
            // Nothing depends on the padding.
            let gradient = dFeatures.rows(clip..<clip + 1).reshaped([steps, 6]).rows(length..<steps).array
            #expect(gradient.allSatisfy { $0 == 0 }, "clip \(clip)")
        }
    }

    /// What a step takes from the workspace is within what was planned, which is not far above it.
    @Test(arguments: stacks + [[.attention(Heads(heads: 4, size: 16, dropout: 0.2).options)], [.conv1D(Convolution(size: 9).options)]])
    func memoryIsPlanned(_ recurrent: [RecurrentLayerConfiguration]) throws {
        for (steps, features, clips) in [(7, 6, 4), (40, 60, 8), (3, 300, 1)] {
            var layout = ParameterLayout()
            let head = try Head(Self.model(recurrent, frames: steps), features: features, classes: 3, &layout)
            let store = try ParameterStore(layout)
            var tensors = TestTensors(seed: 54)
            let input = tensors.uniform([clips, steps, features])
            let mask = tensors.uniform([clips, steps], 1, 1)
            let context = Context(parameters: store, workers: Workers(count: 2), random: RandomGenerator(seed: 1), isTraining: true)
            let forward = head.forward(input, mask: mask, context)
            let result = CategoricalCrossEntropy().evaluate(
                forward.logits, labels: Array(repeating: 0, count: clips), denominator: clips, context)
            _ = head.backward(result.dLogits, forward, context, needsInputGradient: true)
            let (taken, planned) = (4 * context.workspace.peak, head.stepBytes(clips: clips))
            #expect(taken <= planned && planned <= 3 * taken + 65536, "\(taken) of \(planned) bytes for \(clips) x \(steps) x \(features)")
        }
    }

    /// Brightness that rises or falls, with every frame's mean over the clips the same: the mean over time says nothing, the order all.
    @Test func learnsTheOrderOfFrames() throws {
        func accuracy(_ recurrent: [RecurrentLayerConfiguration]) throws -> Double {
            var model = Self.model(recurrent, frames: 5)
            (model.input.rows, model.input.columns, model.input.channels) = (2, 2, 1)
            model.cnn?.architecture = .blocks([[4]])
            model.cnn?.weights = nil
            model.cnn?.trainable = Trainable.none
            let classifier = try Classifier(model, classes: ["falls", "rises"])
            try classifier.initialize(seed: 3)
            var settings = OptimizerConfiguration(type: .nadam)
            settings.learningRate = 0.02
            let optimizer = try Optimizer(settings, classifier.parameters)
            var state = OptimizerState()
            var random = RandomGenerator(seed: 4)
            let context = Context(
                parameters: classifier.parameters, workers: Workers(count: 2), random: RandomGenerator(seed: 5), isTraining: true)
            func logits(_ clips: Int) -> (forward: Head.Forward, labels: [Int]) {
                context.workspace.reset()
                let labels = (0..<clips).map { _ in random.below(2) }
                let frames = context.workspace.take([clips * 5, 2, 2, 1])
                for clip in 0..<clips {
                    for step in 0..<5 {
                        let brightness = Float(labels[clip] == 1 ? step - 2 : 2 - step)
                        for pixel in 0..<4 { frames.base[(clip * 5 + step) * 4 + pixel] = brightness + random.uniform(-0.3, 0.3) }
                    }
                }
                let features = context.workspace.take([clips * 5, classifier.features])
                classifier.encoder.encode(frames: frames, into: features, context)
                let sequence = features.reshaped([clips, 5, classifier.features])
                return (classifier.head.forward(sequence, mask: nil, context), labels)
            }
            for _ in 0..<120 {
                let (forward, labels) = logits(24)
                classifier.parameters.zeroGradients()
                let result = CategoricalCrossEntropy().evaluate(forward.logits, labels: labels, denominator: 24, context)
                _ = classifier.head.backward(result.dLogits, forward, context, needsInputGradient: false)
                #expect(optimizer.step(classifier.parameters, &state, context.workers))
            }
            context.isTraining = false
            let (forward, labels) = logits(200)
            var metrics = CategoricalMetrics()
            metrics.add(scores: forward.logits, labels: labels)
            return metrics.accuracy
        }
        let convolution = Convolution(size: 2, activation: .relu).options
        #expect(try accuracy([.conv1D(convolution)]) >= 0.97)
        #expect(try accuracy([.attention(Heads(isCausal: true).options)]) >= 0.97)
        // The mean over time knows no order, and neither does attention to all steps.
        #expect(try accuracy([]) <= 0.65)
        #expect(try accuracy([.attention(Heads().options)]) <= 0.65)
    }
}
