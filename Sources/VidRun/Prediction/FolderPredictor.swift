import VidData
import VidSystem
import VidTrain

/// Predicts the clips that come into a folder, each once it is whole, until it is asked to stop.
package struct FolderPredictor {
    private let predictor: FilePredictor
    private var clips: SettledClips

    /// The most clips between two looks into the folder.
    private static let mostAtOnce = 64

    package init(_ predictor: FilePredictor, _ clips: SettledClips) { (self.predictor, self.clips) = (predictor, clips) }

    /// - Parameters:
    ///   - period: from one look into the folder to the next.
    ///   - isStopped: is asked several times a second, and after each clip.
    ///   - isDone: whether a clip was predicted before, in this state.
    ///   - each: receives the results, and once a remark for the user on the values of the clips so far.
    /// - Throws: the errors of looking into the folder, and those of `each`.
    package mutating func run(
        every period: Duration, isStopped: () -> Bool, isDone: (SettledClip) -> Bool,
        each: (SettledClip, FilePredictor.Outcome, _ remark: String?) throws -> Void
    ) async throws {
        while !isStopped() {
            let start = ContinuousClock.now
            let new = Array(try clips.look().filter { !isDone($0) }.prefix(FolderPredictor.mostAtOnce))
            let wait = max(period, (ContinuousClock.now - start) * 10)
            do {
                try await predict(new, isStopped, each)
            } catch is Stopped {
                return
            }
            guard new.isEmpty else { continue }
            let end = ContinuousClock.now + wait
            while !isStopped(), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(50)) }
        }
    }

    private struct Stopped: Error {}

    private func predict(
        _ clips: [SettledClip], _ isStopped: () -> Bool, _ each: (SettledClip, FilePredictor.Outcome, String?) throws -> Void
    ) async throws {
        guard !clips.isEmpty else { return }
        var predictor = predictor.predicting(clips.map(\.path))
        try await predictor.run(names: clips.map(\.name)) { _, _ in
        } each: { place, outcome, remark in
            try each(clips[place], outcome, remark)
            if isStopped() { throw Stopped() }
        }
    }
}
