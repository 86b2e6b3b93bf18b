import VidConfig
import VidSystem
import VidTensor
import VidTrain

/// `results.csv` of a run: a line for each epoch.
///
///     epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr
///
/// Numbers are written so that they read back exactly; missing values (without validation clips) are empty.
package struct ResultsFile {
    private static let metrics: [Metric.Kind] = [.loss, .categoricalAccuracy, .validationLoss, .validationAccuracy]
    package static let header = (["epoch", "time"] + metrics.map(\.seriesName) + ["lr"]).joined(separator: ",")

    /// The most bytes that are read, about half a million epochs.
    static let sizeLimit = 64 << 20

    /// The problem of a resumed file, on one line; nil if it had every epoch.
    package let fault: String?
    private let path: String
    private var lines: [String]

    /// Starts a new file, or continues the file at `path` with its epochs up to `keeping`.
    ///
    /// Lines of later epochs are dropped because they were computed after the checkpoint that the run resumes from. Truncated and
    /// otherwise damaged lines are dropped, too, and `fault` reports them: a training is worth more than its table.
    package init(path: String, keeping epochs: Int) throws {
        self.path = path
        lines = [ResultsFile.header]
        var found = 0
        if epochs > 0, let bytes = try? RegularFile.contents(path, limit: ResultsFile.sizeLimit) {
            // A last line without a line end is truncated: digits may be missing.
            // guard: torn-line-of-results, without: .dropLast() ->
            for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropFirst().dropLast() {
                guard let text = String(validating: line, as: UTF8.self), let epoch = ResultsFile.epoch(text), epoch > found,
                    epoch <= epochs
                else { continue }
                lines.append(text)
                found = epoch
            }
        }
        let kept = lines.count - 1
        fault =
            kept == epochs
            ? nil
            : "\(path.printable): only \(kept) of the \(epochs) finished epochs have complete lines; the others are lost. The training continues."
        try write()
    }

    /// The epoch of a complete line; nil for any other.
    private static func epoch(_ line: String) -> Int? {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == header.split(separator: ",").count,
            fields.allSatisfy({ $0.isEmpty || DecimalText.number($0) != nil })
        else { return nil }
        return DecimalText.whole(fields[0])
    }

    /// Adds an epoch and writes the file.
    package mutating func append(_ record: EpochRecord) throws {
        lines.append(ResultsFile.line(record))
        try write()
    }

    /// The seconds at the last epoch, at which a resumed run's clock continues.
    package var secondsSoFar: Double {
        guard lines.count > 1, let last = lines.last else { return 0 }
        let fields = last.split(separator: ",", omittingEmptySubsequences: false)
        return fields.count > 1 ? max(0, DecimalText.number(String(fields[1])) ?? 0) : 0
    }

    static func line(_ record: EpochRecord) -> String {
        func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        let values = metrics.map { text(record[$0]) } + [text(record.learningRate)]
        return (["\(record.epoch)", Formatting.fixed(record.seconds, 3)] + values).joined(separator: ",")
    }

    private func write() throws {
        let text = lines.joined(separator: "\n") + "\n"
        try AtomicFile.write(to: path) { try $0.write(text.utf8) }
    }
}
