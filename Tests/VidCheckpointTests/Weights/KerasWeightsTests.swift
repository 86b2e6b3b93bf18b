import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct KerasWeightsTests {
    private func expectFixture(_ weights: ImportedWeights) {
        #expect(weights.architecture == .blocks([[2, 3], [4]]))
        #expect(weights.preprocessing == .caffe)
        #expect(weights.sha256.count == 64)
        #expect(weights.tensors.map(\.name) == fixtureTensors.map(\.name))
        for (found, expected) in zip(weights.tensors, fixtureTensors) {
            #expect(found.tensor.shape.dimensions == expected.shape)
            #expect(found.tensor.array == fixtureValues(expected.number, found.tensor.count), "\(expected.name)")
        }
    }

    @Test(
        arguments: [
            ("keras1.h5", []), ("keras1_half.h5", []), ("keras1_with_top.h5", ["fc1", "predictions"]), ("keras3.weights.h5", []),
            ("keras3_nested.weights.h5", ["batch_normalization", "lstm_cell", "predictions"]),
            ("keras3_model.h5", ["batch_normalization", "lstm", "predictions"]),
        ] as [(String, Set<String>)])
    func reads(_ name: String, _ ignored: Set<String>) async throws {
        let weights = try await read(fixture(name))
        expectFixture(weights)
        #expect(Set(weights.ignored) == ignored)
    }

    /// Layers named conv2d, conv2d_1, ..., each of one constant, and compressed.
    @Test func tellsAVGGByItsFilters() async throws {
        let weights = try await read(fixture("vgg11_by_order.weights.h5"))
        #expect(weights.architecture == .vgg11)
        #expect(weights.tensors.count == 16)
        for (index, tensor) in weights.tensors.enumerated() {
            let value = Float(index / 2 + 1) * (index % 2 == 0 ? 1 : -1)
            #expect(tensor.tensor.array.allSatisfy { $0 == value }, "\(tensor.name)")
        }
    }

    @Test(arguments: [
        ("nan", #"tensor "block1_conv2/kernel": value 17 is nan"#), ("integers", #""block1_conv2": expected a kernel"#),
        ("theano", "Theano's order"), ("chain", "takes 5 channels, but the convolution before it outputs 2"),
        ("bias", "block2_conv1/bias is (5), expected (4)"), ("gap", "it has block1_conv2, but not all"),
        ("twice", "block1_conv1 appears twice"), ("three_weights", "found [(3, 3, 3, 2), (2), (2)]"),
        ("normalized", "batch normalization"),
        ("not_a_vgg", "its 3 convolutions are not those of a VGG"), ("external_link", "only the file's own content is read"),
        ("soft_link", "only the file's own content is read"), ("external_storage", "only the file's own content is read"),
        ("missing", "block1_conv2/block1_conv2_W_1:0 is missing"), ("huge", "stores fewer bytes than its shape needs"),
        ("no_list", #"layer "block1_conv2" has no attribute weight_names"#), ("names_are_numbers", "has an unexpected type"),
        ("not_utf8", "not UTF-8"), ("cycle", "more nested groups"), ("empty", "it has no Keras weights"),
        ("rank", "is larger than anything expected here"), ("virtual", "only the file's own content is read"),
        ("bomb", "stores fewer bytes than its shape needs"), ("wide", "at most 2048 filters are read"),
        ("long_list", "is larger than anything expected here"), ("dots", #"the name "../block1_conv1" is not a path within the file"#),
        ("filter", "is damaged: the HDF5 library cannot read it"),
    ])
    func refuses(_ name: String, _ reason: String) async {
        let error = await failure(reading: fixture("bad_\(name).h5"))
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
        #expect(error?.message.contains("\n") == false)
    }

    /// Cut anywhere, the file is refused or its values are those of the whole: a part of it is never taken for weights.
    @Test func refusesFilesCutShort() async throws {
        let folder = try TestFolder()
        let whole = try bytes(of: fixture("keras1.h5"))
        for count in Array(8..<1024) + Array(stride(from: 1024, to: whole.count - 1, by: 97)) {
            let path = try folder.write("cut.h5", Array(whole[..<count]))
            if let error = await asyncFailure({ expectFixture(try await read(path)) }) {
                #expect(error.kind == .badData, "cut to \(count) bytes")
            }
        }
    }

    /// The real file, where it stands beside the project.
    @Test func readsTheOfficialFile() async throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../shared/weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5").standardized.path
        guard FileManager.default.fileExists(atPath: path) else {
            print("note: \(path) is not there; the official weights were not read")
            return
        }
        let weights = try await read(path)
        #expect(weights.architecture == .vgg16)
        #expect(weights.preprocessing == .caffe)
        #expect(weights.tensors.reduce(0) { $0 + $1.tensor.count } == 14_714_688)
        // The first filter of a trained network: small numbers around zero, none of them far out.
        let first = weights.tensors[0].tensor.array
        #expect(first.allSatisfy { abs($0) < 1 } && first.contains { abs($0) > 0.1 })
    }
}
