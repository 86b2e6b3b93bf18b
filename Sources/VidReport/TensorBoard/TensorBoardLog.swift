import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTrain

/// The TensorBoard log of a run: the metrics of results.csv, histograms of weights and gradients, the confusion matrix of each best
/// epoch, the configuration and the command. Steps are epochs.
///
///     train/loss  train/categorical_accuracy  val/loss  val/categorical_accuracy  val/top_5_accuracy  val/macro_f1
///     val/balanced_accuracy  val/ece  val/brier  lr  clips_per_second  weights/<parameter>  gradients/<parameter>  val/confusion_matrix  config  command
///
/// The weights of frozen layers are logged once, at the beginning. Missing values are left out.
package final class TensorBoardLog {
    private let file: EventFile

    /// Begins a new event file in a run's folder.
    ///
    /// - Parameters:
    ///   - epochs: the finished epochs. Later epochs in the folder's event files become void.
    ///   - configuration: JSON.
    ///   - parameters: the current parameters.
    /// - Throws: `.inputOutput` if the file cannot be written, `.missingInput` if cairo, which draws its pictures, is not installed.
    package init(
        in folder: String, epochs: Int, isResumed: Bool, configuration: String, command: [String], parameters: ParameterStore,
        _ workers: Workers
    ) throws {
        try Canvas.library.require()
        file = try EventFile(in: folder)
        var events: [TBEvent] = []
        if isResumed {
            var start = TBEvent()
            start.step = Int64(epochs) + 1
            start.sessionLog.status = .start
            events.append(start)
        }
        let text = [
            Summaries.text("config", markdown: Summaries.codeBlock(configuration, language: "json")),
            Summaries.text("command", markdown: Summaries.codeBlock(command.map(ShellText.quoted).joined(separator: " "))),
        ]
        let frozen = parameters.slices.filter(\.isFrozen).map {
            Summaries.histogram("weights/" + $0.name, ValueHistogram(parameters.value($0), workers))
        }
        events.append(TensorBoardLog.event(step: epochs, text + frozen))
        try file.append(events)
    }

    /// Adds an epoch.
    ///
    /// - Parameter holdsGradients: whether the gradients in `parameters` are those of the epoch's last step.
    package func write(_ epoch: EpochReport, _ parameters: ParameterStore, holdsGradients: Bool, _ workers: Workers) throws {
        var values = TensorBoardLog.scalars(epoch)
        for slice in parameters.slices where !slice.isFrozen {
            values.append(Summaries.histogram("weights/" + slice.name, ValueHistogram(parameters.value(slice), workers)))
            guard holdsGradients, let gradient = parameters.gradient(slice) else { continue }
            values.append(Summaries.histogram("gradients/" + slice.name, ValueHistogram(gradient, workers)))
        }
        if epoch.isBest, let validation = epoch.validation {
            let title = "Validation after epoch \(epoch.record.epoch)"
            values.append(try Summaries.image("val/confusion_matrix", try ConfusionPlot(validation, heading: title).canvas()))
        }
        try file.append([TensorBoardLog.event(step: epoch.record.epoch, values)])
    }

    private static func scalars(_ epoch: EpochReport) -> [TBSummary.Value] {
        let record = epoch.record
        let metrics =
            Metric.Kind.whole.map { ($0.seriesName, record[$0]) }
            + [("lr", record.learningRate), ("clips_per_second", epoch.times.clipsPerSecond)]
        return metrics.compactMap { tag, value in value.map { Summaries.scalar(tag, $0) } }
    }

    private static func event(step: Int, _ values: [TBSummary.Value]) -> TBEvent {
        var event = TBEvent()
        event.step = Int64(step)
        event.summary.value = values
        return event
    }

    /// Removes all event files from a run's folder.
    package static func remove(from folder: String) throws {
        for path in EventFile.names(in: folder).map({ PathText.join(folder, $0) }) where unlink(path) != 0 {
            throw VidclassError(.inputOutput, "\(path.printable): the old file cannot be removed: \(SystemCall.reason())")
        }
    }
}

extension ParameterSlice {
    /// Whether training does not change the slice. Moving statistics are not trainable, but change.
    fileprivate var isFrozen: Bool { !isTrainable && name.hasPrefix("cnn/") }
}
