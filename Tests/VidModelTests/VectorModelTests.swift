import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// Models without a CNN: flattened frames, and vectors over time.
@Suite struct VectorModelTests {
    private func model(_ input: InputConfiguration, recurrent: [RecurrentLayerConfiguration] = [], flattens: Bool = false)
        -> ModelConfiguration
    {
        var model = ModelConfiguration()
        (model.input, model.cnn, model.recurrent) = (input, nil, recurrent)
        model.poolingOverTime = flattens ? .flatten : .average
        model.hidden = [.dense(DenseOptions(units: 12, activation: .tanh))]
        return model
    }

    private func context(_ classifier: Classifier, isTraining: Bool = false) -> Context {
        let context = Context(
            parameters: classifier.parameters, workers: Workers(count: 2), random: RandomGenerator(seed: 1), isTraining: isTraining)
        context.workspace.take([1 << 18]).fill(.nan)
        context.workspace.reset()
        return context
    }

    /// Logits of clips (B, T, ...) as the file's frames (B x T, ...).
    private func logits(_ classifier: Classifier, _ frames: Tensor, mask: Tensor? = nil, _ context: Context) -> Head.Forward {
        let features = context.workspace.take([frames.shape[0], classifier.features])
        classifier.encoder.encode(frames: frames, into: features, context)
        return classifier.head.forward(
            features.reshaped([frames.shape[0] / classifier.frames, classifier.frames, classifier.features]), mask: mask, context)
    }

    /// Keras: Normalization, adapted to training frames, and LSTM -> Dense or, with masked steps as zeros, Flatten -> Dense.
    @Test(arguments: ["lstm", "flatten"])
    func isKeras(_ kind: String) throws {
        let golden = try Golden.named("vectors_\(kind)")
        let (training, frames) = (try golden.tensor("training"), try golden.tensor("frames"))
        let features = training.shape[1]
        let input = InputConfiguration(frames: 5, features: features)
        var lstm = RecurrentOptions(units: 4)
        lstm.recurrentActivation = .sigmoid
        var configuration = model(input, recurrent: kind == "lstm" ? [.lstm(lstm)] : [], flattens: kind == "flatten")
        configuration.hidden = []
        let classifier = try Classifier(configuration, classes: ["a", "b", "c"])
        var statistics = FeatureStatistics(features: features)
        // In parts of different lengths.
        var start = 0
        for end in [1, 8, training.shape[0]] {
            statistics.add(training.rows(start..<end).array)
            start = end
        }
        let parameters = classifier.parameters
        for slice in parameters.slices where !slice.name.hasPrefix("input/") {
            parameters.value(slice).copy(from: try golden.tensor(slice.name))
        }
        #expect(relativeError(statistics.mean, try golden.values("mean")) <= 1e-6)
        #expect(relativeError(statistics.standardDeviation, try golden.values("standard_deviation")) <= 1e-6)
        for (name, values) in [(Normalization.meanName, statistics.mean), (Normalization.deviationName, statistics.standardDeviation)] {
            let slice = try #require(parameters.slice(named: name))
            #expect(!slice.isTrainable && slice.shape == [features])
            for (index, value) in values.enumerated() { parameters.value(slice).base[index] = value }
        }
        let context = context(classifier)
        let clips = frames.reshaped([frames.shape[0] * frames.shape[1], 1, features, 1])
        let mask = kind == "flatten" ? try golden.tensor("mask") : nil
        let found = logits(classifier, clips, mask: mask, context).logits
        #expect(relativeError(found.array, try golden.values("logits")) <= 1e-5)
    }

    /// A constant feature is only shifted, whatever rounding leaves of its variance; the order of equal parts does not matter.
    @Test func constantFeatures() {
        var statistics = FeatureStatistics(features: 2)
        for part in [7, 3, 11] { statistics.add((0..<part).flatMap { [0.1, Float($0)] }) }
        #expect(statistics.mean[0] == 0.1 && statistics.standardDeviation[0] == 1)
        #expect(statistics.standardDeviation[1] > 1)
        #expect(FeatureStatistics(features: 1).mean == [0] && FeatureStatistics(features: 1).standardDeviation == [1])
    }

