import Testing
import VidModel
import VidTensor
import VidTestSupport

/// Softmax cross-entropy against PyTorch and Keras.
@Suite struct GoldenLossTests {
    /// Logits of up to 200 are exponents: rounding of 6e-8 x 200 in one of them.
    static let tolerances = ["plain": 1e-6, "smoothed": 1e-6, "large": 1e-5]

    @Test(arguments: ["plain", "smoothed", "large"])
    func crossEntropy(_ name: String) throws {
        let golden = try Golden.named("cross_entropy")
        let logits = try golden.tensor("\(name)/logits")
        let labels = try golden.values("\(name)/labels").map { Int($0) }
        let context = Context(
            parameters: try ParameterStore(ParameterLayout()), workers: Workers(count: 2), random: RandomGenerator(seed: 1),
            isTraining: true)
        let loss = CategoricalCrossEntropy(labelSmoothing: try golden.values("\(name)/label_smoothing")[0])
        let result = loss.evaluate(logits, labels: labels, denominator: labels.count, context)
        var errors = GoldenErrors()
        errors.compare("d_logits", result.dLogits, try golden.tensor("\(name)/d_logits"))
        let probabilities = context.workspace.take(logits.shape)
        Softmax.forward(logits, into: probabilities, context.workers)
        errors.compare("probabilities", probabilities, try golden.tensor("\(name)/probabilities"))
        let mean = Float(result.loss / Double(labels.count))
        let lossError = relativeError([mean], try golden.values("\(name)/loss"))
        let tolerance = try #require(Self.tolerances[name])
        #expect(errors.worst <= tolerance, "\(errors)")
        #expect(lossError <= tolerance)
    }
}
