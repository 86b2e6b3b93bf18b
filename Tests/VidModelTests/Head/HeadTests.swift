import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// The whole head: its layers, its gradients through the loss, its bits, and its learning.
@Suite struct HeadTests {
    static func recurrent(_ units: Int, _ change: (inout RecurrentOptions) -> Void = { _ in }) -> RecurrentOptions {
        var options = RecurrentOptions(units: units)
        change(&options)
        return options
    }

    static func model(_ recurrent: [RecurrentLayerConfiguration], _ hidden: [HiddenLayerConfiguration], frames: Int = 4)
        -> ModelConfiguration
    {
        var configuration = ModelConfiguration()
        configuration.input.frames = frames
        configuration.recurrent = recurrent
        configuration.hidden = hidden
        return configuration
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let configuration: ModelConfiguration
        var tolerance = 1e-2
    }

    static let cases: [Case] = [
        Case(
            testDescription: "lstm, dense", configuration: model([.lstm(recurrent(5))], [.dense(DenseOptions(units: 6, activation: .tanh))])
        ),
        Case(
            testDescription: "gru, dense",
            configuration: model([.gru(recurrent(5))], [.dense(DenseOptions(units: 6, activation: .sigmoid))])),
        Case(testDescription: "mean over time", configuration: model([], [])),
        Case(
            testDescription: "norm, mean over time, dense, norm",
            configuration: model(
                [.batchNormalization(.init())], [.dense(DenseOptions(units: 6, activation: .tanh)), .batchNormalization(.init())])),
        Case(
            testDescription: "norm, two-way lstm, gru, dropout, dense, norm",
            configuration: model(
                [
                    .batchNormalization(.init()),
                    .lstm(
                        recurrent(4) {
                            $0.bidirectional = true
                            $0.recurrentActivation = .sigmoid
                            $0.dropout = 0.2
                            $0.recurrentDropout = 0.2
                        }),
                    .gru(recurrent(5) { $0.recurrentActivation = .sigmoid }),
                ], [.dropout(rate: 0.3), .dense(DenseOptions(units: 6, activation: .tanh)), .batchNormalization(.init())])),
        Case(
            testDescription: "norm, conv1d, lstm, attention, norm, mean over time", configuration: mixed(isSequence: true), tolerance: 3e-2),
        Case(testDescription: "norm, conv1d, lstm, attention, gru, norm", configuration: mixed(isSequence: false), tolerance: 3e-2),
    ]

    /// Every kind of layer; `isSequence` has no final state, so that the mean over time follows.
    private static func mixed(isSequence: Bool) -> ModelConfiguration {
        var convolution = Conv1DOptions()
        (convolution.filters, convolution.activation, convolution.padding) = (7, .tanh, .causal)
        var attention = AttentionOptions()
        (attention.numHeads, attention.dropout) = (2, 0.1)
        let layers: [RecurrentLayerConfiguration] = [
            .layerNormalization(.init()), .conv1D(convolution), .lstm(recurrent(6) { $0.recurrentActivation = .sigmoid }),
            .attention(attention),
        ]
        return model(
            layers + (isSequence ? [] : [.gru(recurrent(5) { $0.recurrentActivation = .sigmoid })]) + [.layerNormalization(.init())],
            [.layerNormalization(.init()), .dense(DenseOptions(units: 6, activation: .tanh))])
    }

    /// Forward, and backward twice that without the gradient of the features; the first of the LSTM's states is zero.
    @Test func operationsOfATrainingStep() throws {
        let (head, _) = try build(
            HeadTests.model([.lstm(HeadTests.recurrent(5))], [.dense(DenseOptions(units: 6, activation: .tanh))]), features: 7, classes: 3)
        #expect(head.trainingFlops == Double(2 * (2 * 4 * 7 * 20 + 3 * (3 * 5 * 20 + 5 * 6 + 6 * 3))))
    }

    private func build(_ configuration: ModelConfiguration, features: Int, classes: Int) throws -> (Head, ParameterStore) {
        var layout = ParameterLayout()
        let head = try Head(configuration, features: features, classes: classes, &layout)
        let store = try ParameterStore(layout)
        var random = RandomGenerator(seed: 41)
        try store.initialize(&random)
        return (head, store)
    }

