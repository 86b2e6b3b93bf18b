import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct TorchVisionWeightsTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// The fixtures' network as torchvision would save it: filters, channels, rows, columns.
    private func stateDict(indices: [Int] = [0, 2, 5], extra: [(String, [Int], [Float])] = []) -> [UInt8] {
        var tensors: [(String, [Int], [Float])] = []
        for (layer, index) in indices.enumerated() {
            let (channels, filters) = (fixtureTensors[2 * layer].shape[2], fixtureTensors[2 * layer].shape[3])
            var kernel = [Float](repeating: .nan, count: filters * channels * 9)
            for k in 0..<filters {
                for c in 0..<channels {
                    for place in 0..<9 {
                        kernel[(k * channels + c) * 9 + place] = fixtureValue((place * channels + c) * filters + k, layer + 1)
                    }
                }
            }
            tensors.append(("features.\(index).weight", [filters, channels, 3, 3], kernel))
            tensors.append(("features.\(index).bias", [filters], fixtureValues(101 + layer, filters)))
        }
        var values: [UInt8] = []
        let header = (tensors + extra).map { name, shape, floats in
            let start = values.count
            for float in floats { withUnsafeBytes(of: float.bitPattern.littleEndian) { values.append(contentsOf: $0) } }
            return #""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(start),\#(values.count)]}"#
        }
        return safetensors("{" + header.joined(separator: ",") + "}", values: values)
    }

    @Test(arguments: [false, true]) func reads(_ withTop: Bool) async throws {
        let top: [(String, [Int], [Float])] = [("classifier.0.weight", [1, 2], [1, 2]), ("classifier.0.bias", [1], [3])]
        let weights = try await read(folder.write("vgg.safetensors", stateDict(extra: withTop ? top : [])))
        #expect(weights.architecture == .blocks([[2, 3], [4]]))
        #expect(weights.preprocessing == .torch)
        #expect(weights.ignored == (withTop ? ["classifier"] : []))
        for (found, expected) in zip(weights.tensors, fixtureTensors) {
            #expect(found.name == expected.name)
            #expect(found.tensor.shape.dimensions == expected.shape)
            #expect(found.tensor.array == fixtureValues(expected.number, found.tensor.count), "\(expected.name)")
        }
    }

    @Test(
        arguments: [
            ([0, 3, 7], [("features.1.running_mean", [2], [0, 0])], "features.1.running_mean"),
            ([0, 2, 6], [], "features.6 does not follow features.2"),
            ([0, 2, 5], [("head.weight", [1], [1])], #""head.weight" is not part"#),
            ([0, 2, 5], [("features.7.weight", [1, 4, 3, 3], [Float](repeating: 0, count: 36))], "features.7 has no weight"),
            ([0, 2, 5], [("features.7.weight", [1], [1]), ("features.7.bias", [1], [1])], "block2_conv2/kernel is (1)"),
            (
                [0, 2, 5], [("features.7.weight", [1, 4, 3, 3], [Float](repeating: .nan, count: 36)), ("features.7.bias", [1], [1])],
                "is nan"
            ),
            ([1, 3, 6], [], "neither a torchvision VGG"),
        ] as [([Int], [(String, [Int], [Float])], String)])
    func refuses(_ indices: [Int], _ extra: [(String, [Int], [Float])], _ reason: String) async throws {
        let path = try folder.write("vgg.safetensors", stateDict(indices: indices, extra: extra))
        let error = await failure(reading: path)
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
    }

    /// The format has no checksum, and torchvision publishes none inside. A changed bit of the header is refused, or gives what a
    /// file of other bytes would; the hash that is kept of the file is another one then. Changed values are seen by it alone.
    @Test func aFlippedBitIsRefusedOrChangesTheHash() async throws {
        let whole = stateDict()
        let path = try folder.write("vgg.safetensors", whole)
        let hash = try await read(path).sha256
        let dataStart = try SafetensorsFile(path).dataStart
        var random = RandomGenerator(seed: 5)
        var flips = (0..<dataStart).flatMap { byte in (0..<8).map { (byte, $0) } }
        flips += (0..<1000).map { _ in (dataStart + random.below(whole.count - dataStart), random.below(8)) }
        var refused = 0
        for (byte, bit) in flips {
            try folder.write("vgg.safetensors", whole.putting([whole[byte] ^ 1 << UInt8(bit)], at: byte))
            do {
                let weights = try await read(path)
                #expect(weights.sha256 != hash)
                #expect(weights.architecture == .blocks([[2, 3], [4]]), "byte \(byte), bit \(bit)")
            } catch {
                #expect((error as? VidclassError)?.kind == .badData)
                refused += 1
            }
        }
        // Of the header nearly all: its names, types, shapes and places hold each other.
        #expect(refused > 8 * dataStart * 9 / 10, "\(refused)")
    }

    /// More weights than any VGG has, in a file that takes no room on a disk.
    @Test func refusesMoreThanAnyVGGHas() async throws {
        let one = 2048 * 2048 * 9 * 2
        let header =
            "{"
            + (0..<4).map { layer in
                let start = layer * (one + 4096)
                return
                    #""features.\#(2 * layer).weight":{"dtype":"F16","shape":[2048,2048,3,3],"data_offsets":[\#(start),\#(start + one)]},"#
                    + #""features.\#(2 * layer).bias":{"dtype":"F16","shape":[2048],"data_offsets":[\#(start + one),\#(start + one + 4096)]}"#
            }.joined(separator: ",") + "}"
        let path = try folder.write("large.safetensors", safetensors(header))
        try #require(truncate(path, off_t(8 + header.utf8.count + 4 * (one + 4096))) == 0)
        let error = await failure(reading: path)
        #expect(error?.kind == .badData)
        #expect(
            error?.message.contains("its 4 convolutions have 150994944 weights; at most 134217728 are read") == true,
            "\(error?.message ?? "")")
    }

    @Test(arguments: [([0x50, 0x4B, 3, 4] as [UInt8], "ZIP"), ([0x80, 2, 0x7D], "pickle"), ([], "too few")])
    func namesOtherKindsOfFile(_ start: [UInt8], _ reason: String) async throws {
        let error = await failure(reading: try folder.write("vgg16.pth", start))
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true)
    }
}
