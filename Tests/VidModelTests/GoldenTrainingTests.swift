import Testing
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// Whole classifiers trained for 20 steps from the same parameters on the same batches as in PyTorch: the loss of every
/// step and every parameter at the end.
///
/// PyTorch's own single precision ends within 5e-7 to 6e-6 of its double precision here (`float32_drift` in the files),
/// so nothing in these trainings blows rounding up: 1e-4 leaves two orders of magnitude for another order of summation,
/// and none for another formula.
@Suite struct GoldenTrainingTests {
    static let tolerance = 1e-4

    @Test(arguments: ["training_vgg_lstm_mlp", "training_masked_mixture", "training_layers_over_time"])
    func twentySteps(_ name: String) throws {
        let golden = try Golden.named(name)
        let training = try GoldenTraining(golden, source: name)
        let parameters = training.classifier.parameters
        let losses = try golden.values("losses")
        var found: [Float] = []
        for step in losses.indices {
            found.append(try training.step(step))
            if step == 0 {
                let errors = try training.errors(below: "first_gradient") { parameters.gradient($0) }
                // The gradient of a bias before a batch normalisation is what is left of a sum that all but cancels: 2e-5.
                #expect(errors.worst <= Self.tolerance, "gradients of the first step: \(errors)")
            }
        }
        #expect(relativeError(found, losses) <= 1e-5, "losses \(found), expected \(losses)")
        for reference in ["final", "final_float32"] {
            let errors = try training.errors(below: reference) { parameters.value($0) }
            #expect(errors.worst <= Self.tolerance, "\(reference): \(errors)")
        }
        let probabilities = try training.probabilities(0)
        #expect(relativeError(probabilities, try golden.values("probabilities")) <= Self.tolerance)
    }
}

/// A classifier with the parameters, batches and settings of a golden training.
private struct GoldenTraining {
    let golden: Golden
    let classifier: Classifier
    let frames: Tensor
    let mask: Tensor?
    let labels: Tensor
    private let configuration: RunConfiguration
    private let loss: CategoricalCrossEntropy
    private let state: State
    private let optimizer: Optimizer

    private final class State {
        var optimizer = OptimizerState()
    }

    init(_ golden: Golden, source: String) throws {
        let note = try JSONParser.parse(golden.note)
        configuration = try RunConfiguration(try #require(note["config"]), source: source)
        let classes = try #require(note["classes"]?.arrayElements).compactMap(\.stringValue)
        self.golden = golden
        classifier = try Classifier(configuration.model, classes: classes)
        frames = try golden.tensor("frames")
        mask = golden.contains("mask") ? try golden.tensor("mask") : nil
        labels = try golden.tensor("labels")
        loss = CategoricalCrossEntropy(labelSmoothing: configuration.training.labelSmoothing)
        let parameters = classifier.parameters
        for slice in parameters.slices { parameters.value(slice).copy(from: try golden.tensor("initial/\(slice.name)")) }
        parameters.didChange()
        optimizer = try Optimizer(configuration.optimizer, parameters)
        state = State()
    }

    /// One step; the mean loss before it.
    func step(_ step: Int) throws -> Float {
        let parameters = classifier.parameters
        let context = context(isTraining: true)
        let (frames, mask, labels) = batch(step % self.frames.shape[0])
        parameters.gradients.base.update(repeating: 0, count: parameters.gradients.count)
        let features = context.workspace.take([frames.shape[0], classifier.features])
        classifier.encoder.encode(frames: frames, into: features, context)
        let sequence = features.reshaped([labels.count, classifier.frames, classifier.features])
        let forward = classifier.head.forward(sequence, mask: mask, context)
        let result = loss.evaluate(forward.logits, labels: labels, denominator: labels.count, context)
        let dFeatures = try #require(classifier.head.backward(result.dLogits, forward, context, needsInputGradient: true))
        addGradients(classifier.encoder, frames: frames, dFeatures: dFeatures.reshaped(features.shape), context, limit: 0)
        #expect(optimizer.step(parameters, &state.optimizer, context.workers))
        return Float(result.loss / Double(labels.count))
    }

    /// The current classifier's predictions for a batch.
    func probabilities(_ index: Int) throws -> [Float] {
        let context = context(isTraining: false)
        let (frames, mask, labels) = batch(index)
        let features = context.workspace.take([frames.shape[0], classifier.features])
        classifier.encoder.encode(frames: frames, into: features, context)
        let sequence = features.reshaped([labels.count, classifier.frames, classifier.features])
        let logits = classifier.head.forward(sequence, mask: mask, context).logits
        Softmax.forward(logits, into: logits, context.workers)
        return logits.array
    }

    /// How far the trained (or with `final...`, all) parameters' tensors are from those of the golden.
    func errors(below prefix: String, _ tensor: (ParameterSlice) -> Tensor?) throws -> GoldenErrors {
        var errors = GoldenErrors()
        for slice in classifier.parameters.slices where slice.isTrainable || prefix != "first_gradient" {
            if prefix == "first_gradient", LayerCheck.isGradientZero(slice) { continue }
            errors.compare(slice.name, tensor(slice), try golden.tensor("\(prefix)/\(slice.name)"))
        }
        let compared = golden.names.filter { $0.hasPrefix("\(prefix)/") }.count
        #expect(errors.errors.count == compared, "every parameter of the golden is one of the classifier's")
        return errors
    }

    private func context(isTraining: Bool) -> Context {
        let context = Context(
            parameters: classifier.parameters, workers: Workers(count: 2), random: RandomGenerator(seed: 1), isTraining: isTraining)
        context.workspace.take([1 << 20]).fill(.nan)
        context.workspace.reset()
        return context
    }

    private func batch(_ index: Int) -> (frames: Tensor, mask: Tensor?, labels: [Int]) {
        let frames = frames.rows(index..<index + 1)
        let labels = labels.rows(index..<index + 1).array.map { Int($0) }
        let mask = mask?.rows(index..<index + 1)
        return (frames.reshaped(frames.shape.dropFirst), mask.map { $0.reshaped($0.shape.dropFirst) }, labels)
    }
}
