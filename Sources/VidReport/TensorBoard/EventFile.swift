import Foundation
import SwiftProtobuf
import VidSystem
import VidTensor

/// A file of TensorBoard's events, `events.out.tfevents.<seconds>.<host>.<process>.<number>`, open for appending.
///
/// Events are handed to the system as they come, whole records in one call: a TensorBoard that is running sees them, and a
/// process that is killed leaves at most one record cut off, at which readers stop. Nothing is ever written into a file of an
/// earlier process: who goes on begins a new one, whose name sorts behind all others.
package final class EventFile {
    /// What names of event files begin with.
    static let prefix = "events.out.tfevents."

    let path: String
    private let descriptor: CInt
    private var size = 0

    /// Makes a new file in `folder` and writes its first record.
    ///
    /// - Parameters:
    ///   - host: goes into the name.
    ///   - seconds: since 1970; more where the folder has a file of that second, so that TensorBoard reads them in order.
    init(in folder: String, host: String = ProcessInfo.processInfo.hostName, seconds: Int = Int(Date.now.timeIntervalSince1970)) throws {
        let last = EventFile.names(in: folder).compactMap { Int($0.dropFirst(EventFile.prefix.count).prefix { $0 != "." }) }.max() ?? 0
        let name = host.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") ? $0 : "-" }
        // A name of any length would not do for a file.
        path = PathText.join(
            folder, EventFile.prefix + "\(max(seconds, last + 1)).\(name.isEmpty ? "host" : String(name.prefix(100))).\(getpid()).0")
        let path = path
        descriptor = SystemCall.retrying { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
        guard descriptor >= 0 else {
            throw VidclassError.file(path, "cannot be written: \(SystemCall.reason())", kind: .inputOutput)
        }
        var first = TBEvent()
        first.fileVersion = "brain.Event:2"
        first.sourceMetadata.writer = "vidclass"
        try append([first])
    }

    deinit { close(descriptor) }

    /// Appends events; where they have no time, it is now.
    func append(_ events: [TBEvent]) throws {
        var bytes: [UInt8] = []
        let now = Date.now.timeIntervalSince1970
        for var event in events {
            if event.wallTime == 0 { event.wallTime = now }
            do { RecordFraming.append(try event.serializedBytes(), to: &bytes) } catch {
                throw VidclassError.file(path, "an event could not be encoded: \(error)", kind: .inputOutput)
            }
        }
        let code = bytes.withUnsafeBytes { SystemCall.write($0, to: descriptor, at: size) }
        guard code == 0 else {
            // What is there of it would end the file for its readers.
            ftruncate(descriptor, off_t(size))
            throw VidclassError.file(
                path, "cannot be written: \(SystemCall.reason(code)). --set output.tensorboard=false does without it", kind: .inputOutput)
        }
        size += bytes.count
    }

    static func remove(_ path: String) throws {
        guard unlink(path) == 0 else {
            throw VidclassError(.inputOutput, "\(path): the old file cannot be removed: \(SystemCall.reason())")
        }
    }

    /// The events in a file's bytes, up to where it is cut off.
    package static func events(in bytes: [UInt8]) throws -> [TBEvent] {
        try RecordFraming.records(in: bytes).map { try TBEvent(serializedBytes: $0) }
    }

    /// The names of the event files in `folder`, in the order in which they are read.
    static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasPrefix(prefix) }.sorted()
    }
}
