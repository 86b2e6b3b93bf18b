import FoundationEssentials
import VidSystem

/// Why the ranks can no longer work together: an error of one of them, or a rank that was lost.
package struct ClusterFailure: Error {
    package let rank: Int
    /// The error for the user.
    package let error: VidclassError
    /// Whether the rank itself has told the others of its error, so that they need not repeat it.
    package let isTold: Bool

    package static let unknown = ClusterFailure(
        rank: 0, error: VidclassError(.other, "the connection of the ranks has failed"), isTold: false)

    private struct Alarm: Codable {
        var error: VidclassError
        var host: String
    }

    private init(rank: Int, error: VidclassError, isTold: Bool) {
        self.rank = rank
        self.error = error
        self.isTold = isTold
    }

    /// - Parameters:
    ///   - text: another rank's alarm (`bytes`), or what was noticed here.
    init(_ text: [UInt8], of rank: Int, isAlarm: Bool) {
        self.rank = rank
        isTold = isAlarm
        guard isAlarm, let alarm = try? JSONDecoder().decode(Alarm.self, from: Data(text)) else {
            error = VidclassError(
                .other,
                String(decoding: text, as: UTF8.self).printable
                    + ". All ranks end; the last saved state is intact: resume a training with `\(ShellText.vidclass("train", "--resume"))`"
            )
            return
        }
        var error = alarm.error
        error.message = "rank \(rank) (\(alarm.host)): \(error.message)"
        self.error = error
    }

    /// The text of this rank's alarm about `error`, of at most 32 KiB: a plug-in cuts longer ones. So long texts lose their ends.
    static func bytes(_ error: VidclassError) -> [UInt8] {
        let cut = VidclassError(
            error.kind, String(error.message.unicodeScalars.prefix(2000)),
            advice: error.advice.prefix(10).map { String($0.unicodeScalars.prefix(200)) })
        return (try? JSONEncoder().encode(Alarm(error: cut, host: Machine.hostName))).map { [UInt8]($0) } ?? Array(error.message.utf8)
    }
}
