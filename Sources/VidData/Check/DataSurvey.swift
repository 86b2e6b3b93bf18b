import VidConfig
import VidSystem
import VidTensor

extension DataReport {
    /// Clips that a survey looks at.
    private static let surveyed = 64

    /// The findings on `data` as far as the heads of a few clips tell. With them a check can already keep what a training will
    /// need. Each of the others counts as the one looked at before it. There are no prints and no search for leaks.
    package static func survey(_ data: DataSet) async throws -> DataReport {
        let step = max(1, (data.entries.count + surveyed - 1) / surveyed)
        let places = Array(stride(from: 0, to: data.entries.count, by: step))
        var found = [Result<ClipFacts, VidclassError>?](repeating: nil, count: places.count)
        try await runConcurrently(places.count, limit: Workers.processorCount) { number -> Result<ClipFacts, VidclassError> in
            do {
                return .success(ClipFacts(try await ClipInformation.read(data.entries[places[number]].path)))
            } catch let error as VidclassError {
                return .failure(error)
            }
        } finish: {
            found[$0] = $1
        }
        let clips = data.entries.enumerated().compactMap { number, entry in
            found[number / step].map { CheckedClip(entry: entry, result: $0) }
        }
        return DataReport(data: data, clips: clips, leaks: nil)
    }
}

extension ClipFacts {
    fileprivate init(_ information: ClipInformation) {
        let isArray = ["bin", "npy"].contains(information.format)
        let kind =
            information.features != nil ? ClipFacts.vectors : information.sound != nil ? "sound" : isArray ? information.format : "video"
        self.init(
            kind: kind, coding: isArray ? information.element : information.format, frames: information.frames,
            channels: information.channels, rows: information.rows, columns: information.columns,
            framesPerSecond: information.framesPerSecond, digest: "", prints: FramePrints(frames: []))
    }
}
