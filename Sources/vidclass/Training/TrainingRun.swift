import ArgumentParser
import VidReport
import VidTensor
import VidTrain

/// A session trained to its end, with what a user sees and a folder keeps of it.
struct TrainingRun {
    let session: TrainingSession
    let watch: StopWatch
    let talk: TrainingTalk

    /// - Returns: why it ended; nil where it was stopped, with everything kept.
    func run() async throws -> StageEnd? {
        let progress = try TrainingProgress(session, talk)
        let wasOver = session.isOver
        do {
            try progress.begin()
            let outcome = try await session.run(shouldStop: { [watch] in watch.shouldStop }, progress: progress)
            progress.clear()
            switch outcome {
            case .finished(let end):
                try progress.write(.finished, reason: end.rawValue)
                if !wasOver || session.folder?.report.isThere == false {
                    await TrainingReport(session: session, watch: watch, quiet: talk.quiet).make()
                }
                try sendEnd(end)
                return end
            case .interrupted:
                try progress.write(.interrupted, reason: watch.exitCode == nil ? "max_minutes" : "signal")
                try talk.stream?.interrupted(session, exitCode: watch.exitCode)
                if watch.exitCode == nil { try sendEnd(nil) }
                return nil
            }
        } catch {
            progress.clear()
            try? progress.write(.failed, reason: "\(error)")
            session.folder?.removeIfNothingWasKept()
            throw error
        }
    }

    private func sendEnd(_ end: StageEnd?) throws {
        guard let stream = talk.stream, let folder = session.folder else { return }
        try stream.write("end", RunSummary(session, folder, end: end).members)
    }
}
