import Synchronization
import VidSystem

/// Ctrl-C and SIGTERM: the first asks for a stop at the end of the step, a second one ends the process at once.
final class Interruption: Sendable {
    private let received = Atomic<Int32>(0)

    /// Has itself asked first when one of the two comes (`Ending`).
    init() {
        Ending.ask(first: { [self] number in
            guard number == SIGINT || number == SIGTERM else { return false }
            return received.compareExchange(expected: 0, desired: number, ordering: .relaxed).exchanged
        })
    }

    var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

    /// 130 after Ctrl-C, 143 after SIGTERM; nil if neither came.
    var exitCode: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : 128 + number
    }
}