    private func mask(_ tensors: inout TestTensors, _ lengths: [Int], steps: Int) -> Tensor {
        let mask = tensors.zeros([lengths.count, steps])
        for (row, length) in lengths.enumerated() { for step in 0..<length { mask.base[row * steps + step] = 1 } }
        return mask
    }

    // See LayerGradientTests. Normalising a batch of five has strong third derivatives, hence the smaller step; what
    // rounding adds to the differences then is up to 1e-4 of the loss. So has normalising the small states of an LSTM, whose
    // gradients are smaller besides.
    @Test(arguments: cases, [false, true])
    func gradientsOfTheLoss(_ c: Case, _ isMasked: Bool) throws {
        let (head, store) = try build(c.configuration, features: 6, classes: 3)
        // The gradients of a new attention's queries and keys are as small as the rounding of the loss; larger scores have larger ones.
        for slice in store.slices where slice.name.hasSuffix("/query/kernel") || slice.name.hasSuffix("/key/kernel") {
            for i in 0..<slice.count { store.value(slice).base[i] *= 6 }
        }
        var tensors = TestTensors(seed: 42)
        let features = tensors.uniform([5, 4, 6])
        let mask = isMasked ? mask(&tensors, [4, 2, 3, 1, 4], steps: 4) : nil
        let labels = [0, 2, 1, 1, 0]
        let loss = CategoricalCrossEntropy(labelSmoothing: 0.1)
        let workers = Workers(count: 2)
        let context = Context(parameters: store, workers: workers, random: RandomGenerator(seed: 43), isTraining: true)
        let forward = head.forward(features, mask: mask, context)
        let result = loss.evaluate(forward.logits, labels: labels, denominator: 5, context)
        let dFeatures = tensors.nan(features.shape)
        dFeatures.copy(from: try #require(head.backward(result.dLogits, forward, context, needsInputGradient: true)))
        func value() -> Double {
            context.workspace.reset()
            context.random = RandomGenerator(seed: 43)
            return loss.evaluate(head.forward(features, mask: mask, context).logits, labels: labels, denominator: 5, context).loss / 5
        }
        #expect(gradientError(at: features, analytic: dFeatures, step: 3e-3, loss: value) <= c.tolerance)
        for slice in store.slices where !LayerCheck.isGradientZero(slice) {
            guard let gradient = store.gradient(slice) else { continue }
            #expect(
                gradientError(at: store.value(slice), analytic: gradient, step: 3e-3, sampling: 24, loss: value) <= c.tolerance,
                "\(slice.name)")
        }
    }

    @Test(arguments: cases)
    func withoutTheInputsGradientTheOthersAreTheSame(_ c: Case) throws {
        let (head, store) = try build(c.configuration, features: 6, classes: 3)
        var tensors = TestTensors(seed: 44)
        let features = tensors.uniform([3, 4, 6])
        func gradients(_ needsInput: Bool) -> [Float] {
            store.gradients.tensor([store.gradients.count]).fill(0)
            let context = Context(parameters: store, workers: Workers(count: 1), random: RandomGenerator(seed: 45), isTraining: true)
            let forward = head.forward(features, mask: nil, context)
            let result = CategoricalCrossEntropy().evaluate(forward.logits, labels: [0, 1, 2], denominator: 3, context)
            let dFeatures = head.backward(result.dLogits, forward, context, needsInputGradient: needsInput)
            #expect((dFeatures != nil) == needsInput)
            return store.gradients.tensor([store.gradients.count]).array
        }
        #expect(gradients(true) == gradients(false))
    }

