import FoundationEssentials
import VidCluster
import VidSystem
import VidTensor

/// This process's part in a command that several ranks work on together.
package final class ClusterSession: Sendable {
    package let cluster: any Cluster
    /// The ranks and their machines, for the user; nil for one process.
    package let summary: String?
    private let plugin: PluginCluster?

    /// - Parameter cluster: ranks that are connected; by default one process by itself.
    package init(_ cluster: any Cluster = Alone()) {
        self.cluster = cluster
        (summary, plugin) = (nil, nil)
    }

    /// Connects to the other ranks through the plug-in at `path`, and compares their programs.
    ///
    /// - Throws: `.other` if that fails, or if the ranks would not compute the same bits.
    package init(plugin path: String, version: String, executable: String) async throws {
        let plugin = try PluginCluster(path)
        self.plugin = plugin
        cluster = plugin
        do {
            let own = try Identity(version: version, executable: executable)
            let all = try await plugin.gather([UInt8](try JSONEncoder().encode(own)))?
                .map { try JSONDecoder().decode(Identity.self, from: Data($0)) }
            summary = try all.map(Identity.summary)
        } catch {
            throw ClusterSession.end(error, plugin)
        }
    }

    /// Runs a command on rank 0 and has the others follow it, then leaves the cluster.
    ///
    /// - Parameters:
    ///   - follow: what the other ranks do.
    ///   - lead: what rank 0 does.
    /// - Throws: their errors; rank 0 throws those of the other ranks, too.
    package func run(follow: () async throws -> Void, lead: () async throws -> Void) async throws {
        guard cluster.isShared else { return try await lead() }
        do {
            if cluster.isLeader {
                do {
                    try await lead()
                } catch let error where !(error is VidclassError) && !(error is ClusterFailure) {
                    // The command is done and has an exit code to return.
                    try await leave()
                    throw error
                }
            } else {
                try await follow()
            }
            try await leave()
        } catch let error where error is VidclassError || error is ClusterFailure {
            guard let plugin else { throw error }
            throw ClusterSession.end(error, plugin)
        }
    }

    private func leave() async throws {
        if cluster.isLeader { try await ClusterOrder.end.send(to: cluster) }
        guard let plugin, !plugin.leave() else { return }
        throw plugin.failure ?? ClusterFailure.unknown
    }

    /// An error that this rank's user is to be told, or one that another rank tells.
    package struct Failed: Error {
        package let error: VidclassError
        /// Whether the user is told elsewhere.
        package let isTold: Bool
        /// Leaves the other ranks, or ends all of them at once with an exit code, where they can no longer agree to end. To be called once
        /// the user was told: when the first rank has ended with an error, a launcher ends the others.
        package let leave: @Sendable (Int32) -> Void
    }

    /// Tells the other ranks of an error of this one.
    private static func end(_ error: any Error, _ plugin: PluginCluster) -> Failed {
        let isLeader = plugin.isLeader
        if let failure = error as? ClusterFailure {
            // Rank 0 tells of other ranks' errors. Where rank 0 is lost, all others do.
            let isTold = !isLeader && (failure.isTold || failure.rank != 0)
            return Failed(error: failure.error, isTold: isTold) { if !failure.isTold || !plugin.leave() { plugin.abort($0) } }
        }
        let error = error as? VidclassError ?? VidclassError(.other, "\(error)")
        plugin.alarm(error)
        return Failed(error: error, isTold: !isLeader) { if !plugin.leave() { plugin.abort($0) } }
    }
}

/// Everything that must be equal on all ranks for them to compute the same bits, and the rank's machine.
private struct Identity: Codable {
    let host: String
    let version: String
    let program: UInt64
    let kernel: String
    let vectors: String

    init(version: String, executable: String) throws {
        host = Machine.hostName
        self.version = version
        program = try FilePrint.of(executable)
        kernel = BLAS.coreName
        vectors = Machine.simdLevel
    }

    /// The ranks in words.
    ///
    /// - Throws: `.other` that names the differences.
    static func summary(_ all: [Identity]) throws -> String {
        let first = all[0]
        for (rank, other) in all.enumerated() {
            let place = "rank \(rank) (\(other.host))"
            guard other.version == first.version, other.program == first.program else {
                throw VidclassError(
                    .other,
                    "\(place) runs another vidclass (\(other.version)) than rank 0 (\(first.host), \(first.version)): their results would "
                        + "differ. Install the same one on all machines")
            }
            guard other.kernel == first.kernel, other.vectors == first.vectors else {
                throw VidclassError(
                    .other,
                    "\(place) computes with the OpenBLAS kernel \(other.kernel) and \(other.vectors) vectors, rank 0 (\(first.host)) with "
                        + "\(first.kernel) and \(first.vectors): their results would differ in the last digits. Add --cluster-kernels "
                        + "common, or use machines with the same kind of processor")
            }
        }
        let hosts = Set(all.map(\.host)).count
        return "\(all.count) ranks on \(hosts == 1 ? "one machine" : "\(hosts) machines")"
    }
}
