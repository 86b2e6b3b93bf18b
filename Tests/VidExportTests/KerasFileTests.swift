import Testing
import VidCheckpoint
import VidExport
import VidSystem
import VidTestSupport

@Suite struct KerasFileTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    private func entry(_ name: String) throws -> JSONNode {
        try JSONParser.parse(try #require(try ZipFile.entry(name, of: RegularFile(box("model.keras")), limit: 1 << 20)))
    }

    @Test func theModelIsInTheFile() throws {
        let network = try TestNetwork(TestNetwork.model(), data: #"{"short_clips": "mask"}"#)
        try KerasFile(network.exported, .whole).save(to: box("model.keras"))
        let layers = try #require(try entry("config.json")["config"]?["layers"]?.arrayElements)
        #expect(
            layers.compactMap { $0["class_name"]?.stringValue } == [
                "InputLayer", "TimeDistributed", "InputLayer", "Embedding", "Reshape", "Reshape", "LSTM", "Dense", "Dense",
            ])
        #expect(layers[0]["config"]?["batch_shape"] == [nil, 3, 6, 5, 3])
        let frames = try #require(layers[1]["config"]?["layer"]?["config"]?["layers"]?.arrayElements)
        #expect(frames.contains { $0["class_name"]?.stringValue == "Rescaling" && $0["config"]?["offset"]?.arrayElements?.count == 3 })
        #expect(try entry("metadata.json")["vidclass"]?["classes"]?.stringValue == #"["left","right"]"#)
        // Keras keeps nothing that would need code of ours.
        #expect(layers.allSatisfy { $0["module"]?.stringValue == "keras.layers" })
    }

    /// Keras numbers layers of a class by their distance from the output: the inner convolution is two layers farther than the shortcut.
    @Test func variablesAreWhereKerasLooks() throws {
        let frames = try KerasFrames(try TestNetwork(TestNetwork.model()).exported).graph.variables
        let places = Dictionary(uniqueKeysWithValues: frames.map { ($0.tensor.name, $0.path) })
        #expect(places["channel_order"] == "layers/conv2d/vars/0")
        #expect(places["cnn/first/kernel"] == "layers/conv2d_1/vars/0" && places["cnn/first/bias"] == "layers/conv2d_1/vars/1")
        #expect(places["cnn/inner/kernel"] == "layers/conv2d_2/vars/0" && places["cnn/short/kernel"] == "layers/conv2d_3/vars/0")
        #expect(places["cnn/norm/moving_variance"] == "layers/batch_normalization/vars/3")
        #expect(places["cnn/deep/kernel"] == "layers/depthwise_conv2d/vars/0")
        #expect(frames.first { $0.tensor.name == "cnn/deep/kernel" }?.tensor.shape == [3, 3, 4, 1])
        #expect(KerasGraph.snakeCase("MultiHeadAttention") == "multi_head_attention" && KerasGraph.snakeCase("LSTM") == "lstm")
    }

    /// Keras 3's hard_sigmoid is flatter: what it is applied to is 1.2 times as large.
    @Test func hardSigmoidsGetSteeperInputs() throws {
        let network = try TestNetwork(TestNetwork.model())
        let tensors = Dictionary(uniqueKeysWithValues: try KerasFile(network.exported, .head).tensors.map { ($0.name, $0.values()) })
        for part in ["kernel", "recurrent_kernel", "bias"] {
            let own = try network.values("recurrent_0/\(part)")
            // i, f, c, o of two units each.
            #expect(tensors["recurrent_0/\(part)"] == own.enumerated().map { $0.offset % 8 / 2 == 2 ? $0.element : $0.element * 1.2 })
        }
        #expect(tensors["hidden_0/kernel"] == (try network.values("hidden_0/kernel")).map { $0 * 1.2 })
        #expect(tensors["output/kernel"] == (try network.values("output/kernel")))
    }

    @Test func whatKerasDoesNotHaveIsNamed() throws {
        let lstm = try TestNetwork(TestNetwork.model(#"{"type": "lstm", "units": 2, "activation": "hard_sigmoid"}"#))
        let error = failure { _ = try KerasFile(lstm.exported, .whole) }
        #expect(
            error?.kind == .badData && error?.message.contains("recurrent_0") == true && error?.message.contains("hard_sigmoid") == true)
        let pooled = TestNetwork.model().replacing(
            #"{"type": "depthwise_conv2d", "name": "deep", "padding": "symmetric"}"#,
            with: #"{"type": "max_pooling2d", "name": "even", "pool": 2, "padding": "symmetric"}"#)
        let even = failure { _ = try KerasFile(try TestNetwork(pooled).exported, .whole) }
        #expect(even?.message.contains("the layer even: Keras has no max_pooling2d with padding symmetric and a pool of 2x2") == true)
    }

    @Test func archivesAreReadAsTheyWereWritten() throws {
        let contents: [(name: String, bytes: [UInt8])] = [("a.txt", Array("alpha".utf8)), ("b", []), ("c.bin", [UInt8](0...255))]
        try AtomicFile.write(to: box("a.zip")) { try ZipFile.write(contents, to: $0) }
        let file = try RegularFile(box("a.zip"))
        for (name, bytes) in contents { #expect(try ZipFile.entry(name, of: file, limit: 1 << 20) == bytes) }
        #expect(try ZipFile.entry("d", of: file, limit: 1 << 20) == nil)
        var damaged = try box.bytes("a.zip")
        damaged[30 + 5] ^= 1
        try box.write("b.zip", damaged)
        for (name, limit, text) in [("a.txt", 1 << 20, "its a.txt does not match its checksum"), ("c.bin", 100, "at most 100")] {
            let error = failure { _ = try ZipFile.entry(name, of: RegularFile(box("b.zip")), limit: limit) }
            #expect(error?.kind == .badData && error?.message.contains(text) == true)
        }
    }
}
