import Testing
import VidCluster

/// The places of the plug-in for MPI.
struct PluginPlaceTests {
    private let installed = "/opt/v/lib/vidclass/libvidclass_mpi.so"
    private let built = "/home/a/vidclass/.build/mpi/libvidclass_mpi.so"
    private let program = "/home/a/vidclass/.build/x86_64-unknown-linux-gnu/release/vidclass"

    private func find(_ environment: [String: String] = [:], _ executable: String, there files: String...) -> String? {
        PluginPlace.find(environment: environment, executable: executable, exists: files.contains)
    }

    @Test func anInstalledProgramHasItInTheLibraryFolder() {
        #expect(find([:], "/opt/v/bin/vidclass", there: installed, built) == installed)
    }

    @Test func aBuiltProgramHasItInTheBuildFolder() {
        #expect(find([:], program, there: installed, built) == built)
    }

    @Test func theInstalledOneComesFirst() {
        let first = "/home/a/vidclass/.build/x86_64-unknown-linux-gnu/lib/vidclass/libvidclass_mpi.so"
        #expect(find([:], program, there: built, first) == first)
    }

    /// Its absence is for the loader to report, so another one must not take its place.
    @Test func aNamedOneComesBeforeAllOthersEvenIfItIsNotThere() {
        #expect(find([PluginPlace.variable: "/tmp/mine.so"], program, there: built) == "/tmp/mine.so")
    }

    @Test func anEmptyNameIsNone() {
        #expect(find([PluginPlace.variable: ""], program, there: built) == built)
    }

    @Test func elsewhereThereIsNone() {
        #expect(find([:], "/usr/bin/vidclass", there: installed, built) == nil)
    }
}
