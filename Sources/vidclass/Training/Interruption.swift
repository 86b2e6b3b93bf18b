import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Ctrl-C and SIGTERM: the first asks for a stop at the end of the step, a second one ends the process at once.
final class Interruption: @unchecked Sendable {
    private let received = Atomic<Int32>(0)
    /// Only held; not touched after `init`.
    private let sources: [any DispatchSourceSignal]

    /// Takes the two signals over.
    init() {
        let queue = DispatchQueue(label: "vidclass.signals")
        var sources: [any DispatchSourceSignal] = []
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            sources.append(DispatchSource.makeSignalSource(signal: number, queue: queue))
        }
        self.sources = sources
        for (source, number) in zip(sources, [SIGINT, SIGTERM]) {
            source.setEventHandler { [self] in
                let (exchanged, _) = received.compareExchange(expected: 0, desired: number, ordering: .relaxed)
                if !exchanged { _exit(128 + number) }
            }
            source.resume()
        }
    }

    var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

    /// 130 after Ctrl-C, 143 after SIGTERM; nil if neither came.
    var exitCode: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : 128 + number
    }
}
