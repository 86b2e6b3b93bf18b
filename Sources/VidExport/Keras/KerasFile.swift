import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor

/// A native model of Keras 3, `.keras`: a zip of `config.json`, `metadata.json` and `model.weights.h5`, made of Keras's own layers alone.
///
/// It takes `frames`, (batch, T, rows, columns, channels), or vectors (batch, T, F), and where short clips are masked a list of these and
/// `length`, (batch), the number of frames that count. The encoder takes one frame, the head a clip's features.
package struct KerasFile: ExportedFile {
    private let graph: KerasGraph
    private let metadata: [(String, String)]
    /// Variables with their path in `model.weights.h5`.
    private let variables: [KerasGraph.Variable]

    package var tensors: [ExportedTensor] { variables.map(\.tensor) }

    /// - Throws: `.badData` for an option that Keras has no layer for, `.other` if memory runs out.
    package init(_ network: ExportedNetwork, _ part: ExportedPart) throws {
        metadata = network.metadata(part)
        let steps = network.input.frames
        if part == .encoder {
            graph = try KerasFrames(network).graph
        } else {
            var graph = KerasGraph("vidclass")
            let features: String
            if part == .head {
                features = graph.addInput("features", [steps, network.features])
            } else if network.preprocessing == nil {
                features = KerasFile.addVectors(network, to: &graph)
            } else {
                let frames = graph.addInput("frames", [steps] + network.frameShape.dimensions)
                let encoder = try KerasFrames(network).graph
                features = graph.add(
                    .init(
                        name: "frame_by_frame", type: "TimeDistributed", options: [("layer", encoder.configuration)], inputs: [frames],
                        shape: [steps, network.features],
                        variables: encoder.variables.map { .init(path: "layer/\($0.path)", layer: $0.layer, tensor: $0.tensor) }))
            }
            self.graph = try KerasHead(network, graph, features).graph
        }
        variables = graph.variables
    }

    /// Vectors and their standardization, whose numbers are part of the layer's configuration.
    private static func addVectors(_ network: ExportedNetwork, to graph: inout KerasGraph) -> String {
        let shape = [network.input.frames, network.features]
        var value = graph.addInput("frames", shape)
        for case .standardization(let mean, let deviation) in network.frames.map(\.operation) {
            let numbers = { (tensor: ModelTensor) in UnsafeBufferPointer(start: tensor.base, count: tensor.count) }
            value = graph.add(
                .init(
                    name: "normalization", type: "Normalization",
                    options: [
                        ("axis", [-1]), ("mean", .array(numbers(mean).map { .number($0) })),
                        ("variance", .array(numbers(deviation).map { .number(Double($0) * Double($0)) })),
                    ], inputs: [value], shape: shape))
        }
        return value
    }

    private static let weights = "model.weights.h5"

    package func write(to file: AtomicFile) throws {
        let about: JSONNode = .object(
            [("keras_version", "3.0.0"), ("date_saved", "1980-01-01@00:00:00")]
                + [("vidclass", .object(metadata.map { ($0, .string($1)) }))])
        try ZipFile.write(
            [
                ("metadata.json", Array(about.text().utf8)), ("config.json", Array(graph.configuration.text().utf8)),
                (KerasFile.weights, try image()),
            ], to: file)
    }

    /// `model.weights.h5`, in which each group of variables has its layer's name, as in Keras's own files.
    private func image() throws -> [UInt8] {
        let groups = Dictionary(variables.map { (PathText.parent($0.path), $0.layer ?? "") }) { first, _ in first }
        return try HDF5Image.bytes(
            of: variables.map { ($0.path, $0.tensor.shape, $0.tensor.values) },
            names: groups.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }

    package func readBack(_ path: String) throws -> [WrittenTensor] {
        guard let bytes = try ZipFile.entry(KerasFile.weights, of: RegularFile(path), limit: mostBytes) else {
            throw VidclassError.file(path, "could not be read back: its \(KerasFile.weights) is missing or damaged", kind: .inputOutput)
        }
        let image = try MemoryFile(name: KerasFile.weights)
        try bytes.withUnsafeBytes { try image.append($0) }
        let names = Dictionary(variables.map { ($0.path, $0.tensor.name) }) { first, _ in first }
        return try HDF5Image.datasets(image.descriptor, size: image.size, path: path).map {
            WrittenTensor(name: names[$0.path] ?? $0.path, shape: $0.shape, values: $0.values)
        }
    }
}