    @Test func namesShapesAndParameters() throws {
        let configuration = HeadTests.model(
            [.batchNormalization(.init()), .gru(HeadTests.recurrent(7)), .lstm(HeadTests.recurrent(5) { $0.bidirectional = true })],
            [.dense(DenseOptions(units: 6)), .dropout(rate: 0.5)])
        let (head, store) = try build(configuration, features: 10, classes: 3)
        #expect(
            store.slices.map(\.name) == [
                "recurrent_0/gamma", "recurrent_0/beta", "recurrent_0/moving_mean", "recurrent_0/moving_variance", "recurrent_1/kernel",
                "recurrent_1/recurrent_kernel", "recurrent_1/bias", "recurrent_2/forward/kernel", "recurrent_2/forward/recurrent_kernel",
                "recurrent_2/forward/bias", "recurrent_2/backward/kernel", "recurrent_2/backward/recurrent_kernel",
                "recurrent_2/backward/bias", "hidden_0/kernel", "hidden_0/bias", "output/kernel", "output/bias",
            ])
        #expect(store.slice(named: "recurrent_1/bias")?.shape == [2, 21])
        #expect(store.slice(named: "recurrent_2/forward/kernel")?.shape == [7, 20])
        let expected: [LayerSummary] = [
            .init(name: "recurrent_0", type: "BatchNormalization", outputShape: [4, 10], parameters: 40, isTrainable: true),
            .init(name: "recurrent_1", type: "GRU", outputShape: [4, 7], parameters: 10 * 21 + 7 * 21 + 42, isTrainable: true),
            .init(
                name: "recurrent_2", type: "Bidirectional(LSTM)", outputShape: [10], parameters: 2 * (7 * 20 + 5 * 20 + 20),
                isTrainable: true),
            .init(name: "hidden_0", type: "Dense", outputShape: [6], parameters: 66, isTrainable: true),
            .init(name: "hidden_1", type: "Dropout", outputShape: [6], parameters: 0, isTrainable: false),
            .init(name: "output", type: "Dense", outputShape: [3], parameters: 21, isTrainable: true),
        ]
        #expect(head.layers == expected)
    }

    @Test func withoutAFinalStateTheMeanIsTaken() throws {
        let (head, _) = try build(HeadTests.model([], []), features: 10, classes: 3)
        #expect(head.layers.map(\.type) == ["GlobalAveragePooling1D", "Dense"])

        let (sequence, store) = try build(HeadTests.mixed(isSequence: true), features: 10, classes: 3)
        #expect(
            sequence.layers.map(\.type) == [
                "LayerNormalization", "Conv1D", "LSTM", "MultiHeadAttention", "LayerNormalization", "GlobalAveragePooling1D",
                "LayerNormalization", "Dense", "Dense",
            ])
        #expect(sequence.layers.map(\.outputShape) == [[4, 10], [4, 7], [4, 6], [4, 6], [4, 6], [6], [6], [6], [3]])
        #expect(sequence.layers.map(\.parameters) == [20, 217, 336, 180, 12, 0, 12, 42, 21])
        let names = store.slices.map(\.name).filter { $0.hasPrefix("recurrent_3") || $0.hasPrefix("recurrent_1") }
        #expect(
            names == [
                "recurrent_1/kernel", "recurrent_1/bias", "recurrent_3/query/kernel", "recurrent_3/query/bias", "recurrent_3/key/kernel",
                "recurrent_3/key/bias", "recurrent_3/value/kernel", "recurrent_3/value/bias", "recurrent_3/attention_output/kernel",
                "recurrent_3/attention_output/bias", "recurrent_3/layer_normalization/gamma", "recurrent_3/layer_normalization/beta",
            ])
        #expect(store.slice(named: "recurrent_1/kernel")?.shape == [3, 10, 7])
        #expect(store.slice(named: "recurrent_3/key/kernel")?.shape == [6, 2, 3])
        #expect(store.slice(named: "recurrent_3/attention_output/kernel")?.shape == [2, 3, 6])

        // Behind the final state a normalisation works on that.
        let (state, _) = try build(HeadTests.mixed(isSequence: false), features: 10, classes: 3)
        #expect(state.layers.map(\.outputShape) == [[4, 10], [4, 7], [4, 6], [4, 6], [5], [5], [5], [6], [3]])
    }

    @Test func theFirstLayerThatIsNotFiniteIsNamed() throws {
        let (head, store) = try build(HeadTests.mixed(isSequence: true), features: 10, classes: 3)
        var tensors = TestTensors(seed: 48)
        let context = Context(parameters: store, workers: Workers(count: 2), random: RandomGenerator(seed: 1))
        let features = tensors.uniform([2, 4, 10])
        #expect(head.firstNotFinite(features, mask: nil, context) == nil)
        for name in ["hidden_1/kernel", "recurrent_4/gamma", "recurrent_3/key/kernel", "recurrent_1/kernel", "recurrent_0/beta"] {
            store.value(try #require(store.slice(named: name))).base[0] = .nan
            #expect(head.firstNotFinite(features, mask: nil, context) == String(name.prefix { $0 != "/" }))
        }
    }

    /// The label is 1 for an odd number of positive first features: neither a single step nor a linear model can predict it.
    private func parityTask(_ random: inout RandomGenerator, clips: Int, steps: Int) -> (Buffer, Tensor, [Int]) {
        let buffer = Buffer(count: clips * steps * 2)
        let features = buffer.tensor([clips, steps, 2])
        var labels: [Int] = []
        for clip in 0..<clips {
            var positives = 0
            for step in 0..<steps {
                let isPositive = random.uniform() < 0.5
                positives += isPositive ? 1 : 0
                features.base[(clip * steps + step) * 2] = isPositive ? 1 : -1
                features.base[(clip * steps + step) * 2 + 1] = random.uniform(-0.3, 0.3)
            }
            labels.append(positives % 2)
        }
        return (buffer, features, labels)
    }

    /// Trains on the parity of a sequence; returns the accuracy on other sequences and all final values.
    private func train(_ configuration: ModelConfiguration, steps: Int, updates: Int, threads: Int) throws -> (
        accuracy: Double, values: [Float]
    ) {
        let (head, store) = try build(configuration, features: 2, classes: 2)
        var optimizerConfiguration = OptimizerConfiguration(type: .nadam)
        optimizerConfiguration.learningRate = 0.01
        let optimizer = try Optimizer(optimizerConfiguration, store)
        var state = OptimizerState()
        var data = RandomGenerator(seed: 46)
        let context = Context(parameters: store, workers: Workers(count: threads), random: RandomGenerator(seed: 47), isTraining: true)
        for _ in 0..<updates {
            let (owner, features, labels) = parityTask(&data, clips: 40, steps: steps)
            context.workspace.reset()
            store.gradients.tensor([store.gradients.count]).fill(0)
            let forward = head.forward(features, mask: nil, context)
            let result = CategoricalCrossEntropy().evaluate(forward.logits, labels: labels, denominator: 40, context)
            _ = head.backward(result.dLogits, forward, context, needsInputGradient: false)
            #expect(optimizer.step(store, &state, context.workers))
            withExtendedLifetime(owner) {}
        }
        context.isTraining = false
        let (owner, features, labels) = parityTask(&data, clips: 200, steps: steps)
        var metrics = CategoricalMetrics()
        metrics.add(scores: head.forward(features, mask: nil, context).logits, labels: labels)
        withExtendedLifetime(owner) {}
        return (metrics.accuracy, store.values.tensor([store.values.count]).array)
    }

    @Test(arguments: ["lstm", "gru"])
    func learnsTheParityOfASequence(_ type: String) throws {
        let options = HeadTests.recurrent(16) { $0.recurrentActivation = .sigmoid }
        let configuration = HeadTests.model([type == "lstm" ? .lstm(options) : .gru(options)], [.dense(DenseOptions(units: 16))], frames: 3)
        #expect(try train(configuration, steps: 3, updates: 400, threads: 2).accuracy >= 0.98)
    }

    @Test func trainingGivesTheSameBitsAtAnyThreadCount() throws {
        let configuration = HeadTests.model(
            [
                .batchNormalization(.init()),
                .lstm(
                    HeadTests.recurrent(70) {
                        $0.bidirectional = true
                        $0.dropout = 0.1
                        $0.recurrentDropout = 0.1
                    }),
                .gru(HeadTests.recurrent(65)),
            ], [.dense(DenseOptions(units: 130)), .dropout(rate: 0.2)], frames: 5)
        let one = try train(configuration, steps: 5, updates: 5, threads: 1).values
        #expect(one.allSatisfy { $0.isFinite })
        for threads in [2, 3] { #expect(try train(configuration, steps: 5, updates: 5, threads: threads).values == one) }
    }
}
