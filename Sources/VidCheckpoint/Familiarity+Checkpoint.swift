import VidModel
import VidSystem
import VidTensor
import VidTrain

// The tensors of `Familiarity` in a finished run's `best.safetensors`: `familiarity/features` (clips, D) of training clips, and
// `familiarity/distances` (m) of known clips, ascending.

extension Familiarity {
    private static let featuresName = Checkpoint.familiarityPrefix + "features"
    private static let distancesName = Checkpoint.familiarityPrefix + "distances"

    /// Calls `body` with the tensors to be saved, which exist no longer than the call.
    package func withTensors<Result>(_ body: ([NamedTensor]) throws -> Result) throws -> Result {
        let buffer = try Buffer(allocating: features.count + distances.count, isZeroed: false)
        let rows = buffer.tensor([clips, dimensions])
        let known = buffer.tensor([distances.count], offset: features.count)
        rows.copy(from: features)
        known.copy(from: distances)
        return try withExtendedLifetime(buffer) {
            try body([NamedTensor(Familiarity.featuresName, rows), NamedTensor(Familiarity.distancesName, known)])
        }
    }

    /// Whether the checkpoint holds it.
    package static func isIn(_ checkpoint: Checkpoint) -> Bool { checkpoint.tensor(named: featuresName) != nil }

    /// The one saved in `checkpoint`, for a model whose features have `dimensions` numbers; nil if it holds none.
    ///
    /// - Throws: `.badData` for tensors that no training writes. Nothing large is allocated before their shapes are checked.
    package init?(_ checkpoint: Checkpoint, dimensions: Int) throws {
        let file = checkpoint.file
        if let other = file.entries.first(where: {
            $0.name.hasPrefix(Checkpoint.familiarityPrefix) && $0.name != Familiarity.featuresName && $0.name != Familiarity.distancesName
        }) {
            throw VidclassError.file(file.path, "tensor \(other.name.quoted) is unknown")
        }
        let (features, distances) = (file.entry(named: Familiarity.featuresName), file.entry(named: Familiarity.distancesName))
        guard features != nil || distances != nil else { return nil }
        let clips = Familiarity.fewestClips...max(Familiarity.fewestClips, Familiarity.capacity(dimensions))
        // guard: familiarity-of-this-model, without: , features.shape[1] == dimensions ->
        guard let features, features.shape.count == 2, clips.contains(features.shape[0]), features.shape[1] == dimensions else {
            throw VidclassError.file(
                file.path,
                "tensor \(Familiarity.featuresName.quoted) is \(features?.shapeText ?? "missing"), expected "
                    + "(\(clips.lowerBound) to \(clips.upperBound), \(dimensions))")
        }
        let counts = Familiarity.fewestClips...Familiarity.mostDistances
        guard let distances, distances.shape.count == 1, counts.contains(distances.shape[0]) else {
            throw VidclassError.file(
                file.path,
                "tensor \(Familiarity.distancesName.quoted) is \(distances?.shapeText ?? "missing"), expected "
                    + "(\(counts.lowerBound) to \(counts.upperBound))")
        }
        let known = try Familiarity.values(distances, file)
        guard known[0] >= 0, zip(known, known.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw VidclassError.file(
                file.path, "tensor \(Familiarity.distancesName.quoted): expected distances of at least 0 in ascending order")
        }
        self.init(dimensions: dimensions, features: try Familiarity.values(features, file), distances: known)
    }

    /// - Throws: `.badData` if a value is not finite.
    private static func values(_ entry: SafetensorsEntry, _ file: SafetensorsFile) throws -> [Float] {
        try file.requireFinite(entry)
        let buffer = try Buffer(allocating: entry.count, isZeroed: false)
        return try withExtendedLifetime(buffer) {
            let values = buffer.tensor(Shape(entry.shape))
            try file.read(entry, into: values)
            return values.array
        }
    }
}
