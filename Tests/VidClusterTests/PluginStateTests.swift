import Testing
import VidCluster

/// What is told about the plug-in for MPI.
struct PluginStateTests {
    @Test func aMissingOneTellsHowToGetIt() {
        let state = PluginState.here(environment: [:], executable: "/nowhere/bin/vidclass")
        #expect(state == .absent && state.fault == nil)
        #expect(state.text.contains("Scripts/install.sh --mpi") && !state.text.contains("\n"), "\(state.text)")
    }

    @Test func oneThatIsNotThereIsAFaultWithItsPath() throws {
        let state = PluginState.here(environment: [PluginPlace.variable: "/nowhere/mine.so"], executable: "/nowhere/bin/vidclass")
        let fault = try #require(state.fault)
        #expect(fault.contains("/nowhere/mine.so") && fault.contains("No such file"), "\(fault)")
    }

    /// The C library is no plug-in.
    @Test func aLibraryThatIsNoPluginIsAFault() throws {
        let state = PluginState.here(environment: [PluginPlace.variable: "libc.so.6"], executable: "/nowhere/bin/vidclass")
        let fault = try #require(state.fault)
        #expect(fault.contains("it has no function vc_cluster_plugin_table"), "\(fault)")
    }
}
