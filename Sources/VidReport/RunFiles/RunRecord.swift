import VidConfig
import VidSystem
import VidTensor

/// `run.json` of a run: what was asked for, how it went, and that frozen weights stayed as they were.
///
/// With results.csv and the report the only files of a run with clocks in them. A run that goes on takes over from it how long the former
/// parts took and what they proved; nothing else is read back.
package struct RunRecord: Sendable {
    package enum State: String, Sendable { case running, interrupted, finished, failed }

    /// The digest of the frozen weights before and after a stage.
    package struct Frozen: Sendable {
        /// From 1.
        package let stage: Int
        package let before: String
        package let after: String

        package init(stage: Int, before: String, after: String) {
            self.stage = stage
            self.before = before
            self.after = after
        }
    }

    package var state = State.running
    package let version: String
    package let command: [String]
    package let started: String
    package var seconds = 0.0
    /// Of the parts of the run before this one.
    package private(set) var secondsBefore = 0.0
    package var epochs = 0
    package var stage = 1
    package var stopReason: String?
    package var bestEpoch: Int?
    package var monitor: String?
    package var bestValue: Double?
    package var frozen: [Frozen] = []
    /// The most bytes that the parts of the run before this one had resident.
    package private(set) var peakBytesBefore = 0
    /// Clips of each part.
    package var clips: [(part: String, count: Int)] = []

    package init(version: String, command: [String], started: String) {
        self.version = version
        self.command = command
        self.started = started
    }

    /// Takes over what the record at `path` says of the parts of the run before; one that cannot be read is passed over.
    ///
    /// - Returns: the state it tells of.
    package mutating func carryOver(from path: String?) -> State? {
        guard let path, let bytes = try? RegularFile.contents(path, limit: 1 << 20), let old = try? JSONParser.parse(bytes) else {
            return nil
        }
        secondsBefore = old["seconds"]?.doubleValue ?? 0
        peakBytesBefore = old["peak_memory_bytes"]?.intValue ?? 0
        frozen = (old["frozen_weights"]?.arrayElements ?? []).compactMap { entry in
            guard let stage = entry["stage"]?.integerValue, let before = entry["sha256_before"]?.stringValue,
                let after = entry["sha256_after"]?.stringValue
            else { return nil }
            return Frozen(stage: Int(stage), before: before, after: after)
        }
        return old["state"]?.stringValue.flatMap { State(rawValue: $0) }
    }

    package var document: JSONNode {
        func text(_ value: String?) -> JSONNode { value.map { .string($0) } ?? .null }
        return .object([
            ("state", .string(state.rawValue)), ("stop_reason", text(stopReason)), ("version", .string(version)),
            ("command", .array(command.map { .string($0) })), ("started", .string(started)), ("seconds", .number(seconds)),
            ("epochs", .integer(epochs)), ("stage", .integer(stage)), ("monitor", text(monitor)),
            ("best_epoch", bestEpoch.map { .integer($0) } ?? .null), ("best_value", bestValue.map { .number($0) } ?? .null),
            ("peak_memory_bytes", .integer(max(peakBytesBefore, Machine.peakResidentBytes))),
            ("clips", .object(clips.map { ($0.part, .integer($0.count)) })),
            (
                "frozen_weights",
                .array(
                    frozen.map {
                        .object([
                            ("stage", .integer($0.stage)), ("sha256_before", .string($0.before)), ("sha256_after", .string($0.after)),
                            ("unchanged", .bool($0.before == $0.after)),
                        ])
                    })
            ),
        ])
    }

    /// Writes the file whole.
    package func write(to path: String) throws {
        let text = document.text(pretty: true) + "\n"
        try AtomicFile.write(to: path) { try $0.write(text.utf8) }
    }
}
