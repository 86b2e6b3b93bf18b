import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// Central differences through everything at once: CNN, pooling, recurrent layers with masks, dense layers, loss.
@Suite struct ClassifierGradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let recurrent: [RecurrentLayerConfiguration]
        let trainable: Trainable
        let pooling: CNNPooling
        let masked: Bool

        var testDescription: String { name }
    }

    private static func options(_ units: Int, _ gate: ActivationName, bidirectional: Bool = false) -> RecurrentOptions {
        var options = RecurrentOptions(units: units)
        options.recurrentActivation = gate
        options.bidirectional = bidirectional
        return options
    }

    static let cases = [
        Case(name: "lstm", recurrent: [.lstm(options(5, .sigmoid))], trainable: .all, pooling: .average, masked: false),
        Case(name: "lstm, masked", recurrent: [.lstm(options(5, .hardSigmoid))], trainable: .all, pooling: .flatten, masked: true),
        Case(name: "gru, masked", recurrent: [.gru(options(5, .sigmoid))], trainable: .all, pooling: .max, masked: true),
        Case(
            name: "normalised bidirectional lstm over gru, masked, from block2_conv1",
            recurrent: [
                .batchNormalization(BatchNormalizationOptions()), .gru(options(4, .sigmoid)),
                .lstm(options(3, .sigmoid, bidirectional: true)),
            ], trainable: .from("block2_conv1"), pooling: .average, masked: true),
        Case(
            name: "attention, conv1d, lstm, masked",
            recurrent: [
                .attention(TimeLayerTests.Heads(isCausal: true).options), .conv1D(TimeLayerTests.Convolution().options),
                .lstm(options(4, .sigmoid)),
            ], trainable: .all, pooling: .average, masked: true),
        Case(name: "mean over time, masked", recurrent: [], trainable: .all, pooling: .average, masked: true),
    ]

    private static let labels = [0, 2, 1]

    private static func classifier(_ test: Case) throws -> Classifier {
        var model = ModelConfiguration()
        (model.input.frames, model.input.rows, model.input.columns) = (4, 6, 6)
        model.cnn?.architecture = .blocks([[3], [4]])
        model.cnn?.weights = nil
        model.cnn?.trainable = test.trainable
        model.cnn?.pooling = test.pooling
        model.recurrent = test.recurrent
        model.hidden = [.dense(DenseOptions(units: 6, activation: .tanh))]
        let classifier = try Classifier(model, classes: ["a", "b", "c"])
        try classifier.initialize(seed: 5)
        return classifier
    }

    /// With steps of 2e-3 and a loss of order one, single precision leaves about 1e-7 / 2e-3 = 5e-5 of noise on slopes whose
    /// largest is about 1e-2, and as much again of curvature: 2e-2 of the largest. A few weights have edges to both sides within
    /// a step and are further off.
    @Test(arguments: cases)
    func gradientOfEveryParameter(_ test: Case) throws {
        let classifier = try Self.classifier(test)
        let context = Context(
            parameters: classifier.parameters, workers: Workers(count: 2), random: RandomGenerator(seed: 3), isTraining: true)
        let (batch, steps) = (Self.labels.count, classifier.frames)
        var tensors = TestTensors(seed: 6)
        let frames = tensors.uniform(classifier.frameShape.prepending(batch * steps), -3, 3)
        var mask: Tensor?
        if test.masked {
            let rows = tensors.zeros([batch, steps])
            for (clip, valid) in [4, 2, 3].enumerated() { for step in 0..<valid { rows.base[clip * steps + step] = 1 } }
            mask = rows
        }
        let loss = CategoricalCrossEntropy(labelSmoothing: 0.1)
        let statistics = classifier.parameters.slices.filter { $0.name.contains("moving") }.map { (classifier.parameters.value($0), $0) }
        let saved = statistics.map { $0.0.array }

        /// Forward and, where it is asked for, backward; moving statistics are put back, so that every call sees the same model.
        func evaluate(backward: Bool) -> Double {
            classifier.parameters.didChange()
            context.workspace.reset()
            let features = context.workspace.take([batch * steps, classifier.features])
            classifier.encoder.encode(frames: frames, into: features, context)
            let forward = classifier.head.forward(features.reshaped([batch, steps, classifier.features]), mask: mask, context)
            let result = loss.evaluate(forward.logits, labels: Self.labels, denominator: batch, context)
            if backward {
                classifier.parameters.zeroGradients()
                let dFeatures = classifier.head.backward(result.dLogits, forward, context, needsInputGradient: true)
                if let dFeatures {
                    addGradients(classifier.encoder, frames: frames, dFeatures: dFeatures.reshaped(features.shape), context)
                }
            }
            for (statistic, values) in zip(statistics, saved) { statistic.0.copy(from: values) }
            return result.loss / Double(batch)
        }

        _ = evaluate(backward: true)
        var checked = 0
        for slice in classifier.parameters.slices {
            guard let gradient = classifier.parameters.gradient(slice) else { continue }
            let errors = gradientErrors(at: classifier.parameters.value(slice), gradient) { evaluate(backward: false) }
            #expect(errors[errors.count * 8 / 10] <= 2e-2, "\(slice.name)")
            #expect(errors[errors.count - 1] <= 1e-1, "\(slice.name)")
            checked += 1
        }
        #expect(checked == classifier.parameters.slices.filter(\.isTrainable).count && checked >= 4)
    }

    /// The distance of the analytic gradient from the slope to either side, whichever is nearer, relative to the largest slope
    /// seen: an edge of a ReLU or a maximum lies to one side of a weight or the other, seldom to both. Sorted, NaN last.
    private func gradientErrors(at point: Tensor, _ analytic: Tensor, loss: () -> Double) -> [Double] {
        let step: Float = 2e-3
        var random = RandomGenerator(seed: 7)
        let centre = loss()
        var largest = 1e-3
        var distances: [Double] = []
        for index in random.permutation(point.count).prefix(24) {
            let value = point.base[index]
            point.base[index] = value + step
            let above = (loss() - centre) / (Double(point.base[index]) - Double(value))
            point.base[index] = value - step
            let below = (centre - loss()) / (Double(value) - Double(point.base[index]))
            point.base[index] = value
            let gradient = Double(analytic.base[index])
            distances.append(min(abs(above - gradient), abs(below - gradient)))
            largest = max(largest, abs(above), abs(below))
        }
        if distances.contains(where: \.isNaN) || largest.isNaN { return [.nan] }
        return distances.sorted().map { $0 / largest }
    }
}
