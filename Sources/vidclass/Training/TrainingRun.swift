import ArgumentParser
import VidReport
import VidTensor
import VidTrain

/// A session trained to its end, with what a user sees and a folder keeps of it.
struct TrainingRun {
    let session: TrainingSession
    let watch: StopWatch
    let quiet: Bool

    /// - Returns: why it ended; nil where it was stopped, with everything kept.
    func run() async throws -> StageEnd? {
        let progress = try TrainingProgress(session, quiet: quiet)
        let wasOver = session.isOver
        do {
            let outcome = try await session.run(shouldStop: { [watch] in watch.shouldStop }, progress: progress)
            progress.clear()
            switch outcome {
            case .finished(let end):
                try progress.write(.finished, reason: end.rawValue)
                if !wasOver || session.folder?.report.isThere == false {
                    await TrainingReport(session: session, watch: watch, quiet: quiet).make()
                }
                return end
            case .interrupted:
                try progress.write(.interrupted, reason: watch.exitCode == nil ? "max_minutes" : "signal")
                return nil
            }
        } catch {
            progress.clear()
            try? progress.write(.failed, reason: "\(error)")
            session.folder?.removeIfNothingWasKept()
            throw error
        }
    }
}
