import VidConfig
import VidData

/// A split of a data set, ready for training or evaluation: the clips' names and labels, and the source that loads them.
package final class LabelledClips: Sendable {
    /// Relative to the data folder.
    package let names: [String]
    /// Indices into the classes.
    package let labels: [Int]
    package let source: ClipSource

    /// - Parameter keepingBytes: bytes of loaded clips that may stay in memory between epochs.
    package init(_ entries: [DataSet.Entry], loader: ClipLoader, keepingBytes: Int) {
        names = entries.map(\.id)
        labels = entries.map(\.label)
        source = ClipSource(paths: entries.map(\.path), loader: loader, keepingBytes: keepingBytes)
    }

    private init(names: [String], labels: [Int], source: ClipSource) { (self.names, self.labels, self.source) = (names, labels, source) }

    package var count: Int { labels.count }

    /// Some of the clips, with a source of their own.
    func selecting(_ clips: [Int]) -> LabelledClips {
        LabelledClips(names: clips.map { names[$0] }, labels: clips.map { labels[$0] }, source: source.selecting(clips))
    }
}

extension DataConfiguration {
    /// Shares of the clips that become validation and test splits where the data names none.
    package func splitOptions(seed: UInt64) -> DataSet.SplitOptions {
        DataSet.SplitOptions(seed: seed, validation: validationSplit, test: testSplit)
    }
}
