import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// The layers over features and sequences against PyTorch and Keras: outputs and gradients of input and parameters.
@Suite struct GoldenHeadTests {
    /// Sums of some 20 products of order one round to about 3e-7.
    static let tolerance = 2e-6
    /// Six steps through the state multiply what one step rounds.
    static let recurrentTolerance = 5e-6

    @Test(arguments: ActivationName.allCases)
    func dense(_ activation: ActivationName) throws {
        let golden = try Golden.named("dense")
        let kernel = try golden.tensor("\(activation.rawValue)/kernel").shape
        var layout = ParameterLayout()
        let layer = Dense("hidden_0", features: kernel[0], units: kernel[1], activation: activation, &layout)
        let errors = try GoldenLayerCase(golden, activation.rawValue, layout).errors(layer)
        #expect(errors.worst <= Self.tolerance, "\(errors)")
    }

    struct RecurrentCase: Sendable, CustomTestStringConvertible {
        let isLSTM: Bool
        let gate: ActivationName
        let bidirectional: Bool
        let sequences: Bool
        let masked: Bool

        /// The case's name in the golden file, as maintain.goldens puts it together.
        var testDescription: String {
            let parts = [isLSTM ? "lstm" : "gru", gate.rawValue, bidirectional ? "bidirectional" : "", sequences ? "sequences" : ""]
            return (parts + [masked ? "mask" : ""]).filter { !$0.isEmpty }.joined(separator: "_")
        }

        static let all = [true, false].flatMap { isLSTM in
            [ActivationName.sigmoid, .hardSigmoid].flatMap { gate in
                (0..<8).map { bits in
                    RecurrentCase(
                        isLSTM: isLSTM, gate: gate, bidirectional: bits & 1 != 0, sequences: bits & 2 != 0, masked: bits & 4 != 0)
                }
            }
        }

        func layer(_ name: String, features: Int, units: Int, reversed: Bool = false, _ layout: inout ParameterLayout) throws
            -> RecurrentLayer
        {
            var options = RecurrentOptions(units: units)
            options.recurrentActivation = gate
            return try RecurrentLayer(
                name, isLSTM ? .lstm : .gru, features: features, options, returnSequences: sequences, isReversed: reversed, &layout)
        }
    }

    @Test(arguments: RecurrentCase.all)
    func recurrent(_ test: RecurrentCase) throws {
        let golden = try Golden.named("recurrent")
        let name = test.testDescription
        let features = try golden.tensor("\(name)/input").shape.last
        let units = try golden.tensor("\(name)/output").shape.last / (test.bidirectional ? 2 : 1)
        var layout = ParameterLayout()
        let errors: GoldenErrors
        if test.bidirectional {
            let layer = Bidirectional(
                "recurrent_0", forwards: try test.layer("recurrent_0/forward", features: features, units: units, &layout),
                backwards: try test.layer("recurrent_0/backward", features: features, units: units, reversed: true, &layout))
            errors = try GoldenLayerCase(golden, name, layout).sequenceErrors(layer)
        } else {
            let layer = try test.layer("recurrent_0", features: features, units: units, &layout)
            errors = try GoldenLayerCase(golden, name, layout).sequenceErrors(layer)
        }
        #expect(errors.worst <= Self.recurrentTolerance, "\(errors)")
    }

    @Test(arguments: ["plain", "mask"])
    func meanOverTime(_ name: String) throws {
        let test = try GoldenLayerCase(.named("mean_over_time"), name, ParameterLayout())
        let errors = try test.sequenceErrors(MeanOverTime("mean"))
        #expect(errors.worst <= Self.tolerance, "\(errors)")
    }

    /// The features' means are some 15 deviations from zero, so that the input itself is rounded to 1e-6 of a deviation.
    @Test(arguments: ["training", "training_sequences", "training_mask", "inference"])
    func batchNormalization(_ name: String) throws {
        let golden = try Golden.named("batch_normalization")
        var layout = ParameterLayout()
        let layer = BatchNormalization("hidden_0", features: try golden.tensor("\(name)/gamma").count, &layout)
        let test = try GoldenLayerCase(golden, name, layout, isTraining: name != "inference")
        var errors = try test.sequenceErrors(layer)
        for key in ["moving_mean", "moving_variance"] {
            errors.compare("new_\(key)", test.slice(key).map { test.context.parameters.value($0) }, try test.tensor("new_\(key)"))
        }
        #expect(errors.worst <= 1e-5, "\(errors)")
    }

    @Test(arguments: ["vectors", "sequences"])
    func layerNormalization(_ name: String) throws {
        let golden = try Golden.named("layer_normalization")
        var layout = ParameterLayout()
        let layer = LayerNormalization("hidden_0", features: try golden.tensor("\(name)/gamma").count, &layout)
        let errors = try GoldenLayerCase(golden, name, layout).sequenceErrors(layer)
        #expect(errors.worst <= Self.tolerance, "\(errors)")
    }

    static let convolutions: [(name: String, padding: TimePadding, dilation: Int, activation: ActivationName)] = [
        ("same", .same, 1, .linear), ("same_even_relu", .same, 1, .relu), ("same_dilated_mask", .same, 3, .tanh),
        ("same_long_mask", .same, 1, .sigmoid), ("causal", .causal, 1, .linear), ("causal_dilated_mask_softmax", .causal, 2, .softmax),
        ("causal_unbiased_mask", .causal, 1, .tanh), ("point", .same, 1, .hardSigmoid),
    ]

    @Test(arguments: convolutions)
    func conv1D(_ test: (name: String, padding: TimePadding, dilation: Int, activation: ActivationName)) throws {
        let golden = try Golden.named("conv1d")
        let kernel = try golden.tensor("\(test.name)/kernel").shape
        var options = Conv1DOptions()
        (options.kernelSize, options.filters, options.useBias) = (kernel[0], kernel[2], golden.contains("\(test.name)/bias"))
        (options.padding, options.dilationRate, options.activation) = (test.padding, test.dilation, test.activation)
        var layout = ParameterLayout()
        let layer = Conv1D("recurrent_0", features: kernel[1], options, &layout)
        let errors = try GoldenLayerCase(golden, test.name, layout).sequenceErrors(layer, clearsMaskedSteps: false)
        #expect(errors.worst <= Self.tolerance, "\(errors)")
    }

    @Test(arguments: ["one_head", "heads", "heads_mask", "causal", "causal_mask"])
    func attention(_ name: String) throws {
        let golden = try Golden.named("attention")
        let kernel = try golden.tensor("\(name)/query/kernel").shape
        var options = AttentionOptions()
        (options.numHeads, options.keyDim, options.useCausalMask) = (kernel[1], kernel[2], name.hasPrefix("causal"))
        var layout = ParameterLayout()
        let layer = Attention("recurrent_0", features: kernel[0], options, &layout)
        let test = try GoldenLayerCase(golden, name, layout)
        let errors = try test.sequenceErrors(layer)
        #expect(errors.worst <= Self.tolerance, "\(errors)")
        let bias = try #require(test.slice("key/bias"))
        let dBias = try #require(test.context.parameters.gradient(bias))
        #expect(LayerCheck.isGradientZero(bias) && dBias.array.allSatisfy { abs($0) <= 1e-5 })
    }
}
