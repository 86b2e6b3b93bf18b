import VidCheckpoint
import VidCluster
import VidTensor

/// What the host program provides: VidRun itself reads no command line, writes to no terminal and leaves signals alone.
package struct Runtime: Sendable {
    /// The host program's version, for run.json and reports.
    package let version: String
    /// The host program's command line, for the same files.
    package let command: [String]
    /// The pretrained weights on this machine.
    package let weights: WeightsLibrary
    package let workers: Workers
    /// The ranks that work on the command together.
    package let cluster: any Cluster
    /// Keeps features and facts about clips from run to run; nil turns caching off.
    package let cache: FeatureFolder?
    /// Whether the user sees the lists of bad clips and leaks in a check's report (`RunEvent.data`), so that errors need not repeat them.
    package let showsReports: Bool
    /// Receives the events in order. An error that it throws ends the work.
    package let observe: @Sendable (RunEvent) throws -> Void

    package init(
        version: String, command: [String], weights: WeightsLibrary, workers: Workers, cluster: any Cluster = Alone(),
        cache: FeatureFolder?,
        showsReports: Bool = false, observe: @escaping @Sendable (RunEvent) throws -> Void
    ) {
        self.version = version
        self.command = command
        self.weights = weights
        self.workers = workers
        self.cluster = cluster
        self.cache = cache
        self.showsReports = showsReports
        self.observe = observe
    }

    func note(_ text: String) throws { try observe(.note(text)) }
    func warn(_ text: String) throws { try observe(.warning(text)) }
}
