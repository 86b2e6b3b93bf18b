/// Lets so many tasks through at a time; the others wait in the order they came.
///
/// Each clip that is loaded may take an ffmpeg of its own: many at once would take each other's time, and then be taken for
/// hanging.
actor LoadGate {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
