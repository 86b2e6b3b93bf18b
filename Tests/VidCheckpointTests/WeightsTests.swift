import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// A file made by Scripts/make_hdf5_fixtures.py.
func fixture(_ name: String) -> String {
    Bundle.module.resourceURL?.appendingPathComponent("Fixtures/\(name)").path ?? "Fixtures/\(name)"
}

/// Keras's HDF5 files, made by Scripts/make_hdf5_fixtures.py.
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
    func reads(_ name: String, _ ignored: Set<String>) throws {
        let weights = try ImportedWeights.read(fixture(name), hdf5: .inThisProcess)
        expectFixture(weights)
        #expect(Set(weights.ignored) == ignored)
    }

    /// Layers named conv2d, conv2d_1, ..., each of one constant, and compressed.
    @Test func tellsAVGGByItsFilters() throws {
        let weights = try ImportedWeights.read(fixture("vgg11_by_order.weights.h5"), hdf5: .inThisProcess)
        #expect(weights.architecture == .vgg11)
        #expect(weights.tensors.count == 16)
        for (index, tensor) in weights.tensors.enumerated() {
            let value = Float(index / 2 + 1) * (index % 2 == 0 ? 1 : -1)
            #expect(tensor.tensor.array.allSatisfy { $0 == value }, "\(tensor.name)")
        }
    }

    @Test(arguments: [
        ("nan", #"tensor "block1_conv2/kernel": value 17 is nan"#), ("integers", #""block1_conv2": expected a kernel"#),
        ("theano", "Theano's order"), ("chain", "takes 5 channels, but the convolution before it gives 2"),
        ("bias", "block2_conv1/bias is (5), expected (4)"), ("gap", "block1_conv2 is there, but not all"),
        ("twice", "block1_conv1 appears twice"), ("three_weights", "found [(3, 3, 3, 2), (2), (2)]"),
        ("normalized", "batch normalisation"),
        ("not_a_vgg", "its 3 convolutions are not those of a VGG"), ("external_link", "only what the file holds itself"),
        ("soft_link", "only what the file holds itself"), ("external_storage", "only what the file holds itself"),
        ("missing", "block1_conv2/block1_conv2_W_1:0 is missing"), ("huge", "stores fewer bytes than its shape needs"),
        ("no_list", #"layer "block1_conv2" has no attribute weight_names"#), ("names_are_numbers", "of another type"),
        ("not_utf8", "not UTF-8"), ("cycle", "more groups in groups"), ("empty", "no weights of Keras in it"),
        ("rank", "is larger than anything expected here"), ("virtual", "only what the file holds itself"),
        ("bomb", "stores fewer bytes than its shape needs"), ("wide", "at most 2048 filters are read"),
        ("long_list", "is larger than anything expected here"), ("dots", #"the name "../block1_conv1" is no path within the file"#),
        ("filter", "is damaged: the HDF5 library cannot read it"),
    ])
    func refuses(_ name: String, _ reason: String) {
        let error = failure { _ = try ImportedWeights.read(fixture("bad_\(name).h5"), hdf5: .inThisProcess) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
        #expect(error?.message.contains("\n") == false)
    }

    /// Cut anywhere, the file is refused or its values are those of the whole: a part of it is never taken for weights.
    @Test func refusesFilesCutShort() throws {
        let folder = try TestFolder()
        let whole = try bytes(of: fixture("keras1.h5"))
        for count in Array(8..<1024) + Array(stride(from: 1024, to: whole.count - 1, by: 97)) {
            let path = try folder.write("cut.h5", Array(whole[..<count]))
            if let error = failure({ expectFixture(try ImportedWeights.read(path, hdf5: .inThisProcess)) }) {
                #expect(error.kind == .badData, "cut to \(count) bytes")
            }
        }
    }

    /// The real file, where it stands beside the project.
    @Test func readsTheOfficialFile() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../shared/weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5").standardized.path
        guard FileManager.default.fileExists(atPath: path) else {
            print("note: \(path) is not there; the official weights were not read")
            return
        }
        let weights = try ImportedWeights.read(path, hdf5: .inThisProcess)
        #expect(weights.architecture == .vgg16)
        #expect(weights.preprocessing == .caffe)
        #expect(weights.tensors.reduce(0) { $0 + $1.tensor.count } == 14_714_688)
        // The first filter of a trained network: small numbers around zero, none of them far out.
        let first = weights.tensors[0].tensor.array
        #expect(first.allSatisfy { abs($0) < 1 } && first.contains { abs($0) > 0.1 })
    }
}

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

    @Test(arguments: [false, true]) func reads(_ withTop: Bool) throws {
        let top: [(String, [Int], [Float])] = [("classifier.0.weight", [1, 2], [1, 2]), ("classifier.0.bias", [1], [3])]
        let weights = try ImportedWeights.read(folder.write("vgg.safetensors", stateDict(extra: withTop ? top : [])), hdf5: .inThisProcess)
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
            ([0, 3, 7], [("features.1.running_mean", [2], [0, 0])], "batch normalisation"),
            ([0, 2, 6], [], "features.6 does not follow features.2"), ([0, 2, 5], [("head.weight", [1], [1])], #""head.weight" is none"#),
            ([0, 2, 5], [("features.7.weight", [1, 4, 3, 3], [Float](repeating: 0, count: 36))], "features.7 lacks"),
            ([0, 2, 5], [("features.7.weight", [1], [1]), ("features.7.bias", [1], [1])], "block2_conv2/kernel is (1)"),
            (
                [0, 2, 5], [("features.7.weight", [1, 4, 3, 3], [Float](repeating: .nan, count: 36)), ("features.7.bias", [1], [1])],
                "is nan"
            ),
            ([1, 3, 6], [], "neither a VGG of torchvision's"),
        ] as [([Int], [(String, [Int], [Float])], String)])
    func refuses(_ indices: [Int], _ extra: [(String, [Int], [Float])], _ reason: String) throws {
        let path = try folder.write("vgg.safetensors", stateDict(indices: indices, extra: extra))
        let error = failure { _ = try ImportedWeights.read(path, hdf5: .inThisProcess) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
    }

    /// The format has no checksum, and torchvision publishes none inside. A changed bit of the header is refused, or gives what a
    /// file of other bytes would; the hash that is kept of the file is another one then. Changed values are seen by it alone.
    @Test func aFlippedBitIsRefusedOrChangesTheHash() throws {
        let whole = stateDict()
        let path = try folder.write("vgg.safetensors", whole)
        let hash = try ImportedWeights.read(path, hdf5: .inThisProcess).sha256
        let dataStart = try SafetensorsFile(path).dataStart
        var random = RandomGenerator(seed: 5)
        var flips = (0..<dataStart).flatMap { byte in (0..<8).map { (byte, $0) } }
        flips += (0..<1000).map { _ in (dataStart + random.below(whole.count - dataStart), random.below(8)) }
        var refused = 0
        for (byte, bit) in flips {
            try folder.write("vgg.safetensors", whole.putting([whole[byte] ^ 1 << UInt8(bit)], at: byte))
            do {
                let weights = try ImportedWeights.read(path, hdf5: .inThisProcess)
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
    @Test func refusesMoreThanAnyVGGHas() throws {
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
        let error = failure { _ = try ImportedWeights.read(path, hdf5: .inThisProcess) }
        #expect(error?.kind == .badData)
        #expect(
            error?.message.contains("its 4 convolutions have 150994944 weights; at most 134217728 are read") == true,
            "\(error?.message ?? "")")
    }

    @Test(arguments: [([0x50, 0x4B, 3, 4] as [UInt8], "ZIP"), ([0x80, 2, 0x7D], "pickle"), ([], "too few")])
    func namesOtherKindsOfFile(_ start: [UInt8], _ reason: String) throws {
        let error = failure { _ = try ImportedWeights.read(try folder.write("vgg16.pth", start), hdf5: .inThisProcess) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true)
    }
}

@Suite struct WeightsLoadingTests {
    private let weights: ImportedWeights

    init() throws { weights = try ImportedWeights.read(fixture("keras1.h5"), hdf5: .inThisProcess) }

    @Test func fillsTheCNNAlone() throws {
        let store = fixtureStore()
        let output = try #require(store.slice(named: "output/kernel"))
        store.values.tensor([store.values.count]).fill(.nan)
        store.value(output).fill(7)
        let version = store.version
        #expect(try weights.load(into: store).isEmpty)
        #expect(store.version > version)
        for (slice, expected) in zip(store.slices, fixtureTensors) {
            #expect(store.value(slice).array == fixtureValues(expected.number, slice.count))
        }
        #expect(store.value(output).array.allSatisfy { $0 == 7 })
    }

    /// Sums of three multiples of 1/64 below 1 are exact.
    @Test func sumsTheFirstKernelForOneChannel() throws {
        let store = fixtureStore(channels: 1)
        store.values.tensor([store.values.count]).fill(.nan)
        let notes = try weights.load(into: store)
        #expect(notes == ["cnn/block1_conv1/kernel: summed over its 3 input channels, because the model's input has one"])
        let expected = (0..<9).flatMap { place in
            (0..<2).map { filter in (0..<3).reduce(Float(0)) { $0 + fixtureValue((place * 3 + $1) * 2 + filter, 1) } }
        }
        #expect(store.value(store.slices[0]).array == expected)
        #expect(store.value(store.slices[1]).array == fixtureValues(101, 2))
    }

    @Test func warnsOfAnotherPreprocessing() {
        #expect(weights.warning(configured: .caffe) == nil)
        #expect(weights.warning(configured: .unit)?.contains("trained with data.preprocessing \"caffe\", the config has \"unit\"") == true)
    }

    @Test func refusesAnotherArchitecture() throws {
        for channels in [2, 4] {
            let error = failure { _ = try weights.load(into: fixtureStore(channels: channels)) }
            #expect(error?.message.contains("cnn/block1_conv1/kernel is (3, 3, 3, 2), expected (3, 3, \(channels), 2)") == true)
        }
        var layout = ParameterLayout()
        _ = layout.add("cnn/block1_conv1/kernel", [3, 3, 3, 2], .zeros)
        _ = layout.add("cnn/block1_conv1/bias", [2], .zeros)
        _ = layout.add("cnn/block3_conv1/bias", [2], .zeros)
        let store = ParameterStore(layout)
        store.values.tensor([store.values.count]).fill(5)
        let error = failure { _ = try weights.load(into: store) }
        #expect(error?.kind == .badData)
        #expect(
            error?.message.contains("cnn/block3_conv1/bias (2) is missing; cnn/block1_conv2/kernel (3, 3, 2, 3) is not in the model")
                == true)
        #expect(store.values.tensor([store.values.count]).array.allSatisfy { $0 == 5 })
    }
}

@Suite struct WeightsLibraryTests {
    private let folder: TestFolder
    private let library: WeightsLibrary

    init() throws {
        folder = try TestFolder()
        library = WeightsLibrary(environment: ["HOME": folder.path, "XDG_CACHE_HOME": "relative/paths/are/ignored"], hdf5: .inThisProcess)
    }

    private func put(_ path: String, _ content: [UInt8] = [1]) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(content).write(to: url)
    }

    @Test func foldersFollowTheEnvironment() {
        #expect(library.weightsFolder == folder.path + "/.cache/vidclass/weights")
        #expect(library.kerasFolder == folder.path + "/.keras/models")
        let other = WeightsLibrary(environment: ["HOME": "/h", "XDG_CACHE_HOME": "/c", "KERAS_HOME": "/k"], hdf5: .inThisProcess)
        #expect(other.weightsFolder == "/c/vidclass/weights")
        #expect(other.kerasFolder == "/k/models")
    }

    @Test func findsImportedThenFetchedThenKeras() throws {
        let official = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
        for path in [
            "\(library.kerasFolder)/\(official)", "\(library.weightsFolder)/\(official)",
            "\(library.weightsFolder)/vgg16-imagenet.safetensors",
        ] {
            try put(path)
            #expect(try library.find("imagenet", .vgg16) == path)
        }
        try put("\(folder.path)/own.h5")
        #expect(try library.find("\(folder.path)/own.h5", .vgg19) == "\(folder.path)/own.h5")
    }

    @Test func saysHowToGetWhatIsMissing() {
        let error = failure { _ = try library.find("imagenet", .vgg16) }
        #expect(error?.kind == .missingInput)
        #expect(error?.message.contains("`vidclass weights fetch vgg16`") == true)
        #expect(error?.message.contains("`vidclass weights import FILE`") == true)
        let custom = failure { _ = try library.find("imagenet", .blocks([[4]])) }
        #expect(custom?.kind == .missingInput)
        #expect(custom?.message.contains("fetch") == false)
        #expect(
            failure { _ = try library.find("none/such.h5", .vgg16) }
                == VidclassError(.missingInput, "none/such.h5: no such weights file (model.cnn.weights)"))
    }

    @Test func importsAndLists() throws {
        let listing = try library.importFile(fixture("keras1_with_top.h5"))
        #expect(listing.path == "\(library.weightsFolder)/blocks-2-3+4-imagenet.safetensors")
        #expect(listing.name == "imagenet")
        #expect(listing.architecture == "blocks-2-3+4")
        #expect(listing.preprocessing == .caffe)
        #expect(listing.fault == nil)
        let weights = try library.read("imagenet", .blocks([[2, 3], [4]]))
        #expect(weights.sha256 == listing.sha256)
        for (found, expected) in zip(weights.tensors, fixtureTensors) {
            #expect(found.tensor.array == fixtureValues(expected.number, found.tensor.count), "\(expected.name)")
        }
        // Importing the import changes nothing.
        let first = try bytes(of: listing.path)
        #expect(try ImportedWeights.read(library.importFile(listing.path, as: "again").path, hdf5: .inThisProcess).sha256 == listing.sha256)
        try put("\(library.weightsFolder)/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", [1, 2])
        try put("\(library.weightsFolder)/.hidden.h5")
        try put("\(library.weightsFolder)/vgg16.h5.part")
        try put("\(library.kerasFolder)/mobilenet.h5")
        let list = library.list()
        #expect(list.map(\.name) == ["again", "imagenet", nil])
        #expect(list.map { $0.fault == nil } == [true, true, false])
        #expect(list[1] == listing)
        #expect(try bytes(of: listing.path) == first)
    }

    @Test(arguments: ["", "../x", "a b", "-x", "ä", "a/b", "x\n"]) func refusesNames(_ name: String) {
        #expect(failure { _ = try library.importFile(fixture("keras1.h5"), as: name) }?.kind == .usage)
    }

    @Test func keepsNothingOfABadFile() throws {
        #expect(failure { _ = try library.importFile(fixture("bad_nan.h5")) }?.kind == .badData)
        #expect(!FileManager.default.fileExists(atPath: library.weightsFolder))
    }

    /// A byte of an imported file that changes is noticed when it is read.
    @Test func noticesDamage() throws {
        let path = try library.importFile(fixture("keras1.h5")).path
        let original = try bytes(of: path)
        let dataStart = try SafetensorsFile(path).dataStart
        var random = RandomGenerator(seed: 7)
        var flips = (0..<dataStart).flatMap { byte in [(byte, random.below(8)), (byte, random.below(8))] }
        flips += (0..<1000).map { _ in (dataStart + random.below(original.count - dataStart), random.below(8)) }
        for (place, bit) in flips {
            try put(path, original.putting([original[place] ^ 1 << UInt8(bit)], at: place))
            #expect(failure { _ = try ImportedWeights.read(path, hdf5: .inThisProcess) }?.kind == .badData, "byte \(place), bit \(bit)")
        }
        for count in 0..<dataStart {
            try put(path, Array(original[..<count]))
            #expect(failure { _ = try ImportedWeights.read(path, hdf5: .inThisProcess) }?.kind == .badData, "\(count) bytes")
        }
    }

    /// What stands in a file of vidclass's own beside what belongs there, its checksum being right.
    @Test(
        arguments: [
            ("", "", nil), (#""host":"x","#, "", #"unknown key "host""#), ("", "extra/kernel", #"tensor "extra/kernel" has no bias"#),
            ("", "extra", #"tensor "extra" is none of a VGG's"#), (#""architecture":"vgg16","#, "", #"its metadata says "vgg16""#),
            (#""preprocessing":"none of ours","#, "", "lacks"), (#""version":"2","#, "", #"its version is "2""#),
        ] as [(String, String, String?)])
    func ownFilesAreReadStrictly(_ member: String, _ tensor: String, _ reason: String?) throws {
        let key = member.prefix { $0 != ":" }
        let members = [
            #""architecture":"blocks-1","#, #""format":"vidclass-weights","#, #""preprocessing":"caffe","#, #""source":"a.h5","#,
            #""source_sha256":"00","#, #""version":"1","#,
        ].filter { key.isEmpty || !$0.hasPrefix(key) }.joined()
        let extra = tensor.isEmpty ? "" : #","\#(tensor)":{"dtype":"F32","shape":[],"data_offsets":[40,44]}"#
        let header =
            #"{"__metadata__":{\#(member)\#(members)\#(noChecksum)},"block1_conv1/kernel":{"dtype":"F32","shape":[3,3,1,1],"#
            + #""data_offsets":[0,36]},"block1_conv1/bias":{"dtype":"F32","shape":[1],"data_offsets":[36,40]}\#(extra)}"#
        let path = folder.path + "/own.safetensors"
        try put(path, sealed(header, values: [UInt8](repeating: 0, count: tensor.isEmpty ? 40 : 44)))
        let error = failure { _ = try ImportedWeights.read(path, hdf5: .inThisProcess) }
        #expect(error?.kind == (reason == nil ? nil : .badData))
        #expect(reason.map { error?.message.contains($0) == true } ?? true, "\(error?.message ?? "accepted")")
    }

    /// The CNN of a checkpoint, with the preprocessing of its configuration.
    @Test func readsTheCNNOfACheckpoint() throws {
        let store = fixtureStore()
        _ = try ImportedWeights.read(fixture("keras1.h5"), hdf5: .inThisProcess).load(into: store)
        let path = folder.path + "/best.safetensors"
        try Checkpoint.write(
            to: path, config: #"{"data":{"preprocessing":"torch"}}"#, classes: ["a"], state: nil, tensors: Checkpoint.tensors(of: store))
        let weights = try ImportedWeights.read(path, hdf5: .inThisProcess)
        #expect(weights.architecture == .blocks([[2, 3], [4]]))
        #expect(weights.preprocessing == .torch)
        #expect(weights.ignored == ["output"])
        #expect(weights.tensors.map { $0.tensor.array } == fixtureTensors.map { fixtureValues($0.number, $0.shape.reduce(1, *)) })
    }
}
