import FoundationEssentials
import VidCluster
import VidSystem

/// A piece of work that rank 0 and the other ranks do together.
enum ClusterOrder: Codable, Sendable {
    /// Train one stage. The weights and moments follow.
    case train(StageOrder)
    /// Check clips.
    case check(CheckOrder)
    /// Evaluate a saved model.
    case evaluate(EvaluateOrder)
    /// Predict files with a saved model.
    case predict(PredictOrder)
    /// The command is done.
    case end

    func send(to cluster: any Cluster) async throws { _ = try await cluster.broadcast([UInt8](try JSONEncoder().encode(self))) }

    static func receive(from cluster: any Cluster) async throws -> ClusterOrder {
        let bytes = try await cluster.broadcast([UInt8]())
        do {
            return try JSONDecoder().decode(ClusterOrder.self, from: Data(bytes))
        } catch {
            throw VidclassError(.other, "an order of rank 0 cannot be read (\(error)): this is a bug in vidclass, please report it")
        }
    }
}

/// A stage of a training, as rank 0 starts it.
struct StageOrder: Codable, Sendable {
    /// The run's configuration, every value resolved.
    let config: String
    let classes: [String]
    /// The run's splits.csv, and the digest of the clips and splits (`DataSet.digest`).
    let splits: String
    let digest: String
    /// `TrainerState.text`.
    let state: String
    /// Whether the outputs of frozen layers are kept in memory.
    let keepsFeatures: Bool
}

/// Clips to check, each by one of the ranks.
struct CheckOrder: Codable, Sendable {
    /// The configuration whose loader reads them.
    let config: String
    let isThorough: Bool
    let paths: [String]
}

/// A saved model, whose file follows.
struct ModelOrder: Codable, Sendable {
    /// The rate of clips that are folders of pictures.
    let frameFolderRate: Double?

    /// Gives the file at `path` to the other ranks.
    static func send(_ path: String, to cluster: any Cluster) async throws {
        let file = try RegularFile(path)
        _ = try await cluster.broadcast(try file.bytes(at: 0, count: file.size))
    }

    /// The model that rank 0 gives.
    func receive(from cluster: any Cluster) async throws -> SavedModel {
        let file = try MemoryFile(name: "model")
        try await cluster.broadcast([UInt8]()).withUnsafeBytes { try file.append($0) }
        return try SavedModel(path: file.path, frameFolderRate: frameFolderRate)
    }
}

/// Clips on which a model is evaluated.
struct EvaluateOrder: Codable, Sendable {
    let model: ModelOrder
    let paths: [String]
    let ids: [String]
    let labels: [Int]
}

/// Files to predict, each on one of the ranks.
struct PredictOrder: Codable, Sendable {
    let model: ModelOrder
    let paths: [String]
    /// Seconds of a window and from window to window; nil for whole files.
    let window: Double?
    let stride: Double?
}
