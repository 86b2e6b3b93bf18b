import VidConfig
import VidSystem

/// `run.json` of a run: its command, its progress, and the proof that frozen weights did not change.
///
/// Only this file, results.csv and the report contain clock times. A resumed run takes from it the time that the run has taken so far
/// and the proofs; reports read it.
package struct RunRecord: Sendable {
    package enum State: String, Sendable { case running, interrupted, finished, failed }

    /// The digests of the frozen weights before and after a stage.
    package struct Frozen: Sendable {
        /// From 1.
        package let stage: Int
        package let before: String
        package let after: String

        package init(stage: Int, before: String, after: String) {
            (self.stage, self.before, self.after) = (stage, before, after)
        }
    }

    /// The older model that a training started from.
    package struct Start: Sendable {
        /// The checkpoint as the user named it.
        package let checkpoint: String
        /// SHA-256 of that file, in hexadecimal digits.
        package let sha256: String

        package init(checkpoint: String, sha256: String) { (self.checkpoint, self.sha256) = (checkpoint, sha256) }
    }

    package var state = State.running
    package let version: String
    package let command: [String]
    package let started: String
    package var seconds = 0.0
    /// The seconds before the run was resumed.
    package private(set) var secondsBefore = 0.0
    package var epochs = 0
    package var stage = 1
    /// `epochs`, `early_stopping`, `target`, `max_minutes`, `signal`; nil for an unfinished run.
    package var stopReason: String?
    package var bestEpoch: Int?
    /// The metric that chooses the best epoch, and its value there.
    package var monitor: String?
    package var bestValue: Double?
    package var frozen: [Frozen] = []
    /// The most resident bytes of all processes of the run before this one.
    package private(set) var peakBytesBefore = 0
    /// Nil for a training without an older model.
    package var start: Start?
    /// The number of clips in each split.
    package var clips: [(split: String, count: Int)] = []

    package init(version: String, command: [String], started: String) {
        (self.version, self.command, self.started) = (version, command, started)
    }

    /// Reads a record; nil if it cannot be read. Missing values keep their defaults.
    package init?(readingFrom path: String) {
        guard let bytes = try? RegularFile.contents(path, limit: 1 << 20), let record = try? JSONParser.parse(bytes) else { return nil }
        self.init(
            version: record["version"]?.stringValue ?? "", command: record["command"]?.strings ?? [],
            started: record["started"]?.stringValue ?? "")
        state = record["state"]?.stringValue.flatMap { State(rawValue: $0) } ?? .running
        seconds = record["seconds"]?.doubleValue ?? 0
        stopReason = record["stop_reason"]?.stringValue
        bestEpoch = record["best_epoch"]?.intValue
        monitor = record["monitor"]?.stringValue
        bestValue = record["best_value"]?.doubleValue
        peakBytesBefore = record["peak_memory_bytes"]?.intValue ?? 0
        if let checkpoint = record["from"]?["checkpoint"]?.stringValue, let sha256 = record["from"]?["sha256"]?.stringValue {
            start = Start(checkpoint: checkpoint, sha256: sha256)
        }
        frozen = (record["frozen_weights"]?.arrayElements ?? []).compactMap { entry in
            guard let stage = entry["stage"]?.intValue, let before = entry["sha256_before"]?.stringValue,
                let after = entry["sha256_after"]?.stringValue
            else { return nil }
            return Frozen(stage: stage, before: before, after: after)
        }
    }

    /// Takes over the times and proofs of the record at `path`, if it can be read.
    ///
    /// - Returns: the state of that record.
    package mutating func carryOver(from path: String?) -> State? {
        guard let path, let old = RunRecord(readingFrom: path) else { return nil }
        (secondsBefore, peakBytesBefore, frozen, start) = (old.seconds, old.peakBytesBefore, old.frozen, old.start)
        return old.state
    }

    package var document: JSONNode {
        let from = start.map { JSONNode.object([("checkpoint", .string($0.checkpoint)), ("sha256", .string($0.sha256))]) }
        let frozenWeights = frozen.map {
            JSONNode.object([
                ("stage", .integer($0.stage)), ("sha256_before", .string($0.before)), ("sha256_after", .string($0.after)),
                ("unchanged", .bool($0.before == $0.after)),
            ])
        }
        return .object([
            ("state", .string(state.rawValue)), ("stop_reason", .string(ifAny: stopReason)), ("version", .string(version)),
            ("command", .array(command.map { .string($0) })), ("started", .string(started)), ("seconds", .number(seconds)),
            ("from", from ?? .null), ("epochs", .integer(epochs)), ("stage", .integer(stage)), ("monitor", .string(ifAny: monitor)),
            ("best_epoch", .integer(ifAny: bestEpoch)), ("best_value", .number(ifAny: bestValue)),
            ("peak_memory_bytes", .integer(max(peakBytesBefore, Machine.peakResidentBytes))),
            ("clips", .object(clips.map { ($0.split, .integer($0.count)) })),
            ("frozen_weights", .array(frozenWeights)),
        ])
    }

    /// Writes the file completely or not at all.
    package func write(to path: String) throws { try document.write(to: path) }
}

extension JSONNode {
    /// Writes the document as a file, completely or not at all.
    func write(to path: String) throws {
        let text = text(pretty: true) + "\n"
        try AtomicFile.write(to: path) { try $0.write(text.utf8) }
    }

    /// The strings of an array; others are left out.
    var strings: [String] { (arrayElements ?? []).compactMap(\.stringValue) }
}
