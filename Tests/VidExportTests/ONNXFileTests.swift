import Foundation
import SwiftProtobuf
import Testing
import VidCheckpoint
import VidExport
import VidSystem
import VidTestSupport

@Suite struct ONNXFileTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    /// The model as the file has it.
    private func model(_ network: TestNetwork, _ part: ExportedPart = .whole, _ options: ONNXFile.Options = .init()) throws
        -> ONNXModelProto
    {
        try ONNXFile(network.exported, part, options, version: "1").save(to: box("model.onnx"))
        return try ONNXModelProto(serializedBytes: box.bytes("model.onnx"))
    }

    private func values(_ model: ONNXModelProto, _ name: String) throws -> (shape: [Int], values: [Float]) {
        let tensor = try #require(model.graph.initializer.first { $0.name == name })
        return (tensor.dims.map(Int.init), tensor.rawData.withUnsafeBytes { $0.floats })
    }

    private func integers(_ model: ONNXModelProto, _ node: String, _ attribute: String) -> [Int64]? {
        model.graph.node.first { $0.name == node }?.attribute.first { $0.name == attribute }?.ints
    }

    @Test func inputsOutputsAndMetadata() throws {
        let network = try TestNetwork(TestNetwork.model(), data: #"{"preprocessing": "caffe", "short_clips": "mask"}"#)
        let whole = try model(network, .whole, .init(opset: 19))
        #expect(whole.opsetImport.map(\.version) == [19])
        #expect(whole.graph.input.map(\.name) == ["frames", "length"] && whole.graph.output.map(\.name) == ["scores"])
        let frames = whole.graph.input[0].type.tensorType
        #expect(
            frames.elemType == .uint8 && frames.shape.dim.map(\.dimValue) == [0, 3, 3, 6, 5] && frames.shape.dim[0].dimParam == "batch")
        #expect(whole.graph.output[0].type.tensorType.shape.dim.map(\.dimValue) == [0, 2])
        let metadata = Dictionary(uniqueKeysWithValues: whole.metadataProps.map { ($0.key, $0.value) })
        #expect(metadata["classes"] == #"["left","right"]"# && metadata["checkpoint"] == "0123")
        #expect(try JSONParser.parse(metadata["config"] ?? "")["model"]?["input"]?["rows"]?.intValue == 6)

        let encoder = try model(network, .encoder)
        #expect(encoder.graph.input.map(\.name) == ["frames"] && encoder.graph.output.map(\.name) == ["features"])
        #expect(encoder.graph.input[0].type.tensorType.shape.dim.map(\.dimValue) == [0, 3, 6, 5])
        let head = try model(network, .head)
        #expect(head.graph.input.map(\.name) == ["features", "length"])
        #expect(head.graph.initializer.allSatisfy { !$0.name.hasPrefix("cnn/") })
        let floats = try model(try TestNetwork(TestNetwork.model(), data: #"{"preprocessing": "none"}"#))
        #expect(floats.graph.input[0].type.tensorType.elemType == .float)
    }

    /// Each value is made before it is used, under a name of its own.
    @Test func theGraphIsInOrder() throws {
        let graph = try model(try TestNetwork(TestNetwork.model(#"{"type": "attention", "num_heads": 2}"#))).graph
        var known = Set(graph.input.map(\.name) + graph.initializer.map(\.name))
        #expect(known.count == graph.input.count + graph.initializer.count)
        for node in graph.node {
            #expect(node.input.allSatisfy { $0.isEmpty || known.contains($0) }, "\(node.name)")
            for output in node.output where !output.isEmpty { #expect(known.insert(output).inserted, "\(output)") }
        }
        #expect(known.contains("scores"))
    }

    @Test func convolutionsHaveFiltersFirstAndTheirPaddings() throws {
        let network = try TestNetwork(TestNetwork.model())
        let model = try model(network)
        let (kernel, own) = (try values(model, "cnn/first/kernel"), try network.values("cnn/first/kernel"))
        #expect(kernel.shape == [4, 3, 3, 3])
        // Of 4 filters, 3 channels and 3 x 3 taps, in the first row.
        let (filter, channel, column) = (1, 2, 1)
        let (place, ownPlace) = ((filter * 3 + channel) * 9 + column, (column * 3 + channel) * 4 + filter)
        #expect(kernel.values[place] == own[ownPlace])
        #expect(try values(model, "cnn/deep/kernel").shape == [4, 1, 3, 3])
        // Strides of 2 over 6 x 5: the odd place is below.
        #expect(integers(model, "first", "pads") == [0, 1, 1, 1] && integers(model, "first", "strides") == [2, 2])
        #expect(integers(model, "deep", "pads") == [1, 1, 1, 1])
        #expect(model.graph.node.first { $0.name == "deep" }?.attribute.first { $0.name == "group" }?.i == 4)
        #expect(model.graph.node.contains { $0.opType == "Gather" })
    }

    /// i, f, c, o of the checkpoint are i, o, f, c in ONNX; the bias of the recurrent product is zero.
    @Test func gatesOfAnLSTM() throws {
        let network = try TestNetwork(TestNetwork.model(#"{"type": "lstm", "units": 2, "bidirectional": true}"#))
        let model = try model(network)
        for (part, rows) in [("kernel", 4), ("recurrent_kernel", 2)] {
            let (shape, found) = try values(model, "recurrent_0/\(part)")
            #expect(shape == [2, 8, rows])
            for (direction, way) in ["forward", "backward"].enumerated() {
                let own = try network.values("recurrent_0/\(way)/\(part)")
                for (place, gate) in [0, 3, 1, 2].enumerated() {
                    let block = columns(own, width: 8, block: gate, of: 4)
                    for unit in 0..<2 {
                        let row = ((direction * 8) + place * 2 + unit) * rows
                        let expected = block.map { $0[unit] }
                        #expect(Array(found[row..<row + rows]) == expected, "\(way) \(part), gate \(gate)")
                    }
                }
            }
        }
        let (shape, biases) = try values(model, "recurrent_0/bias")
        let own = try network.values("recurrent_0/backward/bias")
        #expect(shape == [2, 16])
        #expect(Array(biases[16..<24]) == [0, 1, 6, 7, 2, 3, 4, 5].map { own[$0] } && biases[24...].allSatisfy { $0 == 0 })
        let node = try #require(model.graph.node.first { $0.opType == "LSTM" })
        let attributes = Dictionary(uniqueKeysWithValues: node.attribute.map { ($0.name, $0) })
        #expect(attributes["direction"]?.s == Data("bidirectional".utf8) && attributes["layout"]?.i == 0)
        #expect(
            attributes["activations"]?.strings.map { String(decoding: $0, as: UTF8.self) }
                == ["HardSigmoid", "Tanh", "Tanh", "HardSigmoid", "Tanh", "Tanh"])
        #expect(attributes["activation_alpha"]?.floats.allSatisfy { $0 == 0.2 } == true)
        #expect(attributes["activation_beta"]?.floats.allSatisfy { $0 == 0.5 } == true)
    }

    @Test func gatesOfAGRU() throws {
        let network = try TestNetwork(TestNetwork.model(#"{"type": "gru", "units": 2, "recurrent_activation": "sigmoid"}"#))
        let model = try model(network)
        let own = try network.values("recurrent_0/kernel")
        let kernel = try values(model, "recurrent_0/kernel")
        #expect(kernel.shape == [1, 6, 4] && Array(kernel.values[4..<8]) == (0..<4).map { own[$0 * 6 + 1] })
        #expect(try values(model, "recurrent_0/bias").values == network.values("recurrent_0/bias"))
        let node = try #require(model.graph.node.first { $0.opType == "GRU" })
        #expect(node.attribute.first { $0.name == "linear_before_reset" }?.i == 1)
        #expect(!node.attribute.contains { $0.name == "activation_alpha" })
    }

    /// With Scan, parameters keep the checkpoint's layout, and each direction runs its own way through time.
    @Test func recurrentLayersStepByStep() throws {
        for cell in ["lstm", "gru"] {
            let network = try TestNetwork(
                TestNetwork.model(#"{"type": "\#(cell)", "units": 2, "bidirectional": true}"#), data: #"{"short_clips": "mask"}"#)
            let model = try model(network, .whole, .init(scans: true))
            let kernel = try values(model, "recurrent_0/backward/kernel")
            #expect(kernel.shape == [4, cell == "lstm" ? 8 : 6])
            #expect(try kernel.values == network.values("recurrent_0/backward/kernel"))
            let scans = model.graph.node.filter { $0.opType == "Scan" }
            #expect(scans.map { node in node.attribute.first { $0.name == "scan_input_directions" }?.ints } == [[0, 0], [1, 1]])
            for node in scans {
                let body = try #require(node.attribute.first { $0.name == "body" }?.g)
                // States, gates and which steps count; states again and the output.
                #expect(body.input.count == (cell == "lstm" ? 4 : 3) && body.output.count == (cell == "lstm" ? 3 : 2))
                #expect(body.output.allSatisfy { output in body.node.contains { $0.output.contains(output.name) } })
                #expect(body.node.contains { $0.opType == "HardSigmoid" } && body.node.contains { $0.opType == "Where" })
            }
            #expect(!model.graph.node.contains { ["LSTM", "GRU"].contains($0.opType) })
        }
    }

    /// No extent but those of frames comes from the training, and a layer that needs its number of frames is refused.
    @Test func anyNumberOfFrames() throws {
        let layers = #"{"type": "batch_normalization"}, {"type": "attention", "num_heads": 2, "use_causal_mask": true}"#
        let network = try TestNetwork(TestNetwork.model(layers), data: #"{"short_clips": "mask"}"#)
        for part in [ExportedPart.whole, .head] {
            let graph = try model(network, part, .init(takesAnyFrames: true)).graph
            #expect(graph.input[0].type.tensorType.shape.dim[1].dimParam == "frames")
            #expect(graph.node.filter { $0.opType == "Range" }.count == 2)
            #expect(!graph.initializer.contains { $0.name == "steps" })
        }
        let flat = try TestNetwork(
            TestNetwork.model("").replacing("\"recurrent\"", with: "\"pooling_over_time\": \"flatten\", \"recurrent\""))
        #expect(throws: VidclassError.self) { try model(flat, .whole, .init(takesAnyFrames: true)) }
        _ = try model(flat)
    }

    /// Names of layers are the user's own, and may be those of inputs and outputs.
    @Test func layersMayHaveAnyName() throws {
        let model = TestNetwork.model().replacing(#""first""#, with: #""length""#).replacing(#""inner""#, with: #""scores""#)
            .replacing(#""norm""#, with: #""own-frames""#)
        let network = try TestNetwork(model, data: #"{"short_clips": "mask", "preprocessing": "caffe"}"#)
        let graph = try self.model(network).graph
        #expect(graph.input.map(\.name) == ["frames", "length"] && graph.node.last?.output == ["scores"])
        #expect(graph.node.filter { $0.output.contains("scores") }.count == 1)
        let renamed = model.replacing(#""length""#, with: #""preprocessing""#).replacing(#""scores""#, with: #""frame""#)
            .replacing("own-frames", with: "channel_order")
        try KerasFile(try TestNetwork(renamed).exported, .whole).save(to: box("model.keras"))
    }
}
