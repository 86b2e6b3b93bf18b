import Testing
import VidCheckpoint
import VidModel
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// What tells unfamiliar clips, saved in a checkpoint.
@Suite struct FamiliarityCheckpointTests {
    private let folder: TestFolder

    private let familiarity: Familiarity

    init() throws {
        folder = try TestFolder()
        var random = RandomGenerator(seed: 5)
        func features(_ count: Int) -> [[Float]] { (0..<count).map { _ in (0..<6).map { _ in random.uniform() } } }
        familiarity = try #require(Familiarity(reference: features(24), validation: features(20)))
    }

    private func checkpoint(_ tensors: [NamedTensor]) throws -> Checkpoint {
        let path = folder("best.safetensors")
        try Checkpoint.write(to: path, config: "{}", classes: ["a"], state: nil, tensors: tensors)
        return try Checkpoint.open(path)
    }

    /// A checkpoint with tensors of these shapes, filled with ascending numbers.
    private func checkpoint(shapes: [(String, [Int])], change: ([Tensor]) -> Void = { _ in }) throws -> Checkpoint {
        let buffers = shapes.map { Buffer(count: $0.1.reduce(1, *)) }
        let tensors = zip(shapes, buffers).map { NamedTensor($0.0, $1.tensor(Shape($0.1))) }
        return try withExtendedLifetime(buffers) {
            for tensor in tensors { tensor.tensor.copy(from: (0..<tensor.tensor.count).map(Float.init)) }
            change(tensors.map(\.tensor))
            return try checkpoint(tensors)
        }
    }

    @Test func comesBackAsItWas() throws {
        let store = try fixtureStore()
        let saved = try familiarity.withTensors { try checkpoint(Checkpoint.tensors(of: store) + $0) }
        #expect(try Familiarity(saved, dimensions: 6) == familiarity)
        #expect(Familiarity.isIn(saved))
        // The model does not mind.
        try saved.load(into: try fixtureStore())
        let bare = try checkpoint(Checkpoint.tensors(of: store))
        #expect(try Familiarity(bare, dimensions: 6) == nil && !Familiarity.isIn(bare))
    }

    @Test(
        arguments: [
            ([("familiarity/features", [24, 6])], #""familiarity/distances" is missing"#),
            ([("familiarity/distances", [24])], #""familiarity/features" is missing"#),
            (
                [("familiarity/features", [24, 6]), ("familiarity/distances", [20]), ("familiarity/x", [1])], #""familiarity/x" is unknown"#
            ),
            ([("familiarity/features", [24, 5]), ("familiarity/distances", [20])], "is (24, 5), expected (19 to 1000, 6)"),
            ([("familiarity/features", [18, 6]), ("familiarity/distances", [20])], "is (18, 6), expected (19 to 1000, 6)"),
            ([("familiarity/features", [1001, 6]), ("familiarity/distances", [20])], "is (1001, 6), expected"),
            ([("familiarity/features", [144]), ("familiarity/distances", [20])], "is (144), expected"),
            ([("familiarity/features", [24, 6]), ("familiarity/distances", [0])], "is (0), expected (19 to 1019)"),
            ([("familiarity/features", [24, 6]), ("familiarity/distances", [1020])], "is (1020), expected"),
            ([("familiarity/features", [24, 6]), ("familiarity/distances", [20, 1])], "is (20, 1), expected"),
        ] as [([(String, [Int])], String)])
    func otherShapesAreRefused(_ shapes: [(String, [Int])], _ reason: String) throws {
        let saved = try checkpoint(shapes: shapes)
        let error = failure { _ = try Familiarity(saved, dimensions: 6) }
        #expect(error?.kind == .badData && error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
    }

    @Test(
        arguments: [
            (0, 7, Float.nan, "value 7 is nan"), (1, 3, .infinity, "value 3 is inf"), (1, 3, 2.5e9, "in ascending order"),
            (1, 0, -1, "at least 0"),
        ] as [(Int, Int, Float, String)])
    func otherValuesAreRefused(_ tensor: Int, _ place: Int, _ value: Float, _ reason: String) throws {
        let shapes = [("familiarity/features", [24, 6]), ("familiarity/distances", [20])]
        _ = try Familiarity(checkpoint(shapes: shapes), dimensions: 6)
        let saved = try checkpoint(shapes: shapes) { $0[tensor].base[place] = value }
        let error = failure { _ = try Familiarity(saved, dimensions: 6) }
        #expect(error?.kind == .badData && error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
    }
}
