import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

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
        // Keras's own file with the classifier, where there is no other.
        let whole = "\(library.kerasFolder)/resnet50_weights_tf_dim_ordering_tf_kernels.h5"
        try put(whole)
        #expect(try library.find("imagenet", .named(.resnet50Keras)) == whole)
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

    @Test func importsAndLists() async throws {
        let listing = try await library.importFile(fixture("keras1_with_top.h5")).listing
        #expect(listing.path == "\(library.weightsFolder)/blocks-2-3+4-imagenet.safetensors")
        #expect(listing.name == "imagenet")
        #expect(listing.architecture == "blocks-2-3+4")
        #expect(listing.preprocessing == .caffe)
        #expect(listing.fault == nil)
        let weights = try await library.read("imagenet", .blocks([[2, 3], [4]]))
        #expect(weights.sha256 == listing.sha256)
        for (found, expected) in zip(weights.tensors, fixtureTensors) {
            #expect(found.tensor.array == fixtureValues(expected.number, found.tensor.count), "\(expected.name)")
        }
        // Importing the import changes nothing.
        let first = try bytes(of: listing.path)
        #expect(try await read(library.importFile(listing.path, as: "again").listing.path).sha256 == listing.sha256)
        try put("\(library.weightsFolder)/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", [1, 2])
        try put("\(library.weightsFolder)/.hidden.h5")
        try put("\(library.weightsFolder)/vgg16.h5.part")
        try put("\(library.kerasFolder)/mobilenet.h5")
        let list = await library.list()
        #expect(list.map(\.name) == ["again", "imagenet", nil])
        #expect(list.map { $0.fault == nil } == [true, true, false])
        #expect(list[1] == listing)
        #expect(try bytes(of: listing.path) == first)
    }

    /// Other weights of the same name are kept; the same ones may be imported again.
    @Test func replacesOnlyIfAsked() async throws {
        let listing = try await library.importFile(fixture("keras1.h5")).listing
        let first = try bytes(of: listing.path)
        #expect(try await library.importFile(fixture("keras1.h5")).listing == listing)
        let error = await asyncFailure { _ = try await library.importFile(fixture("keras1_half.h5")) }
        #expect(error?.kind == .usage)
        #expect(error?.message.contains("weights named imagenet") == true && error?.message.contains("--replace") == true)
        #expect(try bytes(of: listing.path) == first)
        let replaced = try await library.importFile(fixture("keras1_half.h5"), replaces: true).listing
        #expect(replaced.path == listing.path && replaced.sha256 != listing.sha256)
        #expect(try bytes(of: listing.path) != first)
    }

    /// Weights whose features cannot be those of a trained network.
    @Test(
        arguments: [(0, "are all zero"), (-1, "are all zero"), (1e4, "reach "), (1e30, "are not finite"), (0.1, nil)] as [(Float, String?)])
    func triesTheWeights(value: Float, words: String?) async throws {
        var layout = ParameterLayout()
        var configuration = CNNConfiguration()
        configuration.architecture = .blocks([[2, 3], [4]])
        var input = InputConfiguration()
        (input.rows, input.columns) = (8, 8)
        _ = try FrameEncoder(configuration, input: input, layout: &layout)
        let store = try ParameterStore(layout)
        for slice in store.slices where slice.name.hasSuffix("kernel") {
            for place in 0..<slice.shape.count { store.value(slice).base[place] = value }
        }
        let path = folder.path + "/best.safetensors"
        try Checkpoint.write(
            to: path, config: #"{"data":{"preprocessing":"unit"}}"#, classes: ["a"], state: nil, tensors: Checkpoint.tensors(of: store))
        if value == 1e30 {
            let error = await asyncFailure { _ = try await library.importFile(path, as: "mine") }
            #expect(error?.kind == .badData && error?.message.contains("are not finite") == true)
            #expect(!FileManager.default.fileExists(atPath: library.weightsFolder))
        } else {
            let warning = try await library.importFile(path, as: "mine").warning
            #expect(words.map { warning?.contains($0) == true } ?? (warning == nil), "\(warning ?? "nil")")
        }
    }

    /// Each kind of file that only Python reads is refused with the command for its own kind.
    @Test(
        arguments: [
            ("x.pth", "x/data.pkl", "a ZIP archive, such as PyTorch's", ["weights_only=True", "weights_only=False"], "x.safetensors"),
            ("x.pt", nil, "a Python pickle", ["weights_only=True", "weights_only=False"], "x.safetensors"),
            ("x y.keras", "metadata.json", "a Keras model", ["save_weights(sys.argv[2])"], "x y.weights.h5"),
            ("x.npz", "block1.npy", "an archive of NumPy arrays", [], ""),
        ] as [(String, String?, String, [String], String)])
    func filesOfPython(file: String, entry: String?, found: String, programs: [String], target: String) async throws {
        let head: [UInt8] = [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22) + [UInt8((entry ?? "").utf8.count), 0, 0, 0]
        let path = "\(folder.path)/\(file)"
        try put(path, entry.map { head + Array($0.utf8) + [1, 2, 3] } ?? [0x80, 2, 1, 2, 3, 4, 5, 6, 7])
        let error = try #require(await asyncFailure { _ = try await library.importFile(path) })
        #expect(error.kind == .badData && error.message.hasPrefix("\(path): \(found)"), "\(error.message)")
        let commands = error.advice.filter { $0.contains("python3 -c") }
        #expect(commands.count == programs.count)
        for (command, program) in zip(commands, programs) {
            #expect(command.contains(program) && command.hasSuffix(ShellText.command([path, target])), "\(command)")
        }
        #expect(programs.isEmpty || error.advice.last == "  " + ShellText.vidclass("weights", "import", target))
    }

    /// timm's file of a network whose tensors are all 0.
    private func timmsFile(_ network: NamedArchitecture) throws -> String {
        let pairs = try #require(try NetworkNaming.timm.tensors(network))
        var header: [String] = []
        var size = 0
        for (own, theirs) in pairs {
            let shape = own.shape
            let dimensions: [Int] =
                switch shape.rank {
                case 4: [shape[3], shape[2], shape[0], shape[1]]
                case 3: [shape[2], 1, shape[0], shape[1]]
                default: shape.dimensions
                }
            let list = dimensions.map(String.init).joined(separator: ",")
            header.append("\"\(theirs)\":{\"dtype\":\"F32\",\"shape\":[\(list)],\"data_offsets\":[\(size),\(size + 4 * shape.count)]}")
            size += 4 * shape.count
        }
        return try folder.write(
            "timm.safetensors",
            FileBytes.safetensors("{" + header.joined(separator: ",") + "}", values: [UInt8](repeating: 0, count: size)))
    }

    /// timm's own EfficientNet-Lite0 has the tensors of TensorFlow's, but PyTorch's padding and epsilon and other preprocessing.
    @Test func theUserSaysWhichEfficientNetLite() async throws {
        let path = try timmsFile(.timmEfficientnetLite0)
        let first = try await library.importFile(path)
        #expect(first.listing.architecture == "efficientnet_lite0" && first.listing.preprocessing == .symmetric)
        let assumption = try #require(first.assumption)
        #expect(
            assumption.contains(
                "efficientnet_lite0 and of timm_efficientnet_lite0, which differ in padding, epsilon and preprocessing; efficientnet_lite0 is"
            )
                && assumption.contains("--architecture timm_efficientnet_lite0 --replace`"), "\(assumption)")
        let second = try await library.importFile(path, replaces: true, architecture: .timmEfficientnetLite0)
        #expect(second.assumption == nil && second.listing.architecture == "timm_efficientnet_lite0")
        #expect(second.listing.preprocessing == .torch)
        let said = try await library.importFile(path, replaces: true, architecture: .timmEfficientnetLite0, preprocessing: .unit)
        #expect(said.listing.preprocessing == .unit)
    }

    /// timm's EfficientNets of both paddings have the same tensors.
    @Test func theUserSaysWhichOfTwoNetworks() async throws {
        let network = NamedArchitecture.tfEfficientnetB0
        let path = try timmsFile(network)
        let first = try await library.importFile(path, as: "mine")
        #expect(first.listing.architecture == "efficientnet_b0" && first.listing.preprocessing == .torch)
        let assumption = try #require(first.assumption)
        #expect(
            assumption.contains(
                "those of efficientnet_b0 and of tf_efficientnet_b0, which differ in padding and epsilon; efficientnet_b0 is assumed")
                && assumption.contains("--name mine --architecture tf_efficientnet_b0 --replace`"), "\(assumption)")
        let second = try await library.importFile(path, as: "mine", architecture: network, preprocessing: .symmetric)
        #expect(second.assumption == nil && second.listing.name == "mine")
        #expect(second.listing.architecture == "tf_efficientnet_b0" && second.listing.preprocessing == .symmetric)
        let again = try await read(second.listing.path)
        #expect(again.architecture == .named(network) && again.preprocessing == .symmetric)
        let error = await asyncFailure { _ = try await library.importFile(path, architecture: .resnet18) }
        #expect(error?.kind == .badData)
        #expect(
            error?.message.hasPrefix(
                "\(path): holds the weights of efficientnet_b0, which are not those of resnet18: conv1_conv/kernel is missing")
                == true, "\(error?.message ?? "")")
    }

    @Test(arguments: ["", "../x", "a b", "-x", "ä", "a/b", "x\n"]) func refusesNames(_ name: String) async {
        #expect(await asyncFailure { _ = try await library.importFile(fixture("keras1.h5"), as: name) }?.kind == .usage)
    }

    @Test func keepsNothingOfABadFile() async throws {
        #expect(await asyncFailure { _ = try await library.importFile(fixture("bad_nan.h5")) }?.kind == .badData)
        #expect(!FileManager.default.fileExists(atPath: library.weightsFolder))
    }

    /// A byte of an imported file that changes is noticed when it is read.
    @Test func noticesDamage() async throws {
        let path = try await library.importFile(fixture("keras1.h5")).listing.path
        let original = try bytes(of: path)
        let dataStart = try SafetensorsFile(path).dataStart
        var random = RandomGenerator(seed: 7)
        var flips = (0..<dataStart).flatMap { byte in [(byte, random.below(8)), (byte, random.below(8))] }
        flips += (0..<1000).map { _ in (dataStart + random.below(original.count - dataStart), random.below(8)) }
        for (place, bit) in flips {
            try put(path, original.putting([original[place] ^ 1 << UInt8(bit)], at: place))
            #expect(await failure(reading: path)?.kind == .badData, "byte \(place), bit \(bit)")
        }
        for count in 0..<dataStart {
            try put(path, Array(original[..<count]))
            #expect(await failure(reading: path)?.kind == .badData, "\(count) bytes")
        }
    }

    /// What stands in a file of vidclass's own beside what belongs there, its checksum being right.
    @Test(
        arguments: [
            ("", "", nil), (#""host":"x","#, "", #"unknown key "host""#),
            ("", "extra/kernel", #"tensor "extra/kernel" has no matching bias"#),
            ("", "extra", #"tensor "extra" is not part of"#), (#""architecture":"vgg16","#, "", #"its metadata says "vgg16""#),
            (#""preprocessing":"none of ours","#, "", #"has no "preprocessing""#), (#""version":"2","#, "", #"its version is "2""#),
        ] as [(String, String, String?)])
    func ownFilesAreReadStrictly(_ member: String, _ tensor: String, _ reason: String?) async throws {
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
        let error = await failure(reading: path)
        #expect(error?.kind == (reason == nil ? nil : .badData))
        #expect(reason.map { error?.message.contains($0) == true } ?? true, "\(error?.message ?? "accepted")")
    }

    /// The CNN of a checkpoint, with the preprocessing of its configuration.
    @Test func readsTheCNNOfACheckpoint() async throws {
        let store = try fixtureStore()
        _ = try await read(fixture("keras1.h5")).load(into: store, preprocessing: .caffe)
        let path = folder.path + "/best.safetensors"
        try Checkpoint.write(
            to: path, config: #"{"data":{"preprocessing":"torch"}}"#, classes: ["a"], state: nil, tensors: Checkpoint.tensors(of: store))
        let weights = try await read(path)
        #expect(weights.architecture == .blocks([[2, 3], [4]]))
        #expect(weights.preprocessing == .torch)
        #expect(weights.ignored == ["output"])
        #expect(weights.tensors.map { $0.tensor.array } == fixtureTensors.map { fixtureValues($0.number, $0.shape.reduce(1, *)) })
    }
}
