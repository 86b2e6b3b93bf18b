import CClusterPlugin
import FoundationEssentials
import VidSystem

/// Whether the plug-in that connects this program to MPI is there. Asking does not start MPI.
package enum PluginState: Equatable, Sendable {
    case absent

    /// It can be loaded; `library` is the MPI that it was built with, such as "Open MPI 4.1.4".
    case loaded(path: String, library: String)

    /// It is there and cannot be loaded.
    case broken(path: String, reason: String)

    /// The state of this program's plug-in.
    package static func here(
        environment: [String: String] = ProcessInfo.processInfo.environment, executable: String = Folder.resolved("/proc/self/exe")
    ) -> PluginState {
        let found = PluginPlace.find(environment: environment, executable: executable) { FileManager.default.fileExists(atPath: $0) }
        guard let path = found else { return .absent }
        var message = [CChar](repeating: 0, count: 1024)
        guard let plugin = vc_cluster_plugin_load(path, &message, message.count), let library = plugin.pointee.library() else {
            let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return .broken(path: path, reason: reason)
        }
        return .loaded(path: path, library: String(cString: library))
    }

    /// One line that says which plug-in is there or how to get one.
    package var text: String {
        switch self {
        case .absent: "no plug-in for MPI, which only several machines need. \(PluginPlace.advice)"
        case .loaded(let path, let library): "\(library) by \(path.printable)"
        case .broken(let path, _): "\(path.printable), which cannot be loaded"
        }
    }

    /// Says why a plug-in that is there cannot be used, and what to do; nil if it can be used.
    package var fault: String? {
        guard case .broken(let path, let reason) = self else { return nil }
        return
            "vidclass cannot run on several machines: the plug-in \(path.printable) cannot be loaded (\(reason.printable)). \(PluginPlace.advice)"
    }
}
