import ArgumentParser
import FoundationEssentials
import VidCheckpoint
import VidCluster
import VidReport
import VidRun
import VidSystem
import VidTensor

/// `--cluster`, for the commands that the processes of mpirun or srun share out.
struct ClusterOptions: ParsableArguments {
    enum Choice: String, ExpressibleByArgument, CaseIterable { case auto, mpi, none }

    @Option(
        help: ArgumentHelp(
            "Whether this process works with others: auto, if mpirun or srun has started it as one of several; mpi, always; none, never.",
            valueName: "how"))
    var cluster = Choice.auto

    enum Kernels: String, ExpressibleByArgument, CaseIterable { case own, common }

    @Option(
        name: .customLong("cluster-kernels"),
        help: ArgumentHelp(
            "own: the fastest kernels of each machine, which must be the same on all; common: those for AVX2, on all machines.",
            valueName: "which"))
    var kernels = Kernels.own

    /// Runs a command: on one process or on rank 0 as a whole; the other ranks take their share of it.
    ///
    /// - Parameter lead: the command itself.
    /// - Throws: its errors, and `ClusterSession.Failed`.
    func run(_ threads: ThreadOptions, _ features: FeatureCacheOptions?, lead: (any Cluster) async throws -> Void) async throws {
        let session = try await join()
        try await session.run {
            // Signals reach rank 0, too, which ends the training for all.
            SignalHandling.allowStop()
            try await ClusterFollower(
                Runtime(
                    version: Program.version, command: CommandLine.arguments, weights: WeightsLibrary(hdf5: Program.hdf5),
                    workers: try threads.makeWorkers(), cluster: session.cluster, cache: try features?.cache()
                ) { _ in }
            ).run()
        } lead: {
            if let summary = session.summary { Terminal.note(Terminal.fitted("cluster: \(summary)")) }
            try await lead(session.cluster)
        }
    }

    private func join() async throws -> ClusterSession {
        let start = ClusterStart.ofThisProcess
        guard cluster == .mpi || (cluster == .auto && (start?.size ?? 1) > 1) else { return ClusterSession() }
        if kernels == .common { try startAgain(with: "avx2") }
        let executable = Folder.resolved("/proc/self/exe")
        guard
            let plugin = PluginPlace.find(
                environment: ProcessInfo.processInfo.environment, executable: executable, exists: { (try? SystemCall.status($0)) != nil })
        else {
            throw VidclassError(
                .missingInput,
                (start.map { "\($0.launcher) has started \($0.size) processes, but the" } ?? "the")
                    + " plug-in that connects them is not there. \(PluginPlace.advice) To run one process, add --cluster none")
        }
        let session = try await ClusterSession(plugin: plugin, version: Program.version, executable: executable)
        // Under the launcher of another MPI, each process would train by itself, in the same files.
        if let start, session.cluster.size != start.size {
            throw VidclassError.file(
                plugin,
                "\(start.launcher) has started \(start.size) processes, but the plug-in's MPI connects \(session.cluster.size): they belong to different MPIs. Build the plug-in with the compiler of \(start.launcher)'s MPI (MPICC=... Scripts/mpi_plugin.sh), or use the other \(start.launcher)",
                kind: .other)
        }
        return session
    }
}

extension ClusterOptions {
    /// Starts this program again with other kernels, which are chosen while it is loaded; returns if it has them.
    private func startAgain(with kernels: String) throws {
        let variable = "VIDCLASS_KERNELS"
        guard ProcessInfo.processInfo.environment[variable] != kernels else { return }
        setenv(variable, kernels, 1)
        unsetenv("OPENBLAS_CORETYPE")
        let code = SystemCall.replaceProcess("/proc/self/exe", CommandLine.arguments)
        throw VidclassError(.other, "the program cannot be started again with other kernels: \(SystemCall.reason(code))")
    }
}

extension ClusterStart {
    /// How this process was started; nil if by itself.
    static let ofThisProcess = ClusterStart(ProcessInfo.processInfo.environment)
}
