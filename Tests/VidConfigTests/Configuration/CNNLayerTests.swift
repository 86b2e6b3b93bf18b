import Testing
import VidConfig
import VidSystem

@Suite("Layers of a CNN in the configuration")
struct CNNLayerTests {
    private func decode(_ text: String) throws -> Architecture {
        try Architecture.codec.decode(JSONParser.parse(text), ConfigurationPath("a"))
    }

    private func fault(_ text: String) -> String {
        do {
            _ = try decode(text)
            return "accepted"
        } catch { return (error as? ConfigurationFault)?.message ?? "\(error)" }
    }

    @Test func layersAreReadAndWritten() throws {
        let text = """
            {"layers": [{"type": "conv2d", "filters": 8, "kernel": [3, 5], "strides": 2, "activation": "relu6"},
              {"type": "residual", "layers": [{"type": "separable_conv2d", "filters": 8, "name": "x"}, {"type": "squeeze_excite"}]},
              {"type": "max_pooling2d", "padding": "symmetric", "pool": 3}]}
            """
        let architecture = try decode(text)
        #expect(
            architecture
                == .layers([
                    .convolution(.init(filters: 8, kernel: MapExtent(3, 5), strides: 2, activation: .relu6)),
                    .residual(.init(nil, [.separableConvolution(.init("x", filters: 8)), .squeezeExcite(.init())])),
                    .maxPooling(.init(pool: 3, padding: .symmetric)),
                ]))
        #expect(try Architecture.codec.decode(Architecture.codec.encode(architecture), ConfigurationPath("a")) == architecture)
        #expect(
            architecture.trainedNames == ["conv2d_1", "x_depthwise", "x_pointwise", "squeeze_excite_1_reduce", "squeeze_excite_1_expand"])
        #expect(try architecture.output(MapSize(rows: 32, columns: 32, channels: 3)) == MapSize(rows: 6, columns: 6, channels: 8))
    }

    @Test(arguments: [
        (#"{"layers": []}"#, "expected at least one layer, found an empty array"),
        (#"{"layers": [{"type": "conv3d"}]}"#, "expected one of"),
        (#"{"layers": [{"type": "conv2d", "kernel": 0}]}"#, "expected an integer from 1 to 255, or [rows, columns], found 0"),
        (#"{"layers": [{"type": "conv2d", "kernel": [3]}]}"#, "expected an integer from 1 to 255, or [rows, columns]"),
        (#"{"layers": [{"type": "conv2d", "name": "a/b"}]}"#, "expected a name of letters"),
        (#"{"layers": [{"type": "conv2d", "name": "a"}, {"type": "conv2d", "name": "a"}]}"#, "two layers are named \"a\""),
        (#"{"layers": [{"type": "residual", "layers": [{"type": "residual"}]}]}"#, "expected one of"),
        (#"{"layers": [], "blocks": []}"#, "expected one of the keys \"blocks\" and \"layers\", found both"),
    ])
    func nonsenseIsRefused(_ text: String, _ message: String) {
        let found = fault(text)
        #expect(found.contains(message), "\(found)")
    }

    /// The names of each network's layers differ, and it fits frames of its usual size.
    @Test(arguments: NamedArchitecture.allCases)
    func namedNetworks(_ network: NamedArchitecture) throws {
        let architecture = Architecture.named(network)
        #expect(Set(architecture.trainedNames).count == architecture.trainedNames.count)
        let size = try architecture.output(MapSize(rows: 224, columns: 224, channels: 3))
        #expect(size.rows == 7 && size.columns == 7)
    }
}
