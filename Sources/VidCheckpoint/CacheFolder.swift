import FoundationEssentials

/// Where vidclass keeps what it can get or compute again: `$XDG_CACHE_HOME/vidclass`, or `~/.cache/vidclass`.
package struct CacheFolder: Sendable {
    /// It need not exist.
    package let path: String
    /// Where weights are in it.
    package var weights: String { path + "/weights" }
    /// Where features are in it.
    package var features: String { path + "/features" }

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        path = (CacheFolder.folder("XDG_CACHE_HOME", environment) ?? CacheFolder.home(environment) + "/.cache") + "/vidclass"
    }

    /// The folder that `variable` names. The XDG specification has relative paths ignored.
    static func folder(_ variable: String, _ environment: [String: String]) -> String? {
        environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    /// The user's own folder.
    static func home(_ environment: [String: String]) -> String {
        folder("HOME", environment) ?? FileManager.default.homeDirectoryForCurrentUser.path
    }
}
