import CClusterPlugin
import Synchronization
import VidSystem

/// The cluster that a plug-in's library connects: MPI.
package final class PluginCluster: Cluster {
    package let rank: Int
    package let size: Int
    /// A table that never changes, of functions that any thread may call.
    private nonisolated(unsafe) let plugin: UnsafePointer<vc_cluster_plugin>

    /// Seconds without a sign of life after which a rank counts as lost: all ranks end within 30 s.
    package static let patience = 20.0

    /// Loads the plug-in at `path` and joins the other ranks.
    ///
    /// - Throws: `.other` if that fails.
    package init(_ path: String) throws {
        var message = [CChar](repeating: 0, count: 1024)
        func text() -> String { String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) }
        guard let plugin = vc_cluster_plugin_load(path, &message, message.count) else {
            throw VidclassError.file(
                path, "the plug-in cannot be loaded: \(text()). \(PluginPlace.advice)", kind: .other)
        }
        guard plugin.pointee.start(PluginCluster.patience, &message, message.count) == 0 else {
            throw VidclassError(.other, "the ranks cannot be connected: \(text())")
        }
        self.plugin = plugin
        rank = Int(plugin.pointee.rank())
        size = Int(plugin.pointee.size())
    }

    package func send(_ memory: Memory, to rank: Int, on channel: Channel) -> Transfer {
        let transfer = Transfer()
        plugin.pointee.send(
            Int32(rank), Int32(channel.rawValue), memory.start, memory.count, PluginCluster.ended, context(transfer))
        return transfer
    }

    package func receive(into memory: Memory, from rank: Int, on channel: Channel) -> Transfer {
        let transfer = Transfer()
        plugin.pointee.receive(
            Int32(rank), Int32(channel.rawValue), memory.start, memory.count, PluginCluster.ended, context(transfer))
        return transfer
    }

    /// A transfer under way, kept alive until the plug-in says that it has ended.
    private final class Pending {
        let transfer: Transfer
        let cluster: PluginCluster

        init(_ transfer: Transfer, _ cluster: PluginCluster) { (self.transfer, self.cluster) = (transfer, cluster) }
    }

    private func context(_ transfer: Transfer) -> UnsafeMutableRawPointer {
        Unmanaged.passRetained(Pending(transfer, self)).toOpaque()
    }

    private static let ended: vc_cluster_done = { context, status, _, count in
        guard let context else { return }
        let pending = Unmanaged<Pending>.fromOpaque(context).takeRetainedValue()
        pending.transfer.end(status == 0 ? .success(count) : .failure(pending.cluster.failure ?? ClusterFailure.unknown))
    }

    /// The first failure of a rank or a connection; nil while there is none.
    package var failure: ClusterFailure? {
        var text = [UInt8](repeating: 0, count: 1 << 16)
        var rank: Int32 = 0
        var isAlarm: Int32 = 0
        let count = text.withUnsafeMutableBytes { bytes in
            plugin.pointee.failure(bytes.bindMemory(to: CChar.self).baseAddress, bytes.count, &rank, &isAlarm)
        }
        guard count > 0 else { return nil }
        return ClusterFailure(Array(text.prefix(count)), of: Int(rank), isAlarm: isAlarm != 0)
    }

    /// Tells the other ranks that this one has failed, and why.
    package func alarm(_ error: VidclassError) {
        let bytes = ClusterFailure.bytes(error)
        bytes.withUnsafeBytes { plugin.pointee.alarm($0.baseAddress, $0.count) }
    }

    /// Leaves when all ranks do; false if they have not within `patience`.
    package func leave() -> Bool { plugin.pointee.stop(PluginCluster.patience) == 0 }

    /// Ends all ranks at once.
    package func abort(_ code: Int32) { plugin.pointee.abort(code) }
}
