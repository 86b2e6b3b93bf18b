import Testing
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// Explanations against PyTorch's autograd in double precision (maintain.goldens explain): LSTM with hard sigmoid, GRU,
/// two directions, batch normalisation before and behind, convolution over time and attention, the mean over time, padding; average, maximum and
/// flattening; one class, and one against another.
@Suite struct ExplanationGoldenTests {
    /// Small networks of a few hundred operations a number: rounding of 6e-8 each time, the sums of terms of both signs in the
    /// maps some ten times more of their largest value.
    static let tolerance = 2e-5

    @Test(arguments: ["explain_lstm_average", "explain_gru_max", "explain_gru_flatten", "explain_mean", "explain_attention"])
    func isPyTorchs(_ name: String) throws {
        let sample = try ExplanationCase(name)
        let golden = sample.golden
        let explanation = try sample.explain(workers: 2)
        #expect(relativeError(explanation.logits, try golden.values("logits")) <= Self.tolerance)
        #expect(relativeError([explanation.score], try golden.values("score")) <= Self.tolerance)
        #expect(relativeError([explanation.baseline], try golden.values("baseline")) <= Self.tolerance)
        #expect(relativeError(Array(explanation.weights.joined()), try golden.values("weights")) <= Self.tolerance)
        #expect(relativeError(Array(explanation.maps.joined()), try golden.values("maps")) <= Self.tolerance)
        #expect(relativeError(explanation.contributions, try golden.values("contributions")) <= Self.tolerance)
        let shape = try golden.tensor("maps").shape
        #expect([explanation.maps.count, explanation.mapRows, explanation.mapColumns] == shape.dimensions)
        // With 64 points the numerical integration has an error of its own, which the golden states.
        let missing = try #require(sample.note["missing"]?.doubleValue)
        #expect(abs(Double(explanation.completenessError) - missing) <= 1e-5)
        #expect(explanation.contributions.dropFirst(explanation.validFrames).allSatisfy { $0 == 0 })
        #expect(explanation.maps.dropFirst(explanation.validFrames).allSatisfy { $0.allSatisfy { $0 == 0 } })
    }

    @Test func threadsDoNotShowInTheBits() throws {
        let sample = try ExplanationCase("explain_gru_max")
        #expect(try sample.explain(workers: 1) == sample.explain(workers: 3))
    }

    @Test func explainingLeavesNoGradientsAndTheLogitsOfAPrediction() throws {
        let sample = try ExplanationCase("explain_lstm_average")
        let context = sample.context(workers: 2)
        let explanation = try sample.explain(context)
        let store = sample.classifier.parameters
        #expect((0..<store.gradients.count).allSatisfy { store.gradients.base[$0] == 0 })
        let classifier = sample.classifier
        let features = context.workspace.take([classifier.frames, classifier.features])
        classifier.encoder.encode(frames: sample.frames, into: features, context)
        let logits = classifier.head.forward(
            features.reshaped([1, classifier.frames, classifier.features]), mask: nil, context
        ).logits.array
        #expect(explanation.logits == logits)
    }

    /// Known features and the maps of some frames: the bits are those of running the CNN on all frames.
    @Test(arguments: ["explain_lstm_average", "explain_gru_max", "explain_gru_flatten", "explain_mean", "explain_attention"])
    func mapsOfSomeFramesFromKnownFeatures(_ name: String) throws {
        let sample = try ExplanationCase(name)
        let (context, classifier) = (sample.context(workers: 2), sample.classifier)
        let whole = try sample.explain(context)
        let memory = Buffer(count: classifier.frames * classifier.features)
        let features = memory.tensor([classifier.frames, classifier.features])
        classifier.encoder.encode(frames: sample.frames, into: features, context)
        let places = [0, sample.valid - 1]
        let shown = context.workspace.take(classifier.frameShape.prepending(places.count))
        for (row, place) in places.enumerated() { shown.rows(row..<row + 1).copy(from: sample.frames.rows(place..<place + 1)) }
        let some = classifier.explain(
            try classifier.activations(frames: shown, validFrames: sample.valid, known: (features, places), context),
            target: sample.target, against: sample.against, context)
        #expect(some.logits == whole.logits && some.contributions == whole.contributions && some.score == whole.score)
        for frame in 0..<classifier.frames {
            let isShown = places.contains(frame)
            #expect(some.maps[frame] == (isShown ? whole.maps[frame] : []) && some.weights[frame] == (isShown ? whole.weights[frame] : []))
        }
        #expect(whole.maps[0].contains { $0 > 0 } || whole.maps[places[1]].contains { $0 > 0 })
    }

