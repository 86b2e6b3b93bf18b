import FoundationEssentials
import SwiftProtobuf
import VidSystem

/// A file of TensorBoard's events, `events.out.tfevents.<seconds>.<host>.<process>.<number>`, open for appending.
///
/// Events are written immediately, complete records in one call: a running TensorBoard sees them, and a killed process leaves at most
/// one truncated record, at which readers stop. A resumed run begins a new file, whose name sorts behind all others.
package final class EventFile {
    /// The beginning of the names of event files.
    static let prefix = "events.out.tfevents."

    let path: String
    private let descriptor: CInt
    private var size = 0

    /// Creates a file in `folder` and writes its first record.
    ///
    /// - Parameters:
    ///   - host: the host in the file's name.
    ///   - seconds: the seconds since 1970 in the file's name; increased if the folder has a later file, so that TensorBoard reads the
    ///     files in order.
    init(in folder: String, host: String = ProcessInfo.processInfo.hostName, seconds: Int = Int(Date.now.timeIntervalSince1970)) throws {
        let last = EventFile.names(in: folder).compactMap { Int($0.dropFirst(EventFile.prefix.count).prefix { $0 != "." }) }.max() ?? 0
        let name = host.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") ? $0 : "-" }
        // The system limits the length of file names.
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

    /// Appends events; an event without a time gets the current time.
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
            // A partial record would end the file for its readers.
            ftruncate(descriptor, off_t(size))
            throw VidclassError.file(
                path,
                "cannot be written: \(SystemCall.reason(code)). Add \(ShellText.setting("output.tensorboard", "false")) to train without TensorBoard files",
                kind: .inputOutput)
        }
        size += bytes.count
    }

    /// The events in a file's bytes, up to the first damaged record.
    package static func events(in bytes: [UInt8]) throws -> [TBEvent] {
        try RecordFraming.records(in: bytes).map { try TBEvent(serializedBytes: $0) }
    }

    /// The names of the event files in `folder`, in the order in which TensorBoard reads them.
    static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasPrefix(prefix) }.sorted()
    }
}
