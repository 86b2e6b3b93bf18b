import Testing
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// LSTM, GRU and Bidirectional: gradients by central differences, masks, order, bits.
@Suite struct RecurrentLayerTests {
    /// See LayerGradientTests.
    private let tolerance = 5e-3

    struct Case: CustomTestStringConvertible, Sendable {
        var isGRU = false
        var units = 5
        var returnSequences = false
        var bidirectional = false
        var activation = ActivationName.tanh
        var recurrentActivation = ActivationName.sigmoid
        var dropout: Float = 0
        var recurrentDropout: Float = 0
        var lengths: [Int]?

        var testDescription: String {
            "\(isGRU ? "GRU" : "LSTM") \(units) units, \(returnSequences ? "sequences" : "final state"), \(bidirectional ? "two ways, " : "")\(activation) and \(recurrentActivation), dropout \(dropout) and \(recurrentDropout), lengths \(lengths.map(String.init(describing:)) ?? "all")"
        }

        func make(_ features: Int, _ layout: inout ParameterLayout) throws -> any SequenceLayer {
            var options = RecurrentOptions(units: units)
            options.activation = activation
            options.recurrentActivation = recurrentActivation
            options.dropout = dropout
            options.recurrentDropout = recurrentDropout
            func one(_ name: String, reversed: Bool, _ layout: inout ParameterLayout) throws -> RecurrentLayer {
                try RecurrentLayer(
                    name, isGRU ? .gru : .lstm, features: features, options, returnSequences: returnSequences, isReversed: reversed, &layout
                )
            }
            guard bidirectional else { return try one("layer", reversed: false, &layout) }
            let forwards = try one("layer/forward", reversed: false, &layout)
            return Bidirectional("layer", forwards: forwards, backwards: try one("layer/backward", reversed: true, &layout))
        }
    }

    static let cases: [Case] = [false, true].flatMap { isGRU in
        [
            Case(isGRU: isGRU),
            Case(isGRU: isGRU, units: 1),
            Case(isGRU: isGRU, units: 70, lengths: [4, 1, 3]),
            Case(isGRU: isGRU, returnSequences: true),
            Case(isGRU: isGRU, returnSequences: true, lengths: [4, 2, 0]),
            Case(isGRU: isGRU, lengths: [1, 4, 2]),
            Case(isGRU: isGRU, bidirectional: true, lengths: [4, 2, 3]),
            Case(isGRU: isGRU, returnSequences: true, bidirectional: true, lengths: [4, 2, 3]),
            Case(isGRU: isGRU, activation: .sigmoid, recurrentActivation: .tanh),
            Case(isGRU: isGRU, activation: .linear, recurrentActivation: .sigmoid),
            Case(isGRU: isGRU, recurrentActivation: .hardSigmoid),
            Case(isGRU: isGRU, dropout: 0.3, recurrentDropout: 0.3, lengths: [4, 2, 3]),
            Case(isGRU: isGRU, returnSequences: true, bidirectional: true, dropout: 0.3, recurrentDropout: 0.3),
        ]
    }

    @Test(arguments: cases)
    func gradients(_ c: Case) throws {
        var layout = ParameterLayout()
        let layer = try c.make(6, &layout)
        let check = try LayerCheck(layer, layout, input: [3, 4, 6], lengths: c.lengths, isTraining: true)
        #expect(check.error() <= tolerance)
    }

    @Test(arguments: cases)
    func theSameBitsAtAnyThreadCount(_ c: Case) throws {
        var wide = c
        wide.units = 150
        func run(_ threads: Int) throws -> (output: [Float], gradients: [Float], dInput: [Float]) {
            var layout = ParameterLayout()
            let layer = try wide.make(70, &layout)
            let lengths = c.lengths.map { lengths in (0..<37).map { lengths[$0 % lengths.count] } }
            return try LayerCheck(layer, layout, input: [37, 4, 70], lengths: lengths, isTraining: true, threads: threads).run()
        }
        let one = try run(1)
        #expect(one.output.allSatisfy { $0.isFinite } && one.gradients.allSatisfy { $0.isFinite } && one.dInput.allSatisfy { $0.isFinite })
        for threads in [2, 3] { #expect(try run(threads) == one) }
    }

    /// A clip padded at its end gives the final state of the clip without padding, both ways, whatever the padding holds.
    @Test(arguments: [false, true], [false, true])
    func paddingDoesNotCount(_ isGRU: Bool, _ bidirectional: Bool) throws {
        var layout = ParameterLayout()
        let layer = try Case(isGRU: isGRU, bidirectional: bidirectional).make(6, &layout)
        let store = try ParameterStore(layout)
        var random = RandomGenerator(seed: 3)
        try store.initialize(&random)
        let context = Context(parameters: store, workers: Workers(count: 2), random: random)
        var tensors = TestTensors(seed: 4)
        let padded = tensors.uniform([1, 5, 6])
        let short = tensors.zeros([1, 3, 6])
        for i in 0..<18 { short.base[i] = padded.base[i] }
        let mask = tensors.zeros([1, 5])
        for step in 0..<3 { mask.base[step] = 1 }
        let expected = layer.forward(short, mask: nil, context).output.array
        #expect(layer.forward(padded, mask: mask, context).output.array == expected)
    }

    /// The reversed half of a bidirectional layer equals a forward layer of the same weights on the reversed sequence.
    @Test(arguments: [false, true])
    func theReversedDirectionReadsFromTheEnd(_ isGRU: Bool) throws {
        var layout = ParameterLayout()
        let layer = try Case(isGRU: isGRU, units: 4, returnSequences: true, bidirectional: true).make(6, &layout)
        let store = try ParameterStore(layout)
        var random = RandomGenerator(seed: 5)
        try store.initialize(&random)
        for slice in store.slices where slice.name.contains("/backward/") {
            let twin = try #require(store.slice(named: slice.name.replacing("/backward/", with: "/forward/")))
            store.value(slice).copy(from: store.value(twin))
        }
        let context = Context(parameters: store, workers: Workers(count: 2), random: random)
        var tensors = TestTensors(seed: 6)
        let input = tensors.uniform([2, 3, 6])
        let reversed = tensors.nan([2, 3, 6])
        for clip in 0..<2 {
            for step in 0..<3 {
                for f in 0..<6 { reversed.base[(clip * 3 + 2 - step) * 6 + f] = input.base[(clip * 3 + step) * 6 + f] }
            }
        }
        let a = layer.forward(input, mask: nil, context).output.array
        let b = layer.forward(reversed, mask: nil, context).output.array
        for clip in 0..<2 {
            for step in 0..<3 {
                let (there, mirrored) = ((clip * 3 + step) * 8, (clip * 3 + 2 - step) * 8)
                #expect(Array(a[there + 4..<there + 8]) == Array(b[mirrored..<mirrored + 4]))
            }
        }
    }

    @Test func softmaxIsRefused() {
        var options = RecurrentOptions(units: 3)
        options.activation = .softmax
        var layout = ParameterLayout()
        #expect(throws: VidclassError.self) {
            try RecurrentLayer("recurrent_0", .lstm, features: 2, options, returnSequences: false, &layout)
        }
    }
}
