import FoundationEssentials
import SwiftProtobuf
import VidCheckpoint
import VidConfig
import VidSystem
import VidTensor

/// An ONNX model (https://onnx.ai) of a network or a part of it.
///
/// Inputs: `frames`, (batch, T, C, H, W) of the whole network, (batch, C, H, W) of the encoder, (batch, T, F) of the head's `features` or of
/// vectors, and where short clips are masked `length`, (batch), the number of frames that count. T is that of the training, or any. Pixels are bytes, or floats where nothing
/// is known of their range (`data.preprocessing` is none). Output: `scores` (batch, classes), or `features` (batch, F) of the encoder.
///
/// Parameters have the checkpoint's names; `ONNXGraph` has their layouts.
package struct ONNXFile: ExportedFile {
    /// The versions of ONNX's operators that the graph is valid for.
    package static let opsets = 17...21

    private let graph: ONNXGraph
    private let model: ONNXModelProto

    package var tensors: [ExportedTensor] { graph.tensors }

    /// What ONNX leaves open.
    package struct Options: Sendable {
        /// The version of ONNX's operators.
        package let opset: Int
        /// Whether recurrent layers are written step by step instead of as LSTM and GRU.
        package let scans: Bool
        /// Whether clips may have any number of frames.
        package let takesAnyFrames: Bool

        package init(opset: Int = ONNXFile.opsets.lowerBound, scans: Bool = false, takesAnyFrames: Bool = false) {
            (self.opset, self.scans, self.takesAnyFrames) = (opset, scans, takesAnyFrames)
        }
    }

    /// - Throws: `.badData` if the model needs its number of frames where any is asked for, `.other` if memory runs out.
    package init(_ network: ExportedNetwork, _ part: ExportedPart, _ options: Options, version: String) throws {
        var graph = ONNXGraph()
        graph.scans = options.scans
        // Inputs and output have their names before any layer of the user's can have them.
        var value = ONNXFile.addInterface(network, part, options, to: &graph)
        let steps = options.takesAnyFrames && part != .encoder ? graph.addSteps(of: value) : .fixed(network.input.frames)
        if part != .head { value = try ONNXFile.addEncoder(network, part, value, steps, to: &graph) }
        if part != .encoder {
            let mask = network.isMasked ? graph.addMask(ONNXFile.length, steps) : nil
            let logits = try graph.addHead(network.head, value, steps, mask)
            value = graph.add("Softmax", [logits], "probabilities", [("axis", .integer(-1))])
        }
        graph.finish(with: value)
        self.graph = graph
        model = ONNXFile.model(graph, network, part, opset: options.opset, version: version)
    }

    private static let length = "length"

    /// Whether pixels are bytes.
    private static func takesBytes(_ network: ExportedNetwork) -> Bool {
        network.preprocessing != nil && network.configuration.data.preprocessing != .none
    }

    /// (C, H, W), or (F) for vectors.
    private static func frame(_ network: ExportedNetwork) -> [Int] {
        let input = network.input
        return network.preprocessing == nil ? network.frameShape.dimensions : [input.channels, input.rows, input.columns]
    }

    /// Adds the inputs and the output; returns the name of the first input.
    private static func addInterface(
        _ network: ExportedNetwork, _ part: ExportedPart, _ options: Options, to graph: inout ONNXGraph
    ) -> String {
        let batch = ONNXGraph.Extent.named("batch")
        let (name, extents) = part == .head ? ("features", [network.features]) : ("frames", frame(network))
        let steps: [ONNXGraph.Extent] = part == .encoder ? [] : [options.takesAnyFrames ? .named("frames") : .fixed(network.input.frames)]
        let isOfBytes = part != .head && takesBytes(network)
        graph.addInput(name, isOfBytes ? .uint8 : .float, [batch] + steps + extents.map { .fixed($0) })
        if part != .encoder, network.isMasked { graph.addInput(length, .int64, [batch]) }
        let (output, count) = part == .encoder ? ("features", network.features) : ("scores", network.classes.count)
        graph.addOutput(output, [batch, .fixed(count)])
        return name
    }

    /// The features of `frames`: (batch, T, F) of the whole network, (batch, F) of the encoder.
    private static func addEncoder(
        _ network: ExportedNetwork, _ part: ExportedPart, _ frames: String, _ steps: ONNXGraph.Steps, to graph: inout ONNXGraph
    ) throws -> String {
        var value = frames
        if takesBytes(network) {
            value = graph.add("Cast", [value], "pixels", [("to", .integer(ONNXTensorProto.DataType.float.rawValue))])
        }
        if part == .whole {
            value = graph.add("Reshape", [value, graph.add(integers: [-1] + frame(network), "frame_extents")], "frames_of_all_clips")
        }
        if let rule = network.preprocessing { value = try graph.addPreprocessing(rule, value) }
        value = graph.addFrames(network.frames, value)
        guard part == .whole else { return value }
        return graph.addClips(value, like: frames, steps, features: network.features, "features_of_clips")
    }

    private static func model(
        _ graph: ONNXGraph, _ network: ExportedNetwork, _ part: ExportedPart, opset: Int, version: String
    ) -> ONNXModelProto {
        var model = ONNXModelProto()
        // What opset 17 came with; later readers know it.
        model.irVersion = 8
        model.producerName = "vidclass"
        model.producerVersion = version
        var operators = ONNXOperatorSetIdProto()
        operators.version = Int64(opset)
        model.opsetImport = [operators]
        model.metadataProps = network.metadata(part).map { key, value in
            var entry = ONNXStringStringEntryProto()
            (entry.key, entry.value) = (key, value)
            return entry
        }
        model.graph.name = "vidclass"
        model.graph.node = graph.nodes
        model.graph.input = graph.inputs
        model.graph.output = graph.outputs
        model.graph.initializer = graph.constants
        return model
    }

    package func write(to file: AtomicFile) throws {
        var model = model
        model.graph.initializer += tensors.map { tensor in
            var proto = ONNXTensorProto()
            proto.name = tensor.name
            proto.dims = tensor.shape.map(Int64.init)
            proto.dataType = .float
            proto.rawData = tensor.values().withUnsafeBytes { Data($0) }
            return proto
        }
        let bytes: Data
        do { bytes = try model.serializedData() } catch {
            throw VidclassError.file(file.path, "the model could not be encoded: \(error)", kind: .inputOutput)
        }
        try file.write(bytes)
    }

    package func readBack(_ path: String) throws -> [WrittenTensor] {
        let bytes = try RegularFile.contents(path, limit: mostBytes)
        let model: ONNXModelProto
        do { model = try ONNXModelProto(serializedBytes: bytes) } catch {
            throw VidclassError.file(path, "could not be read back: \(error)", kind: .inputOutput)
        }
        let constants = Set(graph.constants.map(\.name))
        return model.graph.initializer.filter { !constants.contains($0.name) }.map { proto in
            WrittenTensor(name: proto.name, shape: proto.dims.map(Int.init), values: proto.rawData.withUnsafeBytes { $0.floats })
        }
    }
}
