import VidSystem
import VidTensor
import VidTrain

/// `results.csv` of a run: one line an epoch.
///
///     epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr
///
/// Numbers are written so that they read back exactly; a value that does not exist (no validation part) is empty.
package struct ResultsFile {
    package static let header = "epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr"

    /// The most bytes of one that are read: half a million epochs.
    static let sizeLimit = 64 << 20

    /// What is wrong with the file that was gone on with, on one line; nil where every epoch was there.
    package let fault: String?
    private let path: String
    private var lines: [String]

    /// Starts a new file, or goes on with the one at `path`, keeping its epochs up to `keeping`.
    ///
    /// Lines of later epochs are dropped: they were computed after the checkpoint that the run goes on from. Lines that are cut
    /// off or otherwise damaged are dropped, too, and `fault` says so: a training is worth more than its table.
    package init(path: String, keeping epochs: Int) throws {
        self.path = path
        lines = [ResultsFile.header]
        var found = 0
        if epochs > 0, let bytes = try? RegularFile.contents(path, limit: ResultsFile.sizeLimit) {
            // What follows the last line end is a line that was cut off: of none, the last digits may be missing.
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
            : "\(path.printable): of the \(epochs) epochs that are over it has \(kept) in whole lines; the others are lost, the run goes on"
        try write()
    }

    /// The epoch of a line that has all its numbers; nil for any other.
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

    /// The seconds of the last epoch kept, where a resumed run's clock goes on.
    package var secondsSoFar: Double {
        guard lines.count > 1, let last = lines.last else { return 0 }
        let fields = last.split(separator: ",", omittingEmptySubsequences: false)
        return fields.count > 1 ? max(0, DecimalText.number(String(fields[1])) ?? 0) : 0
    }

    static func line(_ record: EpochRecord) -> String {
        func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        return [
            "\(record.epoch)", Formatting.fixed(record.seconds, 3), text(record.trainLoss), text(record.trainAccuracy),
            text(record.validation?.loss), text(record.validation?.accuracy), text(record.learningRate),
        ].joined(separator: ",")
    }

    private func write() throws {
        let text = lines.joined(separator: "\n") + "\n"
        try AtomicFile.write(to: path) { try $0.write(text.utf8) }
    }
}
