import Dispatch
import Synchronization
import VidData
import VidSystem

/// How Ctrl-C, SIGTERM and SIGHUP end the process: children are killed, temporary files removed, exit code 128 + the signal's
/// number. What a training does first is its own (`Interruption`).
enum Ending {
    private struct State {
        var cleanups: [Int: @Sendable () -> Void] = [:]
        var next = 0
        var first: (@Sendable (Int32) -> Bool)?
    }

    private static let state = Mutex(State())

    /// Takes the signals over, once, before anything is started. A write beyond the limit of a file's size becomes an error of that
    /// write rather than the end of the process.
    static func takeSignals() {
        signal(SIGXFSZ, SIG_IGN)
        let queue = DispatchQueue(label: "vidclass.signals")
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let before = signal(number, SIG_IGN)
            // Under nohup it stays ignored.
            if number == SIGHUP, isIgnored(before) { continue }
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            // The handler holds its source: for good.
            source.setEventHandler { withExtendedLifetime(source) { received(number) } }
            source.resume()
        }
    }

    /// Has `handler` asked first when a signal comes; the process goes on where it returns true.
    static func ask(first handler: @escaping @Sendable (Int32) -> Bool) { state.withLock { $0.first = handler } }

    /// Has `cleanup` done when a signal ends the process.
    ///
    /// - Returns: what `remove` takes it back by.
    static func add(_ cleanup: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            defer { state.next += 1 }
            state.cleanups[state.next] = cleanup
            return state.next
        }
    }

    static func remove(_ number: Int) { state.withLock { _ = $0.cleanups.removeValue(forKey: number) } }

    private static func received(_ number: Int32) {
        let (first, cleanups) = state.withLock { ($0.first, Array($0.cleanups.values)) }
        if first?(number) == true { return }
        LiveChildren.kill()
        for cleanup in cleanups { cleanup() }
        _exit(128 + number)
    }

    private static func isIgnored(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
