import VidSystem
import VidTrain

/// The course of a run, from its `results.csv` and `run.json`.
package struct RunStory: Sendable {
    /// The run's folder.
    package var folder: String
    package var epochs: [EpochRecord] = []
    /// The configured number of epochs.
    package var plannedEpochs: Int?
    /// Nil if `run.json` cannot be read.
    package var record: RunRecord?
    /// Why `results.csv` cannot be read, on one line; nil if it can be read or does not exist.
    package private(set) var fault: String?

    package init(folder: String, epochs: [EpochRecord], record: RunRecord?, plannedEpochs: Int?) {
        (self.folder, self.epochs, self.record, self.plannedEpochs) = (folder, epochs, record, plannedEpochs)
    }

    /// Reads the files. A missing or unreadable one is left out; a damaged table is reported in `fault`.
    package init(folder: String, results: String, record: String, plannedEpochs: Int?) {
        self.init(folder: folder, epochs: [], record: RunRecord(readingFrom: record), plannedEpochs: plannedEpochs)
        do { epochs = try ResultsTable(path: results).epochs } catch {
            if (error as? VidclassError)?.kind != .missingInput { fault = "\(error)" }
        }
    }

    /// The best epoch's number.
    package var bestEpoch: Int? { record?.bestEpoch }

    /// Whether frozen weights were the same before and after each stage; nil if none were frozen.
    package var frozenUnchanged: Bool? {
        guard let frozen = record?.frozen, !frozen.isEmpty else { return nil }
        return frozen.allSatisfy { $0.before == $0.after }
    }
}