    @Test func oneClassAgainstAnotherIsTheDifference() throws {
        let sample = try ExplanationCase("explain_lstm_average")
        let context = sample.context(workers: 1)
        let activations = try sample.classifier.activations(frames: sample.frames, validFrames: sample.valid, context)
        let first = sample.classifier.explain(activations, target: 0, context)
        let second = sample.classifier.explain(activations, target: 2, context)
        let both = sample.classifier.explain(activations, target: 0, against: 2, context)
        let difference = zip(first.contributions, second.contributions).map { Double($0 - $1) }
        #expect(relativeError(both.contributions, difference) <= 1e-4)
        #expect(abs(both.score - (first.score - second.score)) <= 1e-6)
    }

    /// The weights are means of the score's gradient in the last convolution's maps: adding e to a channel's bias behind
    /// everything raises A by e wherever it is positive already, so for a network without dead places the score's slope in a
    /// bias is the sum of the gradients over frames and positive places. Here the maps are raised so that all are positive.
    @Test func weightsAreTheSlopeOfTheScore() throws {
        let sample = try ExplanationCase("explain_lstm_average")
        let store = sample.classifier.parameters
        let bias = try #require(store.slice(named: "cnn/block2_conv2/bias"))
        let values = store.value(bias)
        for channel in 0..<bias.count { values.base[channel] += 40 }
        store.didChange()
        let context = sample.context(workers: 1)
        let explanation = try sample.explain(context)
        let places = Double(explanation.mapRows * explanation.mapColumns)
        var found: [Float] = []
        var expected: [Double] = []
        // Two to the minus four: what the score's rounding (1e-7 of about 1) and its third derivative leave is near 1e-5.
        let step: Float = 0.0625
        for channel in 0..<bias.count {
            found.append(Float(explanation.weights.reduce(0) { $0 + Double($1[channel]) } * places))
            let middle = values.base[channel]
            func score(_ value: Float) throws -> Double {
                values.base[channel] = value
                store.didChange()
                let logits = try sample.classifier.activations(frames: sample.frames, validFrames: sample.valid, context).logits
                values.base[channel] = middle
                return Double(logits[sample.target])
            }
            expected.append((try score(middle + step) - score(middle - step)) / Double(2 * step))
        }
        #expect(relativeError(found, expected) <= 1e-2, "\(found) \(expected)")
    }
}

/// A classifier of a golden explanation with its clip.
struct ExplanationCase {
    let golden: Golden
    let note: JSONNode
    let classifier: Classifier
    let frames: Tensor
    let valid: Int
    let target: Int
    let against: Int?

    init(_ name: String) throws {
        golden = try Golden.named(name)
        note = try JSONParser.parse(golden.note)
        let configuration = try RunConfiguration(try #require(note["config"]), source: name)
        classifier = try Classifier(configuration.model, classes: try #require(note["classes"]?.arrayElements).compactMap(\.stringValue))
        for slice in classifier.parameters.slices {
            classifier.parameters.value(slice).copy(from: try golden.tensor("parameters/\(slice.name)"))
        }
        classifier.parameters.didChange()
        frames = try golden.tensor("frames")
        valid = try #require(note["valid"]?.intValue)
        target = try #require(note["target"]?.intValue)
        against = note["against"]?.intValue
    }

    func context(workers: Int) -> Context {
        let context = Context(parameters: classifier.parameters, workers: Workers(count: workers), random: RandomGenerator(seed: 1))
        context.workspace.take([1 << 20]).fill(.nan)
        context.workspace.reset()
        return context
    }

    func explain(workers: Int) throws -> ClipExplanation { try explain(context(workers: workers)) }

    func explain(_ context: Context) throws -> ClipExplanation {
        try classifier.explain(
            classifier.activations(frames: frames, validFrames: valid, context), target: target, against: against, context)
    }
}
