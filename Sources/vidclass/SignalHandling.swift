import Dispatch
import Synchronization
import VidSystem

/// How Ctrl-C, SIGTERM and SIGHUP end the process: children are killed, temporary files removed, and the exit code is 128 + the
/// signal's number. While a training runs, the first Ctrl-C or SIGTERM only asks it to stop.
enum SignalHandling {
    private struct State {
        var cleanups: [Int: @Sendable () -> Void] = [:]
        var next = 0
        var allowsStop = false
        var stopSignal: Int32?
    }

    private static let state = Mutex(State())

    /// Installs the handlers, once, before anything is started. Also turns a write beyond the limit of a file's size into an error of
    /// that write; by default it would end the process.
    static func install() {
        signal(SIGXFSZ, SIG_IGN)
        let queue = DispatchQueue(label: "vidclass.signals")
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let before = signal(number, SIG_IGN)
            // Under nohup it stays ignored.
            if number == SIGHUP, isIgnored(before) { continue }
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            // The handler keeps its source alive.
            source.setEventHandler { withExtendedLifetime(source) { received(number) } }
            source.activate()
        }
    }

    /// From now on the first Ctrl-C or SIGTERM asks for a stop, and only a second one ends the process.
    static func allowStop() { state.withLock { $0.allowsStop = true } }

    /// 130 after a Ctrl-C that asked for a stop, 143 after a SIGTERM; nil if neither came.
    static var stopCode: Int32? { state.withLock { $0.stopSignal.map { 128 + $0 } } }

    /// Runs `cleanup` if a signal ends the process.
    ///
    /// - Returns: a number to remove it with.
    static func add(_ cleanup: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            defer { state.next += 1 }
            state.cleanups[state.next] = cleanup
            return state.next
        }
    }

    static func remove(_ number: Int) { state.withLock { _ = $0.cleanups.removeValue(forKey: number) } }

    private static func received(_ number: Int32) {
        let cleanups: [@Sendable () -> Void]? = state.withLock { state in
            // guard: second-interrupt, without: state.stopSignal == nil, ->
            guard state.allowsStop, state.stopSignal == nil, number != SIGHUP else { return Array(state.cleanups.values) }
            state.stopSignal = number
            return nil
        }
        guard let cleanups else { return }
        // guard: children-ended-by-signal
        LiveChildren.kill()
        for cleanup in cleanups { cleanup() }
        _exit(128 + number)
    }

    private static func isIgnored(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
