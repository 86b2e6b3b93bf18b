import VidData

/// One part of a data set, ready to be trained on or evaluated: names, labels and where the clips come from.
package final class LabelledClips: Sendable {
    /// Relative to the data folder.
    package let names: [String]
    /// Indices into the classes.
    package let labels: [Int]
    package let source: ClipSource

    /// - Parameter keepingBytes: how much memory loaded clips may take between epochs.
    package init(_ entries: [DataSet.Entry], loader: ClipLoader, keepingBytes: Int) {
        names = entries.map(\.id)
        labels = entries.map(\.label)
        source = ClipSource(paths: entries.map(\.path), loader: loader, keepingBytes: keepingBytes)
    }

    package var count: Int { labels.count }
}