    /// Frames are flattened in Keras's order: rows, columns, channels.
    @Test func framesAreFlattened() throws {
        var input = InputConfiguration()
        (input.frames, input.rows, input.columns, input.channels) = (2, 2, 3, 2)
        let classifier = try Classifier(model(input), classes: ["a", "b"])
        #expect(classifier.features == 12 && classifier.trained == nil && !classifier.trainsCNN && classifier.meanFeatureCount == 2)
        let context = context(classifier)
        var tensors = TestTensors(seed: 3)
        defer { withExtendedLifetime(tensors) {} }
        let frames = tensors.uniform([2, 2, 3, 2])
        let features = context.workspace.take([2, 12])
        classifier.encoder.encode(frames: frames, into: features, context)
        #expect(features.array == frames.array)
    }

    @Test(arguments: [nil, [3, 1, 4]])
    func flatteningHasItsGradient(lengths: [Int]?) throws {
        let check = try LayerCheck(FlattenOverTime("flatten"), ParameterLayout(), input: [3, 4, 5], lengths: lengths)
        #expect(check.error() <= 1e-3)
        let output = check.run().output
        if lengths != nil { #expect(output[3 * 5..<20].allSatisfy { $0 == 0 } && output[0..<15].contains { $0 != 0 }) }
    }

    /// The exclusive or of the first and the last of three steps: an MLP on the flattened sequence learns it, and one on the mean cannot.
    @Test func onlyAFlattenedSequenceHasAnOrder() throws {
        func value(_ clip: Int, _ step: Int) -> Float { clip >> step & 1 == 1 ? 1 : -1 }
        func accuracy(flattens: Bool) throws -> Int {
            let classifier = try Classifier(
                model(InputConfiguration(frames: 3, features: 1, standardize: false), flattens: flattens), classes: ["same", "other"])
            try classifier.initialize(seed: 5)
            let (loss, context) = (CategoricalCrossEntropy(labelSmoothing: 0), context(classifier, isTraining: true))
            var settings = OptimizerConfiguration()
            settings.learningRate = 0.02
            let optimizer = try Optimizer(settings, classifier.parameters)
            var state = OptimizerState()
            let clips = (0..<8).map { clip in (0..<3).map { step in value(clip, step) } }
            let labels = clips.map { $0[0] == $0[2] ? 0 : 1 }
            var tensors = TestTensors(seed: 1)
            defer { withExtendedLifetime(tensors) {} }
            let frames = tensors.zeros([24, 1, 1, 1])
            for (index, value) in clips.joined().enumerated() { frames.base[index] = value }
            var right = 0
            for _ in 0..<300 {
                context.workspace.reset()
                classifier.parameters.zeroGradients()
                let forward = logits(classifier, frames, context)
                let result = loss.evaluate(forward.logits, labels: labels, denominator: 8, context)
                right = labels.indices.count { (forward.logits.base[2 * $0] >= forward.logits.base[2 * $0 + 1]) == (labels[$0] == 0) }
                _ = classifier.head.backward(result.dLogits, forward, context, needsInputGradient: false)
                #expect(optimizer.step(classifier.parameters, &state, context.workers))
            }
            return right
        }
        #expect(try accuracy(flattens: true) == 8)
        #expect(try accuracy(flattens: false) < 8)
    }

    /// What the features add up to over the frames is what the frames add.
    @Test func featuresExplainTheFrames() throws {
        let classifier = try Classifier(
            model(InputConfiguration(frames: 4, features: 3), recurrent: [.lstm(RecurrentOptions(units: 5))]), classes: ["a", "b"])
        try classifier.initialize(seed: 2)
        let context = context(classifier)
        var tensors = TestTensors(seed: 7)
        defer { withExtendedLifetime(tensors) {} }
        let frames = tensors.uniform([4, 1, 3, 1])
        let activations = try classifier.activations(frames: frames, validFrames: 3, context)
        let found = classifier.explain(activations, target: 1, against: 0, context)
        #expect(found.mapRows == 0 && found.maps.allSatisfy(\.isEmpty) && found.featureContributions.count == 4)
        for (frame, features) in found.featureContributions.enumerated() {
            #expect(abs(features.reduce(0, +) - found.contributions[frame]) <= 1e-5)
        }
        #expect(found.featureContributions[3] == [0, 0, 0])
        let top = found.topFeatures(2)
        #expect(top.count == 2 && abs(top[0].contribution) >= abs(top[1].contribution))
        #expect(abs(found.topFeatures(3).reduce(0) { $0 + $1.contribution } - (found.score - found.baseline)) <= 1e-3)
    }
}
