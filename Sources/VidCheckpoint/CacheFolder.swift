import FoundationEssentials

/// The folder for everything vidclass can fetch or compute again: `$XDG_CACHE_HOME/vidclass`, or `~/.cache/vidclass`.
package struct CacheFolder: Sendable {
    /// The folder, which need not exist.
    package let path: String
    /// The subfolder of weights.
    package var weights: String { path + "/weights" }
    /// The subfolder of features.
    package var features: String { path + "/features" }

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        path = (CacheFolder.folder("XDG_CACHE_HOME", environment) ?? CacheFolder.home(environment) + "/.cache") + "/vidclass"
    }

    /// The folder that `variable` names. Relative paths are ignored, as the XDG specification says.
    static func folder(_ variable: String, _ environment: [String: String]) -> String? {
        environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    /// The user's home folder.
    static func home(_ environment: [String: String]) -> String {
        folder("HOME", environment) ?? FileManager.default.homeDirectoryForCurrentUser.path
    }
}
