import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct CheckpointTests {
    private let folder: TestFolder
    private let config = #"{"seed":1,"data":{"preprocessing":"torch"}}"#
    private let classes = ["basketball", "\"quoted\"\n", "Übung"]
    private let state = #"{"epoch":3,"order":[2,0,1]}"#

    init() throws { folder = try TestFolder() }

    /// The fixtures' values and an optimiser's slot.
    private func filled() throws -> (store: ParameterStore, moment: Buffer) {
        let store = try fixtureStore()
        for (index, slice) in store.slices.enumerated() { store.value(slice).copy(from: fixtureValues(index + 1, slice.count)) }
        let moment = Buffer(count: 108)
        moment.tensor([108]).copy(from: fixtureValues(50, 108))
        return (store, moment)
    }

    private func write(_ name: String = "last.safetensors", state: String? = nil, calls: FileCalls = .posix) throws -> String {
        let path = "\(folder.path)/\(name)"
        let (store, moment) = try filled()
        let tensors =
            Checkpoint.tensors(of: store) + [
                NamedTensor("optimizer/m/cnn/block2_conv1/kernel", moment.tensor([3, 3, 3, 4]))
            ]
        try withExtendedLifetime((store, moment)) {
            try Checkpoint.write(to: path, config: config, classes: classes, state: state, tensors: tensors, calls: calls)
        }
        return path
    }

    @Test func comesBackAsItWas() throws {
        let checkpoint = try Checkpoint.open(write(state: state))
        #expect(checkpoint.config == config)
        #expect(checkpoint.classes == classes)
        #expect(checkpoint.state == state)
        #expect(checkpoint.configNode["seed"]?.intValue == 1)
        #expect(checkpoint.checksum.count == 64)
        #expect(checkpoint.tensors.count == 8)
        #expect(checkpoint.file.dataStart % 64 == 0)

        let store = try fixtureStore()
        store.values.tensor([store.values.count]).fill(.nan)
        let version = store.version
        try checkpoint.load(into: store)
        #expect(store.version > version)
        for (index, slice) in store.slices.enumerated() {
            #expect(store.value(slice).array == fixtureValues(index + 1, slice.count))
        }
        let moment = Buffer(count: 108)
        defer { withExtendedLifetime(moment) {} }
        moment.tensor([108]).fill(.nan)
        try checkpoint.copy("optimizer/m/cnn/block2_conv1/kernel", into: moment.tensor([3, 3, 3, 4]))
        #expect(moment.tensor([108]).array == fixtureValues(50, 108))
    }

    @Test func theSameContentGivesTheSameBytes() throws {
        let one = try bytes(of: write("one.safetensors", state: state))
        let other = try bytes(of: write("other.safetensors", state: state))
        #expect(one == other)
        #expect(try Checkpoint.open("\(folder.path)/one.safetensors").state == state)
        #expect(try Checkpoint.open(write()).state == nil)
    }

    /// All bits of all bytes of the header and 1,000 bits of the values: none is accepted.
    @Test func anyFlippedBitIsRefused() throws {
        let path = try write(state: state)
        let original = try bytes(of: path)
        let dataStart = try Checkpoint.open(path).file.dataStart
        var random = RandomGenerator(seed: 3)
        var flips = (0..<dataStart).flatMap { byte in (0..<8).map { (byte, $0) } }
        flips += (0..<1000).map { _ in (dataStart + random.below(original.count - dataStart), random.below(8)) }
        var accepted: [(Int, Int)] = []
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? file.close() }
        func put(_ value: UInt8, at byte: Int) throws {
            try file.seek(toOffset: UInt64(byte))
            try file.write(contentsOf: [value])
        }
        for (byte, bit) in flips {
            try put(original[byte] ^ 1 << UInt8(bit), at: byte)
            if let error = failure({ _ = try Checkpoint.open(path) }) {
                #expect(error.kind == .badData && !error.message.contains("\n"), "byte \(byte), bit \(bit): \(error.message)")
            } else {
                accepted.append((byte, bit))
            }
            try put(original[byte], at: byte)
        }
        _ = try Checkpoint.open(path)
        #expect(flips.count == 8 * dataStart + 1000)
        #expect(accepted.isEmpty, "\(accepted.prefix(10))")
    }

    @Test func anyOtherLengthIsRefused() throws {
        let whole = try write()
        let original = try bytes(of: whole)
        let dataStart = try Checkpoint.open(whole).file.dataStart
        for count in Array(0...dataStart) + Array(stride(from: dataStart, to: original.count, by: 37)) {
            let path = try folder.write("cut.safetensors", Array(original[..<count]))
            #expect(failure { _ = try Checkpoint.open(path) }?.kind == .badData, "cut to \(count) bytes")
        }
        let longer = try folder.write("longer.safetensors", original + [0])
        #expect(failure { _ = try Checkpoint.open(longer) }?.kind == .badData)
    }

    /// A small file whose configuration asks for 16 GiB: said before there is memory for any of it.
    @Test func aModelThatTheFileDoesNotHoldIsRefusedFirst() throws {
        let checkpoint = try Checkpoint.open(write())
        var layout = ParameterLayout()
        _ = layout.add("hidden_0/kernel", [65536, 65536], .zeros)
        let error = failure { try checkpoint.requireTensors(of: layout) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains("hidden_0/kernel (65536, 65536) is missing") == true)
    }

    @Test func anotherModelIsRefusedWithTheDifferences() throws {
        let checkpoint = try Checkpoint.open(write())
        var layout = ParameterLayout()
        _ = layout.add("cnn/block1_conv1/kernel", [3, 3, 1, 2], .zeros)
        _ = layout.add("recurrent_0/kernel", [4, 8], .zeros)
        let store = try ParameterStore(layout)
        store.values.tensor([store.values.count]).fill(5)
        let error = failure { try checkpoint.load(into: store) }
        #expect(error?.kind == .badData)
        #expect(
            error?.message.hasSuffix(
                "it is not a checkpoint of this model: cnn/block1_conv1/kernel is (3, 3, 3, 2), expected (3, 3, 1, 2); "
                    + "recurrent_0/kernel (4, 8) is missing; \"cnn/block1_conv1/bias\" (2) is not in the model; "
                    + "\"cnn/block1_conv2/kernel\" (3, 3, 2, 3) is not in the model; and 4 more") == true, "\(error?.message ?? "loaded")")
        #expect(store.values.tensor([store.values.count]).array.allSatisfy { $0 == 5 })
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func valuesThatAreNotFiniteAreRefused(_ value: Float) throws {
        let (store, _) = try filled()
        let last = try #require(store.slices.last)
        store.value(last).base[7] = value
        let path = folder.path + "/nan.safetensors"
        try Checkpoint.write(to: path, config: config, classes: classes, state: nil, tensors: Checkpoint.tensors(of: store))
        let target = try fixtureStore()
        target.values.tensor([target.values.count]).fill(5)
        let error = failure { try Checkpoint.open(path).load(into: target) }
        #expect(error?.kind == .badData)
        #expect(error?.message.hasSuffix(#"tensor "output/kernel": value 7 is \#(value); weights must be finite"#) == true)
        #expect(target.values.tensor([target.values.count]).array.allSatisfy { $0 == 5 })
    }

    /// Tensors on both sides of the blocks of the pass, and some that belong to no model.
    @Test func aModelIsLoadedInTheVerifyingPass() throws {
        var layout = ParameterLayout()
        let ids = [(3, true), (300_001, false), (1, true), (500_000, true)].enumerated().map { index, part in
            layout.add("cnn/part\(index)/kernel", [part.0], .zeros, trainable: part.1)
        }
        let store = try ParameterStore(layout)
        for (index, id) in ids.enumerated() { store.value(id).copy(from: fixtureValues(index + 1, store.value(id).count)) }
        let path = folder.path + "/large.safetensors"
        var tensors = Checkpoint.tensors(of: store)
        tensors.insert(NamedTensor("optimizer/m/x", store.value(ids[1])), at: 2)
        func write() throws { try Checkpoint.write(to: path, config: config, classes: classes, state: nil, tensors: tensors) }
        func open() throws -> ParameterStore {
            let (checkpoint, store) = try Checkpoint.open(path) { _ in
                let store = try ParameterStore(layout)
                store.values.tensor([store.values.count]).fill(.nan)
                return (store, store)
            }
            #expect(checkpoint.classes == classes && checkpoint.checksum.count == 64)
            return store
        }
        try write()
        let loaded = try open()
        #expect(loaded.version > 0)
        for slice in store.slices { #expect(loaded.value(slice).array == store.value(slice).array, "\(slice.name)") }

        // The first in the model's order counts, and its first value.
        store.value(ids[3]).base[499_999] = .nan
        store.value(ids[3]).base[270_000] = .infinity
        try write()
        let expected = failure { try Checkpoint.open(path).load(into: try ParameterStore(layout)) }
        #expect(failure { _ = try open() } == expected)
        #expect(expected?.message.contains("value 270000 is inf") == true, "\(expected?.message ?? "loaded")")
    }

    /// If a file is damaged and its model is wrong as well, the error is about the damage.
    @Test func damageComesBeforeTheModelsErrors() throws {
        let path = try write()
        var damaged = try bytes(of: path)
        let unmade = VidclassError(.badData, "no such model")
        func open(_ path: String, _ error: VidclassError?) -> VidclassError? {
            failure {
                _ = try Checkpoint.open(path) { _ in
                    if let error { throw error }
                    return try (0, fixtureStore())
                }
            }
        }
        #expect(open(path, nil) == nil)
        #expect(open(path, unmade) == unmade)
        damaged[damaged.count - 1] ^= 1
        let other = try folder.write("damaged.safetensors", damaged)
        let expected = failure { _ = try Checkpoint.open(other) }
        #expect(expected?.message.contains("damaged: its content has the SHA-256") == true)
        #expect(open(other, nil) == expected)
        #expect(open(other, unmade) == expected)
    }

    @Test func copyNamesWhatIsWrong() throws {
        let checkpoint = try Checkpoint.open(write())
        let buffer = Buffer(count: 108)
        defer { withExtendedLifetime(buffer) {} }
        #expect(failure { try checkpoint.copy("optimizer/v/x", into: buffer.tensor([2])) }?.message.contains("is missing") == true)
        let name = "optimizer/m/cnn/block2_conv1/kernel"
        #expect(
            failure { try checkpoint.copy(name, into: buffer.tensor([108])) }?.message.contains("is (3, 3, 3, 4), expected (108)") == true)
    }

    /// Metadata that a well-formed safetensors file may hold, but no checkpoint.
    @Test(arguments: [
        (#""format":"vidclass","version":"1""#, "no checksum"), (#""format":"pt""#, #"its format is "pt""#), ("", #"no "format""#),
        (#""format":"vidclass","version":"2""#, #"its version is "2""#),
        (#""format":"vidclass","version":"1","host":"x""#, #"unknown key "host""#),
        (#""format":"vidclass","version":"1","checksum":"0000""#, "no checksum of 64 digits"),
        (#""format":"vidclass","version":"1","checksum":"\#(String(repeating: "0", count: 64))""#, "damaged: its content has the SHA-256"),
        (#""format":"vidclass","version":1"#, "expected a string, found 1"), (#""format":"vidclass""#, #"no "version""#),
        (#""format":"vidclass","version":"1","caf\u00e9":"x","cafe\u0301":"y""#, "in two Unicode spellings"),
    ])
    func refusesMetadata(_ members: String, _ reason: String) throws {
        let path = try folder.write("file.safetensors", safetensors(#"{"__metadata__":{\#(members)}}"#))
        let error = failure { _ = try Checkpoint.open(path) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
    }

    @Test(
        arguments: [
            ("[]", ["a"], nil, "expected an object"), ("{", ["a"], nil, #"metadata "config": line 1"#), ("{}", [], nil, "an empty array"),
            ("{}", ["a", "b", "a"], nil, "appears twice"), ("{}", [""], nil, "an array of labels"),
            ("{}", ["a\0b"], nil, "an array of labels"),
            ("{}", ["a"], "{,}", #"metadata "state""#),
        ] as [(String, [String], String?, String)])
    func refusesTexts(_ config: String, _ classes: [String], _ state: String?, _ reason: String) throws {
        let path = folder.path + "/file.safetensors"
        try Checkpoint.write(to: path, config: config, classes: classes, state: state, tensors: [])
        let error = failure { _ = try Checkpoint.open(path) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
    }

    @Test func aSaveThatFailsLeavesTheOldCheckpoint() throws {
        let path = try write()
        let before = try bytes(of: path)
        var calls = FileCalls.posix
        calls.sync = { _ in -1 }
        #expect(failure { _ = try write(state: state, calls: calls) }?.kind == .inputOutput)
        #expect(try bytes(of: path) == before)
        #expect(try folder.names() == ["last.safetensors"])
    }

    @Test func aMissingFileIsNamed() {
        #expect(
            failure { _ = try Checkpoint.open("/nowhere/last.safetensors") }
                == VidclassError(.missingInput, "/nowhere/last.safetensors: no such file or folder"))
    }
}
