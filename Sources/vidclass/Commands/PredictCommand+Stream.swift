import ArgumentParser
import VidCluster
import VidData
import VidModel
import VidReport
import VidRun
import VidSystem

/// `predict - --window`: the windows of a stream, each when it has ended.
extension PredictCommand {
    /// Whether the results of a stream can be printed while it comes. Files, and a JSON document of windows and bouts, are written at its end.
    var mayFollow: Bool {
        inputs == [StandardInput.name] && inputList == nil && window != nil && outputPath == nil && !(bouts && chosenFormat == .json)
    }

    /// Predicts the windows of standard input, which begins with `head`, while it comes.
    func follow(_ head: [UInt8], _ saved: SavedModel) async throws {
        SignalHandling.allowStop()
        let predictor = try FilePredictor(saved, paths: [], windows: windowChoice, top: top ?? 5, in: Alone(), threads.makeWorkers())
        let (classes, input) = (saved.classifier.classes, StandardInput.name)
        var printer = PredictionPrinter(format: chosenFormat, isLong: long, hasWindows: true, bouts: boutChoice)
        var maker = boutChoice.map { BoutMaker(classes: classes, threshold: $0.threshold, minimumSeconds: $0.minimumSeconds) }
        var failures = InputFailures()
        var failure: VidclassError?
        do {
            let damage = try await predictor.follow(StandardInput.stream(head), input: input) { window, prediction in
                if maker == nil { try printer.add(window, prediction, classes: classes) }
                for bout in maker?.add(window, prediction) ?? [] { try printer.add(bout, input: input, classes: classes) }
                return !printer.isClosed && SignalHandling.stopCode == nil
            }
            if let damage {
                Terminal.note(
                    Terminal.fitted("note: \(StandardInput.shownName) is damaged (\(damage.text(frames: 0))), and was used all the same"))
            }
        } catch  where printer.hasFailed {
            throw error
        } catch {
            // Of a stop, the cut-off end of the stream.
            if SignalHandling.stopCode == nil { failure = error as? VidclassError ?? VidclassError(.other, "\(error)") }
        }
        if let failure { failures.add(failure) }
        if !printer.isClosed {
            for bout in maker?.finish() ?? [] { try printer.add(bout, input: input, classes: classes) }
            try printer.end(input, failure)
        }
        if let code = SignalHandling.stopCode { throw ExitCode(code) }
        try failures.finish(of: 1, "could not be classified")
    }
}
