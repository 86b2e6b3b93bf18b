import VidConfig
import VidData
import VidSystem
import VidTensor

/// How a run went, as its `results.csv` and `run.json` tell it.
package struct RunStory: Sendable {
    package var epochs: [ResultsTable.Epoch]
    package var bestEpoch: Int?
    /// What the best epoch is best at, and its value.
    package var monitor: String?
    package var bestValue: Double?
    /// `epochs`, `early_stopping`, `target`; nil: it is not finished.
    package var stopReason: String?
    /// The epochs that were asked for.
    package var plannedEpochs: Int?
    package var seconds: Double?
    package var peakBytes: Int?
    package var started: String?
    package var command: [String]
    package var version: String?
    /// Whether frozen weights were the same before and after; nil where none were frozen.
    package var frozenUnchanged: Bool?
    /// The run's folder.
    package var folder: String
    /// Why `results.csv` tells nothing, on one line; nil where it could be read, or is not there.
    package private(set) var fault: String?

    package init(
        folder: String, epochs: [ResultsTable.Epoch], bestEpoch: Int? = nil, monitor: String? = nil, bestValue: Double? = nil,
        stopReason: String? = nil, plannedEpochs: Int? = nil, seconds: Double? = nil, peakBytes: Int? = nil, started: String? = nil,
        command: [String] = [], version: String? = nil, frozenUnchanged: Bool? = nil
    ) {
        self.folder = folder
        self.epochs = epochs
        self.bestEpoch = bestEpoch
        self.monitor = monitor
        self.bestValue = bestValue
        self.stopReason = stopReason
        self.plannedEpochs = plannedEpochs
        self.seconds = seconds
        self.peakBytes = peakBytes
        self.started = started
        self.command = command
        self.version = version
        self.frozenUnchanged = frozenUnchanged
    }

    /// Reads the files; what is not there or cannot be read is left out, a damaged table with a `fault`.
    package init(folder: String, results: String, record: String, plannedEpochs: Int?) {
        self.init(folder: folder, epochs: [], plannedEpochs: plannedEpochs)
        do { epochs = try ResultsTable(path: results).epochs } catch {
            if (error as? VidclassError)?.kind != .missingInput { fault = "\(error)" }
        }
        guard let bytes = try? RegularFile.contents(record, limit: 1 << 20), let document = try? JSONParser.parse(bytes) else { return }
        bestEpoch = document["best_epoch"]?.intValue
        monitor = document["monitor"]?.stringValue
        bestValue = document["best_value"]?.doubleValue
        stopReason = document["stop_reason"]?.stringValue
        seconds = document["seconds"]?.doubleValue
        peakBytes = document["peak_memory_bytes"]?.intValue
        started = document["started"]?.stringValue
        version = document["version"]?.stringValue
        command = (document["command"]?.arrayElements ?? []).compactMap(\.stringValue)
        let frozen = document["frozen_weights"]?.arrayElements ?? []
        frozenUnchanged = frozen.isEmpty ? nil : frozen.allSatisfy { $0["sha256_before"]?.stringValue == $0["sha256_after"]?.stringValue }
    }
}
