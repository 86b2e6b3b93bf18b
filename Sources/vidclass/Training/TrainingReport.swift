import VidConfig
import VidData
import VidReport
import VidTensor
import VidTrain

/// The report at the end of a training: the best epoch's model on the clips held out.
struct TrainingReport {
    let session: TrainingSession
    let watch: StopWatch
    let quiet: Bool

    /// The user wants to go; the training is done and kept.
    private struct Interrupted: Error {}

    /// Makes it. The training is finished whatever happens here: what goes wrong is said, and nothing of the run changes.
    func make() async {
        guard let folder = session.folder else { return }
        let bar = ProgressBar(quiet: quiet)
        do {
            try await make(in: folder, bar)
            bar.clear()
        } catch {
            bar.clear()
            let reason = error is Interrupted ? "interrupted" : "\(error)"
            Terminal.note(
                "note: the training is finished and kept, but its report could not be made: \(reason). Make it with: vidclass eval --checkpoint "
                    + ShellText.quoted(folder.bestPath) + (Split.heldOut(of: session.data) == .train ? " --split train" : ""))
        }
    }

    private func make(in folder: RunFolder, _ bar: ProgressBar) async throws {
        let part = Split.heldOut(of: session.data)
        let entries = session.data.entries(of: part)
        let loader = ClipLoader(session.configuration)
        let start = ContinuousClock.now
        let clips = part == .validation ? nil : LabelledClips(entries, loader: loader, keepingBytes: 0)
        let evaluation = try await session.evaluateBest(clips) { done, total in
            if watch.exitCode != nil { throw Interrupted() }
            bar.update("report", done: done, total: total, detail: "\(done)/\(total) clips")
        }
        let maker = ReportMaker(
            classifier: session.trainer.classifier, configuration: session.configuration, checkpoint: folder.bestPath,
            workers: session.workers, entries: entries, evaluation: evaluation, seconds: (ContinuousClock.now - start).seconds)
        try await maker.write(
            to: folder.report,
            ReportMaker.Context(
                title: folder.path, part: EvaluatedSplit(part), source: session.configuration.data.path,
                story: folder.story(session.configuration),
                data: DataSummary(readingFrom: folder.dataPath) ?? DataSummary(session.data)))
    }
}
