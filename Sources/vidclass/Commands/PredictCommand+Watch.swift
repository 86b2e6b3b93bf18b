import ArgumentParser
import VidCluster
import VidData
import VidReport
import VidRun
import VidSystem

/// `predict --watch`: the clips that come into a folder.
extension PredictCommand {
    func validateWatching() throws {
        guard watchedFolder != nil else {
            if settle != nil { throw ValidationError("--settle goes with --watch FOLDER.") }
            return
        }
        guard inputs.isEmpty, inputList == nil else { throw ValidationError("--watch FOLDER takes no other inputs.") }
        guard outputPath != nil, chosenFormat == .csv else {
            throw ValidationError("--watch appends to a table: name it with --output FILE.csv.")
        }
        if let settle, !(settle >= 0 && settle <= 86_400) {
            throw ValidationError("--settle takes a number of seconds from 0 to 86400, not \(settle).")
        }
    }

    /// Predicts the clips that come into `folder`, until a signal.
    func watch(_ folder: String, _ saved: SavedModel, _ cluster: any Cluster) async throws {
        guard let outputPath else { return }
        guard !cluster.isShared else { throw VidclassError(.usage, "--watch works with one process; start it without mpirun or srun") }
        let settle = settle ?? 5
        let clips = try SettledClips(folder, settle: .seconds(settle))
        var printer = PredictionPrinter(format: .csv, isLong: long, hasWindows: window != nil, bouts: boutChoice)
        let print = JSONNode.object(options(saved, .csv)).text()
        let file = try WatchedFile(
            outputPath, columns: printer.watchedColumns, settings: "\(saved.checksum.prefix(12))-\(String(CRC32.of(print.utf8), radix: 16))"
        )
        // Paths are not known yet: room for as many clips as are ever loaded at a time.
        let predictor = try FilePredictor(saved, paths: [], windows: windowChoice, top: top ?? 5, in: cluster, threads.makeWorkers())
        var work = FolderPredictor(predictor, clips)
        SignalHandling.allowStop()
        Terminal.note(
            Terminal.fitted(
                "watching \(folder.printable); \(Formatting.count(file.count, "clip is", "clips are")) in \(outputPath.printable). Ctrl-C ends it."
            ))
        var predicted = 0
        try await work.run(every: .seconds(min(1, max(0.2, settle / 2)))) {
            SignalHandling.stopCode != nil
        } isDone: {
            file.isDone($0)
        } each: { clip, outcome, remark in
            if let remark { Terminal.note(Terminal.fitted("note: \(remark)")) }
            if case .failure(let error) = outcome {
                // Removed meanwhile.
                if error.kind == .missingInput, (try? SystemCall.status(clip.path)) == nil { return }
                Terminal.note(Terminal.fitted("vidclass: error: " + error.message.printable))
            }
            try file.add(printer.watchedRows(outcome, name: clip.name), of: clip)
            predicted += 1
        }
        Terminal.note(Terminal.fitted("stopped; \(Formatting.count(predicted, "clip was", "clips were")) predicted"))
        if let code = SignalHandling.stopCode { throw ExitCode(code) }
    }
}
