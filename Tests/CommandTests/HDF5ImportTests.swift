import Foundation
import Testing
import VidCheckpoint
import VidSystem
import VidTensor
import VidTestSupport

/// The HDF5 library in a reader of the built program.
@Suite struct HDF5ImportTests {
    private static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let fixtures = project + "/Tests/VidCheckpointTests/Fixtures/"

    private func child(seconds: Int = 20) -> HDF5Import { .inReader(seconds: seconds) }

    @Test(arguments: ["keras1.h5", "keras1_with_top.h5", "keras3.weights.h5"])
    func theChildReadsWhatThisProcessReads(_ name: String) async throws {
        let path = HDF5ImportTests.fixtures + name
        let own = try await ImportedWeights.read(path, hdf5: .inThisProcess)
        let other = try await ImportedWeights.read(path, hdf5: child())
        #expect(own.source == other.source && own.sha256 == other.sha256 && own.ignored == other.ignored)
        #expect(own.architecture == other.architecture && own.preprocessing == other.preprocessing)
        #expect(own.tensors.map(\.name) == other.tensors.map(\.name))
        for (one, two) in zip(own.tensors, other.tensors) {
            #expect(one.tensor.shape == two.tensor.shape)
            let values = [one, two].map { UnsafeBufferPointer(start: $0.tensor.base, count: $0.tensor.count).map(\.bitPattern) }
            #expect(values[0] == values[1], "\(one.name)")
        }
    }

    @Test(arguments: ["bad_cycle.h5", "bad_huge.h5", "bad_nan.h5", "bad_external_link.h5", "bad_not_a_vgg.h5"])
    func itsComplaintsComeAcross(_ name: String) async throws {
        let path = HDF5ImportTests.fixtures + name
        let own = await #expect(throws: VidclassError.self) { _ = try await ImportedWeights.read(path, hdf5: .inThisProcess) }
        let other = await #expect(throws: VidclassError.self) { _ = try await ImportedWeights.read(path, hdf5: self.child()) }
        #expect(own == other)
    }

    /// Found by fuzzing: HDF5 1.10.8 never comes back from it.
    @Test func aFileThatKeepsTheLibraryBusyForEverIsRefusedInTime() async throws {
        let path = HDF5ImportTests.project + "/Fuzz/regressions/hdf5/endless_heap.h5"
        let error = await #expect(throws: VidclassError.self) { _ = try await ImportedWeights.read(path, hdf5: self.child(seconds: 2)) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains("did not finish") == true, "\(error?.message ?? "")")
    }

    /// The superblock and what the root group begins with, every byte of it, and values. The format has no checksum: a changed
    /// byte is refused in one line, or the hash that is kept of the file is another one.
    @Test func aChangedByteIsRefusedOrChangesTheHash() async throws {
        let folder = try TestFolder()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: HDF5ImportTests.fixtures + "keras1.h5")))
        let hash = try await ImportedWeights.read(HDF5ImportTests.fixtures + "keras1.h5", hdf5: child()).sha256
        var refused = 0
        let places = Array(0..<96) + stride(from: 96, to: whole.count, by: whole.count / 32)
        for place in places {
            let path = try folder.write("flipped.h5", whole.putting([whole[place] ^ (place % 2 == 0 ? 0xFF : 0x10)], at: place))
            do {
                #expect(try await ImportedWeights.read(path, hdf5: child(seconds: 3)).sha256 != hash, "byte \(place)")
            } catch {
                let error = error as? VidclassError
                #expect(error?.kind == .badData && error?.message.contains("\n") == false, "byte \(place): \(error?.message ?? "")")
                refused += 1
            }
        }
        #expect(refused > 20, "\(refused) of \(places.count)")
    }

    /// A child that a hostile file has taken over can say what it likes.
    @Test(arguments: [
        ("echo nonsense and more of it >&0; sleep 100", "something other"),
        (#"printf '\020\0\0\0\0\0\0\0\0\0\0\100\0\0\0\0' >&0; sleep 100"#, "more than 512 MiB"),
        ("kill -SEGV $$", "signal 11"), ("kill -SYS $$", "may not do"), ("exit 3", "exit 3"),
        (#"printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >&0; sleep 100"#, "too few"),
        (#"printf '\1\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\101\0\0\0it' >&0; sleep 100"#, "keras1.h5: it"),
    ])
    func whatIsNoWeightsIsRefused(_ script: String, _ reason: String) async throws {
        let folder = try TestFolder()
        let liar = try folder.write("liar.sh", text: "#!/bin/sh\n\(script)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: liar)
        let path = HDF5ImportTests.fixtures + "keras1.h5"
        let error = await #expect(throws: VidclassError.self) {
            _ = try await ImportedWeights.read(path, hdf5: .inReader(Readers(program: liar), seconds: 500))
        }
        #expect(error?.kind == .badData)
        #expect(error?.message.hasPrefix(path) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }
}
